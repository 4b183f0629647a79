/* Nodes that move nothing, and views of views. */
#include "pass_simplify.h"

#include <string.h>

/* The node with `source` as its data and the output's shape as a constant; the old one is gone. */
static bool become_reshape(hy_ir__simplify *simplify, uint32_t number, uint32_t source)
{
	hy_ir__rewrite *rewrite = &simplify->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_type type = *hy_ir__simplify_type(simplify, node.outputs[0]);
	hy_ir__op op = {.type = "Reshape", .name = node.name, .input_count = 2};
	op.inputs[0] = source;
	op.inputs[1] = hy_ir__rewrite_ints(rewrite, "shape", type.rank, type.dim);
	for (uint32_t i = 0; i < type.rank; i++)
		if (type.dim[i] == 0) op.attr_count = 1;
	op.attrs[0] = hy_ir_attr_int("allowzero", 1);
	hy_ir__graph_kill(rewrite->graph, number);
	hy_ir__rewrite_op_into(rewrite, &op, node.outputs[0]);
	if (source < simplify->value_count) simplify->uses[source]++;
	return true;
}

static bool keeps_type(const hy_ir__simplify *simplify, uint32_t source, uint32_t result)
{
	const hy_ir_type *type = hy_ir__simplify_type(simplify, source);
	return result != HY_IR_NONE && hy_ir_type_is_static(type) &&
	       hy_ir_type_equal(type, hy_ir__simplify_type(simplify, result));
}

/* The node before, when it is a view of the same element type. */
static const hy_ir_node *view_before(const hy_ir__simplify *simplify, uint32_t value)
{
	const hy_ir_graph *graph = simplify->rewrite.graph;
	const uint32_t producer = hy_ir_graph_value(graph, value)->producer;
	if (producer == HY_IR_NONE) return NULL;
	const hy_ir_node *node = hy_ir_graph_node(graph, producer);
	const bool is_view = node->op != NULL && node->op->fusion == HY_IR_CLASS_VIEW &&
	                     node->op->id != HY_IR_OP_Dropout;
	return is_view ? node : NULL;
}

bool hy_ir__simplify_view(hy_ir__simplify *simplify, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	const uint32_t result = node->outputs[0];
	if (keeps_type(simplify, node->inputs[0], result) && hy_ir__simplify_bypass(simplify, number, node->inputs[0]))
		return true;
	const hy_ir_node *before = view_before(simplify, node->inputs[0]);
	if (before == NULL || result == HY_IR_NONE || !hy_ir_type_is_static(hy_ir__simplify_type(simplify, result)))
		return false;
	const uint32_t source = before->inputs[0];
	if (keeps_type(simplify, source, result) && hy_ir__simplify_bypass(simplify, number, source)) return true;
	return become_reshape(simplify, number, source);
}

/* ---- Transpose ---- */

static bool perm_of(const hy_ir_node *node, uint32_t rank, int64_t *out_perm)
{
	const hy_ir_attr *attr = hy_ir_node_attr(node, "perm");
	if (attr != NULL && (attr->kind != HY_ATTR_INTS || attr->count != rank)) return false;
	uint32_t seen = 0;
	for (uint32_t i = 0; i < rank; i++) {
		out_perm[i] = attr != NULL ? attr->ints[i] : rank - 1 - i;
		if (out_perm[i] < 0 || out_perm[i] >= rank) return false;
		seen |= 1u << out_perm[i];
	}
	return seen == (1u << rank) - 1;
}

/* Dimensions that are not 1 keep their order. */
static bool moves_nothing(const hy_ir_type *type, const int64_t *perm)
{
	int64_t last = -1;
	for (uint32_t i = 0; i < type->rank; i++) {
		if (type->dim[perm[i]] == 1) continue;
		if (perm[i] < last) return false;
		last = perm[i];
	}
	return true;
}

bool hy_ir__simplify_transpose(hy_ir__simplify *simplify, uint32_t number)
{
	hy_ir__rewrite *rewrite = &simplify->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_type *type = hy_ir__simplify_type(simplify, node.inputs[0]);
	int64_t perm[HY_MAX_RANK], inner[HY_MAX_RANK], both[HY_MAX_RANK];
	if (!hy_ir_type_is_static(type) || node.outputs[0] == HY_IR_NONE || !perm_of(&node, type->rank, perm))
		return false;
	if (moves_nothing(type, perm)) {
		return (keeps_type(simplify, node.inputs[0], node.outputs[0]) &&
		        hy_ir__simplify_bypass(simplify, number, node.inputs[0])) ||
		       become_reshape(simplify, number, node.inputs[0]);
	}
	const hy_ir_node *before = hy_ir__simplify_made_by(simplify, node.inputs[0], HY_IR_OP_Transpose);
	if (before == NULL || !perm_of(before, type->rank, inner)) return false;
	bool identity = true;
	for (uint32_t i = 0; i < type->rank; i++) {
		both[i] = inner[perm[i]];
		if (both[i] != i) identity = false;
	}
	const uint32_t source = before->inputs[0];
	if (identity && hy_ir__simplify_bypass(simplify, number, source)) return true;
	hy_ir__graph_kill(rewrite->graph, number);
	hy_ir__rewrite_op_into(rewrite,
	                       &(hy_ir__op){.type = "Transpose",
	                                    .name = node.name,
	                                    .input_count = 1,
	                                    .inputs = {source},
	                                    .attr_count = 1,
	                                    .attrs = {hy_ir_attr_ints("perm", type->rank, both)}},
	                       node.outputs[0]);
	if (source < simplify->value_count) simplify->uses[source]++;
	return true;
}

/* ---- moves that move nothing ---- */

static bool bypass_same_type(hy_ir__simplify *simplify, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	return keeps_type(simplify, node->inputs[0], node->outputs[0]) &&
	       hy_ir__simplify_bypass(simplify, number, node->inputs[0]);
}

/* A slice of the same shape with steps of 1 is everything; with steps of -1 it is a reversal. */
bool hy_ir__simplify_slice(hy_ir__simplify *simplify, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	const bool forward = node->input_count < 5 || node->inputs[4] == HY_IR_NONE ||
	                     hy_ir__simplify_is_all(simplify, node->inputs[4], 1);
	return forward && bypass_same_type(simplify, number);
}

bool hy_ir__simplify_pad(hy_ir__simplify *simplify, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(simplify->rewrite.graph, number);
	return hy_ir__simplify_is_all(simplify, node->inputs[1], 0) && bypass_same_type(simplify, number);
}

bool hy_ir__simplify_repeat(hy_ir__simplify *simplify, uint32_t number)
{
	return bypass_same_type(simplify, number);
}
