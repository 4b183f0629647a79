/* What this device takes: every node the IR knows whose types are known and belong together. */
#include "cpu_build.h"

#include <stdlib.h>

static hy_reason type_reason(const hy_ir_type *type)
{
	if (hy_dtype_bits(type->dtype) == 0) return HY_REASON_DTYPE;
	return hy_ir_type_is_static(type) ? HY_REASON_NONE : HY_REASON_SHAPE;
}

/* The types that the node's rule gives contradict nothing that the graph declares. */
static hy_reason rule_reason(const hy_ir_graph *graph, const hy_ir_node *node, hy_error *error)
{
	hy_reason reason = HY_REASON_NONE;
	hy_ir_tensor *inputs = calloc(node->input_count + 1, sizeof(*inputs));
	hy_ir_type *types = calloc(node->output_count + 1, sizeof(*types));
	if (inputs == NULL || types == NULL) {
		reason = HY_REASON_MEMORY;
		goto done;
	}
	for (uint32_t i = 0; i < node->input_count; i++) {
		if (node->inputs[i] == HY_IR_NONE) continue;
		const hy_ir_value *value = hy_ir_graph_value(graph, node->inputs[i]);
		inputs[i] = (hy_ir_tensor){value->type, (void *)(uintptr_t)value->data};
	}
	if (hy_ir_infer_node(node, inputs, types, error) != HY_OK) {
		reason = HY_REASON_ATTRIBUTE;
		goto done;
	}
	for (uint32_t i = 0; i < node->output_count && reason == HY_REASON_NONE; i++) {
		if (node->outputs[i] == HY_IR_NONE) continue;
		const hy_ir_type *declared = &hy_ir_graph_value(graph, node->outputs[i])->type;
		if (types[i].dtype != HY_DTYPE_NONE && types[i].dtype != declared->dtype) reason = HY_REASON_DTYPE;
		if (types[i].rank == HY_IR_RANK_UNKNOWN) continue;
		if (types[i].rank != declared->rank) reason = HY_REASON_SHAPE;
		for (uint32_t d = 0; d < declared->rank && reason == HY_REASON_NONE; d++) {
			if (types[i].dim[d] != HY_IR_DIM_UNKNOWN && types[i].dim[d] != declared->dim[d])
				reason = HY_REASON_SHAPE;
		}
	}
done:
	free(inputs);
	free(types);
	return reason;
}

hy_reason hy_cpu_node_reason(const hy_ir_graph *graph, const hy_ir_node *node, hy_error *error)
{
	hy_reason reason = HY_REASON_NONE;
	if (node->op == NULL) return HY_REASON_OP;
	if (node->version != HY_IR_OPSET) return HY_REASON_VERSION;
	for (uint32_t i = 0; i < node->input_count && reason == HY_REASON_NONE; i++) {
		if (node->inputs[i] != HY_IR_NONE)
			reason = type_reason(&hy_ir_graph_value(graph, node->inputs[i])->type);
	}
	for (uint32_t i = 0; i < node->output_count && reason == HY_REASON_NONE; i++) {
		if (node->outputs[i] != HY_IR_NONE)
			reason = type_reason(&hy_ir_graph_value(graph, node->outputs[i])->type);
	}
	return reason == HY_REASON_NONE ? rule_reason(graph, node, error) : reason;
}

static hy_reason region_reason(const hy_ir_graph *body)
{
	for (uint32_t i = 0; i < hy_ir_graph_node_count(body); i++) {
		const hy_ir_node *node = hy_ir_graph_node(body, i);
		if (node->body != NULL || hy_cpu_node_reason(body, node, NULL) != HY_REASON_NONE)
			return HY_REASON_REGION;
	}
	return HY_REASON_NONE;
}

hy_status hy_cpu_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	hy_error error = {0};
	hy_ir_graph *model = NULL;
	if (hy_ir_blob_read(graph, NULL, &model, &error) != HY_OK) return hy_cpu_fail(device->host, &error);
	const uint32_t count = hy_ir_graph_node_count(model);
	if (verdict_count != count) {
		(void)hy_error_set(&error, HY_INVALID, "cpu: %u verdicts asked, the graph has %u nodes", verdict_count,
		                   count);
		hy_ir_graph_destroy(model);
		return hy_cpu_fail(device->host, &error);
	}
	for (uint32_t i = 0; i < count; i++) {
		const hy_ir_node *node = hy_ir_graph_node(model, i);
		const hy_reason reason = node->body != NULL ? region_reason(node->body)
		                                            : hy_cpu_node_reason(model, node, NULL);
		out_verdicts[i] = (hy_verdict){.answer = reason == HY_REASON_NONE ? HY_YES : HY_NO,
		                               .reason = (uint16_t)reason};
	}
	hy_ir_graph_destroy(model);
	return HY_OK;
}
