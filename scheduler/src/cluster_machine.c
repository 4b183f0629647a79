/* This machine as a cluster of one node. */
#include "cluster_bus.h"

#include <stdlib.h>
#include <string.h>

static hy_sched_number known(uint64_t value)
{
	return (hy_sched_number){(double)value, HY_SCHED_GIVEN};
}

/* The type of devices like this one: of the same plugin and model. */
static uint32_t type_of(hy_sched__cluster *cluster, const hy_hal_device_info *device)
{
	const hy_device_info *info = &device->info;
	uint32_t alike = 0;
	for (uint32_t i = 0; i < cluster->shown.type_count; i++) {
		if (strcmp(cluster->types[i].plugin, device->plugin) != 0) continue;
		if (strcmp(cluster->types[i].model, info->name) == 0) return i;
		alike++;
	}
	const hy_sched_cluster_type type = {
		.name = alike == 0 ? hy_sched__cluster_text(cluster, "%s", device->plugin)
	                           : hy_sched__cluster_text(cluster, "%s.%u", device->plugin, alike),
		.plugin = hy_sched__cluster_text(cluster, "%s", device->plugin),
		.vendor = info->pci_vendor != 0 ? hy_sched__cluster_text(cluster, "%04x", info->pci_vendor) : "",
		.model = hy_sched__cluster_text(cluster, "%s", info->name),
		.kind = info->kind,
		.in_host_memory = (info->flags & HY_DEVICE_HOST_BINDINGS) != 0,
		.memory_bytes = known(info->memory_bytes),
		.memory_bytes_per_s = known(info->memory_bytes_per_s),
		.flops_f32 = known(info->flops_f32),
		.flops_f16 = known(info->flops_f16),
		.ops_i8 = known(info->ops_i8),
		.launch_ns = {5000, HY_SCHED_DEFAULT},
	};
	return cluster->no_memory ? HY_SCHED_CLUSTER_NONE : hy_sched__cluster_add_type(cluster, &type);
}

static uint32_t position_of(const hy_hal_map *map, const char *pci)
{
	const hy_hal_map_info *info = map == NULL ? NULL : hy_hal_map_describe(map);
	for (uint32_t i = 0; info != NULL && i < info->device_count; i++)
		if (strcmp(info->devices[i].pci, pci) == 0) return i;
	return HY_SCHED_CLUSTER_NONE;
}

/* The file by which the system reaches a card, where hwloc knows it by its render node. */
static const char *file_of(hy_sched__cluster *cluster, const hy_hal_map_device *device)
{
	const char *node = strstr(device->names, "renderD");
	if (node == NULL) return NULL;
	return hy_sched__cluster_text(cluster, "/dev/dri/%.*s", (int)strcspn(node, ","), node);
}

static void add_device(hy_sched__cluster *cluster, const hy_hal_map *map, const hy_hal_device_info *device,
                       uint32_t *out_position)
{
	const hy_hal_map_info *info = map == NULL ? NULL : hy_hal_map_describe(map);
	const char *pci = device->info.pci_address;
	uint32_t numa = device->info.numa_node;
	*out_position = pci[0] != '\0' ? position_of(map, pci) : HY_SCHED_CLUSTER_NONE;
	if (numa >= cluster->nodes[0].numa_count && *out_position != HY_SCHED_CLUSTER_NONE)
		numa = info->devices[*out_position].numa;
	if (numa >= cluster->nodes[0].numa_count) numa = 0;
	const hy_sched_cluster_device added = {
		.id = hy_sched__cluster_text(cluster, "%s", device->id),
		.pci = pci[0] != '\0' ? hy_sched__cluster_text(cluster, "%s", pci) : NULL,
		.cores = info != NULL && numa < info->numa_count
	                         ? hy_sched__cluster_text(cluster, "%s", info->numas[numa].cores)
	                         : NULL,
		.file = *out_position != HY_SCHED_CLUSTER_NONE ? file_of(cluster, &info->devices[*out_position]) : NULL,
		.type = type_of(cluster, device),
		.numa = numa,
	};
	if (!cluster->no_memory) hy_sched__cluster_add_device(cluster, &added);
}

hy_status hy_sched_cluster_from_machine(const hy_hal_machine *machine, const char *selector, const char *name,
                                        hy_sched_cluster **out_cluster, hy_error *error)
{
	hy_hal_selection chosen = {0};
	hy_hal_map *map = NULL;
	uint32_t *positions = NULL;
	const hy_hal_topology_info *topology = hy_hal_machine_topology(machine);
	hy_status status = hy_hal_machine_select(machine, selector, &chosen, error);
	if (status != HY_OK) return status;
	hy_sched__cluster *cluster = hy_sched__cluster_create();
	positions = calloc(chosen.count + 1, sizeof(*positions));
	if (cluster == NULL || positions == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for the cluster");
		goto done;
	}
	if (hy_hal_map_open(NULL, &map, NULL) != HY_OK) map = NULL; /* then without a bus */
	const hy_sched_cluster_node node = {
		.name = hy_sched__cluster_text(cluster, "%s", name),
		.numa_count = map != NULL && hy_hal_map_describe(map)->numa_count > 0
	                              ? hy_hal_map_describe(map)->numa_count
	                              : 1,
		.cores = topology->core_count,
		.memory_bytes = known(topology->memory_bytes),
	};
	cluster->shown.name = node.name;
	hy_sched__cluster_add_node(cluster, &node);
	for (uint32_t i = 0; i < chosen.count && !cluster->no_memory; i++)
		add_device(cluster, map, hy_hal_machine_device(machine, chosen.items[i].device), &positions[i]);
	if (!cluster->no_memory) hy_sched__cluster_bus(cluster, map, positions);
	if (!cluster->no_memory) hy_sched__cluster_connect_rest(cluster);
	status = hy_sched__cluster_finish(cluster, out_cluster, error);
	cluster = NULL; /* given away */
done:
	hy_sched__cluster_destroy(cluster);
	free(positions);
	hy_hal_map_close(map);
	hy_hal_selection_finish(&chosen);
	return status;
}
