/* The comparator. */
#include "compare.h"

#include <math.h>
#include <stdarg.h>
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

static double magnitude_of(const tensor *expected, int64_t i)
{
	return expected->magnitude != NULL ? expected->magnitude[i] : fabs(expected->value[i]);
}

static double bound_of(const tensor *expected, int64_t i, tolerance_id tolerance)
{
	if (tolerance == TOLERANCE_EXACT || !hy_dtype_is_float(expected->dtype)) return 0;
	const double factor = tolerances[tolerance].factor + tolerances[tolerance].root * sqrt((double)expected->terms);
	return factor * unit_of(expected->dtype) * magnitude_of(expected, i) + least_of(expected->dtype);
}

static bool agrees(const tensor *expected, int64_t i, double got, double bound)
{
	const double want = expected->value[i], rounded = tensor_round(expected->dtype, want);
	if (want != want) return got != got;
	if (isinf(rounded)) return got == rounded || fabs(got) >= 0x1.fffffep+127 * (1 - 1e-5);
	return got == rounded || fabs(got - want) <= bound;
}

bool conform__compare(const tensor *expected, const void *got, tolerance_id tolerance,
                      hy_conform_difference *out_difference)
{
	hy_conform_difference d = {.rank = expected->rank,
	                           .factor = tolerances[tolerance].factor,
	                           .root = tolerances[tolerance].root,
	                           .unit = unit_of(expected->dtype),
	                           .least = least_of(expected->dtype),
	                           .terms = expected->terms,
	                           .total = expected->count};
	for (int64_t i = 0; i < expected->count; i++) {
		const double value = tensor_unpack_at(expected->dtype, got, i),
			     bound = bound_of(expected, i, tolerance);
		if (agrees(expected, i, value, bound)) continue;
		d.wrong++;
		if (d.shown == HY_CONFORM_SHOWN) continue;
		hy_conform_element *element = &d.first[d.shown++];
		*element = (hy_conform_element){.got = value,
		                                .expected = expected->value[i],
		                                .bound = bound,
		                                .magnitude = magnitude_of(expected, i)};
		tensor_coordinates(expected, i, element->index);
	}
	if (d.wrong == 0) return true;
	snprintf(d.dtype, sizeof(d.dtype), "%s", hy_dtype_name(expected->dtype));
	snprintf(d.tolerance, sizeof(d.tolerance), "%s", tolerances[tolerance].name);
	memcpy(d.dims, expected->dim, sizeof(d.dims));
	*out_difference = d;
	return false;
}

static void print_index(const hy_conform_difference *d, char *text, size_t length)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < d->rank && used < length; i++)
		used += (size_t)snprintf(text + used, length - used, "%s%lld", i == 0 ? "" : ",",
		                         (long long)d->first[0].index[i]);
}

bool conform__compare_in(conform_run *run, const tensor *expected, const void *got, tolerance_id tolerance,
                         const char *what, ...)
{
	hy_conform_difference d;
	if (conform__compare(expected, got, tolerance, &d)) return true;
	if (conform__ended(run)) return false;
	char subject[256], place[128];
	va_list args;
	va_start(args, what);
	vsnprintf(subject, sizeof(subject), what, args);
	va_end(args);
	print_index(&d, place, sizeof(place));
	run->difference = d;
	run->differs = true;
	conform__fail(run,
	              "%s: element [%s] is %.9g, expected %.9g within %.3g (%s: %g + %g*sqrt(%lld) of u = %.3g, "
	              "relative to %.6g); %lld of %lld elements differ",
	              subject, place, d.first[0].got, d.first[0].expected, d.first[0].bound, d.tolerance, d.factor,
	              d.root, (long long)d.terms, d.unit, d.first[0].magnitude, (long long)d.wrong, (long long)d.total);
	return false;
}

const char *conform__compare_self_test(void)
{
	hy_conform_difference d;
	double value = 3, magnitude = 5;
	tensor t = {.dtype = HY_DTYPE_F32, .count = 1, .value = &value, .magnitude = &magnitude, .terms = 16};
	for (int id = 0; id < TOLERANCE_COUNT; id++) {
		const double bound = bound_of(&t, 0, (tolerance_id)id);
		for (int sign = -1; sign <= 1; sign += 2) {
			/* The last float within the bound, and the next one. */
			float inside = (float)(3 + sign * bound);
			if (fabs(inside - 3.0) > bound) inside = nextafterf(inside, 3);
			const float outside = nextafterf(inside, sign * INFINITY);
			if (!conform__compare(&t, &inside, (tolerance_id)id, &d))
				return "a value just inside the bound is refused";
			if (conform__compare(&t, &outside, (tolerance_id)id, &d))
				return "a value just outside the bound is accepted";
		}
	}
	const float not_a_number = NAN, number = 3, infinite = INFINITY;
	if (conform__compare(&t, &not_a_number, TOLERANCE_NORM, &d)) return "NaN is accepted for a number";
	if (conform__compare(&t, &infinite, TOLERANCE_NORM, &d)) return "infinity is accepted for a number";
	value = NAN;
	if (!conform__compare(&t, &not_a_number, TOLERANCE_EXACT, &d)) return "NaN is refused for NaN";
	if (conform__compare(&t, &number, TOLERANCE_NORM, &d)) return "a number is accepted for NaN";
	return NULL;
}
