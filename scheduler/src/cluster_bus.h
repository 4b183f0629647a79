/* Links that follow from the bus: what hwloc's map says between two devices, as a class and a number. */
#ifndef HY_SCHED_CLUSTER_BUS_H
#define HY_SCHED_CLUSTER_BUS_H

#include "cluster_build.h"

/* Links devices of the cluster's one node with their hosts and each other. positions[i]: device i's index in the map, or
 * NONE. */
void hy_sched__cluster_bus(hy_sched__cluster *cluster, const hy_hal_map *map, const uint32_t *positions);

#endif
