/* Shapes of what works element by element. */
#include "infer.h"

static hy_status broadcast_inputs(const hy_ir__call *call, uint32_t first, hy_ir_type *out)
{
	*out = call->in[first].type;
	for (uint32_t i = first + 1; i < call->node->input_count; i++) {
		char a[256], b[256];
		if (!hy_ir__call_has(call, i)) return hy_ir__call_refuse(call, "input %u is missing", i);
		if (hy_ir__shape_broadcast(out, &call->in[i].type)) continue;
		return hy_ir__call_refuse(call, "input %u, %s, does not broadcast with %s", i,
		                          hy_ir_type_print(&call->in[i].type, a, sizeof(a)),
		                          hy_ir_type_print(out, b, sizeof(b)));
	}
	return HY_OK;
}

static hy_status check_same_dtypes(const hy_ir__call *call, uint32_t first)
{
	for (uint32_t i = first + 1; i < call->node->input_count; i++) {
		const hy_status status = hy_ir__call_same_dtype(call, first, i);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

hy_status hy_ir__infer_broadcast(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_op_id op = call->node->op->id;
	const hy_status status = op == HY_IR_OP_Pow ? HY_OK : check_same_dtypes(call, 0);
	if (status != HY_OK) return status;
	if (op == HY_IR_OP_Mod && hy_dtype_is_float(call->in[0].type.dtype) && hy_ir__call_int(call, "fmod", 0) == 0)
		return hy_ir__call_refuse(call, "attribute fmod must be 1 for floats");
	if (op != HY_IR_OP_PRelu) return broadcast_inputs(call, 0, out);
	*out = call->in[0].type;
	if (hy_ir__shape_takes(out, &call->in[1].type)) return HY_OK;
	return hy_ir__call_refuse(call, "the slope does not broadcast to the input");
}

hy_status hy_ir__infer_compare(const hy_ir__call *call, hy_ir_type *out)
{
	hy_status status = check_same_dtypes(call, 0);
	if (status == HY_OK) status = broadcast_inputs(call, 0, out);
	out->dtype = HY_DTYPE_BOOL;
	return status;
}

hy_status hy_ir__infer_where(const hy_ir__call *call, hy_ir_type *out)
{
	hy_status status = check_same_dtypes(call, 1);
	if (status == HY_OK) status = broadcast_inputs(call, 0, out);
	out->dtype = call->in[1].type.dtype != HY_DTYPE_NONE ? call->in[1].type.dtype : call->in[2].type.dtype;
	return status;
}

hy_status hy_ir__infer_same(const hy_ir__call *call, hy_ir_type *out)
{
	*out = call->in[0].type;
	return HY_OK;
}

hy_status hy_ir__infer_test(const hy_ir__call *call, hy_ir_type *out)
{
	*out = call->in[0].type;
	out->dtype = HY_DTYPE_BOOL;
	return HY_OK;
}

hy_status hy_ir__infer_cast(const hy_ir__call *call, hy_ir_type *out)
{
	const int64_t to = hy_ir__call_int(call, "to", HY_DTYPE_NONE);
	if (to == HY_DTYPE_STRING) return hy_ir__call_unsupported(call, "strings have no evaluator");
	if (to <= 0 || to > UINT32_MAX || hy_dtype_bits((hy_dtype)to) == 0)
		return hy_ir__call_refuse(call, "attribute to is %lld, which is no element type", (long long)to);
	*out = call->in[0].type;
	out->dtype = (hy_dtype)to;
	return HY_OK;
}

hy_status hy_ir__infer_clip(const hy_ir__call *call, hy_ir_type *out)
{
	for (uint32_t i = 1; i < call->node->input_count; i++) {
		if (!hy_ir__call_has(call, i)) continue;
		const hy_status status = hy_ir__call_same_dtype(call, 0, i);
		if (status != HY_OK) return status;
		const hy_ir_type *bound = &call->in[i].type;
		if (hy_ir_type_is_static(bound) && hy_ir_type_elements(bound) != 1)
			return hy_ir__call_refuse(call, "input %u must be one number", i);
	}
	*out = call->in[0].type;
	return HY_OK;
}
