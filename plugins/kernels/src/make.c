/* Operators that make values from numbers: Pad, Trilu, Range, Shape, Constant, ConstantOfShape. */
#include "handler.h"

#include <stdlib.h>
#include <string.h>

static void define_int(hy_kernels__text *defines, const char *name, int64_t value)
{
	hy_kernels__text_define(defines, name, "%lld", (long long)value);
}

const char *hy_kernels__bits_type(hy_dtype dtype)
{
	const uint32_t bits = hy_dtype_bits(dtype);
	return bits == 64 ? "ulong" : bits == 32 ? "uint" : bits == 16 ? "ushort" : "uchar";
}

/* The output lies in constant data: count elements of bytes each. */
static hy_status make_constant(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t output,
                               const void *element, uint32_t bytes, int64_t count)
{
	char *data = hy_kernels__alloc(lower, (uint64_t)count * bytes);
	if (data == NULL) return HY_NO_MEMORY;
	for (int64_t i = 0; i < count; i++)
		memcpy(data + i * bytes, element, bytes);
	hy_kernels__alias(lower, node->outputs[output], FORM_PLAIN,
	                  hy_kernels__constant(lower, data, (uint64_t)count * bytes));
	return HY_OK;
}

hy_status hy_kernels__fill(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t output, int64_t value)
{
	const hy_ir_type type = *hy_kernels__type(lower, node->outputs[output]);
	return make_constant(lower, node, output, &value, hy_dtype_bits(type.dtype) / 8, hy_ir_type_elements(&type));
}

/* Constant's value, and ConstantOfShape's, which is f32 0 when it has none. */
hy_status hy_kernels__lower_fill(hy_kernels__lower *lower, const hy_kernels__node *node,
                                 const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->outputs[0]);
	const uint32_t bytes = hy_dtype_bits(type.dtype) / 8;
	const int64_t count = hy_ir_type_elements(&type);
	const hy_ir_attr *value = hy_ir_node_attr(node->ir, "value");
	static const uint64_t zero = 0;
	if (node->op->id == HY_IR_OP_ConstantOfShape)
		return make_constant(lower, node, 0, value == NULL ? (const void *)&zero : value->tensor.data, bytes,
		                     count);
	if (value == NULL || value->kind != HY_ATTR_TENSOR)
		return hy_kernels__refuse(lower, node, HY_REASON_ATTRIBUTE, "its value is no tensor");
	return make_constant(lower, node, 0, value->tensor.data, (uint32_t)((uint64_t)count * bytes), 1);
}

hy_status hy_kernels__lower_shape(hy_kernels__lower *lower, const hy_kernels__node *node,
                                  const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type *x = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	int64_t start = hy_ir_node_attr_int(node->ir, "start", 0);
	if (start < 0) start += x->rank;
	if (start < 0) start = 0;
	return make_constant(lower, node, 0, x->dim + start, (uint32_t)(hy_ir_type_elements(y) * 8), 1);
}

hy_status hy_kernels__lower_range(hy_kernels__lower *lower, const hy_kernels__node *node,
                                  const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->outputs[0]);
	const int64_t total = hy_ir_type_elements(&type);
	const hy_kernels__place start = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place delta = hy_kernels__need(lower, node->inputs[2], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type.dtype));
	define_int(&defines, "TOTAL", total);
	const uint32_t kernel = hy_kernels__kernel(lower, "range", &defines, NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, start);
	hy_kernels__pass(lower, delta);
	hy_kernels__pass(lower, y);
	return HY_OK;
}

hy_status hy_kernels__lower_trilu(hy_kernels__lower *lower, const hy_kernels__node *node,
                                  const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const int64_t total = hy_ir_type_elements(&type);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const bool has_shift = hy_kernels__has_input(node, 1);
	const hy_kernels__place shift = has_shift ? hy_kernels__need(lower, node->inputs[1], FORM_PLAIN, 0) : x;
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "TYPE", "%s", hy_kernels__bits_type(type.dtype));
	define_int(&defines, "TOTAL", total);
	define_int(&defines, "ROWS", type.dim[type.rank - 2]);
	define_int(&defines, "COLUMNS", type.dim[type.rank - 1]);
	define_int(&defines, "UPPER", hy_ir_node_attr_int(node->ir, "upper", 1) != 0);
	define_int(&defines, "HAS_SHIFT", has_shift);
	const uint32_t kernel = hy_kernels__kernel(lower, "trilu", &defines, NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, shift);
	hy_kernels__pass(lower, y);
	return HY_OK;
}

/* Elements before each dimension, from the pads of the axes that are named. */
static void read_pads(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t rank, int64_t *before)
{
	if (hy_kernels__data(lower, node, 1) == NULL) return;
	const bool has_axes = hy_kernels__has_input(node, 3) && hy_kernels__data(lower, node, 3) != NULL;
	const uint32_t count = (uint32_t)hy_ir_type_elements(hy_kernels__type(lower, node->inputs[1])) / 2;
	for (uint32_t i = 0; i < count; i++) {
		int64_t axis = has_axes ? hy_kernels__integer(lower, node, 3, i) : i;
		if (axis < 0) axis += rank;
		if (axis >= 0 && axis < (int64_t)rank) before[axis] = hy_kernels__integer(lower, node, 1, i);
	}
}

hy_status hy_kernels__lower_pad(hy_kernels__lower *lower, const hy_kernels__node *node,
                                const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	static const char *const modes[] = {"constant", "reflect", "edge", "wrap"};
	const hy_ir_type in = *hy_kernels__type(lower, node->inputs[0]),
			 out = *hy_kernels__type(lower, node->outputs[0]);
	const char *name = hy_ir_node_attr_string(node->ir, "mode", "constant");
	int mode = -1;
	for (int i = 0; i < 4; i++)
		if (strcmp(modes[i], name) == 0) mode = i;
	if (mode < 0) return hy_kernels__refuse(lower, node, HY_REASON_ATTRIBUTE, "no mode '%s'", name);
	if (!lower->values[node->inputs[1]].constant ||
	    (hy_kernels__has_input(node, 3) && !lower->values[node->inputs[3]].constant))
		return hy_kernels__refuse(lower, node, HY_REASON_CONSTANT, "pads and axes must be constant");
	int64_t before[HY_MAX_RANK] = {0}, strides[HY_MAX_RANK] = {0};
	read_pads(lower, node, in.rank, before);
	hy_kernels__strides(&in, strides);
	const int64_t total = hy_ir_type_elements(&out);
	const bool has_value = hy_kernels__has_input(node, 2);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place value = has_value ? hy_kernels__need(lower, node->inputs[2], FORM_PLAIN, 0) : x;
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "TYPE", "%s", hy_kernels__bits_type(in.dtype));
	define_int(&defines, "TOTAL", total);
	define_int(&defines, "MODE", mode);
	define_int(&defines, "HAS_VALUE", has_value);
	define_int(&defines, "RANK", in.rank);
	const uint32_t rank = in.rank > 0 ? in.rank : 1;
	hy_kernels__define_list(&defines, "IN", in.dim, rank);
	hy_kernels__define_list(&defines, "OUT", out.dim, rank);
	hy_kernels__define_list(&defines, "BEFORE", before, rank);
	hy_kernels__define_list(&defines, "STRIDE", strides, rank);
	const uint32_t kernel = hy_kernels__kernel(lower, "pad", &defines, NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, value);
	hy_kernels__pass(lower, y);
	return HY_OK;
}
