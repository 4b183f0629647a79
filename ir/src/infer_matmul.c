/* Shapes of matrix products. */
#include "infer.h"

hy_status hy_ir__infer_gemm(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *a = &call->in[0].type, *b = &call->in[1].type;
	hy_status status = hy_ir__call_same_dtype(call, 0, 1);
	if (status == HY_OK && hy_ir__call_has(call, 2)) status = hy_ir__call_same_dtype(call, 0, 2);
	if (status != HY_OK) return status;
	const bool turn_a = hy_ir__call_int(call, "transA", 0) != 0, turn_b = hy_ir__call_int(call, "transB", 0) != 0;
	for (uint32_t i = 0; i < 2; i++)
		if (hy_ir__ranked(&call->in[i].type) && call->in[i].type.rank != 2)
			return hy_ir__call_refuse(call, "input %u has rank %u, it must be a matrix", i,
			                          call->in[i].type.rank);
	const int64_t depth_a = hy_ir__ranked(a) ? a->dim[!turn_a] : HY_IR_DIM_UNKNOWN;
	const int64_t depth_b = hy_ir__ranked(b) ? b->dim[turn_b] : HY_IR_DIM_UNKNOWN;
	if (depth_a >= 0 && depth_b >= 0 && depth_a != depth_b)
		return hy_ir__call_refuse(call, "the matrices share a dimension that is %lld and %lld",
		                          (long long)depth_a, (long long)depth_b);
	out->dtype = a->dtype;
	out->rank = 2;
	out->dim[0] = hy_ir__ranked(a) ? a->dim[turn_a] : HY_IR_DIM_UNKNOWN;
	out->dim[1] = hy_ir__ranked(b) ? b->dim[!turn_b] : HY_IR_DIM_UNKNOWN;
	if (hy_ir__call_has(call, 2) && !hy_ir__shape_takes(out, &call->in[2].type))
		return hy_ir__call_refuse(call, "input 2 does not broadcast to the product");
	return HY_OK;
}

hy_status hy_ir__infer_matmul(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *a = &call->in[0].type, *b = &call->in[1].type;
	const hy_status status = hy_ir__call_same_dtype(call, 0, 1);
	if (status != HY_OK) return status;
	out->dtype = a->dtype;
	if (!hy_ir__ranked(a) || !hy_ir__ranked(b)) return HY_OK;
	if (a->rank == 0 || b->rank == 0) return hy_ir__call_refuse(call, "a scalar is no matrix");
	const int64_t depth_a = a->dim[a->rank - 1], depth_b = b->dim[b->rank > 1 ? b->rank - 2 : 0];
	if (depth_a >= 0 && depth_b >= 0 && depth_a != depth_b)
		return hy_ir__call_refuse(call, "the matrices share a dimension that is %lld and %lld",
		                          (long long)depth_a, (long long)depth_b);
	hy_ir_type batch = {.dtype = a->dtype, .rank = a->rank > 2 ? a->rank - 2 : 0};
	hy_ir_type other = {.dtype = a->dtype, .rank = b->rank > 2 ? b->rank - 2 : 0};
	for (uint32_t i = 0; i < batch.rank; i++)
		batch.dim[i] = a->dim[i];
	for (uint32_t i = 0; i < other.rank; i++)
		other.dim[i] = b->dim[i];
	if (!hy_ir__shape_broadcast(&batch, &other))
		return hy_ir__call_refuse(call, "the dimensions before the matrices do not broadcast");
	*out = batch;
	if (a->rank > 1) out->dim[out->rank++] = a->dim[a->rank - 2];
	if (b->rank > 1) out->dim[out->rank++] = b->dim[b->rank - 1];
	return HY_OK;
}
