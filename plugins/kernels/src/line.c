/* Operators along the lines of one axis: ArgMax, ArgMin, TopK, CumSum. */
#include "handler.h"

static void define_int(hy_kernels__text *defines, const char *name, int64_t value)
{
	hy_kernels__text_define(defines, name, "%lld", (long long)value);
}

/* LINES, LENGTH and INNER; answers the lines. */
static int64_t define_lines(const hy_ir_type *type, int64_t axis, hy_kernels__text *defines)
{
	if (axis < 0) axis += type->rank;
	int64_t inner = 1;
	for (uint32_t d = (uint32_t)axis + 1; d < type->rank; d++)
		inner *= type->dim[d];
	const int64_t length = type->rank == 0 ? 1 : type->dim[axis];
	const int64_t lines = length == 0 ? 0 : hy_ir_type_elements(type) / length;
	hy_kernels__text_define(defines, "X", "%s", hy_dtype_name(type->dtype));
	define_int(defines, "LINES", lines);
	define_int(defines, "LENGTH", length);
	define_int(defines, "INNER", inner);
	return lines;
}

hy_status hy_kernels__lower_arg(hy_kernels__lower *lower, const hy_kernels__node *node,
                                const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	hy_kernels__text defines = {0};
	const int64_t lines = define_lines(&type, hy_ir_node_attr_int(node->ir, "axis", 0), &defines);
	hy_kernels__text_define(&defines, "SIGN", "%s", node->op->id == HY_IR_OP_ArgMax ? ">" : "<");
	define_int(&defines, "LAST", hy_ir_node_attr_int(node->ir, "select_last_index", 0) != 0);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const uint32_t kernel = hy_kernels__kernel(lower, "arg", &defines, NULL);
	if (lines == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)lines, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, y);
	return HY_OK;
}

hy_status hy_kernels__lower_topk(hy_kernels__lower *lower, const hy_kernels__node *node,
                                 const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const uint32_t shown = hy_kernels__wants_output(node, 0) ? 0 : 1;
	const hy_ir_type out = *hy_kernels__type(lower, node->outputs[shown]);
	int64_t axis = hy_ir_node_attr_int(node->ir, "axis", -1);
	if (axis < 0) axis += type.rank;
	hy_kernels__text defines = {0};
	const int64_t lines = define_lines(&type, axis, &defines);
	define_int(&defines, "COUNT", out.dim[axis]);
	hy_kernels__text_define(&defines, "SIGN", "%s", hy_ir_node_attr_int(node->ir, "largest", 1) != 0 ? ">" : "<");
	const bool has_values = shown == 0, has_indices = hy_kernels__wants_output(node, 1);
	define_int(&defines, "HAS_VALUES", has_values);
	define_int(&defines, "HAS_INDICES", has_indices);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	hy_kernels__place values = {0}, indices = {0};
	if (has_values) values = indices = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	if (has_indices) indices = hy_kernels__make(lower, node->outputs[1], FORM_PLAIN);
	if (!has_values) values = indices;
	const uint32_t kernel = hy_kernels__kernel(lower, "topk", &defines, NULL);
	if (lines == 0 || out.dim[axis] == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)lines, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, values);
	hy_kernels__pass(lower, indices);
	return HY_OK;
}

hy_status hy_kernels__lower_cumsum(hy_kernels__lower *lower, const hy_kernels__node *node,
                                   const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const int64_t total = hy_ir_type_elements(&type);
	int64_t strides[HY_MAX_RANK];
	hy_kernels__strides(&type, strides);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type.dtype));
	hy_kernels__text_define(&defines, "I", "%s", hy_dtype_name(hy_kernels__type(lower, node->inputs[1])->dtype));
	define_int(&defines, "TOTAL", total);
	define_int(&defines, "RANK", type.rank);
	define_int(&defines, "EXCLUSIVE", hy_ir_node_attr_int(node->ir, "exclusive", 0) != 0);
	define_int(&defines, "REVERSE", hy_ir_node_attr_int(node->ir, "reverse", 0) != 0);
	hy_kernels__define_list(&defines, "SIZE", type.dim, type.rank);
	hy_kernels__define_list(&defines, "STRIDE", strides, type.rank);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place axis = hy_kernels__need(lower, node->inputs[1], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const uint32_t kernel = hy_kernels__kernel(lower, "cumsum", &defines, NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, axis);
	hy_kernels__pass(lower, y);
	return HY_OK;
}
