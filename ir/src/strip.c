/* Makes the graph of a strip: the same nodes on fewer rows, with the padding that is left at each border. Rows are
 * planned first (hy_ir_strip_need); then every node is copied, and reads what it needs from what is there, through a
 * Slice where more is there. */
#include "strip.h"

#include <halyard/ir/infer.h>

#include <stdlib.h>
#include <string.h>

/* Nodes of one graph, or of a region's body, on their way into another. */
typedef struct strip_builder {
	const hy_ir_graph *from;
	hy_ir_graph *to;
	uint32_t axis;
	hy_ir_rows *rows; /* per value of from: needed; with `map`: there */
	uint32_t *map; /* per value of from: its value in to, or HY_IR_NONE */
	hy_error *error;
} strip_builder;

static void builder_finish(strip_builder *b)
{
	free(b->rows);
	free(b->map);
}

static hy_status builder_init(strip_builder *b, const hy_ir_graph *from, hy_ir_graph *to, uint32_t axis,
                              hy_error *error)
{
	const uint32_t values = hy_ir_graph_value_count(from);
	*b = (strip_builder){.from = from, .to = to, .axis = axis, .error = error};
	b->rows = calloc(values + 1u, sizeof(*b->rows));
	b->map = malloc((values + 1u) * sizeof(*b->map));
	if (b->rows == NULL || b->map == NULL) return hy_ir__no_memory(error);
	for (uint32_t v = 0; v < values; v++)
		b->map[v] = HY_IR_NONE;
	return HY_OK;
}

/* The type of some rows of a value. */
static hy_ir_type type_of(const strip_builder *b, uint32_t value, hy_ir_rows rows)
{
	hy_ir_type type = hy_ir_graph_value(b->from, value)->type;
	if (type.rank > b->axis) type.dim[b->axis] = rows.end - rows.first;
	return type;
}

/* ---- values ---- */

static hy_status make_list(const strip_builder *b, const char *name, uint32_t count, const int64_t *numbers,
                           uint32_t *out_value)
{
	const hy_ir_type type = {.dtype = HY_DTYPE_I64, .rank = 1, .dim = {count}};
	return hy_ir_build_constant(b->to, name, &type, numbers, out_value, b->error);
}

/* Rows of a value of which `to` has more; rows count from the first that is there. */
static hy_status make_slice(const strip_builder *b, uint32_t source, const hy_ir_type *type, hy_ir_rows rows,
                            uint32_t *out_value)
{
	const int64_t axis = b->axis;
	uint32_t inputs[4] = {source};
	hy_status status = make_list(b, "strip_first", 1, &rows.first, &inputs[1]);
	if (status == HY_OK) status = make_list(b, "strip_end", 1, &rows.end, &inputs[2]);
	if (status == HY_OK) status = make_list(b, "strip_axis", 1, &axis, &inputs[3]);
	if (status == HY_OK)
		status = hy_ir_build_op(b->to, "Slice", "strip_rows", 4, inputs, 0, NULL, out_value, b->error);
	if (status == HY_OK) hy_ir__graph_set_type(b->to, *out_value, type);
	return status;
}

static hy_status lend_constant(const strip_builder *b, uint32_t value)
{
	const hy_ir_value *it = hy_ir_graph_value(b->from, value);
	const hy_status status = hy_ir_build_value(b->to, it->name, &it->type, &b->map[value], b->error);
	if (status == HY_OK) hy_ir__graph_set_constant_as(b->to, b->map[value], &it->type, b->from, value);
	return status;
}

/* Some rows of a constant, copied. */
static hy_status cut_constant(const strip_builder *b, uint32_t value, hy_ir_rows rows, uint32_t *out_value)
{
	const hy_ir_value *it = hy_ir_graph_value(b->from, value);
	const hy_ir_type type = type_of(b, value, rows);
	uint64_t inner = hy_dtype_bits(type.dtype) / 8u, outer = 1;
	for (uint32_t d = 0; d < type.rank; d++) {
		if (d < b->axis) outer *= (uint64_t)type.dim[d];
		if (d > b->axis) inner *= (uint64_t)type.dim[d];
	}
	const uint64_t whole = inner * (uint64_t)it->type.dim[b->axis], length = inner * (uint64_t)type.dim[b->axis];
	char *data = malloc(outer * length + 1);
	if (data == NULL) return hy_ir__no_memory(b->error);
	for (uint64_t o = 0; o < outer; o++)
		memcpy(data + o * length, (const char *)it->data + o * whole + (uint64_t)rows.first * inner, length);
	const hy_status status = hy_ir_build_constant(b->to, it->name, &type, data, out_value, b->error);
	free(data);
	return status;
}

/* The value in `to` that holds exactly these rows. */
static hy_status read_rows(strip_builder *b, uint32_t value, hy_ir_rows rows, uint32_t *out_value)
{
	const hy_ir_value *it = hy_ir_graph_value(b->from, value);
	hy_status status = HY_OK;
	hy_ir_rows have = b->rows[value];
	if (it->data != NULL) {
		have = (hy_ir_rows){0, hy_ir_strip_height(b->from, value, b->axis)};
		if (!hy_ir__strip_is_equal(have, rows)) return cut_constant(b, value, rows, out_value);
		if (b->map[value] == HY_IR_NONE) status = lend_constant(b, value);
	}
	*out_value = b->map[value];
	if (status != HY_OK || hy_ir__strip_is_equal(have, rows)) return status;
	const hy_ir_type type = type_of(b, value, rows);
	const hy_ir_rows relative = {rows.first - have.first, rows.end - have.first};
	return make_slice(b, b->map[value], &type, relative, out_value);
}

/* ---- nodes ---- */

/* A node as it will be in `to`: the options, and what they point to. */
typedef struct copy {
	hy_ir_node_options options;
	uint32_t *inputs, *outputs;
	hy_ir_attr *attrs;
	int64_t pads[2 * HY_MAX_RANK];
} copy;

static void set_attr(copy *c, const hy_ir_attr *attr)
{
	for (uint32_t i = 0; i < c->options.attr_count; i++)
		if (strcmp(c->attrs[i].name, attr->name) == 0) {
			c->attrs[i] = *attr;
			return;
		}
	c->attrs[c->options.attr_count++] = *attr;
}

/* Padding of the window that is left around these rows of input 0. */
static hy_status set_window(const strip_builder *b, const hy_ir__call *call, const hy_ir_reach *reach,
                            hy_ir_rows wanted, hy_ir_rows given, copy *c)
{
	hy_ir__window w;
	const bool is_pool = call->node->op->id != HY_IR_OP_Conv;
	const hy_status status = hy_ir__window_forward(call, &call->in[0].type, is_pool ? NULL : &call->in[1].type, &w);
	if (status != HY_OK) return status;
	const hy_ir_rows span = hy_ir__strip_span(reach, wanted);
	w.begin[b->axis - 2] = given.first - span.first;
	w.end[b->axis - 2] = span.end - given.end;
	memcpy(c->pads, w.begin, w.rank * sizeof(c->pads[0]));
	memcpy(c->pads + w.rank, w.end, w.rank * sizeof(c->pads[0]));
	const hy_ir_attr pads = hy_ir_attr_ints("pads", 2 * w.rank, c->pads);
	const hy_ir_attr automatic = hy_ir_attr_string("auto_pad", "NOTSET");
	set_attr(c, &pads);
	if (hy_ir_node_attr(call->node, "auto_pad") != NULL) set_attr(c, &automatic);
	return HY_OK;
}

static hy_status set_pad(const strip_builder *b, const hy_ir__call *call, const hy_ir_reach *reach, hy_ir_rows wanted,
                         hy_ir_rows given, copy *c)
{
	hy_ir__padding padding;
	hy_status status = hy_ir__padding_of(call, &padding);
	if (status != HY_OK) return status;
	const uint32_t rank = call->in[0].type.rank;
	const hy_ir_rows span = hy_ir__strip_span(reach, wanted);
	padding.begin[b->axis] = given.first - span.first;
	padding.end[b->axis] = span.end - given.end;
	memcpy(c->pads, padding.begin, rank * sizeof(c->pads[0]));
	memcpy(c->pads + rank, padding.end, rank * sizeof(c->pads[0]));
	status = make_list(b, "strip_pads", 2 * rank, c->pads, &c->inputs[1]);
	if (c->options.input_count > 3) c->options.input_count = 3; /* all axes are named by their order */
	return status;
}

static hy_status set_padding(const strip_builder *b, const hy_ir__call *call, const hy_ir_reach *reaches,
                             hy_ir_rows wanted, hy_ir_rows given, copy *c)
{
	switch (call->node->op->id) {
	case HY_IR_OP_Conv:
	case HY_IR_OP_MaxPool:
	case HY_IR_OP_AveragePool:
		return set_window(b, call, &reaches[0], wanted, given, c);
	case HY_IR_OP_Pad:
		return set_pad(b, call, &reaches[0], wanted, given, c);
	default:
		return HY_OK;
	}
}

static hy_status copy_init(const hy_ir_node *node, copy *c, hy_error *error)
{
	*c = (copy){.inputs = malloc((node->input_count + 1u) * sizeof(*c->inputs)),
	            .outputs = malloc((node->output_count + 1u) * sizeof(*c->outputs)),
	            .attrs = malloc((node->attr_count + 2u) * sizeof(*c->attrs))};
	if (c->inputs == NULL || c->outputs == NULL || c->attrs == NULL) return hy_ir__no_memory(error);
	if (node->attr_count > 0) memcpy(c->attrs, node->attrs, node->attr_count * sizeof(*c->attrs));
	c->options = (hy_ir_node_options){.domain = node->domain,
	                                  .type = node->type,
	                                  .name = node->name,
	                                  .version = node->version,
	                                  .input_count = node->input_count,
	                                  .output_count = node->output_count,
	                                  .attr_count = node->attr_count,
	                                  .inputs = c->inputs,
	                                  .outputs = c->outputs,
	                                  .attrs = c->attrs};
	return HY_OK;
}

static void copy_finish(copy *c)
{
	free(c->inputs);
	free(c->outputs);
	free(c->attrs);
}

static hy_status make_outputs(strip_builder *b, const hy_ir_node *node, copy *c)
{
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t value = node->outputs[i];
		c->outputs[i] = HY_IR_NONE;
		if (value == HY_IR_NONE) continue;
		const hy_ir_type type = type_of(b, value, b->rows[value]);
		const hy_status status = hy_ir_build_value(b->to, hy_ir_graph_value(b->from, value)->name, &type,
		                                           &c->outputs[i], b->error);
		if (status != HY_OK) return status;
		b->map[value] = c->outputs[i];
	}
	return HY_OK;
}

static hy_status put_plain(strip_builder *b, uint32_t number, hy_ir_rows wanted)
{
	const hy_ir_node *node = hy_ir_graph_node(b->from, number);
	hy_ir_tensor *types = NULL;
	hy_ir__call call;
	copy c;
	hy_ir_rows given = {0, 0};
	hy_ir_reach *reaches = malloc((node->input_count + 1u) * sizeof(*reaches));
	hy_status status = copy_init(node, &c, b->error);
	if (reaches == NULL) status = hy_ir__no_memory(b->error);
	bool local = false;
	if (status == HY_OK) status = hy_ir__strip_reach(b->from, number, b->axis, reaches, &local, b->error);
	for (uint32_t i = 0; i < node->input_count && status == HY_OK; i++) {
		const uint32_t in = node->inputs[i];
		c.inputs[i] = HY_IR_NONE;
		if (in == HY_IR_NONE) continue;
		const hy_ir_rows need = hy_ir__strip_apply(&reaches[i], wanted,
		                                           hy_ir_strip_height(b->from, in, b->axis));
		if (i == 0) given = need;
		status = read_rows(b, in, need, &c.inputs[i]);
	}
	if (status == HY_OK && local) status = hy_ir__strip_call(b->from, number, &types, &call, b->error);
	if (status == HY_OK && local) status = set_padding(b, &call, reaches, wanted, given, &c);
	if (status == HY_OK) status = make_outputs(b, node, &c);
	if (status == HY_OK) status = hy_ir_build_node(b->to, &c.options, NULL, b->error);
	free(types);
	free(reaches);
	copy_finish(&c);
	return status;
}

/* ---- regions ---- */

/* Whether every node of the body needs exactly the rows that are there: no Slice inside. */
static hy_status is_smooth(const strip_builder *body, bool *out_smooth)
{
	*out_smooth = true;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(body->from); n++) {
		const hy_ir_node *node = hy_ir_graph_node(body->from, n);
		const hy_ir_rows wanted = hy_ir__strip_wanted(node, body->rows);
		if (hy_ir__strip_is_empty(wanted)) continue;
		hy_ir_reach *reaches = malloc((node->input_count + 1u) * sizeof(*reaches));
		if (reaches == NULL) return hy_ir__no_memory(body->error);
		bool local;
		const hy_status status = hy_ir__strip_reach(body->from, n, body->axis, reaches, &local, body->error);
		for (uint32_t i = 0; i < node->input_count && status == HY_OK; i++) {
			const uint32_t in = node->inputs[i];
			if (in == HY_IR_NONE || hy_ir_graph_value(body->from, in)->data != NULL) continue;
			const hy_ir_rows need = hy_ir__strip_apply(&reaches[i], wanted,
			                                           hy_ir_strip_height(body->from, in, body->axis));
			if (!hy_ir__strip_is_equal(need, body->rows[in])) *out_smooth = false;
		}
		free(reaches);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

static hy_status put_nodes(strip_builder *b, uint32_t first, uint32_t count);

/* Reads the region's inputs with the rows that its body needs. */
static hy_status read_inputs(strip_builder *b, strip_builder *body, const hy_ir_node *region, uint32_t *out_values)
{
	for (uint32_t i = 0; i < region->input_count; i++) {
		const uint32_t outer = region->inputs[i], inner = hy_ir_graph_inputs(body->from)[i];
		out_values[i] = HY_IR_NONE;
		if (outer == HY_IR_NONE) continue;
		if (hy_ir__strip_is_empty(body->rows[inner]))
			body->rows[inner] = (hy_ir_rows){0, hy_ir_strip_height(b->from, outer, b->axis)};
		const hy_status status = read_rows(b, outer, body->rows[inner], &out_values[i]);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

static hy_status put_inlined(strip_builder *b, strip_builder *body, const hy_ir_node *region, const uint32_t *inputs)
{
	body->to = b->to;
	for (uint32_t i = 0; i < region->input_count; i++)
		body->map[hy_ir_graph_inputs(body->from)[i]] = inputs[i];
	const hy_status status = put_nodes(body, 0, hy_ir_graph_node_count(body->from));
	for (uint32_t i = 0; i < region->output_count && status == HY_OK; i++)
		b->map[region->outputs[i]] = body->map[hy_ir_graph_outputs(body->from)[i]];
	return status;
}

static hy_status put_fused(strip_builder *b, strip_builder *body, const hy_ir_node *region, copy *c)
{
	hy_status status = hy_ir_graph_create(hy_ir_graph_name(body->from), &body->to, b->error);
	for (uint32_t i = 0; i < region->input_count && status == HY_OK; i++) {
		const uint32_t inner = hy_ir_graph_inputs(body->from)[i];
		const hy_ir_type type = type_of(body, inner, body->rows[inner]);
		status = hy_ir_build_input(body->to, hy_ir_graph_value(body->from, inner)->name, &type, NULL,
		                           &body->map[inner], b->error);
	}
	if (status == HY_OK) status = put_nodes(body, 0, hy_ir_graph_node_count(body->from));
	for (uint32_t i = 0; i < region->output_count && status == HY_OK; i++)
		status = hy_ir_build_output(body->to, body->map[hy_ir_graph_outputs(body->from)[i]], b->error);
	if (status == HY_OK) status = make_outputs(b, region, c);
	c->options.take_body = body->to;
	if (status == HY_OK) status = hy_ir_build_node(b->to, &c->options, NULL, b->error);
	if (status != HY_OK) hy_ir_graph_destroy(body->to);
	return status;
}

static hy_status put_region(strip_builder *b, uint32_t number, hy_ir_rows wanted)
{
	const hy_ir_node *region = hy_ir_graph_node(b->from, number);
	strip_builder body = {0};
	copy c;
	bool smooth = false;
	hy_status status = copy_init(region, &c, b->error);
	if (status == HY_OK) status = builder_init(&body, region->body, NULL, b->axis, b->error);
	for (uint32_t i = 0; i < region->output_count && status == HY_OK; i++)
		body.rows[hy_ir_graph_outputs(region->body)[i]] = wanted;
	if (status == HY_OK)
		status = hy_ir_strip_need(region->body, 0, hy_ir_graph_node_count(region->body), b->axis, body.rows,
		                          b->error);
	if (status == HY_OK) status = is_smooth(&body, &smooth);
	if (status == HY_OK) status = read_inputs(b, &body, region, c.inputs);
	if (status == HY_OK)
		status = smooth ? put_fused(b, &body, region, &c) : put_inlined(b, &body, region, c.inputs);
	builder_finish(&body);
	copy_finish(&c);
	return status;
}

static hy_status put_nodes(strip_builder *b, uint32_t first, uint32_t count)
{
	hy_status status = HY_OK;
	for (uint32_t n = first; n < first + count && status == HY_OK; n++) {
		const hy_ir_node *node = hy_ir_graph_node(b->from, n);
		const hy_ir_rows wanted = hy_ir__strip_wanted(node, b->rows);
		if (hy_ir__strip_is_empty(wanted)) continue;
		status = node->body != NULL ? put_region(b, n, wanted) : put_plain(b, n, wanted);
	}
	return status;
}

/* ---- the borders of the strip ---- */

/* The pieces [first, end) of one value: graph inputs, joined where there are several. */
static hy_status put_input(strip_builder *b, uint32_t count, const hy_ir_piece *pieces)
{
	const uint32_t value = pieces[0].value;
	const char *name = hy_ir_graph_value(b->from, value)->name;
	const hy_ir_rows all = {pieces[0].rows.first, pieces[count - 1].rows.end}, need = b->rows[value];
	uint32_t *parts = malloc(count * sizeof(*parts));
	hy_status status = parts != NULL ? HY_OK : hy_ir__no_memory(b->error);
	for (uint32_t i = 0; i < count && status == HY_OK; i++) {
		const hy_ir_rows rows = pieces[i].rows;
		const hy_ir_type type = type_of(b, value, rows);
		if (rows.end <= rows.first || (i > 0 && rows.first != pieces[i - 1].rows.end))
			status = hy_error_set(b->error, HY_INVALID, "strip: the pieces of '%.*s' leave a gap",
			                      HY_IR__NAME_LIMIT, name);
		else
			status = hy_ir_build_input(b->to, name, &type, NULL, &parts[i], b->error);
	}
	if (status == HY_OK && !hy_ir__strip_is_empty(need) && (need.first < all.first || need.end > all.end))
		status = hy_error_set(b->error, HY_INVALID,
		                      "strip: rows %lld to %lld of '%.*s' are needed, %lld to %lld are given",
		                      (long long)need.first, (long long)need.end - 1, HY_IR__NAME_LIMIT, name,
		                      (long long)all.first, (long long)all.end - 1);
	if (status == HY_OK) {
		b->rows[value] = all;
		b->map[value] = parts[0];
	}
	if (status == HY_OK && count > 1) {
		const hy_ir_attr axis = hy_ir_attr_int("axis", b->axis);
		const hy_ir_type type = type_of(b, value, all);
		status = hy_ir_build_op(b->to, "Concat", "strip_join", count, parts, 1, &axis, &b->map[value],
		                        b->error);
		if (status == HY_OK) hy_ir__graph_set_type(b->to, b->map[value], &type);
	}
	free(parts);
	return status;
}

static hy_status put_inputs(strip_builder *b, uint32_t count, const hy_ir_piece *pieces)
{
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < count && status == HY_OK;) {
		uint32_t end = i + 1;
		while (end < count && pieces[end].value == pieces[i].value)
			end++;
		status = put_input(b, end - i, pieces + i);
		i = end;
	}
	return status;
}

static hy_status check_inputs(const strip_builder *b, uint32_t first, uint32_t count)
{
	for (uint32_t n = first; n < first + count; n++) {
		const hy_ir_node *node = hy_ir_graph_node(b->from, n);
		for (uint32_t i = 0; i < node->input_count; i++) {
			const uint32_t in = node->inputs[i];
			if (in == HY_IR_NONE || hy_ir__strip_is_empty(b->rows[in]) || b->map[in] != HY_IR_NONE)
				continue;
			const hy_ir_value *value = hy_ir_graph_value(b->from, in);
			if (value->data != NULL || (value->producer >= first && value->producer < first + count))
				continue;
			return hy_error_set(b->error, HY_INVALID, "strip: '%.*s' is needed and not given",
			                    HY_IR__NAME_LIMIT, value->name);
		}
	}
	return HY_OK;
}

static hy_status put_outputs(strip_builder *b, uint32_t count, const hy_ir_piece *pieces)
{
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < count && status == HY_OK; i++) {
		uint32_t value;
		status = read_rows(b, pieces[i].value, pieces[i].rows, &value);
		if (status == HY_OK) status = hy_ir_build_output(b->to, value, b->error);
	}
	return status;
}

static hy_status want(strip_builder *b, uint32_t first, uint32_t count, uint32_t output_count,
                      const hy_ir_piece *outputs)
{
	for (uint32_t i = 0; i < output_count; i++) {
		const hy_ir_piece *piece = &outputs[i];
		const uint32_t producer = hy_ir_graph_value(b->from, piece->value)->producer;
		hy_ir_rows *rows = &b->rows[piece->value];
		if (producer < first || producer >= first + count || hy_ir__strip_is_empty(piece->rows))
			return hy_error_set(b->error, HY_INVALID, "strip: output %u is no value of these nodes", i);
		if (hy_ir__strip_is_empty(*rows)) *rows = piece->rows;
		if (piece->rows.first < rows->first) rows->first = piece->rows.first;
		if (piece->rows.end > rows->end) rows->end = piece->rows.end;
	}
	return hy_ir_strip_need(b->from, first, count, b->axis, b->rows, b->error);
}

hy_status hy_ir_strip_create(const hy_ir_graph *graph, uint32_t first, uint32_t count, uint32_t axis,
                             uint32_t input_count, const hy_ir_piece *inputs, uint32_t output_count,
                             const hy_ir_piece *outputs, hy_ir_graph **out_graph, hy_error *error)
{
	const uint32_t nodes = hy_ir_graph_node_count(graph);
	if (axis >= HY_MAX_RANK || first > nodes || count > nodes - first || output_count == 0)
		return hy_error_set(error, HY_INVALID, "strip: nodes %u and %u more of %u, axis %u, %u outputs", first,
		                    count, nodes, axis, output_count);
	strip_builder b = {0};
	hy_ir_graph *strip = NULL;
	hy_status status = hy_ir_graph_create(hy_ir_graph_name(graph), &strip, error);
	if (status == HY_OK) status = builder_init(&b, graph, strip, axis, error);
	if (status == HY_OK) status = want(&b, first, count, output_count, outputs);
	if (status == HY_OK) status = put_inputs(&b, input_count, inputs);
	if (status == HY_OK) status = check_inputs(&b, first, count);
	if (status == HY_OK) status = put_nodes(&b, first, count);
	if (status == HY_OK) status = put_outputs(&b, output_count, outputs);
	if (status == HY_OK) status = hy_ir_infer_graph(strip, error);
	builder_finish(&b);
	if (status != HY_OK) {
		hy_ir_graph_destroy(strip);
		return status;
	}
	*out_graph = strip;
	return HY_OK;
}
