/* Takes global pools apart: along every other axis first, which is local, then along the rows, of which little is left.
 * needs: types, order. breaks: node numbers. keeps: value numbers. */
#include "pass_rewrite.h"

#include <halyard/ir/strip.h>

static const char *reduction_of(const hy_ir_node *node)
{
	if (node->op == NULL) return NULL;
	if (node->op->id == HY_IR_OP_GlobalAveragePool) return "ReduceMean";
	if (node->op->id == HY_IR_OP_GlobalMaxPool) return "ReduceMax";
	return NULL;
}

static bool has_much(const hy_ir_type *type, uint32_t axis)
{
	if (!hy_ir_type_is_static(type) || type->rank <= axis || axis < 2) return false;
	int64_t others = 1;
	for (uint32_t d = 2; d < type->rank; d++)
		if (d != axis) others *= type->dim[d];
	return others > 1;
}

static void take_apart(hy_ir__rewrite *rewrite, uint32_t number, uint32_t axis)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const uint32_t rank = hy_ir_graph_value(rewrite->graph, node.inputs[0])->type.rank;
	int64_t others[HY_MAX_RANK];
	uint32_t count = 0;
	for (uint32_t d = 2; d < rank; d++)
		if (d != axis) others[count++] = d;
	hy_ir__graph_kill(rewrite->graph, number);
	const uint32_t axes = hy_ir__rewrite_ints(rewrite, "axes", count, others);
	const uint32_t rows = hy_ir__rewrite_op(rewrite, &(hy_ir__op){.type = reduction_of(&node),
	                                                              .name = node.name,
	                                                              .input_count = 2,
	                                                              .inputs = {node.inputs[0], axes}});
	hy_ir__rewrite_op_into(rewrite,
	                       &(hy_ir__op){.type = node.type, .name = node.name, .input_count = 1, .inputs = {rows}},
	                       node.outputs[0]);
	rewrite->changed = true;
}

hy_status hy_ir_strip_loosen(hy_ir_graph *graph, uint32_t axis, uint32_t *out_origins, bool *out_changed,
                             hy_error *error)
{
	hy_ir__rewrite rewrite;
	hy_ir__rewrite_init(&rewrite, graph, error);
	const uint32_t count = hy_ir_graph_node_count(graph);
	uint32_t made = 0;
	for (uint32_t n = 0; n < count && rewrite.status == HY_OK; n++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, n);
		const bool apart = reduction_of(node) != NULL &&
		                   has_much(&hy_ir_graph_value(graph, node->inputs[0])->type, axis);
		out_origins[made++] = n;
		if (apart) {
			out_origins[made++] = n;
			take_apart(&rewrite, n, axis);
		} else {
			hy_ir__rewrite_keep(&rewrite, n);
		}
	}
	return hy_ir__rewrite_finish(&rewrite, out_changed);
}
