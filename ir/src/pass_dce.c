/* Removes what no graph output needs: nodes, outputs that nobody reads, and then their constants.
 * One walk from the back is enough because nodes stand in order: every reader was seen before its producer.
 * needs: order. breaks: node numbers, value numbers. keeps: order, names, types. */
#include "graph.h"

#include <halyard/ir/pass.h>

#include <stdlib.h>

/* Outputs nobody wants become HY_IR_NONE. */
static hy_status drop_unwanted_outputs(hy_ir_graph *graph, uint32_t number, const bool *wanted, bool *out_changed,
                                       hy_error *error)
{
	const hy_ir_node *node = hy_ir_graph_node(graph, number);
	bool all = true;
	for (uint32_t i = 0; i < node->output_count; i++)
		if (node->outputs[i] != HY_IR_NONE && !wanted[node->outputs[i]]) all = false;
	if (all || node->body != NULL) return HY_OK;
	uint32_t *outputs = malloc(node->output_count * sizeof(outputs[0]));
	if (outputs == NULL) return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < node->output_count; i++)
		outputs[i] = node->outputs[i] != HY_IR_NONE && wanted[node->outputs[i]] ? node->outputs[i] : HY_IR_NONE;
	const hy_status status = hy_ir__graph_set_outputs(graph, number, node->output_count, outputs, error);
	free(outputs);
	*out_changed = true;
	return status;
}

static bool is_wanted(const hy_ir_node *node, const bool *wanted)
{
	for (uint32_t i = 0; i < node->output_count; i++)
		if (node->outputs[i] != HY_IR_NONE && wanted[node->outputs[i]]) return true;
	return false;
}

hy_status hy_ir_pass_dce(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	hy_status status = HY_OK;
	bool changed = false;
	const uint32_t value_count = hy_ir_graph_value_count(graph);
	bool *wanted = calloc(value_count + 1u, sizeof(wanted[0]));
	if (wanted == NULL) return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		wanted[hy_ir_graph_outputs(graph)[i]] = true;
	for (uint32_t i = hy_ir_graph_node_count(graph); i-- > 0 && status == HY_OK;) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		if (!is_wanted(node, wanted)) {
			hy_ir__graph_kill(graph, i);
			changed = true;
			continue;
		}
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] != HY_IR_NONE) wanted[node->inputs[k]] = true;
		status = drop_unwanted_outputs(graph, i, wanted, &changed, error);
	}
	free(wanted);
	if (status == HY_OK) status = hy_ir__graph_compact(graph, error);
	if (status != HY_OK) return status;
	if (hy_ir_graph_value_count(graph) != value_count) changed = true;
	if (out_changed != NULL) *out_changed = changed;
	return HY_OK;
}
