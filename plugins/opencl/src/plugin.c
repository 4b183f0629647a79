/* The entry of the plugin. */
#include "opencl.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void free_found(hy_opencl_found *found)
{
	while (found->subs != NULL) {
		hy_opencl_sub *sub = found->subs;
		found->subs = sub->next;
		free(sub);
	}
	free(found->taken);
}

static void shut_down(void *ctx)
{
	hy_opencl_plugin *plugin = ctx;
	if (plugin->api.library != NULL) dlclose(plugin->api.library);
	pthread_mutex_destroy(&plugin->guard.lock);
	pthread_mutex_destroy(&plugin->lock);
	for (uint32_t i = 0; i < plugin->count; i++)
		free_found(&plugin->found[i]);
	free(plugin->found);
	free(plugin);
}

static const void *extension(void *ctx, const char *name, uint32_t version)
{
	(void)ctx;
	return strcmp(name, HY_EXT_STEPS) == 0 && version == 1 ? &hy_opencl_steps : NULL;
}

hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table);

hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	static const char no_memory[] = "out of memory";
	hy_opencl_plugin *plugin = calloc(1, sizeof(*plugin));
	if (plugin == NULL)
		return host->error(host->ctx, HY_NO_MEMORY, HY_SCOPE_CALL, 0, no_memory, sizeof(no_memory) - 1);
	plugin->host = host;
	pthread_mutex_init(&plugin->lock, NULL);
	pthread_mutex_init(&plugin->guard.lock, NULL);
	const hy_plugin filled = {
		.abi_minor = HY_ABI_MINOR,
		.name = "opencl",
		.version = "0.1.0",
		.flags = HY_PLUGIN_UNLOADABLE,
		.ctx = plugin,
		.shutdown = shut_down,
		.device_count = hy_opencl_device_count,
		.device_info = hy_opencl_device_info,
		.device_open = hy_opencl_device_open,
		.device_close = hy_opencl_device_close,
		.heap_info = hy_opencl_heap_info,
		.buffer_alloc = hy_opencl_buffer_alloc,
		.buffer_free = hy_opencl_buffer_free,
		.queue_open = hy_opencl_queue_open,
		.queue_close = hy_opencl_queue_close,
		.submit = hy_opencl_submit,
		.query = hy_opencl_query,
		.compile = hy_opencl_compile,
		.exe_info = hy_opencl_exe_info,
		.exe_free = hy_opencl_exe_free,
		.ext = extension,
	};
	HY_PUT(table, &filled);
	return HY_OK;
}
