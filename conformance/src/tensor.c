/* Tensors of the suite, and the reader of operators.def's lines. */
#include "tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tensor_create(tensor *out, hy_dtype dtype, uint32_t rank, const int64_t *dims)
{
	*out = (tensor){.dtype = dtype, .rank = rank, .count = 1, .present = true, .terms = 1};
	for (uint32_t i = 0; i < rank; i++) {
		out->dim[i] = dims[i];
		out->count *= dims[i];
	}
	out->value = calloc((size_t)out->count + 1, sizeof(double));
	return out->value != NULL;
}

void tensor_finish(tensor *t)
{
	free(t->value);
	free(t->magnitude);
	*t = (tensor){0};
}

uint64_t tensor_bytes(const tensor *t)
{
	return (uint64_t)t->count * hy_dtype_bits(t->dtype) / 8;
}

hy_ir_type tensor_type(const tensor *t)
{
	hy_ir_type type = {.dtype = t->dtype, .rank = t->rank};
	memcpy(type.dim, t->dim, t->rank * sizeof(t->dim[0]));
	return type;
}

void tensor_pack(const tensor *t, void *out)
{
	for (int64_t i = 0; i < t->count; i++) {
		const double v = t->value[i];
		switch (t->dtype) {
		case HY_DTYPE_F32:
			((float *)out)[i] = (float)v;
			break;
		case HY_DTYPE_F64:
			((double *)out)[i] = v;
			break;
		case HY_DTYPE_F16:
			((uint16_t *)out)[i] = hy_f16_from_float((float)v);
			break;
		case HY_DTYPE_BF16:
			((uint16_t *)out)[i] = hy_bf16_from_float((float)v);
			break;
		case HY_DTYPE_I64:
			((int64_t *)out)[i] = (int64_t)v;
			break;
		case HY_DTYPE_I32:
			((int32_t *)out)[i] = (int32_t)v;
			break;
		case HY_DTYPE_I8:
			((int8_t *)out)[i] = (int8_t)v;
			break;
		default: /* u8, bool */
			((uint8_t *)out)[i] = (uint8_t)v;
			break;
		}
	}
}

double tensor_unpack_at(hy_dtype dtype, const void *bytes, int64_t i)
{
	switch (dtype) {
	case HY_DTYPE_F32:
		return ((const float *)bytes)[i];
	case HY_DTYPE_F64:
		return ((const double *)bytes)[i];
	case HY_DTYPE_F16:
		return hy_f16_to_float(((const uint16_t *)bytes)[i]);
	case HY_DTYPE_BF16:
		return hy_bf16_to_float(((const uint16_t *)bytes)[i]);
	case HY_DTYPE_I64:
		return (double)((const int64_t *)bytes)[i];
	case HY_DTYPE_I32:
		return ((const int32_t *)bytes)[i];
	case HY_DTYPE_I8:
		return ((const int8_t *)bytes)[i];
	default:
		return ((const uint8_t *)bytes)[i];
	}
}

double tensor_round(hy_dtype dtype, double value)
{
	switch (dtype) {
	case HY_DTYPE_F32:
		return (float)value;
	case HY_DTYPE_F16:
		return hy_f16_to_float(hy_f16_from_float((float)value));
	case HY_DTYPE_BF16:
		return hy_bf16_to_float(hy_bf16_from_float((float)value));
	default:
		return value;
	}
}

void tensor_coordinates(const tensor *t, int64_t index, int64_t *out)
{
	for (uint32_t i = t->rank; i-- > 0;) {
		out[i] = index % t->dim[i];
		index /= t->dim[i];
	}
}

int64_t tensor_index(const tensor *t, const int64_t *coordinates)
{
	int64_t index = 0;
	for (uint32_t i = 0; i < t->rank; i++)
		index = index * t->dim[i] + coordinates[i];
	return index;
}

uint32_t tensor_axis(int64_t axis, uint32_t rank)
{
	return (uint32_t)(axis < 0 ? axis + rank : axis);
}

/* ---- reading lines ---- */

static bool read_numbers(const char **text, char end, double *out, uint32_t room, uint32_t *out_count)
{
	*out_count = 0;
	while (**text != end && *out_count < room) {
		char *after;
		out[(*out_count)++] = strtod(*text, &after);
		if (after == *text) return false;
		*text = after + (*after == ',');
	}
	if (**text != end) return false;
	(*text)++;
	return true;
}

/* "=value" behind run-time data: every element. */
static bool read_value(tensor *out, const char **text)
{
	if (**text != '=') return true;
	char *after;
	const double value = tensor_round(out->dtype, strtod(*text + 1, &after));
	if (after == *text + 1) return false;
	*text = after;
	out->filled = true;
	for (int64_t i = 0; i < out->count; i++)
		out->value[i] = value;
	return true;
}

static bool read_input(tensor *out, const char **text)
{
	if (**text == '-') {
		*out = (tensor){0};
		(*text)++;
		return true;
	}
	char name[8] = "";
	double numbers[64];
	const size_t length = strcspn(*text, "[{(");
	if (length >= sizeof(name)) return false;
	memcpy(name, *text, length);
	const hy_dtype dtype = hy_dtype_from_name(name);
	const char open = (*text)[length];
	*text += length + 1;
	uint32_t count;
	if (dtype == HY_DTYPE_NONE || !read_numbers(text,
	                                            open == '['   ? ']'
	                                            : open == '{' ? '}'
	                                                          : ')',
	                                            numbers, 64, &count))
		return false;
	int64_t dims[HY_MAX_RANK] = {count};
	if (open == '[') {
		for (uint32_t i = 0; i < count && i < HY_MAX_RANK; i++)
			dims[i] = (int64_t)numbers[i];
		return count <= HY_MAX_RANK && tensor_create(out, dtype, count, dims) && read_value(out, text);
	}
	if (!tensor_create(out, dtype, open == '{' ? 1 : 0, dims)) return false;
	out->constant = true;
	memcpy(out->value, numbers, (size_t)out->count * sizeof(double));
	return true;
}

/* name=value, value a text, a float (has a point), an integer, or integers with commas. */
static bool read_attr(op_spec *spec, const char *text, size_t length)
{
	const uint32_t at = spec->attr_count;
	const char *equals = memchr(text, '=', length);
	if (equals == NULL || at == TENSOR_ATTRS || (size_t)(equals - text) >= sizeof(spec->names[0])) return false;
	snprintf(spec->names[at], sizeof(spec->names[0]), "%.*s", (int)(equals - text), text);
	char value[96];
	snprintf(value, sizeof(value), "%.*s", (int)(length - (size_t)(equals + 1 - text)), equals + 1);
	spec->attr_count++;
	if (strspn(value, "-0123456789") == strlen(value)) {
		spec->attrs[at] = hy_ir_attr_int(spec->names[at], atoll(value));
	} else if (strspn(value, "-0123456789.e") == strlen(value)) {
		spec->attrs[at] = hy_ir_attr_float(spec->names[at], strtof(value, NULL));
	} else if (strspn(value, "-0123456789,") == strlen(value)) {
		uint32_t count = 0;
		for (char *part = strtok(value, ","); part != NULL && count < 16; part = strtok(NULL, ","))
			spec->ints[at][count++] = atoll(part);
		spec->attrs[at] = hy_ir_attr_ints(spec->names[at], count, spec->ints[at]);
	} else {
		snprintf(spec->texts[at], sizeof(spec->texts[0]), "%s", value);
		spec->attrs[at] = hy_ir_attr_string(spec->names[at], spec->texts[at]);
	}
	return true;
}

bool op_spec_read(op_spec *out, const char *op, const char *inputs, const char *attrs)
{
	*out = (op_spec){.op = op};
	while (*inputs != '\0') {
		if (out->input_count == TENSOR_INPUTS || !read_input(&out->inputs[out->input_count], &inputs))
			return false;
		out->input_count++;
		inputs += strspn(inputs, " ");
	}
	while (*attrs != '\0') {
		const size_t length = strcspn(attrs, " ");
		if (!read_attr(out, attrs, length)) return false;
		attrs += length;
		attrs += strspn(attrs, " ");
	}
	return true;
}

void op_spec_finish(op_spec *spec)
{
	for (uint32_t i = 0; i < spec->input_count; i++)
		tensor_finish(&spec->inputs[i]);
}

static const hy_ir_attr *attr_of(const op_spec *spec, const char *name)
{
	for (uint32_t i = 0; i < spec->attr_count; i++)
		if (strcmp(spec->names[i], name) == 0) return &spec->attrs[i];
	return NULL;
}

int64_t op_int(const op_spec *spec, const char *name, int64_t fallback)
{
	const hy_ir_attr *attr = attr_of(spec, name);
	return attr == NULL ? fallback : attr->i;
}

double op_float(const op_spec *spec, const char *name, double fallback)
{
	const hy_ir_attr *attr = attr_of(spec, name);
	return attr == NULL ? (float)fallback : attr->f;
}

const char *op_text(const op_spec *spec, const char *name, const char *fallback)
{
	const hy_ir_attr *attr = attr_of(spec, name);
	return attr == NULL ? fallback : attr->s;
}

const int64_t *op_ints(const op_spec *spec, const char *name, uint32_t *out_count)
{
	const hy_ir_attr *attr = attr_of(spec, name);
	*out_count = attr == NULL ? 0 : attr->count;
	return attr == NULL ? NULL : attr->ints;
}

uint32_t oracle_run(const op_spec *spec, tensor *outputs)
{
	static uint32_t (*const families[])(const op_spec *, tensor *) = {
		oracle_elementwise, oracle_window, oracle_linear, oracle_reduce,
		oracle_norm,        oracle_move,   oracle_index};
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const uint32_t count = families[i](spec, outputs);
		if (count != 0) return count;
	}
	return 0;
}
