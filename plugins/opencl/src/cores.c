/* The option "cores": a sub-device of as many workers as cores are named, each worker pinned to one of them.
 *
 * PoCL makes its worker threads once per process, before anyone can say where they belong. But a native kernel runs a
 * function of ours on a worker, and a sub-device of one unit has one worker: so each worker pins itself. Which workers
 * are taken is kept per device of the platform; an open takes a run of free ones and gives it back when it closes. */
#include "opencl.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define CORES 256u

/* What a worker is told, and what it answers. */
typedef struct pin {
	cpu_set_t wanted, before;
	int failure; /* errno */
} pin;

static void CL_CALLBACK pin_self(void *argument)
{
	pin *at;
	memcpy(&at, argument, sizeof(at));
	sched_getaffinity(0, sizeof(at->before), &at->before);
	at->failure = sched_setaffinity(0, sizeof(at->wanted), &at->wanted) == 0 ? 0 : errno;
}

/* "0-1,3" as a list of distinct cores; the count, or 0 when the text is none. */
static uint32_t parse_cores(const char *text, uint32_t cores[CORES])
{
	uint32_t count = 0;
	for (const char *at = text;; at++) {
		char *end;
		if (*at < '0' || *at > '9') return 0;
		const unsigned long first = strtoul(at, &end, 10);
		unsigned long last = first;
		if (*end == '-') {
			at = end + 1;
			if (*at < '0' || *at > '9') return 0;
			last = strtoul(at, &end, 10);
		}
		if (last < first || last >= CPU_SETSIZE) return 0;
		for (unsigned long core = first; core <= last; core++) {
			for (uint32_t i = 0; i < count; i++)
				if (cores[i] == core) return 0;
			if (count == CORES) return 0;
			cores[count++] = (uint32_t)core;
		}
		at = end;
		if (*at == '\0') return count;
		if (*at != ',') return 0;
	}
}

/* How many cores that this process may use come before this one: the worker that it prefers. */
static uint32_t rank_of(uint32_t core)
{
	cpu_set_t allowed;
	uint32_t rank = 0;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 0;
	for (uint32_t i = 0; i < core; i++)
		rank += CPU_ISSET(i, &allowed) != 0;
	return rank;
}

static bool is_free(const hy_opencl_found *found, uint32_t first, uint32_t count)
{
	if (first + count > found->units) return false;
	for (uint32_t i = 0; i < count; i++)
		if (found->taken[first + i]) return false;
	return true;
}

/* Takes a run of workers; false when none is free. */
static bool take_workers(hy_device *device, uint32_t preferred, uint32_t count)
{
	hy_opencl_found *found = device->found;
	bool is_taken = false;
	pthread_mutex_lock(&device->plugin->lock);
	uint32_t first = preferred;
	for (uint32_t tries = 0; tries <= found->units; tries++, first = tries - 1) {
		if (!is_free(found, first, count)) continue;
		memset(found->taken + first, 1, count);
		device->first_worker = first;
		device->worker_count = count;
		is_taken = true;
		break;
	}
	pthread_mutex_unlock(&device->plugin->lock);
	return is_taken;
}

static int32_t create_sub(const hy_device *device, uint32_t first, uint32_t count, cl_device_id *out_id)
{
	const uint32_t rest = device->found->units - first - count;
	intptr_t counts[6] = {OCL_DEVICE_PARTITION_BY_COUNTS};
	uint32_t at = 1, parts = 0;
	if (first > 0) counts[at++] = first;
	counts[at++] = count;
	if (rest > 0) counts[at++] = rest;
	counts[at] = OCL_DEVICE_PARTITION_BY_COUNTS_LIST_END;
	cl_device_id ids[3] = {NULL};
	const int32_t code = device->api->clCreateSubDevices(device->found->id, counts, at - 1, ids, &parts);
	if (code != OCL_SUCCESS) return code;
	const uint32_t mine = first > 0;
	for (uint32_t i = 0; i < at - 1; i++)
		if (i != mine) device->api->clReleaseDevice(ids[i]);
	*out_id = ids[mine];
	return OCL_SUCCESS;
}

/* The sub-device of `count` workers from `first` on. Each is made once and never released: PoCL's worker looks at the
 * device of a command after it reported the command's end, and a queue does not keep a sub-device alive. */
static int32_t sub_device(const hy_device *device, uint32_t first, uint32_t count, cl_device_id *out_id)
{
	hy_opencl_found *found = device->found;
	int32_t code = OCL_SUCCESS;
	pthread_mutex_lock(&device->plugin->lock);
	hy_opencl_sub *sub = found->subs;
	while (sub != NULL && (sub->first != first || sub->count != count))
		sub = sub->next;
	if (sub == NULL) {
		sub = calloc(1, sizeof(*sub));
		code = sub == NULL ? OCL_OUT_OF_HOST_MEMORY : create_sub(device, first, count, &sub->id);
		if (code == OCL_SUCCESS) {
			sub->first = first;
			sub->count = count;
			sub->next = found->subs;
			found->subs = sub;
		} else {
			free(sub);
		}
	}
	if (code == OCL_SUCCESS) *out_id = sub->id;
	pthread_mutex_unlock(&device->plugin->lock);
	return code;
}

/* Lets the only worker of a device set its own affinity. */
static int32_t pin_worker(const hy_opencl_api *api, cl_device_id id, pin *at)
{
	int32_t code = OCL_SUCCESS;
	cl_context context = api->clCreateContext(NULL, 1, &id, NULL, NULL, &code);
	if (code != OCL_SUCCESS) return code;
	cl_command_queue queue = api->clCreateCommandQueue(context, id, 0, &code);
	if (code == OCL_SUCCESS) {
		code = api->clEnqueueNativeKernel(queue, pin_self, &at, sizeof(at), 0, NULL, NULL, 0, NULL, NULL);
		const int32_t finished = api->clFinish(queue);
		if (code == OCL_SUCCESS) code = finished;
		api->clReleaseCommandQueue(queue);
	}
	api->clReleaseContext(context);
	return code;
}

static int32_t pin_one(const hy_device *device, uint32_t worker, pin *at)
{
	if (device->found->units == 1) return pin_worker(device->api, device->found->id, at);
	cl_device_id id = NULL;
	const int32_t code = sub_device(device, worker, 1, &id);
	if (code != OCL_SUCCESS) return code;
	return pin_worker(device->api, id, at);
}

static hy_status pin_all(hy_device *device, const uint32_t *cores)
{
	for (uint32_t i = 0; i < device->worker_count; i++) {
		pin at = {.failure = EINVAL};
		CPU_ZERO(&at.wanted);
		CPU_SET(cores[i], &at.wanted);
		const int32_t code = pin_one(device, device->first_worker + i, &at);
		if (code != OCL_SUCCESS)
			return hy_opencl_fail(device->plugin, code, "worker %u of %s can't be asked to run on core %u",
			                      device->first_worker + i, device->found->name, cores[i]);
		if (at.failure != 0)
			return hy_opencl_refuse(device->plugin, HY_INVALID, "core %u: %s", cores[i],
			                        strerror(at.failure));
		device->before[i] = at.before;
		device->pinned_count++;
	}
	return HY_OK;
}

hy_status hy_opencl_cores_take(hy_device *device, const char *text)
{
	hy_opencl_plugin *plugin = device->plugin;
	uint32_t cores[CORES];
	const uint32_t count = parse_cores(text, cores);
	if (count == 0) return hy_opencl_refuse(plugin, HY_INVALID, "cores=%s: it must read like 0-1,3", text);
	if (!hy_opencl_is_host(device) || !device->found->has_native)
		return hy_opencl_refuse(plugin, HY_UNSUPPORTED,
		                        "cores=%s: %s does not run on cores that can be chosen (no native kernels)",
		                        text, device->found->name);
	if (count > device->found->units)
		return hy_opencl_refuse(plugin, HY_INVALID, "cores=%s: %s has %u workers", text, device->found->name,
		                        device->found->units);
	if (!take_workers(device, rank_of(cores[0]), count))
		return hy_opencl_refuse(
			plugin, HY_BUSY,
			"cores=%s: no %u neighbouring workers of %s's %u are free: close another device", text, count,
			device->found->name, device->found->units);
	device->before = calloc(count, sizeof(*device->before));
	if (device->before == NULL) return hy_opencl_refuse(plugin, HY_NO_MEMORY, "out of memory");
	const hy_status status = pin_all(device, cores);
	if (status != HY_OK || count == device->found->units) return status;
	const int32_t code = sub_device(device, device->first_worker, count, &device->id);
	if (code != OCL_SUCCESS)
		return hy_opencl_fail(plugin, code, "cores=%s: %s gives no part of itself", text, device->found->name);
	return HY_OK;
}

void hy_opencl_cores_give(hy_device *device)
{
	for (uint32_t i = 0; i < device->pinned_count; i++) {
		pin at = {.wanted = device->before[i]};
		(void)pin_one(device, device->first_worker + i, &at); /* a worker that stays pinned still works */
	}
	pthread_mutex_lock(&device->plugin->lock);
	if (device->worker_count > 0) memset(device->found->taken + device->first_worker, 0, device->worker_count);
	pthread_mutex_unlock(&device->plugin->lock);
	free(device->before);
}
