/* Shapes of reductions along axes, and of what sorts or sums along one axis. */
#include "infer.h"

hy_status hy_ir__reduction_of(const hy_ir__call *call, hy_ir__reduction *out_reduction)
{
	const uint32_t rank = call->in[0].type.rank;
	const bool none_is_all = hy_ir__call_int(call, "noop_with_empty_axes", 0) == 0;
	hy_ir__ints list;
	uint32_t axes[HY_MAX_RANK];
	hy_status status = hy_ir__call_input_ints(call, 1, &list);
	if (status != HY_OK) return status;
	*out_reduction = (hy_ir__reduction){.known = !list.present || list.known};
	if (!out_reduction->known) return HY_OK;
	if (list.count > 0) status = hy_ir__call_axes(call, &list, list.count, rank, axes);
	for (uint32_t i = 0; status == HY_OK && i < list.count; i++)
		out_reduction->reduced[axes[i]] = true;
	for (uint32_t i = 0; list.count == 0 && i < rank; i++)
		out_reduction->reduced[i] = none_is_all;
	return status;
}

hy_status hy_ir__infer_reduce(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const bool keep = hy_ir__call_int(call, "keepdims", 1) != 0;
	hy_ir__reduction reduction;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	const hy_status status = hy_ir__reduction_of(call, &reduction);
	if (status != HY_OK) return status;
	if (!reduction.known && !keep) return HY_OK;
	out->rank = 0;
	for (uint32_t i = 0; i < x->rank; i++) {
		if (!reduction.known)
			out->dim[out->rank++] = x->dim[i] == 1 ? 1 : HY_IR_DIM_UNKNOWN;
		else if (!reduction.reduced[i])
			out->dim[out->rank++] = x->dim[i];
		else if (keep)
			out->dim[out->rank++] = 1;
	}
	return HY_OK;
}

hy_status hy_ir__infer_arg(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const bool keep = hy_ir__call_int(call, "keepdims", 1) != 0;
	uint32_t axis;
	out->dtype = HY_DTYPE_I64;
	if (!hy_ir__ranked(x)) return HY_OK;
	const hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->rank, &axis);
	if (status != HY_OK) return status;
	if (x->dim[axis] == 0) return hy_ir__call_refuse(call, "axis %u is empty", axis);
	out->rank = 0;
	for (uint32_t i = 0; i < x->rank; i++)
		if (i != axis || keep) out->dim[out->rank++] = i == axis ? 1 : x->dim[i];
	return HY_OK;
}

hy_status hy_ir__infer_cumsum(const hy_ir__call *call, hy_ir_type *out)
{
	hy_ir__ints axis;
	uint32_t number;
	*out = call->in[0].type;
	const hy_status status = hy_ir__call_input_ints(call, 1, &axis);
	if (status != HY_OK || !hy_ir__ranked(out) || !axis.known) return status;
	if (axis.count != 1) return hy_ir__call_refuse(call, "input 1 must be one axis");
	return hy_ir__call_axis(call, axis.at[0], out->rank, &number);
}

hy_status hy_ir__infer_topk(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const uint32_t count = call->node->output_count;
	hy_ir__ints k;
	uint32_t axis;
	hy_status status = hy_ir__call_input_ints(call, 1, &k);
	if (status != HY_OK) return status;
	if (k.count != HY_IR_NONE && k.count != 1) return hy_ir__call_refuse(call, "input 1 must be one number");
	out[0] = *x;
	if (hy_ir__ranked(x)) {
		status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", -1), x->rank, &axis);
		if (status != HY_OK) return status;
		if (k.known && (k.at[0] < 0 || (x->dim[axis] >= 0 && k.at[0] > x->dim[axis])))
			return hy_ir__call_refuse(call, "k is %lld, axis %u has %lld elements", (long long)k.at[0],
			                          axis, (long long)x->dim[axis]);
		out[0].dim[axis] = k.known ? k.at[0] : HY_IR_DIM_UNKNOWN;
	}
	if (count > 1) out[1] = out[0];
	if (count > 1) out[1].dtype = HY_DTYPE_I64;
	return HY_OK;
}
