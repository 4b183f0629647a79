/* A planning problem as plain arrays, and whether groups of its tasks are programs. */
#include "task_graph.h"

#include "heap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TASKS (1u << 24)
#define MOST_DEVICES (1u << 12)

static hy_status out_of_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
}

hy_status hy_sched__task_graph_init(uint32_t task_count, uint32_t edge_count, uint32_t device_count,
                                    hy_sched__task_graph *out_graph, hy_error *error)
{
	if (task_count == 0 || task_count > MOST_TASKS || edge_count > MOST_TASKS || device_count == 0 ||
	    device_count > MOST_DEVICES)
		return hy_error_set(error, HY_INVALID, "planning: %u tasks, %u edges, %u devices: none, or too many",
		                    task_count, edge_count, device_count);
	const size_t pairs = (size_t)device_count * device_count;
	hy_sched__task_graph graph = {
		.task_count = task_count,
		.edge_count = edge_count,
		.device_count = device_count,
		.link_count = (uint32_t)pairs,
		.time_ns = calloc((size_t)task_count * device_count, sizeof(double)),
		.edges = calloc((size_t)edge_count + 1, sizeof(hy_sched__edge)),
		.latency_ns = calloc(pairs, sizeof(double)),
		.ns_per_byte = calloc(pairs, sizeof(double)),
		.link = calloc(pairs, sizeof(uint32_t)),
		.memory_bytes = calloc(task_count, sizeof(uint64_t)),
		.capacity_bytes = calloc(device_count, sizeof(uint64_t)),
		.out_first = calloc((size_t)task_count + 1, sizeof(uint32_t)),
		.in_first = calloc((size_t)task_count + 1, sizeof(uint32_t)),
		.in = calloc((size_t)edge_count + 1, sizeof(uint32_t)),
	};
	if (!graph.time_ns || !graph.edges || !graph.latency_ns || !graph.ns_per_byte || !graph.link ||
	    !graph.memory_bytes || !graph.capacity_bytes || !graph.out_first || !graph.in_first || !graph.in) {
		hy_sched__task_graph_finish(&graph);
		return out_of_memory(error);
	}
	for (uint32_t i = 0; i < graph.link_count; i++)
		graph.link[i] = i;
	*out_graph = graph;
	return HY_OK;
}

void hy_sched__task_graph_finish(hy_sched__task_graph *graph)
{
	free(graph->time_ns);
	free(graph->edges);
	free(graph->latency_ns);
	free(graph->ns_per_byte);
	free(graph->link);
	free(graph->memory_bytes);
	free(graph->capacity_bytes);
	free(graph->out_first);
	free(graph->in_first);
	free(graph->in);
	memset(graph, 0, sizeof(*graph));
}

static int compare_edges(const void *a, const void *b)
{
	const hy_sched__edge *x = a, *y = b;
	if (x->from != y->from) return x->from < y->from ? -1 : 1;
	if (x->to != y->to) return x->to < y->to ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

static hy_status check(const hy_sched__task_graph *graph, hy_error *error)
{
	for (uint32_t e = 0; e < graph->edge_count; e++) {
		const hy_sched__edge *edge = &graph->edges[e];
		if (edge->from >= edge->to || edge->to >= graph->task_count || edge->value >= graph->edge_count)
			return hy_error_set(error, HY_INVALID,
			                    "planning: edge %u goes from task %u to %u with value %u: tasks are "
			                    "numbered in order, values below %u",
			                    e, edge->from, edge->to, edge->value, graph->edge_count);
	}
	for (uint32_t t = 0; t < graph->task_count; t++) {
		bool runs = false;
		for (uint32_t d = 0; d < graph->device_count; d++) {
			const double ns = graph->time_ns[(size_t)t * graph->device_count + d];
			if (!(ns >= 0)) return hy_error_set(error, HY_INVALID, "planning: task %u takes %f ns", t, ns);
			runs |= isfinite(ns);
		}
		if (!runs) return hy_error_set(error, HY_INVALID, "planning: no device runs task %u", t);
	}
	for (uint32_t i = 0; i < graph->device_count * graph->device_count; i++)
		if ((graph->link[i] >= graph->link_count && graph->link[i] != HY_SCHED__LINK_WIDE) ||
		    !(graph->latency_ns[i] >= 0) || !(graph->ns_per_byte[i] >= 0))
			return hy_error_set(error, HY_INVALID, "planning: no such link from device %u to %u",
			                    i / graph->device_count, i % graph->device_count);
	return HY_OK;
}

hy_status hy_sched__task_graph_index(hy_sched__task_graph *graph, hy_error *error)
{
	const hy_status status = check(graph, error);
	if (status != HY_OK) return status;
	for (uint32_t d = 0; d < graph->device_count; d++)
		graph->latency_ns[(size_t)d * graph->device_count +
		                  d] = graph->ns_per_byte[(size_t)d * graph->device_count + d] = 0;
	qsort(graph->edges, graph->edge_count, sizeof(*graph->edges), compare_edges);
	memset(graph->out_first, 0, ((size_t)graph->task_count + 1) * sizeof(*graph->out_first));
	memset(graph->in_first, 0, ((size_t)graph->task_count + 1) * sizeof(*graph->in_first));
	graph->value_count = 0;
	for (uint32_t e = 0; e < graph->edge_count; e++) {
		const hy_sched__edge *edge = &graph->edges[e];
		graph->out_first[edge->from + 1]++;
		graph->in_first[edge->to + 1]++;
		if (edge->value >= graph->value_count) graph->value_count = edge->value + 1;
	}
	for (uint32_t t = 0; t < graph->task_count; t++) {
		graph->out_first[t + 1] += graph->out_first[t];
		graph->in_first[t + 1] += graph->in_first[t];
	}
	/* in_first moves while `in` is filled, and is moved back. */
	for (uint32_t e = 0; e < graph->edge_count; e++)
		graph->in[graph->in_first[graph->edges[e].to]++] = e;
	for (uint32_t t = graph->task_count; t > 0; t--)
		graph->in_first[t] = graph->in_first[t - 1];
	graph->in_first[0] = 0;
	return HY_OK;
}

double hy_sched__task_graph_transfer_ns(const hy_sched__task_graph *graph, uint32_t from, uint32_t to, uint64_t bytes)
{
	const size_t at = (size_t)from * graph->device_count + to;
	return from == to || bytes == 0 ? 0 : graph->latency_ns[at] + (double)bytes * graph->ns_per_byte[at];
}

hy_status hy_sched__task_graph_line(const hy_sched__task_graph *graph, const double *key, uint32_t *out_order,
                                    hy_error *error)
{
	uint32_t *missing = malloc(graph->task_count * sizeof(*missing));
	hy_sched__heap ready = {malloc(graph->task_count * sizeof(*ready.items)), 0};
	hy_status status = HY_OK;
	if (missing == NULL || ready.items == NULL) {
		status = out_of_memory(error);
		goto done;
	}
	for (uint32_t t = 0; t < graph->task_count; t++) {
		missing[t] = graph->in_first[t + 1] - graph->in_first[t];
		if (missing[t] == 0) hy_sched__heap_push(&ready, key[t], t);
	}
	for (uint32_t i = 0; ready.count > 0; i++) {
		const uint32_t task = out_order[i] = hy_sched__heap_pop(&ready).number;
		for (uint32_t e = graph->out_first[task]; e < graph->out_first[task + 1]; e++) {
			const uint32_t to = graph->edges[e].to;
			if (--missing[to] == 0) hy_sched__heap_push(&ready, key[to], to);
		}
	}
done:
	free(missing);
	free(ready.items);
	return status;
}

hy_status hy_sched__task_graph_convex(const hy_sched__task_graph *graph, uint32_t group_count, const uint32_t *group,
                                      uint32_t *out_cyclic, hy_error *error)
{
	/* Kahn on the groups: rows of edges between them are walked through their tasks, so none is stored. */
	uint32_t *waiting = calloc((size_t)group_count + 1, sizeof(*waiting));
	uint32_t *ready = malloc(((size_t)group_count + 1) * sizeof(*ready));
	uint32_t *first = calloc((size_t)group_count + 2, sizeof(*first));
	uint32_t *members = malloc((size_t)graph->task_count * sizeof(*members));
	hy_status status = HY_OK;
	uint32_t ready_count = 0, done = 0, cyclic = UINT32_MAX;
	if (waiting == NULL || ready == NULL || first == NULL || members == NULL) {
		status = out_of_memory(error);
		goto done;
	}
	for (uint32_t t = 0; t < graph->task_count; t++)
		first[group[t] + 2]++;
	for (uint32_t g = 0; g < group_count; g++)
		first[g + 2] += first[g + 1];
	for (uint32_t t = 0; t < graph->task_count; t++)
		members[first[group[t] + 1]++] = t;
	for (uint32_t e = 0; e < graph->edge_count; e++)
		if (group[graph->edges[e].from] != group[graph->edges[e].to]) waiting[group[graph->edges[e].to]]++;
	for (uint32_t g = 0; g < group_count; g++)
		if (waiting[g] == 0) ready[ready_count++] = g;
	for (; done < ready_count; done++) {
		const uint32_t g = ready[done];
		for (uint32_t m = first[g]; m < first[g + 1]; m++)
			for (uint32_t e = graph->out_first[members[m]]; e < graph->out_first[members[m] + 1]; e++) {
				const uint32_t to = group[graph->edges[e].to];
				if (to != g && --waiting[to] == 0) ready[ready_count++] = to;
			}
	}
	for (uint32_t g = 0; g < group_count && cyclic == UINT32_MAX; g++)
		if (waiting[g] > 0) cyclic = g;
	*out_cyclic = cyclic;
done:
	free(waiting);
	free(ready);
	free(first);
	free(members);
	return status;
}

hy_status hy_sched__placement_init(uint32_t task_count, hy_sched__placement *out_placement, hy_error *error)
{
	hy_sched__placement placement = {.device = calloc(task_count, sizeof(uint32_t)),
	                                 .order = calloc(task_count, sizeof(uint32_t)),
	                                 .makespan_ns = INFINITY};
	if (placement.device == NULL || placement.order == NULL) {
		hy_sched__placement_finish(&placement);
		return out_of_memory(error);
	}
	*out_placement = placement;
	return HY_OK;
}

void hy_sched__placement_finish(hy_sched__placement *placement)
{
	free(placement->device);
	free(placement->order);
	memset(placement, 0, sizeof(*placement));
}

void hy_sched__placement_copy(uint32_t task_count, const hy_sched__placement *placement, hy_sched__placement *target)
{
	memcpy(target->device, placement->device, task_count * sizeof(*target->device));
	memcpy(target->order, placement->order, task_count * sizeof(*target->order));
	target->makespan_ns = placement->makespan_ns;
}
