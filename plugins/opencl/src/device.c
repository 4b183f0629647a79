/* Opening and closing a device, and its options. */
#include "opencl.h"

#include <stdlib.h>
#include <string.h>

bool hy_opencl_is_host(const hy_device *device)
{
	return (device->found->type & OCL_DEVICE_TYPE_CPU) != 0;
}

static hy_status read_options(hy_device *device, const hy_option *options, uint32_t count, const char **out_cores)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *key = options[i].key, *value = options[i].value;
		if (strcmp(key, "cores") == 0) {
			*out_cores = value;
		} else if (strcmp(key, "shape") == 0 && strcmp(value, "cpu") == 0) {
			device->kernels.shape = HY_KERNELS_CPU;
		} else if (strcmp(key, "shape") == 0 && strcmp(value, "gpu") == 0) {
			device->kernels.shape = HY_KERNELS_GPU;
		} else if (strcmp(key, "cache") == 0 && (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)) {
			device->cache = strcmp(value, "on") == 0;
		} else {
			return hy_opencl_refuse(
				device->plugin, HY_INVALID,
				"option %s=%s: the options are cores=LIST, shape=cpu|gpu and cache=on|off", key, value);
		}
	}
	return HY_OK;
}

static void set_defaults(hy_device *device)
{
	const hy_opencl_found *found = device->found;
	const bool is_host = hy_opencl_is_host(device);
	const uint32_t wanted = is_host ? 64 : 128;
	device->kernels.shape = is_host ? HY_KERNELS_CPU : HY_KERNELS_GPU;
	device->kernels.flags = found->has_fp64 ? HY_KERNELS_FP64 : 0;
	device->kernels.local_size = found->max_group < wanted ? found->max_group : wanted;
	/* PoCL keeps its own cache, and making a binary costs it a second compilation of each kernel */
	device->cache = strcmp(found->platform_name, "Portable Computing Language") != 0;
}

static hy_status open_context(hy_device *device)
{
	int32_t code = OCL_SUCCESS;
	device->context = device->api->clCreateContext(NULL, 1, &device->id, NULL, NULL, &code);
	if (code != OCL_SUCCESS) return hy_opencl_fail(device->plugin, code, "%s: no context", device->found->name);
	return HY_OK;
}

hy_status hy_opencl_device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                                hy_device **out_device)
{
	hy_opencl_plugin *plugin = ctx;
	hy_status status = hy_opencl_search(plugin);
	if (status != HY_OK) return status;
	if (index >= plugin->count)
		return hy_opencl_refuse(plugin, HY_NOT_FOUND, "no device %u: there are %u", index, plugin->count);
	hy_device *device = calloc(1, sizeof(*device));
	if (device == NULL) return hy_opencl_refuse(plugin, HY_NO_MEMORY, "out of memory");
	device->plugin = plugin;
	device->api = &plugin->api;
	device->found = &plugin->found[index];
	device->id = device->found->id;
	pthread_mutex_init(&device->lock, NULL);
	set_defaults(device);
	const char *cores = NULL;
	status = read_options(device, options, option_count, &cores);
	if (status == HY_OK && cores != NULL) status = hy_opencl_cores_take(device, cores);
	if (status == HY_OK) status = open_context(device);
	if (status != HY_OK) {
		hy_opencl_device_close(device);
		return status;
	}
	*out_device = device;
	return HY_OK;
}

void hy_opencl_device_close(hy_device *device)
{
	if (device == NULL) return;
	hy_opencl_wraps_finish(device);
	if (device->context != NULL) device->api->clReleaseContext(device->context);
	hy_opencl_cores_give(device);
	pthread_mutex_destroy(&device->lock);
	free(device);
}
