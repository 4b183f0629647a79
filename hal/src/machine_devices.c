/* The devices of a machine: described by their plugins, checked, named, and matched chip by chip. */
#include "machine.h"

#include "host.h"
#include "layer.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_PER_PLUGIN 256u

static bool is_power_of_two(uint32_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* NULL when the plugin's words about a device can be used, after cleaning its texts; else what is wrong with them. */
static const char *check_info(hy_device_info *info)
{
	char text[96];
#define CLEAN(field)                                                                     \
	do {                                                                             \
		hy_hal__text_copy(text, sizeof(text), info->field, sizeof(info->field)); \
		memset(info->field, 0, sizeof(info->field));                             \
		memcpy(info->field, text, strnlen(text, sizeof(info->field) - 1));       \
	} while (0)
	CLEAN(pci_address);
	CLEAN(id);
	CLEAN(name);
	CLEAN(arch);
	CLEAN(driver);
#undef CLEAN
	if (info->size > sizeof(*info) || info->size < offsetof(hy_device_info, memory_bytes))
		return "fills a wrong number of bytes (P1)";
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	if (info->id[0] == '\0' || info->id[strspn(info->id, letters)] != '\0')
		return "has an id that is empty or has other than letters, digits, -._";
	if (info->kind < HY_KIND_CPU || info->kind > HY_KIND_OTHER) return "is of no known kind";
	if (info->binding_align == 0) info->binding_align = 1;
	if (!is_power_of_two(info->binding_align) || info->binding_align > 1u << 20)
		return "has a binding_align that is not a power of two up to 1 MiB";
	return NULL;
}

/* Appends device `index` of plugin; a device that can't be used is logged and left out. */
static void add_device(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, uint32_t index)
{
	hy_hal__machine_device *device = &machine->devices[machine->device_count];
	hy_device_info *info = &device->info.info;
	*info = (hy_device_info){.size = sizeof(*info), .numa_node = HY_GRAPH_NONE};
	hy_hal__call call;
	hy_error error = {0};
	char where[96];
	snprintf(where, sizeof(where), "%s:%" PRIu32, plugin->name, index);
	hy_hal__call_begin(&call);
	hy_status status = plugin->calls->device_info(plugin->calls, index, info);
	status = hy_hal__call_end(&call, status, where, "device_info", &error);
	const char *fault = status != HY_OK ? error.text : check_info(info);
	if (fault != NULL) {
		hy_hal__log_write(&machine->log, HY_LOG_ERROR, "hal", "device %s left out: %s", where, fault);
		return;
	}
	device->plugin = plugin;
	device->plugin_index = index;
	snprintf(device->id, sizeof(device->id), "%s:%" PRIu32, plugin->name, plugin->info.device_count);
	snprintf(device->uri, sizeof(device->uri), "%s://%s", plugin->name, info->id);
	plugin->info.device_count++;
	machine->device_count++;
}

hy_status hy_hal__machine_list(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, hy_error *error)
{
	if (plugin->info.state != HY_HAL_PLUGIN_LOADED) return HY_OK;
	uint32_t count = 0;
	hy_error reason = {0};
	hy_hal__call call;
	hy_hal__call_begin(&call);
	hy_status status = plugin->calls->device_count(plugin->calls, &count);
	status = hy_hal__call_end(&call, status, plugin->name, "device_count", &reason);
	if (status != HY_OK) {
		hy_hal__machine_refuse(machine, plugin, status, strdup(reason.text));
		return HY_OK;
	}
	if (count > DEVICES_PER_PLUGIN) {
		hy_hal__log_write(&machine->log, HY_LOG_ERROR, "hal",
		                  "plugin %s: %" PRIu32 " devices: only %u are used", plugin->name, count,
		                  DEVICES_PER_PLUGIN);
		count = DEVICES_PER_PLUGIN;
	}
	hy_hal__machine_device *devices = realloc(machine->devices,
	                                          (machine->device_count + count + 1) * sizeof(*devices));
	if (devices == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	machine->devices = devices;
	uint32_t flags = 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t before = machine->device_count;
		add_device(machine, plugin, i);
		if (machine->device_count > before) flags |= machine->devices[before].info.info.flags;
	}
	if ((flags & HY_DEVICE_ONE_THREAD) != 0 && !hy_hal__layers_add_thread(&plugin->calls))
		return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	return HY_OK;
}

static bool is_same_chip(const hy_device_info *a, const hy_device_info *b)
{
	static const uint8_t unknown[16];
	if (memcmp(a->uuid, unknown, 16) != 0 && memcmp(b->uuid, unknown, 16) != 0)
		return memcmp(a->uuid, b->uuid, 16) == 0;
	return a->pci_address[0] != '\0' && strcmp(a->pci_address, b->pci_address) == 0;
}

void hy_hal__machine_name(hy_hal_machine *machine)
{
	for (uint32_t i = 0; i < machine->device_count; i++) {
		hy_hal__machine_device *device = &machine->devices[i];
		device->info.id = device->id;
		device->info.uri = device->uri;
		device->info.plugin = device->plugin->name;
		device->info.same_as = NULL;
		for (uint32_t k = 0; k < i && device->info.same_as == NULL; k++)
			if (is_same_chip(&machine->devices[k].info.info, &device->info.info))
				device->info.same_as = machine->devices[k].id;
	}
}
