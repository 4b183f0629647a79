/* The plugins and devices of a machine. */
#ifndef HY_HAL_MACHINE_H
#define HY_HAL_MACHINE_H

#include "manifest.h"
#include "plugin.h"
#include "topology.h"

typedef struct hy_hal__machine_plugin {
	hy_hal_plugin_info info; /* its strings point into this struct's own */
	char *name, *path, *reason;
	hy_hal__manifest manifest;
	hy_hal__plugin *plugin; /* NULL unless loaded */
	hy_hal__plugin_user user;
	hy_hal__calls *calls; /* the layers of this machine over the plugin */
} hy_hal__machine_plugin;

typedef struct hy_hal__machine_device {
	hy_hal_device_info info; /* its strings point into this struct, or to another device's id */
	char id[80], uri[136];
	hy_hal__machine_plugin *plugin;
	uint32_t plugin_index;
} hy_hal__machine_device;

struct hy_hal_machine {
	hy_hal__log log;
	uint32_t layers; /* HY_HAL__LAYER_* */
	uint32_t plugin_count;
	hy_hal__machine_plugin *plugins; /* preferred first */
	uint32_t device_count;
	hy_hal__machine_device *devices; /* in the order of their plugins */
	hy_hal__topology topology;
};

/* Fills machine->plugins from the manifests, preferred first; a manifest with faults is a refused plugin. */
hy_status hy_hal__machine_find(hy_hal_machine *machine, const hy_hal_machine_options *options, hy_error *error);

/* Probes every plugin that is still wanted and not in this process already, and refuses those that fail. */
hy_status hy_hal__machine_probe(hy_hal_machine *machine, const hy_hal_machine_options *options, hy_error *error);

/* Loads a plugin that is still wanted, or refuses it. */
void hy_hal__machine_load(hy_hal_machine *machine, hy_hal__machine_plugin *plugin);

/* Appends the devices of a loaded plugin; one that can't be used is logged and left out. */
hy_status hy_hal__machine_list(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, hy_error *error);

/* When all devices are there and stay where they are: points their texts at them, and finds chips that are there twice. */
void hy_hal__machine_name(hy_hal_machine *machine);

/* Marks and logs a plugin as refused. take_reason is a malloc'd line, or NULL when memory was short. */
void hy_hal__machine_refuse(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, hy_status status,
                            char *take_reason);

#endif
