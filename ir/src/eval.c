/* The evaluator: one node of canonical opset. */
#include "eval.h"

#include <stdlib.h>

static hy_ir__evaluator *const evaluators[HY_IR_OP_COUNT] = {
#define OP(id, fewest, most, most_outputs, elements, fusion, infer, eval) [HY_IR_OP_##id] = hy_ir__eval_##eval,
#include <halyard/ir/ops.def>
#undef OP
};

void *hy_ir__alloc(int64_t count, size_t size)
{
	if (count < 0 || (uint64_t)count > (SIZE_MAX / 2) / size) return NULL;
	return malloc(count > 0 ? (size_t)count * size : size);
}

double *hy_ir__alloc_reals(const hy_ir_tensor *tensor)
{
	const int64_t count = hy_ir_type_elements(&tensor->type);
	double *reals = hy_ir__alloc(count, sizeof(double));
	if (reals != NULL) hy_ir__read_reals(tensor->type.dtype, tensor->data, 0, 1, count, reals);
	return reals;
}

hy_ir__cut hy_ir__cut_at(const hy_ir_type *type, uint32_t axis)
{
	hy_ir__cut cut = {1, 1, 1};
	for (uint32_t i = 0; i < type->rank; i++) {
		if (i < axis)
			cut.outer *= type->dim[i];
		else if (i == axis)
			cut.length = type->dim[i];
		else
			cut.inner *= type->dim[i];
	}
	return cut;
}

static hy_status check_data(const hy_ir__call *call)
{
	if (call->node->op != NULL && call->node->op->id == HY_IR_OP_Shape) return HY_OK;
	for (uint32_t i = 0; i < call->node->input_count; i++) {
		if (!hy_ir__call_has(call, i)) continue;
		if (!hy_ir_type_is_static(&call->in[i].type) || hy_dtype_bits(call->in[i].type.dtype) == 0)
			return hy_ir__call_refuse(call, "the type of input %u is not known", i);
		if (call->in[i].data == NULL && hy_ir_type_elements(&call->in[i].type) > 0)
			return hy_ir__call_refuse(call, "input %u has no data", i);
	}
	return HY_OK;
}

/* The tensors the caller gave must have the types that inference finds. */
static hy_status check_types(const hy_ir__call *call, const hy_ir_tensor *outputs)
{
	const uint32_t count = call->node->output_count;
	char given[256], found[256];
	hy_ir_type *types = hy_ir__alloc(count, sizeof(types[0]));
	if (types == NULL) return hy_ir__no_memory(call->error);
	hy_status status = hy_ir_infer_node(call->node, call->in, types, call->error);
	for (uint32_t i = 0; status == HY_OK && i < count; i++)
		if (outputs[i].data != NULL && !hy_ir_type_equal(&types[i], &outputs[i].type))
			status = hy_ir__call_refuse(call, "output %u is %s, the tensor for it %s", i,
			                            hy_ir_type_print(&types[i], found, sizeof(found)),
			                            hy_ir_type_print(&outputs[i].type, given, sizeof(given)));
	free(types);
	return status;
}

hy_status hy_ir_eval_node(const hy_ir_node *node, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                          hy_error *error)
{
	const hy_ir__call call = {.node = node, .in = inputs, .error = error};
	if (node->body == NULL && node->op == NULL)
		return hy_ir__call_unsupported(&call, "the IR does not know this operator");
	hy_status status = check_data(&call);
	if (status == HY_OK) status = check_types(&call, outputs);
	if (status != HY_OK) return status;
	bool wanted = false;
	for (uint32_t i = 0; i < node->output_count; i++)
		wanted = wanted || (outputs[i].data != NULL && hy_ir_type_elements(&outputs[i].type) > 0);
	if (!wanted) return HY_OK;
	return node->body != NULL ? hy_ir__eval_region(&call, outputs) : evaluators[node->op->id](&call, outputs);
}
