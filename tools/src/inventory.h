/* The devices of a cluster in the words of the systems that hand them out. Nodes: one, or all (NONE). CPUs are left out:
 * those systems count them by themselves. */
#ifndef TOOL_INVENTORY_H
#define TOOL_INVENTORY_H

#include <halyard/halyard.h>

#include <stdio.h>

/* Lines of gres.conf, one per device and group of equal nodes; what slurm.conf needs is a comment above them. */
void tool_inventory_slurm(const hy_sched_cluster *cluster, uint32_t node, FILE *out);
/* A file of features.d for Node Feature Discovery; of one node. */
void tool_inventory_nfd(const hy_sched_cluster *cluster, uint32_t node, FILE *out);
/* ResourceSlices for Kubernetes' Dynamic Resource Allocation, one document for each 128 devices of a node. */
void tool_inventory_dra(const hy_sched_cluster *cluster, uint32_t node, FILE *out);

/* Whether a device is one that is handed out. */
static inline bool tool_inventory_has(const hy_sched_cluster *cluster, const hy_sched_cluster_device *device)
{
	return cluster->types[device->type].kind != HY_KIND_CPU;
}

/* text with what is no letter, digit, '-', '_' or '.' as '-', at most 63 bytes, ends cut to letters and digits. */
const char *tool_inventory_label(const char *text, char *label, size_t length);

#endif
