/* What no placement of one request can beat.
 *
 * Path: backwards over the graph, the least time from the start of a task on a device to the end of all, when the path
 * that takes longest may choose its devices freely and links are idle. Blocks: a task that every path passes is a cut;
 * what lies between two cuts runs after the one and before the other, so the time there is at least the area of the
 * block. At each cut the path is raised to the area of the block behind it and what follows. */
#include "bound.h"

#include <math.h>
#include <stdlib.h>

typedef struct pass {
	const hy_sched__task_graph *graph;
	double *rest_ns; /* rows of devices: from the start of a task there to the end of all */
	double *latency_ns, *ns_per_byte; /* as the graph's, transposed */
	double *least_ns; /* one row */
	uint64_t *area_ns; /* device_count rows of tasks, as hy_sched__bound_throughput takes them */
	const uint64_t **rows;
	bool *is_cut;
} pass;

/* Raises longest[d] to the way from device d through an edge: the copy, and what is left there. */
static void through_edge(const pass *p, const hy_sched__edge *edge, double *longest)
{
	const uint32_t devices = p->graph->device_count;
	const double *rest = p->rest_ns + (size_t)edge->to * devices, bytes = (double)edge->bytes;
	double *least = p->least_ns;
	uint32_t best = 0;
	for (uint32_t e = 1; e < devices; e++)
		if (rest[e] < rest[best]) best = e;
	double dearest = 0;
	for (uint32_t d = 0; d < devices; d++) {
		const size_t at = (size_t)best * devices + d;
		const double copy = edge->bytes == 0 ? 0 : p->latency_ns[at] + bytes * p->ns_per_byte[at];
		least[d] = rest[best] + (d == best ? 0 : copy);
		if (least[d] > dearest) dearest = least[d];
	}
	for (uint32_t e = 0; e < devices; e++) {
		if (rest[e] < least[e]) least[e] = rest[e];
		if (e == best || rest[e] >= dearest) continue; /* never better than going to the best */
		const double *latency = p->latency_ns + (size_t)e * devices;
		const double *slope = p->ns_per_byte + (size_t)e * devices;
		for (uint32_t d = 0; d < devices; d++) {
			const double ns = rest[e] + latency[d] + bytes * slope[d];
			least[d] = ns < least[d] ? ns : least[d];
		}
	}
	for (uint32_t d = 0; d < devices; d++)
		longest[d] = least[d] > longest[d] ? least[d] : longest[d];
}

/* A cut: no edge passes over it, nothing ends before it, nothing begins after it. */
static uint32_t find_cuts(const hy_sched__task_graph *graph, bool *is_cut)
{
	uint32_t farthest = 0, first_end = graph->task_count, last_begin = 0, count = 0;
	for (uint32_t t = 0; t < graph->task_count; t++) {
		if (graph->in_first[t] == graph->in_first[t + 1]) last_begin = t;
		if (graph->out_first[t] == graph->out_first[t + 1] && first_end == graph->task_count) first_end = t;
	}
	for (uint32_t t = 0; t < graph->task_count; t++) {
		is_cut[t] = farthest <= t && t <= first_end && t >= last_begin;
		count += is_cut[t] ? 1 : 0;
		for (uint32_t e = graph->out_first[t]; e < graph->out_first[t + 1]; e++)
			if (graph->edges[e].to > farthest) farthest = graph->edges[e].to;
	}
	return count;
}

/* Least time of tasks first..end-1, whatever their order. */
static double area(const pass *p, uint32_t first, uint32_t end)
{
	const hy_sched__task_graph *graph = p->graph;
	if (first >= end) return 0;
	for (uint32_t d = 0; d < graph->device_count; d++)
		p->rows[d] = p->area_ns + (size_t)d * graph->task_count + first;
	return (double)hy_sched__bound_throughput(graph->device_count, end - first, p->rows);
}

static double least_of(const double *row, uint32_t count)
{
	double least = row[0];
	for (uint32_t i = 1; i < count; i++)
		if (row[i] < least) least = row[i];
	return least;
}

/* The path bound; with blocks, raised at the cuts. */
static double walk(const pass *p, bool blocks)
{
	const hy_sched__task_graph *graph = p->graph;
	const uint32_t devices = graph->device_count;
	uint32_t block_end = graph->task_count;
	double behind = 0, longest = 0; /* behind: least time from the start of the cut at block_end */
	for (uint32_t t = graph->task_count; t-- > 0;) {
		double *rest = p->rest_ns + (size_t)t * devices;
		for (uint32_t d = 0; d < devices; d++)
			rest[d] = 0;
		for (uint32_t e = graph->out_first[t]; e < graph->out_first[t + 1]; e++)
			through_edge(p, &graph->edges[e], rest);
		if (blocks && p->is_cut[t] && block_end - t > 2) {
			const double least = area(p, t + 1, block_end) + behind;
			for (uint32_t d = 0; d < devices; d++)
				if (rest[d] < least) rest[d] = least;
		}
		for (uint32_t d = 0; d < devices; d++)
			rest[d] += graph->time_ns[(size_t)t * devices + d];
		const double whole = least_of(rest, devices);
		if (whole > longest) longest = whole;
		if (!p->is_cut[t]) continue;
		block_end = t;
		behind = whole;
	}
	if (!blocks) return longest;
	const double from_start = area(p, 0, block_end) + behind;
	return from_start > longest ? from_start : longest;
}

static hy_status pass_init(pass *p, hy_error *error)
{
	const hy_sched__task_graph *graph = p->graph;
	const uint32_t devices = graph->device_count, tasks = graph->task_count;
	const size_t pairs = (size_t)devices * devices, cells = (size_t)tasks * devices;
	p->rest_ns = malloc(cells * sizeof(double));
	p->latency_ns = malloc(pairs * sizeof(double));
	p->ns_per_byte = malloc(pairs * sizeof(double));
	p->least_ns = malloc(devices * sizeof(double));
	p->area_ns = malloc(cells * sizeof(uint64_t));
	p->rows = malloc(devices * sizeof(*p->rows));
	p->is_cut = malloc(tasks * sizeof(bool));
	if (!p->rest_ns || !p->latency_ns || !p->ns_per_byte || !p->least_ns || !p->area_ns || !p->rows || !p->is_cut)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (size_t i = 0; i < pairs; i++) {
		p->latency_ns[i % devices * devices + i / devices] = graph->latency_ns[i];
		p->ns_per_byte[i % devices * devices + i / devices] = graph->ns_per_byte[i];
	}
	for (uint32_t d = 0; d < devices; d++)
		for (uint32_t t = 0; t < tasks; t++) {
			const double ns = graph->time_ns[(size_t)t * devices + d];
			p->area_ns[(size_t)d * tasks + t] = ns < 9e18 ? (uint64_t)ns : HY_SCHED__NEVER;
		}
	return HY_OK;
}

static uint64_t lacking(const hy_sched__task_graph *graph)
{
	uint64_t need = 0, have = 0;
	for (uint32_t t = 0; t < graph->task_count; t++)
		need += graph->memory_bytes[t];
	for (uint32_t d = 0; d < graph->device_count; d++) {
		if (graph->capacity_bytes[d] == 0) return 0;
		have += graph->capacity_bytes[d];
	}
	return need > have ? need - have : 0;
}

hy_status hy_sched__bound_graph(const hy_sched__task_graph *graph, hy_sched__graph_bound *out_bound, hy_error *error)
{
	pass p = {.graph = graph};
	const hy_status status = pass_init(&p, error);
	if (status == HY_OK) {
		const uint32_t cuts = find_cuts(graph, p.is_cut);
		hy_sched__graph_bound bound = {.cut_count = cuts, .lacking_bytes = lacking(graph)};
		bound.path_ns = walk(&p, false);
		bound.area_ns = area(&p, 0, graph->task_count);
		bound.block_ns = cuts > 0 ? walk(&p, true) : 0;
		if (bound.block_ns < bound.area_ns) bound.block_ns = bound.area_ns;
		if (bound.block_ns < bound.path_ns) bound.block_ns = bound.path_ns;
		*out_bound = bound;
	}
	free(p.rest_ns);
	free(p.latency_ns);
	free(p.ns_per_byte);
	free(p.least_ns);
	free(p.area_ns);
	free(p.rows);
	free(p.is_cut);
	return status;
}
