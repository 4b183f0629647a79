/* Late acceptance (Burke, Bykov 2017): a step is kept when it is no worse than the current placement or than the one
 * LATE steps ago. Steps move one task, a run of tasks in order, a chain of the graph, or a task to its neighbour's
 * device. They are judged by decoding: tasks and transfers in a fixed order, without queues, which is some twenty times
 * faster than running the queues. The queues judge what each round of steps has found, and the next round takes its
 * order from them; in the last round they judge each step. */
#include "local_search.h"

#include "makespan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LATE = 200, LONGEST_RUN = 64, LONGEST_CHAIN = 32, CLOCK_EVERY = 64, ROUNDS = 8, QUEUES_COST = 16 };

typedef struct search {
	const hy_sched__task_graph *graph;
	uint32_t *device, *order, *best; /* order changes between rounds */
	double *finish_ns; /* per task */
	double *device_free_ns, *link_free_ns;
	double *arrived_ns; /* rows of devices per value; valid when seen is this step's */
	uint64_t *seen, step;
	uint64_t *used_bytes; /* per device */
	uint32_t *moved, *moved_from, moved_count; /* the step, to undo it */
	double late_ns[LATE];
	uint64_t random;
} search;

/* Time of the placement in s->device, or any time beyond cut_ns when it is later than that. */
typedef double judge(search *s, double cut_ns);

/* splitmix64 */
static uint32_t below(search *s, uint32_t count)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (uint32_t)(((z >> 32) * count) >> 32);
}

/* When the value of an edge is on `to`, booking its link if it was not on its way. */
static double carry(search *s, const hy_sched__edge *edge, uint32_t from, uint32_t to)
{
	const hy_sched__task_graph *graph = s->graph;
	if (from == to || edge->bytes == 0) return s->finish_ns[edge->from];
	const size_t at = (size_t)edge->value * graph->device_count + to;
	if (s->seen[at] == s->step) return s->arrived_ns[at];
	const size_t pair = (size_t)from * graph->device_count + to;
	const uint32_t link = graph->link[pair];
	double ns = s->finish_ns[edge->from];
	if (link != HY_SCHED__LINK_WIDE && s->link_free_ns[link] > ns) ns = s->link_free_ns[link];
	ns += graph->latency_ns[pair] + (double)edge->bytes * graph->ns_per_byte[pair];
	if (link != HY_SCHED__LINK_WIDE) s->link_free_ns[link] = ns;
	s->seen[at] = s->step;
	s->arrived_ns[at] = ns;
	return ns;
}

/* The end of the last task, or any time beyond cut_ns once it is known to be later. */
static double decode(search *s, double cut_ns)
{
	const hy_sched__task_graph *graph = s->graph;
	double last = 0;
	s->step++;
	memset(s->device_free_ns, 0, graph->device_count * sizeof(double));
	memset(s->link_free_ns, 0, graph->link_count * sizeof(double));
	for (uint32_t i = 0; i < graph->task_count && last <= cut_ns; i++) {
		const uint32_t task = s->order[i], device = s->device[task];
		double start = s->device_free_ns[device];
		for (uint32_t k = graph->in_first[task]; k < graph->in_first[task + 1]; k++) {
			const hy_sched__edge *edge = &graph->edges[graph->in[k]];
			const double ns = carry(s, edge, s->device[edge->from], device);
			if (ns > start) start = ns;
		}
		const double end = start + graph->time_ns[(size_t)task * graph->device_count + device];
		s->finish_ns[task] = s->device_free_ns[device] = end;
		if (end > last) last = end;
	}
	return last;
}

static void move(search *s, uint32_t task, uint32_t to)
{
	const hy_sched__task_graph *graph = s->graph;
	const uint32_t from = s->device[task];
	const uint64_t bytes = graph->memory_bytes[task], capacity = graph->capacity_bytes[to];
	if (from == to || !isfinite(graph->time_ns[(size_t)task * graph->device_count + to])) return;
	if (capacity > 0 && (s->used_bytes[to] > capacity || bytes > capacity - s->used_bytes[to])) return;
	s->used_bytes[from] -= bytes;
	s->used_bytes[to] += bytes;
	s->device[task] = to;
	s->moved[s->moved_count] = task;
	s->moved_from[s->moved_count++] = from;
}

static void undo(search *s)
{
	while (s->moved_count > 0) {
		const uint32_t task = s->moved[--s->moved_count];
		s->used_bytes[s->device[task]] -= s->graph->memory_bytes[task];
		s->device[task] = s->moved_from[s->moved_count];
		s->used_bytes[s->device[task]] += s->graph->memory_bytes[task];
	}
}

static void move_chain(search *s, uint32_t task, uint32_t to)
{
	const hy_sched__task_graph *graph = s->graph;
	for (uint32_t left = 1 + below(s, LONGEST_CHAIN); left > 0; left--) {
		move(s, task, to);
		const uint32_t out = graph->out_first[task + 1] - graph->out_first[task];
		if (out == 0) return;
		task = graph->edges[graph->out_first[task] + below(s, out)].to;
	}
}

static void change(search *s)
{
	const hy_sched__task_graph *graph = s->graph;
	const uint32_t kind = below(s, 4), task = below(s, graph->task_count), to = below(s, graph->device_count);
	s->moved_count = 0;
	if (kind == 0) move(s, task, to);
	if (kind == 1) {
		const uint32_t length = 1 + below(s, LONGEST_RUN);
		for (uint32_t i = task; i < graph->task_count && i < task + length; i++)
			move(s, s->order[i], to);
	}
	if (kind == 2) move_chain(s, task, to);
	if (kind == 3) {
		const uint32_t in = graph->in_first[task + 1] - graph->in_first[task];
		if (in == 0) return;
		const uint32_t edge = graph->in[graph->in_first[task] + below(s, in)];
		move(s, task, s->device[graph->edges[edge].from]);
	}
}

static void start_from_best(search *s)
{
	memcpy(s->device, s->best, s->graph->task_count * sizeof(*s->best));
	memset(s->used_bytes, 0, s->graph->device_count * sizeof(*s->used_bytes));
	for (uint32_t t = 0; t < s->graph->task_count; t++)
		s->used_bytes[s->device[t]] += s->graph->memory_bytes[t];
}

/* INFINITY without memory: the step is then not kept. */
static double run_queues(search *s, double cut_ns)
{
	(void)cut_ns;
	hy_sched__placement placement = {s->device, s->order, INFINITY};
	if (hy_sched__makespan_of(s->graph, &placement, NULL, NULL) != HY_OK) return INFINITY;
	return placement.makespan_ns;
}

/* Leaves the best device of each task in best; answers the number of steps. */
static uint64_t climb(search *s, judge *judged, const hy_sched__search_options *options)
{
	const uint64_t begin_ns = hy_hal_now_ns();
	start_from_best(s);
	double current = judged(s, INFINITY), best = current;
	uint64_t step = 0;
	for (uint32_t i = 0; i < LATE; i++)
		s->late_ns[i] = current;
	for (; best > options->bound_ns && (options->most_steps == 0 || step < options->most_steps); step++) {
		if (options->budget_ns > 0 && step % CLOCK_EVERY == 0 &&
		    hy_hal_now_ns() - begin_ns >= options->budget_ns)
			break;
		double *late_ns = &s->late_ns[step % LATE];
		change(s);
		if (s->moved_count > 0) {
			const double limit = *late_ns > current ? *late_ns : current, ns = judged(s, limit);
			if (ns <= limit)
				current = ns;
			else
				undo(s);
			if (current < best) {
				best = current;
				memcpy(s->best, s->device, s->graph->task_count * sizeof(*s->best));
			}
		}
		if (current < *late_ns) *late_ns = current;
	}
	return step;
}

static hy_status search_init(search *s, const hy_sched__placement *placement, hy_error *error)
{
	const hy_sched__task_graph *graph = s->graph;
	const size_t arrivals = (size_t)graph->value_count * graph->device_count + 1;
	const size_t bytes = graph->task_count * sizeof(uint32_t);
	s->device = malloc(bytes);
	s->order = malloc(bytes);
	s->best = malloc(bytes);
	s->moved = malloc(bytes);
	s->moved_from = malloc(bytes);
	s->finish_ns = malloc(graph->task_count * sizeof(double));
	s->device_free_ns = malloc(graph->device_count * sizeof(double));
	s->link_free_ns = malloc(graph->link_count * sizeof(double));
	s->arrived_ns = malloc(arrivals * sizeof(double));
	s->seen = calloc(arrivals, sizeof(*s->seen));
	s->used_bytes = calloc(graph->device_count, sizeof(uint64_t));
	if (!s->device || !s->order || !s->best || !s->moved || !s->moved_from || !s->finish_ns || !s->device_free_ns ||
	    !s->link_free_ns || !s->arrived_ns || !s->seen || !s->used_bytes)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	memcpy(s->best, placement->device, bytes);
	memcpy(s->order, placement->order, bytes);
	return HY_OK;
}

static void search_finish(search *s)
{
	free(s->device);
	free(s->order);
	free(s->best);
	free(s->moved);
	free(s->moved_from);
	free(s->finish_ns);
	free(s->device_free_ns);
	free(s->link_free_ns);
	free(s->arrived_ns);
	free(s->seen);
	free(s->used_bytes);
}

/* Tasks by the time they start at in the queues' run of best. */
static hy_status order_by_start(search *s, hy_error *error)
{
	const hy_sched__task_graph *graph = s->graph;
	for (uint32_t t = 0; t < graph->task_count; t++)
		s->finish_ns[t] -= graph->time_ns[(size_t)t * graph->device_count + s->best[t]];
	return hy_sched__task_graph_line(graph, s->finish_ns, s->order, error);
}

hy_status hy_sched__local_search(const hy_sched__task_graph *graph, const hy_sched__search_options *options,
                                 hy_sched__placement *placement, uint64_t *out_steps, hy_error *error)
{
	search s = {.graph = graph, .random = options->seed};
	if (options->budget_ns == 0 && options->most_steps == 0)
		return hy_error_set(error, HY_INVALID, "local search: neither time nor steps");
	hy_sched__search_options round = *options;
	round.budget_ns = (options->budget_ns + ROUNDS - 1) / ROUNDS;
	round.most_steps = (options->most_steps + ROUNDS - 1) / ROUNDS;
	uint64_t steps = 0;
	hy_status status = search_init(&s, placement, error);
	for (int i = 0; i < ROUNDS && status == HY_OK && placement->makespan_ns > options->bound_ns; i++) {
		const bool last = i + 1 == ROUNDS;
		if (last) {
			hy_sched__placement start = {s.best, s.order, 0};
			hy_sched__placement_copy(graph->task_count, placement, &start);
		}
		if (last) round.most_steps = (round.most_steps + QUEUES_COST - 1) / QUEUES_COST;
		steps += climb(&s, last ? run_queues : decode, &round);
		hy_sched__placement found = {s.best, s.order, INFINITY};
		status = hy_sched__makespan_of(graph, &found, s.finish_ns, error);
		if (status != HY_OK) break;
		if (found.makespan_ns < placement->makespan_ns)
			hy_sched__placement_copy(graph->task_count, &found, placement);
		status = order_by_start(&s, error);
	}
	if (status == HY_OK && out_steps != NULL) *out_steps = steps;
	search_finish(&s);
	return status;
}
