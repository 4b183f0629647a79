/* The comparator. */
#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	double factor, root;
} tolerances[TOLERANCE_COUNT] = {
#define TOLERANCE(name, factor, root) {#name, factor, root},
#include "tolerances.def"
#undef TOLERANCE
};

static double unit_of(hy_dtype dtype)
{
	switch (dtype) {
	case HY_DTYPE_F32:
		return 0x1p-24;
	case HY_DTYPE_F64:
		return 0x1p-53;
	case HY_DTYPE_F16:
		return 0x1p-11;
	case HY_DTYPE_BF16:
		return 0x1p-8;
	default:
		return 0;
	}
}

/* The least positive number of the type: results that underflow are off by one of it. */
static double least_of(hy_dtype dtype)
{
	return dtype == HY_DTYPE_F32 ? 0x1p-126 : dtype == HY_DTYPE_F16 ? 0x1p-24 : 0;
}

static double bound_of(const tensor *expected, int64_t i, tolerance_id tolerance)
{
	if (tolerance == TOLERANCE_EXACT || !hy_dtype_is_float(expected->dtype)) return 0;
	const double magnitude = expected->magnitude != NULL ? expected->magnitude[i] : fabs(expected->value[i]);
	const double factor = tolerances[tolerance].factor + tolerances[tolerance].root * sqrt((double)expected->terms);
	return factor * unit_of(expected->dtype) * magnitude + least_of(expected->dtype);
}

static bool agrees(const tensor *expected, int64_t i, double got, double bound)
{
	const double want = expected->value[i], rounded = tensor_round(expected->dtype, want);
	if (want != want) return got != got;
	if (isinf(rounded)) return got == rounded || fabs(got) >= 0x1.fffffep+127 * (1 - 1e-5);
	return got == rounded || fabs(got - want) <= bound;
}

static void print_index(const tensor *t, int64_t index, char *text, size_t length)
{
	int64_t at[HY_MAX_RANK];
	tensor_coordinates(t, index, at);
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < t->rank && used < length; i++)
		used += (size_t)snprintf(text + used, length - used, "%s%lld", i == 0 ? "" : ",", (long long)at[i]);
}

bool conform__compare(const tensor *expected, const void *got, tolerance_id tolerance, char *text, size_t length)
{
	int64_t first = -1, count = 0;
	for (int64_t i = 0; i < expected->count; i++) {
		if (agrees(expected, i, tensor_unpack_at(expected->dtype, got, i), bound_of(expected, i, tolerance)))
			continue;
		if (first < 0) first = i;
		count++;
	}
	if (count == 0) return true;
	char place[128];
	print_index(expected, first, place, sizeof(place));
	snprintf(text, length,
	         "element [%s] is %.9g, expected %.9g within %.3g (%s: %g + %g*sqrt(%lld) of u = %.3g, relative to "
	         "%.6g); "
	         "%lld of %lld elements differ",
	         place, tensor_unpack_at(expected->dtype, got, first), expected->value[first],
	         bound_of(expected, first, tolerance), tolerances[tolerance].name, tolerances[tolerance].factor,
	         tolerances[tolerance].root, (long long)expected->terms, unit_of(expected->dtype),
	         expected->magnitude != NULL ? expected->magnitude[first] : fabs(expected->value[first]),
	         (long long)count, (long long)expected->count);
	return false;
}

const char *conform__compare_self_test(void)
{
	static char text[256];
	double value = 3, magnitude = 5;
	tensor t = {.dtype = HY_DTYPE_F32, .count = 1, .value = &value, .magnitude = &magnitude, .terms = 16};
	for (int id = 0; id < TOLERANCE_COUNT; id++) {
		const double bound = bound_of(&t, 0, (tolerance_id)id);
		const float exact = 3, inside = (float)(3 + bound * 0.6), outside = (float)(3 + bound * 1.1 + 0x1p-21);
		if (!conform__compare(&t, &exact, (tolerance_id)id, text, sizeof(text)))
			return "the exact value is refused";
		if (bound > 0x1p-21 && !conform__compare(&t, &inside, (tolerance_id)id, text, sizeof(text)))
			return "a value inside the bound is refused";
		if (conform__compare(&t, &outside, (tolerance_id)id, text, sizeof(text)))
			return "a value outside the bound is accepted";
	}
	const float not_a_number = NAN, number = 3, infinite = INFINITY;
	if (conform__compare(&t, &not_a_number, TOLERANCE_NORM, text, sizeof(text)))
		return "NaN is accepted for a number";
	if (conform__compare(&t, &infinite, TOLERANCE_NORM, text, sizeof(text)))
		return "infinity is accepted for a number";
	value = NAN;
	if (!conform__compare(&t, &not_a_number, TOLERANCE_EXACT, text, sizeof(text))) return "NaN is refused for NaN";
	if (conform__compare(&t, &number, TOLERANCE_NORM, text, sizeof(text))) return "a number is accepted for NaN";
	return NULL;
}
