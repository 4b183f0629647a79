/* Gather, GatherElements and GatherND. An index out of range is brought to the nearest end: a kernel can't refuse. */
#include "handler.h"

#include <string.h>

static void define_int(hy_kernels__text *defines, const char *name, int64_t value)
{
	hy_kernels__text_define(defines, name, "%lld", (long long)value);
}

static void define_types(hy_kernels__lower *lower, const hy_kernels__node *node, hy_kernels__text *defines)
{
	hy_kernels__text_define(defines, "TYPE", "%s",
	                        hy_kernels__bits_type(hy_kernels__type(lower, node->inputs[0])->dtype));
	hy_kernels__text_define(defines, "I", "%s", hy_dtype_name(hy_kernels__type(lower, node->inputs[1])->dtype));
}

static hy_status emit(hy_kernels__lower *lower, const hy_kernels__node *node, const char *name,
                      hy_kernels__text *defines, int64_t total)
{
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place indices = hy_kernels__need(lower, node->inputs[1], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const uint32_t kernel = hy_kernels__kernel(lower, name, defines, NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, indices);
	hy_kernels__pass(lower, y);
	return HY_OK;
}

hy_status hy_kernels__lower_gather(hy_kernels__lower *lower, const hy_kernels__node *node,
                                   const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type *x = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	int64_t axis = hy_ir_node_attr_int(node->ir, "axis", 0), inner = 1;
	if (axis < 0) axis += x->rank;
	for (uint32_t d = (uint32_t)axis + 1; d < x->rank; d++)
		inner *= x->dim[d];
	const int64_t total = hy_ir_type_elements(y);
	int64_t length = lower->options->shape == HY_KERNELS_CPU ? inner : 1;
	while (length > 1024 && length % 2 == 0)
		length /= 2;
	if (total == 0 || x->dim[axis] == 0) length = inner = 1;
	hy_kernels__text defines = {0};
	define_types(lower, node, &defines);
	define_int(&defines, "TOTAL", total / length);
	define_int(&defines, "PARTS", inner / length);
	define_int(&defines, "LENGTH", length);
	define_int(&defines, "INNER", inner);
	define_int(&defines, "AXIS", x->dim[axis]);
	define_int(&defines, "COUNT", hy_ir_type_elements(hy_kernels__type(lower, node->inputs[1])));
	return emit(lower, node, "gather", &defines, total / length);
}

hy_status hy_kernels__lower_gather_elements(hy_kernels__lower *lower, const hy_kernels__node *node,
                                            const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type *x = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	int64_t axis = hy_ir_node_attr_int(node->ir, "axis", 0), strides[HY_MAX_RANK];
	if (axis < 0) axis += x->rank;
	hy_kernels__strides(x, strides);
	hy_kernels__text defines = {0};
	define_types(lower, node, &defines);
	define_int(&defines, "TOTAL", hy_ir_type_elements(y));
	define_int(&defines, "RANK", x->rank);
	define_int(&defines, "AXIS", axis);
	define_int(&defines, "LENGTH", x->dim[axis]);
	hy_kernels__define_list(&defines, "SIZE", y->dim, y->rank);
	hy_kernels__define_list(&defines, "STRIDE", strides, x->rank);
	return emit(lower, node, "gather_elements", &defines, hy_ir_type_elements(y));
}

hy_status hy_kernels__lower_gather_nd(hy_kernels__lower *lower, const hy_kernels__node *node,
                                      const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type *x = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	const hy_ir_type *indices = hy_kernels__type(lower, node->inputs[1]);
	const uint32_t batch = (uint32_t)hy_ir_node_attr_int(node->ir, "batch_dims", 0);
	const int64_t depth = indices->dim[indices->rank - 1];
	int64_t strides[HY_MAX_RANK], rows = 1, inner = 1;
	hy_kernels__strides(x, strides);
	for (uint32_t d = batch; d + 1 < indices->rank; d++)
		rows *= indices->dim[d];
	for (uint32_t d = batch + (uint32_t)depth; d < x->rank; d++)
		inner *= x->dim[d];
	hy_kernels__text defines = {0};
	define_types(lower, node, &defines);
	define_int(&defines, "TOTAL", hy_ir_type_elements(y));
	define_int(&defines, "INNER", inner);
	define_int(&defines, "ROWS", rows);
	define_int(&defines, "DEPTH", depth);
	define_int(&defines, "BATCH_STRIDE", batch == 0 ? 0 : strides[batch - 1]);
	hy_kernels__define_list(&defines, "SIZE", x->dim + batch, (uint32_t)depth);
	hy_kernels__define_list(&defines, "STRIDE", strides + batch, (uint32_t)depth);
	return emit(lower, node, "gather_nd", &defines, hy_ir_type_elements(y));
}
