/* Platforms and their devices. Asking creates no context. */
#include "opencl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLATFORMS 16u
#define DEVICES 64u
#define DEVICE_UUID_KHR 0x106au
#define DEVICE_PCI_BUS_INFO_KHR 0x410fu

static uint64_t number(const hy_opencl_api *api, cl_device_id device, uint32_t name, size_t size)
{
	uint64_t value = 0;
	if (api->clGetDeviceInfo(device, name, size, &value, NULL) != OCL_SUCCESS) return 0;
	return value;
}

static void text_of(const hy_opencl_api *api, cl_device_id device, uint32_t name, char *text, size_t length)
{
	char whole[1024] = "";
	if (api->clGetDeviceInfo(device, name, sizeof(whole) - 1, whole, NULL) != OCL_SUCCESS) whole[0] = '\0';
	const char *at = whole + strspn(whole, " ");
	snprintf(text, length, "%s", at);
}

static bool has_extension(const hy_opencl_api *api, cl_device_id device, const char *name)
{
	size_t length = 0;
	if (api->clGetDeviceInfo(device, OCL_DEVICE_EXTENSIONS, 0, NULL, &length) != OCL_SUCCESS) return false;
	char *list = calloc(1, length + 1);
	if (list == NULL) return false;
	bool found = false;
	if (api->clGetDeviceInfo(device, OCL_DEVICE_EXTENSIONS, length, list, NULL) == OCL_SUCCESS) {
		const size_t size = strlen(name);
		for (const char *at = strstr(list, name); at != NULL && !found; at = strstr(at + size, name))
			found = (at == list || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0');
	}
	free(list);
	return found;
}

/* Where the chip is, from the two extensions that tell. */
static void identify(const hy_opencl_api *api, hy_opencl_found *found)
{
	if (has_extension(api, found->id, "cl_khr_device_uuid"))
		api->clGetDeviceInfo(found->id, DEVICE_UUID_KHR, sizeof(found->uuid), found->uuid, NULL);
	struct {
		uint32_t domain, bus, device, function;
	} pci;
	if (has_extension(api, found->id, "cl_khr_pci_bus_info") &&
	    api->clGetDeviceInfo(found->id, DEVICE_PCI_BUS_INFO_KHR, sizeof(pci), &pci, NULL) == OCL_SUCCESS)
		snprintf(found->pci, sizeof(found->pci), "%04x:%02x:%02x.%x", pci.domain & 0xffffu, pci.bus & 0xffu,
		         pci.device & 0xffu, pci.function & 7u);
}

/* "opencl://<unique>": the device's name in the letters that an id may have, numbered when it is taken. */
static void make_unique(hy_opencl_plugin *plugin, hy_opencl_found *found)
{
	char base[48] = "device";
	for (size_t i = 0; i + 1 < sizeof(base) && found->name[i] != '\0'; i++) {
		base[i] = isalnum((unsigned char)found->name[i]) ? found->name[i] : '-';
		base[i + 1] = '\0';
	}
	uint32_t same = 0;
	const size_t length = strlen(base);
	for (uint32_t i = 0; i < plugin->count; i++)
		same += strncmp(plugin->found[i].unique, base, length) == 0;
	snprintf(found->unique, sizeof(found->unique), "%s-%u", base, same);
}

static void add_device(hy_opencl_plugin *plugin, cl_platform_id platform, const char *platform_name, cl_device_id id)
{
	const hy_opencl_api *api = &plugin->api;
	if (plugin->count == DEVICES || number(api, id, OCL_DEVICE_AVAILABLE, 4) == 0) return;
	hy_opencl_found *found = &plugin->found[plugin->count];
	*found = (hy_opencl_found){.platform = platform, .id = id};
	snprintf(found->platform_name, sizeof(found->platform_name), "%s", platform_name);
	text_of(api, id, OCL_DEVICE_NAME, found->name, sizeof(found->name));
	text_of(api, id, OCL_DRIVER_VERSION, found->driver, sizeof(found->driver));
	found->type = number(api, id, OCL_DEVICE_TYPE, 8);
	found->memory_bytes = number(api, id, OCL_DEVICE_GLOBAL_MEM_SIZE, 8);
	found->max_buffer_bytes = number(api, id, OCL_DEVICE_MAX_MEM_ALLOC_SIZE, 8);
	found->units = (uint32_t)number(api, id, OCL_DEVICE_MAX_COMPUTE_UNITS, 4);
	found->clock_mhz = (uint32_t)number(api, id, OCL_DEVICE_MAX_CLOCK_FREQUENCY, 4);
	found->vendor = (uint32_t)number(api, id, OCL_DEVICE_VENDOR_ID, 4);
	found->max_group = (uint32_t)number(api, id, OCL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t));
	found->has_compiler = number(api, id, OCL_DEVICE_COMPILER_AVAILABLE, 4) != 0;
	found->is_little = number(api, id, OCL_DEVICE_ENDIAN_LITTLE, 4) != 0;
	found->has_native = (number(api, id, OCL_DEVICE_EXECUTION_CAPABILITIES, 8) & OCL_EXEC_NATIVE_KERNEL) != 0;
	found->has_fp64 = has_extension(api, id, "cl_khr_fp64");
	found->taken = calloc(found->units + 1, sizeof(*found->taken));
	if (found->taken == NULL) return;
	identify(api, found);
	make_unique(plugin, found);
	plugin->count++;
}

static void search_platform(hy_opencl_plugin *plugin, cl_platform_id platform, const char *name)
{
	/* CL_DEVICE_TYPE_ALL leaves custom devices out */
	static const uint64_t types[] = {(uint64_t)UINT32_MAX, OCL_DEVICE_TYPE_CUSTOM};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		cl_device_id ids[DEVICES];
		uint32_t count = 0;
		const int32_t code = plugin->api.clGetDeviceIDs(platform, types[i], DEVICES, ids, &count);
		if (code != OCL_SUCCESS) continue; /* a platform without devices answers -1 */
		for (uint32_t k = 0; k < count && k < DEVICES; k++)
			add_device(plugin, platform, name, ids[k]);
	}
}

static hy_status search(hy_opencl_plugin *plugin)
{
	hy_error *error = &plugin->error;
	const hy_status status = hy_opencl_api_open(&plugin->api, error);
	if (status != HY_OK) return status;
	cl_platform_id platforms[PLATFORMS];
	uint32_t count = 0;
	if (plugin->api.clGetPlatformIDs(PLATFORMS, platforms, &count) != OCL_SUCCESS || count == 0)
		return hy_error_set(error, HY_UNSUPPORTED, "no OpenCL driver is installed: no platform answered");
	plugin->found = calloc(DEVICES, sizeof(*plugin->found));
	if (plugin->found == NULL) return hy_error_set(error, HY_NO_MEMORY, "out of memory");
	char names[HY_ERROR_TEXT_BYTES / 2] = "";
	for (uint32_t i = 0; i < count && i < PLATFORMS; i++) {
		char name[64] = "";
		plugin->api.clGetPlatformInfo(platforms[i], OCL_PLATFORM_NAME, sizeof(name) - 1, name, NULL);
		const size_t used = strlen(names);
		snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "", name);
		search_platform(plugin, platforms[i], name);
	}
	if (plugin->count == 0)
		return hy_error_set(
			error, HY_UNSUPPORTED,
			"no OpenCL device on %s; PoCL hides its devices when neither HOME nor POCL_CACHE_DIR "
			"names a folder that can be written",
			names);
	return HY_OK;
}

hy_status hy_opencl_search(hy_opencl_plugin *plugin)
{
	pthread_mutex_lock(&plugin->lock);
	if (!plugin->searched) {
		hy_opencl_guard_enter(plugin);
		plugin->status = search(plugin);
		hy_opencl_guard_leave(plugin);
		plugin->searched = true;
	}
	const hy_status status = plugin->status;
	pthread_mutex_unlock(&plugin->lock);
	return status == HY_OK ? HY_OK : hy_opencl_forward(plugin, &plugin->error);
}

hy_status hy_opencl_device_count(void *ctx, uint32_t *out_count)
{
	hy_opencl_plugin *plugin = ctx;
	const hy_status status = hy_opencl_search(plugin);
	if (status == HY_OK) *out_count = plugin->count;
	return status;
}

static uint32_t kind_of(uint64_t type)
{
	if (type & OCL_DEVICE_TYPE_CPU) return HY_KIND_CPU;
	if (type & OCL_DEVICE_TYPE_GPU) return HY_KIND_GPU;
	if (type & OCL_DEVICE_TYPE_ACCELERATOR) return HY_KIND_NPU;
	return HY_KIND_OTHER;
}

hy_status hy_opencl_device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	hy_opencl_plugin *plugin = ctx;
	const hy_status status = hy_opencl_search(plugin);
	if (status != HY_OK) return status;
	if (index >= plugin->count)
		return hy_opencl_refuse(plugin, HY_NOT_FOUND, "no device %u: there are %u", index, plugin->count);
	const hy_opencl_found *found = &plugin->found[index];
	hy_device_info info = {
		.kind = kind_of(found->type),
		.heap_count = 1,
		.numa_node = HY_GRAPH_NONE,
		.binding_align = HY_OPENCL_ALIGN,
		.memory_bytes = found->memory_bytes,
	};
	if (info.kind == HY_KIND_CPU) info.flags = HY_DEVICE_HOST_BINDINGS | HY_DEVICE_HOST_CORES;
	if (found->pci[0] != '\0') info.pci_vendor = found->vendor;
	memcpy(info.uuid, found->uuid, sizeof(info.uuid));
	memcpy(info.pci_address, found->pci, sizeof(info.pci_address));
	snprintf(info.id, sizeof(info.id), "%s", found->unique);
	snprintf(info.name, sizeof(info.name), "%s", found->name);
	snprintf(info.arch, sizeof(info.arch), "%s", found->has_compiler ? "opencl-c" : "no compiler");
	snprintf(info.driver, sizeof(info.driver), "%.31s %.30s", found->platform_name, found->driver);
	HY_PUT(out_info, &info);
	return HY_OK;
}
