/* From groups to kernels: an anchor with the epilogue it can store through, a chain of elementwise nodes, or node by
 * node when the whole can't be one kernel. */
#include "elementwise.h"
#include "handler.h"

#include <limits.h>

typedef struct operator_row {
	hy_kernels__handler lower;
	hy_kernels__fuses fuses; /* NULL: never */
} operator_row;

/* Elementwise operators are no rows: expr.c knows their formulas. */
static const operator_row operators[HY_IR_OP_COUNT] = {
	[HY_IR_OP_Conv] = {hy_kernels__lower_conv, hy_kernels__conv_fuses},
	[HY_IR_OP_ConvTranspose] = {hy_kernels__lower_conv_transpose, NULL},
	[HY_IR_OP_MaxPool] = {hy_kernels__lower_pool, NULL},
	[HY_IR_OP_AveragePool] = {hy_kernels__lower_pool, NULL},
	[HY_IR_OP_GlobalAveragePool] = {hy_kernels__lower_global_pool, NULL},
	[HY_IR_OP_GlobalMaxPool] = {hy_kernels__lower_global_pool, NULL},
	[HY_IR_OP_LRN] = {hy_kernels__lower_lrn, NULL},
	[HY_IR_OP_BatchNormalization] = {hy_kernels__lower_batch_norm, NULL},
	[HY_IR_OP_InstanceNormalization] = {hy_kernels__lower_instance_norm, NULL},
	[HY_IR_OP_LayerNormalization] = {hy_kernels__lower_layer_norm, NULL},
	[HY_IR_OP_Gemm] = {hy_kernels__lower_gemm, hy_kernels__matmul_fuses},
	[HY_IR_OP_MatMul] = {hy_kernels__lower_matmul, hy_kernels__matmul_fuses},
	[HY_IR_OP_Softmax] = {hy_kernels__lower_softmax, NULL},
	[HY_IR_OP_LogSoftmax] = {hy_kernels__lower_softmax, NULL},
	[HY_IR_OP_ReduceMean] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceSum] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceMax] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceMin] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceProd] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceL1] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceL2] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceSumSquare] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceLogSum] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ReduceLogSumExp] = {hy_kernels__lower_reduce, NULL},
	[HY_IR_OP_ArgMax] = {hy_kernels__lower_arg, NULL},
	[HY_IR_OP_ArgMin] = {hy_kernels__lower_arg, NULL},
	[HY_IR_OP_CumSum] = {hy_kernels__lower_cumsum, NULL},
	[HY_IR_OP_TopK] = {hy_kernels__lower_topk, NULL},
	[HY_IR_OP_Resize] = {hy_kernels__lower_resize, NULL},
	[HY_IR_OP_Identity] = {hy_kernels__lower_view, NULL},
	[HY_IR_OP_Dropout] = {hy_kernels__lower_view, NULL},
	[HY_IR_OP_Flatten] = {hy_kernels__lower_view, NULL},
	[HY_IR_OP_Reshape] = {hy_kernels__lower_view, NULL},
	[HY_IR_OP_Squeeze] = {hy_kernels__lower_view, NULL},
	[HY_IR_OP_Unsqueeze] = {hy_kernels__lower_view, NULL},
	[HY_IR_OP_Transpose] = {hy_kernels__lower_transpose, NULL},
	[HY_IR_OP_Concat] = {hy_kernels__lower_concat, NULL},
	[HY_IR_OP_Split] = {hy_kernels__lower_split, NULL},
	[HY_IR_OP_Slice] = {hy_kernels__lower_slice, NULL},
	[HY_IR_OP_Gather] = {hy_kernels__lower_gather, NULL},
	[HY_IR_OP_GatherElements] = {hy_kernels__lower_gather_elements, NULL},
	[HY_IR_OP_GatherND] = {hy_kernels__lower_gather_nd, NULL},
	[HY_IR_OP_DepthToSpace] = {hy_kernels__lower_depth_space, NULL},
	[HY_IR_OP_SpaceToDepth] = {hy_kernels__lower_depth_space, NULL},
	[HY_IR_OP_Pad] = {hy_kernels__lower_pad, NULL},
	[HY_IR_OP_Expand] = {hy_kernels__lower_expand, NULL},
	[HY_IR_OP_Tile] = {hy_kernels__lower_tile, NULL},
	[HY_IR_OP_Trilu] = {hy_kernels__lower_trilu, NULL},
	[HY_IR_OP_Shape] = {hy_kernels__lower_shape, NULL},
	[HY_IR_OP_Constant] = {hy_kernels__lower_fill, NULL},
	[HY_IR_OP_ConstantOfShape] = {hy_kernels__lower_fill, NULL},
	[HY_IR_OP_Range] = {hy_kernels__lower_range, NULL},
};

/* Kernels count elements in int32; a device without doubles has no F64. */
static hy_status check_types(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	for (uint32_t i = 0; i < node->input_count + node->output_count; i++) {
		const uint32_t value = i < node->input_count ? node->inputs[i] : node->outputs[i - node->input_count];
		if (value == HY_IR_NONE) continue;
		const hy_ir_type *type = &lower->values[value].type;
		if (!hy_ir_type_is_static(type) || hy_ir_type_elements(type) > INT32_MAX / 4)
			return hy_kernels__refuse(lower, node, HY_REASON_SHAPE, "a tensor of more than %d elements",
			                          INT32_MAX / 4);
		if (hy_dtype_bits(type->dtype) == 0)
			return hy_kernels__refuse(lower, node, HY_REASON_DTYPE, "no strings on this device");
		if (type->dtype == HY_DTYPE_F64 && !(lower->options->flags & HY_KERNELS_FP64))
			return hy_kernels__refuse(lower, node, HY_REASON_DTYPE, "no f64 on this device");
	}
	return HY_OK;
}

hy_status hy_kernels__check_nodes(hy_kernels__lower *lower)
{
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < lower->node_count && status == HY_OK; i++) {
		const hy_kernels__node *node = &lower->nodes[i];
		if (node->op == NULL)
			status = hy_kernels__refuse(lower, node, HY_REASON_OP, "not an operator of the IR");
		else
			status = check_types(lower, node);
	}
	return status;
}

static bool is_elementwise(const hy_kernels__node *node)
{
	return node->op->fusion == HY_IR_CLASS_ELEMENTWISE;
}

/* Whether anything but the nodes of the group reads the value. */
static bool escapes(const hy_kernels__lower *lower, uint32_t value, const hy_kernels__node *nodes, uint32_t count)
{
	uint32_t uses = 0;
	for (uint32_t n = 0; n < count; n++)
		for (uint32_t i = 0; i < nodes[n].input_count; i++)
			uses += nodes[n].inputs[i] == value;
	return lower->values[value].is_output || lower->values[value].uses > uses;
}

static hy_status lower_one(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	static const hy_kernels__epilogue none = {.input = HY_IR_NONE, .output = HY_IR_NONE};
	if (is_elementwise(node)) return hy_kernels__elementwise(lower, node, 1);
	const operator_row *row = &operators[node->op->id];
	if (row->lower == NULL) return hy_kernels__refuse(lower, node, HY_REASON_OP, "no kernel");
	return row->lower(lower, node, &none);
}

/* Elementwise nodes in one kernel if only values of the last one's shape leave it. */
static hy_status lower_chain(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count)
{
	if (hy_kernels__elementwise_is_one(lower, nodes, count)) return hy_kernels__elementwise(lower, nodes, count);
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < count && status == HY_OK; i++)
		status = lower_one(lower, &nodes[i]);
	return status;
}

static bool lower_fused(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count, hy_status *out_status)
{
	const operator_row *row = &operators[nodes[0].op->id];
	if (count < 2 || row->fuses == NULL || nodes[0].output_count != 1) return false;
	for (uint32_t i = 1; i < count; i++)
		if (!is_elementwise(&nodes[i])) return false;
	for (uint32_t i = 0; i + 1 < count; i++)
		if (escapes(lower, nodes[i].outputs[0], nodes, count)) return false;
	const hy_kernels__epilogue epilogue = {&nodes[1], count - 1, nodes[0].outputs[0], nodes[count - 1].outputs[0]};
	if (!row->fuses(lower, &nodes[0], &epilogue)) return false;
	*out_status = row->lower(lower, &nodes[0], &epilogue);
	return true;
}

static hy_status lower_group(hy_kernels__lower *lower, const hy_kernels__group *group)
{
	const hy_kernels__node *nodes = &lower->nodes[group->first];
	hy_status status = HY_OK;
	if (lower_fused(lower, nodes, group->count, &status)) return status;
	for (uint32_t first = 0; first < group->count && status == HY_OK;) {
		uint32_t count = 1;
		if (!is_elementwise(&nodes[first])) {
			status = lower_one(lower, &nodes[first]);
		} else {
			while (first + count < group->count && is_elementwise(&nodes[first + count]))
				count++;
			status = lower_chain(lower, &nodes[first], count);
		}
		first += count;
	}
	return status;
}

hy_status hy_kernels__lower_groups(hy_kernels__lower *lower)
{
	for (uint32_t i = 0; i < lower->group_count; i++) {
		if (lower->failed) return HY_NO_MEMORY;
		const hy_status status = lower_group(lower, &lower->groups[i]);
		if (status != HY_OK) return status;
	}
	return lower->failed ? HY_NO_MEMORY : HY_OK;
}
