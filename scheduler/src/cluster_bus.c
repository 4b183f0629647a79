/* The bus: hwloc's map turned into links. */
#include "cluster_bus.h"

#include <stdio.h>
#include <string.h>

#define PAYLOAD 0.8 /* of the speed of a PCIe link reaches the application */

static const char *class_of(hy_hal_near near)
{
	static const char *const classes[] = {
		[HY_HAL_ONE_BRIDGE] = "PIX", [HY_HAL_BRIDGES] = "PXB", [HY_HAL_HOST_BRIDGE] = "PHB",
		[HY_HAL_ONE_NUMA] = "NODE",  [HY_HAL_FAR] = "SYS",
	};
	return classes[near];
}

/* A matrix of hwloc's as a class with bonds, by its name; what one bond has is the usual of the kind. */
static const char *matrix_class(const char *name, double bytes_per_s, char *text, size_t length)
{
	static const struct {
		const char *begins, *class_name;
		double bond;
	} kinds[] = {{"NVLink", "NV", 25e9}, {"XGMI", "XG", 50e9}, {"", "C2C", 0}};
	size_t i = 0;
	while (strncmp(name, kinds[i].begins, strlen(kinds[i].begins)) != 0)
		i++;
	const double bonds = kinds[i].bond > 0 ? bytes_per_s / kinds[i].bond + 0.5 : 0;
	if (kinds[i].bond > 0)
		snprintf(text, length, "%s%u", kinds[i].class_name, bonds < 1 ? 1 : bonds > 99 ? 99 : (unsigned)bonds);
	else
		snprintf(text, length, "%s", kinds[i].class_name);
	return text;
}

static double slower(double a, double b)
{
	return a == 0 || (b > 0 && b < a) ? b : a;
}

/* From one to another; the way back may differ. */
static void link_one_way(hy_sched__cluster *cluster, uint32_t from, uint32_t to, const char *class_name,
                         hy_sched_number bytes_per_s)
{
	double bonds;
	const hy_sched__class *class = hy_sched__class_find(class_name, &bonds);
	hy_sched_cluster_link link = {.from = from, .to = to, .bytes_per_s = bytes_per_s};
	if (cluster->no_memory) return;
	if (link.bytes_per_s.value == 0) link.bytes_per_s.value = class->bytes_per_s * bonds;
	link.latency_ns = (hy_sched_number){class->latency_ns, HY_SCHED_DEFAULT};
	snprintf(link.class_name, sizeof(link.class_name), "%s", class_name);
	link.channel = hy_sched__cluster_add_channel(
		cluster,
		hy_sched__cluster_text(cluster, "%s>%s", cluster->places[from].name, cluster->places[to].name));
	hy_sched__cluster_add_link(cluster, &link);
}

static void link_pair(hy_sched__cluster *cluster, const hy_hal_map *map, uint32_t from_place, uint32_t to_place,
                      uint32_t from, uint32_t to)
{
	const hy_hal_map_device *devices = hy_hal_map_describe(map)->devices;
	const char *name;
	char text[8];
	const double own = (double)hy_hal_map_link(map, from, to, &name);
	if (own > 0) {
		link_one_way(cluster, from_place, to_place, matrix_class(name, own, text, sizeof(text)),
		             (hy_sched_number){own, HY_SCHED_GIVEN});
		return;
	}
	const hy_hal_near near = hy_hal_map_between(map, from, to);
	if (near == HY_HAL_FAR || near == HY_HAL_ONE_NUMA) return; /* by the host */
	const double way = PAYLOAD * slower((double)devices[from].bytes_per_s, (double)devices[to].bytes_per_s);
	link_one_way(cluster, from_place, to_place, class_of(near), (hy_sched_number){way, HY_SCHED_DEFAULT});
}

void hy_sched__cluster_bus(hy_sched__cluster *cluster, const hy_hal_map *map, const uint32_t *positions)
{
	const hy_sched_cluster *c = &cluster->shown;
	const hy_sched_cluster_node *node = &cluster->nodes[0];
	for (uint32_t i = 0; i < c->device_count && map != NULL && !cluster->no_memory; i++) {
		const hy_sched_cluster_device *device = &cluster->devices[i];
		if (positions[i] == HY_SCHED_CLUSTER_NONE || device->place < cluster->host_count) continue;
		const double way = PAYLOAD * (double)hy_hal_map_describe(map)->devices[positions[i]].bytes_per_s;
		hy_sched__cluster_connect(cluster, device->place, node->first_place + device->numa, "PHB", way, 0,
		                          HY_SCHED_DEFAULT);
		for (uint32_t j = 0; j < c->device_count; j++)
			if (j != i && positions[j] != HY_SCHED_CLUSTER_NONE && positions[j] != positions[i] &&
			    cluster->devices[j].place >= cluster->host_count)
				link_pair(cluster, map, device->place, cluster->devices[j].place, positions[i],
				          positions[j]);
	}
}
