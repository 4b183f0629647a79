/* Softmax, the normalisations and LRN. */
#include "handler.h"

#include <string.h>

static void define_int(hy_kernels__text *defines, const char *name, int64_t value)
{
	hy_kernels__text_define(defines, name, "%lld", (long long)value);
}

static void define_float(hy_kernels__text *defines, const char *name, double value)
{
	hy_kernels__text_define(defines, name, "%af", value);
}

static int64_t product(const hy_ir_type *type, uint32_t first, uint32_t end)
{
	int64_t elements = 1;
	for (uint32_t d = first; d < end; d++)
		elements *= type->dim[d];
	return elements;
}

static uint32_t axis_of(const hy_kernels__node *node, uint32_t rank)
{
	const int64_t axis = hy_ir_node_attr_int(node->ir, "axis", -1);
	return (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
}

hy_status hy_kernels__lower_softmax(hy_kernels__lower *lower, const hy_kernels__node *node,
                                    const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const uint32_t axis = axis_of(node, type.rank);
	const int64_t inner = product(&type, axis + 1, type.rank), length = type.rank == 0 ? 1 : type.dim[axis];
	const int64_t lines = length == 0 ? 0 : hy_ir_type_elements(&type) / length;
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const bool is_row = lower->options->shape == HY_KERNELS_CPU && inner == 1 && type.dtype == HY_DTYPE_F32;
	if (lines == 0) return HY_OK;
	hy_kernels__text defines = {0};
	define_int(&defines, "LOGARITHM", node->op->id == HY_IR_OP_LogSoftmax);
	if (!is_row) {
		hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type.dtype));
		define_int(&defines, "LINES", lines);
		define_int(&defines, "LENGTH", length);
		define_int(&defines, "INNER", inner);
		/* powers may wait in the output where it does not round them */
		define_int(&defines, "KEEP", hy_dtype_bits(type.dtype) >= 32);
	}
	const uint32_t kernel = hy_kernels__kernel(lower, is_row ? "softmax_row" : "softmax", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)lines, 1, 1, is_row ? 1 : lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, y);
	if (is_row) hy_kernels__pass_int(lower, length);
	return HY_OK;
}

/* How scale or bias of a LayerNormalization is walked: one element for all, or one per element of the row. */
static hy_status walk_of(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input, int64_t length,
                         int64_t *out_inner)
{
	const int64_t elements = hy_ir_type_elements(hy_kernels__type(lower, node->inputs[input]));
	if (elements != 1 && elements != length)
		return hy_kernels__refuse(lower, node, HY_REASON_SHAPE,
		                          "input %u has %lld elements, the rows have %lld", input, (long long)elements,
		                          (long long)length);
	*out_inner = elements == 1 ? 0 : 1;
	return HY_OK;
}

static hy_kernels__place output_or(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t output,
                                   hy_kernels__place other)
{
	return hy_kernels__wants_output(node, output) ? hy_kernels__make(lower, node->outputs[output], FORM_PLAIN)
	                                              : other;
}

static hy_kernels__place input_or(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input,
                                  hy_kernels__place other)
{
	return hy_kernels__has_input(node, input) ? hy_kernels__need(lower, node->inputs[input], FORM_PLAIN, 0) : other;
}

hy_status hy_kernels__lower_layer_norm(hy_kernels__lower *lower, const hy_kernels__node *node,
                                       const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const uint32_t axis = axis_of(node, type.rank);
	const int64_t length = product(&type, axis, type.rank), rows = product(&type, 0, axis);
	int64_t scale_inner = 0, bias_inner = 0;
	hy_status status = walk_of(lower, node, 1, length, &scale_inner);
	if (status == HY_OK && hy_kernels__has_input(node, 2)) status = walk_of(lower, node, 2, length, &bias_inner);
	if (status != HY_OK) return status;
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place scale = hy_kernels__need(lower, node->inputs[1], FORM_PLAIN, 0);
	const hy_kernels__place bias = input_or(lower, node, 2, scale);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const hy_kernels__place mean = output_or(lower, node, 1, y), deviation = output_or(lower, node, 2, y);
	if (rows * length == 0) return HY_OK;
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type.dtype));
	hy_kernels__text_define(&defines, "S", "%s",
	                        hy_dtype_name(hy_kernels__wants_output(node, 1)
	                                              ? hy_kernels__type(lower, node->outputs[1])->dtype
	                                              : type.dtype));
	define_int(&defines, "ROWS", rows);
	define_int(&defines, "LENGTH", length);
	define_int(&defines, "SCALE_ROWS", 1);
	define_int(&defines, "SCALE_STEP", 0);
	define_int(&defines, "BIAS_STEP", 0);
	define_int(&defines, "SCALE_INNER", scale_inner);
	define_int(&defines, "BIAS_INNER", bias_inner);
	define_int(&defines, "HAS_BIAS", hy_kernels__has_input(node, 2));
	define_int(&defines, "HAS_MEAN", hy_kernels__wants_output(node, 1));
	define_int(&defines, "HAS_DEVIATION", hy_kernels__wants_output(node, 2));
	define_float(&defines, "EPSILON", (double)hy_ir_node_attr_float(node->ir, "epsilon", 1e-5f));
	const uint32_t kernel = hy_kernels__kernel(lower, "layer_norm", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)rows, 1, 1,
	                   lower->options->shape == HY_KERNELS_CPU ? 1 : lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, scale);
	hy_kernels__pass(lower, bias);
	hy_kernels__pass(lower, y);
	hy_kernels__pass(lower, mean);
	hy_kernels__pass(lower, deviation);
	return HY_OK;
}

/* A LayerNormalization of planes whose scale belongs to the channel. */
hy_status hy_kernels__lower_instance_norm(hy_kernels__lower *lower, const hy_kernels__node *node,
                                          const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const int64_t length = product(&type, 2, type.rank), rows = type.dim[0] * type.dim[1];
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place scale = hy_kernels__need(lower, node->inputs[1], FORM_PLAIN, 0);
	const hy_kernels__place bias = hy_kernels__need(lower, node->inputs[2], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	if (rows * length == 0) return HY_OK;
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type.dtype));
	hy_kernels__text_define(&defines, "S", "%s", hy_dtype_name(type.dtype));
	define_int(&defines, "ROWS", rows);
	define_int(&defines, "LENGTH", length);
	define_int(&defines, "SCALE_ROWS", type.dim[1]);
	define_int(&defines, "SCALE_STEP", 1);
	define_int(&defines, "BIAS_STEP", 1);
	define_int(&defines, "SCALE_INNER", 0);
	define_int(&defines, "BIAS_INNER", 0);
	define_int(&defines, "HAS_BIAS", 1);
	define_int(&defines, "HAS_MEAN", 0);
	define_int(&defines, "HAS_DEVIATION", 0);
	define_float(&defines, "EPSILON", (double)hy_ir_node_attr_float(node->ir, "epsilon", 1e-5f));
	const uint32_t kernel = hy_kernels__kernel(lower, "layer_norm", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)rows, 1, 1,
	                   lower->options->shape == HY_KERNELS_CPU ? 1 : lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, scale);
	hy_kernels__pass(lower, bias);
	for (uint32_t i = 0; i < 3; i++)
		hy_kernels__pass(lower, y);
	return HY_OK;
}

hy_status hy_kernels__lower_batch_norm(hy_kernels__lower *lower, const hy_kernels__node *node,
                                       const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const int64_t channels = type.rank > 1 ? type.dim[1] : 1, inner = product(&type, 2, type.rank);
	const bool training = hy_ir_node_attr_int(node->ir, "training_mode", 0) != 0;
	hy_kernels__place in[5];
	for (uint32_t i = 0; i < 5; i++)
		in[i] = hy_kernels__need(lower, node->inputs[i], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const hy_kernels__place mean = output_or(lower, node, 1, y), variance = output_or(lower, node, 2, y);
	if (hy_ir_type_elements(&type) == 0) return HY_OK;
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type.dtype));
	hy_kernels__text_define(&defines, "S", "%s", hy_dtype_name(hy_kernels__type(lower, node->inputs[1])->dtype));
	hy_kernels__text_define(&defines, "M", "%s", hy_dtype_name(hy_kernels__type(lower, node->inputs[3])->dtype));
	define_int(&defines, "TRAINING", training);
	define_int(&defines, "HAS_MEAN", hy_kernels__wants_output(node, 1));
	define_int(&defines, "HAS_VARIANCE", hy_kernels__wants_output(node, 2));
	define_int(&defines, "BATCH", type.dim[0]);
	define_int(&defines, "CHANNELS", channels);
	define_int(&defines, "INNER", inner);
	define_float(&defines, "EPSILON", (double)hy_ir_node_attr_float(node->ir, "epsilon", 1e-5f));
	define_float(&defines, "MOMENTUM", (double)hy_ir_node_attr_float(node->ir, "momentum", 0.9f));
	const uint32_t kernel = hy_kernels__kernel(lower, "batch_norm", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)channels, 1, 1,
	                   lower->options->shape == HY_KERNELS_CPU ? 1 : lower->options->local_size);
	for (uint32_t i = 0; i < 5; i++)
		hy_kernels__pass(lower, in[i]);
	hy_kernels__pass(lower, y);
	hy_kernels__pass(lower, mean);
	hy_kernels__pass(lower, variance);
	return HY_OK;
}

static void define_lrn(const hy_kernels__node *node, hy_kernels__text *defines)
{
	const int64_t size = hy_ir_node_attr_int(node->ir, "size", 1);
	define_int(defines, "BEFORE", (size - 1) / 2);
	define_int(defines, "AFTER", size - 1 - (size - 1) / 2);
	define_float(defines, "ALPHA", (double)hy_ir_node_attr_float(node->ir, "alpha", 1e-4f) / (double)size);
	define_float(defines, "BETA", (double)hy_ir_node_attr_float(node->ir, "beta", 0.75f));
	define_float(defines, "BIAS", (double)hy_ir_node_attr_float(node->ir, "bias", 1.0f));
}

static void lower_lrn_blocked(hy_kernels__lower *lower, const hy_kernels__node *node, const hy_ir_type *type)
{
	hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_BLOCK, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_BLOCK);
	const hy_kernels__plane from = hy_kernels__plane_of(type, x.pad), to = hy_kernels__plane_of(type, y.pad);
	hy_kernels__text defines = {0};
	define_lrn(node, &defines);
	const uint32_t kernel = hy_kernels__kernel(lower, "lrn_block", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)type->dim[2], hy_kernels__blocks(type),
	                   (uint64_t)type->dim[0], 1);
	x.offset += (uint64_t)from.origin * BLOCK * sizeof(float);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, y);
	hy_kernels__pass_int(lower, (int64_t)x.planes * from.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)from.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)from.row * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)y.planes * to.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)to.plane * BLOCK);
	hy_kernels__pass_int(lower, to.row);
	hy_kernels__pass_int(lower, y.pad);
	hy_kernels__pass_int(lower, type->dim[2]);
	hy_kernels__pass_int(lower, type->dim[3]);
	hy_kernels__pass_int(lower, hy_kernels__blocks(type));
}

hy_status hy_kernels__lower_lrn(hy_kernels__lower *lower, const hy_kernels__node *node,
                                const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	if (lower->values[node->outputs[0]].form == FORM_BLOCK) {
		lower_lrn_blocked(lower, node, &type);
		return HY_OK;
	}
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const int64_t total = hy_ir_type_elements(&type);
	if (total == 0) return HY_OK;
	hy_kernels__text defines = {0};
	define_lrn(node, &defines);
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type.dtype));
	define_int(&defines, "TOTAL", total);
	define_int(&defines, "CHANNELS", type.dim[1]);
	define_int(&defines, "INNER", product(&type, 2, type.rank));
	const uint32_t kernel = hy_kernels__kernel(lower, "lrn", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, y);
	return HY_OK;
}
