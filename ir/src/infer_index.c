/* Shapes of what is picked by index tensors. */
#include "infer.h"

static hy_status check_indices(const hy_ir__call *call)
{
	const hy_dtype dtype = call->in[1].type.dtype;
	if (dtype == HY_DTYPE_NONE || dtype == HY_DTYPE_I32 || dtype == HY_DTYPE_I64) return HY_OK;
	return hy_ir__call_refuse(call, "the indices are %s, they must be i64 or i32", hy_dtype_name(dtype));
}

hy_status hy_ir__infer_gather(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type, *indices = &call->in[1].type;
	uint32_t axis;
	hy_status status = check_indices(call);
	if (status != HY_OK) return status;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->rank, &axis);
	if (status != HY_OK || !hy_ir__ranked(indices)) return status;
	if (x->rank - 1 + indices->rank > HY_MAX_RANK)
		return hy_ir__call_refuse(call, "the output has rank %u, at most %u is possible",
		                          x->rank - 1 + indices->rank, HY_MAX_RANK);
	out->rank = 0;
	for (uint32_t i = 0; i < axis; i++)
		out->dim[out->rank++] = x->dim[i];
	for (uint32_t i = 0; i < indices->rank; i++)
		out->dim[out->rank++] = indices->dim[i];
	for (uint32_t i = axis + 1; i < x->rank; i++)
		out->dim[out->rank++] = x->dim[i];
	return HY_OK;
}

hy_status hy_ir__infer_gather_elements(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type, *indices = &call->in[1].type;
	uint32_t axis;
	hy_status status = check_indices(call);
	if (status != HY_OK) return status;
	*out = *indices;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->rank, &axis);
	if (status != HY_OK || !hy_ir__ranked(indices)) return status;
	if (indices->rank != x->rank)
		return hy_ir__call_refuse(call, "the indices have rank %u, the data has %u", indices->rank, x->rank);
	for (uint32_t i = 0; i < x->rank; i++)
		if (i != axis && x->dim[i] >= 0 && indices->dim[i] > x->dim[i])
			return hy_ir__call_refuse(call, "the indices are longer than the data in dimension %u", i);
	return HY_OK;
}

hy_status hy_ir__infer_gather_nd(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type, *indices = &call->in[1].type;
	const int64_t batch = hy_ir__call_int(call, "batch_dims", 0);
	hy_status status = check_indices(call);
	if (status != HY_OK) return status;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x) || !hy_ir__ranked(indices)) return HY_OK;
	if (x->rank == 0 || indices->rank == 0)
		return hy_ir__call_refuse(call, "data and indices must have dimensions");
	if (batch < 0 || batch >= (int64_t)x->rank || batch >= (int64_t)indices->rank)
		return hy_ir__call_refuse(call, "attribute batch_dims is %lld", (long long)batch);
	for (uint32_t i = 0; i < batch; i++)
		if (x->dim[i] >= 0 && indices->dim[i] >= 0 && x->dim[i] != indices->dim[i])
			return hy_ir__call_refuse(call, "data and indices differ in batch dimension %u", i);
	const int64_t depth = indices->dim[indices->rank - 1];
	if (depth < 0) return HY_OK;
	if (depth < 1 || depth > (int64_t)x->rank - batch)
		return hy_ir__call_refuse(call, "index tuples have %lld numbers, the data has %lld axes for them",
		                          (long long)depth, (long long)x->rank - batch);
	const uint32_t rank = indices->rank - 1 + x->rank - (uint32_t)(batch + depth);
	if (rank > HY_MAX_RANK)
		return hy_ir__call_refuse(call, "the output has rank %u, at most %u is possible", rank, HY_MAX_RANK);
	out->rank = 0;
	for (uint32_t i = 0; i + 1 < indices->rank; i++)
		out->dim[out->rank++] = indices->dim[i];
	for (uint32_t i = (uint32_t)(batch + depth); i < x->rank; i++)
		out->dim[out->rank++] = x->dim[i];
	return HY_OK;
}
