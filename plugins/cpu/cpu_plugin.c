/* The plugin's entry: one device, the cores this process may run on. */
#include "cpu.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t hash(const char *text, uint64_t seed)
{
	uint64_t value = 0xcbf29ce484222325u ^ seed; /* FNV-1a */
	for (; *text != '\0'; text++)
		value = (value ^ (unsigned char)*text) * 0x100000001b3u;
	return value;
}

/* "AMD EPYC 9B45 (x)" becomes "amd-epyc-9b45-x". */
static void slug(const char *text, char *out, size_t room)
{
	size_t length = 0;
	for (; *text != '\0' && length + 1 < room; text++) {
		const char c = (char)(*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text);
		const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
		if (plain) {
			out[length++] = c;
		} else if (length > 0 && out[length - 1] != '-') {
			out[length++] = '-';
		}
	}
	while (length > 0 && out[length - 1] == '-')
		length--;
	out[length] = '\0';
}

static hy_status device_count(void *ctx, uint32_t *out_count)
{
	(void)ctx;
	*out_count = 1;
	return HY_OK;
}

static hy_status device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	if (index != 0) {
		hy_error error = {0};
		(void)hy_error_set(&error, HY_NOT_FOUND, "cpu: no device %u: there is one, 0", index);
		return hy_cpu_fail(((const hy_cpu_plugin *)ctx)->host, &error);
	}
	hy_cpu_cores cores;
	uint64_t free_bytes;
	hy_cpu_cores_allowed(&cores);
	hy_device_info info = {
		.size = sizeof(info),
		.kind = HY_KIND_CPU,
		.flags = HY_DEVICE_HOST_BINDINGS | HY_DEVICE_HOST_CORES,
		.heap_count = 1,
		.numa_node = hy_cpu_cores_numa(&cores),
		.binding_align = HY_CPU_ALIGN,
	};
	char model[sizeof(info.name) - 16];
	hy_cpu_cores_model(model, sizeof(model));
	(void)snprintf(info.name, sizeof(info.name), "%s, %u core%s", model, cores.core_count,
	               cores.core_count == 1 ? "" : "s");
	slug(model, info.id, sizeof(info.id));
	(void)snprintf(info.arch, sizeof(info.arch), "%s", hy_cpu_dnnl_isa());
	(void)snprintf(info.driver, sizeof(info.driver), "%s", hy_cpu_dnnl_version());
	hy_cpu_memory(&info.memory_bytes, &free_bytes);
	const uint64_t id[2] = {hash(model, 0), hash(info.arch, 1)};
	memcpy(info.uuid, id, sizeof(info.uuid));
	HY_PUT(out_info, &info);
	return HY_OK;
}

static void shut_down(void *ctx)
{
	free(ctx);
}

static const void *ext(void *ctx, const char *name, uint32_t version)
{
	(void)ctx;
	if (strcmp(name, HY_EXT_STEPS) == 0 && version == 1) return &hy_cpu_steps;
	return NULL;
}

hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table);

hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	hy_cpu_plugin *plugin = malloc(sizeof(*plugin));
	if (plugin == NULL) {
		hy_error error = {0};
		(void)hy_error_set(&error, HY_NO_MEMORY, "cpu: no memory for the plugin");
		return hy_cpu_fail(host, &error);
	}
	plugin->host = host;
	const hy_plugin filled = {
		.size = sizeof(filled),
		.abi_minor = HY_ABI_MINOR,
		.name = "cpu",
		.version = "0.1.0",
		.ctx = plugin,
		.shutdown = shut_down,
		.device_count = device_count,
		.device_info = device_info,
		.device_open = hy_cpu_device_open,
		.device_close = hy_cpu_device_close,
		.heap_info = hy_cpu_heap_info,
		.buffer_alloc = hy_cpu_buffer_alloc,
		.buffer_free = hy_cpu_buffer_free,
		.queue_open = hy_cpu_queue_open,
		.queue_close = hy_cpu_queue_close,
		.submit = hy_cpu_submit,
		.query = hy_cpu_query,
		.compile = hy_cpu_compile,
		.exe_info = hy_cpu_exe_info,
		.exe_free = hy_cpu_exe_free,
		.ext = ext,
	};
	HY_PUT(table, &filled);
	return HY_OK;
}
