/* Placements built in one pass. HEFT and CPOP: Topcuoglu, Hariri, Wu 2002. PEFT: Arabnejad, Barbosa 2014. */
#include "list_schedule.h"

#include "heap.h"
#include "makespan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is booked on a device, by time. */
typedef struct calendar {
	double *begin_ns, *end_ns; /* room for all tasks */
	uint32_t count;
} calendar;

typedef struct builder {
	const hy_sched__task_graph *graph;
	hy_sched__list_rule rule;
	double mean_latency_ns, mean_ns_per_byte;
	double *mean_ns, *rank; /* per task; rank: most urgent is largest */
	double *ahead_ns; /* PEFT: rows of devices, optimistic time from the end of a task on a device to the end of all */
	uint32_t *path_device; /* CPOP: the device of a task of the critical path, else UINT32_MAX */
	double *start_ns, *finish_ns; /* per task */
	double *arrived_ns; /* rows of devices per value, -1 before */
	double *free_ns; /* per link */
	uint64_t *used_bytes; /* per device */
	calendar *calendars; /* per device */
	double *calendar_ns;
	hy_sched__heap_item *heap_items;
	uint32_t *missing;
} builder;

static const char *const names[] = {[HY_SCHED__LIST_SINGLE] = "single",
                                    [HY_SCHED__LIST_DM] = "dm",
                                    [HY_SCHED__LIST_HEFT] = "HEFT",
                                    [HY_SCHED__LIST_PEFT] = "PEFT",
                                    [HY_SCHED__LIST_CPOP] = "CPOP"};

const char *hy_sched__list_name(hy_sched__list_rule rule)
{
	return names[rule];
}

/* ---- urgency ---- */

static double mean_transfer(const builder *b, uint64_t bytes)
{
	return bytes == 0 ? 0 : b->mean_latency_ns + (double)bytes * b->mean_ns_per_byte;
}

static void find_means(builder *b)
{
	const hy_sched__task_graph *graph = b->graph;
	const uint32_t devices = graph->device_count;
	double latency = 0, slope = 0;
	for (size_t i = 0; i < (size_t)devices * devices; i++) {
		latency += graph->latency_ns[i];
		slope += graph->ns_per_byte[i];
	}
	if (devices > 1) {
		b->mean_latency_ns = latency / devices / (devices - 1);
		b->mean_ns_per_byte = slope / devices / (devices - 1);
	}
	for (uint32_t t = 0; t < graph->task_count; t++) {
		double sum = 0;
		uint32_t count = 0;
		for (uint32_t d = 0; d < devices; d++) {
			const double ns = graph->time_ns[(size_t)t * devices + d];
			if (!isfinite(ns)) continue;
			sum += ns;
			count++;
		}
		b->mean_ns[t] = sum / count;
	}
}

/* HEFT's upward rank: mean time from the start of a task to the end of all. */
static void rank_upward(builder *b)
{
	const hy_sched__task_graph *graph = b->graph;
	for (uint32_t t = graph->task_count; t-- > 0;) {
		double longest = 0;
		for (uint32_t e = graph->out_first[t]; e < graph->out_first[t + 1]; e++) {
			const double ns = mean_transfer(b, graph->edges[e].bytes) + b->rank[graph->edges[e].to];
			if (ns > longest) longest = ns;
		}
		b->rank[t] = b->mean_ns[t] + longest;
	}
}

/* PEFT's table. With a mean link the least over the successor's devices is either its own device or the best of all, so
 * a row takes one pass. */
static void rank_optimistic(builder *b)
{
	const hy_sched__task_graph *graph = b->graph;
	const uint32_t devices = graph->device_count;
	for (uint32_t t = graph->task_count; t-- > 0;) {
		double *row = b->ahead_ns + (size_t)t * devices;
		for (uint32_t e = graph->out_first[t]; e < graph->out_first[t + 1]; e++) {
			const uint32_t to = graph->edges[e].to;
			const double *ahead = b->ahead_ns + (size_t)to * devices;
			const double *time = graph->time_ns + (size_t)to * devices;
			double least = INFINITY;
			for (uint32_t d = 0; d < devices; d++)
				if (ahead[d] + time[d] < least) least = ahead[d] + time[d];
			least += mean_transfer(b, graph->edges[e].bytes);
			for (uint32_t d = 0; d < devices; d++) {
				const double here = ahead[d] + time[d], best = here < least ? here : least;
				if (best > row[d]) row[d] = best;
			}
		}
		double sum = 0;
		for (uint32_t d = 0; d < devices; d++)
			sum += row[d];
		b->rank[t] = sum / devices;
	}
}

/* CPOP: rank is the mean length of the longest path through a task; those of the longest go to one device. */
static void rank_critical(builder *b)
{
	const hy_sched__task_graph *graph = b->graph;
	const uint32_t devices = graph->device_count;
	double *before = b->start_ns, longest = 0; /* start_ns is not in use yet */
	uint32_t at = UINT32_MAX, best = 0;
	rank_upward(b);
	memset(before, 0, graph->task_count * sizeof(*before));
	for (uint32_t t = 0; t < graph->task_count; t++) {
		if (graph->in_first[t] == graph->in_first[t + 1] && b->rank[t] > longest) {
			longest = b->rank[t];
			at = t;
		}
		for (uint32_t e = graph->out_first[t]; e < graph->out_first[t + 1]; e++) {
			const double ns = before[t] + b->mean_ns[t] + mean_transfer(b, graph->edges[e].bytes);
			if (ns > before[graph->edges[e].to]) before[graph->edges[e].to] = ns;
		}
	}
	double *on_path_ns = b->ahead_ns; /* one row of it */
	while (at != UINT32_MAX) {
		b->path_device[at] = 0;
		uint32_t next = UINT32_MAX;
		for (uint32_t d = 0; d < devices; d++)
			on_path_ns[d] += graph->time_ns[(size_t)at * devices + d];
		for (uint32_t e = graph->out_first[at]; e < graph->out_first[at + 1]; e++) {
			const uint32_t to = graph->edges[e].to;
			const double all = mean_transfer(b, graph->edges[e].bytes) + b->mean_ns[at] + b->rank[to];
			if (next == UINT32_MAX && all >= b->rank[at] * (1 - 1e-9)) next = to;
		}
		at = next;
	}
	for (uint32_t d = 1; d < devices; d++)
		if (on_path_ns[d] < on_path_ns[best]) best = d;
	for (uint32_t t = 0; t < graph->task_count; t++) {
		if (b->path_device[t] == 0 && isfinite(graph->time_ns[(size_t)t * devices + best]))
			b->path_device[t] = best;
		else
			b->path_device[t] = UINT32_MAX;
		b->rank[t] += before[t];
	}
}

/* ---- placing ---- */

/* The earliest gap of a device from ready_ns on; *out_at: where it is in the calendar. */
static double gap(const calendar *booked, double ready_ns, double time_ns, bool into_gaps, uint32_t *out_at)
{
	uint32_t low = 0, high = booked->count;
	if (!into_gaps) low = high;
	while (low < high) {
		const uint32_t middle = (low + high) / 2;
		if (booked->end_ns[middle] <= ready_ns)
			low = middle + 1;
		else
			high = middle;
	}
	double at_ns = ready_ns;
	if (!into_gaps && low > 0 && booked->end_ns[low - 1] > at_ns) at_ns = booked->end_ns[low - 1];
	for (; low < booked->count && at_ns + time_ns > booked->begin_ns[low]; low++)
		if (booked->end_ns[low] > at_ns) at_ns = booked->end_ns[low];
	*out_at = low;
	return at_ns;
}

static void book(calendar *booked, uint32_t at, double begin_ns, double end_ns)
{
	memmove(booked->begin_ns + at + 1, booked->begin_ns + at, (booked->count - at) * sizeof(double));
	memmove(booked->end_ns + at + 1, booked->end_ns + at, (booked->count - at) * sizeof(double));
	booked->begin_ns[at] = begin_ns;
	booked->end_ns[at] = end_ns;
	booked->count++;
}

/* When the edge's value is on the device, if its transfer were booked now. */
static double arrival(const builder *b, const hy_sched__edge *edge, uint32_t from, uint32_t to)
{
	const uint32_t devices = b->graph->device_count;
	if (from == to || edge->bytes == 0) return b->finish_ns[edge->from];
	const double known = b->arrived_ns[(size_t)edge->value * devices + to];
	if (known >= 0) return known;
	const size_t pair = (size_t)from * devices + to;
	const uint32_t link = b->graph->link[pair];
	double ready = b->finish_ns[edge->from];
	if (link != HY_SCHED__LINK_WIDE && b->free_ns[link] > ready) ready = b->free_ns[link];
	return ready + b->graph->latency_ns[pair] + (double)edge->bytes * b->graph->ns_per_byte[pair];
}

static double ready_at(const builder *b, const hy_sched__placement *placement, uint32_t task, uint32_t device)
{
	const hy_sched__task_graph *graph = b->graph;
	double ready = 0;
	for (uint32_t i = graph->in_first[task]; i < graph->in_first[task + 1]; i++) {
		const hy_sched__edge *edge = &graph->edges[graph->in[i]];
		const double ns = arrival(b, edge, placement->device[edge->from], device);
		if (ns > ready) ready = ns;
	}
	return ready;
}

/* What the rule minimises: the end of the task, and what follows it as far as the rule looks. */
static double score(const builder *b, uint32_t task, uint32_t device, double finish_ns)
{
	if (b->rule == HY_SCHED__LIST_PEFT)
		return finish_ns + b->ahead_ns[(size_t)task * b->graph->device_count + device];
	if (b->rule == HY_SCHED__LIST_CPOP && b->path_device[task] == device) return -INFINITY;
	return finish_ns;
}

static bool place(builder *b, hy_sched__placement *placement, uint32_t task)
{
	const hy_sched__task_graph *graph = b->graph;
	const bool into_gaps = b->rule != HY_SCHED__LIST_DM;
	uint32_t best = UINT32_MAX, at;
	double least = INFINITY;
	for (uint32_t d = 0; d < graph->device_count; d++) {
		const double time = graph->time_ns[(size_t)task * graph->device_count + d];
		const uint64_t capacity = graph->capacity_bytes[d];
		if (!isfinite(time)) continue;
		if (capacity > 0 && graph->memory_bytes[task] > capacity - b->used_bytes[d]) continue;
		const double start = gap(&b->calendars[d], ready_at(b, placement, task, d), time, into_gaps, &at);
		const double value = score(b, task, d, start + time);
		if (best != UINT32_MAX && value >= least) continue;
		best = d;
		least = value;
	}
	if (best == UINT32_MAX) return false;
	placement->device[task] = best;
	b->used_bytes[best] += graph->memory_bytes[task];
	double ready = 0;
	for (uint32_t i = graph->in_first[task]; i < graph->in_first[task + 1]; i++) {
		const hy_sched__edge *edge = &graph->edges[graph->in[i]];
		const uint32_t from = placement->device[edge->from];
		const double ns = arrival(b, edge, from, best);
		if (ns > ready) ready = ns;
		if (from == best || edge->bytes == 0) continue;
		b->arrived_ns[(size_t)edge->value * graph->device_count + best] = ns;
		const uint32_t link = graph->link[(size_t)from * graph->device_count + best];
		if (link != HY_SCHED__LINK_WIDE && ns > b->free_ns[link]) b->free_ns[link] = ns;
	}
	const double time = graph->time_ns[(size_t)task * graph->device_count + best];
	b->start_ns[task] = gap(&b->calendars[best], ready, time, into_gaps, &at);
	b->finish_ns[task] = b->start_ns[task] + time;
	book(&b->calendars[best], at, b->start_ns[task], b->finish_ns[task]);
	return true;
}

static bool place_all(builder *b, hy_sched__placement *placement)
{
	const hy_sched__task_graph *graph = b->graph;
	hy_sched__heap ready = {b->heap_items, 0};
	for (uint32_t t = 0; t < graph->task_count; t++) {
		b->missing[t] = graph->in_first[t + 1] - graph->in_first[t];
		if (b->missing[t] == 0) hy_sched__heap_push(&ready, -b->rank[t], t);
	}
	while (ready.count > 0) {
		const uint32_t task = hy_sched__heap_pop(&ready).number;
		if (!place(b, placement, task)) return false;
		for (uint32_t e = graph->out_first[task]; e < graph->out_first[task + 1]; e++) {
			const uint32_t to = graph->edges[e].to;
			if (--b->missing[to] == 0) hy_sched__heap_push(&ready, -b->rank[to], to);
		}
	}
	return true;
}

static hy_status builder_init(builder *b, hy_error *error)
{
	const hy_sched__task_graph *graph = b->graph;
	const uint32_t tasks = graph->task_count, devices = graph->device_count;
	b->mean_ns = calloc(tasks, sizeof(double));
	b->rank = calloc(tasks, sizeof(double));
	b->ahead_ns = calloc((size_t)tasks * devices, sizeof(double));
	b->path_device = malloc(tasks * sizeof(uint32_t));
	b->start_ns = calloc(tasks, sizeof(double));
	b->finish_ns = calloc(tasks, sizeof(double));
	b->arrived_ns = malloc(((size_t)graph->value_count * devices + 1) * sizeof(double));
	b->free_ns = calloc(graph->link_count, sizeof(double));
	b->used_bytes = calloc(devices, sizeof(uint64_t));
	b->calendars = calloc(devices, sizeof(calendar));
	b->calendar_ns = malloc((size_t)tasks * devices * 2 * sizeof(double));
	b->heap_items = malloc(tasks * sizeof(hy_sched__heap_item));
	b->missing = malloc(tasks * sizeof(uint32_t));
	if (!b->mean_ns || !b->rank || !b->ahead_ns || !b->path_device || !b->start_ns || !b->finish_ns ||
	    !b->arrived_ns || !b->free_ns || !b->used_bytes || !b->calendars || !b->calendar_ns || !b->heap_items ||
	    !b->missing)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (size_t i = 0; i < (size_t)graph->value_count * devices; i++)
		b->arrived_ns[i] = -1;
	for (uint32_t d = 0; d < devices; d++) {
		b->calendars[d].begin_ns = b->calendar_ns + (size_t)d * 2 * tasks;
		b->calendars[d].end_ns = b->calendars[d].begin_ns + tasks;
	}
	for (uint32_t t = 0; t < tasks; t++)
		b->path_device[t] = UINT32_MAX;
	return HY_OK;
}

static void builder_finish(builder *b)
{
	free(b->mean_ns);
	free(b->rank);
	free(b->ahead_ns);
	free(b->path_device);
	free(b->start_ns);
	free(b->finish_ns);
	free(b->arrived_ns);
	free(b->free_ns);
	free(b->used_bytes);
	free(b->calendars);
	free(b->calendar_ns);
	free(b->heap_items);
	free(b->missing);
}

static void place_single(const hy_sched__task_graph *graph, hy_sched__placement *placement)
{
	uint64_t bytes = 0;
	double least = INFINITY;
	uint32_t best = 0;
	for (uint32_t t = 0; t < graph->task_count; t++)
		bytes += graph->memory_bytes[t];
	for (uint32_t d = 0; d < graph->device_count; d++) {
		double sum = 0;
		for (uint32_t t = 0; t < graph->task_count; t++)
			sum += graph->time_ns[(size_t)t * graph->device_count + d];
		if (sum >= least || (graph->capacity_bytes[d] > 0 && bytes > graph->capacity_bytes[d])) continue;
		least = sum;
		best = d;
	}
	for (uint32_t t = 0; t < graph->task_count; t++) {
		placement->device[t] = best;
		placement->order[t] = t;
	}
	placement->makespan_ns = least;
}

hy_status hy_sched__list_schedule(const hy_sched__task_graph *graph, hy_sched__list_rule rule,
                                  hy_sched__placement *placement, hy_error *error)
{
	if (rule == HY_SCHED__LIST_SINGLE) {
		place_single(graph, placement);
		return HY_OK;
	}
	builder b = {.graph = graph, .rule = rule};
	hy_status status = builder_init(&b, error);
	if (status != HY_OK) goto done;
	find_means(&b);
	if (rule == HY_SCHED__LIST_HEFT) rank_upward(&b);
	if (rule == HY_SCHED__LIST_PEFT) rank_optimistic(&b);
	if (rule == HY_SCHED__LIST_CPOP) rank_critical(&b);
	placement->makespan_ns = INFINITY;
	if (!place_all(&b, placement)) goto done;
	status = hy_sched__task_graph_line(graph, b.start_ns, placement->order, error);
	if (status == HY_OK) status = hy_sched__makespan_of(graph, placement, NULL, error);
done:
	builder_finish(&b);
	return status;
}
