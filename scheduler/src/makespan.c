/* How long a placement takes. Devices and links are servers with a queue by priority; their jobs are tasks and values.
 * Jobs that end at the same instant are all delivered before the next ones start, so the answer does not depend on
 * their order. */
#include "makespan.h"

#include "heap.h"

#include <math.h>
#include <stdlib.h>

/* Jobs: task t is t, a value that goes over a link is task_count + the first edge that carries it there. */
typedef struct run {
	const hy_sched__task_graph *graph;
	const uint32_t *device;
	uint32_t *rank; /* per task: place in the order */
	uint32_t *missing; /* per task: edges that have not arrived */
	bool *busy, *touched; /* per server: has a job, is on the list */
	uint32_t *list, list_count; /* servers that may have to start a job */
	hy_sched__heap *waiting; /* per server */
	hy_sched__heap_item *waiting_items, *event_items;
	hy_sched__heap events; /* jobs by their end */
	double now_ns, *finish_ns;
	uint32_t done_count;
} run;

/* UINT32_MAX: a transfer that waits for nobody. */
static uint32_t server_of(const run *r, uint32_t job)
{
	const hy_sched__task_graph *graph = r->graph;
	if (job < graph->task_count) return r->device[job];
	const hy_sched__edge *edge = &graph->edges[job - graph->task_count];
	const uint32_t link = graph->link[(size_t)r->device[edge->from] * graph->device_count + r->device[edge->to]];
	return link == HY_SCHED__LINK_WIDE ? UINT32_MAX : graph->device_count + link;
}

static double duration(const run *r, uint32_t job)
{
	const hy_sched__task_graph *graph = r->graph;
	if (job < graph->task_count) return graph->time_ns[(size_t)job * graph->device_count + r->device[job]];
	const hy_sched__edge *edge = &graph->edges[job - graph->task_count];
	return hy_sched__task_graph_transfer_ns(graph, r->device[edge->from], r->device[edge->to], edge->bytes);
}

static void touch(run *r, uint32_t server)
{
	if (r->touched[server]) return;
	r->touched[server] = true;
	r->list[r->list_count++] = server;
}

static void request(run *r, uint32_t job)
{
	const uint32_t tasks = r->graph->task_count, server = server_of(r, job);
	const uint32_t task = job < tasks ? job : r->graph->edges[job - tasks].to;
	if (server == UINT32_MAX) {
		hy_sched__heap_push(&r->events, r->now_ns + duration(r, job), job);
		return;
	}
	hy_sched__heap_push(&r->waiting[server], r->rank[task], job);
	touch(r, server);
}

static void arrive(run *r, uint32_t edge)
{
	const uint32_t task = r->graph->edges[edge].to;
	if (--r->missing[task] == 0) request(r, task);
}

/* Whether an earlier edge of the same task takes the same value to the same device. */
static uint32_t carrier(const run *r, uint32_t edge)
{
	const hy_sched__edge *it = &r->graph->edges[edge];
	for (uint32_t e = r->graph->out_first[it->from]; e < edge; e++)
		if (r->graph->edges[e].value == it->value && r->device[r->graph->edges[e].to] == r->device[it->to])
			return e;
	return edge;
}

static void end_task(run *r, uint32_t task)
{
	const hy_sched__task_graph *graph = r->graph;
	r->done_count++;
	if (r->finish_ns != NULL) r->finish_ns[task] = r->now_ns;
	for (uint32_t e = graph->out_first[task]; e < graph->out_first[task + 1]; e++) {
		if (r->device[graph->edges[e].to] == r->device[task] || graph->edges[e].bytes == 0)
			arrive(r, e);
		else if (carrier(r, e) == e)
			request(r, graph->task_count + e);
	}
}

static void end_transfer(run *r, uint32_t edge)
{
	const uint32_t from = r->graph->edges[edge].from;
	for (uint32_t e = edge; e < r->graph->out_first[from + 1]; e++)
		if (r->device[r->graph->edges[e].to] != r->device[from] && r->graph->edges[e].bytes > 0 &&
		    carrier(r, e) == edge)
			arrive(r, e);
}

static void start_touched(run *r)
{
	for (uint32_t i = 0; i < r->list_count; i++) {
		const uint32_t server = r->list[i];
		r->touched[server] = false;
		if (r->busy[server] || r->waiting[server].count == 0) continue;
		const uint32_t job = hy_sched__heap_pop(&r->waiting[server]).number;
		r->busy[server] = true;
		hy_sched__heap_push(&r->events, r->now_ns + duration(r, job), job);
	}
	r->list_count = 0;
}

static void serve(run *r)
{
	const uint32_t tasks = r->graph->task_count;
	for (uint32_t t = 0; t < tasks; t++)
		if (r->missing[t] == 0) request(r, t);
	start_touched(r);
	while (r->events.count > 0) {
		r->now_ns = r->events.items[0].key;
		while (r->events.count > 0 && r->events.items[0].key == r->now_ns) {
			const uint32_t job = hy_sched__heap_pop(&r->events).number, server = server_of(r, job);
			if (server != UINT32_MAX) {
				r->busy[server] = false;
				touch(r, server);
			}
			if (job < tasks)
				end_task(r, job);
			else
				end_transfer(r, job - tasks);
		}
		start_touched(r);
	}
}

static hy_status run_init(run *r, const hy_sched__placement *placement, hy_error *error)
{
	const hy_sched__task_graph *graph = r->graph;
	const uint32_t servers = graph->device_count + graph->link_count, jobs = graph->task_count + graph->edge_count;
	r->rank = malloc(graph->task_count * sizeof(*r->rank));
	r->missing = malloc(graph->task_count * sizeof(*r->missing));
	r->busy = calloc(servers, sizeof(*r->busy));
	r->touched = calloc(servers, sizeof(*r->touched));
	r->list = malloc(servers * sizeof(*r->list));
	r->waiting = calloc((size_t)servers + 1, sizeof(*r->waiting));
	r->waiting_items = malloc(jobs * sizeof(*r->waiting_items));
	r->event_items = malloc(jobs * sizeof(*r->event_items));
	if (!r->rank || !r->missing || !r->busy || !r->touched || !r->list || !r->waiting || !r->waiting_items ||
	    !r->event_items)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	r->events.items = r->event_items;
	for (uint32_t i = 0; i < graph->task_count; i++) {
		r->rank[placement->order[i]] = i;
		r->missing[i] = graph->in_first[i + 1] - graph->in_first[i];
	}
	/* Each server's queue holds all of its jobs at most: count them, then lay the queues out one behind the other. */
	for (uint32_t job = 0; job < jobs; job++)
		if (server_of(r, job) != UINT32_MAX) r->waiting[server_of(r, job)].count++;
	uint32_t at = 0;
	for (uint32_t s = 0; s < servers; s++) {
		r->waiting[s].items = r->waiting_items + at;
		at += r->waiting[s].count;
		r->waiting[s].count = 0;
	}
	return HY_OK;
}

hy_status hy_sched__makespan_of(const hy_sched__task_graph *graph, hy_sched__placement *placement, double *finish_ns,
                                hy_error *error)
{
	run r = {.graph = graph, .device = placement->device, .finish_ns = finish_ns};
	const hy_status status = run_init(&r, placement, error);
	if (status == HY_OK) {
		serve(&r);
		placement->makespan_ns = r.done_count == graph->task_count ? r.now_ns : INFINITY;
	}
	free(r.rank);
	free(r.missing);
	free(r.busy);
	free(r.touched);
	free(r.list);
	free(r.waiting);
	free(r.waiting_items);
	free(r.event_items);
	return status;
}
