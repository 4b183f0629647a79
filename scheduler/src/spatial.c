/* Groups by dynamic programming over their borders: best[j] = min over i of best[i] + halos(i) + the slowest device's
 * strip of nodes i..j-1, its overlap included; beside it what one device does alone. A group is walked backwards from
 * its end, so that one walk gives the times of all its beginnings. */
#include "spatial.h"

#include "cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_GROUP 64u
#define HOPELESS 8u /* groups in a row that lose before their halos are counted: longer ones overlap more */
#define NEVER_NS 1e300

typedef enum where { ALONE, SPLIT, WHERE_COUNT } where;

/* The best way to a border. */
typedef struct state {
	double ns, compute_ns, exchange_ns, halo_bytes;
	uint32_t from; /* first node of the last group */
	where before; /* of the group before */
} state;

typedef struct search {
	const hy_sched__spatial_problem *problem;
	const hy_sched__layers *layers;
	uint32_t count; /* devices */
	const uint32_t *devices;
	int64_t *bounds;
	hy_ir_rows *need; /* value_count times count */
	bool *is_open;
	uint32_t *open, open_count; /* values that are needed in the walk at hand */
	state *best; /* node_count + 1 times WHERE_COUNT */
	double compute_ns[HY_SCHED__MOST_DEVICES];
	double border_bytes[HY_SCHED__MOST_DEVICES]; /* that a device reads and writes at the borders of the group */
	double in_bytes[HY_SCHED__MOST_DEVICES], out_bytes[HY_SCHED__MOST_DEVICES];
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

static hy_ir_rows own(const search *s, uint32_t value, uint32_t d)
{
	const int64_t *bounds = s->bounds + (size_t)value * (s->count + 1) + d;
	const hy_ir_rows rows = {bounds[0], bounds[1]};
	return rows;
}

/* Every value in strips by speed. Heights repeat, so the last answer often does. */
static void cut_values(search *s)
{
	double ns_per_row[HY_SCHED__MOST_DEVICES];
	int64_t rows[HY_SCHED__MOST_DEVICES], last = -1;
	for (uint32_t d = 0; d < s->count; d++) {
		ns_per_row[d] = 1 + local_ns(s->problem, s->devices[d]);
	}
	for (uint32_t v = 0; v < s->layers->value_count; v++) {
		int64_t *bounds = s->bounds + (size_t)v * (s->count + 1);
		const int64_t height = s->layers->values[v].height;
		if (height != last) hy_sched__spatial_heights(height, s->count, ns_per_row, rows);
		last = height;
		bounds[0] = 0;
		for (uint32_t d = 0; d < s->count; d++)
			bounds[d + 1] = bounds[d] + rows[d];
	}
}

/* ---- one walk back through a group ---- */

static void want(search *s, uint32_t value, uint32_t d, hy_ir_rows rows)
{
	if (rows.end <= rows.first) return;
	if (!s->is_open[value]) {
		s->is_open[value] = true;
		s->open[s->open_count++] = value;
		memset(s->need + (size_t)value * s->count, 0, s->count * sizeof(*s->need));
	}
	hy_ir_rows *need = &s->need[(size_t)value * s->count + d];
	if (need->end <= need->first) *need = rows;
	if (rows.first < need->first) need->first = rows.first;
	if (rows.end > need->end) need->end = rows.end;
}

static void walk_begin(search *s)
{
	for (uint32_t i = 0; i < s->open_count; i++)
		s->is_open[s->open[i]] = false;
	s->open_count = 0;
	memset(s->compute_ns, 0, sizeof(s->compute_ns));
	memset(s->border_bytes, 0, sizeof(s->border_bytes));
}

static hy_ir_rows node_rows(const search *s, const hy_sched__layer_node *node, uint32_t d)
{
	hy_ir_rows all = {0, 0};
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t value = s->layers->outputs[node->first_output + i];
		if (!s->is_open[value]) continue;
		const hy_ir_rows rows = s->need[(size_t)value * s->count + d];
		if (rows.end <= rows.first) continue;
		if (all.end <= all.first) all = rows;
		if (rows.first < all.first) all.first = rows.first;
		if (rows.end > all.end) all.end = rows.end;
	}
	return all;
}

static hy_ir_rows reached(const hy_sched__layer_edge *edge, hy_ir_rows rows, int64_t height)
{
	hy_ir_rows need = {0, height};
	if (edge->reach.whole) return need;
	const int64_t first = rows.first * edge->reach.stride - edge->reach.before;
	const int64_t end = (rows.end - 1) * edge->reach.stride + edge->reach.after;
	if (first > 0) need.first = first;
	if (end < height) need.end = end;
	return need;
}

/* Adds node `number` to the front of the group that ends before `end`. */
static void walk_step(search *s, uint32_t number, uint32_t end)
{
	const hy_sched__layers *l = s->layers;
	const hy_sched__layer_node *node = &l->nodes[number];
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t value = l->outputs[node->first_output + i];
		if (l->values[value].last_use < end) continue;
		for (uint32_t d = 0; d < s->count; d++) {
			const hy_ir_rows rows = own(s, value, d);
			want(s, value, d, rows);
			s->border_bytes[d] += (double)(rows.end - rows.first) * l->values[value].row_bytes;
		}
	}
	const int64_t height = l->values[l->outputs[node->first_output]].height;
	for (uint32_t d = 0; d < s->count; d++) {
		const hy_ir_rows rows = node_rows(s, node, d);
		if (rows.end <= rows.first) continue;
		s->compute_ns[d] += (double)s->problem->node_ns[s->devices[d]][number] *
		                    (double)(rows.end - rows.first) / (double)height;
		for (uint32_t i = 0; i < node->edge_count; i++) {
			const hy_sched__layer_edge *edge = &l->edges[node->first_edge + i];
			want(s, edge->value, d, reached(edge, rows, l->values[edge->value].height));
		}
	}
}

/* ---- what crosses a border ---- */

static void exchange_begin(search *s)
{
	memset(s->in_bytes, 0, sizeof(s->in_bytes));
	memset(s->out_bytes, 0, sizeof(s->out_bytes));
}

/* Device d gets rows of a value from those who own them. */
static void send(search *s, uint32_t value, uint32_t d, hy_ir_rows rows, where before)
{
	const hy_sched__layer_value *it = &s->layers->values[value];
	const double all = (double)(rows.end - rows.first) * it->row_bytes;
	if (it->producer == HY_IR_NONE || before == ALONE) {
		if (it->producer != HY_IR_NONE && d == 0) return;
		s->in_bytes[d] += all;
		if (it->producer != HY_IR_NONE) s->out_bytes[0] += all;
		return;
	}
	for (uint32_t e = 0; e < s->count; e++) {
		const hy_ir_rows theirs = own(s, value, e);
		if (theirs.first >= rows.end) break;
		const int64_t first = theirs.first > rows.first ? theirs.first : rows.first;
		const int64_t end = theirs.end < rows.end ? theirs.end : rows.end;
		if (e == d || end <= first) continue;
		s->in_bytes[d] += (double)(end - first) * it->row_bytes;
		s->out_bytes[e] += (double)(end - first) * it->row_bytes;
	}
}

static double link_ns(const hy_sched__link *link, double bytes)
{
	return bytes > 0 ? (double)link->latency_ns + bytes * link->ns_per_byte : 0;
}

static double exchange_end(const search *s, double *out_bytes)
{
	double most = 0;
	*out_bytes = 0;
	for (uint32_t d = 0; d < s->count; d++) {
		const uint32_t device = s->devices[d];
		const double ns = link_ns(&s->problem->to[device], s->in_bytes[d]) +
		                  link_ns(&s->problem->from[device], s->out_bytes[d]);
		if (ns > most) most = ns;
		*out_bytes += s->out_bytes[d];
	}
	return most;
}

/* The halos of the group that the walk has reached the front of. */
static double exchange_walk(search *s, uint32_t first, where before, double *out_bytes)
{
	exchange_begin(s);
	for (uint32_t i = 0; i < s->open_count; i++) {
		const uint32_t value = s->open[i], producer = s->layers->values[value].producer;
		if (producer != HY_IR_NONE && producer >= first) continue;
		for (uint32_t d = 0; d < s->count; d++) {
			const hy_ir_rows rows = s->need[(size_t)value * s->count + d];
			if (rows.end > rows.first) send(s, value, d, rows, before);
		}
	}
	return exchange_end(s, out_bytes);
}

/* The network's inputs that node `number` is the first to read, to the first device. */
static double exchange_inputs(search *s, uint32_t number)
{
	const hy_sched__layer_node *node = &s->layers->nodes[number];
	double none;
	exchange_begin(s);
	for (uint32_t i = 0; i < node->edge_count; i++) {
		const uint32_t value = s->layers->edges[node->first_edge + i].value;
		const hy_sched__layer_value *it = &s->layers->values[value];
		const hy_ir_rows rows = {0, it->height};
		if (it->producer == HY_IR_NONE && it->first_use == number) send(s, value, 0, rows, ALONE);
	}
	return exchange_end(s, &none);
}

/* All that lives behind a border, to the first device. */
static double exchange_gather(search *s, uint32_t border, double *out_bytes)
{
	exchange_begin(s);
	for (uint32_t v = 0; v < s->layers->value_count; v++) {
		const hy_sched__layer_value *value = &s->layers->values[v];
		const hy_ir_rows rows = {0, value->height};
		if (value->row_bytes > 0 && value->producer != HY_IR_NONE && value->producer < border &&
		    value->last_use >= border && value->last_use < s->layers->node_count)
			send(s, v, 0, rows, SPLIT);
	}
	return exchange_end(s, out_bytes);
}

/* The network's outputs to where the application reads them. */
static double deliver(search *s, where last)
{
	double bytes;
	exchange_begin(s);
	for (uint32_t v = 0; v < s->layers->value_count; v++) {
		const hy_sched__layer_value *value = &s->layers->values[v];
		if (value->last_use != s->layers->node_count || value->producer == HY_IR_NONE) continue;
		for (uint32_t d = 0; d < s->count; d++) {
			const hy_ir_rows rows = own(s, v, d);
			s->out_bytes[last == SPLIT ? d : 0] += (double)(rows.end - rows.first) * value->row_bytes;
		}
	}
	return exchange_end(s, &bytes);
}

/* ---- the program ---- */

static state *best_at(const search *s, uint32_t border, where kind)
{
	return &s->best[(size_t)border * WHERE_COUNT + kind];
}

static void offer(state *best, const state *offered)
{
	if (offered->ns < best->ns) *best = *offered;
}

/* Node number alone, after `before`. */
static void try_alone(search *s, uint32_t number, where before)
{
	const state *from = best_at(s, number, before);
	const uint64_t ns = s->problem->node_ns[s->devices[0]][number];
	if (from->ns >= NEVER_NS || ns == HY_SCHED__NEVER) return;
	if (s->problem->always && s->layers->nodes[number].local) return;
	double bytes = 0, exchange = exchange_inputs(s, number);
	if (before == SPLIT) exchange += exchange_gather(s, number, &bytes) + (double)s->problem->group_ns;
	state next = *from;
	next.ns += exchange + (double)ns;
	next.halo_bytes += bytes;
	next.from = number;
	next.before = before;
	offer(best_at(s, number + 1, ALONE), &next);
}

/* Of the group that the walk has reached the front of: the slowest device, with what it reads there. */
static double most_compute(const search *s, uint32_t first)
{
	double most = 0;
	for (uint32_t d = 0; d < s->count; d++) {
		const double per_byte = s->problem->border_ns_per_byte != NULL
		                                ? s->problem->border_ns_per_byte[s->devices[d]]
		                                : 0;
		double bytes = s->border_bytes[d];
		for (uint32_t i = 0; i < s->open_count && per_byte > 0; i++) {
			const hy_sched__layer_value *value = &s->layers->values[s->open[i]];
			const hy_ir_rows rows = s->need[(size_t)s->open[i] * s->count + d];
			if (value->producer != HY_IR_NONE && value->producer >= first) continue;
			if (rows.end > rows.first) bytes += (double)(rows.end - rows.first) * value->row_bytes;
		}
		const double ns = s->compute_ns[d] + bytes * per_byte;
		if (ns > most) most = ns;
	}
	return most;
}

static bool may_begin(const search *s, uint32_t first, uint32_t end)
{
	switch (s->problem->grouping) {
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
	state *best = best_at(s, end, SPLIT);
	const uint32_t longest = s->problem->grouping == HY_SCHED__GROUPS_ONE ? end : LONGEST_GROUP;
	uint32_t hopeless = 0;
	walk_begin(s);
	for (uint32_t first = end; first > 0 && end - first < longest;) {
		if (!s->layers->nodes[--first].local) return;
		walk_step(s, first, end);
		const double compute = most_compute(s, first);
		if (compute >= best->ns && s->problem->border_ns_per_byte == NULL) return;
		if (!may_begin(s, first, end)) continue;
		const double least = fmin(best_at(s, first, ALONE)->ns, best_at(s, first, SPLIT)->ns);
		hopeless = least + compute >= best->ns ? hopeless + 1 : 0;
		if (hopeless > HOPELESS) return;
		for (where before = ALONE; before < WHERE_COUNT; before++) {
			const state *from = best_at(s, first, before);
			if (from->ns >= NEVER_NS || from->ns + compute >= best->ns) continue;
			double bytes;
			const double exchange = exchange_walk(s, first, before, &bytes);
			state next = {.ns = from->ns + exchange + compute + (double)s->problem->group_ns,
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
static hy_status trace(const search *s, where last, hy_sched__spatial *split, hy_error *error)
{
	const uint32_t nodes = s->layers->node_count;
	hy_sched__group *groups = calloc(nodes + 1u, sizeof(*groups));
	if (groups == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	uint32_t count = 0;
	for (uint32_t end = nodes; end > 0;) {
		const state *it = best_at(s, end, last);
		const hy_sched__group group = {it->from, end - it->from, last == SPLIT};
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
	const uint32_t nodes = s->layers->node_count;
	for (uint32_t j = 0; j <= nodes; j++)
		best_at(s, j, ALONE)->ns = best_at(s, j, SPLIT)->ns = NEVER_NS;
	best_at(s, 0, ALONE)->ns = 0;
	for (uint32_t j = 1; j <= nodes; j++) {
		try_alone(s, j - 1, ALONE);
		try_alone(s, j - 1, SPLIT);
		if (s->count > 1) try_groups(s, j);
	}
	const double alone = best_at(s, nodes, ALONE)->ns + deliver(s, ALONE);
	const double in_strips = best_at(s, nodes, SPLIT)->ns + deliver(s, SPLIT);
	const where last = in_strips < alone ? SPLIT : ALONE;
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
	return (uint64_t)(ns + link_ns(&problem->to[device], in) + link_ns(&problem->from[device], out) + 0.5);
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
	search s = {.problem = problem, .layers = l, .count = split.device_count, .devices = split.devices};
	split.bounds = s.bounds = calloc((size_t)l->value_count * (s.count + 1) + 1, sizeof(*s.bounds));
	s.need = calloc((size_t)l->value_count * s.count + 1, sizeof(*s.need));
	s.is_open = calloc(l->value_count + 1u, sizeof(*s.is_open));
	s.open = calloc(l->value_count + 1u, sizeof(*s.open));
	s.best = calloc(((size_t)l->node_count + 1) * WHERE_COUNT, sizeof(*s.best));
	hy_status status = HY_OK;
	if (s.bounds == NULL || s.need == NULL || s.is_open == NULL || s.open == NULL || s.best == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
		goto done;
	}
	cut_values(&s);
	status = run(&s, &split, error);
done:
	free(s.need);
	free(s.is_open);
	free(s.open);
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
