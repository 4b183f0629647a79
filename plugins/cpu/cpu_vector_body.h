/* Included once per instruction set, with HY_CPU_VECTOR_TABLE naming the table. Multiplications and additions may be
 * contracted. The functions below are branch-free so that the loops vectorise; errors are in ulps of the result,
 * measured over all floats by tests/plugins/test_cpu_vector.c. */
#include "cpu_vector.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float from_bits(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline uint32_t to_bits(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline float relu(float x)
{
	return x < 0.0f ? 0.0f : x;
}

/* exp(f) for |f| <= ln 2 / 2, minus 1, by a polynomial of degree 6; split so that small f keep their bits. */
static inline float expm1_core(float f)
{
	float r = 1.37805939e-3f;
	r = r * f + 8.37312452e-3f;
	r = r * f + 4.16695364e-2f;
	r = r * f + 1.66664720e-1f;
	r = r * f + 4.99999851e-1f;
	return r * f * f + f;
}

/* x = n ln 2 + f. The magic number rounds to an integer in the low bits of the sum. */
static inline float exp_reduce(float x, float *out_n)
{
	const float magic = 12582912.0f; /* 1.5 * 2^23 */
	const float n = (x * 1.44269504f + magic) - magic;
	*out_n = n;
	return (x - n * 0.693145752f) - n * 1.42860677e-6f;
}

/* 2^n in two factors: n from -252 to 254. */
static inline float scale_by_power(float value, float n)
{
	const int32_t whole = (int32_t)n;
	const int32_t half = whole >> 1;
	return value * from_bits((uint32_t)(half + 127) << 23) * from_bits((uint32_t)(whole - half + 127) << 23);
}

/* <= 1 ulp */
static inline float vector_exp(float x)
{
	float n;
	const float y = x < -110.0f ? -110.0f : (x > 89.0f ? 89.0f : x);
	const float f = exp_reduce(y, &n);
	const float r = scale_by_power(expm1_core(f) + 1.0f, n);
	return x != x ? x : r;
}

/* exp(x) - 1 for x <= 0; <= 3 ulp */
static inline float vector_expm1(float x)
{
	float n;
	const float y = x < -30.0f ? -30.0f : (x > 0.0f ? 0.0f : x);
	const float f = exp_reduce(y, &n);
	const float power = from_bits((uint32_t)((int32_t)n + 127) << 23);
	const float r = power * expm1_core(f) + (power - 1.0f);
	return x != x ? x : r;
}

/* <= 2 ulp. x = 2^n m, m in [2/3, 4/3]. */
static inline float vector_log(float x)
{
	const float tiny = x < 1.17549435e-38f ? 8388608.0f : 1.0f;
	const uint32_t bits = to_bits(x * tiny);
	const uint32_t e = (bits - 0x3f2aaaabu) & 0xff800000u;
	const float m = from_bits(bits - e);
	const float n = (float)(int32_t)e * 1.19209290e-7f - (tiny > 1.0f ? 23.0f : 0.0f);
	const float f = m - 1.0f;
	const float s = f * f;
	float r = -0.130310059f;
	float t = 0.140869141f;
	r = r * s + -0.121483512f;
	t = t * s + 0.139814854f;
	r = r * s + -0.166846126f;
	t = t * s + 0.200120345f;
	r = r * s + -0.249996200f;
	r = t * f + r;
	r = r * f + 0.333331972f;
	r = r * f + -0.500000000f;
	r = r * s + f;
	r = n * 0.693147182f + r;
	const float special = x < 0.0f ? NAN : (x == 0.0f ? -INFINITY : x);
	return x > 0.0f && x < INFINITY ? r : special;
}

/* <= 2 ulp */
static inline float vector_erf(float x)
{
	const float t = fabsf(x);
	const float s = x * x;
	float r = -1.72853470e-5f * t + 3.83197126e-4f;
	const float u = -3.88396438e-3f * t + 2.42546219e-2f;
	r = r * s + u;
	r = r * t + -1.06777877e-1f;
	r = r * t + -6.34846687e-1f;
	r = r * t + -1.28717512e-1f;
	r = r * t - t;
	const float far = copysignf(1.0f - vector_exp(r), x);
	float n = -5.96761703e-4f;
	n = n * s + 4.99119423e-3f;
	n = n * s + -2.67681349e-2f;
	n = n * s + 1.12819925e-1f;
	n = n * s + -3.76125336e-1f;
	n = n * s + 1.28379166e-1f;
	n = n * x + x;
	return t > 0.927734375f ? far : n;
}

/* <= 3 ulp; tanh(t) = -e / (e + 2), e = exp(-2t) - 1. */
static inline float vector_tanh(float x)
{
	const float t = fabsf(x);
	const float e = vector_expm1(-2.0f * t);
	return copysignf(-e / (e + 2.0f), x);
}

static inline float sigmoid(float x)
{
	return 1.0f / (1.0f + vector_exp(-x));
}

/* log(1 + e^x) = max(x, 0) + log1p(e), e = exp(-|x|); log1p(e) = log(u) e / (u - 1), u = 1 + e rounded. */
static inline float softplus(float x)
{
	const float e = vector_exp(-fabsf(x));
	const float u = 1.0f + e;
	const float d = u - 1.0f;
	const float l = vector_log(u) * (e / (d > 0.0f ? d : 1.0f));
	return relu(x) + (d > 0.0f ? l : e);
}

#define V(name, value)                                                                                             \
	static void run_##name(float *out, const float *a, const float *b, const float *c, const float *constants, \
	                       size_t count)                                                                       \
	{                                                                                                          \
		const float p = constants[0], q = constants[1];                                                    \
		const float *const bb = b != NULL ? b : a, *const cc = c != NULL ? c : a;                          \
		_Pragma("omp simd") for (size_t i = 0; i < count; i++)                                             \
		{                                                                                                  \
			const float x = a[i], y = bb[i], z = cc[i];                                                \
			(void)y, (void)z;                                                                          \
			out[i] = (value);                                                                          \
		}                                                                                                  \
		(void)p, (void)q;                                                                                  \
	}
#include "cpu_vector.def"
#undef V

const hy_cpu_vector_fn HY_CPU_VECTOR_TABLE[HY_CPU_VECTOR_COUNT] = {
#define V(name, value) run_##name,
#include "cpu_vector.def"
#undef V
};
