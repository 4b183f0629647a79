/* The comparator. */
#include "compare.h"

#include <halyard/plugin.h>

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

/* The least positive number of the type, or the least normal one: results that underflow are off by one of it. */
static double least_of(hy_dtype dtype, bool flushed)
{
	if (dtype == HY_DTYPE_F32) return flushed ? 0x1p-126 : 0x1p-149;
	return dtype == HY_DTYPE_F16 ? 0x1p-24 : 0;
}

static double magnitude_of(const tensor *expected, int64_t i)
{
	return expected->magnitude != NULL ? expected->magnitude[i] : fabs(expected->value[i]);
}

/* |got - want| <= (factor + root * sqrt(terms)) * unit * magnitude + least */
typedef struct bound_rule {
	double factor, root, unit, least;
} bound_rule;

/* Declared arithmetic widens: two operands rounded or cut off to so many bits, or sums in f16. Small integers are exact
 * in all of it but for the latter. */
static bound_rule rule_of(const tensor *expected, tolerance_id tolerance)
{
	const uint32_t declared = expected->arithmetic;
	const bool exact = tolerance == TOLERANCE_EXACT;
	/* What is composed of several steps may lose on the way what underflows. */
	const bool flushed = declared & HY_EXE_FLUSHES_DENORMALS || tolerance == TOLERANCE_NORM;
	bound_rule rule = {.unit = unit_of(expected->dtype)};
	if (tolerance == TOLERANCE_BITS || rule.unit == 0) return rule;
	rule.factor = tolerances[tolerance].factor;
	rule.root = tolerances[tolerance].root;
	if (tolerance == TOLERANCE_SUM || tolerance == TOLERANCE_NORM) {
		if (declared & HY_EXE_COMPUTES_BF16)
			rule.factor += 4 * 0x1p-8 / rule.unit;
		else if (declared & (HY_EXE_COMPUTES_TF32 | HY_EXE_COMPUTES_F16))
			rule.factor += 4 * 0x1p-11 / rule.unit;
	}
	if (declared & HY_EXE_SUMS_F16 && (exact || rule.root > 0)) {
		rule.factor += 4 * 0x1p-11 / rule.unit;
		rule.root += 4 * 0x1p-11 / rule.unit;
	}
	if (!exact || rule.factor > 0 || flushed) rule.least = least_of(expected->dtype, flushed);
	/* Operands and sums below the range of f16 are lost; the other operand is at most 4 or so. */
	if (declared & (HY_EXE_COMPUTES_F16 | HY_EXE_SUMS_F16) && rule.factor > 0)
		rule.least += (double)expected->terms * 0x1p-22;
	return rule;
}

static double bound_of(const bound_rule *rule, const tensor *expected, int64_t i)
{
	const double want = fabs(expected->value[i]);
	if (rule->factor == 0) return want < rule->least ? rule->least : 0; /* exact but for what may be flushed */
	const double factor = rule->factor + rule->root * sqrt((double)expected->terms);
	return factor * rule->unit * magnitude_of(expected, i) + rule->least;
}

static bool agrees(const tensor *expected, int64_t i, double got, double bound, tolerance_id tolerance)
{
	const double want = expected->value[i], rounded = tensor_round(expected->dtype, want);
	if (want != want) return got != got;
	if (tolerance == TOLERANCE_BITS && signbit(want) != signbit(got)) return false;
	if (isinf(want)) return got == want;
	/* Too large for the type: the largest number that it has will do. */
	if (isinf(rounded)) return signbit(got) == signbit(want) && fabs(got) >= 0x1.fffffep+127 * (1 - 1e-5);
	return got == rounded || fabs(got - want) <= bound;
}

void conform__compare_range(const tensor *expected, int64_t i, tolerance_id tolerance, double *out_low,
                            double *out_high)
{
	const bound_rule rule = rule_of(expected, tolerance);
	const double want = expected->value[i], rounded = tensor_round(expected->dtype, want);
	const double bound = bound_of(&rule, expected, i), largest = 0x1.fffffep+127 * (1 - 1e-5);
	*out_low = *out_high = want;
	if (isnan(want) || isinf(want)) return;
	if (isinf(rounded)) {
		*out_low = rounded > 0 ? largest : rounded;
		*out_high = rounded > 0 ? rounded : -largest;
		return;
	}
	*out_low = fmin(rounded, want - bound);
	*out_high = fmax(rounded, want + bound);
}

void conform__compare_arithmetic(uint32_t flags, char *out_text, size_t length)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{HY_EXE_COMPUTES_TF32, "tf32"},
	             {HY_EXE_COMPUTES_BF16, "bf16"},
	             {HY_EXE_COMPUTES_F16, "f16"},
	             {HY_EXE_SUMS_F16, "sums in f16"},
	             {HY_EXE_FLUSHES_DENORMALS, "denormals flushed"}};
	size_t used = 0;
	out_text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && used < length; i++)
		if (flags & names[i].flag)
			used += (size_t)snprintf(out_text + used, length - used, "%s%s", used == 0 ? "" : ", ",
			                         names[i].name);
}

bool conform__compare(const tensor *expected, const void *got, tolerance_id tolerance,
                      hy_conform_difference *out_difference)
{
	const bound_rule rule = rule_of(expected, tolerance);
	hy_conform_difference d = {.rank = expected->rank,
	                           .factor = rule.factor,
	                           .root = rule.root,
	                           .unit = rule.unit,
	                           .least = rule.least,
	                           .terms = expected->terms,
	                           .arithmetic = expected->arithmetic,
	                           .total = expected->count};
	for (int64_t i = 0; i < expected->count; i++) {
		const double value = tensor_unpack_at(expected->dtype, got, i), bound = bound_of(&rule, expected, i);
		if (agrees(expected, i, value, bound, tolerance)) continue;
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
	char declared[sizeof(d.tolerance) - 16];
	conform__compare_arithmetic(expected->arithmetic, declared, sizeof(declared));
	snprintf(d.tolerance, sizeof(d.tolerance), "%s%s%s", tolerances[tolerance].name,
	         declared[0] != '\0' ? ", declared " : "", declared);
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
	char rule[160];
	if (d.factor == 0 && d.root == 0)
		snprintf(rule, sizeof(rule), "%s", d.tolerance);
	else
		snprintf(rule, sizeof(rule), "%s: %g + %g*sqrt(%lld) of u = %.3g, relative to %.6g", d.tolerance,
		         d.factor, d.root, (long long)d.terms, d.unit, d.first[0].magnitude);
	conform__fail(run, "%s: element [%s] is %.9g, expected %.9g within %.3g (%s); %lld of %lld elements differ",
	              subject, place, d.first[0].got, d.first[0].expected, d.first[0].bound, rule, (long long)d.wrong,
	              (long long)d.total);
	return false;
}

/* Whether got is accepted for want, within magnitude 5 of 16 terms. */
static bool accepts(double want, float got, tolerance_id tolerance, uint32_t arithmetic)
{
	double magnitude = 5;
	hy_conform_difference d;
	const tensor t = {.dtype = HY_DTYPE_F32,
	                  .count = 1,
	                  .value = &want,
	                  .magnitude = &magnitude,
	                  .terms = 16,
	                  .arithmetic = arithmetic};
	return conform__compare(&t, &got, tolerance, &d);
}

static const char *special_test(void)
{
	static const struct {
		double want;
		float got;
		tolerance_id tolerance;
		uint32_t arithmetic;
		bool accepted;
		const char *wrong;
	} rows[] = {
		{3, NAN, TOLERANCE_NORM, 0, false, "NaN is accepted for a number"},
		{NAN, NAN, TOLERANCE_EXACT, 0, true, "NaN is refused for NaN"},
		{NAN, NAN, TOLERANCE_BITS, 0, true, "NaN is refused for NaN's bits"},
		{NAN, 3, TOLERANCE_NORM, 0, false, "a number is accepted for NaN"},
		{3, INFINITY, TOLERANCE_NORM, 0, false, "infinity is accepted for a number"},
		{INFINITY, INFINITY, TOLERANCE_NORM, 0, true, "infinity is refused for infinity"},
		{INFINITY, -INFINITY, TOLERANCE_NORM, 0, false, "an infinity is accepted for the other"},
		{INFINITY, 1e38f, TOLERANCE_NORM, 0, false, "a number is accepted for infinity"},
		{-INFINITY, 0x1.fffffep+127f, TOLERANCE_NORM, 0, false, "the largest is accepted for -infinity"},
		{0, -0.0f, TOLERANCE_EXACT, 0, true, "-0 is refused for 0"},
		{0, -0.0f, TOLERANCE_BITS, 0, false, "-0 is accepted for 0's bits"},
		{-0.0, -0.0f, TOLERANCE_BITS, 0, true, "-0 is refused for -0"},
		{0x1p-130, 0, TOLERANCE_EXACT, 0, false, "a lost denormal is accepted"},
		{0x1p-130, 0, TOLERANCE_EXACT, HY_EXE_FLUSHES_DENORMALS, true, "a declared flush is refused"},
		{0x1p-130, 0, TOLERANCE_BITS, HY_EXE_FLUSHES_DENORMALS, false, "a copy may flush"},
		{0x1p-120, 0, TOLERANCE_EXACT, HY_EXE_FLUSHES_DENORMALS, false, "a flushed normal is accepted"},
		{3, 3.005f, TOLERANCE_SUM, 0, false, "undeclared tf32 is accepted"},
		{3, 3.009f, TOLERANCE_SUM, HY_EXE_COMPUTES_TF32, true, "declared tf32 is refused"},
		{3, 3.011f, TOLERANCE_SUM, HY_EXE_COMPUTES_TF32, false, "tf32's bound is too wide"},
		{3, 3.009f, TOLERANCE_SUM, HY_EXE_COMPUTES_F16, true, "declared f16 is refused"},
		{3, 3.077f, TOLERANCE_NORM, HY_EXE_COMPUTES_BF16, true, "declared bf16 is refused"},
		{3, 3.08f, TOLERANCE_SUM, HY_EXE_COMPUTES_BF16, false, "bf16's bound is too wide"},
		{3, 3.009f, TOLERANCE_EXACT, HY_EXE_COMPUTES_TF32, false, "integers are not exact in tf32"},
		{3, 3.009f, TOLERANCE_ROUND, HY_EXE_COMPUTES_TF32, false, "tf32 widens an elementwise operator"},
		{3, 3.048f, TOLERANCE_EXACT, HY_EXE_SUMS_F16, true, "declared sums in f16 are refused"},
		{3, 3.05f, TOLERANCE_EXACT, HY_EXE_SUMS_F16, false, "the bound of sums in f16 is too wide"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (accepts(rows[i].want, rows[i].got, rows[i].tolerance, rows[i].arithmetic) != rows[i].accepted)
			return rows[i].wrong;
	return NULL;
}

/* Bounds by numbers worked out by hand: a wrong unit or factor can't agree with itself. Of value 3, 16 terms. */
static const char *bounds_test(void)
{
	static const struct {
		hy_dtype dtype;
		tolerance_id tolerance;
		uint32_t arithmetic;
		double magnitude, bound;
	} rows[] = {
		{HY_DTYPE_F32, TOLERANCE_EXACT, 0, 5, 0},
		{HY_DTYPE_F32, TOLERANCE_BITS, HY_EXE_FLUSHES_DENORMALS, 5, 0},
		{HY_DTYPE_F32, TOLERANCE_ROUND, 0, 5, 5.9604644775390625e-07},
		{HY_DTYPE_F32, TOLERANCE_DIVIDE, 0, 5, 1.4901161193847656e-06},
		{HY_DTYPE_F32, TOLERANCE_SUM, 0, 5, 5.9604644775390625e-06},
		{HY_DTYPE_F32, TOLERANCE_NORM, 0, 5, 1.1920928955078125e-05},
		{HY_DTYPE_F64, TOLERANCE_SUM, 0, 5, 1.1102230246251565e-14},
		{HY_DTYPE_F16, TOLERANCE_ROUND, 0, 5, 0.0048828721046447754},
		{HY_DTYPE_BF16, TOLERANCE_ROUND, 0, 5, 0.0390625},
		{HY_DTYPE_I32, TOLERANCE_ROUND, 0, 5, 0},
		{HY_DTYPE_F32, TOLERANCE_SUM, HY_EXE_COMPUTES_TF32, 5, 0.00977158546447754},
		{HY_DTYPE_F32, TOLERANCE_NORM, HY_EXE_COMPUTES_TF32, 5, 0.00977754592895508},
		{HY_DTYPE_F32, TOLERANCE_SUM, HY_EXE_COMPUTES_BF16, 5, 0.07813096046447754},
		{HY_DTYPE_F32, TOLERANCE_SUM, HY_EXE_COMPUTES_F16, 5, 0.00977540016174316},
		{HY_DTYPE_F32, TOLERANCE_SUM, HY_EXE_SUMS_F16, 5, 0.04883790016174316},
		{HY_DTYPE_F32, TOLERANCE_EXACT, HY_EXE_SUMS_F16, 5, 0.04883193969726562},
		{HY_DTYPE_F32, TOLERANCE_ROUND, HY_EXE_SUMS_F16 | HY_EXE_COMPUTES_BF16, 5, 4.41074371337890625e-06},
		{HY_DTYPE_F32, TOLERANCE_SUM, 0, 0, 1.401298464324817e-45},
		{HY_DTYPE_F32, TOLERANCE_SUM, HY_EXE_FLUSHES_DENORMALS, 0, 1.1754943508222875e-38},
		{HY_DTYPE_F32, TOLERANCE_NORM, 0, 0, 1.1754943508222875e-38},
		{HY_DTYPE_F16, TOLERANCE_ROUND, 0, 0, 5.9604644775390625e-08},
		{HY_DTYPE_F64, TOLERANCE_ROUND, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double value = 3, magnitude = rows[i].magnitude, low, high;
		const tensor t = {.dtype = rows[i].dtype,
		                  .count = 1,
		                  .value = &value,
		                  .magnitude = &magnitude,
		                  .terms = 16,
		                  .arithmetic = rows[i].arithmetic};
		const bound_rule rule = rule_of(&t, rows[i].tolerance);
		const double bound = bound_of(&rule, &t, 0);
		if (fabs(bound - rows[i].bound) > rows[i].bound * 1e-12) return "a bound is not what it must be";
		conform__compare_range(&t, 0, rows[i].tolerance, &low, &high);
		if (low != 3 - bound || high != 3 + bound) return "a range is not that of its bound";
	}
	return NULL;
}

static const char *overflow_test(void)
{
	static const float largest = 0x1.fffffep+127f;
	double value = -1e39, low, high;
	const tensor t = {.dtype = HY_DTYPE_F32, .count = 1, .value = &value, .terms = 1};
	conform__compare_range(&t, 0, TOLERANCE_ROUND, &low, &high);
	if (low != -INFINITY || high < -largest || high > -3.4e38) return "a range below all numbers is wrong";
	value = 1e39;
	conform__compare_range(&t, 0, TOLERANCE_ROUND, &low, &high);
	if (high != INFINITY || low > largest || low < 3.4e38) return "a range above all numbers is wrong";
	value = INFINITY;
	conform__compare_range(&t, 0, TOLERANCE_ROUND, &low, &high);
	if (low != INFINITY || high != INFINITY) return "a range of infinity is wrong";
	value = NAN;
	conform__compare_range(&t, 0, TOLERANCE_ROUND, &low, &high);
	if (low == low || high == high) return "a range of NaN is wrong";
	if (!accepts(1e39, largest, TOLERANCE_ROUND, 0) || !accepts(-1e39, -largest, TOLERANCE_ROUND, 0))
		return "the largest number is refused for more";
	if (accepts(1e39, -largest, TOLERANCE_ROUND, 0) || accepts(1e39, 3.3e38f, TOLERANCE_ROUND, 0))
		return "a number is accepted for more than the largest";
	return NULL;
}

/* Which elements differ, how many, and where. */
static const char *counting_test(void)
{
	double value[6] = {1, 2, 3, 4, 5, 6};
	const float got[6] = {1, 0, 3, 0, 0, 0}, right[6] = {1, 2, 3, 4, 5, 6};
	const tensor t = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {2, 3}, .count = 6, .value = value, .terms = 1};
	hy_conform_difference d = {.total = -1};
	if (!conform__compare(&t, right, TOLERANCE_EXACT, &d) || d.total != -1) return "what agrees differs";
	if (conform__compare(&t, got, TOLERANCE_EXACT, &d)) return "what differs agrees";
	if (d.wrong != 4 || d.total != 6 || d.shown != 3) return "elements are counted wrong";
	if (d.first[0].index[0] != 0 || d.first[0].index[1] != 1 || d.first[2].index[0] != 1 ||
	    d.first[2].index[1] != 1)
		return "elements are named wrong";
	if (d.first[1].expected != 4 || d.first[1].got != 0 || d.first[1].magnitude != 4)
		return "numbers are told wrong";
	return NULL;
}

const char *conform__compare_self_test(void)
{
	hy_conform_difference d;
	double value = 3, magnitude = 5;
	tensor t = {.dtype = HY_DTYPE_F32, .count = 1, .value = &value, .magnitude = &magnitude, .terms = 16};
	for (int id = 0; id < TOLERANCE_COUNT; id++) {
		const bound_rule rule = rule_of(&t, (tolerance_id)id);
		const double bound = bound_of(&rule, &t, 0);
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
	const char *const wrong[] = {special_test(), bounds_test(), overflow_test(), counting_test()};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (wrong[i] != NULL) return wrong[i];
	return NULL;
}
