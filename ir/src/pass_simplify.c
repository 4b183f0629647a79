/* Removes what computes nothing and names what was written in pieces.
 * needs: opset 18, order, types. breaks: node numbers, uses of bypassed values (dce removes them).
 * keeps: value numbers; the names of graph inputs and outputs. */
#include "pass_simplify.h"

#include <halyard/ir/pass.h>

#include <stdlib.h>

/* ---- what rules ask ---- */

const hy_ir_type *hy_ir__simplify_type(const hy_ir__simplify *simplify, uint32_t value)
{
	return &hy_ir_graph_value(simplify->rewrite.graph, value)->type;
}

const hy_ir_node *hy_ir__simplify_made_by(const hy_ir__simplify *simplify, uint32_t value, hy_ir_op_id id)
{
	if (value == HY_IR_NONE) return NULL;
	const uint32_t producer = hy_ir_graph_value(simplify->rewrite.graph, value)->producer;
	if (producer == HY_IR_NONE) return NULL;
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, producer);
	return node->op != NULL && node->op->id == id ? node : NULL;
}

bool hy_ir__simplify_is_private(const hy_ir__simplify *simplify, uint32_t value)
{
	return value < simplify->value_count && simplify->uses[value] == 1 && !simplify->is_output[value];
}

bool hy_ir__simplify_is_all(const hy_ir__simplify *simplify, uint32_t value, double number)
{
	if (value == HY_IR_NONE) return false;
	const hy_ir_value *constant = hy_ir_graph_value(simplify->rewrite.graph, value);
	if (constant->data == NULL) return false;
	const hy_ir_tensor tensor = {.type = constant->type, .data = (void *)(uintptr_t)constant->data};
	const int64_t count = hy_ir_type_elements(&tensor.type);
	for (int64_t i = 0; i < count; i++)
		if (hy_ir__tensor_number(&tensor, i) != number) return false;
	return count > 0;
}

bool hy_ir__simplify_scalar(const hy_ir__simplify *simplify, uint32_t value, double *out_number)
{
	if (value == HY_IR_NONE) return false;
	const hy_ir_value *constant = hy_ir_graph_value(simplify->rewrite.graph, value);
	if (constant->data == NULL || hy_ir_type_elements(&constant->type) != 1) return false;
	const hy_ir_tensor tensor = {.type = constant->type, .data = (void *)(uintptr_t)constant->data};
	*out_number = hy_ir__tensor_number(&tensor, 0);
	return true;
}

bool hy_ir__simplify_bypass(hy_ir__simplify *simplify, uint32_t number, uint32_t source)
{
	hy_ir_graph *graph = simplify->rewrite.graph;
	const uint32_t value = hy_ir_graph_node(graph, number)->outputs[0];
	if (value == HY_IR_NONE || value >= simplify->value_count || source >= simplify->value_count) return false;
	if (simplify->is_output[value]) {
		const bool made = hy_ir_graph_value(graph, source)->producer != HY_IR_NONE;
		if (!made || simplify->is_output[source]) return false;
		hy_ir__graph_swap_names(graph, value, source);
		simplify->is_output[source] = true;
	}
	simplify->map[value] = source;
	simplify->uses[source] += simplify->uses[value];
	simplify->rewrite.changed = true;
	return true;
}

/* ---- rules that need a few lines only ---- */

static bool bypass(hy_ir__simplify *simplify, uint32_t number)
{
	return hy_ir__simplify_bypass(simplify, number, hy_ir_graph_node(simplify->rewrite.graph, number)->inputs[0]);
}

static bool simplify_dropout(hy_ir__simplify *simplify, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	if (node->output_count > 1 && node->outputs[1] != HY_IR_NONE && simplify->uses[node->outputs[1]] > 0)
		return false;
	const bool infers = node->input_count < 3 || node->inputs[2] == HY_IR_NONE ||
	                    hy_ir__simplify_is_all(simplify, node->inputs[2], 0);
	return infers && bypass(simplify, number);
}

static bool simplify_cast(hy_ir__simplify *simplify, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	return hy_ir_node_attr_int(node, "to", 0) == hy_ir__simplify_type(simplify, node->inputs[0])->dtype &&
	       bypass(simplify, number);
}

static bool simplify_clip(hy_ir__simplify *simplify, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	for (uint32_t i = 1; i < node->input_count; i++)
		if (node->inputs[i] != HY_IR_NONE) return false;
	return bypass(simplify, number);
}

static bool simplify_single(hy_ir__simplify *simplify, uint32_t number)
{
	return hy_ir_graph_node(simplify->rewrite.graph, number)->input_count == 1 && bypass(simplify, number);
}

static bool simplify_split(hy_ir__simplify *simplify, uint32_t number)
{
	return hy_ir_graph_node(simplify->rewrite.graph, number)->output_count == 1 && bypass(simplify, number);
}

static bool simplify_sum(hy_ir__simplify *simplify, uint32_t number)
{
	hy_ir__rewrite *rewrite = &simplify->rewrite;
	if (simplify_single(simplify, number)) return true;
	if (hy_ir_graph_node(rewrite->graph, number)->input_count == 2) {
		hy_ir__rewrite_check(
			rewrite, hy_ir__graph_set_op(rewrite->graph, number, "", "Add", HY_IR_OPSET, rewrite->error));
		rewrite->changed = true;
	}
	return false;
}

/* x op neutral */
static bool neutral_on(hy_ir__simplify *simplify, uint32_t number, uint32_t side, double neutral)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	const uint32_t x = node->inputs[1 - side];
	const hy_ir_type *type = hy_ir__simplify_type(simplify, x);
	return hy_ir_type_is_static(type) && node->outputs[0] != HY_IR_NONE &&
	       hy_ir_type_equal(type, hy_ir__simplify_type(simplify, node->outputs[0])) &&
	       hy_ir__simplify_is_all(simplify, node->inputs[side], neutral) &&
	       hy_ir__simplify_bypass(simplify, number, x);
}

static bool simplify_add(hy_ir__simplify *simplify, uint32_t node)
{
	return neutral_on(simplify, node, 1, 0) || neutral_on(simplify, node, 0, 0) ||
	       hy_ir__simplify_layer_norm_bias(simplify, node);
}

static bool simplify_mul(hy_ir__simplify *simplify, uint32_t node)
{
	return neutral_on(simplify, node, 1, 1) || neutral_on(simplify, node, 0, 1) ||
	       hy_ir__simplify_gelu(simplify, node) || hy_ir__simplify_layer_norm_scale(simplify, node);
}

static bool simplify_sub(hy_ir__simplify *simplify, uint32_t node)
{
	return neutral_on(simplify, node, 1, 0);
}

static bool simplify_div(hy_ir__simplify *simplify, uint32_t node)
{
	return neutral_on(simplify, node, 1, 1) || hy_ir__simplify_layer_norm(simplify, node);
}

static bool simplify_pow(hy_ir__simplify *simplify, uint32_t node)
{
	return neutral_on(simplify, node, 1, 1);
}

/* ---- the walk ---- */

static const hy_ir__simplify_rule rules[HY_IR_OP_COUNT] = {
	[HY_IR_OP_Add] = simplify_add,
	[HY_IR_OP_Cast] = simplify_cast,
	[HY_IR_OP_Clip] = simplify_clip,
	[HY_IR_OP_Concat] = simplify_single,
	[HY_IR_OP_Div] = simplify_div,
	[HY_IR_OP_Dropout] = simplify_dropout,
	[HY_IR_OP_Expand] = hy_ir__simplify_repeat,
	[HY_IR_OP_Flatten] = hy_ir__simplify_view,
	[HY_IR_OP_Identity] = bypass,
	[HY_IR_OP_Max] = simplify_single,
	[HY_IR_OP_Mean] = simplify_single,
	[HY_IR_OP_Min] = simplify_single,
	[HY_IR_OP_Mul] = simplify_mul,
	[HY_IR_OP_Pad] = hy_ir__simplify_pad,
	[HY_IR_OP_Pow] = simplify_pow,
	[HY_IR_OP_Reshape] = hy_ir__simplify_view,
	[HY_IR_OP_Slice] = hy_ir__simplify_slice,
	[HY_IR_OP_Split] = simplify_split,
	[HY_IR_OP_Squeeze] = hy_ir__simplify_view,
	[HY_IR_OP_Sub] = simplify_sub,
	[HY_IR_OP_Sum] = simplify_sum,
	[HY_IR_OP_Tile] = hy_ir__simplify_repeat,
	[HY_IR_OP_Transpose] = hy_ir__simplify_transpose,
	[HY_IR_OP_Unsqueeze] = hy_ir__simplify_view,
};

static void read_mapped(hy_ir__simplify *simplify, uint32_t number)
{
	hy_ir__rewrite *rewrite = &simplify->rewrite;
	const hy_ir_node *node = hy_ir_graph_node(rewrite->graph, number);
	bool same = true;
	for (uint32_t i = 0; i < node->input_count; i++)
		if (node->inputs[i] != HY_IR_NONE && simplify->map[node->inputs[i]] != node->inputs[i]) same = false;
	if (same) return;
	uint32_t *inputs = malloc(node->input_count * sizeof(inputs[0]));
	if (inputs == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		return;
	}
	for (uint32_t i = 0; i < node->input_count; i++)
		inputs[i] = node->inputs[i] == HY_IR_NONE ? HY_IR_NONE : simplify->map[node->inputs[i]];
	hy_ir__rewrite_check(
		rewrite, hy_ir__graph_set_inputs(rewrite->graph, number, node->input_count, inputs, rewrite->error));
	free(inputs);
}

static void visit(hy_ir__simplify *simplify, uint32_t number)
{
	read_mapped(simplify, number);
	if (simplify->rewrite.status != HY_OK) return;
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	const hy_ir__simplify_rule rule = node->op != NULL ? rules[node->op->id] : NULL;
	if (rule == NULL || !rule(simplify, number)) hy_ir__rewrite_keep(&simplify->rewrite, number);
}

static hy_status init(hy_ir__simplify *simplify, hy_ir_graph *graph, hy_error *error)
{
	const uint32_t count = hy_ir_graph_value_count(graph);
	*simplify = (hy_ir__simplify){.value_count = count};
	simplify->map = malloc((count + 1u) * sizeof(simplify->map[0]));
	simplify->uses = calloc(count + 1u, sizeof(simplify->uses[0]));
	simplify->is_output = calloc(count + 1u, sizeof(simplify->is_output[0]));
	if (simplify->map == NULL || simplify->uses == NULL || simplify->is_output == NULL)
		return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < count; i++)
		simplify->map[i] = i;
	hy_ir__graph_count_uses(graph, simplify->uses);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		simplify->is_output[hy_ir_graph_outputs(graph)[i]] = true;
	hy_ir__rewrite_init(&simplify->rewrite, graph, error);
	return HY_OK;
}

static hy_status read_mapped_outputs(const hy_ir__simplify *simplify, hy_ir_graph *graph, hy_error *error)
{
	const uint32_t count = hy_ir_graph_output_count(graph);
	uint32_t *outputs = malloc((count + 1u) * sizeof(outputs[0]));
	if (outputs == NULL) return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < count; i++)
		outputs[i] = simplify->map[hy_ir_graph_outputs(graph)[i]];
	const hy_status status = hy_ir__graph_set_graph_outputs(graph, count, outputs, error);
	free(outputs);
	return status;
}

hy_status hy_ir_pass_simplify(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	hy_ir__simplify simplify;
	hy_status status = init(&simplify, graph, error);
	if (status == HY_OK) {
		const uint32_t count = hy_ir_graph_node_count(graph);
		for (uint32_t i = 0; i < count && simplify.rewrite.status == HY_OK; i++)
			visit(&simplify, i);
		status = hy_ir__rewrite_finish(&simplify.rewrite, out_changed);
		if (status == HY_OK) status = read_mapped_outputs(&simplify, graph, error);
	}
	free(simplify.map);
	free(simplify.uses);
	free(simplify.is_output);
	return status;
}
