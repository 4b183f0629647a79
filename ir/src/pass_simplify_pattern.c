/* Operators that exporters wrote in pieces: Gelu by Erf, LayerNormalization by means. */
#include "pass_simplify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-4 * fabs(b);
}

/* ---- Gelu: x * 0.5 * (1 + erf(x / sqrt(2))), its factors in any order ---- */

typedef struct product {
	double constant;
	uint32_t factor_count;
	uint32_t factors[2];
} product;

static void multiply(const hy_ir__simplify *simplify, product *all, uint32_t value, uint32_t depth);

static void multiply_operands(const hy_ir__simplify *simplify, product *all, const hy_ir_node *mul, uint32_t depth)
{
	multiply(simplify, all, mul->inputs[0], depth);
	multiply(simplify, all, mul->inputs[1], depth);
}

static void multiply(const hy_ir__simplify *simplify, product *all, uint32_t value, uint32_t depth)
{
	double number;
	if (hy_ir__simplify_scalar(simplify, value, &number)) {
		all->constant *= number;
		return;
	}
	const hy_ir_node *mul = hy_ir__simplify_made_by(simplify, value, HY_IR_OP_Mul);
	if (mul != NULL && depth > 0 && hy_ir__simplify_is_private(simplify, value)) {
		multiply_operands(simplify, all, mul, depth - 1);
		return;
	}
	if (all->factor_count < 2) all->factors[all->factor_count] = value;
	all->factor_count++;
}

/* 1 + erf(x / sqrt(2)) */
static bool is_gate_of(const hy_ir__simplify *simplify, uint32_t gate, uint32_t x)
{
	double number;
	const hy_ir_node *add = hy_ir__simplify_made_by(simplify, gate, HY_IR_OP_Add);
	if (add == NULL || !hy_ir__simplify_is_private(simplify, gate)) return false;
	const uint32_t side = hy_ir__simplify_scalar(simplify, add->inputs[0], &number) ? 1 : 0;
	if (!hy_ir__simplify_scalar(simplify, add->inputs[1 - side], &number) || number != 1) return false;
	const hy_ir_node *erf_node = hy_ir__simplify_made_by(simplify, add->inputs[side], HY_IR_OP_Erf);
	if (erf_node == NULL || !hy_ir__simplify_is_private(simplify, add->inputs[side])) return false;
	const uint32_t inner = erf_node->inputs[0];
	const hy_ir_node *div = hy_ir__simplify_made_by(simplify, inner, HY_IR_OP_Div);
	if (div != NULL)
		return div->inputs[0] == x && hy_ir__simplify_scalar(simplify, div->inputs[1], &number) &&
		       is_near(number, sqrt(2.0));
	const hy_ir_node *mul = hy_ir__simplify_made_by(simplify, inner, HY_IR_OP_Mul);
	if (mul == NULL) return false;
	const uint32_t other = mul->inputs[0] == x ? mul->inputs[1] : mul->inputs[0];
	return (mul->inputs[0] == x || mul->inputs[1] == x) && hy_ir__simplify_scalar(simplify, other, &number) &&
	       is_near(number, sqrt(0.5));
}

bool hy_ir__simplify_gelu(hy_ir__simplify *simplify, uint32_t number)
{
	hy_ir__rewrite *rewrite = &simplify->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	product all = {.constant = 1};
	multiply_operands(simplify, &all, &node, 2);
	if (all.factor_count != 2 || !is_near(all.constant, 0.5)) return false;
	uint32_t x = all.factors[0];
	if (!is_gate_of(simplify, all.factors[1], x)) {
		x = all.factors[1];
		if (!is_gate_of(simplify, all.factors[0], x)) return false;
	}
	const hy_ir_type *type = hy_ir__simplify_type(simplify, x);
	if (node.outputs[0] == HY_IR_NONE || !hy_dtype_is_float(type->dtype) || !hy_ir_type_is_static(type) ||
	    !hy_ir_type_equal(type, hy_ir__simplify_type(simplify, node.outputs[0])))
		return false;
	hy_ir__graph_kill(rewrite->graph, number);
	hy_ir__rewrite_op_into(rewrite,
	                       &(hy_ir__op){.type = "Gelu", .name = node.name, .input_count = 1, .inputs = {x}},
	                       node.outputs[0]);
	if (x < simplify->value_count) simplify->uses[x]++;
	return true;
}

/* ---- LayerNormalization: d = x - mean(x); d / sqrt(mean(d * d) + epsilon); then * scale, + bias ---- */

/* The number of last dimensions that the mean is taken over, or 0. */
static uint32_t mean_over(const hy_ir__simplify *simplify, const hy_ir_node *mean)
{
	const hy_ir_type *type = hy_ir__simplify_type(simplify, mean->inputs[0]);
	const hy_ir_tensor axes = hy_ir__input_tensor(simplify->rewrite.graph, mean, 1);
	if (!hy_ir_type_is_static(type) || axes.data == NULL || hy_ir_node_attr_int(mean, "keepdims", 1) == 0) return 0;
	const int64_t count = hy_ir_type_elements(&axes.type);
	uint32_t seen = 0;
	for (int64_t i = 0; i < count; i++) {
		const double axis = hy_ir__tensor_number(&axes, i);
		if (!(axis >= -(double)type->rank && axis < type->rank)) return 0;
		seen |= 1u << (int)(axis < 0 ? axis + type->rank : axis);
	}
	if (count <= 0 || count > type->rank) return 0;
	const uint32_t first = type->rank - (uint32_t)count;
	return seen == ((1u << count) - 1) << first ? (uint32_t)count : 0;
}

/* x - mean(x): x, or HY_IR_NONE. */
static uint32_t centred_of(const hy_ir__simplify *simplify, uint32_t value, uint32_t *out_dims)
{
	const hy_ir_node *sub = hy_ir__simplify_made_by(simplify, value, HY_IR_OP_Sub);
	if (sub == NULL) return HY_IR_NONE;
	const hy_ir_node *mean = hy_ir__simplify_made_by(simplify, sub->inputs[1], HY_IR_OP_ReduceMean);
	if (mean == NULL || mean->inputs[0] != sub->inputs[0]) return HY_IR_NONE;
	*out_dims = mean_over(simplify, mean);
	return *out_dims > 0 ? sub->inputs[0] : HY_IR_NONE;
}

/* The value that is squared, or HY_IR_NONE. */
static uint32_t squared_of(const hy_ir__simplify *simplify, uint32_t value)
{
	double exponent;
	const hy_ir_node *pow_node = hy_ir__simplify_made_by(simplify, value, HY_IR_OP_Pow);
	if (pow_node != NULL)
		return hy_ir__simplify_scalar(simplify, pow_node->inputs[1], &exponent) && exponent == 2
		               ? pow_node->inputs[0]
		               : HY_IR_NONE;
	const hy_ir_node *mul = hy_ir__simplify_made_by(simplify, value, HY_IR_OP_Mul);
	return mul != NULL && mul->inputs[0] == mul->inputs[1] ? mul->inputs[0] : HY_IR_NONE;
}

/* sqrt(mean(d * d) + epsilon): d, or HY_IR_NONE. */
static uint32_t deviation_of(const hy_ir__simplify *simplify, uint32_t value, uint32_t *out_dims, double *out_epsilon)
{
	const hy_ir_node *root = hy_ir__simplify_made_by(simplify, value, HY_IR_OP_Sqrt);
	const hy_ir_node *add = root != NULL ? hy_ir__simplify_made_by(simplify, root->inputs[0], HY_IR_OP_Add) : NULL;
	if (add == NULL) return HY_IR_NONE;
	const uint32_t side = hy_ir__simplify_scalar(simplify, add->inputs[0], out_epsilon) ? 1 : 0;
	if (!hy_ir__simplify_scalar(simplify, add->inputs[1 - side], out_epsilon)) return HY_IR_NONE;
	const hy_ir_node *mean = hy_ir__simplify_made_by(simplify, add->inputs[side], HY_IR_OP_ReduceMean);
	if (mean == NULL) return HY_IR_NONE;
	*out_dims = mean_over(simplify, mean);
	return squared_of(simplify, mean->inputs[0]);
}

static uint32_t make_ones(hy_ir__rewrite *rewrite, const hy_ir_type *type)
{
	const int64_t count = hy_ir_type_elements(type);
	void *block = calloc((size_t)count + 1u, hy_dtype_bits(type->dtype) / 8);
	uint32_t value = HY_IR_NONE;
	if (block == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		return HY_IR_NONE;
	}
	const hy_ir_tensor tensor = {.type = *type, .data = block};
	for (int64_t i = 0; i < count; i++)
		hy_ir__tensor_set_number(&tensor, i, 1);
	if (!hy_ir__rewrite_check(rewrite, hy_ir_build_value(rewrite->graph, "scale", type, &value, rewrite->error)) ||
	    !hy_ir__rewrite_check(rewrite,
	                          hy_ir__graph_set_constant(rewrite->graph, value, type, block, rewrite->error)))
		free(block);
	return value;
}

bool hy_ir__simplify_layer_norm(hy_ir__simplify *simplify, uint32_t number)
{
	hy_ir__rewrite *rewrite = &simplify->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	uint32_t dims = 0, mean_dims = 0, root_dims = 0;
	double epsilon = 0;
	const uint32_t x = centred_of(simplify, node.inputs[0], &dims);
	const uint32_t squared = deviation_of(simplify, node.inputs[1], &root_dims, &epsilon);
	if (x == HY_IR_NONE || squared == HY_IR_NONE || node.outputs[0] == HY_IR_NONE) return false;
	if (centred_of(simplify, squared, &mean_dims) != x || dims != mean_dims || dims != root_dims) return false;
	const hy_ir_type *type = hy_ir__simplify_type(simplify, x);
	if (type->dtype != HY_DTYPE_F32) return false; /* LayerNormalization computes narrower and wider in f32 */
	hy_ir_type scale = {.dtype = type->dtype, .rank = dims};
	memcpy(scale.dim, type->dim + type->rank - dims, dims * sizeof(scale.dim[0]));
	const uint32_t ones = make_ones(rewrite, &scale);
	hy_ir__graph_kill(rewrite->graph, number);
	hy_ir__rewrite_op_into(rewrite,
	                       &(hy_ir__op){.type = "LayerNormalization",
	                                    .name = node.name,
	                                    .input_count = 2,
	                                    .inputs = {x, ones},
	                                    .attr_count = 2,
	                                    .attrs = {hy_ir_attr_int("axis", -(int64_t)dims),
	                                              hy_ir_attr_float("epsilon", (float)epsilon)}},
	                       node.outputs[0]);
	if (x < simplify->value_count) simplify->uses[x]++;
	return true;
}

/* The LayerNormalization on one side of the node, read by it alone and without bias, and the constant on the other,
 * which has the shape of its scale. */
static const hy_ir_node *norm_before(const hy_ir__simplify *simplify, const hy_ir_node *node, uint32_t *out_constant)
{
	for (uint32_t side = 0; side < 2; side++) {
		const uint32_t value = node->inputs[side], other = node->inputs[1 - side];
		const hy_ir_node *norm = hy_ir__simplify_made_by(simplify, value, HY_IR_OP_LayerNormalization);
		if (norm == NULL || !hy_ir__simplify_is_private(simplify, value) || norm->input_count != 2 ||
		    norm->output_count != 1 || hy_ir_graph_value(simplify->rewrite.graph, other)->data == NULL ||
		    !hy_ir_type_equal(hy_ir__simplify_type(simplify, norm->inputs[1]),
		                      hy_ir__simplify_type(simplify, other)))
			continue;
		*out_constant = other;
		return norm;
	}
	return NULL;
}

static bool widen_norm(hy_ir__simplify *simplify, uint32_t number, const hy_ir_node *norm, uint32_t scale,
                       uint32_t bias)
{
	hy_ir__rewrite *rewrite = &simplify->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number), old = *norm;
	if (node.outputs[0] == HY_IR_NONE) return false;
	hy_ir__graph_kill(rewrite->graph, number);
	hy_ir__op op = {.type = "LayerNormalization",
	                .name = old.name,
	                .input_count = bias != HY_IR_NONE ? 3 : 2,
	                .inputs = {old.inputs[0], scale, bias},
	                .attr_count = 2,
	                .attrs = {hy_ir_attr_int("axis", hy_ir_node_attr_int(&old, "axis", -1)),
	                          hy_ir_attr_float("epsilon", hy_ir_node_attr_float(&old, "epsilon", 1e-5f))}};
	hy_ir__rewrite_op_into(rewrite, &op, node.outputs[0]);
	if (old.inputs[0] < simplify->value_count) simplify->uses[old.inputs[0]]++;
	return true;
}

bool hy_ir__simplify_layer_norm_scale(hy_ir__simplify *simplify, uint32_t number)
{
	uint32_t scale;
	const hy_ir_node *norm = norm_before(simplify, hy_ir_graph_node(simplify->rewrite.graph, number), &scale);
	if (norm == NULL || !hy_ir__simplify_is_all(simplify, norm->inputs[1], 1)) return false;
	return widen_norm(simplify, number, norm, scale, HY_IR_NONE);
}

bool hy_ir__simplify_layer_norm_bias(hy_ir__simplify *simplify, uint32_t number)
{
	uint32_t bias;
	const hy_ir_node *norm = norm_before(simplify, hy_ir_graph_node(simplify->rewrite.graph, number), &bias);
	return norm != NULL && widen_norm(simplify, number, norm, norm->inputs[1], bias);
}
