/* The oracle: elementwise operators. Formulas are those of the ONNX operator pages. */
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one input ---- */

static double f_neg(double x)
{
	return -x;
}
static double f_sign(double x)
{
	return x > 0 ? 1 : x < 0 ? -1 : x;
}
static double f_reciprocal(double x)
{
	return 1 / x;
}
static double f_sigmoid(double x)
{
	return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}
static double f_relu(double x)
{
	return x != x ? x : x > 0 ? x : 0;
}
static double f_softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double f_softsign(double x)
{
	return x / (1 + fabs(x));
}
static double f_mish(double x)
{
	return x * tanh(f_softplus(x));
}
static double f_hard_swish(double x)
{
	return x * fmax(0, fmin(1, x / 6 + 0.5));
}
static double f_not(double x)
{
	return x == 0;
}
static double f_is_nan(double x)
{
	return x != x;
}
static double f_same(double x)
{
	return x;
}

static const struct {
	const char *op;
	double (*f)(double);
	bool to_bool;
	double least_magnitude; /* the bound is relative to no less than this */
} unary[] = {{"Neg", f_neg, false, 0},
             {"Abs", fabs, false, 0},
             {"Sign", f_sign, false, 0},
             {"Sqrt", sqrt, false, 0},
             {"Exp", exp, false, 0},
             {"Log", log, false, 0.5},
             {"Sin", sin, false, 0.25},
             {"Cos", cos, false, 0.25},
             {"Tanh", tanh, false, 0},
             {"Erf", erf, false, 0},
             {"Reciprocal", f_reciprocal, 0, 0},
             {"Sigmoid", f_sigmoid, false, 0},
             {"Relu", f_relu, false, 0},
             {"Softplus", f_softplus, 0, 0.5},
             {"Softsign", f_softsign, false, 0},
             {"Mish", f_mish, false, 0.5},
             {"HardSwish", f_hard_swish, 0, 1},
             {"Floor", floor, false, 0},
             {"Ceil", ceil, false, 0},
             {"Round", nearbyint, false, 0},
             {"Not", f_not, true, 0},
             {"IsNaN", f_is_nan, true, 0},
             {"Identity", f_same, false, 0}};

static double with_attributes(const op_spec *s, double x, bool *known)
{
	const char *op = s->op;
	*known = true;
	if (strcmp(op, "LeakyRelu") == 0) return x >= 0 ? x : op_float(s, "alpha", 0.01) * x;
	if (strcmp(op, "Elu") == 0) return x >= 0 ? x : op_float(s, "alpha", 1) * expm1(x);
	if (strcmp(op, "Selu") == 0) {
		const double alpha = op_float(s, "alpha", 1.67326319217681884765625);
		const double gamma = op_float(s, "gamma", 1.05070102214813232421875);
		return gamma * (x > 0 ? x : alpha * expm1(x));
	}
	if (strcmp(op, "HardSigmoid") == 0)
		return fmax(0, fmin(1, op_float(s, "alpha", 0.2) * x + op_float(s, "beta", 0.5)));
	if (strcmp(op, "ThresholdedRelu") == 0) return x > op_float(s, "alpha", 1) ? x : 0;
	if (strcmp(op, "IsInf") == 0)
		return isinf(x) && (x > 0 ? op_int(s, "detect_positive", 1) : op_int(s, "detect_negative", 1)) != 0;
	if (strcmp(op, "Gelu") == 0) {
		if (strcmp(op_text(s, "approximate", "none"), "tanh") == 0)
			return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
		return 0.5 * x * (1 + erf(x * 0.7071067811865476));
	}
	*known = false;
	return 0;
}

static uint32_t run_unary(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	bool known;
	for (size_t k = 0; k < sizeof(unary) / sizeof(unary[0]); k++) {
		if (strcmp(unary[k].op, s->op) != 0) continue;
		tensor_create(out, unary[k].to_bool ? HY_DTYPE_BOOL : x->dtype, x->rank, x->dim);
		tensor like;
		tensor_create(&like, x->dtype, x->rank, x->dim);
		out->magnitude = like.value;
		for (int64_t i = 0; i < x->count; i++) {
			out->value[i] = unary[k].f(x->value[i]);
			out->magnitude[i] = fmax(fabs(out->value[i]), unary[k].least_magnitude);
		}
		return 1;
	}
	with_attributes(s, 0, &known);
	if (!known) return 0;
	tensor_create(out, strcmp(s->op, "IsInf") == 0 ? HY_DTYPE_BOOL : x->dtype, x->rank, x->dim);
	tensor like;
	tensor_create(&like, x->dtype, x->rank, x->dim);
	out->magnitude = like.value;
	for (int64_t i = 0; i < x->count; i++) {
		out->value[i] = with_attributes(s, x->value[i], &known);
		out->magnitude[i] = fmax(fabs(out->value[i]), 1);
	}
	return 1;
}

static uint32_t run_cast(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	const hy_dtype to = (hy_dtype)op_int(s, "to", HY_DTYPE_F32);
	tensor_create(out, to, x->rank, x->dim);
	for (int64_t i = 0; i < x->count; i++) {
		const double v = x->value[i];
		out->value[i] = to == HY_DTYPE_BOOL ? v != 0 : hy_dtype_is_float(to) ? tensor_round(to, v) : trunc(v);
	}
	return 1;
}

/* ---- broadcasting ---- */

static bool broadcast_shape(const tensor *in, uint32_t count, uint32_t *rank, int64_t *dims)
{
	*rank = 0;
	for (uint32_t k = 0; k < count; k++)
		if (in[k].rank > *rank) *rank = in[k].rank;
	for (uint32_t i = 0; i < *rank; i++) {
		dims[i] = 1;
		for (uint32_t k = 0; k < count; k++) {
			const uint32_t missing = *rank - in[k].rank;
			const int64_t d = i < missing ? 1 : in[k].dim[i - missing];
			if (d != 1) dims[i] = d;
		}
	}
	return true;
}

static double broadcast_at(const tensor *t, const tensor *out, const int64_t *coordinates)
{
	int64_t own[HY_MAX_RANK];
	const uint32_t missing = out->rank - t->rank;
	for (uint32_t i = 0; i < t->rank; i++)
		own[i] = t->dim[i] == 1 ? 0 : coordinates[i + missing];
	return t->value[tensor_index(t, own)];
}

static double wrap(hy_dtype dtype, double v)
{
	if (dtype == HY_DTYPE_I32) return (double)(int32_t)(uint32_t)(int64_t)v;
	if (dtype == HY_DTYPE_I8) return (double)(int8_t)(uint8_t)(int64_t)v;
	if (dtype == HY_DTYPE_U8) return (double)(uint8_t)(int64_t)v;
	return v;
}

static double integer_mod(double a, double b, bool fmod_signs)
{
	const double r = fmod(a, b);
	return !fmod_signs && r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static double nan_or(double a, double b, double otherwise)
{
	return a != a ? a : b != b ? b : otherwise;
}

static double two(const op_spec *s, double a, double b, bool *known, bool *to_bool)
{
	const char *op = s->op;
	*known = true;
	*to_bool = false;
	if (strcmp(op, "Add") == 0 || strcmp(op, "Sum") == 0 || strcmp(op, "Mean") == 0) return a + b;
	if (strcmp(op, "Sub") == 0) return a - b;
	if (strcmp(op, "Mul") == 0) return a * b;
	if (strcmp(op, "Div") == 0) return hy_dtype_is_float(s->inputs[0].dtype) ? a / b : trunc(a / b);
	if (strcmp(op, "Pow") == 0) return pow(a, b);
	if (strcmp(op, "Mod") == 0) return integer_mod(a, b, op_int(s, "fmod", 0) != 0);
	if (strcmp(op, "PRelu") == 0) return a < 0 ? a * b : a;
	if (strcmp(op, "Max") == 0) return nan_or(a, b, a > b ? a : b);
	if (strcmp(op, "Min") == 0) return nan_or(a, b, a < b ? a : b);
	*to_bool = true;
	if (strcmp(op, "And") == 0) return a != 0 && b != 0;
	if (strcmp(op, "Or") == 0) return a != 0 || b != 0;
	if (strcmp(op, "Xor") == 0) return (a != 0) != (b != 0);
	if (strcmp(op, "Equal") == 0) return a == b;
	if (strcmp(op, "Greater") == 0) return a > b;
	if (strcmp(op, "GreaterOrEqual") == 0) return a >= b;
	if (strcmp(op, "Less") == 0) return a < b;
	if (strcmp(op, "LessOrEqual") == 0) return a <= b;
	*known = false;
	return 0;
}

static uint32_t run_broadcast(const op_spec *s, tensor *out)
{
	bool known, to_bool;
	two(s, 0, 1, &known, &to_bool);
	if (!known) return 0;
	uint32_t rank;
	int64_t dims[HY_MAX_RANK], at[HY_MAX_RANK];
	broadcast_shape(s->inputs, s->input_count, &rank, dims);
	const hy_dtype dtype = to_bool ? HY_DTYPE_BOOL : s->inputs[0].dtype;
	tensor_create(out, dtype, rank, dims);
	const double scale = strcmp(s->op, "Mean") == 0 ? 1.0 / s->input_count : 1;
	const bool is_sum = strcmp(s->op, "Sum") == 0 || strcmp(s->op, "Mean") == 0;
	if (is_sum) out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
	for (int64_t i = 0; i < out->count; i++) {
		tensor_coordinates(out, i, at);
		double v = broadcast_at(&s->inputs[0], out, at), size = fabs(v);
		for (uint32_t k = 1; k < s->input_count; k++) {
			const double next = broadcast_at(&s->inputs[k], out, at);
			v = two(s, v, next, &known, &to_bool);
			size += fabs(next);
		}
		out->value[i] = wrap(dtype, v * scale);
		if (is_sum) out->magnitude[i] = size * scale;
	}
	out->terms = s->input_count;
	return 1;
}

static uint32_t run_where(const op_spec *s, tensor *out)
{
	uint32_t rank;
	int64_t dims[HY_MAX_RANK], at[HY_MAX_RANK];
	broadcast_shape(s->inputs, 3, &rank, dims);
	tensor_create(out, s->inputs[1].dtype, rank, dims);
	for (int64_t i = 0; i < out->count; i++) {
		tensor_coordinates(out, i, at);
		const bool first = broadcast_at(&s->inputs[0], out, at) != 0;
		out->value[i] = broadcast_at(&s->inputs[first ? 1 : 2], out, at);
	}
	return 1;
}

static uint32_t run_clip(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	tensor_create(out, x->dtype, x->rank, x->dim);
	for (int64_t i = 0; i < x->count; i++) {
		double v = x->value[i];
		if (s->input_count > 1 && s->inputs[1].present && v < s->inputs[1].value[0]) v = s->inputs[1].value[0];
		if (s->input_count > 2 && s->inputs[2].present && v > s->inputs[2].value[0]) v = s->inputs[2].value[0];
		out->value[i] = v;
	}
	return 1;
}

uint32_t oracle_elementwise(const op_spec *spec, tensor *outputs)
{
	if (strcmp(spec->op, "Cast") == 0) return run_cast(spec, outputs);
	if (strcmp(spec->op, "Where") == 0) return run_where(spec, outputs);
	if (strcmp(spec->op, "Clip") == 0) return run_clip(spec, outputs);
	const uint32_t count = run_unary(spec, outputs);
	return count != 0 ? count : run_broadcast(spec, outputs);
}
