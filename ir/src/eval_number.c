/* Elements of every type as double or as 64-bit integers. */
#include "eval_number.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* X(dtype, C type): the types that C can read and write itself. */
#define PLAIN(X)         \
	X(F32, float)    \
	X(F64, double)   \
	X(I8, int8_t)    \
	X(I16, int16_t)  \
	X(I32, int32_t)  \
	X(I64, int64_t)  \
	X(U8, uint8_t)   \
	X(U16, uint16_t) \
	X(U32, uint32_t) \
	X(U64, uint64_t) \
	X(BOOL, uint8_t)

double hy_ir__read_real(hy_dtype dtype, const void *data, int64_t index)
{
	double value = 0;
	hy_ir__read_reals(dtype, data, index, 1, 1, &value);
	return value;
}

int64_t hy_ir__read_whole(hy_dtype dtype, const void *data, int64_t index)
{
	int64_t value = 0;
	hy_ir__read_wholes(dtype, data, index, 1, 1, &value);
	return value;
}

void hy_ir__read_reals(hy_dtype dtype, const void *data, int64_t index, int64_t stride, int64_t count, double *out)
{
	switch (dtype) {
#define X(name, type)                                               \
	case HY_DTYPE_##name: {                                     \
		const type *from = (const type *)data + index;      \
		for (int64_t i = 0; i < count; i++, from += stride) \
			out[i] = (double)*from;                     \
		return;                                             \
	}
		PLAIN(X)
#undef X
	case HY_DTYPE_F16:
		for (int64_t i = 0; i < count; i++)
			out[i] = hy_f16_to_float(((const uint16_t *)data)[index + i * stride]);
		return;
	case HY_DTYPE_BF16:
		for (int64_t i = 0; i < count; i++)
			out[i] = hy_bf16_to_float(((const uint16_t *)data)[index + i * stride]);
		return;
	}
}

void hy_ir__read_wholes(hy_dtype dtype, const void *data, int64_t index, int64_t stride, int64_t count, int64_t *out)
{
	switch (dtype) {
#define X(name, type)                                                               \
	case HY_DTYPE_##name:                                                       \
		for (int64_t i = 0; i < count; i++)                                 \
			out[i] = (int64_t)((const type *)data)[index + i * stride]; \
		return;
		PLAIN(X)
#undef X
	}
}

/* The float next to value towards zero, its last bit set where something was cut off: rounding it again to at most
 * 22 bits gives what rounding `value` once would have given. */
static float cut_to_float(double value)
{
	float near = (float)value;
	if ((double)near == value || isnan(value)) return near;
	uint32_t bits;
	memcpy(&bits, &near, sizeof(bits));
	if (fabs((double)near) > fabs(value)) bits--;
	bits |= 1;
	memcpy(&near, &bits, sizeof(near));
	return near;
}

/* value cut to an integer in least..most, both exact as doubles or one beside (the ends of 64 bits). */
static int64_t cut_to_whole(double value, double least, double most)
{
	if (isnan(value)) return 0;
	if (value <= least) return (int64_t)least;
	return value >= most ? (most >= 0x1p63 ? INT64_MAX : (int64_t)most) : (int64_t)value;
}

static uint64_t cut_to_natural(double value)
{
	if (!(value > 0)) return 0;
	return value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
}

void hy_ir__write_reals(hy_dtype dtype, void *data, int64_t index, int64_t count, const double *in)
{
	switch (dtype) {
#define WRITE(name, type, round)                           \
	case HY_DTYPE_##name:                              \
		for (int64_t i = 0; i < count; i++)        \
			((type *)data)[index + i] = round; \
		return;
		WRITE(F32, float, (float)in[i])
		WRITE(F64, double, in[i])
		WRITE(F16, uint16_t, hy_f16_from_float(cut_to_float(in[i])))
		WRITE(BF16, uint16_t, hy_bf16_from_float(cut_to_float(in[i])))
		WRITE(I8, int8_t, (int8_t)cut_to_whole(in[i], INT8_MIN, INT8_MAX))
		WRITE(I16, int16_t, (int16_t)cut_to_whole(in[i], INT16_MIN, INT16_MAX))
		WRITE(I32, int32_t, (int32_t)cut_to_whole(in[i], INT32_MIN, INT32_MAX))
		WRITE(I64, int64_t, cut_to_whole(in[i], -0x1p63, 0x1p63))
		WRITE(U8, uint8_t, (uint8_t)cut_to_whole(in[i], 0, UINT8_MAX))
		WRITE(U16, uint16_t, (uint16_t)cut_to_whole(in[i], 0, UINT16_MAX))
		WRITE(U32, uint32_t, (uint32_t)cut_to_whole(in[i], 0, UINT32_MAX))
		WRITE(U64, uint64_t, cut_to_natural(in[i]))
		WRITE(BOOL, uint8_t, in[i] != 0)
#undef WRITE
	}
}

/* A magnitude as a double of which rounding to 24 bits or fewer is rounding the magnitude: beyond 53 bits the lowest
 * ones are gathered in one. */
static double magnitude_to_real(uint64_t magnitude)
{
	if (magnitude >> 53 == 0) return (double)magnitude;
	return (double)(magnitude >> 11 | ((magnitude & 0x7ff) != 0)) * 0x1p11;
}

static void write_wholes(hy_dtype dtype, void *data, int64_t index, int64_t count, const int64_t *in, bool natural)
{
	switch (dtype) {
#define X(name, type)                                                      \
	case HY_DTYPE_##name:                                              \
		for (int64_t i = 0; i < count; i++)                        \
			((type *)data)[index + i] = (type)(uint64_t)in[i]; \
		return;
		X(I8, int8_t)
		X(I16, int16_t)
		X(I32, int32_t)
		X(I64, int64_t)
		X(U8, uint8_t)
		X(U16, uint16_t)
		X(U32, uint32_t)
		X(U64, uint64_t)
#undef X
	case HY_DTYPE_BOOL:
		for (int64_t i = 0; i < count; i++)
			((uint8_t *)data)[index + i] = in[i] != 0;
		return;
	case HY_DTYPE_F64:
		for (int64_t i = 0; i < count; i++)
			((double *)data)[index + i] = natural ? (double)(uint64_t)in[i] : (double)in[i];
		return;
	default: /* the narrower floats */
		for (int64_t i = 0; i < count; i++) {
			const bool negative = !natural && in[i] < 0;
			const uint64_t bits = (uint64_t)in[i];
			const double real = magnitude_to_real(negative ? 0 - bits : bits);
			hy_ir__write_reals(dtype, data, index + i, 1, &(double){negative ? -real : real});
		}
	}
}

void hy_ir__write_wholes(hy_dtype dtype, void *data, int64_t index, int64_t count, const int64_t *in)
{
	write_wholes(dtype, data, index, count, in, false);
}

void hy_ir__write_wholes_unsigned(hy_dtype dtype, void *data, int64_t index, int64_t count, const int64_t *in)
{
	write_wholes(dtype, data, index, count, in, true);
}
