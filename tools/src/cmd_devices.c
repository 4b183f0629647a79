/* halyard devices: what can compute here, or what a description says of a cluster. */
#include "cluster_options.h"
#include "cmd.h"
#include "inventory.h"
#include "machine.h"
#include "print.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"?", "CPU", "GPU", "NPU", "other"};

static bool is_chosen(const hy_hal_selection *chosen, uint32_t device)
{
	for (uint32_t i = 0; i < chosen->count; i++)
		if (chosen->items[i].device == device) return true;
	return false;
}

/* Why the default selection leaves a device out. */
static const char *state_of(const hy_hal_device_info *device, bool chosen)
{
	if (chosen) return "up";
	if (device->same_as != NULL) return "same chip";
	return (device->info.flags & HY_DEVICE_SIMULATED) != 0 ? "simulated" : "on request";
}

static json_t *device_json(const hy_hal_device_info *device, bool chosen)
{
	const hy_device_info *const info = &device->info;
	json_t *const object = json_pack("{ss ss ss ss ss ss ss sI sI sI ss sb}", "id", device->id, "uri", device->uri,
	                                 "plugin", device->plugin, "kind", kinds[info->kind], "model", info->name,
	                                 "arch", info->arch, "driver", info->driver, "memory_bytes",
	                                 (json_int_t)info->memory_bytes, "peak_flops_f32", (json_int_t)info->flops_f32,
	                                 "peak_memory_bytes_per_s", (json_int_t)info->memory_bytes_per_s, "state",
	                                 state_of(device, chosen), "default", chosen);
	if (object == NULL) return NULL;
	json_object_set_new(object, "same_as", device->same_as != NULL ? json_string(device->same_as) : json_null());
	json_object_set_new(object, "pci_address",
	                    info->pci_address[0] != '\0' ? json_string(info->pci_address) : json_null());
	json_object_set_new(object, "numa_node",
	                    info->numa_node != HY_GRAPH_NONE ? json_integer(info->numa_node) : json_null());
	return object;
}

static tool_exit print_json(const hy_hal_machine *machine, const hy_hal_selection *chosen)
{
	json_t *const devices = json_array();
	for (uint32_t i = 0; i < hy_hal_machine_device_count(machine); i++)
		json_array_append_new(devices, device_json(hy_hal_machine_device(machine, i), is_chosen(chosen, i)));
	return tool_json_print(json_pack("{ss so}", "schema", "halyard.devices/v1", "devices", devices));
}

static const char *rate(uint64_t per_s, const char *unit, char *text, size_t length)
{
	if (per_s == 0)
		snprintf(text, length, "-");
	else
		snprintf(text, length, per_s < 10000000000u ? "%.1f %s" : "%.0f %s", (double)per_s * 1e-9, unit);
	return text;
}

static void add_line(tool_table *table, const hy_hal_device_info *device, bool chosen)
{
	const hy_device_info *const info = &device->info;
	char text[64];
	tool_table_line(table);
	tool_table_cell(table, "%s", device->id);
	tool_table_cell(table, "%s", kinds[info->kind]);
	tool_table_cell(table, "%s", info->name);
	tool_table_cell(table, "%s", tool_print_bytes(info->memory_bytes, text, sizeof(text)));
	tool_table_cell(table, "%s", rate(info->flops_f32, "GF/s", text, sizeof(text)));
	tool_table_cell(table, "%s", rate(info->memory_bytes_per_s, "GB/s", text, sizeof(text)));
	tool_table_cell(table, "%s", info->pci_address[0] != '\0' ? info->pci_address : "-");
	tool_table_cell(table, "%s%s%s", state_of(device, chosen), device->same_as != NULL ? " as " : "",
	                device->same_as != NULL ? device->same_as : "");
	tool_table_paint(table, chosen ? "green" : "yellow");
}

static tool_exit print_table(const hy_hal_machine *machine, const hy_hal_selection *chosen, const tool_options *options)
{
	static const tool_column columns[] = {{"DEVICE", 0},
	                                      {"KIND", 0},
	                                      {"MODEL", 0},
	                                      {"MEMORY", TOOL_RIGHT},
	                                      {"PEAK FP32", TOOL_RIGHT},
	                                      {"PEAK MEMORY", TOOL_RIGHT},
	                                      {"PCI", 0},
	                                      {"STATE", 0}};
	tool_table *const table = tool_table_create(sizeof(columns) / sizeof(columns[0]), columns);
	uint32_t hidden = 0;
	for (uint32_t i = 0; i < hy_hal_machine_device_count(machine); i++) {
		const bool shown = is_chosen(chosen, i) || options->all;
		if (shown) add_line(table, hy_hal_machine_device(machine, i), is_chosen(chosen, i));
		hidden += !shown;
	}
	const tool_exit code = tool_table_print(table);
	if (hidden > 0) tool_note(options, "%u more, used only when named: halyard devices --all", hidden);
	return code;
}

/* ---- a cluster, or this machine as one ---- */

static tool_exit cluster_json(const hy_sched_cluster *cluster, uint32_t node)
{
	json_t *const devices = json_array();
	for (uint32_t i = 0; i < cluster->device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[i];
		const hy_sched_cluster_type *const type = &cluster->types[device->type];
		if (node != HY_SCHED_CLUSTER_NONE && device->node != node) continue;
		json_array_append_new(devices,
		                      json_pack("{ss ss ss ss ss ss sf si s? s? s?}", "node",
		                                cluster->nodes[device->node].name, "id", device->id, "type", type->name,
		                                "plugin", type->plugin, "kind", kinds[type->kind], "model", type->model,
		                                "memory_bytes", type->memory_bytes.value, "numa", device->numa, "pci",
		                                device->pci, "file", device->file, "cores", device->cores));
	}
	return tool_json_print(json_pack("{ss ss so}", "schema", "halyard.inventory/v1", "cluster", cluster->name,
	                                 "devices", devices));
}

static tool_exit cluster_table(const hy_sched_cluster *cluster, uint32_t node)
{
	static const tool_column columns[] = {{"NODE", 0},          {"DEVICE", 0}, {"TYPE", 0},
	                                      {"KIND", 0},          {"MODEL", 0},  {"MEMORY", TOOL_RIGHT},
	                                      {"NUMA", TOOL_RIGHT}, {"CORES", 0},  {"PCI", 0}};
	tool_table *const table = tool_table_create(sizeof(columns) / sizeof(columns[0]), columns);
	for (uint32_t i = 0; i < cluster->device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[i];
		const hy_sched_cluster_type *const type = &cluster->types[device->type];
		char text[64];
		if (node != HY_SCHED_CLUSTER_NONE && device->node != node) continue;
		tool_table_line(table);
		tool_table_cell(table, "%s", cluster->nodes[device->node].name);
		tool_table_cell(table, "%s", device->id);
		tool_table_cell(table, "%s", type->name);
		tool_table_cell(table, "%s", kinds[type->kind]);
		tool_table_cell(table, "%s", type->model[0] != '\0' ? type->model : "-");
		tool_table_cell(table, "%s", tool_print_bytes((uint64_t)type->memory_bytes.value, text, sizeof(text)));
		tool_table_cell(table, "%u", device->numa);
		tool_table_cell(table, "%s", device->cores != NULL ? device->cores : "-");
		tool_table_cell(table, "%s", device->pci != NULL ? device->pci : "-");
	}
	return tool_table_print(table);
}

static tool_exit write_inventory(const tool_options *options, const hy_sched_cluster *cluster, uint32_t node, FILE *out)
{
	tool_exit code = TOOL_EXIT_OK;
	if (tool_options_is(options->devices_format, "slurm")) {
		tool_inventory_slurm(cluster, node, out);
	} else if (tool_options_is(options->devices_format, "dra")) {
		tool_inventory_dra(cluster, node, out);
	} else {
		code = tool_cluster_node(options, cluster, options->at_node, &node);
		if (code == TOOL_EXIT_OK) tool_inventory_nfd(cluster, node, out);
	}
	return code;
}

/* Written beside the file as .NAME, then renamed: readers see the old one or the new one. */
static tool_exit inventory_to_file(const tool_options *options, const hy_sched_cluster *cluster, uint32_t node)
{
	const char *const path = options->output_file, *const slash = strrchr(path, '/');
	const size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	char *const hidden = malloc(strlen(path) + 2);
	if (hidden == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	sprintf(hidden, "%.*s.%s", (int)folder, path, path + folder);
	FILE *const out = fopen(hidden, "w");
	tool_exit code = out != NULL ? write_inventory(options, cluster, node, out) : TOOL_EXIT_OK;
	const bool written = out != NULL && (ferror(out) | fclose(out)) == 0;
	if (code == TOOL_EXIT_OK && (!written || rename(hidden, path) != 0))
		code = tool_report(TOOL_EXIT_NO, "%s: cannot be written: is the folder there?", path);
	if (code != TOOL_EXIT_OK && out != NULL) remove(hidden);
	free(hidden);
	return code;
}

static tool_exit show_cluster(const tool_options *options, const hy_sched_cluster *cluster)
{
	uint32_t node = HY_SCHED_CLUSTER_NONE;
	tool_exit code = TOOL_EXIT_OK;
	if (options->at_node != NULL) code = tool_cluster_node(options, cluster, options->at_node, &node);
	if (code != TOOL_EXIT_OK) return code;
	if (tool_options_is(options->devices_format, "json")) return cluster_json(cluster, node);
	if (tool_options_is(options->devices_format, "table")) return cluster_table(cluster, node);
	if (options->output_file != NULL) return inventory_to_file(options, cluster, node);
	return write_inventory(options, cluster, node, stdout);
}

static tool_exit inventory_of_machine(const tool_options *options, const hy_hal_machine *machine)
{
	hy_error error = {0};
	char host[128];
	hy_sched_cluster *cluster = NULL;
	if (hy_sched_cluster_from_machine(machine, NULL, tool_cluster_host(host, sizeof(host)), &cluster, &error) !=
	    HY_OK)
		return tool_report_error(TOOL_EXIT_NO_DEVICE, &error);
	const tool_exit code = show_cluster(options, cluster);
	hy_sched_cluster_destroy(cluster);
	return code;
}

/* ---- the command ---- */

static tool_exit show_file(const tool_options *options)
{
	hy_sched_cluster *cluster = NULL;
	tool_exit code = tool_cluster_open(options->cluster, &cluster);
	if (code == TOOL_EXIT_OK) code = show_cluster(options, cluster);
	hy_sched_cluster_destroy(cluster);
	return code;
}

tool_exit tool_cmd_devices(const tool_options *options)
{
	hy_hal_machine *machine = NULL;
	hy_hal_selection chosen = {0};
	hy_error error = {0};
	if (options->cluster != NULL) return show_file(options);
	tool_exit code = tool_machine_open(options, false, &machine);
	if (code != TOOL_EXIT_OK) return code;
	if (hy_hal_machine_select(machine, NULL, &chosen, &error) != HY_OK)
		code = tool_report_error(TOOL_EXIT_NO_DEVICE, &error);
	else if (tool_options_is(options->devices_format, "json"))
		code = print_json(machine, &chosen);
	else if (tool_options_is(options->devices_format, "table"))
		code = print_table(machine, &chosen, options);
	else
		code = inventory_of_machine(options, machine);
	if (code == TOOL_EXIT_OK && chosen.count == 0)
		code = tool_report(TOOL_EXIT_NO_DEVICE, "no usable device: see halyard doctor for the reason");
	hy_hal_selection_finish(&chosen);
	hy_hal_machine_close(machine);
	return code;
}
