/* Takes global pools apart: a window over every other axis first, which is local, then the rows, of which
 * little is left.
 * needs: types, order. breaks: node numbers. keeps: value numbers. */
#include "pass_rewrite.h"

#include <halyard/ir/strip.h>

static const char *window_of(const hy_ir_node *node)
{
	if (node->op == NULL) return NULL;
	if (node->op->id == HY_IR_OP_GlobalAveragePool) return "AveragePool";
	if (node->op->id == HY_IR_OP_GlobalMaxPool) return "MaxPool";
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
	const hy_ir_type type = hy_ir_graph_value(rewrite->graph, node.inputs[0])->type;
	int64_t kernel[HY_MAX_RANK];
	for (uint32_t d = 2; d < type.rank; d++)
		kernel[d - 2] = d == axis ? 1 : type.dim[d];
	hy_ir__graph_kill(rewrite->graph, number);
	const uint32_t rows = hy_ir__rewrite_op(
		rewrite, &(hy_ir__op){.type = window_of(&node),
	                              .name = node.name,
	                              .input_count = 1,
	                              .inputs = {node.inputs[0]},
	                              .attr_count = 1,
	                              .attrs = {hy_ir_attr_ints("kernel_shape", type.rank - 2, kernel)}});
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
		const bool apart = window_of(node) != NULL &&
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
