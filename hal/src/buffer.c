/* Buffers: pieces of the device's pool, and host memory as one. */
#include "device.h"

hy_status hy_hal_buffer_create(hy_hal_device *device, uint64_t length, hy_hal_buffer **out_buffer, hy_error *error)
{
	const hy_status status = hy_hal__device_check(device, "buffer_alloc", error);
	if (status != HY_OK) return status;
	return hy_hal__pool_take(&device->pool, length, out_buffer, error);
}

void hy_hal_buffer_destroy(hy_hal_buffer *buffer)
{
	if (buffer != NULL) hy_hal__pool_give(&buffer->slab->device->pool, buffer);
}

hy_ref hy_hal_buffer_ref(const hy_hal_buffer *buffer)
{
	return (hy_ref){buffer->slab->handle, buffer->offset, buffer->length};
}

hy_ref hy_hal_host_ref(const void *data, uint64_t length)
{
	return (hy_ref){NULL, (uint64_t)(uintptr_t)data, length};
}
