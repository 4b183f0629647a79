/* Measured links, kept for the next time. */
#ifndef TOOL_TOPOLOGY_STORE_H
#define TOOL_TOPOLOGY_STORE_H

#include <halyard/halyard.h>

/* Writes the measured links of a node to the cache folder, with a key of the machine's devices and drivers; the path
 * goes to `path`. False without a folder, or when it can't be written. */
bool tool_topology_store(const hy_hal_machine *machine, const hy_sched_cluster *cluster, uint32_t node, char *path,
                         size_t length);
/* Sets what was measured before on the same devices; answers how many links. */
uint32_t tool_topology_recall(const hy_hal_machine *machine, hy_sched_cluster *cluster, uint32_t node);

#endif
