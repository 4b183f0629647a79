/* Operators whose words stayed and whose meaning changed: broadcasting, softmax axes, modes, defaults. */
#include "pass_upgrade.h"

#include <string.h>

static uint32_t rank_of(const hy_ir_graph *graph, uint32_t value)
{
	return hy_ir_graph_value(graph, value)->type.rank;
}

/* x with `count` dims of 1 behind its own `rank` dims. */
static uint32_t append_dims(hy_ir__rewrite *rewrite, const char *name, uint32_t x, uint32_t rank, uint32_t count)
{
	int64_t axes[HY_MAX_RANK];
	for (uint32_t i = 0; i < count; i++)
		axes[i] = (int64_t)rank + i;
	const uint32_t value = hy_ir__rewrite_ints(rewrite, "axes", count, axes);
	return hy_ir__rewrite_op(
		rewrite, &(hy_ir__op){.type = "Unsqueeze", .name = name, .input_count = 2, .inputs = {x, value}});
}

/* Until opset 6 the second operand is laid over the first from dimension `axis` on. */
void hy_ir__upgrade_binary(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_attr *axis = hy_ir_node_attr(&node, "axis");
	if (axis != NULL && hy_ir_node_attr_int(&node, "broadcast", 0) != 0) {
		const uint32_t a = rank_of(rewrite->graph, node.inputs[0]), b = rank_of(rewrite->graph, node.inputs[1]);
		if (a == HY_IR_RANK_UNKNOWN || b == HY_IR_RANK_UNKNOWN) {
			hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, &node, "axis needs operands of known rank");
			return;
		}
		const int64_t first = axis->i < 0 ? axis->i + a : axis->i;
		if (first < 0 || first > a || first + b > a) {
			hy_ir__rewrite_fail(rewrite, HY_INVALID, &node, "axis is outside the rank of its first input");
			return;
		}
		const uint32_t behind = a - (uint32_t)first - b;
		if (behind > 0)
			hy_ir__upgrade_set_input(rewrite, number, 1,
			                         append_dims(rewrite, node.name, node.inputs[1], b, behind));
	}
	hy_ir__upgrade_remove_attr(rewrite, number, "axis");
	hy_ir__upgrade_remove_attr(rewrite, number, "broadcast");
}

void hy_ir__upgrade_gemm(hy_ir__rewrite *rewrite, uint32_t number)
{
	hy_ir__upgrade_remove_attr(rewrite, number, "broadcast");
}

/* Until opset 6 a slope has one number, or one per channel: dimension 1. */
void hy_ir__upgrade_prelu(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_type x = hy_ir__input_tensor(rewrite->graph, &node, 0).type;
	const hy_ir_type slope = hy_ir__input_tensor(rewrite->graph, &node, 1).type;
	if (x.rank == HY_IR_RANK_UNKNOWN || slope.rank == HY_IR_RANK_UNKNOWN) {
		hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, &node, "slope needs operands of known rank");
		return;
	}
	if (slope.rank != 1 || slope.dim[0] == 1 || x.rank <= 2) return;
	hy_ir__upgrade_set_input(rewrite, number, 1, append_dims(rewrite, node.name, node.inputs[1], 1, x.rank - 2));
}

/* Until opset 5 the type is a word. */
void hy_ir__upgrade_cast(hy_ir__rewrite *rewrite, uint32_t number)
{
	static const struct {
		const char *word;
		hy_dtype dtype;
	} words[] = {{"FLOAT", HY_DTYPE_F32},  {"UINT8", HY_DTYPE_U8},   {"INT8", HY_DTYPE_I8},
	             {"UINT16", HY_DTYPE_U16}, {"INT16", HY_DTYPE_I16},  {"INT32", HY_DTYPE_I32},
	             {"INT64", HY_DTYPE_I64},  {"BOOL", HY_DTYPE_BOOL},  {"FLOAT16", HY_DTYPE_F16},
	             {"DOUBLE", HY_DTYPE_F64}, {"UINT32", HY_DTYPE_U32}, {"UINT64", HY_DTYPE_U64}};
	const hy_ir_attr *to = hy_ir_node_attr(hy_ir_graph_node(rewrite->graph, number), "to");
	if (to == NULL || to->kind != HY_ATTR_STRING) return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, to->s) != 0) continue;
		hy_ir__upgrade_set_attr(rewrite, number, hy_ir_attr_int("to", words[i].dtype));
		return;
	}
	hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, hy_ir_graph_node(rewrite->graph, number),
	                    "'to' is no numeric element type");
}

void hy_ir__upgrade_concat(hy_ir__rewrite *rewrite, uint32_t number)
{
	if (hy_ir_node_attr(hy_ir_graph_node(rewrite->graph, number), "axis") == NULL)
		hy_ir__upgrade_set_attr(rewrite, number, hy_ir_attr_int("axis", 1));
}

void hy_ir__upgrade_selu(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	if (hy_ir_node_attr(&node, "alpha") == NULL)
		hy_ir__upgrade_set_attr(rewrite, number, hy_ir_attr_float("alpha", 1.6732f));
	if (hy_ir_node_attr(&node, "gamma") == NULL)
		hy_ir__upgrade_set_attr(rewrite, number, hy_ir_attr_float("gamma", 1.0507f));
}

/* ---- Softmax until opset 12: over all dimensions from `axis` on, as if they were one ---- */

/* The one dimension that this is the same as, or HY_IR_NONE. */
static uint32_t single_axis_of(const hy_ir_type *x, int64_t axis)
{
	if (x->rank == HY_IR_RANK_UNKNOWN || x->rank == 0) return HY_IR_NONE;
	if (axis < 0) axis += x->rank;
	if (axis < 0 || axis >= x->rank) return HY_IR_NONE;
	uint32_t found = HY_IR_NONE;
	for (uint32_t i = (uint32_t)axis; i < x->rank; i++) {
		if (x->dim[i] == 1) continue;
		if (found != HY_IR_NONE) return HY_IR_NONE;
		found = i;
	}
	return found != HY_IR_NONE ? found : (uint32_t)axis;
}

void hy_ir__upgrade_softmax(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_type type = hy_ir__input_tensor(rewrite->graph, &node, 0).type;
	const int64_t axis = hy_ir_node_attr_int(&node, "axis", 1);
	const uint32_t single = single_axis_of(&type, axis);
	if (single != HY_IR_NONE) {
		hy_ir__upgrade_set_attr(rewrite, number, hy_ir_attr_int("axis", single));
		return;
	}
	const uint32_t x = node.inputs[0], y = node.outputs[0];
	hy_ir__graph_kill(rewrite->graph, number);
	const uint32_t flat = hy_ir__rewrite_op(rewrite, &(hy_ir__op){.type = "Flatten",
	                                                              .name = node.name,
	                                                              .input_count = 1,
	                                                              .inputs = {x},
	                                                              .attr_count = 1,
	                                                              .attrs = {hy_ir_attr_int("axis", axis)}});
	const uint32_t soft = hy_ir__rewrite_op(rewrite, &(hy_ir__op){.type = node.type,
	                                                              .name = node.name,
	                                                              .input_count = 1,
	                                                              .inputs = {flat},
	                                                              .attr_count = 1,
	                                                              .attrs = {hy_ir_attr_int("axis", 1)}});
	const uint32_t shape = hy_ir_type_is_static(&type) ? hy_ir__rewrite_ints(rewrite, "shape", type.rank, type.dim)
	                                                   : hy_ir__rewrite_op(rewrite, &(hy_ir__op){.type = "Shape",
	                                                                                             .name = node.name,
	                                                                                             .input_count = 1,
	                                                                                             .inputs = {x}});
	hy_ir__rewrite_op_into(
		rewrite, &(hy_ir__op){.type = "Reshape", .name = node.name, .input_count = 2, .inputs = {soft, shape}},
		y);
}

/* ---- BatchNormalization until opset 13 ---- */

static bool is_used(const hy_ir_graph *graph, uint32_t value)
{
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] == value) return true;
	}
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		if (hy_ir_graph_outputs(graph)[i] == value) return true;
	return false;
}

static uint32_t apply(hy_ir__rewrite *rewrite, const char *type, const hy_ir_node *node, uint32_t a, uint32_t b)
{
	return hy_ir__rewrite_op(rewrite, &(hy_ir__op){.type = type,
	                                               .name = node->name,
	                                               .input_count = b != HY_IR_NONE ? 2 : 1,
	                                               .inputs = {a, b}});
}

/* spatial = 0: every element of an item has its own mean, variance, scale and bias; they broadcast over the batch. */
static void normalise_each_element(hy_ir__rewrite *rewrite, const hy_ir_node *node)
{
	const hy_dtype dtype = hy_ir__input_tensor(rewrite->graph, node, 0).type.dtype;
	const uint32_t epsilon = hy_ir__rewrite_scalar(rewrite, "epsilon",
	                                               dtype != HY_DTYPE_NONE ? dtype : HY_DTYPE_F32,
	                                               hy_ir_node_attr_float(node, "epsilon", 1e-5f));
	const uint32_t *in = node->inputs; /* x, scale, bias, mean, variance */
	const uint32_t centred = apply(rewrite, "Sub", node, in[0], in[3]);
	const uint32_t deviation = apply(rewrite, "Sqrt", node, apply(rewrite, "Add", node, in[4], epsilon),
	                                 HY_IR_NONE);
	const uint32_t normal = apply(rewrite, "Div", node, centred, deviation);
	const uint32_t scaled = apply(rewrite, "Mul", node, normal, in[1]);
	hy_ir__rewrite_op_into(
		rewrite, &(hy_ir__op){.type = "Add", .name = node->name, .input_count = 2, .inputs = {scaled, in[2]}},
		node->outputs[0]);
}

void hy_ir__upgrade_batch_norm(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	for (uint32_t i = 1; i < node.output_count; i++) {
		if (node.outputs[i] == HY_IR_NONE || !is_used(rewrite->graph, node.outputs[i])) continue;
		hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, &node, "it is in its training form: export for inference");
		return;
	}
	if (node.output_count == 0) return;
	if (hy_ir_node_attr_int(&node, "spatial", 1) == 0) {
		hy_ir__graph_kill(rewrite->graph, number);
		normalise_each_element(rewrite, &node);
		return;
	}
	hy_ir__rewrite_check(rewrite,
	                     hy_ir__graph_set_outputs(rewrite->graph, number, 1, node.outputs, rewrite->error));
	hy_ir__upgrade_remove_attr(rewrite, number, "spatial");
	hy_ir__upgrade_remove_attr(rewrite, number, "is_test");
}

/* ---- Resize and its older name ---- */

static bool is_empty(const hy_ir_graph *graph, const hy_ir_node *node, uint32_t input)
{
	const hy_ir_type type = hy_ir__input_tensor(graph, node, input).type;
	return type.dtype != HY_DTYPE_NONE && type.rank == 1 && type.dim[0] == 0;
}

/* How Upsample and the first Resize find their source elements. */
static void set_old_coordinates(hy_ir__rewrite *rewrite, uint32_t node)
{
	hy_ir__upgrade_set_attr(rewrite, node, hy_ir_attr_string("coordinate_transformation_mode", "asymmetric"));
	hy_ir__upgrade_set_attr(rewrite, node, hy_ir_attr_string("nearest_mode", "floor"));
}

/* tf_half_pixel_for_nn (opset 11 and 12) lies half an element above half_pixel, so that another rounding of the latter
 * finds the same element: round((i + 0.5) / s) with ties down = ceil((i + 0.5) / s - 0.5). */
static void replace_tf_half_pixel(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const char *nearest = hy_ir_node_attr_string(&node, "nearest_mode", "round_prefer_floor");
	const char *rounding = strcmp(nearest, "round_prefer_floor") == 0 ? "ceil"
	                       : strcmp(nearest, "floor") == 0            ? "round_prefer_ceil"
	                                                                  : NULL;
	if (rounding == NULL || strcmp(hy_ir_node_attr_string(&node, "mode", "nearest"), "nearest") != 0) {
		hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, &node,
		                    "tf_half_pixel_for_nn left ONNX with opset 13: export with opset 13 or newer");
		return;
	}
	hy_ir__upgrade_set_attr(rewrite, number, hy_ir_attr_string("coordinate_transformation_mode", "half_pixel"));
	hy_ir__upgrade_set_attr(rewrite, number, hy_ir_attr_string("nearest_mode", rounding));
}

/* Opset 10 has no roi; until 12 an input that isn't wanted is an empty tensor, and many exporters write so still. */
void hy_ir__upgrade_resize(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	if (node.version < 11 && node.input_count >= 2) {
		const uint32_t inputs[3] = {node.inputs[0], HY_IR_NONE, node.inputs[1]};
		hy_ir__rewrite_check(rewrite,
		                     hy_ir__graph_set_inputs(rewrite->graph, number, 3, inputs, rewrite->error));
		set_old_coordinates(rewrite, number);
		return;
	}
	const char *mode = hy_ir_node_attr_string(&node, "coordinate_transformation_mode", "half_pixel");
	if (strcmp(mode, "tf_half_pixel_for_nn") == 0) replace_tf_half_pixel(rewrite, number);
	for (uint32_t i = 1; i < node.input_count; i++)
		if (is_empty(rewrite->graph, &node, i)) hy_ir__upgrade_set_input(rewrite, number, i, HY_IR_NONE);
}

static uint32_t upsample_scales(hy_ir__rewrite *rewrite, const hy_ir_node *node)
{
	if (node->version >= 9) return node->input_count > 1 ? node->inputs[1] : HY_IR_NONE;
	const float sides[4] = {1, 1, hy_ir_node_attr_float(node, "height_scale", 0),
	                        hy_ir_node_attr_float(node, "width_scale", 0)};
	const hy_ir_attr *attr = hy_ir_node_attr(node, "scales");
	const bool listed = attr != NULL && attr->kind == HY_ATTR_FLOATS;
	if (!listed && (sides[2] == 0 || sides[3] == 0)) return HY_IR_NONE;
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {listed ? attr->count : 4}};
	uint32_t value = HY_IR_NONE;
	hy_ir__rewrite_check(rewrite, hy_ir_build_constant(rewrite->graph, "scales", &type,
	                                                   listed ? attr->floats : sides, &value, rewrite->error));
	return value;
}

void hy_ir__upgrade_upsample(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const char *mode = hy_ir_node_attr_string(&node, "mode", "nearest");
	const uint32_t inputs[3] = {node.inputs[0], HY_IR_NONE, upsample_scales(rewrite, &node)};
	if (rewrite->status != HY_OK) return;
	if (inputs[2] == HY_IR_NONE) {
		hy_ir__rewrite_fail(rewrite, HY_INVALID, &node, "it has no scales");
		return;
	}
	const hy_ir_attr attr = hy_ir_attr_string("mode", strcmp(mode, "nearest") == 0 ? "nearest" : "linear");
	if (!hy_ir__rewrite_check(
		    rewrite, hy_ir__graph_set_op(rewrite->graph, number, "", "Resize", HY_IR_OPSET, rewrite->error)) ||
	    !hy_ir__rewrite_check(rewrite,
	                          hy_ir__graph_set_inputs(rewrite->graph, number, 3, inputs, rewrite->error)) ||
	    !hy_ir__rewrite_check(rewrite, hy_ir__graph_set_attrs(rewrite->graph, number, 1, &attr, rewrite->error)))
		return;
	set_old_coordinates(rewrite, number);
}
