/* The plugins of a machine: manifests found, probed and loaded; what can't be used gets its reason. */
#include "machine.h"

#include "discover.h"
#include "layer.h"
#include "pci.h"
#include "probe.h"
#include "text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_NS UINT64_C(10000000000)

/* A plugin that says which PCI functions it is for is easier to set right when these are known. take_reason is replaced. */
static char *with_hardware(const hy_hal__machine_plugin *plugin, char *take_reason)
{
	char addresses[128];
	if (plugin->manifest.devices.count == 0 || take_reason == NULL) return take_reason;
	const uint32_t count = hy_hal__pci_find("", &plugin->manifest.devices, addresses, sizeof(addresses));
	char *reason = count == 0
	                       ? hy_hal__text_format("%s; this machine has no PCI function that it is for", take_reason)
	                       : hy_hal__text_format("%s; it is for %" PRIu32 " PCI functions of this machine: %s",
	                                             take_reason, count, addresses);
	if (reason == NULL) return take_reason;
	free(take_reason);
	return reason;
}

void hy_hal__machine_refuse(hy_hal_machine *machine, hy_hal__machine_plugin *plugin, hy_status status,
                            char *take_reason)
{
	free(plugin->reason);
	take_reason = with_hardware(plugin, take_reason);
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
		hy_hal__machine_refuse(machine, plugin, HY_NO_MEMORY, NULL);
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
		hy_hal__machine_refuse(machine, plugin, status, plugin->manifest.errors);
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

hy_status hy_hal__machine_probe(hy_hal_machine *machine, const hy_hal_machine_options *options, hy_error *error)
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
			hy_hal__machine_refuse(machine, owners[i], HY_NOT_FOUND,
			                       strdup("the program halyard-probe is not installed"));
	else if (count > 0)
		hy_hal__probe_run(program, options->probe_timeout_ns != 0 ? options->probe_timeout_ns : PROBE_NS, jobs,
		                  count);
	for (uint32_t i = 0; i < count && program != NULL; i++) {
		owners[i]->info.probe_ns = jobs[i].probe_ns;
		if (jobs[i].status != HY_OK) hy_hal__machine_refuse(machine, owners[i], jobs[i].status, jobs[i].reason);
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

void hy_hal__machine_load(hy_hal_machine *machine, hy_hal__machine_plugin *plugin)
{
	if (plugin->info.state != HY_HAL_PLUGIN_LOADED) return;
	hy_error error = {0};
	plugin->user.log = &machine->log;
	hy_status status = hy_hal__plugin_load(plugin->manifest.library, &plugin->user, &plugin->plugin, &error);
	if (status != HY_OK) {
		hy_hal__machine_refuse(machine, plugin, status, strdup(error.text));
		return;
	}
	if (strcmp(plugin->plugin->name, plugin->name) != 0) {
		hy_hal__machine_refuse(machine, plugin, HY_INCOMPATIBLE,
		                       hy_hal__text_format("its manifest calls it '%s' but it calls itself '%s'",
		                                           plugin->name, plugin->plugin->name));
		return;
	}
	plugin->info.version = plugin->plugin->version;
	plugin->info.abi_minor = plugin->plugin->filled_minor;
	plugin->calls = hy_hal__layers_create(&plugin->plugin->table, machine->layers, &machine->log, plugin->name);
	if (plugin->calls == NULL) hy_hal__machine_refuse(machine, plugin, HY_NO_MEMORY, NULL);
}

static int by_priority(const void *a, const void *b)
{
	const hy_hal__machine_plugin *left = a, *right = b;
	if (left->manifest.priority != right->manifest.priority)
		return left->manifest.priority > right->manifest.priority ? -1 : 1;
	return strcmp(left->name != NULL ? left->name : "", right->name != NULL ? right->name : "");
}

hy_status hy_hal__machine_find(hy_hal_machine *machine, const hy_hal_machine_options *options, hy_error *error)
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
