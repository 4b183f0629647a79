/* Shape and type inference of one node: what is checked for every operator, then the operator's rule. */
#include "infer.h"

static hy_ir__rule *const rules[HY_IR_OP_COUNT] = {
#define OP(id, fewest, most, most_outputs, elements, fusion, infer, eval) [HY_IR_OP_##id] = hy_ir__infer_##infer,
#include <halyard/ir/ops.def>
#undef OP
};

static hy_status check_signature(const hy_ir__call *call)
{
	const hy_ir_node *node = call->node;
	const hy_ir_op *op = node->op;
	if (node->input_count < op->min_inputs || node->input_count > op->max_inputs)
		return hy_ir__call_refuse(call, "%u inputs, it takes %u to %u", node->input_count, op->min_inputs,
		                          op->max_inputs);
	if (node->output_count < 1 || node->output_count > op->max_outputs)
		return hy_ir__call_refuse(call, "%u outputs, it has 1 to %u", node->output_count, op->max_outputs);
	for (uint32_t i = 0; i < node->input_count; i++) {
		if (!hy_ir__call_has(call, i)) {
			if (i < op->min_inputs) return hy_ir__call_refuse(call, "input %u is missing", i);
			continue;
		}
		const char *fault = hy_ir__type_fault(&call->in[i].type);
		if (fault != NULL) return hy_ir__call_refuse(call, "input %u %s", i, fault);
		if (call->in[i].type.dtype == HY_DTYPE_STRING)
			return hy_ir__call_unsupported(call, "input %u holds strings, which have no evaluator", i);
	}
	if (node->input_count == 0) return HY_OK;
	const hy_dtype dtype = call->in[0].type.dtype;
	if (dtype != HY_DTYPE_NONE && (dtype > 31 || (op->elements >> dtype & 1) == 0))
		return hy_ir__call_refuse(call, "it does not take %s", hy_dtype_name(dtype));
	return HY_OK;
}

hy_status hy_ir_infer_node(const hy_ir_node *node, const hy_ir_tensor *inputs, hy_ir_type *out_types, hy_error *error)
{
	const hy_ir__call call = {.node = node, .in = inputs, .error = error};
	for (uint32_t i = 0; i < node->output_count; i++)
		out_types[i] = (hy_ir_type){.rank = HY_IR_RANK_UNKNOWN};
	if (node->body != NULL) return hy_ir__infer_region(&call, out_types);
	if (node->op == NULL)
		return hy_ir__call_unsupported(&call, "the IR does not know %s%s%s", node->domain,
		                               node->domain[0] != '\0' ? "." : "", node->type);
	hy_status status = check_signature(&call);
	if (status != HY_OK) return status;
	status = rules[node->op->id](&call, out_types);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < node->output_count; i++) {
		const char *fault = hy_ir__type_fault(&out_types[i]);
		if (fault != NULL) return hy_ir__call_refuse(&call, "output %u %s", i, fault);
	}
	return HY_OK;
}
