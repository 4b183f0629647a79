/* Machines: opened, closed, and asked what they have. */
#include "machine.h"

#include "layer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

hy_status hy_hal_machine_open(const hy_hal_machine_options *options, hy_hal_machine **out_machine, hy_error *error)
{
	hy_hal_machine_options own = {.size = sizeof(own), .log_level = HY_LOG_INFO};
	if (options != NULL) memcpy(&own, options, options->size < sizeof(own) ? options->size : sizeof(own));
	hy_hal_machine *machine = calloc(1, sizeof(*machine));
	if (machine == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	machine->log = (hy_hal__log){own.log, own.log_payload, own.log_level};
	hy_hal__topology_init(&machine->topology, &machine->log);
	hy_status status = hy_hal__layers_parse(own.layers, &machine->layers, error);
	if (status == HY_OK) status = hy_hal__machine_find(machine, &own, error);
	if (status == HY_OK) status = hy_hal__machine_probe(machine, &own, error);
	for (uint32_t i = 0; i < machine->plugin_count && status == HY_OK; i++) {
		hy_hal__machine_load(machine, &machine->plugins[i]);
		status = hy_hal__machine_list(machine, &machine->plugins[i], error);
		const hy_hal_plugin_info *info = &machine->plugins[i].info;
		if (info->state == HY_HAL_PLUGIN_LOADED)
			hy_hal__log_write(&machine->log, HY_LOG_DEBUG, "hal",
			                  "plugin %s %s: %" PRIu32 " devices, probed in %" PRIu64 " us, from %s",
			                  info->name, info->version, info->device_count, info->probe_ns / 1000,
			                  info->library);
	}
	if (status != HY_OK) {
		hy_hal_machine_close(machine);
		return status;
	}
	hy_hal__machine_name(machine);
	*out_machine = machine;
	return HY_OK;
}

void hy_hal_machine_close(hy_hal_machine *machine)
{
	if (machine == NULL) return;
	for (uint32_t i = 0; i < machine->plugin_count; i++) {
		hy_hal__machine_plugin *plugin = &machine->plugins[i];
		hy_hal__calls_destroy(plugin->calls);
		hy_hal__plugin_unload(plugin->plugin, &plugin->user);
		hy_hal__manifest_finish(&plugin->manifest);
		free(plugin->name);
		free(plugin->path);
		free(plugin->reason);
	}
	hy_hal__topology_finish(&machine->topology);
	free(machine->plugins);
	free(machine->devices);
	free(machine);
}

uint32_t hy_hal_machine_plugin_count(const hy_hal_machine *machine)
{
	return machine->plugin_count;
}

const hy_hal_plugin_info *hy_hal_machine_plugin(const hy_hal_machine *machine, uint32_t index)
{
	return index < machine->plugin_count ? &machine->plugins[index].info : NULL;
}

uint32_t hy_hal_machine_device_count(const hy_hal_machine *machine)
{
	return machine->device_count;
}

const hy_hal_device_info *hy_hal_machine_device(const hy_hal_machine *machine, uint32_t index)
{
	return index < machine->device_count ? &machine->devices[index].info : NULL;
}
