/* Which line of tasks to cut: many topological orders of one graph are tried, since the cut is exact only for its line.
 * A line is made from one key per task (Goncalves, Resende 2011): of the tasks that are ready the least key goes
 * first; a new line changes some keys of the best. */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

enum { RANDOM_LINES = 4 }; /* one in so many lines has nothing from the best */

typedef struct lines {
	const hy_sched__task_graph *graph;
	double *keys, *best_keys; /* per task */
	uint32_t *order, *missing;
	uint64_t random;
} lines;

/* splitmix64, in 0..1 */
static double drawn(lines *l)
{
	uint64_t z = l->random += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* Keys for the line in which the task that became ready last goes first, so that branches stay together. */
static void deep_keys(lines *l)
{
	const hy_sched__task_graph *graph = l->graph;
	uint32_t *stack = l->order, depth = 0, next = 0;
	for (uint32_t t = graph->task_count; t-- > 0;) {
		l->missing[t] = graph->in_first[t + 1] - graph->in_first[t];
		if (l->missing[t] == 0) stack[depth++] = t;
	}
	while (depth > 0) {
		const uint32_t task = stack[--depth];
		l->keys[task] = (double)next++ / graph->task_count;
		for (uint32_t e = graph->out_first[task + 1]; e-- > graph->out_first[task];)
			if (--l->missing[graph->edges[e].to] == 0) stack[depth++] = graph->edges[e].to;
	}
}

static void change_keys(lines *l)
{
	const double part = drawn(l) < 1.0 / RANDOM_LINES ? 1 : drawn(l) * drawn(l);
	for (uint32_t t = 0; t < l->graph->task_count; t++)
		l->keys[t] = drawn(l) < part ? drawn(l) : l->best_keys[t];
}

static hy_status try_line(lines *l, const hy_sched__pipeline_problem *problem, hy_sched__pipeline_shape shape,
                          hy_sched__pipelines *best, hy_error *error)
{
	hy_sched__pipelines cut;
	hy_status status = hy_sched__task_graph_line(l->graph, l->keys, l->order, error);
	if (status == HY_OK) status = hy_sched__pipeline_cut(problem, shape, l->order, &cut, error);
	if (status != HY_OK) return status;
	if (best->order == NULL || cut.item_ns < best->item_ns) {
		hy_sched__pipelines_finish(best);
		*best = cut;
		memcpy(l->best_keys, l->keys, l->graph->task_count * sizeof(*l->keys));
	} else {
		hy_sched__pipelines_finish(&cut);
	}
	return HY_OK;
}

hy_status hy_sched__pipeline_search(const hy_sched__pipeline_problem *problem, hy_sched__pipeline_shape shape,
                                    uint32_t line_count, uint64_t budget_ns, hy_sched__pipelines *out_pipelines,
                                    hy_error *error)
{
	const uint32_t tasks = problem->graph->task_count;
	lines l = {.graph = problem->graph,
	           .keys = malloc(tasks * sizeof(double)),
	           .best_keys = malloc(tasks * sizeof(double)),
	           .order = malloc(tasks * sizeof(uint32_t)),
	           .missing = malloc(tasks * sizeof(uint32_t)),
	           .random = 1};
	hy_sched__pipelines best = {0};
	hy_status status = HY_OK;
	const uint64_t begin_ns = hy_hal_now_ns();
	if (!l.keys || !l.best_keys || !l.order || !l.missing) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
		goto done;
	}
	for (uint32_t t = 0; t < tasks; t++)
		l.keys[t] = (double)t / tasks;
	status = try_line(&l, problem, shape, &best, error);
	if (status != HY_OK) goto done;
	deep_keys(&l);
	status = try_line(&l, problem, shape, &best, error);
	for (uint32_t i = 0; i < line_count && status == HY_OK; i++) {
		if (budget_ns > 0 && hy_hal_now_ns() - begin_ns >= budget_ns) break;
		change_keys(&l);
		status = try_line(&l, problem, shape, &best, error);
	}
	if (status != HY_OK) goto done;
	*out_pipelines = best;
	memset(&best, 0, sizeof(best));
done:
	hy_sched__pipelines_finish(&best);
	free(l.keys);
	free(l.best_keys);
	free(l.order);
	free(l.missing);
	return status;
}
