/* Element types and shapes of values. */
#include "graph.h"

#include <stdio.h>
#include <string.h>

bool hy_ir_type_is_static(const hy_ir_type *type)
{
	if (type->rank == HY_IR_RANK_UNKNOWN) return false;
	for (uint32_t i = 0; i < type->rank; i++)
		if (type->dim[i] == HY_IR_DIM_UNKNOWN) return false;
	return true;
}

bool hy_ir_type_equal(const hy_ir_type *a, const hy_ir_type *b)
{
	if (a->dtype != b->dtype || a->rank != b->rank) return false;
	return a->rank == HY_IR_RANK_UNKNOWN || memcmp(a->dim, b->dim, a->rank * sizeof(a->dim[0])) == 0;
}

int64_t hy_ir_type_elements(const hy_ir_type *type)
{
	int64_t elements = 1;
	for (uint32_t i = 0; i < type->rank; i++)
		if (type->dim[i] == 0) return 0;
	for (uint32_t i = 0; i < type->rank; i++)
		elements *= type->dim[i];
	return elements;
}

uint64_t hy_ir_type_bytes(const hy_ir_type *type)
{
	return (uint64_t)hy_ir_type_elements(type) * (hy_dtype_bits(type->dtype) / 8);
}

const char *hy_ir_type_print(const hy_ir_type *type, char *text, size_t length)
{
	char all[32 + 24 * HY_MAX_RANK];
	int at = snprintf(all, sizeof(all), "%s[", type->dtype == HY_DTYPE_NONE ? "?" : hy_dtype_name(type->dtype));
	if (type->rank == HY_IR_RANK_UNKNOWN) at += snprintf(all + at, sizeof(all) - (size_t)at, "...");
	for (uint32_t i = 0; type->rank != HY_IR_RANK_UNKNOWN && i < type->rank; i++) {
		const char *comma = i > 0 ? "," : "";
		if (type->dim[i] == HY_IR_DIM_UNKNOWN)
			at += snprintf(all + at, sizeof(all) - (size_t)at, "%s?", comma);
		else
			at += snprintf(all + at, sizeof(all) - (size_t)at, "%s%lld", comma, (long long)type->dim[i]);
	}
	snprintf(text, length, "%s]", all);
	return text;
}

const char *hy_ir__type_fault(const hy_ir_type *type)
{
	if (type->rank == HY_IR_RANK_UNKNOWN) return NULL;
	if (type->rank > HY_MAX_RANK) return "has a rank above 8";
	const uint32_t bits = hy_dtype_bits(type->dtype);
	/* Zeros are left out of the product, so that no later product of some of the dims can overflow either. */
	int64_t product = bits > 0 ? bits / 8 : 8;
	for (uint32_t i = 0; i < type->rank; i++) {
		const int64_t dim = type->dim[i];
		if (dim < HY_IR_DIM_UNKNOWN) return "has a negative dimension";
		if (dim <= 0) continue;
		if (product > INT64_MAX / dim) return "has dimensions whose product overflows 63 bits";
		product *= dim;
	}
	return NULL;
}

bool hy_ir__type_fits(const hy_ir_type *declared, const hy_ir_type *actual)
{
	if (declared->dtype != HY_DTYPE_NONE && actual->dtype != HY_DTYPE_NONE && declared->dtype != actual->dtype)
		return false;
	if (declared->rank == HY_IR_RANK_UNKNOWN || actual->rank == HY_IR_RANK_UNKNOWN) return true;
	if (declared->rank != actual->rank) return false;
	for (uint32_t i = 0; i < declared->rank; i++)
		if (declared->dim[i] >= 0 && actual->dim[i] >= 0 && declared->dim[i] != actual->dim[i]) return false;
	return true;
}
