/* Tensor elements as text. */
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The NaN that is printed without its bits, per float type. */
static uint64_t usual_nan(hy_dtype dtype)
{
	switch (dtype) {
	case HY_DTYPE_F16:
		return 0x7e00;
	case HY_DTYPE_BF16:
		return 0x7fc0;
	case HY_DTYPE_F32:
		return 0x7fc00000;
	default:
		return 0x7ff8000000000000;
	}
}

static double value_of(hy_dtype dtype, uint64_t bits)
{
	float single;
	double value;
	const uint32_t low = (uint32_t)bits;
	switch (dtype) {
	case HY_DTYPE_F16:
		return (double)hy_f16_to_float((uint16_t)bits);
	case HY_DTYPE_BF16:
		return (double)hy_bf16_to_float((uint16_t)bits);
	case HY_DTYPE_F32:
		memcpy(&single, &low, sizeof(single));
		return (double)single;
	default:
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
}

/* Rounds once from the decimal text for F32 and F64, by way of float for the 16-bit types. */
static uint64_t bits_of(hy_dtype dtype, const char *text, char **out_end)
{
	if (dtype == HY_DTYPE_F64) {
		const double value = strtod(text, out_end);
		uint64_t bits;
		memcpy(&bits, &value, sizeof(bits));
		return bits;
	}
	const float value = strtof(text, out_end);
	if (dtype == HY_DTYPE_F16) return hy_f16_from_float(value);
	if (dtype == HY_DTYPE_BF16) return hy_bf16_from_float(value);
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void print_float(hy_dtype dtype, uint64_t bits, char *text)
{
	const double value = value_of(dtype, bits);
	if (isnan(value)) {
		if (bits == usual_nan(dtype))
			snprintf(text, HY_IR__NUMBER_ROOM, "nan");
		else
			snprintf(text, HY_IR__NUMBER_ROOM, "nan(0x%" PRIx64 ")", bits);
		return;
	}
	char *end;
	snprintf(text, HY_IR__NUMBER_ROOM, "%.0f", fabs(value) < 1e9 ? value : 0);
	if (bits_of(dtype, text, &end) == bits) return;
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, HY_IR__NUMBER_ROOM, "%.*g", digits, value);
		if (bits_of(dtype, text, &end) == bits) return;
	}
}

static bool parse_float(hy_dtype dtype, const char *text, uint64_t *out_bits)
{
	char *end;
	if (strcmp(text, "nan") == 0) {
		*out_bits = usual_nan(dtype);
		return true;
	}
	if (strncmp(text, "nan(0x", 6) == 0) {
		errno = 0;
		*out_bits = strtoull(text + 6, &end, 16);
		if (errno != 0 || end == text + 6 || strcmp(end, ")") != 0) return false;
		const uint32_t width = hy_dtype_bits(dtype);
		return (width == 64 || *out_bits >> width == 0) && isnan(value_of(dtype, *out_bits));
	}
	/* strtod also reads hexadecimal and "infinity", which are not ours. */
	if (strcmp(text, "inf") != 0 && strcmp(text, "-inf") != 0 && strspn(text, "+-.0123456789eE") != strlen(text))
		return false;
	*out_bits = bits_of(dtype, text, &end);
	return end != text && *end == '\0';
}

static bool parse_integer(hy_dtype dtype, const char *text, uint64_t *out_bits)
{
	const bool negative = text[0] == '-';
	const char *digits = text + negative;
	if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits)) return false;
	errno = 0;
	const uint64_t magnitude = strtoull(digits, NULL, 10);
	if (errno != 0) return false;
	const uint32_t width = dtype == HY_DTYPE_BOOL ? 1 : hy_dtype_bits(dtype);
	const bool is_signed = dtype == HY_DTYPE_I8 || dtype == HY_DTYPE_I16 || dtype == HY_DTYPE_I32 ||
	                       dtype == HY_DTYPE_I64;
	const uint64_t largest = UINT64_MAX >> (64 - width) >> (is_signed ? 1 : 0);
	if (magnitude > largest + (negative && is_signed ? 1 : 0) || (negative && !is_signed && magnitude > 0))
		return false;
	*out_bits = negative ? 0 - magnitude : magnitude;
	return true;
}

void hy_ir__text_print_element(hy_dtype dtype, const void *data, uint64_t index, char out_text[HY_IR__NUMBER_ROOM])
{
	const uint32_t width = hy_dtype_bits(dtype) / 8;
	uint64_t bits = 0;
	memcpy(&bits, (const char *)data + index * width, width);
	if (hy_dtype_is_float(dtype)) {
		print_float(dtype, bits, out_text);
		return;
	}
	int64_t value = (int64_t)bits;
	if (dtype == HY_DTYPE_I8) value = (int8_t)bits;
	if (dtype == HY_DTYPE_I16) value = (int16_t)bits;
	if (dtype == HY_DTYPE_I32) value = (int32_t)bits;
	if (dtype == HY_DTYPE_U64)
		snprintf(out_text, HY_IR__NUMBER_ROOM, "%" PRIu64, bits);
	else
		snprintf(out_text, HY_IR__NUMBER_ROOM, "%" PRId64, value);
}

bool hy_ir__text_parse_element(hy_dtype dtype, const char *text, void *data, uint64_t index)
{
	const uint32_t width = hy_dtype_bits(dtype) / 8;
	uint64_t bits = 0;
	const bool found = hy_dtype_is_float(dtype) ? parse_float(dtype, text, &bits)
	                                            : parse_integer(dtype, text, &bits);
	if (found) memcpy((char *)data + index * width, &bits, width);
	return found;
}
