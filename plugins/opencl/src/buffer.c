/* Buffers, and host addresses as buffers. */
#include "opencl.h"

#include <stdlib.h>

hy_status hy_opencl_heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (heap != 0) return hy_opencl_refuse(device->plugin, HY_NOT_FOUND, "no heap %u: there is one", heap);
	pthread_mutex_lock(&device->lock);
	const uint64_t used = device->used_bytes, total = device->found->memory_bytes;
	pthread_mutex_unlock(&device->lock);
	const hy_heap_info info = {
		.flags = HY_HEAP_DEVICE,
		.align = HY_OPENCL_ALIGN,
		.total_bytes = total,
		.free_bytes = used < total ? total - used : 0,
		.max_buffer_bytes = device->found->max_buffer_bytes,
	};
	HY_PUT(out_info, &info);
	return HY_OK;
}

/* Takes length from the device's memory. Drivers allocate late and fail later; the size is known now. */
static bool take_bytes(hy_device *device, uint64_t length, uint64_t *out_serial)
{
	pthread_mutex_lock(&device->lock);
	const bool fits = length <= device->found->max_buffer_bytes && length <= device->found->memory_bytes &&
	                  device->used_bytes <= device->found->memory_bytes - length;
	if (fits) device->used_bytes += length;
	*out_serial = ++device->clock;
	pthread_mutex_unlock(&device->lock);
	return fits;
}

static void give_bytes(hy_device *device, uint64_t length)
{
	pthread_mutex_lock(&device->lock);
	device->used_bytes -= length;
	pthread_mutex_unlock(&device->lock);
}

hy_status hy_opencl_buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	if (heap != 0) return hy_opencl_refuse(device->plugin, HY_INVALID, "no heap %u: there is one", heap);
	if (length == 0) return hy_opencl_refuse(device->plugin, HY_INVALID, "a buffer of 0 bytes");
	uint64_t serial;
	if (!take_bytes(device, length, &serial))
		return hy_opencl_refuse(
			device->plugin, HY_NO_MEMORY,
			"%llu bytes do not fit: the device has %llu bytes and gives at most %llu at once",
			(unsigned long long)length, (unsigned long long)device->found->memory_bytes,
			(unsigned long long)device->found->max_buffer_bytes);
	hy_buffer *buffer = calloc(1, sizeof(*buffer));
	hy_status status = HY_OK;
	int32_t code = OCL_SUCCESS;
	if (buffer == NULL) {
		status = hy_opencl_refuse(device->plugin, HY_NO_MEMORY, "out of memory");
		goto done;
	}
	buffer->length = length;
	buffer->serial = serial;
	if (hy_opencl_is_host(device)) {
		buffer->host = aligned_alloc(HY_OPENCL_ALIGN,
		                             (length + HY_OPENCL_ALIGN - 1) / HY_OPENCL_ALIGN * HY_OPENCL_ALIGN);
		if (buffer->host == NULL) {
			status = hy_opencl_refuse(device->plugin, HY_NO_MEMORY, "no %llu bytes of host memory",
			                          (unsigned long long)length);
			goto done;
		}
	}
	const uint64_t flags = OCL_MEM_READ_WRITE | (buffer->host != NULL ? (uint64_t)OCL_MEM_USE_HOST_PTR : 0);
	buffer->memory = device->api->clCreateBuffer(device->context, flags, length, buffer->host, &code);
	if (code != OCL_SUCCESS) {
		status = hy_opencl_fail(device->plugin, code, "a buffer of %llu bytes", (unsigned long long)length);
		goto done;
	}
	*out_buffer = buffer;
	return HY_OK;
done:
	give_bytes(device, length);
	if (buffer != NULL) free(buffer->host);
	free(buffer);
	return status;
}

void hy_opencl_buffer_free(hy_device *device, hy_buffer *buffer)
{
	if (buffer == NULL) return;
	device->api->clReleaseMemObject(buffer->memory);
	give_bytes(device, buffer->length);
	free(buffer->host);
	free(buffer);
}

/* ---- host addresses ---- */

static hy_opencl_wrap *find_wrap(hy_device *device, const void *address, uint64_t length)
{
	for (uint32_t i = 0; i < HY_OPENCL_WRAPS; i++) {
		hy_opencl_wrap *wrap = &device->wraps[i];
		if (wrap->memory != NULL && wrap->address == address && wrap->length == length) return wrap;
	}
	return NULL;
}

/* The place of the wrap that was not used for longest. */
static hy_opencl_wrap *oldest_wrap(hy_device *device)
{
	hy_opencl_wrap *oldest = NULL;
	for (uint32_t i = 0; i < HY_OPENCL_WRAPS; i++) {
		hy_opencl_wrap *wrap = &device->wraps[i];
		if (wrap->memory == NULL) return wrap;
		if (wrap->pins == 0 && (oldest == NULL || wrap->used < oldest->used)) oldest = wrap;
	}
	return oldest;
}

/* NULL with a code when the driver refuses, NULL and success when every place is pinned. */
static hy_opencl_wrap *make_wrap(hy_device *device, const void *address, uint64_t length, int32_t *code)
{
	hy_opencl_wrap *wrap = oldest_wrap(device);
	if (wrap == NULL) return NULL;
	cl_mem memory = device->api->clCreateBuffer(device->context, OCL_MEM_READ_WRITE | OCL_MEM_USE_HOST_PTR, length,
	                                            (void *)(uintptr_t)address, code);
	if (*code != OCL_SUCCESS) return NULL;
	/* work that was enqueued on the old one keeps it alive */
	if (wrap->memory != NULL) device->api->clReleaseMemObject(wrap->memory);
	*wrap = (hy_opencl_wrap){.address = address, .length = length, .memory = memory, .serial = ++device->clock};
	return wrap;
}

hy_status hy_opencl_pin(hy_device *device, const hy_ref *ref, hy_opencl_pinned *out_pinned)
{
	*out_pinned = (hy_opencl_pinned){.serial = UINT64_MAX};
	if (ref->buffer != NULL)
		*out_pinned = (hy_opencl_pinned){ref->buffer->memory, ref->offset, ref->buffer->serial};
	if (ref->buffer != NULL || ref->length == 0) return HY_OK;
	if (!hy_opencl_is_host(device))
		return hy_opencl_refuse(device->plugin, HY_INVALID,
		                        "a host address as binding: copy it to a buffer first");
	const void *address = (const void *)(uintptr_t)ref->offset;
	int32_t code = OCL_SUCCESS;
	pthread_mutex_lock(&device->lock);
	hy_opencl_wrap *wrap = find_wrap(device, address, ref->length);
	if (wrap == NULL) wrap = make_wrap(device, address, ref->length, &code);
	if (wrap != NULL) {
		wrap->used = ++device->clock;
		wrap->pins++;
		*out_pinned = (hy_opencl_pinned){wrap->memory, 0, wrap->serial};
	}
	pthread_mutex_unlock(&device->lock);
	if (wrap != NULL) return HY_OK;
	if (code != OCL_SUCCESS)
		return hy_opencl_fail(device->plugin, code, "%llu bytes of host memory as a buffer",
		                      (unsigned long long)ref->length);
	return hy_opencl_refuse(device->plugin, HY_BUSY, "more than %u host addresses in one batch", HY_OPENCL_WRAPS);
}

void hy_opencl_unpin(hy_device *device, const hy_ref *ref)
{
	if (ref->buffer != NULL || ref->length == 0) return;
	pthread_mutex_lock(&device->lock);
	hy_opencl_wrap *wrap = find_wrap(device, (const void *)(uintptr_t)ref->offset, ref->length);
	if (wrap != NULL) wrap->pins--;
	pthread_mutex_unlock(&device->lock);
}

void hy_opencl_wraps_finish(hy_device *device)
{
	for (uint32_t i = 0; i < HY_OPENCL_WRAPS; i++)
		if (device->wraps[i].memory != NULL) device->api->clReleaseMemObject(device->wraps[i].memory);
}
