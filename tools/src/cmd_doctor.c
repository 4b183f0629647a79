/* halyard doctor: what works on this machine, what does not, and what to do about it. */
#include "cmd.h"
#include "machine.h"
#include "print.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One finding. */
typedef struct finding {
	const char *verdict; /* "ok", "warn" or "FAIL" */
	const char *subject;
	char text[768], fix[256];
} finding;

typedef struct findings {
	uint32_t count, failed;
	finding items[80];
} findings;

static finding *add(findings *all, const char *verdict, const char *subject)
{
	finding *const item = &all->items[all->count];
	if (all->count + 1 < sizeof(all->items) / sizeof(all->items[0])) all->count++;
	*item = (finding){.verdict = verdict, .subject = subject};
	if (strcmp(verdict, "FAIL") == 0) all->failed++;
	return item;
}

/* What usually helps, by the kind of failure; the reason itself says what happened. */
static const char *fix_for(hy_status status)
{
	switch (status) {
	case HY_NOT_FOUND:
		return "install the library it names, or remove its manifest";
	case HY_INVALID:
		return "correct its manifest";
	case HY_INCOMPATIBLE:
		return "build it against this halyard's <halyard/plugin.h>, or update its driver";
	case HY_TIMEOUT:
		return "its driver hangs: restart or reinstall the driver";
	case HY_DEVICE_LOST:
		return "its driver or device failed: reinstall the driver, or restart the machine";
	case HY_UNSUPPORTED:
		return "install the device's driver";
	default:
		return "run halyard doctor --verbose and read its log";
	}
}

static void look_at_plugins(const hy_hal_machine *machine, findings *all)
{
	for (uint32_t i = 0; i < hy_hal_machine_plugin_count(machine); i++) {
		const hy_hal_plugin_info *const plugin = hy_hal_machine_plugin(machine, i);
		if (plugin->state == HY_HAL_PLUGIN_DISABLED) {
			snprintf(add(all, "off", plugin->name)->text, sizeof(all->items[0].text), "%s", plugin->reason);
		} else if (plugin->state == HY_HAL_PLUGIN_REFUSED) {
			finding *const item = add(all, "FAIL", plugin->name);
			snprintf(item->text, sizeof(item->text), "%s", plugin->reason);
			snprintf(item->fix, sizeof(item->fix), "%s; the other plugins are not affected",
			         fix_for(plugin->status));
		} else {
			finding *const item = add(all, "ok", plugin->name);
			snprintf(item->text, sizeof(item->text), "version %s, ABI %u.%u, %u device%s", plugin->version,
			         HY_ABI_MAJOR, plugin->abi_minor, plugin->device_count,
			         plugin->device_count == 1 ? "" : "s");
		}
	}
}

static void look_at_opencl(findings *all)
{
	const char *folder = getenv("OCL_ICD_VENDORS");
	if (folder == NULL || *folder == '\0') folder = "/etc/OpenCL/vendors";
	char names[256] = "";
	size_t used = 0;
	DIR *const opened = opendir(folder);
	for (const struct dirent *entry; opened != NULL && (entry = readdir(opened)) != NULL;)
		if (fnmatch("[!.]*.icd", entry->d_name, 0) == 0 && used + 1 < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, " %s", entry->d_name);
	if (opened != NULL) closedir(opened);
	finding *const item = add(all, used > 0 ? "ok" : "warn", "OpenCL drivers");
	snprintf(item->text, sizeof(item->text), "%s:%s", folder, used > 0 ? names : " none");
	if (used == 0)
		snprintf(item->fix, sizeof(item->fix), "install your device's driver, or pocl-opencl-icd for the CPU");
}

static void look_at_cache(findings *all)
{
	char folder[512];
	tool_machine_cache_dir(folder, sizeof(folder));
	/* The folder need not be there yet: then its nearest parent must be writable. */
	char parent[512];
	snprintf(parent, sizeof(parent), "%s", folder);
	while (parent[0] != '\0' && access(parent, F_OK) != 0) {
		char *const slash = strrchr(parent, '/');
		if (slash == NULL || slash == parent) break;
		*slash = '\0';
	}
	const bool writable = parent[0] != '\0' && access(parent, W_OK | X_OK) == 0;
	finding *const item = add(all, writable ? "ok" : "warn", "cache folder");
	if (writable)
		snprintf(item->text, sizeof(item->text), "%s", folder);
	else {
		snprintf(item->text, sizeof(item->text), "%s: %s", folder[0] != '\0' ? folder : "none",
		         folder[0] != '\0' ? strerror(errno) : "no home folder");
		snprintf(item->fix, sizeof(item->fix), "set HALYARD_CACHE_DIR to a folder that you may write to");
	}
}

static void look_at_machine(const hy_hal_machine *machine, findings *all)
{
	const hy_hal_topology_info *const info = hy_hal_machine_topology(machine);
	char memory[32];
	finding *const item = add(all, "ok", "machine");
	int used = snprintf(item->text, sizeof(item->text), "%s, %u of %u cores allowed, %s", info->cpu_model,
	                    info->allowed_count, info->core_count,
	                    tool_print_bytes(info->memory_bytes, memory, sizeof(memory)));
	if (info->cpu_quota <= 0 || info->cpu_quota >= info->allowed_count) return;
	item->verdict = "warn";
	snprintf(item->text + used, sizeof(item->text) - (size_t)used, ", but only %.2f cores' worth of time",
	         info->cpu_quota);
	snprintf(item->fix, sizeof(item->fix), "raise the container's CPU limit, or give devices fewer cores");
}

static void print_findings(const findings *all)
{
	static const tool_column columns[] = {{"STATE", 0}, {"WHAT", 0}, {"FINDING", TOOL_WRAP}};
	tool_table *const table = tool_table_create(3, columns);
	for (uint32_t i = 0; i < all->count; i++) {
		const finding *const item = &all->items[i];
		tool_table_line(table);
		tool_table_cell(table, "%s", item->verdict);
		tool_table_paint(table, strcmp(item->verdict, "ok") == 0     ? "green"
		                        : strcmp(item->verdict, "FAIL") == 0 ? "red"
		                                                             : "yellow");
		tool_table_cell(table, "%s", item->subject);
		tool_table_cell(table, "%s", item->text);
		if (item->fix[0] == '\0') continue;
		tool_table_line(table);
		tool_table_cell(table, "%s", "");
		tool_table_cell(table, "%s", "");
		tool_table_cell(table, "fix: %s", item->fix);
	}
	tool_table_print(table);
}

static tool_exit print_json(const findings *all, uint32_t device_count)
{
	json_t *const list = json_array();
	for (uint32_t i = 0; i < all->count; i++) {
		const finding *const item = &all->items[i];
		json_array_append_new(list, json_pack("{ss ss ss ss}", "verdict", item->verdict, "subject",
		                                      item->subject, "text", item->text, "fix", item->fix));
	}
	return tool_json_print(json_pack("{ss si so}", "schema", "halyard.doctor/v1", "usable_devices", device_count,
	                                 "findings", list));
}

tool_exit tool_cmd_doctor(const tool_options *options)
{
	hy_hal_machine *machine = NULL;
	hy_hal_selection chosen = {0};
	hy_error error = {0};
	findings all = {0};
	tool_exit code = tool_machine_open(options, !options->verbose, &machine);
	if (code != TOOL_EXIT_OK) return code;
	if (hy_hal_machine_select(machine, NULL, &chosen, &error) != HY_OK) chosen.count = 0;
	look_at_plugins(machine, &all);
	look_at_opencl(&all);
	look_at_machine(machine, &all);
	look_at_cache(&all);
	if (tool_options_is(options->format, "json")) {
		code = print_json(&all, chosen.count);
	} else {
		print_findings(&all);
		printf("%u usable device%s.  next: halyard %s\n", chosen.count, chosen.count == 1 ? "" : "s",
		       chosen.count > 0 ? "devices" : "help doctor");
	}
	if (code == TOOL_EXIT_OK && chosen.count == 0) code = TOOL_EXIT_NO_DEVICE;
	hy_hal_selection_finish(&chosen);
	hy_hal_machine_close(machine);
	return code;
}
