/* A plan's model and devices as a planning problem. */
#ifndef HY_SCHED_PLAN_GRAPH_H
#define HY_SCHED_PLAN_GRAPH_H

#include "candidates.h"
#include "pipeline.h"
#include "task_graph.h"

/* Owns its arrays; the pipeline problem lends them. */
typedef struct hy_sched__plan_graph {
	hy_sched__task_graph graph; /* a task per node; between devices through the host */
	hy_sched__pipeline_problem pipeline;
	uint32_t *type;
	hy_sched__link *to, *from;
	uint64_t *in_bytes, *out_bytes;
} hy_sched__plan_graph;

/* problem: times and links are taken from it; every node runs somewhere. Devices with the same times, links and memory
 * are of one type. */
hy_status hy_sched__plan_graph_init(const hy_ir_graph *model, const hy_sched__problem *problem,
                                    hy_sched__plan_graph *out_graph, hy_error *error);
void hy_sched__plan_graph_finish(hy_sched__plan_graph *graph);

#endif
