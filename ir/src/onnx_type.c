/* ValueInfoProto and TypeProto: declared types of graph inputs, outputs and values between. */
#include "onnx_read.h"

#include <stdio.h>
#include <string.h>

static hy_status read_dim(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_value *value)
{
	hy_ir_type *type = &value->type;
	if (type->rank == HY_MAX_RANK)
		return hy_error_set(onnx->error, HY_UNSUPPORTED, "its rank is above %u", HY_MAX_RANK);
	int64_t dim = HY_IR_DIM_UNKNOWN;
	const char *name = NULL;
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == 1) status = hy_ir__onnx_int(onnx, &field, "dim_value", &dim);
		if (field.number == 2) status = hy_ir__onnx_text(onnx, &field, "dim_param", &name);
	}
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "dimension");
	if (status != HY_OK) return status;
	if (dim < HY_IR_DIM_UNKNOWN) return hy_error_set(onnx->error, HY_INVALID, "has a negative dimension");
	const bool named = dim == HY_IR_DIM_UNKNOWN && name != NULL && name[0] != '\0';
	value->dim_names[type->rank] = named ? name : NULL;
	type->dim[type->rank++] = dim;
	return HY_OK;
}

static hy_status read_shape(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_value *value)
{
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	value->type.rank = 0;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field))
		if (field.number == 1) status = read_dim(onnx, hy_ir__wire_message(&field), value);
	return status == HY_OK ? hy_ir__onnx_check(onnx, &wire, "shape") : status;
}

static hy_status read_tensor_type(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_value *value)
{
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	int64_t dtype = 0;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == 1) status = hy_ir__onnx_int(onnx, &field, "elem_type", &dtype);
		if (field.number == 2) status = read_shape(onnx, hy_ir__wire_message(&field), value);
	}
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "tensor type");
	if (status != HY_OK) return status;
	const bool known = dtype > 0 && dtype <= UINT32_MAX && hy_dtype_name((hy_dtype)dtype)[0] != '?';
	value->type.dtype = known ? (hy_dtype)dtype : HY_DTYPE_NONE;
	return HY_OK;
}

static hy_status read_type(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_value *value)
{
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field))
		if (field.number == 1) status = read_tensor_type(onnx, hy_ir__wire_message(&field), value);
	return status == HY_OK ? hy_ir__onnx_check(onnx, &wire, "type") : status;
}

hy_status hy_ir__onnx_value_read(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_value *out_value)
{
	hy_ir__onnx_value value = {.name = "", .type = {.rank = HY_IR_RANK_UNKNOWN}};
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == 1) status = hy_ir__onnx_text(onnx, &field, "name", &value.name);
		if (field.number == 2) status = read_type(onnx, hy_ir__wire_message(&field), &value);
	}
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "value");
	const char *fault = hy_ir__type_fault(&value.type);
	if (status == HY_OK && fault != NULL) status = hy_error_set(onnx->error, HY_INVALID, "%s", fault);
	if (status != HY_OK)
		return hy_ir__error_within(onnx->error, status, "value '%.*s'", HY_IR__NAME_LIMIT, value.name);
	*out_value = value;
	return HY_OK;
}
