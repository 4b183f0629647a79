/* Groups by dynamic programming over their borders: best[j] = min over i of best[i] + halos(i) + the slowest device's
 * strip of nodes i..j-1, its overlap included; beside it what one device does alone. A group is walked backwards from
 * its end, so that one walk gives the times of all its beginnings. */
#include "spatial_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_GROUP 64u
#define HOPELESS 8u /* groups in a row that lose before their halos are counted: longer ones overlap more */
#define NEVER_NS 1e300

/* The best way to a border. */
typedef struct state {
	double ns, compute_ns, exchange_ns, halo_bytes;
	uint32_t from; /* first node of the last group */
	hy_sched__where before; /* of the group before */
} state;

typedef struct search {
	hy_sched__walk walk;
	int64_t *bounds; /* walk.bounds, while they are made */
	state *best; /* node_count + 1 times HY_SCHED__WHERE_COUNT */
} search;

/* ---- heights ---- */

void hy_sched__spatial_heights(int64_t height, uint32_t count, const double *ns_per_row, int64_t *out_rows)
{
	double speed = 0;
	int64_t left = height;
	for (uint32_t d = 0; d < count; d++)
		speed += 1 / ns_per_row[d];
	for (uint32_t d = 0; d < count; d++) {
		out_rows[d] = (int64_t)((double)height / ns_per_row[d] / speed);
		if (out_rows[d] > left) out_rows[d] = left;
		left -= out_rows[d];
	}
	for (; left > 0; left--) {
		uint32_t next = 0;
		for (uint32_t d = 1; d < count; d++)
			if ((double)(out_rows[d] + 1) * ns_per_row[d] < (double)(out_rows[next] + 1) * ns_per_row[next])
				next = d;
		out_rows[next]++;
	}
}

static bool runs(const hy_sched__spatial_problem *problem, uint32_t device, bool local_only)
{
	for (uint32_t n = 0; n < problem->layers->node_count; n++)
		if (problem->node_ns[device][n] == HY_SCHED__NEVER && (problem->layers->nodes[n].local || !local_only))
			return false;
	return true;
}

static double local_ns(const hy_sched__spatial_problem *problem, uint32_t device)
{
	double ns = 0;
	for (uint32_t n = 0; n < problem->layers->node_count; n++)
		if (problem->layers->nodes[n].local) ns += (double)problem->node_ns[device][n];
	return ns;
}

/* Every value in strips by speed. Heights repeat, so the last answer often does. */
static void cut_values(search *s)
{
	double ns_per_row[HY_SCHED__MOST_DEVICES];
	int64_t rows[HY_SCHED__MOST_DEVICES], last = -1;
	for (uint32_t d = 0; d < s->walk.count; d++) {
		ns_per_row[d] = 1 + local_ns(s->walk.problem, s->walk.devices[d]);
	}
	for (uint32_t v = 0; v < s->walk.layers->value_count; v++) {
		int64_t *bounds = s->bounds + (size_t)v * (s->walk.count + 1);
		const int64_t height = s->walk.layers->values[v].height;
		if (height != last) hy_sched__spatial_heights(height, s->walk.count, ns_per_row, rows);
		last = height;
		bounds[0] = 0;
		for (uint32_t d = 0; d < s->walk.count; d++)
			bounds[d + 1] = bounds[d] + rows[d];
	}
}

/* ---- the program ---- */

static state *best_at(const search *s, uint32_t border, hy_sched__where kind)
{
	return &s->best[(size_t)border * HY_SCHED__WHERE_COUNT + kind];
}

static void offer(state *best, const state *offered)
{
	if (offered->ns < best->ns) *best = *offered;
}

/* Node number alone, after `before`. */
static void try_alone(search *s, uint32_t number, hy_sched__where before)
{
	const state *from = best_at(s, number, before);
	const uint64_t ns = s->walk.problem->node_ns[s->walk.devices[0]][number];
	if (from->ns >= NEVER_NS || ns == HY_SCHED__NEVER) return;
	if (s->walk.problem->always && s->walk.layers->nodes[number].local) return;
	double bytes = 0, exchange = hy_sched__walk_inputs_ns(&s->walk, number);
	if (before == HY_SCHED__SPLIT)
		exchange += hy_sched__walk_gather_ns(&s->walk, number, &bytes) + (double)s->walk.problem->group_ns;
	state next = *from;
	next.ns += exchange + (double)ns;
	next.halo_bytes += bytes;
	next.from = number;
	next.before = before;
	offer(best_at(s, number + 1, HY_SCHED__ALONE), &next);
}

static bool may_begin(const search *s, uint32_t first, uint32_t end)
{
	switch (s->walk.problem->grouping) {
	case HY_SCHED__GROUPS_EACH:
		return first + 1 == end;
	case HY_SCHED__GROUPS_ONE:
		return first == 0;
	case HY_SCHED__GROUPS_BEST:
		break;
	}
	return true;
}

/* Every group that ends before node `end`. */
static void try_groups(search *s, uint32_t end)
{
	state *best = best_at(s, end, HY_SCHED__SPLIT);
	const uint32_t longest = s->walk.problem->grouping == HY_SCHED__GROUPS_ONE ? end : LONGEST_GROUP;
	uint32_t hopeless = 0;
	hy_sched__walk_begin(&s->walk);
	for (uint32_t first = end; first > 0 && end - first < longest;) {
		if (!s->walk.layers->nodes[--first].local) return;
		hy_sched__walk_step(&s->walk, first, end);
		const double compute = hy_sched__walk_compute_ns(&s->walk, first);
		if (compute >= best->ns && s->walk.problem->border_ns_per_byte == NULL) return;
		if (!may_begin(s, first, end)) continue;
		const double least = fmin(best_at(s, first, HY_SCHED__ALONE)->ns,
		                          best_at(s, first, HY_SCHED__SPLIT)->ns);
		hopeless = least + compute >= best->ns ? hopeless + 1 : 0;
		if (hopeless > HOPELESS) return;
		for (hy_sched__where before = HY_SCHED__ALONE; before < HY_SCHED__WHERE_COUNT; before++) {
			const state *from = best_at(s, first, before);
			if (from->ns >= NEVER_NS || from->ns + compute >= best->ns) continue;
			double bytes;
			const double exchange = hy_sched__walk_halos_ns(&s->walk, first, before, &bytes);
			state next = {.ns = from->ns + exchange + compute + (double)s->walk.problem->group_ns,
			              .compute_ns = from->compute_ns + compute,
			              .exchange_ns = from->exchange_ns + exchange,
			              .halo_bytes = from->halo_bytes + bytes,
			              .from = first,
			              .before = before};
			offer(best, &next);
		}
	}
}

/* From the last group to the first; neighbours that run alone are one. */
static hy_status trace(const search *s, hy_sched__where last, hy_sched__spatial *split, hy_error *error)
{
	const uint32_t nodes = s->walk.layers->node_count;
	hy_sched__group *groups = calloc(nodes + 1u, sizeof(*groups));
	if (groups == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	uint32_t count = 0;
	for (uint32_t end = nodes; end > 0;) {
		const state *it = best_at(s, end, last);
		const hy_sched__group group = {it->from, end - it->from, last == HY_SCHED__SPLIT};
		if (count > 0 && !group.split && !groups[count - 1].split) {
			groups[count - 1].first = group.first;
			groups[count - 1].count += group.count;
		} else {
			groups[count++] = group;
		}
		end = it->from;
		last = it->before;
	}
	for (uint32_t i = 0; i < count / 2; i++) {
		const hy_sched__group swapped = groups[i];
		groups[i] = groups[count - 1 - i];
		groups[count - 1 - i] = swapped;
	}
	split->groups = groups;
	split->group_count = count;
	return HY_OK;
}

static hy_status run(search *s, hy_sched__spatial *split, hy_error *error)
{
	const uint32_t nodes = s->walk.layers->node_count;
	for (uint32_t j = 0; j <= nodes; j++)
		best_at(s, j, HY_SCHED__ALONE)->ns = best_at(s, j, HY_SCHED__SPLIT)->ns = NEVER_NS;
	best_at(s, 0, HY_SCHED__ALONE)->ns = 0;
	for (uint32_t j = 1; j <= nodes; j++) {
		try_alone(s, j - 1, HY_SCHED__ALONE);
		try_alone(s, j - 1, HY_SCHED__SPLIT);
		if (s->walk.count > 1) try_groups(s, j);
	}
	const double alone = best_at(s, nodes, HY_SCHED__ALONE)->ns +
	                     hy_sched__walk_outputs_ns(&s->walk, HY_SCHED__ALONE);
	const double in_strips = best_at(s, nodes, HY_SCHED__SPLIT)->ns +
	                         hy_sched__walk_outputs_ns(&s->walk, HY_SCHED__SPLIT);
	const hy_sched__where last = in_strips < alone ? HY_SCHED__SPLIT : HY_SCHED__ALONE;
	const double ns = in_strips < alone ? in_strips : alone;
	if (ns >= NEVER_NS) return HY_OK;
	split->item_ns = (uint64_t)(ns + 0.5);
	split->compute_ns = best_at(s, nodes, last)->compute_ns;
	split->exchange_ns = best_at(s, nodes, last)->exchange_ns;
	split->halo_bytes = best_at(s, nodes, last)->halo_bytes;
	return trace(s, last, split, error);
}

/* ---- which devices ---- */

/* Those that run all local nodes, the fastest first; but the first is the fastest that runs everything. Answers how
 * many, 0 when none runs everything. */
static uint32_t order(const hy_sched__spatial_problem *problem, uint32_t *out_devices)
{
	uint32_t count = 0, first = HY_IR_NONE;
	for (uint32_t d = 0; d < problem->device_count; d++) {
		if (!runs(problem, d, true)) continue;
		uint32_t at = count++;
		for (; at > 0 && local_ns(problem, out_devices[at - 1]) > local_ns(problem, d); at--)
			out_devices[at] = out_devices[at - 1];
		out_devices[at] = d;
	}
	for (uint32_t i = 0; i < count && first == HY_IR_NONE; i++)
		if (runs(problem, out_devices[i], false)) first = i;
	if (first == HY_IR_NONE) return 0;
	const uint32_t device = out_devices[first];
	memmove(out_devices + 1, out_devices, first * sizeof(*out_devices));
	out_devices[0] = device;
	return count;
}

static uint64_t alone_ns(const hy_sched__spatial_problem *problem, uint32_t device)
{
	const hy_sched__layers *l = problem->layers;
	double in = 0, out = 0, ns = 0;
	for (uint32_t v = 0; v < l->value_count; v++) {
		const hy_sched__layer_value *value = &l->values[v];
		const double bytes = value->row_bytes * (double)value->height;
		if (value->producer == HY_IR_NONE)
			in += bytes;
		else if (value->last_use == l->node_count)
			out += bytes;
	}
	for (uint32_t n = 0; n < l->node_count; n++)
		ns += (double)problem->node_ns[device][n];
	return (uint64_t)(ns + hy_sched__walk_link_ns(&problem->to[device], in) +
	                  hy_sched__walk_link_ns(&problem->from[device], out) + 0.5);
}

hy_status hy_sched__spatial_split(const hy_sched__spatial_problem *problem, uint32_t device_count,
                                  hy_sched__spatial *out_split, hy_error *error)
{
	const hy_sched__layers *l = problem->layers;
	hy_sched__spatial split = {.item_ns = HY_SCHED__NEVER, .alone_ns = HY_SCHED__NEVER};
	const uint32_t usable = order(problem, split.devices);
	split.device_count = device_count < usable ? device_count : usable;
	*out_split = split;
	if (split.device_count == 0) return HY_OK;
	split.alone_ns = alone_ns(problem, split.devices[0]);
	const uint32_t count = split.device_count;
	search s = {.walk = {.problem = problem, .layers = l, .count = count, .devices = split.devices}};
	s.walk.bounds = s.bounds = split.bounds = calloc((size_t)l->value_count * (count + 1) + 1, sizeof(*s.bounds));
	s.walk.need = calloc((size_t)l->value_count * count + 1, sizeof(*s.walk.need));
	s.walk.is_open = calloc(l->value_count + 1u, sizeof(*s.walk.is_open));
	s.walk.open = calloc(l->value_count + 1u, sizeof(*s.walk.open));
	s.best = calloc(((size_t)l->node_count + 1) * HY_SCHED__WHERE_COUNT, sizeof(*s.best));
	hy_status status = HY_OK;
	if (s.bounds == NULL || s.walk.need == NULL || s.walk.is_open == NULL || s.walk.open == NULL ||
	    s.best == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
		goto done;
	}
	cut_values(&s);
	status = run(&s, &split, error);
done:
	free(s.walk.need);
	free(s.walk.is_open);
	free(s.walk.open);
	free(s.best);
	if (status == HY_OK)
		*out_split = split;
	else
		hy_sched__spatial_finish(&split);
	return status;
}

hy_status hy_sched__spatial_plan(const hy_sched__spatial_problem *problem, hy_sched__spatial *out_split,
                                 hy_error *error)
{
	const uint32_t all = problem->device_count;
	hy_sched__spatial best;
	hy_status status = hy_sched__spatial_split(problem, 1, &best, error);
	for (uint32_t count = 2; count <= all && status == HY_OK;) {
		hy_sched__spatial next;
		status = hy_sched__spatial_split(problem, count, &next, error);
		if (status != HY_OK) {
			hy_sched__spatial_finish(&best);
			return status;
		}
		const bool better = next.item_ns < best.item_ns;
		hy_sched__spatial_finish(better ? &best : &next);
		if (better) best = next;
		const uint32_t more = count + 1 + count / 3;
		count = more > all && count < all ? all : more;
	}
	if (status == HY_OK) *out_split = best;
	return status;
}

void hy_sched__spatial_finish(hy_sched__spatial *split)
{
	free(split->groups);
	free(split->bounds);
	split->groups = NULL;
	split->bounds = NULL;
}

hy_sched__chunk hy_sched__spatial_chunk(double window, double stride, double chunk, double halo)
{
	const double clips = window / stride, chunks = (chunk + halo) / chunk;
	const hy_sched__chunk result = {1 - chunks / clips, clips / chunks};
	return result;
}
