/* The Reduce operators. */
#include "handler.h"

#include <string.h>

typedef struct split {
	uint32_t kept_rank, gone_rank;
	int64_t kept_size[HY_MAX_RANK + 1], kept_stride[HY_MAX_RANK + 1];
	int64_t gone_size[HY_MAX_RANK + 1], gone_stride[HY_MAX_RANK + 1];
	int64_t gone; /* elements that become one */
} split;

/* What each operator begins with and does at its end; the names of KIND. */
typedef struct row {
	hy_ir_op_id op;
	const char *kind, *finish;
} row;

static const row rows[] = {
	{HY_IR_OP_ReduceSum, "SUM", ""},
	{HY_IR_OP_ReduceMean, "MEAN", ""},
	{HY_IR_OP_ReduceMax, "MAX", ""},
	{HY_IR_OP_ReduceMin, "MIN", ""},
	{HY_IR_OP_ReduceProd, "PROD", ""},
	{HY_IR_OP_ReduceL1, "L1", ""},
	{HY_IR_OP_ReduceL2, "SQUARES", "result = sqrt((ROOT)result);"},
	{HY_IR_OP_ReduceSumSquare, "SQUARES", ""},
	{HY_IR_OP_ReduceLogSum, "LOG_SUM", "result = log((ROOT)result);"},
	{HY_IR_OP_ReduceLogSumExp, NULL, NULL},
};

static void push(uint32_t *rank, int64_t *sizes, int64_t *strides, int64_t size, int64_t stride)
{
	if (size == 1) return;
	if (*rank > 0 && strides[*rank - 1] == stride * size) {
		sizes[*rank - 1] *= size;
		strides[*rank - 1] = stride;
		return;
	}
	sizes[*rank] = size;
	strides[*rank] = stride;
	(*rank)++;
}

static void split_axes(const hy_ir_type *x, const bool *gone, split *out_split)
{
	split at = {.gone = 1};
	int64_t strides[HY_MAX_RANK];
	hy_kernels__strides(x, strides);
	for (uint32_t d = 0; d < x->rank; d++) {
		if (gone[d]) {
			at.gone *= x->dim[d];
			push(&at.gone_rank, at.gone_size, at.gone_stride, x->dim[d], strides[d]);
		} else {
			push(&at.kept_rank, at.kept_size, at.kept_stride, x->dim[d], strides[d]);
		}
	}
	if (at.gone_rank == 0) push(&at.gone_rank, at.gone_size, at.gone_stride, 2, 1); /* a list is never empty */
	if (at.kept_rank == 0) push(&at.kept_rank, at.kept_size, at.kept_stride, 2, 0);
	if (at.gone <= 1) at.gone_size[0] = 1;
	*out_split = at;
}

/* Axes from the second input or the attribute; none: all, or nothing when the node says so. */
static hy_status read_axes(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t rank, bool *gone)
{
	const hy_ir_attr *attr = hy_ir_node_attr(node->ir, "axes");
	uint32_t count = attr == NULL ? 0 : attr->count;
	const bool has_input = hy_kernels__has_input(node, 1);
	if (has_input) {
		if (!lower->values[node->inputs[1]].constant)
			return hy_kernels__refuse(lower, node, HY_REASON_CONSTANT, "axes must be constant");
		count = (uint32_t)hy_ir_type_elements(hy_kernels__type(lower, node->inputs[1]));
		if (hy_kernels__data(lower, node, 1) == NULL) return HY_OK;
	}
	const bool all = count == 0 && hy_ir_node_attr_int(node->ir, "noop_with_empty_axes", 0) == 0;
	for (uint32_t d = 0; d < rank; d++)
		gone[d] = all;
	for (uint32_t i = 0; i < count; i++) {
		int64_t axis = has_input ? hy_kernels__integer(lower, node, 1, i) : attr->ints[i];
		if (axis < 0) axis += rank;
		if (axis >= 0 && axis < (int64_t)rank) gone[axis] = true;
	}
	return HY_OK;
}

/* The smallest or largest number of a type, as a literal. */
static const char *extreme(hy_dtype dtype, bool lowest)
{
	switch (dtype) {
	case HY_DTYPE_I8:
		return lowest ? "CHAR_MIN" : "CHAR_MAX";
	case HY_DTYPE_I16:
		return lowest ? "SHRT_MIN" : "SHRT_MAX";
	case HY_DTYPE_I32:
		return lowest ? "INT_MIN" : "INT_MAX";
	case HY_DTYPE_I64:
		return lowest ? "LONG_MIN" : "LONG_MAX";
	case HY_DTYPE_U8:
		return lowest ? "0" : "UCHAR_MAX";
	case HY_DTYPE_U16:
		return lowest ? "0" : "USHRT_MAX";
	case HY_DTYPE_U32:
		return lowest ? "0" : "UINT_MAX";
	case HY_DTYPE_U64:
		return lowest ? "0" : "ULONG_MAX";
	case HY_DTYPE_BOOL:
		return lowest ? "0" : "1";
	default:
		return lowest ? "-INFINITY" : "INFINITY";
	}
}

static void define_kind(hy_kernels__text *defines, const row *at, hy_dtype dtype)
{
	static const char *const kinds[] = {"SUM", "MEAN", "MAX", "MIN", "PROD", "L1", "SQUARES", "LOG_SUM"};
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		hy_kernels__text_define(defines, kinds[i], "%u", i);
	hy_kernels__text_define(defines, "KIND", "%s", at->kind);
	const char *first = at->op == HY_IR_OP_ReduceProd ? "1" : "0";
	if (at->op == HY_IR_OP_ReduceMax) first = extreme(dtype, true);
	if (at->op == HY_IR_OP_ReduceMin) first = extreme(dtype, false);
	hy_kernels__text_define(defines, "FIRST", "%s", first);
	hy_kernels__text_define(defines, "ROOT", "%s", dtype == HY_DTYPE_F64 ? "double" : "float");
	hy_kernels__text_define(defines, "FINISH", "%s", at->finish);
}

hy_status hy_kernels__lower_reduce(hy_kernels__lower *lower, const hy_kernels__node *node,
                                   const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type x = *hy_kernels__type(lower, node->inputs[0]), y = *hy_kernels__type(lower, node->outputs[0]);
	bool gone[HY_MAX_RANK] = {false};
	const hy_status status = read_axes(lower, node, x.rank, gone);
	if (status != HY_OK) return status;
	const row *at = rows;
	while (at->op != node->op->id)
		at++;
	split axes;
	split_axes(&x, gone, &axes);
	const int64_t total = hy_ir_type_elements(&y);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(x.dtype));
	hy_kernels__text_define(&defines, "TOTAL", "%lld", (long long)total);
	hy_kernels__text_define(&defines, "GONE", "%lld", (long long)axes.gone);
	hy_kernels__text_define(&defines, "KEPT_RANK", "%u", axes.kept_rank);
	hy_kernels__text_define(&defines, "GONE_RANK", "%u", axes.gone_rank);
	hy_kernels__define_list(&defines, "KEPT_SIZE", axes.kept_size, axes.kept_rank);
	hy_kernels__define_list(&defines, "KEPT_STRIDE", axes.kept_stride, axes.kept_rank);
	hy_kernels__define_list(&defines, "GONE_SIZE", axes.gone_size, axes.gone_rank);
	hy_kernels__define_list(&defines, "GONE_STRIDE", axes.gone_stride, axes.gone_rank);
	if (at->kind != NULL) define_kind(&defines, at, x.dtype);
	const hy_kernels__place from = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place to = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const uint32_t kernel = hy_kernels__kernel(lower, at->kind == NULL ? "reduce_log_sum_exp" : "reduce", &defines,
	                                           NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, from);
	hy_kernels__pass(lower, to);
	return HY_OK;
}
