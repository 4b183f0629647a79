/* Opening and closing devices, and what a failure's scope makes of them. */
#include "device.h"

#include "text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "machine.h"

bool hy_hal_device_is_usable(const hy_hal_device *device)
{
	return !atomic_load_explicit(&device->is_lost, memory_order_relaxed) &&
	       !atomic_load_explicit(&device->plugin->is_lost, memory_order_relaxed);
}

hy_status hy_hal__device_check(hy_hal_device *device, const char *what, hy_error *error)
{
	if (hy_hal_device_is_usable(device)) return HY_OK;
	char text[HY_ERROR_TEXT_BYTES];
	const bool is_device = atomic_load(&device->is_lost);
	pthread_mutex_t *lock = is_device ? &device->lock : &device->plugin->lock;
	pthread_mutex_lock(lock);
	hy_hal__text_copy(text, sizeof(text), is_device ? device->lost_text : device->plugin->lost_text, sizeof(text));
	pthread_mutex_unlock(lock);
	hy_error_set(error, HY_DEVICE_LOST, "%s: %s: the device was lost: %.300s", device->info->id, what, text);
	if (error != NULL) error->scope = is_device ? HY_SCOPE_DEVICE : HY_SCOPE_PROCESS;
	return HY_DEVICE_LOST;
}

void hy_hal__device_failed(hy_hal_device *device, hy_scope scope, const char *text)
{
	if (scope < HY_SCOPE_DEVICE) return;
	pthread_mutex_lock(&device->lock);
	const bool is_first = !atomic_load(&device->is_lost);
	if (is_first) hy_hal__text_copy(device->lost_text, sizeof(device->lost_text), text, sizeof(device->lost_text));
	atomic_store(&device->is_lost, true);
	pthread_mutex_unlock(&device->lock);
	if (scope >= HY_SCOPE_PROCESS) hy_hal__plugin_lose(device->plugin, text);
	if (is_first)
		hy_hal__log_write(device->log, HY_LOG_ERROR, "hal", "%s: lost%s: %s", device->info->id,
		                  scope >= HY_SCOPE_PROCESS ? ", and all devices of its plugin" : "", text);
}

hy_status hy_hal__device_end(hy_hal_device *device, hy_hal__call *call, hy_status status, const char *what,
                             hy_error *error)
{
	status = hy_hal__call_end(call, status, device->info->id, what, error);
	if (status != HY_OK) hy_hal__device_failed(device, call->scope, call->text);
	return status;
}

static void destroy(hy_hal_device *device)
{
	hy_hal__pool_finish(&device->pool);
	if (device->handle != NULL) device->calls->device_close(device->calls, device->handle);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

hy_status hy_hal_device_open(hy_hal_machine *machine, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_hal_device **out_device, hy_error *error)
{
	if (index >= hy_hal_machine_device_count(machine))
		return hy_error_set(error, HY_NOT_FOUND, "device %" PRIu32 " is not there: this machine has %" PRIu32,
		                    index, hy_hal_machine_device_count(machine));
	const hy_hal__machine_device *known = &machine->devices[index];
	hy_hal_device *device = calloc(1, sizeof(*device));
	if (device == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	device->info = &known->info;
	device->plugin = known->plugin->plugin;
	device->calls = known->plugin->calls;
	device->log = &machine->log;
	pthread_mutex_init(&device->lock, NULL);
	hy_hal__pool_init(&device->pool, device);

	hy_status status = hy_hal__device_check(device, "device_open", error);
	if (status == HY_OK) {
		hy_hal__call call;
		hy_hal__call_begin(&call);
		status = device->calls->device_open(device->calls, known->plugin_index, options, option_count,
		                                    &device->handle);
		if (status == HY_OK && device->handle == NULL) status = HY_INTERNAL;
		status = hy_hal__call_end(&call, status, device->info->id, "device_open", error);
		if (status != HY_OK) device->handle = NULL;
		if (status != HY_OK && call.scope == HY_SCOPE_PROCESS) hy_hal__plugin_lose(device->plugin, call.text);
	}
	if (status != HY_OK) {
		destroy(device);
		return status;
	}
	*out_device = device;
	return HY_OK;
}

void hy_hal_device_close(hy_hal_device *device)
{
	if (device == NULL) return;
	const uint32_t children = atomic_load(&device->child_count) + hy_hal__pool_buffer_count(&device->pool);
	if (children > 0)
		hy_hal__log_write(device->log, HY_LOG_ERROR, "hal",
		                  "%s: closed with %u buffers, queues or programs open", device->info->id, children);
	destroy(device);
}

const hy_hal_device_info *hy_hal_device_description(const hy_hal_device *device)
{
	return device->info;
}

hy_status hy_hal_device_heap(hy_hal_device *device, uint32_t heap, hy_heap_info *out_info, hy_error *error)
{
	hy_status status = hy_hal__device_check(device, "heap_info", error);
	if (status != HY_OK) return status;
	hy_heap_info info = {.size = sizeof(info)};
	hy_hal__call call;
	hy_hal__call_begin(&call);
	status = device->calls->heap_info(device->calls, device->handle, heap, &info);
	status = hy_hal__device_end(device, &call, status, "heap_info", error);
	if (status == HY_OK) *out_info = info;
	return status;
}

hy_status hy_hal_device_query(hy_hal_device *device, const hy_graph *graph, uint32_t verdict_count,
                              hy_verdict *out_verdicts, hy_error *error)
{
	hy_status status = hy_hal__device_check(device, "query", error);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < verdict_count; i++)
		out_verdicts[i] = (hy_verdict){HY_NO, HY_REASON_OP};
	hy_hal__call call;
	hy_hal__call_begin(&call);
	status = device->calls->query(device->calls, device->handle, graph, out_verdicts, verdict_count);
	status = hy_hal__device_end(device, &call, status, "query", error);
	for (uint32_t i = 0; i < verdict_count; i++) /* only a YES is a YES, and it needs no reason */
		if (out_verdicts[i].answer != HY_YES)
			out_verdicts[i].answer = HY_NO;
		else
			out_verdicts[i].reason = HY_REASON_NONE;
	return status;
}

const void *hy_hal_device_extension(hy_hal_device *device, const char *name, uint32_t version)
{
	return device->calls->ext(device->calls, name, version);
}

void hy_hal_device_memory(const hy_hal_device *device, hy_hal_memory_stats *out_stats)
{
	hy_hal__pool_stats(&device->pool, out_stats);
}
