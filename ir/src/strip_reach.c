/* Which rows of its inputs a node needs. One rule per kind of operator; a region is its body, rule after rule. */
#include "strip.h"

#include <stdlib.h>
#include <string.h>

static const hy_ir_reach all_rows = {.whole = true};
static const hy_ir_reach same_rows = {.stride = 1, .before = 0, .after = 1};

static int64_t height_of(const hy_ir_type *type, uint32_t axis)
{
	return type->rank > axis ? type->dim[axis] : 1;
}

int64_t hy_ir_strip_height(const hy_ir_graph *graph, uint32_t value, uint32_t axis)
{
	return height_of(&hy_ir_graph_value(graph, value)->type, axis);
}

/* ---- rules: out_reaches comes whole ---- */

typedef struct question {
	hy_ir__call call;
	const hy_ir_type *out; /* of output 0 */
	uint32_t axis;
} question;

typedef hy_status rule(const question *q, hy_ir_reach *out_reaches);

static hy_status not_local(const question *q, const char *why)
{
	return hy_ir__call_unsupported(&q->call, "can't be split along axis %u: %s", q->axis, why);
}

static hy_status first_same(const question *q, hy_ir_reach *out_reaches)
{
	(void)q;
	out_reaches[0] = same_rows;
	return HY_OK;
}

static hy_status elementwise(const question *q, hy_ir_reach *out_reaches)
{
	for (uint32_t i = 0; i < q->call.node->input_count; i++) {
		const hy_ir_type *in = &q->call.in[i].type;
		if (!hy_ir__call_has(&q->call, i)) continue;
		const uint32_t missing = q->out->rank - in->rank;
		if (q->axis < missing || in->dim[q->axis - missing] == 1) {
			if (missing == 0 && q->out->dim[q->axis] == 1) out_reaches[i] = same_rows;
			continue;
		}
		if (missing > 0) return not_local(q, "an operand has its rows along another axis");
		out_reaches[i] = same_rows;
	}
	return HY_OK;
}

static hy_status window(const question *q, hy_ir_reach *out_reaches)
{
	const bool is_pool = q->call.node->op->id != HY_IR_OP_Conv;
	hy_ir__window w;
	const hy_status status = hy_ir__window_forward(&q->call, &q->call.in[0].type,
	                                               is_pool ? NULL : &q->call.in[1].type, &w);
	if (status != HY_OK) return status;
	if (q->axis < 2) return not_local(q, "it is not an axis that the window slides along");
	if (is_pool && q->call.node->output_count > 1 && q->call.node->outputs[1] != HY_IR_NONE)
		return not_local(q, "the positions of its maxima count all rows");
	const uint32_t a = q->axis - 2;
	const int64_t span = (w.kernel[a] - 1) * w.dilation[a] + 1;
	const int64_t behind = (w.out[a] - 1) * w.stride[a] + span - w.in[a] - w.begin[a];
	if (w.begin[a] >= span || behind >= span) return not_local(q, "a window lies in the padding alone");
	if (behind > w.end[a] && hy_ir__call_int(&q->call, "count_include_pad", 0) != 0)
		return not_local(q, "its last window counts padding that is not there");
	out_reaches[0] = (hy_ir_reach){.stride = w.stride[a], .before = w.begin[a], .after = span - w.begin[a]};
	return HY_OK;
}

/* Normalisation over channels: every row by itself. */
static hy_status channels(const question *q, hy_ir_reach *out_reaches)
{
	if (q->axis < 2) return not_local(q, "it is not a spatial axis");
	return first_same(q, out_reaches);
}

/* All inputs alike, unless it works along our axis. */
static hy_status along(const question *q, int64_t fallback, hy_ir_reach *out_reaches)
{
	uint32_t axis;
	const hy_status status = hy_ir__call_axis(&q->call, hy_ir__call_int(&q->call, "axis", fallback), q->out->rank,
	                                          &axis);
	if (status != HY_OK) return status;
	if (axis == q->axis) return not_local(q, "it works along that axis");
	return first_same(q, out_reaches);
}

static hy_status softmax(const question *q, hy_ir_reach *out_reaches)
{
	return along(q, -1, out_reaches);
}

static hy_status split(const question *q, hy_ir_reach *out_reaches)
{
	return along(q, 0, out_reaches);
}

static hy_status concat(const question *q, hy_ir_reach *out_reaches)
{
	const hy_status status = along(q, 0, out_reaches);
	for (uint32_t i = 0; i < q->call.node->input_count && status == HY_OK; i++)
		out_reaches[i] = same_rows;
	return status;
}

static hy_status slice(const question *q, hy_ir_reach *out_reaches)
{
	hy_ir__slice slices;
	const hy_status status = hy_ir__slice_of(&q->call, &slices);
	if (status != HY_OK) return status;
	if (slices.begin[q->axis] != 0 || slices.step[q->axis] != 1 || slices.count[q->axis] != q->out->dim[q->axis] ||
	    q->call.in[0].type.dim[q->axis] != q->out->dim[q->axis])
		return not_local(q, "it leaves rows out");
	return first_same(q, out_reaches);
}

static hy_status pad(const question *q, hy_ir_reach *out_reaches)
{
	hy_ir__padding padding;
	const hy_status status = hy_ir__padding_of(&q->call, &padding);
	if (status != HY_OK) return status;
	if (!padding.known) return not_local(q, "its pads are not constant");
	const int64_t begin = padding.begin[q->axis], end = padding.end[q->axis];
	if (begin < 0 || end < 0) return not_local(q, "it leaves rows out");
	if ((begin > 0 || end > 0) && strcmp(hy_ir_node_attr_string(q->call.node, "mode", "constant"), "constant") != 0)
		return not_local(q, "its padding copies rows");
	out_reaches[0] = (hy_ir_reach){.stride = 1, .before = begin, .after = 1 - begin};
	return HY_OK;
}

static hy_status reduce(const question *q, hy_ir_reach *out_reaches)
{
	hy_ir__reduction reduction;
	const hy_status status = hy_ir__reduction_of(&q->call, &reduction);
	if (status != HY_OK) return status;
	if (!reduction.known || reduction.reduced[q->axis]) return not_local(q, "it reduces that axis");
	if (hy_ir__call_int(&q->call, "keepdims", 1) == 0) return not_local(q, "its output has another rank");
	return first_same(q, out_reaches);
}

/* clang-format off */
static rule *const rules[HY_IR_OP_COUNT] = {
	[HY_IR_OP_Conv] = window,
	[HY_IR_OP_MaxPool] = window,
	[HY_IR_OP_AveragePool] = window,
	[HY_IR_OP_LRN] = channels,
	[HY_IR_OP_BatchNormalization] = channels,
	[HY_IR_OP_Softmax] = softmax,
	[HY_IR_OP_LogSoftmax] = softmax,
	[HY_IR_OP_ReduceMean] = reduce,
	[HY_IR_OP_ReduceSum] = reduce,
	[HY_IR_OP_ReduceMax] = reduce,
	[HY_IR_OP_ReduceMin] = reduce,
	[HY_IR_OP_Identity] = first_same,
	[HY_IR_OP_Dropout] = first_same,
	[HY_IR_OP_Concat] = concat,
	[HY_IR_OP_Split] = split,
	[HY_IR_OP_Slice] = slice,
	[HY_IR_OP_Pad] = pad,
};
/* clang-format on */

/* ---- one node ---- */

static hy_status need_static(const hy_ir_graph *graph, uint32_t value, hy_error *error)
{
	const hy_ir_value *it = hy_ir_graph_value(graph, value);
	if (hy_ir_type_is_static(&it->type)) return HY_OK;
	return hy_error_set(error, HY_INVALID, "value '%.*s' has no static shape: infer the graph first",
	                    HY_IR__NAME_LIMIT, it->name);
}

hy_status hy_ir__strip_call(const hy_ir_graph *graph, uint32_t number, hy_ir_tensor **out_inputs, hy_ir__call *out_call,
                            hy_error *error)
{
	const hy_ir_node *node = hy_ir_graph_node(graph, number);
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < node->input_count + node->output_count && status == HY_OK; i++) {
		const uint32_t value = i < node->input_count ? node->inputs[i] : node->outputs[i - node->input_count];
		if (value != HY_IR_NONE) status = need_static(graph, value, error);
	}
	if (status != HY_OK) return status;
	hy_ir_tensor *inputs = calloc(node->input_count + 1u, sizeof(*inputs));
	if (inputs == NULL) return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < node->input_count; i++) {
		if (node->inputs[i] == HY_IR_NONE) continue;
		const hy_ir_value *value = hy_ir_graph_value(graph, node->inputs[i]);
		/* Nobody writes through the pointer. */
		inputs[i] = (hy_ir_tensor){.type = value->type, .data = (void *)(uintptr_t)value->data};
	}
	*out_inputs = inputs;
	*out_call = (hy_ir__call){.node = node, .in = inputs, .error = error};
	return HY_OK;
}

static hy_status plain_reach(const hy_ir_graph *graph, uint32_t number, uint32_t axis, hy_ir_reach *out_reaches,
                             hy_error *error)
{
	const hy_ir_node *node = hy_ir_graph_node(graph, number);
	hy_ir_tensor *inputs;
	question q = {.axis = axis};
	hy_status status = hy_ir__strip_call(graph, number, &inputs, &q.call, error);
	if (status != HY_OK) return status;
	if (node->op == NULL || node->output_count == 0 || node->outputs[0] == HY_IR_NONE) {
		status = not_local(&q, "nothing is known of the operator");
		goto done;
	}
	q.out = &hy_ir_graph_value(graph, node->outputs[0])->type;
	rule *const known = rules[node->op->id];
	if (q.out->rank <= axis || q.out->dim[axis] < 1)
		status = not_local(&q, "its output has no rows there");
	else if (node->op->fusion == HY_IR_CLASS_ELEMENTWISE)
		status = elementwise(&q, out_reaches);
	else if (known != NULL)
		status = known(&q, out_reaches);
	else
		status = not_local(&q, "its rows are not apart");
done:
	free(inputs);
	return status;
}

/* ---- regions ---- */

/* What a reader with reach `far` needs of an input through a node with reach `near`. */
static hy_ir_reach through(const hy_ir_reach *far, const hy_ir_reach *near)
{
	if (far->whole || near->whole) return all_rows;
	return (hy_ir_reach){.stride = far->stride * near->stride,
	                     .before = far->before * near->stride + near->before,
	                     .after = (far->after - 1) * near->stride + near->after};
}

/* Both; false when their strides differ, so that no reach says it. */
static bool join(bool *known, hy_ir_reach *reach, const hy_ir_reach *other)
{
	if (!*known) {
		*known = true;
		*reach = *other;
		return true;
	}
	if (reach->whole || other->whole) {
		*reach = all_rows;
		return true;
	}
	if (other->before > reach->before) reach->before = other->before;
	if (other->after > reach->after) reach->after = other->after;
	return reach->stride == other->stride;
}

typedef struct body_walk {
	const hy_ir_graph *body;
	uint32_t axis;
	bool *known; /* per value of the body: somebody reads it */
	hy_ir_reach *reaches; /* per value, from the region's output */
	hy_ir_reach *own; /* of the node at hand */
} body_walk;

static hy_status body_step(body_walk *w, uint32_t number, hy_error *error)
{
	const hy_ir_node *node = hy_ir_graph_node(w->body, number);
	bool wanted = false;
	hy_ir_reach far = all_rows;
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t out = node->outputs[i];
		if (out == HY_IR_NONE || !w->known[out]) continue;
		if (!join(&wanted, &far, &w->reaches[out]))
			return hy_error_set(error, HY_UNSUPPORTED, "a region's paths have different strides");
	}
	if (!wanted) return HY_OK;
	for (uint32_t i = 0; i < node->input_count; i++)
		w->own[i] = all_rows;
	const hy_status status = plain_reach(w->body, number, w->axis, w->own, error);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < node->input_count; i++) {
		const uint32_t in = node->inputs[i];
		if (in == HY_IR_NONE) continue;
		const hy_ir_reach reach = through(&far, &w->own[i]);
		if (!join(&w->known[in], &w->reaches[in], &reach))
			return hy_error_set(error, HY_UNSUPPORTED, "a region's paths have different strides");
	}
	return HY_OK;
}

static hy_status region_reach(const hy_ir_node *region, uint32_t axis, hy_ir_reach *out_reaches, hy_error *error)
{
	const hy_ir_graph *body = region->body;
	const uint32_t values = hy_ir_graph_value_count(body);
	uint32_t most = 1;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(body); n++)
		if (hy_ir_graph_node(body, n)->input_count > most) most = hy_ir_graph_node(body, n)->input_count;
	body_walk w = {.body = body,
	               .axis = axis,
	               .known = calloc(values + 1u, sizeof(bool)),
	               .reaches = calloc(values + 1u, sizeof(hy_ir_reach)),
	               .own = calloc(most, sizeof(hy_ir_reach))};
	hy_status status = HY_OK;
	if (w.known == NULL || w.reaches == NULL || w.own == NULL) {
		status = hy_ir__no_memory(error);
		goto done;
	}
	for (uint32_t i = 0; i < hy_ir_graph_output_count(body); i++) {
		const uint32_t out = hy_ir_graph_outputs(body)[i];
		w.known[out] = true;
		w.reaches[out] = same_rows;
	}
	for (uint32_t n = hy_ir_graph_node_count(body); n > 0 && status == HY_OK; n--)
		status = body_step(&w, n - 1, error);
	for (uint32_t i = 0; i < region->input_count && status == HY_OK; i++) {
		const uint32_t in = hy_ir_graph_inputs(body)[i];
		out_reaches[i] = w.known[in] ? w.reaches[in] : all_rows;
	}
done:
	free(w.known);
	free(w.reaches);
	free(w.own);
	return status;
}

hy_status hy_ir_strip_reach(const hy_ir_graph *graph, uint32_t number, uint32_t axis, hy_ir_reach *out_reaches,
                            hy_error *error)
{
	const hy_ir_node *node = hy_ir_graph_node(graph, number);
	for (uint32_t i = 0; i < node->input_count; i++)
		out_reaches[i] = all_rows;
	if (node->body != NULL) return region_reach(node, axis, out_reaches, error);
	return plain_reach(graph, number, axis, out_reaches, error);
}

hy_status hy_ir__strip_reach(const hy_ir_graph *graph, uint32_t number, uint32_t axis, hy_ir_reach *out_reaches,
                             bool *out_local, hy_error *error)
{
	hy_error why = {0};
	const hy_status status = hy_ir_strip_reach(graph, number, axis, out_reaches, &why);
	*out_local = status == HY_OK;
	if (status == HY_OK) return HY_OK;
	if (status != HY_UNSUPPORTED) {
		if (error != NULL) *error = why;
		return status;
	}
	for (uint32_t i = 0; i < hy_ir_graph_node(graph, number)->input_count; i++)
		out_reaches[i] = all_rows;
	return HY_OK;
}

/* ---- many nodes ---- */

hy_ir_rows hy_ir__strip_span(const hy_ir_reach *reach, hy_ir_rows rows)
{
	return (hy_ir_rows){rows.first * reach->stride - reach->before, (rows.end - 1) * reach->stride + reach->after};
}

hy_ir_rows hy_ir__strip_apply(const hy_ir_reach *reach, hy_ir_rows rows, int64_t height)
{
	if (reach->whole) return (hy_ir_rows){0, height};
	hy_ir_rows need = hy_ir__strip_span(reach, rows);
	if (need.first < 0) need.first = 0;
	if (need.end > height) need.end = height;
	return need;
}

hy_ir_rows hy_ir__strip_wanted(const hy_ir_node *node, const hy_ir_rows *rows)
{
	hy_ir_rows wanted = {0, 0};
	for (uint32_t i = 0; i < node->output_count; i++) {
		if (node->outputs[i] == HY_IR_NONE) continue;
		const hy_ir_rows own = rows[node->outputs[i]];
		if (hy_ir__strip_is_empty(own)) continue;
		if (hy_ir__strip_is_empty(wanted)) wanted = own;
		if (own.first < wanted.first) wanted.first = own.first;
		if (own.end > wanted.end) wanted.end = own.end;
	}
	return wanted;
}

static hy_status check_rows(const hy_ir_graph *graph, const hy_ir_node *node, uint32_t axis, hy_ir_rows wanted,
                            hy_error *error)
{
	for (uint32_t i = 0; i < node->output_count; i++) {
		if (node->outputs[i] == HY_IR_NONE) continue;
		const int64_t height = hy_ir_strip_height(graph, node->outputs[i], axis);
		if (wanted.first >= 0 && wanted.end <= height) continue;
		return hy_error_set(error, HY_INVALID, "%.*s '%.*s': rows %lld to %lld of %lld", HY_IR__NAME_LIMIT,
		                    node->type, HY_IR__NAME_LIMIT, node->name, (long long)wanted.first,
		                    (long long)wanted.end - 1, (long long)height);
	}
	return HY_OK;
}

static void set_outputs(const hy_ir_graph *graph, const hy_ir_node *node, uint32_t axis, bool local, hy_ir_rows wanted,
                        hy_ir_rows *rows)
{
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t out = node->outputs[i];
		if (out == HY_IR_NONE) continue;
		rows[out] = local ? wanted : (hy_ir_rows){0, hy_ir_strip_height(graph, out, axis)};
	}
}

static hy_status widen(const hy_ir_graph *graph, const hy_ir_node *node, uint32_t axis, const hy_ir_reach *reaches,
                       hy_ir_rows wanted, hy_ir_rows *rows, hy_error *error)
{
	for (uint32_t i = 0; i < node->input_count; i++) {
		const uint32_t in = node->inputs[i];
		if (in == HY_IR_NONE || hy_ir_graph_value(graph, in)->data != NULL) continue;
		const hy_ir_rows need = hy_ir__strip_apply(&reaches[i], wanted, hy_ir_strip_height(graph, in, axis));
		if (hy_ir__strip_is_empty(need))
			return hy_error_set(error, HY_UNSUPPORTED, "%.*s '%.*s': rows %lld to %lld are padding alone",
			                    HY_IR__NAME_LIMIT, node->type, HY_IR__NAME_LIMIT, node->name,
			                    (long long)wanted.first, (long long)wanted.end - 1);
		hy_ir_rows *have = &rows[in];
		if (hy_ir__strip_is_empty(*have)) *have = need;
		if (need.first < have->first) have->first = need.first;
		if (need.end > have->end) have->end = need.end;
	}
	return HY_OK;
}

hy_status hy_ir_strip_need(const hy_ir_graph *graph, uint32_t first, uint32_t count, uint32_t axis, hy_ir_rows *rows,
                           hy_error *error)
{
	for (uint32_t n = first + count; n > first; n--) {
		const hy_ir_node *node = hy_ir_graph_node(graph, n - 1);
		const hy_ir_rows wanted = hy_ir__strip_wanted(node, rows);
		if (hy_ir__strip_is_empty(wanted)) continue;
		hy_ir_reach *reaches = malloc((node->input_count + 1u) * sizeof(*reaches));
		if (reaches == NULL) return hy_ir__no_memory(error);
		hy_status status = check_rows(graph, node, axis, wanted, error);
		bool local = false;
		if (status == HY_OK) status = hy_ir__strip_reach(graph, n - 1, axis, reaches, &local, error);
		if (status == HY_OK) set_outputs(graph, node, axis, local, wanted, rows);
		if (status == HY_OK) status = widen(graph, node, axis, reaches, wanted, rows, error);
		free(reaches);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}
