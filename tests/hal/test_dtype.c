#include "test.h"

#include <halyard/dtype.h>

#include <math.h>

static void every_half_survives_the_round_trip(void **state)
{
	(void)state;
	for (uint32_t half = 0; half < 0x10000; half++) {
		const float value = hy_f16_to_float((uint16_t)half);
		if (isnan(value))
			assert_true(isnan(hy_f16_to_float(hy_f16_from_float(value))));
		else
			assert_int_equal(hy_f16_from_float(value), half);
	}
}

static void floats_round_to_the_nearest_half_with_ties_to_even(void **state)
{
	(void)state;
	assert_int_equal(hy_f16_from_float(1.0f + 0x1p-11f), 0x3c00);
	assert_int_equal(hy_f16_from_float(1.0f + 0x3p-11f), 0x3c02);
	assert_int_equal(hy_f16_from_float(65519.996f), 0x7bff);
	assert_int_equal(hy_f16_from_float(65520.0f), 0x7c00);
	assert_int_equal(hy_f16_from_float(0x1p-25f), 0);
	assert_int_equal(hy_f16_from_float(0x1.8p-25f), 1);
	assert_int_equal(hy_f16_from_float(-INFINITY), 0xfc00);
}

static void bfloat16_rounds_to_nearest_even_and_keeps_nan(void **state)
{
	(void)state;
	assert_int_equal(hy_bf16_from_float(1.0f + 0x1p-8f), 0x3f80);
	assert_int_equal(hy_bf16_from_float(1.0f + 0x3p-8f), 0x3f82);
	assert_true(isnan(hy_bf16_to_float(hy_bf16_from_float(NAN))));
}

static void names_and_dtypes_are_one_to_one(void **state)
{
	(void)state;
#define X(name, value, bits, text)                                   \
	assert_int_equal(hy_dtype_from_name(text), HY_DTYPE_##name); \
	assert_string_equal(hy_dtype_name(HY_DTYPE_##name), text);
	HY_DTYPE_LIST(X)
#undef X
	assert_int_equal(hy_dtype_from_name("f33"), HY_DTYPE_NONE);
	assert_string_equal(hy_dtype_name(99), "?");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(every_half_survives_the_round_trip),
		CASE(floats_round_to_the_nearest_half_with_ties_to_even),
		CASE(bfloat16_rounds_to_nearest_even_and_keeps_nan),
		CASE(names_and_dtypes_are_one_to_one),
	};
	return cmocka_run_group_tests_name("hal.dtype", cases, NULL, NULL);
}
