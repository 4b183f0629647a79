/* Asking and changing a finished cluster. */
#include <halyard/cluster.h>

#include "cluster_build.h"

#include <string.h>

uint32_t hy_sched_cluster_find_node(const hy_sched_cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < cluster->node_count; i++)
		if (strcmp(cluster->nodes[i].name, name) == 0) return i;
	return HY_SCHED_CLUSTER_NONE;
}

uint32_t hy_sched_cluster_find_device(const hy_sched_cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < cluster->device_count; i++) {
		const hy_sched_cluster_device *device = &cluster->devices[i];
		if (strcmp(device->name, name) == 0) return i;
		if (cluster->node_count == 1 && strcmp(device->id, name) == 0) return i;
	}
	return HY_SCHED_CLUSTER_NONE;
}

static void set(hy_sched_number *number, double value, hy_sched_origin origin)
{
	if (value > 0) *number = (hy_sched_number){value, origin};
}

hy_status hy_sched_cluster_set_link(hy_sched_cluster *shown, uint32_t from_place, uint32_t to_place, double bytes_per_s,
                                    double latency_ns, hy_sched_origin origin, hy_error *error)
{
	hy_sched__cluster *cluster = hy_sched__cluster_of(shown);
	hy_sched_route route;
	if (from_place >= shown->place_count || to_place >= shown->place_count || from_place == to_place)
		return hy_error_set(error, HY_INVALID, "a link needs two places of the cluster");
	hy_sched_cluster_link *link = hy_sched__cluster_direct(cluster, from_place, to_place);
	if (link == NULL) {
		const hy_status status = hy_sched_cluster_route(shown, from_place, to_place, &route, error);
		if (status != HY_OK) return status;
		const hy_sched_cluster_link *widest = &shown->links[route.links[0]];
		hy_sched_cluster_link made = {.from = from_place, .to = to_place, .staged = route.copy_count > 1};
		made.bytes_per_s = (hy_sched_number){1e9 * 1048576 / hy_sched_route_ns(shown, &route, 1048576),
		                                     HY_SCHED_DEFAULT};
		made.latency_ns = (hy_sched_number){hy_sched_route_ns(shown, &route, 0), HY_SCHED_DEFAULT};
		for (uint32_t i = 0; i < route.link_count; i++)
			if (shown->links[route.links[i]].bytes_per_s.value < widest->bytes_per_s.value)
				widest = &shown->links[route.links[i]];
		memcpy(made.class_name, widest->class_name, sizeof(made.class_name));
		made.channel = hy_sched__cluster_add_channel(
			cluster, hy_sched__cluster_text(cluster, "%s>%s", shown->places[from_place].name,
		                                        shown->places[to_place].name));
		if (hy_sched__cluster_add_link(cluster, &made) == HY_SCHED_CLUSTER_NONE)
			return hy_error_set(error, HY_NO_MEMORY, "no memory for a link");
		link = &cluster->links[shown->link_count - 1];
	}
	set(&link->bytes_per_s, bytes_per_s, origin);
	set(&link->latency_ns, latency_ns, origin);
	return hy_sched__cluster_index(cluster, error);
}
