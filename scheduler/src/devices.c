/* Step 0: the devices of a plan: selected, with cores of their own, and opened. */
#include "devices.h"

#include "cores.h"
#include "notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hy_sched__device_binds_host(const hy_sched__device *device)
{
	return (device->description->info.flags & HY_DEVICE_HOST_BINDINGS) != 0;
}

static const char *option_of(const hy_sched__device *device, const char *key)
{
	for (uint32_t i = 0; i < device->option_count; i++)
		if (strcmp(device->options[i].key, key) == 0) return device->options[i].value;
	return NULL;
}

static bool wants_cores(const hy_sched__device *device)
{
	return (device->description->info.flags & HY_DEVICE_HOST_CORES) != 0 && option_of(device, "cores") == NULL;
}

static hy_status option_add(hy_sched__device *device, const char *key, const char *value, hy_error *error)
{
	hy_option *options = realloc(device->options, (device->option_count + 1) * sizeof(*options));
	if (options != NULL) device->options = options;
	char *own_key = strdup(key), *own_value = strdup(value);
	if (options == NULL || own_key == NULL || own_value == NULL) {
		free(own_key);
		free(own_value);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for the devices");
	}
	const hy_option option = {own_key, own_value};
	device->options[device->option_count++] = option;
	return HY_OK;
}

/* Writes id and options in query form; with `counted`, cores as their number: devices on other cores of the same kind
 * cost the same. */
static char *text_of(const hy_sched__device *device, const char *start, bool counted)
{
	size_t length = strlen(start) + 1;
	for (uint32_t i = 0; i < device->option_count; i++)
		length += strlen(device->options[i].key) + strlen(device->options[i].value) + 16;
	char *text = malloc(length);
	if (text == NULL) return NULL;
	size_t at = (size_t)snprintf(text, length, "%s", start);
	for (uint32_t i = 0; i < device->option_count; i++) {
		const hy_option *option = &device->options[i];
		const char mark = i == 0 ? '?' : '&';
		if (counted && strcmp(option->key, "cores") == 0)
			at += (size_t)snprintf(text + at, length - at, "%ccores*%u", mark,
			                       hy_sched__cores_parse(option->value, 0, NULL));
		else
			at += (size_t)snprintf(text + at, length - at, "%c%s=%s", mark, option->key, option->value);
	}
	return text;
}

/* Cores that no device asked for by name; at most as many as the cgroup gives time for. */
static uint32_t free_cores(const hy_sched_plan *plan, uint32_t *cores)
{
	const hy_hal_topology_info *topology = hy_hal_machine_topology(plan->machine);
	uint32_t count = 0, named = 0;
	for (uint32_t i = 0; i < topology->allowed_count; i++) {
		bool taken = false;
		for (uint32_t d = 0; d < plan->device_count && !taken; d++) {
			const char *list = option_of(&plan->devices[d], "cores");
			const uint32_t listed = list != NULL ? hy_sched__cores_parse(list, 0, NULL) : 0;
			uint32_t *mine = listed > 0 ? malloc(listed * sizeof(*mine)) : NULL;
			if (mine == NULL) continue;
			hy_sched__cores_parse(list, listed, mine);
			for (uint32_t c = 0; c < listed; c++)
				taken |= mine[c] == topology->allowed[i];
			free(mine);
		}
		if (taken)
			named++;
		else
			cores[count++] = topology->allowed[i];
	}
	if (topology->cpu_quota > 0 && topology->cpu_quota < named + count) {
		const uint32_t whole = topology->cpu_quota > named ? (uint32_t)(topology->cpu_quota - named) : 0;
		count = whole > 0 ? whole : (count > 0 ? 1 : 0);
	}
	return count;
}

/* Takes back the cores that sharing gave, so that it can begin again. */
static void unshare_cores(hy_sched__device *device)
{
	if (!device->shares_cores) return;
	const hy_option *last = &device->options[--device->option_count];
	free((char *)last->key);
	free((char *)last->value);
	device->shares_cores = false;
}

static hy_status share_cores(hy_sched_plan *plan, hy_error *error)
{
	const hy_hal_topology_info *topology = hy_hal_machine_topology(plan->machine);
	uint32_t shares = 0;
	for (uint32_t d = 0; d < plan->device_count; d++)
		shares += wants_cores(&plan->devices[d]) ? 1 : 0;
	if (shares == 0 || topology->allowed_count == 0) return HY_OK;
	uint32_t *cores = malloc(topology->allowed_count * sizeof(*cores));
	if (cores == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for the devices");
	hy_status status = HY_OK;
	uint32_t free_count = free_cores(plan, cores);
	const bool none_left = free_count == 0;
	if (none_left) {
		memcpy(cores, topology->allowed, topology->allowed_count * sizeof(*cores));
		free_count = topology->allowed_count;
	}
	/* A single device that may have everything finds its cores itself. */
	if (shares == 1 && free_count == topology->allowed_count) goto done;
	for (uint32_t d = 0, share = 0; d < plan->device_count && status == HY_OK; d++) {
		hy_sched__device *device = &plan->devices[d];
		if (!wants_cores(device)) continue;
		uint32_t count;
		const uint32_t first = hy_sched__cores_share(free_count, shares, share++, &count);
		char *list = hy_sched__cores_print(count, cores + first);
		status = list != NULL ? option_add(device, "cores", list, error)
		                      : hy_error_set(error, HY_NO_MEMORY, "no memory for the devices");
		device->shares_cores = status == HY_OK;
		device->crowded = none_left || free_count < shares;
		free(list);
	}
done:
	free(cores);
	return status;
}

/* Shares the cores and writes ids and keys. */
static hy_status name_devices(hy_sched_plan *plan, hy_error *error)
{
	hy_status status = share_cores(plan, error);
	for (uint32_t d = 0; status == HY_OK && d < plan->device_count; d++) {
		hy_sched__device *device = &plan->devices[d];
		free(device->id);
		free(device->options_key);
		device->id = text_of(device, device->description->id, false);
		device->options_key = text_of(device, "", true);
		if (device->id == NULL || device->options_key == NULL)
			status = hy_error_set(error, HY_NO_MEMORY, "no memory for the devices");
	}
	return status;
}

static void device_finish(hy_sched__device *device)
{
	hy_hal_device_close(device->hal);
	for (uint32_t i = 0; i < device->option_count; i++) {
		free((char *)device->options[i].key);
		free((char *)device->options[i].value);
	}
	free(device->options);
	free(device->id);
	free(device->options_key);
	free(device->verdicts);
	free(device->node_ns);
	free(device->single.segments);
	free(device->single.parts);
}

hy_status hy_sched__devices_select(hy_sched_plan *plan, const char *selector, hy_error *error)
{
	hy_hal_selection selection = {0};
	hy_status status = hy_hal_machine_select(plan->machine, selector, &selection, error);
	if (status != HY_OK) return status;
	if (selection.count > HY_SCHED__MOST_DEVICES) {
		status = hy_error_set(error, HY_INVALID, "%u devices selected: a plan has at most %u", selection.count,
		                      HY_SCHED__MOST_DEVICES);
		goto done;
	}
	if (selection.count == 0) {
		status = hy_error_set(error, HY_NOT_FOUND,
		                      "no usable device on this machine: see `halyard doctor` for the reasons");
		goto done;
	}
	plan->devices = calloc(selection.count, sizeof(*plan->devices));
	if (plan->devices == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for the devices");
		goto done;
	}
	plan->device_count = selection.count;
	for (uint32_t d = 0; d < selection.count; d++) {
		hy_sched__device *device = &plan->devices[d];
		device->machine_index = selection.items[d].device;
		device->description = hy_hal_machine_device(plan->machine, device->machine_index);
		device->capacity_bytes = device->description->info.memory_bytes;
		for (uint32_t i = 0; i < selection.items[d].option_count; i++) {
			const hy_option *option = &selection.items[d].options[i];
			status = option_add(device, option->key, option->value, error);
			if (status != HY_OK) goto done;
		}
	}
	status = name_devices(plan, error);
done:
	hy_hal_selection_finish(&selection);
	return status;
}

hy_status hy_sched__devices_drop(hy_sched_plan *plan, uint32_t index, hy_error *error)
{
	for (uint32_t d = 0; d < plan->device_count; d++) {
		hy_hal_device_close(plan->devices[d].hal);
		plan->devices[d].hal = NULL;
		unshare_cores(&plan->devices[d]);
	}
	device_finish(&plan->devices[index]);
	plan->device_count--;
	memmove(&plan->devices[index], &plan->devices[index + 1],
	        (plan->device_count - index) * sizeof(*plan->devices));
	return name_devices(plan, error);
}

hy_status hy_sched__devices_note(hy_sched_plan *plan, hy_error *error)
{
	hy_status status = HY_OK;
	for (uint32_t d = 0; d < plan->device_count && status == HY_OK; d++) {
		const hy_sched__device *device = &plan->devices[d];
		if (!device->shares_cores) continue;
		status = hy_sched__note(plan, HY_IR_NONE, device->id, HY_REASON_NONE, error,
		                        device->crowded
		                                ? "shares core %s with another device: there are fewer cores than "
		                                  "devices that compute on them"
		                                : "computes on cores %s: the host's are divided among devices",
		                        option_of(device, "cores"));
	}
	return status;
}

hy_status hy_sched__devices_open(hy_sched_plan *plan, uint32_t index, hy_error *error)
{
	hy_sched__device *device = &plan->devices[index];
	if (device->hal != NULL) return HY_OK;
	hy_status status = hy_hal_device_open(plan->machine, device->machine_index, device->options,
	                                      device->option_count, &device->hal, error);
	if (status != HY_OK) return status;
	hy_heap_info heap = {.size = sizeof(heap)};
	status = hy_hal_device_heap(device->hal, 0, &heap, error);
	if (status == HY_OK && heap.free_bytes > 0) device->capacity_bytes = heap.free_bytes;
	return status;
}

void hy_sched__devices_finish(hy_sched_plan *plan)
{
	for (uint32_t d = 0; d < plan->device_count; d++)
		device_finish(&plan->devices[d]);
	free(plan->devices);
}
