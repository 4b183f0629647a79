/* Values made from attributes, shapes and small integers. */
#include "eval.h"

#include <string.h>

hy_status hy_ir__eval_shape(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const int64_t rank = x->rank;
	int64_t start = hy_ir__call_int(call, "start", 0);
	start = start < -rank ? 0 : start < 0 ? start + rank : start;
	memcpy(out->data, x->dim + start, hy_ir_type_bytes(&out->type));
	return HY_OK;
}

hy_status hy_ir__eval_constant(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_attr *attr = hy_ir__constant_attr(call);
	const void *data = attr->tensor.data;
	if (attr->kind == HY_ATTR_FLOAT) data = &attr->f;
	if (attr->kind == HY_ATTR_INT) data = &attr->i;
	if (attr->kind == HY_ATTR_FLOATS) data = attr->floats;
	if (attr->kind == HY_ATTR_INTS) data = attr->ints;
	if (data == NULL) return hy_ir__call_refuse(call, "the numbers of attribute %s are not here", attr->name);
	memcpy(out->data, data, hy_ir_type_bytes(&out->type));
	return HY_OK;
}

hy_status hy_ir__eval_constant_of_shape(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_attr *value = hy_ir_node_attr(call->node, "value");
	if (value != NULL && value->tensor.data == NULL)
		return hy_ir__call_refuse(call, "the number of attribute value is not here");
	if (value == NULL)
		memset(out->data, 0, hy_ir_type_bytes(&out->type));
	else
		hy_ir__fill(out, value->tensor.data);
	return HY_OK;
}

hy_status hy_ir__eval_range(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_dtype dtype = out->type.dtype;
	const void *start = call->in[0].data, *delta = call->in[2].data;
	for (int64_t i = 0; i < out->type.dim[0]; i++) {
		if (hy_dtype_is_float(dtype)) {
			const double value = hy_ir__read_real(dtype, start, 0) +
			                     (double)i * hy_ir__read_real(dtype, delta, 0);
			hy_ir__write_reals(dtype, out->data, i, 1, &value);
			continue;
		}
		const uint64_t value = (uint64_t)hy_ir__read_whole(dtype, start, 0) +
		                       (uint64_t)i * (uint64_t)hy_ir__read_whole(dtype, delta, 0);
		hy_ir__write_wholes(dtype, out->data, i, 1, (const int64_t *)&value);
	}
	return HY_OK;
}
