/* Attributes that later opsets turned into inputs: they become constants. */
#include "pass_upgrade.h"

#include <string.h>

static void ints_to_input(hy_ir__rewrite *rewrite, uint32_t node, const char *attr_name, uint32_t place)
{
	const hy_ir_node *old = hy_ir_graph_node(rewrite->graph, node);
	const hy_ir_attr *attr = hy_ir_node_attr(old, attr_name);
	if (attr == NULL || attr->kind != HY_ATTR_INTS ||
	    (place < old->input_count && old->inputs[place] != HY_IR_NONE))
		return;
	const uint32_t value = hy_ir__rewrite_ints(rewrite, attr_name, attr->count, attr->ints);
	hy_ir__upgrade_set_input(rewrite, node, place, value);
	hy_ir__upgrade_remove_attr(rewrite, node, attr_name);
}

void hy_ir__upgrade_axes(hy_ir__rewrite *rewrite, uint32_t node)
{
	ints_to_input(rewrite, node, "axes", 1);
}

void hy_ir__upgrade_reshape(hy_ir__rewrite *rewrite, uint32_t node)
{
	ints_to_input(rewrite, node, "shape", 1);
}

void hy_ir__upgrade_slice(hy_ir__rewrite *rewrite, uint32_t node)
{
	ints_to_input(rewrite, node, "starts", 1);
	ints_to_input(rewrite, node, "ends", 2);
	ints_to_input(rewrite, node, "axes", 3);
}

void hy_ir__upgrade_split(hy_ir__rewrite *rewrite, uint32_t node)
{
	ints_to_input(rewrite, node, "split", 1);
	if (rewrite->status != HY_OK) return;
	const hy_ir_node *split = hy_ir_graph_node(rewrite->graph, node);
	if (split->input_count > 1 && split->inputs[1] != HY_IR_NONE) return;
	hy_ir__upgrade_set_attr(rewrite, node, hy_ir_attr_int("num_outputs", split->output_count));
}

static hy_dtype float_type_of(const hy_ir__rewrite *rewrite, uint32_t node)
{
	const hy_dtype dtype = hy_ir__input_tensor(rewrite->graph, hy_ir_graph_node(rewrite->graph, node), 0)
	                               .type.dtype;
	return dtype != HY_DTYPE_NONE ? dtype : HY_DTYPE_F32;
}

static void float_to_input(hy_ir__rewrite *rewrite, uint32_t node, const char *attr_name, hy_dtype dtype,
                           uint32_t place)
{
	const hy_ir_attr *attr = hy_ir_node_attr(hy_ir_graph_node(rewrite->graph, node), attr_name);
	if (attr == NULL || attr->kind != HY_ATTR_FLOAT) return;
	const uint32_t value = hy_ir__rewrite_scalar(rewrite, attr_name, dtype, attr->f);
	hy_ir__upgrade_set_input(rewrite, node, place, value);
	hy_ir__upgrade_remove_attr(rewrite, node, attr_name);
}

void hy_ir__upgrade_clip(hy_ir__rewrite *rewrite, uint32_t node)
{
	const hy_dtype dtype = float_type_of(rewrite, node);
	float_to_input(rewrite, node, "min", dtype, 1);
	float_to_input(rewrite, node, "max", dtype, 2);
}

/* Opset 1 calls them paddings; the padding value was an attribute until 11. */
void hy_ir__upgrade_pad(hy_ir__rewrite *rewrite, uint32_t node)
{
	ints_to_input(rewrite, node, "pads", 1);
	ints_to_input(rewrite, node, "paddings", 1);
	float_to_input(rewrite, node, "value", float_type_of(rewrite, node), 2);
}

/* Old training flags are dropped: the IR computes inference. */
void hy_ir__upgrade_dropout(hy_ir__rewrite *rewrite, uint32_t node)
{
	hy_ir__upgrade_remove_attr(rewrite, node, "is_test");
	float_to_input(rewrite, node, "ratio", HY_DTYPE_F32, 1);
}

void hy_ir__upgrade_topk(hy_ir__rewrite *rewrite, uint32_t node)
{
	const hy_ir_attr *k = hy_ir_node_attr(hy_ir_graph_node(rewrite->graph, node), "k");
	if (k == NULL || k->kind != HY_ATTR_INT) return;
	const uint32_t value = hy_ir__rewrite_ints(rewrite, "k", 1, &k->i);
	hy_ir__upgrade_set_input(rewrite, node, 1, value);
	hy_ir__upgrade_remove_attr(rewrite, node, "k");
}

/* Opset 1 repeats along one axis: tiles and axis are scalars. */
void hy_ir__upgrade_tile(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_tensor x = hy_ir__input_tensor(rewrite->graph, &node, 0);
	const hy_ir_tensor tiles = hy_ir__input_tensor(rewrite->graph, &node, 1);
	const hy_ir_tensor axis = hy_ir__input_tensor(rewrite->graph, &node, 2);
	if (x.type.rank == HY_IR_RANK_UNKNOWN || tiles.data == NULL || axis.data == NULL ||
	    hy_ir_type_elements(&tiles.type) != 1 || hy_ir_type_elements(&axis.type) != 1) {
		hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, &node, "tiles and axis must be constants");
		return;
	}
	const double at = hy_ir__tensor_number(&axis, 0), times = hy_ir__tensor_number(&tiles, 0);
	if (!(at >= 0 && at < x.type.rank) || !(times >= 0 && times <= INT32_MAX)) {
		hy_ir__rewrite_fail(rewrite, HY_INVALID, &node, "axis or tiles is out of range");
		return;
	}
	int64_t repeats[HY_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
	repeats[(uint32_t)at] = (int64_t)times;
	const uint32_t inputs[2] = {node.inputs[0], hy_ir__rewrite_ints(rewrite, "repeats", x.type.rank, repeats)};
	if (rewrite->status != HY_OK) return;
	hy_ir__rewrite_check(rewrite, hy_ir__graph_set_inputs(rewrite->graph, number, 2, inputs, rewrite->error));
}

/* ---- Constant ---- */

static bool constant_of(const hy_ir_node *node, hy_ir_tensor *out_tensor)
{
	if (node->attr_count != 1) return false;
	const hy_ir_attr *attr = &node->attrs[0];
	*out_tensor = (hy_ir_tensor){.type = {.rank = 1, .dim = {attr->count}}};
	switch (attr->kind) {
	case HY_ATTR_TENSOR:
		*out_tensor = attr->tensor;
		return true;
	case HY_ATTR_INT:
		*out_tensor = (hy_ir_tensor){.type = {.dtype = HY_DTYPE_I64}, .data = (void *)(uintptr_t)&attr->i};
		return true;
	case HY_ATTR_FLOAT:
		*out_tensor = (hy_ir_tensor){.type = {.dtype = HY_DTYPE_F32}, .data = (void *)(uintptr_t)&attr->f};
		return true;
	case HY_ATTR_INTS:
		out_tensor->type.dtype = HY_DTYPE_I64;
		out_tensor->data = (void *)(uintptr_t)attr->ints;
		return true;
	case HY_ATTR_FLOATS:
		out_tensor->type.dtype = HY_DTYPE_F32;
		out_tensor->data = (void *)(uintptr_t)attr->floats;
		return true;
	}
	return false;
}

static bool is_graph_output(const hy_ir_graph *graph, uint32_t value)
{
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		if (hy_ir_graph_outputs(graph)[i] == value) return true;
	return false;
}

/* A Constant is another way to write an initializer. Only a graph output keeps its node: outputs are made by nodes. */
void hy_ir__upgrade_constant(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	hy_ir_tensor tensor;
	if (!constant_of(&node, &tensor)) {
		hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, &node, "it must have one numeric value");
		return;
	}
	if (node.output_count != 1 || node.outputs[0] == HY_IR_NONE || is_graph_output(rewrite->graph, node.outputs[0]))
		return;
	const uint32_t value = node.outputs[0];
	hy_ir__graph_kill(rewrite->graph, number);
	hy_ir__rewrite_check(rewrite, hy_ir__graph_set_constant_attr(rewrite->graph, value, &tensor, rewrite->error));
	rewrite->changed = true;
}
