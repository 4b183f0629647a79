/* Descriptions of clusters: what is refused says where; what is taken holds together, and ways end where they should. */
#include <halyard/cluster.h>

#include <stdlib.h>

static void require(int holds)
{
	if (!holds) abort();
}

static void check_route(const hy_sched_cluster *cluster, uint32_t from, uint32_t to)
{
	hy_sched_route route;
	const hy_status status = hy_sched_cluster_route(cluster, from, to, &route, NULL);
	if (status != HY_OK) {
		require(status == HY_UNSUPPORTED || status == HY_NO_MEMORY);
		return;
	}
	uint32_t at = from;
	for (uint32_t i = 0; i < route.link_count; i++) {
		require(cluster->links[route.links[i]].from == at);
		at = cluster->links[route.links[i]].to;
	}
	require(at == to);
	require(hy_sched_route_ns(cluster, &route, 1000) >= 0);
	require(route.copy_count <= 3 && (route.copy_count == 0) == (route.link_count == 0));
	require(route.copy_count == 0 || route.copy_ends[route.copy_count - 1] == route.link_count);
}

static void check_cluster(const hy_sched_cluster *cluster)
{
	require(cluster->node_count > 0 && cluster->type_count > 0);
	for (uint32_t i = 0; i < cluster->device_count; i++) {
		const hy_sched_cluster_device *device = &cluster->devices[i];
		require(device->node < cluster->node_count && device->type < cluster->type_count);
		require(device->place < cluster->place_count && cluster->places[device->place].node == device->node);
		require(hy_sched_cluster_find_device(cluster, device->name) == i);
	}
	for (uint32_t i = 0; i < cluster->link_count; i++) {
		const hy_sched_cluster_link *link = &cluster->links[i];
		require(link->from < cluster->place_count && link->to < cluster->place_count && link->from != link->to);
		require(link->channel < cluster->channel_count && link->bytes_per_s.value > 0);
		require(hy_sched_cluster_class(link->class_name) != NULL);
	}
	for (uint32_t i = 0; i < cluster->place_count && i < 8; i++)
		for (uint32_t j = 0; j < 8; j++)
			check_route(cluster, i, cluster->place_count - 1 - j % cluster->place_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	hy_sched_cluster *cluster = NULL;
	hy_sched_faults faults;
	const hy_status status = hy_sched_cluster_parse("fuzz", (const char *)data, length, &cluster, &faults, NULL);
	require((status == HY_OK) == (cluster != NULL));
	require(status != HY_INVALID || faults.count > 0);
	for (uint32_t i = 0; i < faults.count; i++)
		require(faults.items[i].line > 0 && faults.items[i].column > 0 && faults.items[i].text[0] != '\0');
	if (cluster != NULL) check_cluster(cluster);
	hy_sched_faults_finish(&faults);
	hy_sched_cluster_destroy(cluster);
	return 0;
}
