/* Node Feature Discovery: one label a line. */
#include "inventory.h"

#include "ways.h"

#include <ctype.h>
#include <string.h>

const char *tool_inventory_label(const char *text, char *label, size_t length)
{
	size_t used = 0;
	while (*text != '\0' && !isalnum((unsigned char)*text))
		text++;
	for (; *text != '\0' && used + 1 < length && used < 63; text++)
		label[used++] = isalnum((unsigned char)*text) || strchr("-_.", *text) != NULL ? *text : '-';
	while (used > 0 && !isalnum((unsigned char)label[used - 1]))
		used--;
	label[used] = '\0';
	return label;
}

/* Who made it: the vendor, or the plugin when that is not known. */
static const char *maker(const hy_sched_cluster_type *type)
{
	return type->vendor[0] != '\0' ? type->vendor : type->plugin;
}

static bool is_mixed(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node)
{
	const char *first = NULL;
	for (uint32_t i = 0; i < node->device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[node->first_device + i];
		if (!tool_inventory_has(cluster, device)) continue;
		if (first != NULL && strcmp(first, maker(&cluster->types[device->type])) != 0) return true;
		first = maker(&cluster->types[device->type]);
	}
	return false;
}

/* The widest way between two devices, bytes per second. */
static double widest(const hy_sched_cluster *cluster, uint32_t node)
{
	tool_ways ways;
	double most = 0;
	if (tool_ways_init(cluster, node, &ways, NULL) != HY_OK) return 0;
	for (uint32_t i = 0; i < cluster->nodes[node].device_count; i++)
		for (uint32_t j = 0; j < cluster->nodes[node].device_count; j++)
			if (ways.ways[i * ways.count + j].bytes_per_s > most)
				most = ways.ways[i * ways.count + j].bytes_per_s;
	tool_ways_finish(&ways);
	return most;
}

static void put_plugin(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node, uint32_t index, FILE *out)
{
	const hy_sched_cluster_device *const devices = cluster->devices + node->first_device;
	const hy_sched_cluster_type *const type = &cluster->types[devices[index].type];
	char model[64];
	uint32_t count = 0, before = 0;
	for (uint32_t i = 0; i < node->device_count; i++) {
		const bool same = strcmp(cluster->types[devices[i].type].plugin, type->plugin) == 0 &&
		                  tool_inventory_has(cluster, &devices[i]);
		count += same;
		before += same && i < index;
	}
	if (before > 0) return; /* told with the first of its plugin, whose model it is */
	fprintf(out, "halyard.dev/%s.count=%u\n", type->plugin, count);
	tool_inventory_label(type->model, model, sizeof(model));
	if (model[0] != '\0') fprintf(out, "halyard.dev/%s.model=%s\n", type->plugin, model);
	if (type->memory_bytes.value > 0)
		fprintf(out, "halyard.dev/%s.memory-mib=%.0f\n", type->plugin, type->memory_bytes.value / 1048576);
}

void tool_inventory_nfd(const hy_sched_cluster *cluster, uint32_t node, FILE *out)
{
	const hy_sched_cluster_node *const n = &cluster->nodes[node];
	const double most = widest(cluster, node);
	fprintf(out, "# features of %s, written by halyard devices -o nfd\n", n->name);
	for (uint32_t i = 0; i < n->device_count; i++)
		if (tool_inventory_has(cluster, &cluster->devices[n->first_device + i])) put_plugin(cluster, n, i, out);
	if (most > 0) fprintf(out, "# gigabits per second, of the widest way between two devices\n");
	if (most > 0) fprintf(out, "halyard.dev/link.max-bandwidth-gbps=%.0f\n", most * 8e-9);
	fprintf(out, "halyard.dev/mixed-vendor=%s\n", is_mixed(cluster, n) ? "true" : "false");
}
