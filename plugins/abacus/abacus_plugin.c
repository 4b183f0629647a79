/* The abacus as a device, and its memory: the template, with a frame of its own that can be full. */
#include "abacus.h"

#include <stdio.h>
#include <stdlib.h>

hy_status abacus_fail(const hy_host *host, hy_status status, const char *text)
{
	return host->error(host->ctx, status, HY_SCOPE_CALL, 0, text, strlen(text));
}

/* ---- devices ---- */

static void plugin_shutdown(void *ctx)
{
	free(ctx);
}

static hy_status device_count(void *ctx, uint32_t *out_count)
{
	(void)ctx;
	*out_count = 1;
	return HY_OK;
}

static hy_status device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	const plugin *self = ctx;
	if (index != 0) return abacus_fail(self->host, HY_INVALID, "there is one abacus, number 0");
	const hy_device_info info = {
		.kind = HY_KIND_OTHER,
		.heap_count = 1,
		.numa_node = HY_GRAPH_NONE,
		.binding_align = ABACUS_ALIGN,
		.id = "frame-0",
		.name = "Abacus",
		.arch = "soroban",
		.memory_bytes = ABACUS_FRAME_BYTES,
	};
	HY_PUT(out_info, &info);
	return HY_OK;
}

static hy_status device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device)
{
	const plugin *self = ctx;
	if (index != 0) return abacus_fail(self->host, HY_INVALID, "there is one abacus, number 0");
	if (option_count > 0) {
		char text[160];
		snprintf(text, sizeof(text), "unknown option '%.80s': the abacus takes none", options[0].key);
		return abacus_fail(self->host, HY_INVALID, text);
	}
	hy_device *device = calloc(1, sizeof(*device));
	if (device == NULL) return abacus_fail(self->host, HY_NO_MEMORY, "host memory exhausted");
	device->host = self->host;
	pthread_mutex_init(&device->lock, NULL);
	*out_device = device;
	return HY_OK;
}

static void device_close(hy_device *device)
{
	pthread_mutex_destroy(&device->lock);
	free(device);
}

/* ---- memory ---- */

/* Takes length from the frame; false when it is full. */
static bool take(hy_device *device, uint64_t length)
{
	pthread_mutex_lock(&device->lock);
	const bool fits = length <= ABACUS_FRAME_BYTES - device->used;
	if (fits) device->used += length;
	pthread_mutex_unlock(&device->lock);
	return fits;
}

static void give_back(hy_device *device, uint64_t length)
{
	pthread_mutex_lock(&device->lock);
	device->used -= length;
	pthread_mutex_unlock(&device->lock);
}

static hy_status heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (heap != 0) return abacus_fail(device->host, HY_INVALID, "there is one heap, number 0");
	pthread_mutex_lock(&device->lock);
	const hy_heap_info info = {
		.flags = HY_HEAP_DEVICE,
		.align = ABACUS_ALIGN,
		.total_bytes = ABACUS_FRAME_BYTES,
		.free_bytes = ABACUS_FRAME_BYTES - device->used,
		.max_buffer_bytes = ABACUS_FRAME_BYTES,
	};
	pthread_mutex_unlock(&device->lock);
	HY_PUT(out_info, &info);
	return HY_OK;
}

static hy_status buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	if (heap != 0 || length == 0) return abacus_fail(device->host, HY_INVALID, "no such heap, or a length of 0");
	if (!take(device, length)) return abacus_fail(device->host, HY_NO_MEMORY, "the frame is full");
	hy_buffer *buffer = malloc(sizeof(*buffer));
	if (buffer != NULL) buffer->beads = aligned_alloc(ABACUS_ALIGN, (length + 63) / ABACUS_ALIGN * ABACUS_ALIGN);
	if (buffer == NULL || buffer->beads == NULL) {
		free(buffer);
		give_back(device, length);
		return abacus_fail(device->host, HY_NO_MEMORY, "host memory exhausted");
	}
	buffer->length = length;
	*out_buffer = buffer;
	return HY_OK;
}

static void buffer_free(hy_device *device, hy_buffer *buffer)
{
	if (buffer == NULL) return;
	give_back(device, buffer->length);
	free(buffer->beads);
	free(buffer);
}

/* ---- the one exported symbol ---- */

HY_EXPORT hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	plugin *self = malloc(sizeof(*self));
	if (self == NULL) return abacus_fail(host, HY_NO_MEMORY, "host memory exhausted");
	self->host = host;
	const hy_plugin mine = {
		.abi_minor = HY_ABI_MINOR,
		.name = "abacus",
		.version = "0.1.0",
		.flags = HY_PLUGIN_UNLOADABLE,
		.ctx = self,
		.shutdown = plugin_shutdown,
		.device_count = device_count,
		.device_info = device_info,
		.device_open = device_open,
		.device_close = device_close,
		.heap_info = heap_info,
		.buffer_alloc = buffer_alloc,
		.buffer_free = buffer_free,
		.queue_open = abacus_queue_open,
		.queue_close = abacus_queue_close,
		.submit = abacus_submit,
		.query = abacus_query,
		.compile = abacus_compile,
		.exe_info = abacus_exe_info,
		.exe_free = abacus_exe_free,
	};
	HY_PUT(table, &mine);
	return HY_OK;
}
