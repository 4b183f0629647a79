/* Types and shapes of every value: hy_ir_infer_graph as a pass.
 * needs: opset 18, order. breaks: nothing. keeps: everything but types. */
#include <halyard/ir/infer.h>
#include <halyard/ir/pass.h>

static uint64_t known_parts(const hy_ir_graph *graph)
{
	uint64_t count = 0;
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_type *type = &hy_ir_graph_value(graph, i)->type;
		count += type->dtype != HY_DTYPE_NONE;
		if (type->rank == HY_IR_RANK_UNKNOWN) continue;
		count++;
		for (uint32_t k = 0; k < type->rank; k++)
			count += type->dim[k] != HY_IR_DIM_UNKNOWN;
	}
	return count;
}

hy_status hy_ir_pass_infer(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	const uint64_t before = known_parts(graph);
	const hy_status status = hy_ir_infer_graph(graph, error);
	if (status == HY_OK && out_changed != NULL) *out_changed = known_parts(graph) != before;
	return status;
}
