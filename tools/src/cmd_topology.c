/* halyard topology: what of the machine this process may use, and what lies between devices and memories, of this
 * machine or of a file. */
#include "cluster_options.h"
#include "cmd.h"
#include "machine.h"
#include "print.h"
#include "report.h"
#include "topology_draw.h"
#include "topology_store.h"
#include "ways.h"

#include <stdio.h>
#include <stdlib.h>

/* "0-3,8": OS numbers as taskset writes them; cut at length. */
static const char *core_list(const hy_hal_topology_info *info, char *text, size_t length)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < info->allowed_count && used + 24 < length; i++) {
		uint32_t last = i;
		while (last + 1 < info->allowed_count && info->allowed[last + 1] == info->allowed[last] + 1)
			last++;
		used += (size_t)snprintf(text + used, length - used, last == i ? "%s%u" : "%s%u-%u", i > 0 ? "," : "",
		                         info->allowed[i], info->allowed[last]);
		i = last;
	}
	return text;
}

static json_t *machine_json(const hy_hal_topology_info *info)
{
	json_t *const allowed = json_array();
	for (uint32_t i = 0; i < info->allowed_count; i++)
		json_array_append_new(allowed, json_integer(info->allowed[i]));
	return json_pack("{ss ss si si si si so sf sI sI sI}", "schema", "halyard.topology/v1", "cpu_model",
	                 info->cpu_model, "packages", info->package_count, "numa_nodes", info->numa_count, "cores",
	                 info->core_count, "processing_units", info->pu_count, "allowed", allowed, "cpu_quota_cores",
	                 info->cpu_quota, "memory_bytes", (json_int_t)info->memory_bytes, "l2_bytes",
	                 (json_int_t)info->l2_bytes, "l3_bytes", (json_int_t)info->l3_bytes);
}

static void print_machine(const hy_hal_topology_info *info)
{
	char text[256];
	printf("processor   %s\n", info->cpu_model);
	printf("cores       %u in %u package%s, %u NUMA node%s, %u processing units\n", info->core_count,
	       info->package_count, info->package_count == 1 ? "" : "s", info->numa_count,
	       info->numa_count == 1 ? "" : "s", info->pu_count);
	printf("allowed     %u core%s: %s\n", info->allowed_count, info->allowed_count == 1 ? "" : "s",
	       core_list(info, text, sizeof(text)));
	if (info->cpu_quota > 0) printf("quota       %.2f cores' worth of time (cgroup cpu.max)\n", info->cpu_quota);
	printf("memory      %s\n", tool_print_bytes(info->memory_bytes, text, sizeof(text)));
	printf("caches      L2 %s", tool_print_bytes(info->l2_bytes, text, sizeof(text)));
	printf(", L3 %s\n", tool_print_bytes(info->l3_bytes, text, sizeof(text)));
}

/* ---- the ways of a node ---- */

static json_t *way_json(const tool_ways *ways, uint32_t from, uint32_t to)
{
	const tool_way *const way = &ways->ways[from * ways->count + to];
	json_t *const object = json_pack("{ss ss}", "from", ways->ends[from].name, "to", ways->ends[to].name);
	if (way->none) {
		json_object_set_new(object, "class", json_null());
		return object;
	}
	json_object_update_new(object, json_pack("{ss sf sf ss ss sb}", "class", way->class_name, "bytes_per_s",
	                                         way->bytes_per_s, "latency_ns", way->latency_ns, "origin",
	                                         tool_ways_origin(way->origin), "latency_origin",
	                                         tool_ways_origin(way->latency_origin), "staged", way->staged));
	return object;
}

static json_t *ends_json(const tool_ways *ways)
{
	const hy_sched_cluster *const cluster = ways->cluster;
	const hy_sched_cluster_node *const node = &cluster->nodes[ways->node];
	json_t *const devices = json_array();
	for (uint32_t i = 0; i < node->device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[node->first_device + i];
		json_array_append_new(devices, json_pack("{ss ss ss ss si s? s?}", "id", device->id, "type",
		                                         cluster->types[device->type].name, "model",
		                                         cluster->types[device->type].model, "memory",
		                                         cluster->places[device->place].name, "numa", device->numa,
		                                         "pci", device->pci, "cores", device->cores));
	}
	return devices;
}

static tool_exit print_json(const hy_hal_topology_info *info, const tool_ways *ways)
{
	json_t *const object = info != NULL ? machine_json(info) : json_pack("{ss}", "schema", "halyard.topology/v1");
	json_t *const list = json_array();
	for (uint32_t i = 0; i < ways->count; i++)
		for (uint32_t j = 0; j < ways->count; j++)
			if (!ways->ways[i * ways->count + j].same) json_array_append_new(list, way_json(ways, i, j));
	json_object_set_new(object, "cluster", json_string(ways->cluster->name));
	json_object_set_new(object, "node", json_string(ways->cluster->nodes[ways->node].name));
	json_object_set_new(object, "devices", ends_json(ways));
	json_object_set_new(object, "ways", list);
	return tool_json_print(object);
}

static void add_way(tool_table *table, const tool_way *way)
{
	if (way->same || way->none)
		tool_table_cell(table, "%s", way->same ? "-" : "none");
	else
		tool_table_cell(table, "%-4s %.3g %c%s", way->class_name, way->bytes_per_s * 1e-9,
		                tool_ways_origin(way->origin)[0], way->staged ? "s" : "");
}

static tool_exit print_matrix(const tool_ways *ways)
{
	char legend[16][64];
	tool_column *const columns = calloc(ways->count + 1, sizeof(*columns));
	if (columns == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	columns[0].name = "from \\ to";
	for (uint32_t i = 0; i < ways->count; i++)
		columns[i + 1].name = ways->ends[i].name;
	tool_table *const table = tool_table_create(ways->count + 1, columns);
	for (uint32_t i = 0; i < ways->count; i++) {
		tool_table_line(table);
		tool_table_cell(table, "%s", ways->ends[i].name);
		for (uint32_t j = 0; j < ways->count; j++)
			add_way(table, &ways->ways[i * ways->count + j]);
	}
	const tool_exit code = tool_table_print(table);
	free(columns);
	puts("class and GB/s: m measured, g given, d default of the class; s staged through the host; - the same "
	     "memory");
	const uint32_t lines = tool_ways_legend(ways, 16, legend);
	for (uint32_t i = 0; i < lines; i++)
		printf("%s%s", legend[i], i + 1 < lines ? " · " : "\n");
	return code;
}

static tool_exit print_csv(const tool_ways *ways)
{
	puts("from,to,class,bytes_per_s,latency_ns,origin,latency_origin,staged");
	for (uint32_t i = 0; i < ways->count * ways->count; i++) {
		const tool_way *const way = &ways->ways[i];
		if (way->same || way->none) continue;
		printf("%s,%s,%s,%.6g,%.6g,%s,%s,%s\n", ways->ends[i / ways->count].name,
		       ways->ends[i % ways->count].name, way->class_name, way->bytes_per_s, way->latency_ns,
		       tool_ways_origin(way->origin), tool_ways_origin(way->latency_origin),
		       way->staged ? "yes" : "no");
	}
	return TOOL_EXIT_OK;
}

static tool_exit print_hwloc(const char *source)
{
	hy_hal_map *map = NULL;
	hy_error error = {0};
	char *xml = NULL;
	hy_status status = hy_hal_map_open(source, &map, &error);
	if (status == HY_OK) status = hy_hal_map_export(map, &xml, &error);
	if (status == HY_OK) fputs(xml, stdout);
	free(xml);
	hy_hal_map_close(map);
	return status == HY_OK ? TOOL_EXIT_OK : tool_report_error(TOOL_EXIT_CONFIGURATION, &error);
}

/* ---- the command ---- */

/* What is looked at: a cluster, and the machine when it is this one. */
typedef struct scene {
	hy_hal_machine *machine; /* NULL: only a file */
	hy_sched_cluster *cluster;
	uint32_t node;
} scene;

static tool_exit open_machine(const tool_options *options, scene *s)
{
	hy_error error = {0};
	char name[128];
	const tool_exit code = tool_machine_open(options, false, &s->machine);
	if (code != TOOL_EXIT_OK || options->from != NULL) return code;
	const hy_status status = hy_sched_cluster_from_machine(
		s->machine, options->device, tool_cluster_host(name, sizeof(name)), &s->cluster, &error);
	if (status == HY_OK) return TOOL_EXIT_OK;
	return tool_report_error(status == HY_INVALID ? TOOL_EXIT_USAGE : TOOL_EXIT_NO_DEVICE, &error);
}

static bool is_measured(const hy_sched_cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->link_count; i++)
		if (cluster->links[i].bytes_per_s.origin == HY_SCHED_MEASURED) return true;
	return false;
}

static tool_exit measure(const tool_options *options, scene *s)
{
	char path[600];
	hy_error error = {0};
	if (!options->measure) {
		if (s->machine != NULL) (void)tool_topology_recall(s->machine, s->cluster, s->node);
		return TOOL_EXIT_OK;
	}
	if (hy_sched_cluster_measure(s->cluster, s->node, s->machine, tool_progress, (void *)(uintptr_t)options,
	                             &error) != HY_OK)
		return tool_report_error(error.status == HY_NOT_FOUND ? TOOL_EXIT_NO_DEVICE : TOOL_EXIT_DEVICE, &error);
	if (!is_measured(s->cluster))
		tool_note(options, "nothing to measure: every device here computes in the host's memory");
	else if (options->from == NULL && options->device == NULL &&
	         tool_topology_store(s->machine, s->cluster, s->node, path, sizeof(path)))
		tool_note(options, "kept for the next time: %s", path);
	return TOOL_EXIT_OK;
}

static tool_exit show(const tool_options *options, const scene *s)
{
	hy_error error = {0};
	tool_ways ways = {0};
	const hy_hal_topology_info *const info = options->from == NULL ? hy_hal_machine_topology(s->machine) : NULL;
	const bool whole = options->at_node == NULL && s->cluster->node_count > 1;
	tool_exit code = TOOL_EXIT_OK;
	if (tool_options_is(options->topology_format, "dot")) {
		tool_topology_dot(s->cluster, whole ? HY_SCHED_CLUSTER_NONE : s->node);
		return TOOL_EXIT_OK;
	}
	if (tool_ways_init(s->cluster, s->node, &ways, &error) != HY_OK) return tool_report_error(TOOL_EXIT_NO, &error);
	if (tool_options_is(options->topology_format, "json")) {
		code = print_json(info, &ways);
	} else if (tool_options_is(options->topology_format, "csv")) {
		code = print_csv(&ways);
	} else if (tool_options_is(options->topology_format, "svg")) {
		tool_topology_svg(&ways);
	} else {
		if (info != NULL) print_machine(info);
		if (info != NULL) putchar('\n');
		code = print_matrix(&ways);
	}
	tool_ways_finish(&ways);
	return code;
}

tool_exit tool_cmd_topology(const tool_options *options)
{
	scene s = {0};
	tool_exit code = TOOL_EXIT_OK;
	if (tool_options_is(options->topology_format, "hwloc")) return print_hwloc(options->from);
	if (options->from != NULL) code = tool_cluster_open(options->from, &s.cluster);
	if (code == TOOL_EXIT_OK && (options->from == NULL || options->measure)) code = open_machine(options, &s);
	if (code == TOOL_EXIT_OK) code = tool_cluster_node(options, s.cluster, options->at_node, &s.node);
	if (code == TOOL_EXIT_OK) code = measure(options, &s);
	if (code == TOOL_EXIT_OK) code = show(options, &s);
	hy_sched_cluster_destroy(s.cluster);
	hy_hal_machine_close(s.machine);
	return code;
}
