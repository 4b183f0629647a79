/* Shape of Slice, and its bounds clamped per axis. */
#include "infer.h"

/* Clamps begin and end to the dim as numpy does and counts the steps between them. */
static void clamp(int64_t dim, int64_t begin, int64_t end, int64_t step, hy_ir__slice *out, uint32_t axis)
{
	const int64_t least = step < 0 ? -1 : 0, most = step < 0 ? dim - 1 : dim;
	if (begin < 0) begin += dim;
	if (end < 0) end += dim;
	begin = begin < 0 ? 0 : begin;
	begin = begin > most ? most : begin;
	end = end < least ? least : end;
	end = end > most ? most : end;
	out->begin[axis] = begin;
	out->step[axis] = step;
	/* The distance is at most dim, so the division can't overflow whatever the step. */
	const int64_t distance = step < 0 ? begin - end : end - begin;
	const int64_t stride = step < 0 ? -step : step;
	out->count[axis] = distance <= 0 ? 0 : (distance - 1) / stride + 1;
}

hy_status hy_ir__slice_of(const hy_ir__call *call, hy_ir__slice *out_slice)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__ints starts, ends, list, steps;
	uint32_t axes[HY_MAX_RANK];
	for (uint32_t i = 0; i < x->rank; i++) {
		out_slice->begin[i] = 0;
		out_slice->step[i] = 1;
		out_slice->count[i] = x->dim[i];
	}
	hy_status status = hy_ir__call_input_ints(call, 1, &starts);
	if (status == HY_OK) status = hy_ir__call_input_ints(call, 2, &ends);
	if (status == HY_OK) status = hy_ir__call_input_ints(call, 3, &list);
	if (status == HY_OK) status = hy_ir__call_input_ints(call, 4, &steps);
	if (status != HY_OK) return status;
	const uint32_t count = starts.count;
	if (count == HY_IR_NONE || (list.present && !list.known)) {
		for (uint32_t i = 0; i < x->rank; i++)
			out_slice->count[i] = HY_IR_DIM_UNKNOWN;
		return HY_OK;
	}
	if ((ends.known && ends.count != count) || (steps.known && steps.count != count))
		return hy_ir__call_refuse(call, "starts, ends and steps differ in length");
	status = hy_ir__call_axes(call, &list, count, x->rank, axes);
	for (uint32_t i = 0; status == HY_OK && i < count; i++) {
		const uint32_t axis = axes[i];
		int64_t step = steps.known ? steps.at[i] : 1;
		if (step == 0) return hy_ir__call_refuse(call, "the step of axis %u is 0", axis);
		if (step < -INT64_MAX) step = -INT64_MAX;
		if (x->dim[axis] < 0 || !starts.known || !ends.known || (steps.present && !steps.known))
			out_slice->count[axis] = HY_IR_DIM_UNKNOWN;
		else
			clamp(x->dim[axis], starts.at[i], ends.at[i], step, out_slice, axis);
	}
	return status;
}

hy_status hy_ir__infer_slice(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__slice slice;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	const hy_status status = hy_ir__slice_of(call, &slice);
	if (status != HY_OK) return status;
	out->rank = x->rank;
	for (uint32_t i = 0; i < x->rank; i++)
		out->dim[i] = slice.count[i];
	return HY_OK;
}
