/* Element types and the two 16-bit float formats. */
#include <halyard/dtype.h>

#include <string.h>

uint32_t hy_dtype_bits(hy_dtype dtype)
{
	switch (dtype) {
#define X(name, value, bits, text) \
	case HY_DTYPE_##name:      \
		return bits;
		HY_DTYPE_LIST(X)
#undef X
	}
	return 0;
}

const char *hy_dtype_name(hy_dtype dtype)
{
	switch (dtype) {
#define X(name, value, bits, text) \
	case HY_DTYPE_##name:      \
		return text;
		HY_DTYPE_LIST(X)
#undef X
	}
	return "?";
}

hy_dtype hy_dtype_from_name(const char *name)
{
#define X(upper, value, bits, text) \
	if (strcmp(name, text) == 0) return HY_DTYPE_##upper;
	HY_DTYPE_LIST(X)
#undef X
	return HY_DTYPE_NONE;
}

bool hy_dtype_is_float(hy_dtype dtype)
{
	return dtype == HY_DTYPE_F32 || dtype == HY_DTYPE_F16 || dtype == HY_DTYPE_F64 || dtype == HY_DTYPE_BF16;
}

static uint32_t bits_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static float float_of(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

float hy_f16_to_float(uint16_t half)
{
	const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
	const uint32_t exponent = (half >> 10) & 0x1f;
	const uint32_t mantissa = half & 0x3ff;
	if (exponent == 0x1f) return float_of(sign | 0x7f800000 | mantissa << 13);
	if (exponent != 0) return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
	const float tiny = (float)mantissa * 0x1p-24f; /* subnormal: exact in float */
	return sign != 0 ? -tiny : tiny;
}

uint16_t hy_f16_from_float(float value)
{
	const uint32_t bits = bits_of(value);
	const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
	const uint32_t magnitude = bits & 0x7fffffff;
	if (magnitude > 0x7f800000) return sign | 0x7e00;
	if (magnitude >= 0x477ff000) return sign | 0x7c00; /* rounds to 65536 or more */
	if (magnitude < 0x38800000) { /* subnormal half: let the adder round at 2^-24 */
		const float aligned = float_of(magnitude) + 0.5f;
		return sign | (uint16_t)(bits_of(aligned) - 0x3f000000);
	}
	const uint32_t odd = magnitude >> 13 & 1;
	return sign | (uint16_t)((magnitude - 0x38000000 + 0xfff + odd) >> 13);
}

float hy_bf16_to_float(uint16_t half)
{
	return float_of((uint32_t)half << 16);
}

uint16_t hy_bf16_from_float(float value)
{
	const uint32_t bits = bits_of(value);
	if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
