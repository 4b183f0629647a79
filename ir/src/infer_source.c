/* Shapes of what makes values from attributes or small integers. */
#include "eval_number.h"
#include "infer.h"

#include <math.h>

hy_status hy_ir__infer_shape(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	out->dtype = HY_DTYPE_I64;
	out->rank = 1;
	out->dim[0] = HY_IR_DIM_UNKNOWN;
	if (!hy_ir__ranked(x)) return HY_OK;
	const int64_t rank = x->rank;
	int64_t start = hy_ir__call_int(call, "start", 0), end = hy_ir__call_int(call, "end", rank);
	start = start < -rank ? 0 : start < 0 ? start + rank : start > rank ? rank : start;
	end = end < -rank ? 0 : end < 0 ? end + rank : end > rank ? rank : end;
	out->dim[0] = end > start ? end - start : 0;
	return HY_OK;
}

const hy_ir_attr *hy_ir__constant_attr(const hy_ir__call *call)
{
	static const struct {
		const char *name;
		uint32_t kind;
	} forms[] = {
		{"value", HY_ATTR_TENSOR},        {"value_float", HY_ATTR_FLOAT}, {"value_int", HY_ATTR_INT},
		{"value_floats", HY_ATTR_FLOATS}, {"value_ints", HY_ATTR_INTS},
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const hy_ir_attr *attr = hy_ir_node_attr(call->node, forms[i].name);
		if (attr != NULL && attr->kind == forms[i].kind) return attr;
	}
	return NULL;
}

hy_status hy_ir__infer_constant(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_attr *attr = hy_ir__constant_attr(call);
	if (attr == NULL || (attr->kind == HY_ATTR_TENSOR && hy_dtype_bits(attr->tensor.type.dtype) == 0))
		return hy_ir__call_unsupported(call, "it has no value of numbers");
	if (attr->kind == HY_ATTR_TENSOR) {
		*out = attr->tensor.type;
		return HY_OK;
	}
	const bool whole = attr->kind == HY_ATTR_INT || attr->kind == HY_ATTR_INTS;
	const bool list = attr->kind == HY_ATTR_FLOATS || attr->kind == HY_ATTR_INTS;
	*out = (hy_ir_type){
		.dtype = whole ? HY_DTYPE_I64 : HY_DTYPE_F32, .rank = list, .dim = {list ? attr->count : 0}};
	return HY_OK;
}

hy_status hy_ir__infer_constant_of_shape(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_attr *value = hy_ir_node_attr(call->node, "value");
	hy_ir__ints shape;
	const hy_status status = hy_ir__call_input_ints(call, 0, &shape);
	if (status != HY_OK) return status;
	if (value != NULL && (value->kind != HY_ATTR_TENSOR || hy_dtype_bits(value->tensor.type.dtype) == 0 ||
	                      hy_ir_type_elements(&value->tensor.type) != 1))
		return hy_ir__call_refuse(call, "attribute value must be a tensor of one element");
	out->dtype = value != NULL ? value->tensor.type.dtype : HY_DTYPE_F32;
	if (shape.count == HY_IR_NONE) return HY_OK;
	if (shape.count > HY_MAX_RANK)
		return hy_ir__call_refuse(call, "the shape has %u dimensions, at most %u are possible", shape.count,
		                          HY_MAX_RANK);
	out->rank = shape.count;
	for (uint32_t i = 0; i < shape.count; i++) {
		out->dim[i] = shape.known ? shape.at[i] : HY_IR_DIM_UNKNOWN;
		if (out->dim[i] < 0 && shape.known)
			return hy_ir__call_refuse(call, "the shape has the dimension %lld", (long long)out->dim[i]);
	}
	return HY_OK;
}

/* ceil((limit - start) / delta), at least 0, of the three scalars; -1 when it is no number below 2^62. */
static int64_t real_range_length(const hy_ir_tensor *in)
{
	double n[3];
	for (uint32_t i = 0; i < 3; i++)
		n[i] = hy_ir__read_real(in[i].type.dtype, in[i].data, 0);
	const double length = ceil((n[1] - n[0]) / n[2]);
	if (!(length < 0x1p62)) return -1;
	return length > 0 ? (int64_t)length : 0;
}

static int64_t whole_range_length(const hy_ir_tensor *in)
{
	int64_t n[3];
	for (uint32_t i = 0; i < 3; i++)
		n[i] = hy_ir__read_whole(in[i].type.dtype, in[i].data, 0);
	/* Unsigned, so that the distance of any two numbers fits. */
	const uint64_t step = n[2] < 0 ? 0 - (uint64_t)n[2] : (uint64_t)n[2];
	if (step == 0) return -1;
	if (n[2] > 0 ? n[1] <= n[0] : n[1] >= n[0]) return 0;
	const uint64_t distance = n[2] > 0 ? (uint64_t)n[1] - (uint64_t)n[0] : (uint64_t)n[0] - (uint64_t)n[1];
	const uint64_t length = (distance - 1) / step + 1;
	return length < (uint64_t)1 << 62 ? (int64_t)length : -1;
}

hy_status hy_ir__infer_range(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_dtype dtype = call->in[0].type.dtype;
	bool known = dtype != HY_DTYPE_NONE;
	out->dtype = dtype;
	out->rank = 1;
	out->dim[0] = HY_IR_DIM_UNKNOWN;
	for (uint32_t i = 0; i < 3; i++) {
		const hy_status status = hy_ir__call_same_dtype(call, 0, i);
		if (status != HY_OK) return status;
		const hy_ir_tensor *tensor = &call->in[i];
		if (hy_ir_type_is_static(&tensor->type) && hy_ir_type_elements(&tensor->type) != 1)
			return hy_ir__call_refuse(call, "input %u must be one number", i);
		known = known && tensor->data != NULL && hy_ir_type_is_static(&tensor->type) &&
		        tensor->type.dtype == dtype;
	}
	if (!known) return HY_OK;
	out->dim[0] = hy_dtype_is_float(dtype) ? real_range_length(call->in) : whole_range_length(call->in);
	if (out->dim[0] < 0) return hy_ir__call_refuse(call, "start, limit and delta give no length");
	return HY_OK;
}
