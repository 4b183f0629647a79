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

#endif
