/* Random planning problems in the shape of neural networks: blocks of one to `width` parallel branches of one to four
 * tasks, joined, with a shortcut over a third of the joins. */
#ifndef HY_TEST_DAG_H
#define HY_TEST_DAG_H

#include "task_graph.h"

#include <math.h>
#include <stdlib.h>

typedef struct dag_shape {
	uint32_t tasks, devices, width;
	double ccr; /* time of a mean value over a mean link, in mean times of a task */
	double affinity; /* 0: devices rank all tasks alike */
	uint32_t seed;
} dag_shape;

/* splitmix64, in 0..1 */
static inline double dag_drawn(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static inline uint32_t dag_below(uint64_t *random, uint32_t count)
{
	return (uint32_t)(dag_drawn(random) * count);
}

typedef struct dag_edges {
	hy_sched__edge *edges;
	uint32_t count, task_count;
} dag_edges;

static inline uint32_t dag_add(dag_edges *dag, const uint32_t *before, uint32_t before_count)
{
	for (uint32_t i = 0; i < before_count; i++) {
		const hy_sched__edge edge = {.from = before[i], .to = dag->task_count, .value = before[i]};
		dag->edges[dag->count++] = edge;
	}
	return dag->task_count++;
}

/* At most `tasks` tasks. The edges are the caller's. */
static inline dag_edges dag_blocks(const dag_shape *shape, uint64_t *random)
{
	dag_edges dag = {.edges = malloc((size_t)shape->tasks * (shape->width + 2) * sizeof(hy_sched__edge))};
	uint32_t *ends = malloc(shape->width * sizeof(*ends));
	uint32_t last = dag_add(&dag, NULL, 0);
	while (dag.task_count < shape->tasks) {
		const uint32_t branches = 1 + dag_below(random, shape->width);
		uint32_t count = 0;
		for (uint32_t b = 0; b < branches && dag.task_count < shape->tasks; b++) {
			uint32_t end = last;
			for (uint32_t left = 1 + dag_below(random, 4); left > 0 && dag.task_count < shape->tasks;
			     left--)
				end = dag_add(&dag, &end, 1);
			ends[count++] = end;
		}
		if (count == 1 || dag.task_count == shape->tasks) {
			last = ends[0];
			continue;
		}
		const uint32_t joined = dag_add(&dag, ends, count);
		if (dag_below(random, 3) == 0) {
			const hy_sched__edge shortcut = {.from = last, .to = joined, .value = last};
			dag.edges[dag.count++] = shortcut;
		}
		last = joined;
	}
	free(ends);
	return dag;
}

/* Speeds of 1 to 8; groups of four devices have links five times as fast as those between groups. A task takes about a
 * millisecond on a device of speed 1. */
static inline hy_status dag_create(const dag_shape *shape, hy_sched__task_graph *out_graph, hy_error *error)
{
	uint64_t random = shape->seed;
	dag_edges dag = dag_blocks(shape, &random);
	const uint32_t devices = shape->devices;
	hy_status status = hy_sched__task_graph_init(dag.task_count, dag.count, devices, out_graph, error);
	if (status != HY_OK) return status;
	double *speed = malloc(devices * sizeof(*speed)), mean = 0;
	uint64_t *bytes = malloc(dag.task_count * sizeof(*bytes));
	for (uint32_t d = 0; d < devices; d++)
		speed[d] = pow(8, dag_drawn(&random));
	for (uint32_t t = 0; t < dag.task_count; t++) {
		const double work = 1e6 * exp(3 * (dag_drawn(&random) - 0.5));
		bytes[t] = 1 + (uint64_t)(2e6 * dag_drawn(&random));
		for (uint32_t d = 0; d < devices; d++) {
			const double ns = work / speed[d] * exp(shape->affinity * 2 * (dag_drawn(&random) - 0.5));
			out_graph->time_ns[(size_t)t * devices + d] = ns;
			mean += ns / dag.task_count / devices;
		}
	}
	for (uint32_t e = 0; e < dag.count; e++) {
		out_graph->edges[e] = dag.edges[e];
		out_graph->edges[e].bytes = bytes[dag.edges[e].from];
	}
	for (uint32_t a = 0; a < devices; a++)
		for (uint32_t b = 0; b < devices; b++) {
			out_graph->latency_ns[a * devices + b] = 0.02 * shape->ccr * mean;
			out_graph->ns_per_byte[a * devices + b] = (a / 4 == b / 4 ? 0.3 : 1.5) * shape->ccr * mean /
			                                          1e6;
		}
	free(speed);
	free(bytes);
	free(dag.edges);
	return hy_sched__task_graph_index(out_graph, error);
}

#endif
