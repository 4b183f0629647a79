/* Predicted costs, for what has not been measured. */
#ifndef HY_SCHED_PRIOR_H
#define HY_SCHED_PRIOR_H

#include "plan.h"

/* Roofline time of each node of the graph on a device with that description, a tenth optimistic so that an unknown
 * device is tried. Unknown peaks count as 10 GFLOP/s and 10 GB/s. out_ns: one per node, never 0. */
void hy_sched__prior_nodes(const hy_ir_graph *graph, const hy_device_info *info, uint64_t *out_ns);

/* Scales weights so that they sum to about total. */
void hy_sched__prior_scale(uint32_t count, uint64_t *weights, uint64_t total);

#endif
