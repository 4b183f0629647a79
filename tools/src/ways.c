/* Routes summed up: what a copy of many bytes gets, and by what kind of link. */
#include "ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY_BYTES 1e9

static void note_link(const hy_sched_cluster_link *link, tool_way *way, double *slowest)
{
	if (link->bytes_per_s.origin < way->origin) way->origin = link->bytes_per_s.origin;
	if (link->latency_ns.origin < way->latency_origin) way->latency_origin = link->latency_ns.origin;
	if (link->staged) way->staged = true;
	if (*slowest != 0 && link->bytes_per_s.value >= *slowest) return;
	*slowest = link->bytes_per_s.value;
	memcpy(way->class_name, link->class_name, sizeof(way->class_name));
}

static tool_way way_between(const hy_sched_cluster *cluster, const tool_end *from, const tool_end *to)
{
	tool_way way = {.origin = HY_SCHED_MEASURED, .latency_origin = HY_SCHED_MEASURED};
	hy_sched_route route;
	double slowest = 0;
	way.same = from->place == to->place;
	way.none = hy_sched_cluster_route(cluster, from->place, to->place, &route, NULL) != HY_OK;
	if (way.same || way.none) return way;
	for (uint32_t i = 0; i < route.link_count; i++)
		note_link(&cluster->links[route.links[i]], &way, &slowest);
	way.staged |= route.copy_count > 1;
	if (route.link_count > 1) /* by one host, or over more */
		snprintf(way.class_name, sizeof(way.class_name), "%s",
		         route.link_count == 2 && route.copy_count == 2 ? "NODE" : "SYS");
	way.latency_ns = hy_sched_route_ns(cluster, &route, 0);
	way.bytes_per_s = MANY_BYTES / (hy_sched_route_ns(cluster, &route, (uint64_t)MANY_BYTES) - way.latency_ns) *
	                  1e9;
	return way;
}

hy_status tool_ways_init(const hy_sched_cluster *cluster, uint32_t node, tool_ways *out_ways, hy_error *error)
{
	const hy_sched_cluster_node *const n = &cluster->nodes[node];
	tool_ways ways = {.cluster = cluster, .node = node, .count = n->device_count + n->numa_count};
	ways.ends = calloc(ways.count, sizeof(*ways.ends));
	ways.ways = calloc((size_t)ways.count * ways.count, sizeof(*ways.ways));
	if (ways.ends == NULL || ways.ways == NULL) {
		tool_ways_finish(&ways);
		return hy_error_set(error, HY_NO_MEMORY, "out of memory");
	}
	for (uint32_t i = 0; i < n->device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[n->first_device + i];
		ways.ends[i] = (tool_end){device->id, device->place};
	}
	for (uint32_t i = 0; i < n->numa_count; i++) {
		const uint32_t place = n->first_place + i;
		ways.ends[n->device_count + i] = (tool_end){strchr(cluster->places[place].name, '/') + 1, place};
	}
	for (uint32_t i = 0; i < ways.count; i++)
		for (uint32_t j = 0; j < ways.count; j++)
			ways.ways[i * ways.count + j] = way_between(cluster, &ways.ends[i], &ways.ends[j]);
	*out_ways = ways;
	return HY_OK;
}

void tool_ways_finish(tool_ways *ways)
{
	free(ways->ends);
	free(ways->ways);
	*ways = (tool_ways){0};
}

const char *tool_ways_origin(hy_sched_origin origin)
{
	static const char *const words[] = {
		[HY_SCHED_DEFAULT] = "default", [HY_SCHED_GIVEN] = "given", [HY_SCHED_MEASURED] = "measured"};
	return words[origin];
}

/* "NVLink, # bonds" with the number in place of the mark. */
static void write_meaning(const char *class_name, char *line, size_t length)
{
	const char *const meaning = hy_sched_cluster_class(class_name), *const mark = strchr(meaning, '#');
	if (mark == NULL)
		snprintf(line, length, "%s %s", class_name, meaning);
	else
		snprintf(line, length, "%s %.*s%s%s", class_name, (int)(mark - meaning), meaning,
		         class_name + strcspn(class_name, "0123456789"), mark + 1);
}

uint32_t tool_ways_legend(const tool_ways *ways, uint32_t room, char (*out_lines)[64])
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < ways->count * ways->count && count < room; i++) {
		const tool_way *const way = &ways->ways[i];
		char line[64];
		bool known = way->same || way->none;
		if (!known) write_meaning(way->class_name, line, sizeof(line));
		for (uint32_t l = 0; l < count && !known; l++)
			known = strcmp(out_lines[l], line) == 0;
		if (!known) memcpy(out_lines[count++], line, sizeof(line));
	}
	return count;
}
