/* Machines: manifests, probes and plugins in, a list of devices out. */
#include "machine.h"

#include "discover.h"
#include "host.h"
#include "layer.h"
#include "probe.h"
#include "text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_PER_PLUGIN 256u
#define PROBE_NS UINT64_C(10000000000)

/* ---- plugins ---- */

/* take_reason is a malloc'd line, or NULL when memory was short. */
static void refuse(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, hy_status status, char *take_reason)
{
	free(plugin->reason);
	plugin->reason = take_reason;
	plugin->info.state = HY_HAL_PLUGIN_REFUSED;
	plugin->info.status = status;
	plugin->info.reason = take_reason != NULL ? take_reason : hy_status_text(status);
	hy_hal__log_write(&machine->log, HY_LOG_ERROR, "hal", "plugin %s refused: %s", plugin->name,
	                  plugin->info.reason);
}

/* True when a comma-separated list of globs has one for name. */
static bool matches(const char *globs, const char *name)
{
	char glob[128];
	while (globs != NULL && *globs != '\0') {
		const size_t length = strcspn(globs, ",");
		snprintf(glob, sizeof(glob), "%.*s", (int)(length < sizeof(glob) ? length : sizeof(glob) - 1), globs);
		if (fnmatch(glob, name, 0) == 0) return true;
		globs += length + (globs[length] == ',');
	}
	return false;
}

static void read_manifest(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, const char *path,
                          const hy_hal_machine_options *options)
{
	const char *file = strrchr(path, '/') + 1;
	plugin->path = strdup(path);
	plugin->name = strndup(file, strlen(file) - strlen(".yaml"));
	plugin->info = (hy_hal_plugin_info){
		.name = plugin->name, .version = "", .manifest = plugin->path, .library = "", .reason = ""};
	if (plugin->name == NULL || plugin->path == NULL) {
		refuse(machine, plugin, HY_NO_MEMORY, NULL);
		return;
	}
	if (matches(options->disable, plugin->name)) {
		plugin->info.state = HY_HAL_PLUGIN_DISABLED;
		plugin->reason = hy_hal__text_format("switched off by disable=%s", options->disable);
		plugin->info.reason = plugin->reason != NULL ? plugin->reason : "switched off";
		return;
	}
	const hy_status status = hy_hal__manifest_read(path, &plugin->manifest);
	if (status != HY_OK) {
		refuse(machine, plugin, status, plugin->manifest.errors);
		plugin->manifest.errors = NULL;
		return;
	}
	plugin->info.library = plugin->manifest.library;
	if (plugin->manifest.isolation != NULL && strcmp(plugin->manifest.isolation, "worker") == 0)
		hy_hal__log_write(
			&machine->log, HY_LOG_WARN, "hal",
			"plugin %s: its manifest asks for isolation: worker, which this version does not have: "
			"it runs in this process",
			plugin->name);
}

/* Probes every plugin that is still wanted and not in this process already. */
static hy_status probe_plugins(hy_hal_machine *machine, const hy_hal_machine_options *options, hy_error *error)
{
	if ((options->flags & HY_HAL_NO_PROBE) != 0) return HY_OK;
	hy_hal__probe_job *jobs = calloc(machine->plugin_count + 1, sizeof(*jobs));
	hy_hal__machine_plugin **owners = calloc(machine->plugin_count + 1, sizeof(*owners));
	char *program = hy_hal__discover_probe();
	hy_status status = jobs == NULL || owners == NULL ? HY_NO_MEMORY : HY_OK;
	uint32_t count = 0;
	for (uint32_t i = 0; i < machine->plugin_count && status == HY_OK; i++) {
		hy_hal__machine_plugin *plugin = &machine->plugins[i];
		if (plugin->info.state != HY_HAL_PLUGIN_LOADED || hy_hal__plugin_is_loaded(plugin->manifest.library))
			continue;
		jobs[count].library = plugin->manifest.library;
		jobs[count].requires = &plugin->manifest.requires;
		owners[count++] = plugin;
	}
	if (count > 0 && program == NULL)
		for (uint32_t i = 0; i < count; i++)
			refuse(machine, owners[i], HY_NOT_FOUND, strdup("the program halyard-probe is not installed"));
	else if (count > 0)
		hy_hal__probe_run(program, options->probe_timeout_ns != 0 ? options->probe_timeout_ns : PROBE_NS, jobs,
		                  count);
	for (uint32_t i = 0; i < count && program != NULL; i++) {
		owners[i]->info.probe_ns = jobs[i].probe_ns;
		if (jobs[i].status != HY_OK) refuse(machine, owners[i], jobs[i].status, jobs[i].reason);
		if (jobs[i].warning != NULL)
			hy_hal__log_write(&machine->log, HY_LOG_WARN, "hal", "plugin %s %s", owners[i]->name,
			                  jobs[i].warning);
		free(jobs[i].warning);
	}
	free(program);
	free(owners);
	free(jobs);
	return status == HY_OK ? HY_OK : hy_error_set(error, status, "host memory exhausted");
}

static void load_plugin(hy_hal_machine *machine, hy_hal__machine_plugin *plugin)
{
	if (plugin->info.state != HY_HAL_PLUGIN_LOADED) return;
	hy_error error = {0};
	plugin->user.log = &machine->log;
	hy_status status = hy_hal__plugin_load(plugin->manifest.library, &plugin->user, &plugin->plugin, &error);
	if (status != HY_OK) {
		refuse(machine, plugin, status, strdup(error.text));
		return;
	}
	if (strcmp(plugin->plugin->name, plugin->name) != 0) {
		refuse(machine, plugin, HY_INCOMPATIBLE,
		       hy_hal__text_format("its manifest calls it '%s' but it calls itself '%s'", plugin->name,
		                           plugin->plugin->name));
		return;
	}
	plugin->info.version = plugin->plugin->version;
	plugin->info.abi_minor = plugin->plugin->filled_minor;
	plugin->calls = hy_hal__layers_create(&plugin->plugin->table, machine->layers, &machine->log, plugin->name);
	if (plugin->calls == NULL) refuse(machine, plugin, HY_NO_MEMORY, NULL);
}

static int by_priority(const void *a, const void *b)
{
	const hy_hal__machine_plugin *left = a, *right = b;
	if (left->manifest.priority != right->manifest.priority)
		return left->manifest.priority > right->manifest.priority ? -1 : 1;
	return strcmp(left->name != NULL ? left->name : "", right->name != NULL ? right->name : "");
}

static hy_status find_plugins(hy_hal_machine *machine, const hy_hal_machine_options *options, hy_error *error)
{
	hy_hal__discovered found;
	const hy_status status = hy_hal__discover(options->manifest_path, &machine->log, &found);
	if (status != HY_OK) return hy_error_set(error, status, "reading the manifests: %s", hy_status_text(status));
	machine->plugins = calloc(found.count + 1, sizeof(*machine->plugins));
	if (machine->plugins != NULL) machine->plugin_count = found.count;
	for (uint32_t i = 0; i < machine->plugin_count; i++)
		read_manifest(machine, &machine->plugins[i], found.paths[i], options);
	hy_hal__discovered_finish(&found);
	if (machine->plugins == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	qsort(machine->plugins, machine->plugin_count, sizeof(*machine->plugins), by_priority);
	return HY_OK;
}

/* ---- devices ---- */

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

static hy_status list_devices(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, hy_error *error)
{
	if (plugin->info.state != HY_HAL_PLUGIN_LOADED) return HY_OK;
	uint32_t count = 0;
	hy_error reason = {0};
	hy_hal__call call;
	hy_hal__call_begin(&call);
	hy_status status = plugin->calls->device_count(plugin->calls, &count);
	status = hy_hal__call_end(&call, status, plugin->name, "device_count", &reason);
	if (status != HY_OK) {
		refuse(machine, plugin, status, strdup(reason.text));
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

/* Now that the devices stay where they are: points their texts at them, and finds chips that are there twice. */
static void name_devices(hy_hal_machine *machine)
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

/* ---- machine ---- */

hy_status hy_hal_machine_open(const hy_hal_machine_options *options, hy_hal_machine **out_machine, hy_error *error)
{
	hy_hal_machine_options own = {.size = sizeof(own), .log_level = HY_LOG_INFO};
	if (options != NULL) memcpy(&own, options, options->size < sizeof(own) ? options->size : sizeof(own));
	hy_hal_machine *machine = calloc(1, sizeof(*machine));
	if (machine == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	machine->log = (hy_hal__log){own.log, own.log_payload, own.log_level};
	hy_hal__topology_init(&machine->topology, &machine->log);
	hy_status status = hy_hal__layers_parse(own.layers, &machine->layers, error);
	if (status == HY_OK) status = find_plugins(machine, &own, error);
	if (status == HY_OK) status = probe_plugins(machine, &own, error);
	for (uint32_t i = 0; i < machine->plugin_count && status == HY_OK; i++) {
		load_plugin(machine, &machine->plugins[i]);
		status = list_devices(machine, &machine->plugins[i], error);
	}
	if (status != HY_OK) {
		hy_hal_machine_close(machine);
		return status;
	}
	name_devices(machine);
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
