/* From nodes to steps: each node, in order, by the function for its operator; what that function refuses goes to the
 * evaluator. A function may take the nodes that follow in the same region with it. */
#include "cpu_build.h"

static const hy_cpu_lower lowerings[HY_IR_OP_COUNT] = {
	[HY_IR_OP_Conv] = hy_cpu_lower_conv,
	[HY_IR_OP_ConvTranspose] = hy_cpu_lower_conv,
	[HY_IR_OP_MaxPool] = hy_cpu_lower_pool,
	[HY_IR_OP_AveragePool] = hy_cpu_lower_pool,
	[HY_IR_OP_GlobalAveragePool] = hy_cpu_lower_global_pool,
	[HY_IR_OP_GlobalMaxPool] = hy_cpu_lower_global_pool,
	[HY_IR_OP_LRN] = hy_cpu_lower_lrn,
	[HY_IR_OP_LayerNormalization] = hy_cpu_lower_layer_norm,
	[HY_IR_OP_Gemm] = hy_cpu_lower_gemm,
	[HY_IR_OP_MatMul] = hy_cpu_lower_matmul,
	[HY_IR_OP_Softmax] = hy_cpu_lower_softmax,
	[HY_IR_OP_LogSoftmax] = hy_cpu_lower_softmax,
	[HY_IR_OP_Identity] = hy_cpu_lower_reshape,
	[HY_IR_OP_Dropout] = hy_cpu_lower_reshape,
	[HY_IR_OP_Flatten] = hy_cpu_lower_reshape,
	[HY_IR_OP_Reshape] = hy_cpu_lower_reshape,
	[HY_IR_OP_Squeeze] = hy_cpu_lower_reshape,
	[HY_IR_OP_Unsqueeze] = hy_cpu_lower_reshape,
	[HY_IR_OP_Transpose] = hy_cpu_lower_transpose,
	[HY_IR_OP_Concat] = hy_cpu_lower_concat,
	[HY_IR_OP_Split] = hy_cpu_lower_split,
	[HY_IR_OP_Slice] = hy_cpu_lower_slice,
};

void hy_cpu_build_done(hy_cpu_build *build, uint32_t node)
{
	hy_cpu_node *n = &build->nodes[node];
	if (n->is_lowered) return;
	n->is_lowered = true;
	for (uint32_t i = 0; i < n->ir->input_count; i++) {
		if (n->inputs[i] == HY_CPU_NONE) continue;
		const uint32_t storage = build->values[n->inputs[i]].view.storage;
		if (storage != HY_CPU_NONE && build->storages[storage].readers > 0) build->storages[storage].readers--;
	}
}

static bool is_empty(const hy_cpu_build *build, uint32_t value)
{
	return value != HY_CPU_NONE && hy_ir_type_elements(&build->values[value].view.type) == 0;
}

/* Tensors without elements need no work; kernels never see them. */
static hy_status lower_empty(hy_cpu_build *build, uint32_t node, bool *out_lowered, hy_error *error)
{
	const hy_cpu_node *n = &build->nodes[node];
	const hy_cpu_order plain = hy_cpu_order_plain();
	bool inputs = false, outputs = true;
	for (uint32_t i = 0; i < n->ir->input_count; i++)
		inputs = inputs || is_empty(build, n->inputs[i]);
	for (uint32_t i = 0; i < n->ir->output_count; i++)
		outputs = outputs && (n->outputs[i] == HY_CPU_NONE || is_empty(build, n->outputs[i]));
	*out_lowered = inputs || outputs;
	if (!*out_lowered) return HY_OK;
	if (!outputs) return hy_cpu_lower_reference(build, node, error);
	for (uint32_t i = 0; i < n->ir->output_count; i++) {
		hy_cpu_view view;
		if (build->nodes[node].outputs[i] == HY_CPU_NONE) continue;
		const hy_status status = hy_cpu_build_make(build, build->nodes[node].outputs[i], &plain, 0, &view,
		                                           error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

static hy_status lower_node(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_ir_op *op = build->nodes[node].op;
	bool is_lowered;
	hy_status status = lower_empty(build, node, &is_lowered, error);
	if (is_lowered || status != HY_OK) return status;
	hy_cpu_lower lower = lowerings[op->id];
	if (lower == NULL && op->fusion == HY_IR_CLASS_ELEMENTWISE) lower = hy_cpu_lower_group;
	status = lower != NULL ? lower(build, node, error) : HY_UNSUPPORTED;
	return status == HY_UNSUPPORTED ? hy_cpu_lower_reference(build, node, error) : status;
}

hy_status hy_cpu_build_lower(hy_cpu_build *build, hy_error *error)
{
	hy_cpu_build_nest(build);
	for (uint32_t i = 0; i < build->node_count; i++) {
		if (build->nodes[i].is_lowered) continue;
		build->row = build->nodes[i].row;
		const hy_status status = lower_node(build, i, error);
		if (status != HY_OK) return status;
		hy_cpu_build_done(build, i);
	}
	return hy_cpu_build_outputs(build, error);
}
