/* What this device takes: everything the IR knows, with shapes known and no strings. */
#include "cpu.h"

#include <halyard/ir.h>

static hy_reason tensor_reason(const hy_graph *graph, uint32_t position)
{
	const uint32_t number = hy_graph_index_at(graph, position);
	if (number == HY_GRAPH_NONE) return HY_REASON_NONE;
	const hy_graph_tensor *tensor = hy_graph_tensor_at(graph, number);
	if (hy_dtype_bits(tensor->dtype) == 0) return HY_REASON_DTYPE;
	if (tensor->rank > HY_MAX_RANK) return HY_REASON_SHAPE;
	for (uint32_t i = 0; i < tensor->rank; i++) {
		if (tensor->dim[i] < 0) return HY_REASON_SHAPE;
	}
	return HY_REASON_NONE;
}

/* A node outside regions, or of a body. */
static hy_reason node_reason(const hy_graph *graph, const hy_graph_node *node)
{
	const char *domain = hy_graph_string(graph, node->domain);
	if (hy_ir_op_find(domain, hy_graph_string(graph, node->op)) == NULL) return HY_REASON_OP;
	if (node->version != HY_IR_OPSET) return HY_REASON_VERSION;
	hy_reason reason = HY_REASON_NONE;
	for (uint32_t i = 0; i < node->input_count && reason == HY_REASON_NONE; i++)
		reason = tensor_reason(graph, node->inputs + i);
	for (uint32_t i = 0; i < node->output_count && reason == HY_REASON_NONE; i++)
		reason = tensor_reason(graph, node->outputs + i);
	return reason;
}

static hy_reason region_reason(const hy_graph *graph, const hy_graph_node *region)
{
	const hy_graph_subgraph *body = hy_graph_subgraph_at(graph, region->body);
	for (uint32_t i = 0; i < body->node_count; i++) {
		const hy_graph_node *node = hy_graph_node_at(graph, body->first_node + i);
		if (node->body != HY_GRAPH_NONE || node_reason(graph, node) != HY_REASON_NONE) return HY_REASON_REGION;
	}
	return HY_REASON_NONE;
}

hy_status hy_cpu_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	if (verdict_count != model->node_count) {
		hy_error error = {0};
		(void)hy_error_set(&error, HY_INVALID, "cpu: %u verdicts asked, the graph has %u nodes", verdict_count,
		                   model->node_count);
		return hy_cpu_fail(device->host, &error);
	}
	for (uint32_t i = 0; i < model->node_count; i++) {
		const hy_graph_node *node = hy_graph_node_at(graph, model->first_node + i);
		const hy_reason reason = node->body != HY_GRAPH_NONE ? region_reason(graph, node)
		                                                     : node_reason(graph, node);
		out_verdicts[i] = (hy_verdict){.answer = reason == HY_REASON_NONE ? HY_YES : HY_NO,
		                               .reason = (uint16_t)reason};
	}
	return HY_OK;
}
