/* A planning problem as plain arrays: tasks, what they cost on each device, and what goes between them. */
#ifndef HY_SCHED_TASK_GRAPH_H
#define HY_SCHED_TASK_GRAPH_H

#include <halyard/hal.h>

#define HY_SCHED__LINK_WIDE UINT32_MAX /* transfers do not wait for each other */

/* A value that goes from one task to a later one. */
typedef struct hy_sched__edge {
	uint32_t from, to; /* from < to: tasks are numbered in a topological order */
	uint32_t value; /* edges of one value leave one task with the same bytes, which go to each device once */
	uint64_t bytes; /* 0: only the order matters */
} hy_sched__edge;

typedef struct hy_sched__task_graph {
	uint32_t task_count, edge_count, device_count, value_count, link_count;
	double *time_ns; /* task_count rows of device_count; INFINITY where a device can't */
	hy_sched__edge *edges; /* sorted by from, then to */
	/* device_count rows of device_count, from row to column. A transfer holds its link for latency_ns + bytes *
	 * ns_per_byte; pairs with the same number share the link, and
	 * HY_SCHED__LINK_WIDE is no link to wait for. The diagonal is free. */
	double *latency_ns, *ns_per_byte;
	uint32_t *link;
	uint64_t *memory_bytes; /* per task, for as long as the plan is loaded */
	uint64_t *capacity_bytes; /* per device; 0: unknown */
	uint32_t *out_first; /* task_count + 1: edges[out_first[t]] and on leave task t */
	uint32_t *in_first, *in; /* task_count + 1; edges[in[in_first[t]]] and on enter task t */
} hy_sched__task_graph;

/* Allocates the arrays, zeroed, with a link for each pair of devices. The caller fills them, then calls _index. */
hy_status hy_sched__task_graph_init(uint32_t task_count, uint32_t edge_count, uint32_t device_count,
                                    hy_sched__task_graph *out_graph, hy_error *error);
void hy_sched__task_graph_finish(hy_sched__task_graph *graph);
/* Sorts the edges, fills out_first, in_first and in, and checks the rules above. Fails: INVALID, naming the edge or
 * task. */
hy_status hy_sched__task_graph_index(hy_sched__task_graph *graph, hy_error *error);

/* Time of a transfer alone. */
double hy_sched__task_graph_transfer_ns(const hy_sched__task_graph *graph, uint32_t from, uint32_t to, uint64_t bytes);

/* All tasks so that each comes behind those it waits for, and of those that may come next the one with the least key. */
hy_status hy_sched__task_graph_line(const hy_sched__task_graph *graph, const double *key, uint32_t *out_order,
                                    hy_error *error);

/* Whether tasks with the same group number can run as one program each: no path leaves a group and comes back, directly
 * or through other groups. group: one number per task, below group_count. *out_cyclic is then UINT32_MAX, else
 * a group on a cycle. */
hy_status hy_sched__task_graph_convex(const hy_sched__task_graph *graph, uint32_t group_count, const uint32_t *group,
                                      uint32_t *out_cyclic, hy_error *error);

/* A task's device each, and who goes first. */
typedef struct hy_sched__placement {
	uint32_t *device; /* per task; owned */
	uint32_t *order; /* tasks by priority, a topological order; owned */
	double makespan_ns; /* INFINITY: none was found */
} hy_sched__placement;

hy_status hy_sched__placement_init(uint32_t task_count, hy_sched__placement *out_placement, hy_error *error);
void hy_sched__placement_finish(hy_sched__placement *placement);
void hy_sched__placement_copy(uint32_t task_count, const hy_sched__placement *placement, hy_sched__placement *target);

#endif
