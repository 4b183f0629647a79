/* Step 2: who runs which node, and in which pieces. Plain arrays in and out. */
#ifndef HY_SCHED_SEGMENTS_H
#define HY_SCHED_SEGMENTS_H

#include "plan.h"

/* Gives every node to the device wanted[node], or where that says no to the first of `order` that says yes.
 * verdicts[device]: one per node. out_device: node_count numbers.
 * Answers the first node that nobody runs, or HY_IR_NONE. */
uint32_t hy_sched__segments_assign(uint32_t node_count, uint32_t device_count, const hy_sched__verdict *const *verdicts,
                                   const uint32_t *order, const uint32_t *wanted, uint32_t *out_device);

/* The longest runs of nodes on one device. In a topological order such a run is convex: no path leaves it and comes
 * back. out_segments: room for node_count. Answers their number. */
uint32_t hy_sched__segments_cut(uint32_t node_count, const uint32_t *device, hy_sched__segment *out_segments);

#endif
