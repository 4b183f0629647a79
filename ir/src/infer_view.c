/* Shapes of what keeps the bytes and changes the shape. */
#include "infer.h"

hy_status hy_ir__infer_dropout(const hy_ir__call *call, hy_ir_type *out)
{
	for (uint32_t i = 1; i < call->node->input_count; i++)
		if (hy_ir__call_has(call, i) && hy_ir_type_is_static(&call->in[i].type) &&
		    hy_ir_type_elements(&call->in[i].type) != 1)
			return hy_ir__call_refuse(call, "input %u must be one number", i);
	if (hy_ir__call_has(call, 2) && call->in[2].type.dtype != HY_DTYPE_NONE &&
	    call->in[2].type.dtype != HY_DTYPE_BOOL)
		return hy_ir__call_refuse(call, "input 2, training_mode, must be bool");
	out[0] = call->in[0].type;
	if (call->node->output_count > 1) {
		out[1] = call->in[0].type;
		out[1].dtype = HY_DTYPE_BOOL;
	}
	return HY_OK;
}

/* The product of dims first..last-1, or unknown. The dims are those of a type without fault: it can't overflow. */
static int64_t product_of(const hy_ir_type *type, uint32_t first, uint32_t last)
{
	int64_t product = 1;
	bool known = true;
	for (uint32_t i = first; i < last; i++) {
		if (type->dim[i] == 0) return 0;
		if (type->dim[i] < 0)
			known = false;
		else
			product *= type->dim[i];
	}
	return known ? product : HY_IR_DIM_UNKNOWN;
}

hy_status hy_ir__infer_flatten(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const int64_t given = hy_ir__call_int(call, "axis", 1);
	out->dtype = x->dtype;
	out->rank = 2;
	out->dim[0] = out->dim[1] = HY_IR_DIM_UNKNOWN;
	if (!hy_ir__ranked(x)) return HY_OK;
	if (given < -(int64_t)x->rank || given > (int64_t)x->rank)
		return hy_ir__call_refuse(call, "axis %lld is not within rank %u", (long long)given, x->rank);
	const uint32_t axis = (uint32_t)(given < 0 ? given + (int64_t)x->rank : given);
	out->dim[0] = product_of(x, 0, axis);
	out->dim[1] = product_of(x, axis, x->rank);
	return HY_OK;
}

/* Dims of the shape input: -1 (at most one) is returned in *out_open, 0 copies unless allowzero. */
static hy_status read_shape(const hy_ir__call *call, const hy_ir__ints *shape, hy_ir_type *out, uint32_t *out_open)
{
	const hy_ir_type *x = &call->in[0].type;
	const bool zero_is_zero = hy_ir__call_int(call, "allowzero", 0) != 0;
	*out_open = HY_IR_NONE;
	for (uint32_t i = 0; i < shape->count; i++) {
		const int64_t dim = shape->at[i];
		if (dim < -1) return hy_ir__call_refuse(call, "the shape has the dimension %lld", (long long)dim);
		if (dim == -1 && *out_open != HY_IR_NONE) return hy_ir__call_refuse(call, "the shape has two -1");
		if (dim == -1) *out_open = i;
		out->dim[i] = dim;
		if (dim != 0 || zero_is_zero) continue;
		out->dim[i] = HY_IR_DIM_UNKNOWN;
		if (!hy_ir__ranked(x)) continue;
		if (i >= x->rank)
			return hy_ir__call_refuse(call, "the shape copies dimension %u of a tensor of rank %u", i,
			                          x->rank);
		out->dim[i] = x->dim[i];
	}
	return HY_OK;
}

hy_status hy_ir__infer_reshape(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__ints shape;
	uint32_t open;
	hy_status status = hy_ir__call_input_ints(call, 1, &shape);
	if (status != HY_OK) return status;
	out->dtype = x->dtype;
	if (shape.count == HY_IR_NONE) return HY_OK;
	if (shape.count > HY_MAX_RANK)
		return hy_ir__call_refuse(call, "the shape has %u dimensions, at most %u are possible", shape.count,
		                          HY_MAX_RANK);
	out->rank = shape.count;
	for (uint32_t i = 0; i < out->rank; i++)
		out->dim[i] = HY_IR_DIM_UNKNOWN;
	if (!shape.known) return HY_OK;
	status = read_shape(call, &shape, out, &open);
	if (status != HY_OK) return status;
	const char *fault = hy_ir__type_fault(out);
	if (fault != NULL) return hy_ir__call_refuse(call, "the shape %s", fault);

	const int64_t elements = hy_ir__ranked(x) ? product_of(x, 0, x->rank) : HY_IR_DIM_UNKNOWN;
	hy_ir_type rest = *out; /* without the open dimension */
	if (open != HY_IR_NONE) rest.dim[open] = 1;
	const int64_t known = product_of(&rest, 0, rest.rank);
	if (elements < 0 || known < 0) return HY_OK;
	if (open != HY_IR_NONE && known > 0 && elements % known == 0) out->dim[open] = elements / known;
	if (open != HY_IR_NONE && known == 0 && elements == 0) out->dim[open] = 0;
	if (product_of(out, 0, out->rank) == elements) return HY_OK;
	char a[256], b[256];
	return hy_ir__call_refuse(call, "%s has not the elements of %s", hy_ir_type_print(x, a, sizeof(a)),
	                          hy_ir_type_print(out, b, sizeof(b)));
}

hy_status hy_ir__infer_squeeze(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__ints list;
	uint32_t axes[HY_MAX_RANK];
	bool gone[HY_MAX_RANK] = {false};
	hy_status status = hy_ir__call_input_ints(call, 1, &list);
	if (status != HY_OK) return status;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x) || (list.present && !list.known)) return HY_OK;
	if (!list.present && !hy_ir_type_is_static(x)) return HY_OK;
	if (list.present) status = hy_ir__call_axes(call, &list, list.count, x->rank, axes);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < x->rank && !list.present; i++)
		gone[i] = x->dim[i] == 1;
	for (uint32_t i = 0; i < list.count; i++) {
		if (x->dim[axes[i]] >= 0 && x->dim[axes[i]] != 1)
			return hy_ir__call_refuse(call, "axis %u has %lld elements, not 1", axes[i],
			                          (long long)x->dim[axes[i]]);
		gone[axes[i]] = true;
	}
	out->rank = 0;
	for (uint32_t i = 0; i < x->rank; i++)
		if (!gone[i]) out->dim[out->rank++] = x->dim[i];
	return HY_OK;
}

hy_status hy_ir__infer_unsqueeze(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__ints list;
	uint32_t axes[HY_MAX_RANK];
	bool added[HY_MAX_RANK] = {false};
	hy_status status = hy_ir__call_input_ints(call, 1, &list);
	if (status != HY_OK) return status;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x) || list.count == HY_IR_NONE) return HY_OK;
	const uint32_t rank = x->rank + list.count;
	if (rank > HY_MAX_RANK)
		return hy_ir__call_refuse(call, "the output has rank %u, at most %u is possible", rank, HY_MAX_RANK);
	out->rank = rank;
	for (uint32_t i = 0; i < rank; i++)
		out->dim[i] = HY_IR_DIM_UNKNOWN;
	if (!list.known) return HY_OK;
	status = hy_ir__call_axes(call, &list, list.count, rank, axes);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < list.count; i++)
		added[axes[i]] = true;
	for (uint32_t i = 0, from = 0; i < rank; i++)
		out->dim[i] = added[i] ? 1 : x->dim[from++];
	return HY_OK;
}
