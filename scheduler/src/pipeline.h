/* Streams of requests: runs of tasks in a line, each run on a device, and lines side by side. */
#ifndef HY_SCHED_PIPELINE_H
#define HY_SCHED_PIPELINE_H

#include "plan.h"
#include "task_graph.h"

/* Devices of one type cost the same; values between devices go through the host. Arrays are lent. */
typedef struct hy_sched__pipeline_problem {
	const hy_sched__task_graph *graph; /* its links are not looked at */
	uint32_t type_count;
	const uint32_t *type; /* per device */
	const hy_sched__link *to, *from; /* per type: from and to the host; NULL: free */
	const uint64_t *in_bytes, *out_bytes; /* per task: from and to the caller; NULL: nothing */
	uint32_t depth; /* requests in flight per device, whose values it holds */
} hy_sched__pipeline_problem;

/* One stage per device and stream. */
typedef struct hy_sched__pipelines {
	double item_ns; /* between answers of all streams together; INFINITY: nothing fits */
	uint32_t stream_count;
	uint32_t *stream_first; /* stream_count + 1: stages[stream_first[s]] and on are stream s */
	double *stream_ns; /* per stream: of its slowest stage */
	hy_sched__segment *stages; /* first and count are places in order */
	uint32_t *order; /* tasks, topological */
} hy_sched__pipelines;

void hy_sched__pipelines_finish(hy_sched__pipelines *pipelines);

typedef enum hy_sched__pipeline_shape {
	HY_SCHED__PIPELINE_ONE, /* one stream over as many devices as make it faster */
	HY_SCHED__PIPELINE_GROUPS, /* streams side by side; a stream of one device is a replica */
} hy_sched__pipeline_shape;

/* The best cut of a line of tasks (order; NULL: by number). Exact while the numbers of devices per type span at most a
 * few hundred combinations and the line has at most a few hundred tasks; beyond that a stream takes fewer devices of
 * each type, and cuts are only made at the cheapest border of each stretch. */
hy_status hy_sched__pipeline_cut(const hy_sched__pipeline_problem *problem, hy_sched__pipeline_shape shape,
                                 const uint32_t *order, hy_sched__pipelines *out_pipelines, hy_error *error);

/* The best over several lines: by number, depth first, and `line_count` more at random, the later ones near the best;
 * stops after budget_ns when that is not 0. */
hy_status hy_sched__pipeline_search(const hy_sched__pipeline_problem *problem, hy_sched__pipeline_shape shape,
                                    uint32_t line_count, uint64_t budget_ns, hy_sched__pipelines *out_pipelines,
                                    hy_error *error);

#endif
