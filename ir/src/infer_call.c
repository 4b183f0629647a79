/* One node as a rule sees it: messages, attributes and small integers, and the arithmetic of types. */
#include "infer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

HY_PRINTF(3, 0)
static hy_status say(const hy_ir__call *call, hy_status status, const char *format, va_list args)
{
	char text[HY_ERROR_TEXT_BYTES];
	vsnprintf(text, sizeof(text), format, args);
	return hy_error_set(call->error, status, "%.*s '%.*s': %s", HY_IR__NAME_LIMIT, call->node->type,
	                    HY_IR__NAME_LIMIT, call->node->name, text);
}

hy_status hy_ir__call_refuse(const hy_ir__call *call, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const hy_status status = say(call, HY_INVALID, format, args);
	va_end(args);
	return status;
}

hy_status hy_ir__call_unsupported(const hy_ir__call *call, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const hy_status status = say(call, HY_UNSUPPORTED, format, args);
	va_end(args);
	return status;
}

bool hy_ir__call_has(const hy_ir__call *call, uint32_t input)
{
	return input < call->node->input_count && call->node->inputs[input] != HY_IR_NONE;
}

hy_status hy_ir__call_attr_ints(const hy_ir__call *call, const char *name, hy_ir__ints *out_ints)
{
	const hy_ir_attr *attr = hy_ir_node_attr(call->node, name);
	*out_ints = (hy_ir__ints){.present = attr != NULL};
	if (attr == NULL) return HY_OK;
	if (attr->kind != HY_ATTR_INTS) return hy_ir__call_refuse(call, "attribute %s is not a list of integers", name);
	if (attr->count > HY_IR__INTS)
		return hy_ir__call_refuse(call, "attribute %s has %u numbers, at most %u are possible", name,
		                          attr->count, HY_IR__INTS);
	out_ints->known = true;
	out_ints->count = attr->count;
	if (attr->count > 0) memcpy(out_ints->at, attr->ints, attr->count * sizeof(attr->ints[0]));
	return HY_OK;
}

int64_t hy_ir__tensor_int(const hy_ir_tensor *tensor, int64_t element)
{
	if (tensor->type.dtype == HY_DTYPE_I64) return ((const int64_t *)tensor->data)[element];
	return ((const int32_t *)tensor->data)[element];
}

hy_status hy_ir__call_input_ints(const hy_ir__call *call, uint32_t input, hy_ir__ints *out_ints)
{
	*out_ints = (hy_ir__ints){.present = hy_ir__call_has(call, input)};
	if (!out_ints->present) return HY_OK;
	const hy_ir_tensor *tensor = &call->in[input];
	const hy_dtype dtype = tensor->type.dtype;
	out_ints->count = HY_IR_NONE;
	if (dtype != HY_DTYPE_NONE && dtype != HY_DTYPE_I64 && dtype != HY_DTYPE_I32)
		return hy_ir__call_refuse(call, "input %u is %s, it must be i64", input, hy_dtype_name(dtype));
	if (!hy_ir__ranked(&tensor->type)) return HY_OK;
	if (tensor->type.rank > 1)
		return hy_ir__call_refuse(call, "input %u has rank %u, it must be a list", input, tensor->type.rank);
	const int64_t count = tensor->type.rank == 0 ? 1 : tensor->type.dim[0];
	if (count < 0) return HY_OK;
	if (count > HY_IR__INTS)
		return hy_ir__call_refuse(call, "input %u has %lld numbers, at most %u are possible", input,
		                          (long long)count, HY_IR__INTS);
	out_ints->count = (uint32_t)count;
	if (dtype == HY_DTYPE_NONE || (tensor->data == NULL && count > 0)) return HY_OK;
	out_ints->known = true;
	for (uint32_t i = 0; i < out_ints->count; i++)
		out_ints->at[i] = hy_ir__tensor_int(tensor, i);
	return HY_OK;
}

hy_status hy_ir__call_axis(const hy_ir__call *call, int64_t axis, uint32_t rank, uint32_t *out_axis)
{
	if (axis < -(int64_t)rank || axis >= (int64_t)rank)
		return hy_ir__call_refuse(call, "axis %lld is not an axis of rank %u", (long long)axis, rank);
	*out_axis = (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
	return HY_OK;
}

hy_status hy_ir__call_axes(const hy_ir__call *call, const hy_ir__ints *list, uint32_t count, uint32_t rank,
                           uint32_t *out_axes)
{
	if (list->known && list->count != count)
		return hy_ir__call_refuse(call, "%u axes where %u are needed", list->count, count);
	if (count > rank) return hy_ir__call_refuse(call, "%u axes for a tensor of rank %u", count, rank);
	bool taken[HY_MAX_RANK] = {false};
	for (uint32_t i = 0; i < count; i++) {
		out_axes[i] = i;
		if (!list->known) continue;
		const hy_status status = hy_ir__call_axis(call, list->at[i], rank, &out_axes[i]);
		if (status != HY_OK) return status;
		if (taken[out_axes[i]]) return hy_ir__call_refuse(call, "axis %u is named twice", out_axes[i]);
		taken[out_axes[i]] = true;
	}
	return HY_OK;
}

hy_status hy_ir__call_same_dtype(const hy_ir__call *call, uint32_t a, uint32_t b)
{
	const hy_dtype x = call->in[a].type.dtype, y = call->in[b].type.dtype;
	if (x == HY_DTYPE_NONE || y == HY_DTYPE_NONE || x == y) return HY_OK;
	return hy_ir__call_refuse(call, "input %u is %s and input %u is %s, they must be the same", a, hy_dtype_name(x),
	                          b, hy_dtype_name(y));
}

bool hy_ir__multiply(int64_t a, int64_t b, int64_t *out_product)
{
	if (b != 0 && a > INT64_MAX / b) return false;
	*out_product = a * b;
	return true;
}

bool hy_ir__type_merge(hy_ir_type *type, const hy_ir_type *other)
{
	if (!hy_ir__type_fits(type, other)) return false;
	if (type->dtype == HY_DTYPE_NONE) type->dtype = other->dtype;
	if (!hy_ir__ranked(other)) return true;
	if (!hy_ir__ranked(type)) {
		type->rank = other->rank;
		memcpy(type->dim, other->dim, sizeof(type->dim));
		return true;
	}
	for (uint32_t i = 0; i < type->rank; i++)
		if (type->dim[i] < 0) type->dim[i] = other->dim[i];
	return true;
}

bool hy_ir__shape_broadcast(hy_ir_type *shape, const hy_ir_type *other)
{
	if (!hy_ir__ranked(shape)) return true;
	if (!hy_ir__ranked(other)) {
		shape->rank = HY_IR_RANK_UNKNOWN;
		return true;
	}
	const uint32_t rank = shape->rank > other->rank ? shape->rank : other->rank;
	for (uint32_t i = 0; i < rank; i++) { /* from the last dimension on */
		const int64_t a = i < shape->rank ? shape->dim[shape->rank - 1 - i] : 1;
		const int64_t b = i < other->rank ? other->dim[other->rank - 1 - i] : 1;
		if (a >= 0 && b >= 0 && a != b && a != 1 && b != 1) return false;
	}
	hy_ir_type wide = {.dtype = shape->dtype, .rank = rank};
	for (uint32_t i = 0; i < rank; i++) {
		const int64_t a = i < shape->rank ? shape->dim[shape->rank - 1 - i] : 1;
		const int64_t b = i < other->rank ? other->dim[other->rank - 1 - i] : 1;
		int64_t *dim = &wide.dim[rank - 1 - i];
		if (a < 0 || b < 0) /* an unknown dim beside one above 1 can only be that one, or 1 */
			*dim = a > 1 ? a : b > 1 ? b : HY_IR_DIM_UNKNOWN;
		else
			*dim = a == 1 ? b : a;
	}
	*shape = wide;
	return true;
}

bool hy_ir__shape_takes(const hy_ir_type *shape, const hy_ir_type *other)
{
	if (!hy_ir__ranked(shape) || !hy_ir__ranked(other)) return true;
	if (other->rank > shape->rank) return false;
	for (uint32_t i = 0; i < other->rank; i++) {
		const int64_t dim = shape->dim[shape->rank - other->rank + i];
		if (other->dim[i] >= 0 && other->dim[i] != 1 && dim >= 0 && dim != other->dim[i]) return false;
	}
	return true;
}
