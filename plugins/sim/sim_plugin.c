/* Simulated devices: machines that are described instead of bought. What is true of them: the shape of the work, the
 * times that follow from it, and, where asked for, the numbers. */
#include "sim.h"
#include "sim_queue.h"

#include <stdlib.h>

#define VARIABLE "HALYARD_SIM"

static void plugin_shutdown(void *ctx)
{
	hy_sim_plugin *plugin = ctx;
	pthread_mutex_destroy(&plugin->lock);
	free(plugin);
}

static const void *plugin_ext(void *ctx, const char *name, uint32_t version)
{
	const hy_sim_plugin *plugin = ctx;
	if (version != 1) return NULL;
	if (strcmp(name, HY_EXT_STEPS) == 0) return &hy_sim_steps;
	if (strcmp(name, HY_EXT_SIM_CLOCK) == 0) return &plugin->clock;
	return NULL;
}

hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table);
hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	hy_sim_plugin *plugin = calloc(1, sizeof(*plugin));
	if (plugin == NULL) return HY_NO_MEMORY;
	plugin->host = host;
	pthread_mutex_init(&plugin->lock, NULL);
	hy_sim_clock_init(plugin);
	const char *path = secure_getenv(VARIABLE);
	if (path != NULL && path[0] != '\0') {
		hy_error why = {0};
		plugin->has_machine = hy_sim_yaml_load(path, &plugin->machine, &why) == HY_OK;
		plugin->why = why;
	}
	plugin->is_auto = !plugin->machine.manual_clock;
	const hy_plugin filled = {
		.abi_minor = HY_ABI_MINOR,
		.name = "sim",
		.version = "1",
		.flags = HY_PLUGIN_UNLOADABLE,
		.ctx = plugin,
		.shutdown = plugin_shutdown,
		.device_count = hy_sim_device_count,
		.device_info = hy_sim_device_info,
		.device_open = hy_sim_device_open,
		.device_close = hy_sim_device_close,
		.heap_info = hy_sim_heap_info,
		.buffer_alloc = hy_sim_buffer_alloc,
		.buffer_free = hy_sim_buffer_free,
		.queue_open = hy_sim_queue_open,
		.queue_close = hy_sim_queue_close,
		.submit = hy_sim_submit,
		.query = hy_sim_query,
		.compile = hy_sim_compile,
		.exe_info = hy_sim_exe_info,
		.exe_free = hy_sim_exe_free,
		.ext = plugin_ext,
	};
	HY_PUT(table, &filled);
	return HY_OK;
}
