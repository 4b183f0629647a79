/* Measured links as JSON: topology.json in the cache folder, replaced as a whole. */
#include "topology_store.h"

#include "machine.h"
#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What must be the same for a measurement to hold: the processor, and every device with its model and driver. */
static json_t *key_of(const hy_hal_machine *machine)
{
	json_t *const key = json_array();
	json_array_append_new(key, json_string(hy_hal_machine_topology(machine)->cpu_model));
	for (uint32_t i = 0; i < hy_hal_machine_device_count(machine); i++) {
		const hy_hal_device_info *const device = hy_hal_machine_device(machine, i);
		json_array_append_new(
			key, json_pack("[ssss]", device->id, device->uri, device->info.name, device->info.driver));
	}
	return key;
}

/* "" without a folder. */
static void path_of(char *path, size_t length)
{
	char folder[512];
	tool_machine_cache_dir(folder, sizeof(folder));
	if (folder[0] == '\0' || strlen(folder) + 16 > length)
		path[0] = '\0';
	else
		snprintf(path, length, "%s/topology.json", folder);
	if (path[0] != '\0') (void)mkdir(folder, 0700); /* writing says whether it is there */
}

/* A place by its name without the node's. */
static const char *short_name(const hy_sched_cluster *cluster, uint32_t place)
{
	return strchr(cluster->places[place].name, '/') + 1;
}

static bool is_of(const hy_sched_cluster *cluster, const hy_sched_cluster_link *link, uint32_t node)
{
	return cluster->places[link->from].node == node && cluster->places[link->to].node == node;
}

bool tool_topology_store(const hy_hal_machine *machine, const hy_sched_cluster *cluster, uint32_t node, char *path,
                         size_t length)
{
	char other[640];
	json_t *const links = json_array();
	path_of(path, length);
	for (uint32_t i = 0; i < cluster->link_count; i++) {
		const hy_sched_cluster_link *const link = &cluster->links[i];
		if (link->bytes_per_s.origin != HY_SCHED_MEASURED || !is_of(cluster, link, node)) continue;
		json_array_append_new(links, json_pack("{ss ss sf sf}", "from", short_name(cluster, link->from), "to",
		                                       short_name(cluster, link->to), "bytes_per_s",
		                                       link->bytes_per_s.value, "latency_ns", link->latency_ns.value));
	}
	json_t *const whole = json_pack("{ss so so}", "schema", "halyard.links/v1", "key", key_of(machine), "links",
	                                links);
	if (path[0] == '\0' || whole == NULL) {
		json_decref(whole);
		return false;
	}
	snprintf(other, sizeof(other), "%.600s.%ld", path, (long)getpid());
	const bool written = json_dump_file(whole, other, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 &&
	                     rename(other, path) == 0;
	if (!written) (void)unlink(other);
	json_decref(whole);
	return written;
}

static uint32_t place_of(const hy_sched_cluster *cluster, uint32_t node, const char *name)
{
	for (uint32_t i = 0; name != NULL && i < cluster->place_count; i++)
		if (cluster->places[i].node == node && strcmp(short_name(cluster, i), name) == 0) return i;
	return HY_SCHED_CLUSTER_NONE;
}

uint32_t tool_topology_recall(const hy_hal_machine *machine, hy_sched_cluster *cluster, uint32_t node)
{
	char path[600];
	uint32_t count = 0;
	size_t i;
	json_t *link;
	path_of(path, sizeof(path));
	json_t *const whole = path[0] == '\0' ? NULL : json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	json_t *const key = key_of(machine);
	if (whole != NULL && json_equal(json_object_get(whole, "key"), key)) {
		json_array_foreach(json_object_get(whole, "links"), i, link)
		{
			const uint32_t from = place_of(cluster, node, json_string_value(json_object_get(link, "from")));
			const uint32_t to = place_of(cluster, node, json_string_value(json_object_get(link, "to")));
			const double rate = json_number_value(json_object_get(link, "bytes_per_s"));
			const double latency = json_number_value(json_object_get(link, "latency_ns"));
			if (from == HY_SCHED_CLUSTER_NONE || to == HY_SCHED_CLUSTER_NONE || !(rate > 0 && rate < 1e16))
				continue;
			count += hy_sched_cluster_set_link(cluster, from, to, rate, latency, HY_SCHED_MEASURED, NULL) ==
			         HY_OK;
		}
	}
	json_decref(whole);
	json_decref(key);
	return count;
}
