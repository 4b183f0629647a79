/* What no plan can beat. */
#ifndef HY_SCHED_BOUND_H
#define HY_SCHED_BOUND_H

#include "plan.h"
#include "task_graph.h"

/* Least time between answers, all devices together. node_ns: device_count rows of node_count times, HY_SCHED__NEVER
 * where a device can't. HY_SCHED__NEVER when a node runs nowhere. */
uint64_t hy_sched__bound_throughput(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns);
/* Least time of one answer when nodes run one after another: each where it is fastest, copies free. */
uint64_t hy_sched__bound_latency(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns);

/* What no placement of one request can beat. */
typedef struct hy_sched__graph_bound {
	double path_ns; /* longest path, each task and each copy on it where that is best for the path */
	double area_ns; /* all work spread over all devices */
	double block_ns; /* path, and area between tasks that every path passes, one block after the other; the largest */
	uint32_t cut_count; /* such tasks */
	uint64_t lacking_bytes; /* memory that all devices together have too little; not 0: nothing fits */
} hy_sched__graph_bound;

hy_status hy_sched__bound_graph(const hy_sched__task_graph *graph, hy_sched__graph_bound *out_bound, hy_error *error);

#endif
