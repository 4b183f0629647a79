/* One walk back through nodes, for all devices at a time: what each computes, and what the others must send. */
#include "spatial_walk.h"

#include <string.h>

static hy_ir_rows own(const hy_sched__walk *w, uint32_t value, uint32_t d)
{
	const int64_t *bounds = w->bounds + (size_t)value * (w->count + 1) + d;
	const hy_ir_rows rows = {bounds[0], bounds[1]};
	return rows;
}

/* ---- one walk back through a group ---- */

static void want(hy_sched__walk *w, uint32_t value, uint32_t d, hy_ir_rows rows)
{
	if (rows.end <= rows.first) return;
	if (!w->is_open[value]) {
		w->is_open[value] = true;
		w->open[w->open_count++] = value;
		memset(w->need + (size_t)value * w->count, 0, w->count * sizeof(*w->need));
	}
	hy_ir_rows *need = &w->need[(size_t)value * w->count + d];
	if (need->end <= need->first) *need = rows;
	if (rows.first < need->first) need->first = rows.first;
	if (rows.end > need->end) need->end = rows.end;
}

void hy_sched__walk_begin(hy_sched__walk *w)
{
	for (uint32_t i = 0; i < w->open_count; i++)
		w->is_open[w->open[i]] = false;
	w->open_count = 0;
	memset(w->compute_ns, 0, sizeof(w->compute_ns));
	memset(w->border_bytes, 0, sizeof(w->border_bytes));
}

static hy_ir_rows node_rows(const hy_sched__walk *w, const hy_sched__layer_node *node, uint32_t d)
{
	hy_ir_rows all = {0, 0};
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t value = w->layers->outputs[node->first_output + i];
		if (!w->is_open[value]) continue;
		const hy_ir_rows rows = w->need[(size_t)value * w->count + d];
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

void hy_sched__walk_step(hy_sched__walk *w, uint32_t number, uint32_t end)
{
	const hy_sched__layers *l = w->layers;
	const hy_sched__layer_node *node = &l->nodes[number];
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t value = l->outputs[node->first_output + i];
		if (l->values[value].last_use < end) continue;
		for (uint32_t d = 0; d < w->count; d++) {
			const hy_ir_rows rows = own(w, value, d);
			want(w, value, d, rows);
			w->border_bytes[d] += (double)(rows.end - rows.first) * l->values[value].row_bytes;
		}
	}
	const int64_t height = l->values[l->outputs[node->first_output]].height;
	for (uint32_t d = 0; d < w->count; d++) {
		const hy_ir_rows rows = node_rows(w, node, d);
		if (rows.end <= rows.first) continue;
		w->compute_ns[d] += (double)w->problem->node_ns[w->devices[d]][number] *
		                    (double)(rows.end - rows.first) / (double)height;
		for (uint32_t i = 0; i < node->edge_count; i++) {
			const hy_sched__layer_edge *edge = &l->edges[node->first_edge + i];
			want(w, edge->value, d, reached(edge, rows, l->values[edge->value].height));
		}
	}
}

/* ---- what crosses a border ---- */

static void exchange_begin(hy_sched__walk *w)
{
	memset(w->in_bytes, 0, sizeof(w->in_bytes));
	memset(w->out_bytes, 0, sizeof(w->out_bytes));
}

/* Device d gets rows of a value from those who own them. */
static void send(hy_sched__walk *w, uint32_t value, uint32_t d, hy_ir_rows rows, hy_sched__where before)
{
	const hy_sched__layer_value *it = &w->layers->values[value];
	const double all = (double)(rows.end - rows.first) * it->row_bytes;
	if (it->producer == HY_IR_NONE || before == HY_SCHED__ALONE) {
		if (it->producer != HY_IR_NONE && d == 0) return;
		w->in_bytes[d] += all;
		if (it->producer != HY_IR_NONE) w->out_bytes[0] += all;
		return;
	}
	for (uint32_t e = 0; e < w->count; e++) {
		const hy_ir_rows theirs = own(w, value, e);
		if (theirs.first >= rows.end) break;
		const int64_t first = theirs.first > rows.first ? theirs.first : rows.first;
		const int64_t end = theirs.end < rows.end ? theirs.end : rows.end;
		if (e == d || end <= first) continue;
		w->in_bytes[d] += (double)(end - first) * it->row_bytes;
		w->out_bytes[e] += (double)(end - first) * it->row_bytes;
	}
}

double hy_sched__walk_link_ns(const hy_sched__link *link, double bytes)
{
	return bytes > 0 ? (double)link->latency_ns + bytes * link->ns_per_byte : 0;
}

static double exchange_end(const hy_sched__walk *w, double *out_bytes)
{
	double most = 0;
	*out_bytes = 0;
	for (uint32_t d = 0; d < w->count; d++) {
		const uint32_t device = w->devices[d];
		const double ns = hy_sched__walk_link_ns(&w->problem->to[device], w->in_bytes[d]) +
		                  hy_sched__walk_link_ns(&w->problem->from[device], w->out_bytes[d]);
		if (ns > most) most = ns;
		*out_bytes += w->out_bytes[d];
	}
	return most;
}

double hy_sched__walk_halos_ns(hy_sched__walk *w, uint32_t first, hy_sched__where before, double *out_bytes)
{
	exchange_begin(w);
	for (uint32_t i = 0; i < w->open_count; i++) {
		const uint32_t value = w->open[i], producer = w->layers->values[value].producer;
		if (producer != HY_IR_NONE && producer >= first) continue;
		for (uint32_t d = 0; d < w->count; d++) {
			const hy_ir_rows rows = w->need[(size_t)value * w->count + d];
			if (rows.end > rows.first) send(w, value, d, rows, before);
		}
	}
	return exchange_end(w, out_bytes);
}

double hy_sched__walk_inputs_ns(hy_sched__walk *w, uint32_t number)
{
	const hy_sched__layer_node *node = &w->layers->nodes[number];
	double none;
	exchange_begin(w);
	for (uint32_t i = 0; i < node->edge_count; i++) {
		const uint32_t value = w->layers->edges[node->first_edge + i].value;
		const hy_sched__layer_value *it = &w->layers->values[value];
		const hy_ir_rows rows = {0, it->height};
		if (it->producer == HY_IR_NONE && it->first_use == number) send(w, value, 0, rows, HY_SCHED__ALONE);
	}
	return exchange_end(w, &none);
}

double hy_sched__walk_gather_ns(hy_sched__walk *w, uint32_t border, double *out_bytes)
{
	exchange_begin(w);
	for (uint32_t v = 0; v < w->layers->value_count; v++) {
		const hy_sched__layer_value *value = &w->layers->values[v];
		const hy_ir_rows rows = {0, value->height};
		if (value->row_bytes > 0 && value->producer != HY_IR_NONE && value->producer < border &&
		    value->last_use >= border && value->last_use < w->layers->node_count)
			send(w, v, 0, rows, HY_SCHED__SPLIT);
	}
	return exchange_end(w, out_bytes);
}

double hy_sched__walk_outputs_ns(hy_sched__walk *w, hy_sched__where last)
{
	double bytes;
	exchange_begin(w);
	for (uint32_t v = 0; v < w->layers->value_count; v++) {
		const hy_sched__layer_value *value = &w->layers->values[v];
		if (value->last_use != w->layers->node_count || value->producer == HY_IR_NONE) continue;
		for (uint32_t d = 0; d < w->count; d++) {
			const hy_ir_rows rows = own(w, v, d);
			w->out_bytes[last == HY_SCHED__SPLIT ? d : 0] += (double)(rows.end - rows.first) *
			                                                 value->row_bytes;
		}
	}
	return exchange_end(w, &bytes);
}

double hy_sched__walk_compute_ns(const hy_sched__walk *w, uint32_t first)
{
	double most = 0;
	for (uint32_t d = 0; d < w->count; d++) {
		const double per_byte = w->problem->border_ns_per_byte != NULL
		                                ? w->problem->border_ns_per_byte[w->devices[d]]
		                                : 0;
		double bytes = w->border_bytes[d];
		for (uint32_t i = 0; i < w->open_count && per_byte > 0; i++) {
			const hy_sched__layer_value *value = &w->layers->values[w->open[i]];
			const hy_ir_rows rows = w->need[(size_t)w->open[i] * w->count + d];
			if (value->producer != HY_IR_NONE && value->producer >= first) continue;
			if (rows.end > rows.first) bytes += (double)(rows.end - rows.first) * value->row_bytes;
		}
		const double ns = w->compute_ns[d] + bytes * per_byte;
		if (ns > most) most = ns;
	}
	return most;
}
