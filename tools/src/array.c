/* Tensors of the program: memory, seeded numbers, reading one element whatever its type. */
#include "array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Asked before allocating: where memory is overcommitted, malloc says yes and filling it ends the process. */
static bool is_more_than_the_machine_has(uint64_t bytes)
{
	const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	return pages > 0 && page > 0 && bytes / (uint64_t)page >= (uint64_t)pages;
}

hy_status tool_array_create(const hy_ir_type *type, hy_ir_tensor *out_array, hy_error *error)
{
	char text[128];
	if (!hy_ir_type_is_static(type) || hy_dtype_bits(type->dtype) == 0)
		return hy_error_set(error, HY_INVALID, "%s: not a tensor of known size",
		                    hy_ir_type_print(type, text, sizeof(text)));
	const uint64_t bytes = hy_ir_type_bytes(type);
	const size_t length = ((size_t)bytes + TOOL_ARRAY_ALIGN) / TOOL_ARRAY_ALIGN * TOOL_ARRAY_ALIGN;
	void *const data = is_more_than_the_machine_has(bytes) ? NULL : aligned_alloc(TOOL_ARRAY_ALIGN, length);
	if (data == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a tensor of %llu bytes",
		                    (unsigned long long)bytes);
	memset(data, 0, length);
	*out_array = (hy_ir_tensor){.type = *type, .data = data};
	return HY_OK;
}

void tool_array_destroy(hy_ir_tensor *array)
{
	if (array == NULL) return;
	free(array->data);
	*array = (hy_ir_tensor){0};
}

/* splitmix64 (Steele et al., 2014). */
static uint64_t next_bits(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Box-Muller, one of the two numbers. */
static double next_normal(uint64_t *state)
{
	const double u = ((double)(next_bits(state) >> 11) + 0.5) * 0x1p-53;
	const double v = ((double)(next_bits(state) >> 11) + 0.5) * 0x1p-53;
	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void store(hy_ir_tensor *array, int64_t i, double number)
{
	void *const data = array->data;
	switch (array->type.dtype) {
	case HY_DTYPE_F32:
		((float *)data)[i] = (float)number;
		break;
	case HY_DTYPE_F64:
		((double *)data)[i] = number;
		break;
	case HY_DTYPE_F16:
		((uint16_t *)data)[i] = hy_f16_from_float((float)number);
		break;
	case HY_DTYPE_BF16:
		((uint16_t *)data)[i] = hy_bf16_from_float((float)number);
		break;
	case HY_DTYPE_BOOL:
	case HY_DTYPE_I8:
	case HY_DTYPE_U8:
		((uint8_t *)data)[i] = (uint8_t)number;
		break;
	case HY_DTYPE_I16:
	case HY_DTYPE_U16:
		((uint16_t *)data)[i] = (uint16_t)number;
		break;
	case HY_DTYPE_I32:
	case HY_DTYPE_U32:
		((uint32_t *)data)[i] = (uint32_t)number;
		break;
	case HY_DTYPE_I64:
	case HY_DTYPE_U64:
		((uint64_t *)data)[i] = (uint64_t)number;
		break;
	default:
		break;
	}
}

void tool_array_randomise(hy_ir_tensor *array, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15u;
	const int64_t count = hy_ir_type_elements(&array->type);
	const bool is_float = hy_dtype_is_float(array->type.dtype);
	for (int64_t i = 0; i < count; i++)
		store(array, i, is_float ? next_normal(&state) : (double)(next_bits(&state) >> 63));
}

double tool_array_number(const hy_ir_tensor *array, int64_t i)
{
	const void *const data = array->data;
	switch (array->type.dtype) {
	case HY_DTYPE_F32:
		return ((const float *)data)[i];
	case HY_DTYPE_F64:
		return ((const double *)data)[i];
	case HY_DTYPE_F16:
		return hy_f16_to_float(((const uint16_t *)data)[i]);
	case HY_DTYPE_BF16:
		return hy_bf16_to_float(((const uint16_t *)data)[i]);
	case HY_DTYPE_BOOL:
	case HY_DTYPE_U8:
		return ((const uint8_t *)data)[i];
	case HY_DTYPE_I8:
		return ((const int8_t *)data)[i];
	case HY_DTYPE_U16:
		return ((const uint16_t *)data)[i];
	case HY_DTYPE_I16:
		return ((const int16_t *)data)[i];
	case HY_DTYPE_U32:
		return ((const uint32_t *)data)[i];
	case HY_DTYPE_I32:
		return ((const int32_t *)data)[i];
	case HY_DTYPE_U64:
		return (double)((const uint64_t *)data)[i];
	case HY_DTYPE_I64:
		return (double)((const int64_t *)data)[i];
	default:
		return 0;
	}
}
