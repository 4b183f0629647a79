/* Computes what depends on constants only. Types are inferred on the way, so that one walk follows a chain from a
 * shape through integers into the next shape. A view of a constant shares its bytes; a result much larger than its
 * operands stays a node, but ConstantOfShape, which models fill their weights with.
 * A graph output is always made by a node: a folded one becomes an Identity of its constant.
 * needs: opset 18, order. breaks: node numbers. keeps: value numbers, names. */
#include "pass_rewrite.h"

#include <halyard/ir/eval.h>
#include <halyard/ir/infer.h>
#include <halyard/ir/pass.h>

#include <stdlib.h>

#define GROWTH_BYTES (1u << 20) /* what a fold may add to the model */
#define WEIGHT_BYTES (2ull << 30) /* the largest weight that ConstantOfShape may make */

typedef struct folder {
	hy_ir__rewrite rewrite;
	bool *is_output; /* of the values that were there at the start */
	uint32_t value_count;
} folder;

static bool inputs_are_constant(const hy_ir_graph *graph, const hy_ir_node *node)
{
	for (uint32_t i = 0; i < node->input_count; i++)
		if (node->inputs[i] != HY_IR_NONE && hy_ir_graph_value(graph, node->inputs[i])->data == NULL)
			return false;
	return node->input_count > 0;
}

static bool is_small_enough(const hy_ir_node *node, const hy_ir_tensor *inputs, const hy_ir_type *types)
{
	uint64_t in_bytes = 0, out_bytes = 0; /* no overflow: neither type has a fault */
	for (uint32_t i = 0; i < node->input_count; i++)
		if (inputs[i].data != NULL) in_bytes += hy_ir_type_bytes(&inputs[i].type);
	for (uint32_t i = 0; i < node->output_count; i++) {
		if (node->outputs[i] == HY_IR_NONE) continue;
		if (!hy_ir_type_is_static(&types[i]) || hy_ir__type_fault(&types[i]) != NULL) return false;
		out_bytes += hy_ir_type_bytes(&types[i]);
	}
	if (node->op->id == HY_IR_OP_ConstantOfShape) return out_bytes <= WEIGHT_BYTES;
	return out_bytes <= in_bytes + GROWTH_BYTES;
}

/* The value that receives the constant: the output itself, or a new one that an Identity copies from. */
static uint32_t place_of(folder *fold, const hy_ir_node *node, uint32_t output)
{
	if (output >= fold->value_count || !fold->is_output[output]) return output;
	uint32_t value = HY_IR_NONE;
	hy_ir__rewrite_check(&fold->rewrite,
	                     hy_ir_build_value(fold->rewrite.graph, node->name, NULL, &value, fold->rewrite.error));
	return value;
}

static void connect(folder *fold, const hy_ir_node *node, uint32_t place, uint32_t output)
{
	fold->rewrite.changed = true;
	if (place == output) return;
	hy_ir__rewrite_op_into(
		&fold->rewrite,
		&(hy_ir__op){.type = "Identity", .name = node->name, .input_count = 1, .inputs = {place}}, output);
}

static void fold_view(folder *fold, uint32_t number, const hy_ir_type *type)
{
	hy_ir_graph *graph = fold->rewrite.graph;
	const hy_ir_node node = *hy_ir_graph_node(graph, number);
	hy_ir__graph_kill(graph, number);
	const uint32_t place = place_of(fold, &node, node.outputs[0]);
	if (fold->rewrite.status != HY_OK) return;
	hy_ir__graph_set_constant_as(graph, place, type, graph, node.inputs[0]);
	connect(fold, &node, place, node.outputs[0]);
}

/* False when the evaluator can't compute this one: the node stays. */
static bool evaluate(folder *fold, const hy_ir_node *node, const hy_ir_tensor *inputs, hy_ir_tensor *outputs)
{
	for (uint32_t i = 0; i < node->output_count; i++) {
		if (node->outputs[i] == HY_IR_NONE) continue;
		const uint64_t bytes = hy_ir_type_bytes(&outputs[i].type);
		outputs[i].data = malloc(bytes > 0 ? bytes : 1);
		if (outputs[i].data == NULL) {
			fold->rewrite.status = hy_ir__no_memory(fold->rewrite.error);
			return false;
		}
	}
	hy_error refusal = {.status = HY_OK};
	const hy_status status = hy_ir_eval_node(node, inputs, outputs, &refusal);
	if (status == HY_OK) return true;
	if (status != HY_UNSUPPORTED)
		fold->rewrite.status = hy_error_set(fold->rewrite.error, status, "%s", refusal.text);
	return false;
}

static void give_results(folder *fold, uint32_t number, hy_ir_tensor *outputs)
{
	hy_ir__rewrite *rewrite = &fold->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	hy_ir__graph_kill(rewrite->graph, number);
	for (uint32_t i = 0; i < node.output_count; i++) {
		if (node.outputs[i] == HY_IR_NONE) continue;
		const uint32_t place = place_of(fold, &node, node.outputs[i]);
		if (rewrite->status != HY_OK) return;
		if (!hy_ir__rewrite_check(rewrite, hy_ir__graph_set_constant(rewrite->graph, place, &outputs[i].type,
		                                                             outputs[i].data, rewrite->error)))
			return;
		outputs[i].data = NULL; /* given away */
		connect(fold, &node, place, node.outputs[i]);
	}
}

/* True when the node is gone. */
static bool fold_node(folder *fold, uint32_t number)
{
	hy_ir__rewrite *rewrite = &fold->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	hy_ir_tensor *inputs = calloc(node.input_count + 1u, sizeof(*inputs));
	hy_ir_tensor *outputs = calloc(node.output_count + 1u, sizeof(*outputs));
	hy_ir_type *types = calloc(node.output_count + 1u, sizeof(*types));
	bool folded = false;
	if (inputs == NULL || outputs == NULL || types == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		goto done;
	}
	for (uint32_t i = 0; i < node.input_count; i++)
		inputs[i] = hy_ir__input_tensor(rewrite->graph, &node, i);
	if (!hy_ir__rewrite_check(rewrite, hy_ir_infer_node(&node, inputs, types, rewrite->error))) goto done;
	if (!is_small_enough(&node, inputs, types)) goto done;
	for (uint32_t i = 0; i < node.output_count; i++)
		outputs[i].type = types[i];
	folded = true;
	if (node.op->fusion == HY_IR_CLASS_VIEW && node.op->id != HY_IR_OP_Dropout && node.outputs[0] != HY_IR_NONE)
		fold_view(fold, number, &types[0]);
	else if (evaluate(fold, &node, inputs, outputs))
		give_results(fold, number, outputs);
	else
		folded = false;
done:
	for (uint32_t i = 0; outputs != NULL && i < node.output_count; i++)
		free(outputs[i].data);
	free(inputs);
	free(outputs);
	free(types);
	return folded;
}

/* The shape of a value is constant even where the value is not. */
static bool fold_shape(folder *fold, uint32_t number)
{
	hy_ir__rewrite *rewrite = &fold->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_type x = hy_ir__input_tensor(rewrite->graph, &node, 0).type;
	if (!hy_ir_type_is_static(&x) || node.outputs[0] == HY_IR_NONE) return false;
	const int64_t rank = x.rank;
	int64_t from = hy_ir_node_attr_int(&node, "start", 0), to = hy_ir_node_attr_int(&node, "end", rank);
	from = from < 0 ? from + rank : from;
	to = to < 0 ? to + rank : to;
	from = from < 0 ? 0 : from > rank ? rank : from;
	to = to < from ? from : to > rank ? rank : to;
	const uint32_t shape = hy_ir__rewrite_ints(rewrite, node.name, (uint32_t)(to - from), x.dim + from);
	if (rewrite->status != HY_OK) return false;
	hy_ir__graph_kill(rewrite->graph, number);
	const uint32_t place = place_of(fold, &node, node.outputs[0]);
	if (rewrite->status != HY_OK) return true;
	hy_ir__graph_set_constant_as(rewrite->graph, place, &hy_ir_graph_value(rewrite->graph, shape)->type,
	                             rewrite->graph, shape);
	connect(fold, &node, place, node.outputs[0]);
	return true;
}

static void visit(folder *fold, uint32_t number)
{
	hy_ir__rewrite *rewrite = &fold->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const bool copies_to_output = node.op != NULL && node.op->id == HY_IR_OP_Identity &&
	                              node.outputs[0] < fold->value_count && fold->is_output[node.outputs[0]];
	if (node.op != NULL && !copies_to_output) {
		if (node.op->id == HY_IR_OP_Shape && fold_shape(fold, number)) return;
		if (inputs_are_constant(rewrite->graph, &node) && fold_node(fold, number)) return;
	}
	hy_ir__rewrite_keep(rewrite, number);
	hy_ir__rewrite_infer(rewrite, number);
}

hy_status hy_ir_pass_fold(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	folder fold = {.value_count = hy_ir_graph_value_count(graph)};
	fold.is_output = calloc(fold.value_count + 1u, sizeof(fold.is_output[0]));
	if (fold.is_output == NULL) return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		fold.is_output[hy_ir_graph_outputs(graph)[i]] = true;
	hy_ir__rewrite_init(&fold.rewrite, graph, error);
	const uint32_t count = hy_ir_graph_node_count(graph);
	for (uint32_t i = 0; i < count && fold.rewrite.status == HY_OK; i++)
		visit(&fold, i);
	free(fold.is_output);
	return hy_ir__rewrite_finish(&fold.rewrite, out_changed);
}
