/* Picking by index tensors. Every index is checked before it is used. */
#include "eval.h"

/* The index at `element` of the index tensor, negative ones counted from the end. */
static hy_status read_index(const hy_ir__call *call, int64_t element, int64_t dim, int64_t *out_index)
{
	const int64_t index = hy_ir__tensor_int(&call->in[1], element);
	if (index < -dim || index >= dim)
		return hy_ir__call_refuse(call, "index %lld at element %lld is not within %lld", (long long)index,
		                          (long long)element, (long long)dim);
	*out_index = index < 0 ? index + dim : index;
	return HY_OK;
}

hy_status hy_ir__eval_gather(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const int64_t count = hy_ir_type_elements(&call->in[1].type);
	uint32_t axis;
	hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, axis);
	for (int64_t i = 0; i < count; i++) {
		int64_t index = 0;
		status = read_index(call, i, cut.length, &index);
		if (status != HY_OK) return status;
		for (int64_t outer = 0; outer < cut.outer; outer++)
			hy_ir__copy_row(hy_ir__width(&x->type), out->data, (outer * count + i) * cut.inner, 1, x->data,
			                (outer * cut.length + index) * cut.inner, 1, cut.inner);
	}
	return HY_OK;
}

hy_status hy_ir__eval_gather_elements(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const int64_t count = hy_ir_type_elements(&out->type);
	int64_t stride[HY_MAX_RANK];
	uint32_t axis;
	hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->type.rank, &axis);
	if (status != HY_OK) return status;
	hy_ir__strides(x->type.rank, x->type.dim, stride);
	for (int64_t i = 0; i < count; i++) {
		int64_t index = 0, rest = i, at = 0;
		status = read_index(call, i, x->type.dim[axis], &index);
		if (status != HY_OK) return status;
		for (uint32_t d = x->type.rank; d-- > 0; rest /= out->type.dim[d])
			at += stride[d] * (d == axis ? index : rest % out->type.dim[d]);
		hy_ir__copy_row(hy_ir__width(&x->type), out->data, i, 1, x->data, at, 1, 1);
	}
	return HY_OK;
}

hy_status hy_ir__eval_gather_nd(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const hy_ir_type *indices = &call->in[1].type;
	const uint32_t batch = (uint32_t)hy_ir__call_int(call, "batch_dims", 0);
	const int64_t depth = indices->dim[indices->rank - 1];
	const int64_t tuples = hy_ir_type_elements(indices) / depth;
	int64_t stride[HY_MAX_RANK], batches = 1;
	hy_ir__strides(x->type.rank, x->type.dim, stride);
	for (uint32_t i = 0; i < batch; i++)
		batches *= x->type.dim[i];
	const int64_t length = stride[batch + (uint32_t)depth - 1]; /* elements of a slice */
	const int64_t sample = batch > 0 ? stride[batch - 1] : 0;
	for (int64_t i = 0; i < tuples; i++) {
		int64_t at = i / (tuples / batches) * sample;
		for (uint32_t d = 0; d < depth; d++) {
			int64_t index = 0;
			const hy_status status = read_index(call, i * depth + d, x->type.dim[batch + d], &index);
			if (status != HY_OK) return status;
			at += index * stride[batch + d];
		}
		hy_ir__copy_row(hy_ir__width(&x->type), out->data, i * length, 1, x->data, at, 1, length);
	}
	return HY_OK;
}
