/* Elementwise operators with two and more inputs, which broadcast. A row is read in short pieces as doubles or 64-bit
 * integers, combined one by one and written in the type of the output. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 256

typedef double real_function(double a, double b);
typedef int64_t whole_function(int64_t a, int64_t b);
typedef uint64_t natural_function(uint64_t a, uint64_t b);

/* Overflow wraps: sums and products are made of unsigned numbers. */
#define WRAPPING(name, operation)                                    \
	static double real_##name(double a, double b)                \
	{                                                            \
		return a operation b;                                \
	}                                                            \
	static int64_t whole_##name(int64_t a, int64_t b)            \
	{                                                            \
		return (int64_t)((uint64_t)a operation(uint64_t) b); \
	}                                                            \
	static uint64_t natural_##name(uint64_t a, uint64_t b)       \
	{                                                            \
		return a operation b;                                \
	}
WRAPPING(add, +)
WRAPPING(sub, -)
WRAPPING(mul, *)
#undef WRAPPING

#define FOR_ALL(name, result)                                  \
	static double real_##name(double a, double b)          \
	{                                                      \
		return result;                                 \
	}                                                      \
	static int64_t whole_##name(int64_t a, int64_t b)      \
	{                                                      \
		return result;                                 \
	}                                                      \
	static uint64_t natural_##name(uint64_t a, uint64_t b) \
	{                                                      \
		return result;                                 \
	}
FOR_ALL(equal, a == b)
FOR_ALL(greater, a > b)
FOR_ALL(greater_or_equal, a >= b)
FOR_ALL(less, a < b)
FOR_ALL(less_or_equal, a <= b)
/* NaN in either input stays. */
FOR_ALL(min, a != a || a < b ? a : b)
FOR_ALL(max, a != a || a > b ? a : b)
#undef FOR_ALL

static int64_t whole_and(int64_t a, int64_t b)
{
	return a != 0 && b != 0;
}

static int64_t whole_or(int64_t a, int64_t b)
{
	return a != 0 || b != 0;
}

static int64_t whole_xor(int64_t a, int64_t b)
{
	return (a != 0) != (b != 0);
}

static double real_div(double a, double b)
{
	return a / b;
}

/* Divisors are not 0. */
static int64_t whole_div(int64_t a, int64_t b)
{
	return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static uint64_t natural_div(uint64_t a, uint64_t b)
{
	return a / b;
}

/* The sign of the divisor. */
static int64_t whole_mod(int64_t a, int64_t b)
{
	if (b == -1) return 0;
	const int64_t rest = a % b;
	return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* The sign of the dividend, as C has it. */
static int64_t whole_fmod(int64_t a, int64_t b)
{
	return b == -1 ? 0 : a % b;
}

static uint64_t natural_mod(uint64_t a, uint64_t b)
{
	return a % b;
}

static uint64_t natural_pow(uint64_t a, uint64_t b)
{
	uint64_t power = 1;
	for (; b > 0; b >>= 1, a *= a)
		if ((b & 1) != 0) power *= a;
	return power;
}

/* A negative exponent gives the quotient 1 / a^-b, cut. */
static int64_t whole_pow(int64_t a, int64_t b)
{
	if (b >= 0) return (int64_t)natural_pow((uint64_t)a, (uint64_t)b);
	if (a == 1 || a == -1) return a == 1 || b % 2 == 0 ? 1 : -1;
	return 0;
}

static double real_prelu(double x, double slope)
{
	return x < 0 ? x * slope : x;
}

static int64_t whole_prelu(int64_t x, int64_t slope)
{
	return x < 0 ? whole_mul(x, slope) : x;
}

static uint64_t natural_prelu(uint64_t x, uint64_t slope)
{
	(void)slope;
	return x;
}

static const struct functions {
	real_function *real;
	whole_function *whole;
	natural_function *natural;
} table[HY_IR_OP_COUNT] = {
#define ROW(op, name) [HY_IR_OP_##op] = {real_##name, whole_##name, natural_##name}
	ROW(Add, add),
	ROW(Sub, sub),
	ROW(Mul, mul),
	ROW(Div, div),
	ROW(PRelu, prelu),
	ROW(Equal, equal),
	ROW(Greater, greater),
	ROW(GreaterOrEqual, greater_or_equal),
	ROW(Less, less),
	ROW(LessOrEqual, less_or_equal),
	ROW(Min, min),
	ROW(Max, max),
	ROW(Sum, add),
	ROW(Mean, add),
#undef ROW
	[HY_IR_OP_Pow] = {pow, whole_pow, natural_pow},
	[HY_IR_OP_Mod] = {fmod, whole_mod, natural_mod},
	[HY_IR_OP_And] = {NULL, whole_and, NULL},
	[HY_IR_OP_Or] = {NULL, whole_or, NULL},
	[HY_IR_OP_Xor] = {NULL, whole_xor, NULL},
};

/* What the numbers of a node are computed in. */
typedef enum domain { REAL, WHOLE, NATURAL } domain;

static domain domain_of(hy_dtype dtype)
{
	if (hy_dtype_is_float(dtype)) return REAL;
	return dtype == HY_DTYPE_U64 ? NATURAL : WHOLE;
}

typedef struct operand {
	const hy_ir_tensor *tensor;
	int64_t at, step;
} operand;

static void combine_reals(real_function *f, operand a, operand b, const hy_ir_tensor *out, int64_t at, int64_t count)
{
	double x[PIECE], y[PIECE];
	hy_ir__read_reals(a.tensor->type.dtype, a.tensor->data, a.at, a.step, count, x);
	hy_ir__read_reals(b.tensor->type.dtype, b.tensor->data, b.at, b.step, count, y);
	for (int64_t i = 0; i < count; i++)
		x[i] = f(x[i], y[i]);
	hy_ir__write_reals(out->type.dtype, out->data, at, count, x);
}

/* False where a divisor is 0. */
static bool combine_wholes(const struct functions *f, domain in, bool divides, operand a, operand b,
                           const hy_ir_tensor *out, int64_t at, int64_t count)
{
	int64_t x[PIECE], y[PIECE];
	hy_ir__read_wholes(a.tensor->type.dtype, a.tensor->data, a.at, a.step, count, x);
	hy_ir__read_wholes(b.tensor->type.dtype, b.tensor->data, b.at, b.step, count, y);
	for (int64_t i = 0; i < count; i++) {
		if (divides && y[i] == 0) return false;
		x[i] = in == WHOLE ? f->whole(x[i], y[i]) : (int64_t)f->natural((uint64_t)x[i], (uint64_t)y[i]);
	}
	hy_ir__write_wholes(out->type.dtype, out->data, at, count, x);
	return true;
}

hy_status hy_ir__eval_binary(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_op_id op = call->node->op->id;
	const bool divides = op == HY_IR_OP_Div || op == HY_IR_OP_Mod;
	struct functions f = table[op];
	domain in = domain_of(call->in[0].type.dtype);
	if (op == HY_IR_OP_Mod && hy_ir__call_int(call, "fmod", 0) != 0) f.whole = whole_fmod;
	if (op == HY_IR_OP_Pow && domain_of(call->in[1].type.dtype) == REAL) in = REAL;
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, out->type.rank, out->type.dim);
	hy_ir__walk_dense(&walk, 0);
	hy_ir__walk_broadcast(&walk, 1, &call->in[0].type);
	hy_ir__walk_broadcast(&walk, 2, &call->in[1].type);
	for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk)) {
		for (int64_t i = 0; i < walk.length; i += PIECE) {
			const int64_t count = walk.length - i < PIECE ? walk.length - i : PIECE;
			const operand a = {&call->in[0], walk.offset[1] + i * walk.step[1], walk.step[1]};
			const operand b = {&call->in[1], walk.offset[2] + i * walk.step[2], walk.step[2]};
			const int64_t at = walk.offset[0] + i;
			if (in == REAL)
				combine_reals(f.real, a, b, out, at, count);
			else if (!combine_wholes(&f, in, divides, a, b, out, at, count))
				return hy_ir__call_refuse(call, "an integer is divided by 0");
		}
	}
	return HY_OK;
}

/* acc = f(acc, input) over the whole output; acc holds doubles or 64-bit integers. */
static void fold_input(const hy_ir_tensor *input, const hy_ir_type *shape, const struct functions *f, domain in,
                       bool first, void *acc)
{
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, shape->rank, shape->dim);
	hy_ir__walk_dense(&walk, 0);
	hy_ir__walk_broadcast(&walk, 1, &input->type);
	for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk)) {
		for (int64_t i = 0; i < walk.length; i++) {
			const int64_t at = walk.offset[1] + i * walk.step[1];
			if (in == REAL) {
				const double x = hy_ir__read_real(input->type.dtype, input->data, at);
				double *sum = (double *)acc + walk.offset[0] + i;
				*sum = first ? x : f->real(*sum, x);
				continue;
			}
			const int64_t x = hy_ir__read_whole(input->type.dtype, input->data, at);
			int64_t *sum = (int64_t *)acc + walk.offset[0] + i;
			if (first)
				*sum = x;
			else if (in == WHOLE)
				*sum = f->whole(*sum, x);
			else
				*sum = (int64_t)f->natural((uint64_t)*sum, (uint64_t)x);
		}
	}
}

hy_status hy_ir__eval_variadic(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const int64_t elements = hy_ir_type_elements(&out->type);
	const domain in = domain_of(out->type.dtype);
	void *acc = hy_ir__alloc(elements, sizeof(double)); /* doubles, or 64-bit integers */
	if (acc == NULL) return hy_ir__no_memory(call->error);
	for (uint32_t i = 0; i < call->node->input_count; i++)
		fold_input(&call->in[i], &out->type, &table[call->node->op->id], in, i == 0, acc);
	if (call->node->op->id == HY_IR_OP_Mean)
		for (int64_t i = 0; i < elements; i++)
			((double *)acc)[i] /= call->node->input_count;
	if (in == REAL)
		hy_ir__write_reals(out->type.dtype, out->data, 0, elements, acc);
	else
		hy_ir__write_wholes(out->type.dtype, out->data, 0, elements, acc);
	free(acc);
	return HY_OK;
}

hy_status hy_ir__eval_where(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const size_t width = hy_ir__width(&out->type);
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, out->type.rank, out->type.dim);
	hy_ir__walk_dense(&walk, 0);
	for (uint32_t i = 0; i < 3; i++)
		hy_ir__walk_broadcast(&walk, i + 1, &call->in[i].type);
	for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk)) {
		for (int64_t i = 0; i < walk.length; i++) {
			const uint8_t *condition = call->in[0].data;
			const uint32_t from = condition[walk.offset[1] + i * walk.step[1]] != 0 ? 1 : 2;
			const int64_t at = walk.offset[from + 1] + i * walk.step[from + 1];
			memcpy((char *)out->data + (size_t)(walk.offset[0] + i) * width,
			       (const char *)call->in[from].data + (size_t)at * width, width);
		}
	}
	return HY_OK;
}

/* A bound of Clip, held over all elements; max is applied last. */
hy_status hy_ir__eval_clip(const hy_ir__call *call, const hy_ir_tensor *out)
{
	static const hy_ir_op_id bounds[3] = {0, HY_IR_OP_Max, HY_IR_OP_Min};
	const domain in = domain_of(out->type.dtype);
	const int64_t elements = hy_ir_type_elements(&out->type);
	memcpy(out->data, call->in[0].data, hy_ir_type_bytes(&out->type));
	for (uint32_t k = 1; k < call->node->input_count; k++) {
		if (!hy_ir__call_has(call, k)) continue;
		for (int64_t i = 0; i < elements; i += PIECE) {
			const int64_t count = elements - i < PIECE ? elements - i : PIECE;
			const operand x = {out, i, 1}, bound = {&call->in[k], 0, 0};
			const struct functions *f = &table[bounds[k]];
			if (in == REAL)
				combine_reals(f->real, x, bound, out, i, count);
			else
				(void)combine_wholes(f, in, false, x, bound, out, i, count);
		}
	}
	return HY_OK;
}
