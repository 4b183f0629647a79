#include "test.h"

#include "cpu_vector.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { RUN = 1024 };

/* How many units in the last place of the wanted float lie between. */
static double ulps(float got, double wanted)
{
	int exponent;
	if (isnan(wanted) || isnan(got)) return isnan(wanted) && isnan(got) ? 0 : 1e30;
	if (got == (float)wanted) return 0;
	if (isinf(got) || isinf((float)wanted)) return 1e30;
	(void)frexp(wanted, &exponent);
	return fabs(got - wanted) / ldexp(1, exponent - 24 > -149 ? exponent - 24 : -149);
}

/* The largest error over every 65,521th float and the runs behind it, by the machine's kernels and by the plain ones. */
static double worst(hy_cpu_vector_op op, double (*wanted)(double x))
{
	static float in[RUN], out[2][RUN];
	static const float constants[2] = {1.0f, 1.0f};
	double largest = 0;
	for (uint64_t first = 0; first <= UINT32_MAX; first += (uint64_t)65521 * RUN / 16) {
		for (uint32_t i = 0; i < RUN; i++) {
			const uint32_t bits = (uint32_t)first + i * 65521u;
			memcpy(&in[i], &bits, sizeof(bits));
		}
		hy_cpu_vector()[op](out[0], in, NULL, NULL, constants, RUN);
		hy_cpu_vector_plain[op](out[1], in, NULL, NULL, constants, RUN);
		for (uint32_t i = 0; i < 2 * RUN; i++) {
			const double error = ulps(out[i / RUN][i % RUN], wanted(in[i % RUN]));
			if (error > largest) largest = error;
		}
	}
	return largest;
}

static double elu(double x)
{
	return x < 0 ? expm1(x) : x;
}

static double softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static void curves_are_near_the_exact_ones(void **state)
{
	(void)state;
	static const struct {
		const char *says;
		hy_cpu_vector_op op;
		double (*wanted)(double x);
		double ulps;
	} rows[] = {
		{"exp", HY_CPU_VECTOR_EXP, exp, 1.0},    {"log", HY_CPU_VECTOR_LOG, log, 1.5},
		{"erf", HY_CPU_VECTOR_ERF, erf, 1.5},    {"tanh", HY_CPU_VECTOR_TANH, tanh, 2.5},
		{"elu", HY_CPU_VECTOR_ELU, elu, 1.0},    {"softplus", HY_CPU_VECTOR_SOFTPLUS, softplus, 3.0},
		{"sqrt", HY_CPU_VECTOR_SQRT, sqrt, 0.5}, {"round", HY_CPU_VECTOR_ROUND, nearbyint, 0.0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const double error = worst(rows[i].op, rows[i].wanted);
		if (error > rows[i].ulps) fail_msg("%s: %g ulp, allowed are %g", rows[i].says, error, rows[i].ulps);
	}
}

static void nan_passes_through_bounds(void **state)
{
	(void)state;
	static const hy_cpu_vector_op ops[] = {HY_CPU_VECTOR_RELU, HY_CPU_VECTOR_CLIP, HY_CPU_VECTOR_MIN,
	                                       HY_CPU_VECTOR_MAX,  HY_CPU_VECTOR_EXP,  HY_CPU_VECTOR_TANH};
	const float in[1] = {NAN}, other[1] = {1.0f}, constants[2] = {-1.0f, 1.0f};
	float out[1];
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		hy_cpu_vector()[ops[i]](out, in, other, NULL, constants, 1);
		assert_true(isnan(out[0]));
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(curves_are_near_the_exact_ones),
		CASE(nan_passes_through_bounds),
	};
	return cmocka_run_group_tests_name("plugins.cpu_vector", cases, NULL, NULL);
}
