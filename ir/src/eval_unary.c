/* Elementwise operators with one input. */
#include "eval.h"

#include <math.h>
#include <string.h>

#define PIECE 256

/* a and b are the float attributes alpha and beta (gamma of Selu), or 0. */
typedef double real_function(double x, double a, double b);

static double unit(double x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

#define REAL(name, result)                                      \
	static double real_##name(double x, double a, double b) \
	{                                                       \
		(void)a;                                        \
		(void)b;                                        \
		return result;                                  \
	}
REAL(sqrt, sqrt(x))
REAL(erf, erf(x))
REAL(exp, exp(x))
REAL(log, log(x))
REAL(sin, sin(x))
REAL(cos, cos(x))
REAL(tanh, tanh(x))
REAL(sigmoid, x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)))
REAL(relu, x < 0 ? 0 : x)
REAL(leaky_relu, x < 0 ? a * x : x)
REAL(elu, x < 0 ? a * expm1(x) : x)
REAL(selu, x < 0 ? b * a * expm1(x) : b * x)
REAL(hard_sigmoid, unit(a *x + b))
REAL(hard_swish, x *unit(x / 6 + 0.5))
REAL(gelu, 0.5 * x * (1 + erf(x * 0.70710678118654752440)))
REAL(gelu_tanh, 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x))))
REAL(softplus, fmax(x, 0) + log1p(exp(-fabs(x))))
REAL(mish, x *tanh(real_softplus(x, 0, 0)))
REAL(softsign, x / (1 + fabs(x)))
REAL(thresholded_relu, x > a ? x : 0)
REAL(neg, -x)
REAL(abs, fabs(x))
REAL(sign, x > 0 ? 1 : x < 0 ? -1 : x)
REAL(reciprocal, 1 / x)
REAL(floor, floor(x))
REAL(ceil, ceil(x))
REAL(round, rint(x))
REAL(is_nan, isnan(x))
/* a, b: whether infinity below and above zero counts. */
REAL(is_inf, isinf(x) && (x < 0 ? a : b) != 0)
#undef REAL

typedef int64_t whole_function(int64_t x);

static int64_t whole_relu(int64_t x)
{
	return x < 0 ? 0 : x;
}

static int64_t whole_neg(int64_t x)
{
	return (int64_t)(0 - (uint64_t)x);
}

static int64_t whole_abs(int64_t x)
{
	return x < 0 ? whole_neg(x) : x;
}

static int64_t whole_sign(int64_t x)
{
	return (x > 0) - (x < 0);
}

static int64_t whole_not(int64_t x)
{
	return x == 0;
}

static int64_t natural_abs(int64_t x)
{
	return x;
}

static int64_t natural_sign(int64_t x)
{
	return x != 0;
}

static const struct {
	real_function *real;
	whole_function *whole;
	float alpha, beta; /* defaults */
} table[HY_IR_OP_COUNT] = {
	[HY_IR_OP_Sqrt] = {.real = real_sqrt},
	[HY_IR_OP_Erf] = {.real = real_erf},
	[HY_IR_OP_Exp] = {.real = real_exp},
	[HY_IR_OP_Log] = {.real = real_log},
	[HY_IR_OP_Sin] = {.real = real_sin},
	[HY_IR_OP_Cos] = {.real = real_cos},
	[HY_IR_OP_Tanh] = {.real = real_tanh},
	[HY_IR_OP_Sigmoid] = {.real = real_sigmoid},
	[HY_IR_OP_Relu] = {real_relu, whole_relu, 0, 0},
	[HY_IR_OP_LeakyRelu] = {real_leaky_relu, NULL, 0.01f, 0},
	[HY_IR_OP_Elu] = {real_elu, NULL, 1, 0},
	[HY_IR_OP_Selu] = {real_selu, NULL, 1.67326319217681884765625f, 1.05070102214813232421875f},
	[HY_IR_OP_HardSigmoid] = {real_hard_sigmoid, NULL, 0.2f, 0.5f},
	[HY_IR_OP_HardSwish] = {.real = real_hard_swish},
	[HY_IR_OP_Gelu] = {.real = real_gelu},
	[HY_IR_OP_Mish] = {.real = real_mish},
	[HY_IR_OP_Softplus] = {.real = real_softplus},
	[HY_IR_OP_Softsign] = {.real = real_softsign},
	[HY_IR_OP_ThresholdedRelu] = {real_thresholded_relu, NULL, 1, 0},
	[HY_IR_OP_Neg] = {real_neg, whole_neg, 0, 0},
	[HY_IR_OP_Abs] = {real_abs, whole_abs, 0, 0},
	[HY_IR_OP_Sign] = {real_sign, whole_sign, 0, 0},
	[HY_IR_OP_Reciprocal] = {.real = real_reciprocal},
	[HY_IR_OP_Floor] = {.real = real_floor},
	[HY_IR_OP_Ceil] = {.real = real_ceil},
	[HY_IR_OP_Round] = {.real = real_round},
	[HY_IR_OP_Not] = {.whole = whole_not},
	[HY_IR_OP_IsNaN] = {.real = real_is_nan},
	[HY_IR_OP_IsInf] = {.real = real_is_inf},
};

static whole_function *whole_function_of(const hy_ir__call *call)
{
	const hy_ir_op_id op = call->node->op->id;
	if (call->in[0].type.dtype != HY_DTYPE_U64) return table[op].whole;
	return op == HY_IR_OP_Abs ? natural_abs : natural_sign;
}

static void map_wholes(const hy_ir__call *call, whole_function *f, const hy_ir_tensor *out, int64_t at, int64_t count)
{
	int64_t x[PIECE];
	hy_ir__read_wholes(call->in[0].type.dtype, call->in[0].data, at, 1, count, x);
	for (int64_t i = 0; i < count; i++)
		x[i] = f(x[i]);
	hy_ir__write_wholes(out->type.dtype, out->data, at, count, x);
}

hy_status hy_ir__eval_unary(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_op_id op = call->node->op->id;
	const hy_ir_tensor *in = &call->in[0];
	const int64_t elements = hy_ir_type_elements(&out->type);
	real_function *f = table[op].real;
	double a = hy_ir__call_float(call, "alpha", table[op].alpha);
	double b = hy_ir__call_float(call, op == HY_IR_OP_Selu ? "gamma" : "beta", table[op].beta);
	if (op == HY_IR_OP_IsInf) {
		a = (double)hy_ir__call_int(call, "detect_negative", 1);
		b = (double)hy_ir__call_int(call, "detect_positive", 1);
	}
	if (op == HY_IR_OP_Gelu && strcmp(hy_ir_node_attr_string(call->node, "approximate", "none"), "tanh") == 0)
		f = real_gelu_tanh;
	for (int64_t at = 0; at < elements; at += PIECE) {
		const int64_t count = elements - at < PIECE ? elements - at : PIECE;
		double x[PIECE];
		if (!hy_dtype_is_float(in->type.dtype)) {
			map_wholes(call, whole_function_of(call), out, at, count);
			continue;
		}
		hy_ir__read_reals(in->type.dtype, in->data, at, 1, count, x);
		for (int64_t i = 0; i < count; i++)
			x[i] = f(x[i], a, b);
		hy_ir__write_reals(out->type.dtype, out->data, at, count, x);
	}
	return HY_OK;
}

hy_status hy_ir__eval_cast(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *in = &call->in[0];
	const int64_t elements = hy_ir_type_elements(&out->type);
	for (int64_t at = 0; at < elements; at += PIECE) {
		const int64_t count = elements - at < PIECE ? elements - at : PIECE;
		double reals[PIECE];
		int64_t wholes[PIECE];
		if (hy_dtype_is_float(in->type.dtype)) {
			hy_ir__read_reals(in->type.dtype, in->data, at, 1, count, reals);
			hy_ir__write_reals(out->type.dtype, out->data, at, count, reals);
			continue;
		}
		hy_ir__read_wholes(in->type.dtype, in->data, at, 1, count, wholes);
		if (in->type.dtype == HY_DTYPE_U64)
			hy_ir__write_wholes_unsigned(out->type.dtype, out->data, at, count, wholes);
		else
			hy_ir__write_wholes(out->type.dtype, out->data, at, count, wholes);
	}
	return HY_OK;
}
