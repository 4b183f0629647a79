/* Shapes of normalisations and softmax. */
#include "infer.h"

/* Inputs first..last-1 are lists with one number per channel (dim 1 of input 0). */
static hy_status check_channel_lists(const hy_ir__call *call, uint32_t first, uint32_t last)
{
	const hy_ir_type *x = &call->in[0].type;
	if (!hy_ir__ranked(x)) return HY_OK;
	/* Rank 1 has one channel. */
	const hy_ir_type list = {.rank = 1, .dim = {x->rank > 1 ? x->dim[1] : 1}};
	for (uint32_t i = first; i < last; i++) {
		hy_ir_type shape = call->in[i].type;
		shape.dtype = HY_DTYPE_NONE;
		if (!hy_ir__type_fits(&list, &shape))
			return hy_ir__call_refuse(call, "input %u must be a list of %lld numbers, one per channel", i,
			                          (long long)list.dim[0]);
		if (shape.rank == 1 && call->in[i].type.dtype != HY_DTYPE_NONE &&
		    !hy_dtype_is_float(call->in[i].type.dtype))
			return hy_ir__call_refuse(call, "input %u must hold floats", i);
	}
	return HY_OK;
}

hy_status hy_ir__infer_lrn(const hy_ir__call *call, hy_ir_type *out)
{
	*out = call->in[0].type;
	if (hy_ir__ranked(out) && out->rank < 2)
		return hy_ir__call_refuse(call, "input 0 has rank %u, it must have N and C", out->rank);
	const int64_t size = hy_ir__call_int(call, "size", 0);
	if (size < 1 || size > INT32_MAX) return hy_ir__call_refuse(call, "attribute size is %lld", (long long)size);
	return HY_OK;
}

hy_status hy_ir__infer_batch_norm(const hy_ir__call *call, hy_ir_type *out)
{
	const int64_t training = hy_ir__call_int(call, "training_mode", 0);
	const hy_status status = check_channel_lists(call, 1, 5);
	if (status != HY_OK) return status;
	if (training == 0 && call->node->output_count > 1)
		return hy_ir__call_refuse(call, "it has one output unless training_mode is 1");
	out[0] = call->in[0].type;
	for (uint32_t i = 1; i < call->node->output_count; i++) /* running mean and variance */
		out[i] = call->in[i + 2].type;
	return HY_OK;
}

hy_status hy_ir__infer_instance_norm(const hy_ir__call *call, hy_ir_type *out)
{
	*out = call->in[0].type;
	if (hy_ir__ranked(out) && out->rank < 3)
		return hy_ir__call_refuse(call, "input 0 has rank %u, it must have N, C and at least one more",
		                          out->rank);
	return check_channel_lists(call, 1, 3);
}

hy_status hy_ir__infer_layer_norm(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const int64_t stash = hy_ir__call_int(call, "stash_type", HY_DTYPE_F32);
	if (stash != HY_DTYPE_F32 && stash != HY_DTYPE_BF16)
		return hy_ir__call_refuse(call, "attribute stash_type is %lld", (long long)stash);
	out[0] = *x;
	for (uint32_t i = 1; i < call->node->output_count; i++)
		out[i].dtype = (hy_dtype)stash;
	if (!hy_ir__ranked(x)) return HY_OK;
	uint32_t axis;
	hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", -1), x->rank, &axis);
	for (uint32_t i = 1; status == HY_OK && i < call->node->input_count; i++) {
		hy_ir_type shape = {.rank = x->rank - axis};
		if (!hy_ir__call_has(call, i)) continue;
		for (uint32_t d = axis; d < x->rank; d++)
			shape.dim[d - axis] = x->dim[d];
		status = hy_ir__call_same_dtype(call, 0, i);
		if (status == HY_OK && !hy_ir__shape_takes(&shape, &call->in[i].type))
			status = hy_ir__call_refuse(call, "input %u does not fit the axes from %u on", i, axis);
	}
	if (status != HY_OK) return status;
	for (uint32_t i = 1; i < call->node->output_count; i++) {
		out[i].rank = x->rank;
		for (uint32_t d = 0; d < x->rank; d++)
			out[i].dim[d] = d < axis ? x->dim[d] : 1;
	}
	return HY_OK;
}

hy_status hy_ir__infer_softmax(const hy_ir__call *call, hy_ir_type *out)
{
	*out = call->in[0].type;
	uint32_t axis;
	/* A scalar counts as one element along axis 0. */
	const uint32_t rank = out->rank == 0 ? 1 : out->rank;
	return hy_ir__ranked(out) ? hy_ir__call_axis(call, hy_ir__call_int(call, "axis", -1), rank, &axis) : HY_OK;
}
