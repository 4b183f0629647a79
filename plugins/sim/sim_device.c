/* Simulated devices and their memory, which is the host's but counted. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ALIGN 64u

hy_status hy_sim_fail(const hy_sim_plugin *plugin, hy_status status, hy_scope scope, const char *format, ...)
{
	char text[HY_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return plugin->host->error(plugin->host->ctx, status, scope, 0, text, strlen(text));
}

hy_status hy_sim_device_count(void *ctx, uint32_t *out_count)
{
	const hy_sim_plugin *plugin = ctx;
	if (plugin->why.status != HY_OK)
		return hy_sim_fail(plugin, plugin->why.status, HY_SCOPE_CALL, "%s", plugin->why.text);
	*out_count = plugin->has_machine ? plugin->machine.device_count : 0;
	return HY_OK;
}

hy_status hy_sim_device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	const hy_sim_plugin *plugin = ctx;
	if (!plugin->has_machine || index >= plugin->machine.device_count)
		return hy_sim_fail(plugin, HY_INVALID, HY_SCOPE_CALL, "no device %u", index);
	const hy_sim_description *described = &plugin->machine.devices[index];
	hy_device_info info = {
		.kind = described->kind,
		.flags = HY_DEVICE_SIMULATED | (described->has_link ? 0u : HY_DEVICE_HOST_BINDINGS),
		.heap_count = 1,
		.numa_node = HY_GRAPH_NONE,
		.binding_align = ALIGN,
		.memory_bytes = described->memory_bytes,
		.flops_f32 = described->flops,
		.memory_bytes_per_s = described->bandwidth,
	};
	snprintf(info.id, sizeof(info.id), "%s", described->name);
	snprintf(info.name, sizeof(info.name), "Simulated %s", described->name);
	snprintf(info.driver, sizeof(info.driver), "sim");
	HY_PUT(out_info, &info);
	return HY_OK;
}

hy_status hy_sim_device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device)
{
	hy_sim_plugin *plugin = ctx;
	if (!plugin->has_machine || index >= plugin->machine.device_count)
		return hy_sim_fail(plugin, HY_INVALID, HY_SCOPE_CALL, "no device %u", index);
	if (option_count > 0)
		return hy_sim_fail(plugin, HY_INVALID, HY_SCOPE_CALL,
		                   "unknown option '%.80s': simulated devices take none", options[0].key);
	if (plugin->machine.devices[index].faults.open_fails)
		return hy_sim_fail(plugin, HY_DEVICE_LOST, HY_SCOPE_CALL, "does not open, as its description says");
	hy_device *device = calloc(1, sizeof(*device));
	if (device == NULL) return hy_sim_fail(plugin, HY_NO_MEMORY, HY_SCOPE_CALL, "host memory exhausted");
	device->plugin = plugin;
	device->described = &plugin->machine.devices[index];
	device->jobs_end = &device->jobs;
	pthread_mutex_lock(&plugin->lock);
	device->next = plugin->devices;
	plugin->devices = device;
	pthread_mutex_unlock(&plugin->lock);
	*out_device = device;
	return HY_OK;
}

void hy_sim_device_close(hy_device *device)
{
	hy_sim_plugin *plugin = device->plugin;
	pthread_mutex_lock(&plugin->lock);
	hy_device **at = &plugin->devices;
	while (*at != device)
		at = &(*at)->next;
	*at = device->next;
	pthread_mutex_unlock(&plugin->lock);
	free(device);
}

hy_status hy_sim_heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (heap != 0) return hy_sim_fail(device->plugin, HY_INVALID, HY_SCOPE_CALL, "there is one heap, number 0");
	pthread_mutex_lock(&device->plugin->lock);
	const uint64_t total = device->described->memory_bytes;
	const hy_heap_info info = {
		.flags = HY_HEAP_DEVICE,
		.align = ALIGN,
		.total_bytes = total,
		.free_bytes = total - device->used_bytes,
		.max_buffer_bytes = total,
	};
	pthread_mutex_unlock(&device->plugin->lock);
	HY_PUT(out_info, &info);
	return HY_OK;
}

bool hy_sim_device_take(hy_device *device, uint64_t length)
{
	pthread_mutex_lock(&device->plugin->lock);
	const bool fits = length <= device->described->memory_bytes - device->used_bytes;
	if (fits) device->used_bytes += length;
	pthread_mutex_unlock(&device->plugin->lock);
	return fits;
}

void hy_sim_device_give(hy_device *device, uint64_t length)
{
	pthread_mutex_lock(&device->plugin->lock);
	device->used_bytes -= length;
	pthread_mutex_unlock(&device->plugin->lock);
}

static bool alloc_fails(hy_device *device)
{
	const uint64_t after = device->described->faults.alloc_fails_after;
	pthread_mutex_lock(&device->plugin->lock);
	const bool fails = after > 0 && ++device->alloc_count > after;
	pthread_mutex_unlock(&device->plugin->lock);
	return fails;
}

hy_status hy_sim_buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	if (heap != 0 || length == 0)
		return hy_sim_fail(device->plugin, HY_INVALID, HY_SCOPE_CALL, "no such heap, or no length");
	if (alloc_fails(device) || !hy_sim_device_take(device, length))
		return hy_sim_fail(device->plugin, HY_NO_MEMORY, HY_SCOPE_CALL, "%llu bytes do not fit any more",
		                   (unsigned long long)length);
	hy_buffer *buffer = malloc(sizeof(*buffer));
	if (buffer != NULL) buffer->bytes = aligned_alloc(ALIGN, (length + ALIGN - 1) / ALIGN * ALIGN);
	if (buffer == NULL || buffer->bytes == NULL) {
		free(buffer);
		hy_sim_device_give(device, length);
		return hy_sim_fail(device->plugin, HY_NO_MEMORY, HY_SCOPE_CALL, "host memory exhausted");
	}
	buffer->length = length;
	*out_buffer = buffer;
	return HY_OK;
}

void hy_sim_buffer_free(hy_device *device, hy_buffer *buffer)
{
	if (buffer == NULL) return;
	hy_sim_device_give(device, buffer->length);
	free(buffer->bytes);
	free(buffer);
}
