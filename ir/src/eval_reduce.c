/* Reductions along axes, ArgMax and ArgMin, and running sums. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Folds x into an accumulator; shift: the maximum of the group, for ReduceLogSumExp. */
typedef double real_step(double sum, double x, double shift);
typedef double real_end(double sum, int64_t count, double shift);
typedef int64_t whole_step(int64_t sum, int64_t x);

#define STEP(name, result)                                            \
	static double real_##name(double sum, double x, double shift) \
	{                                                             \
		(void)shift;                                          \
		return result;                                        \
	}
STEP(add, sum + x)
STEP(multiply, sum *x)
STEP(max, x > sum || isnan(x) ? x : sum)
STEP(min, x < sum || isnan(x) ? x : sum)
STEP(add_abs, sum + fabs(x))
STEP(add_square, sum + x * x)
STEP(add_exp, sum + exp(x - shift))
#undef STEP

#define END(name, result)                                                 \
	static double end_##name(double sum, int64_t count, double shift) \
	{                                                                 \
		(void)count;                                              \
		(void)shift;                                              \
		return result;                                            \
	}
END(same, sum)
END(mean, sum / (double)count)
END(sqrt, sqrt(sum))
END(log, log(sum))
END(log_shift, log(sum) + shift)
#undef END

static int64_t whole_add(int64_t sum, int64_t x)
{
	return (int64_t)((uint64_t)sum + (uint64_t)x);
}

static int64_t whole_multiply(int64_t sum, int64_t x)
{
	return (int64_t)((uint64_t)sum * (uint64_t)x);
}

static int64_t whole_max(int64_t sum, int64_t x)
{
	return x > sum ? x : sum;
}

static int64_t whole_min(int64_t sum, int64_t x)
{
	return x < sum ? x : sum;
}

static int64_t whole_add_abs(int64_t sum, int64_t x)
{
	return whole_add(sum, x < 0 ? (int64_t)(0 - (uint64_t)x) : x);
}

static int64_t whole_add_square(int64_t sum, int64_t x)
{
	return whole_add(sum, whole_multiply(x, x));
}

static const struct reducer {
	real_step *step;
	real_end *end;
	whole_step *whole; /* NULL: integers are computed in double and cut */
	double start;
} reducers[HY_IR_OP_COUNT] = {
	[HY_IR_OP_ReduceSum] = {real_add, end_same, whole_add, 0},
	[HY_IR_OP_ReduceMean] = {real_add, end_mean, whole_add, 0},
	[HY_IR_OP_ReduceProd] = {real_multiply, end_same, whole_multiply, 1},
	[HY_IR_OP_ReduceMax] = {real_max, end_same, whole_max, -INFINITY},
	[HY_IR_OP_ReduceMin] = {real_min, end_same, whole_min, INFINITY},
	[HY_IR_OP_ReduceL1] = {real_add_abs, end_same, whole_add_abs, 0},
	[HY_IR_OP_ReduceL2] = {real_add_square, end_sqrt, NULL, 0},
	[HY_IR_OP_ReduceSumSquare] = {real_add_square, end_same, whole_add_square, 0},
	[HY_IR_OP_ReduceLogSum] = {real_add, end_log, NULL, 0},
	[HY_IR_OP_ReduceLogSumExp] = {real_add_exp, end_log_shift, NULL, 0},
};

/* Array 0 is the input, array 1 the output, which stands still along the axes that go away. */
static hy_status walk_reduction(const hy_ir__call *call, hy_ir__walk *walk)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__reduction reduction;
	const hy_status status = hy_ir__reduction_of(call, &reduction);
	if (status != HY_OK) return status;
	int64_t stride = 1;
	hy_ir__walk_box(walk, x->rank, x->dim);
	hy_ir__walk_dense(walk, 0);
	for (uint32_t i = x->rank; i-- > 0;) {
		if (reduction.reduced[i]) continue;
		walk->stride[1][i] = stride;
		stride *= x->dim[i];
	}
	return HY_OK;
}

static void fold_reals(const hy_ir_tensor *x, hy_ir__walk walk, real_step *step, const double *shift, double *sums)
{
	for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk)) {
		for (int64_t i = 0; i < walk.length; i++) {
			const int64_t to = walk.offset[1] + i * walk.step[1];
			const double value = hy_ir__read_real(x->type.dtype, x->data,
			                                      walk.offset[0] + i * walk.step[0]);
			sums[to] = step(sums[to], value, shift != NULL ? shift[to] : 0);
		}
	}
}

static hy_status reduce_reals(const hy_ir__call *call, const hy_ir__walk *walk, int64_t count, const hy_ir_tensor *out)
{
	const struct reducer *r = &reducers[call->node->op->id];
	const int64_t elements = hy_ir_type_elements(&out->type);
	const bool shifts = r->end == end_log_shift;
	double *sums = hy_ir__alloc(elements, sizeof(double));
	double *shift = shifts ? hy_ir__alloc(elements, sizeof(double)) : NULL;
	const bool enough = sums != NULL && (!shifts || shift != NULL);
	for (int64_t i = 0; enough && shifts && i < elements; i++)
		shift[i] = -INFINITY;
	if (enough && shifts) fold_reals(&call->in[0], *walk, real_max, NULL, shift);
	for (int64_t i = 0; enough && i < elements; i++) {
		sums[i] = r->start;
		if (shifts && isinf(shift[i])) shift[i] = 0; /* infinity less infinity would be no number */
	}
	if (enough) fold_reals(&call->in[0], *walk, r->step, shift, sums);
	for (int64_t i = 0; enough && i < elements; i++)
		sums[i] = r->end(sums[i], count, shifts ? shift[i] : 0);
	if (enough) hy_ir__write_reals(out->type.dtype, out->data, 0, elements, sums);
	free(sums);
	free(shift);
	return enough ? HY_OK : hy_ir__no_memory(call->error);
}

/* Where an integer maximum or minimum starts. u64 is compared with its sign bit turned. */
static int64_t whole_start(const struct reducer *r, hy_dtype dtype)
{
	if (!isinf(r->start)) return (int64_t)r->start;
	const uint32_t bits = hy_dtype_bits(dtype);
	const bool is_signed = dtype == HY_DTYPE_I8 || dtype == HY_DTYPE_I16 || dtype == HY_DTYPE_I32 ||
	                       dtype == HY_DTYPE_I64;
	if (bits == 64) return r->start < 0 ? INT64_MIN : INT64_MAX;
	const int64_t most = ((int64_t)1 << (is_signed ? bits - 1 : bits)) - 1;
	return r->start > 0 ? most : is_signed ? -most - 1 : 0;
}

static hy_status reduce_wholes(const hy_ir__call *call, hy_ir__walk *walk, int64_t count, const hy_ir_tensor *out)
{
	const struct reducer *r = &reducers[call->node->op->id];
	const hy_ir_tensor *x = &call->in[0];
	const int64_t elements = hy_ir_type_elements(&out->type);
	const uint64_t turn = x->type.dtype == HY_DTYPE_U64 && isinf(r->start) ? (uint64_t)1 << 63 : 0;
	int64_t *sums = hy_ir__alloc(elements, sizeof(int64_t));
	if (sums == NULL) return hy_ir__no_memory(call->error);
	for (int64_t i = 0; i < elements; i++)
		sums[i] = whole_start(r, x->type.dtype);
	for (hy_ir__walk_begin(walk); walk->more; hy_ir__walk_next(walk)) {
		for (int64_t i = 0; i < walk->length; i++) {
			const int64_t to = walk->offset[1] + i * walk->step[1];
			const uint64_t value = (uint64_t)hy_ir__read_whole(x->type.dtype, x->data,
			                                                   walk->offset[0] + i * walk->step[0]);
			sums[to] = r->whole(sums[to], (int64_t)(value ^ turn));
		}
	}
	for (int64_t i = 0; i < elements; i++) {
		if (r->end == end_mean && count > 0)
			sums[i] = x->type.dtype == HY_DTYPE_U64 ? (int64_t)((uint64_t)sums[i] / (uint64_t)count)
			                                        : sums[i] / count;
		sums[i] = (int64_t)((uint64_t)sums[i] ^ turn);
	}
	hy_ir__write_wholes(out->type.dtype, out->data, 0, elements, sums);
	free(sums);
	return HY_OK;
}

hy_status hy_ir__eval_reduce(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const int64_t elements = hy_ir_type_elements(&out->type);
	hy_ir__walk walk;
	const hy_status status = walk_reduction(call, &walk);
	if (status != HY_OK) return status;
	const int64_t count = hy_ir_type_elements(&call->in[0].type) / elements;
	if (hy_dtype_is_float(out->type.dtype) || reducers[call->node->op->id].whole == NULL)
		return reduce_reals(call, &walk, count, out);
	return reduce_wholes(call, &walk, count, out);
}

/* -1, 0, 1 as element a is below, equal to or above element b. NaN is above everything. */
static int compare(const hy_ir_tensor *x, int64_t a, int64_t b)
{
	if (hy_dtype_is_float(x->type.dtype)) {
		const double p = hy_ir__read_real(x->type.dtype, x->data, a);
		const double q = hy_ir__read_real(x->type.dtype, x->data, b);
		if (isnan(p) || isnan(q)) return isnan(p) - isnan(q);
		return (p > q) - (p < q);
	}
	const int64_t p = hy_ir__read_whole(x->type.dtype, x->data, a);
	const int64_t q = hy_ir__read_whole(x->type.dtype, x->data, b);
	if (x->type.dtype == HY_DTYPE_U64) return ((uint64_t)p > (uint64_t)q) - ((uint64_t)p < (uint64_t)q);
	return (p > q) - (p < q);
}

hy_status hy_ir__eval_arg(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const int sign = call->node->op->id == HY_IR_OP_ArgMax ? 1 : -1;
	const bool last = hy_ir__call_int(call, "select_last_index", 0) != 0;
	uint32_t axis;
	const hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, axis);
	for (int64_t n = 0; n < cut.outer * cut.inner; n++) {
		const int64_t at = n / cut.inner * cut.length * cut.inner + n % cut.inner;
		int64_t best = 0;
		for (int64_t i = 1; i < cut.length; i++) {
			const int order = sign * compare(x, at + i * cut.inner, at + best * cut.inner);
			if (order > 0 || (last && order == 0)) best = i;
		}
		((int64_t *)out->data)[n] = best;
	}
	return HY_OK;
}

hy_status hy_ir__eval_cumsum(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const bool exclusive = hy_ir__call_int(call, "exclusive", 0) != 0;
	const bool reverse = hy_ir__call_int(call, "reverse", 0) != 0;
	uint32_t axis;
	const hy_status status = hy_ir__call_axis(call, hy_ir__tensor_int(&call->in[1], 0), x->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_dtype dtype = x->type.dtype;
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, axis);
	for (int64_t n = 0; n < cut.outer * cut.inner; n++) {
		const int64_t first = n / cut.inner * cut.length * cut.inner + n % cut.inner;
		double real = 0;
		uint64_t whole = 0;
		for (int64_t i = 0; i < cut.length; i++) {
			const int64_t at = first + (reverse ? cut.length - 1 - i : i) * cut.inner;
			const double real_before = real;
			const uint64_t whole_before = whole;
			if (hy_dtype_is_float(dtype)) {
				real += hy_ir__read_real(dtype, x->data, at);
				hy_ir__write_reals(dtype, out->data, at, 1, exclusive ? &real_before : &real);
			} else {
				whole += (uint64_t)hy_ir__read_whole(dtype, x->data, at);
				hy_ir__write_wholes(dtype, out->data, at, 1,
				                    (const int64_t *)(exclusive ? &whole_before : &whole));
			}
		}
	}
	return HY_OK;
}

typedef struct ranked {
	const hy_ir_tensor *x;
	int64_t at, index;
	int sign;
} ranked;

/* Best first; equal ones in order of their index. */
static int by_rank(const void *a, const void *b)
{
	const ranked *p = a, *q = b;
	const int order = p->sign * compare(p->x, p->at, q->at);
	return order != 0 ? -order : (p->index > q->index) - (p->index < q->index);
}

hy_status hy_ir__eval_topk(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const int64_t k = hy_ir__tensor_int(&call->in[1], 0);
	const int sign = hy_ir__call_int(call, "largest", 1) != 0 ? 1 : -1;
	const size_t width = hy_ir__width(&x->type);
	uint32_t axis;
	const hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", -1), x->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, axis);
	ranked *row = hy_ir__alloc(cut.length, sizeof(*row));
	if (row == NULL) return hy_ir__no_memory(call->error);
	for (int64_t n = 0; n < cut.outer * cut.inner; n++) {
		const int64_t outer = n / cut.inner, inner = n % cut.inner;
		for (int64_t i = 0; i < cut.length; i++)
			row[i] = (ranked){x, (outer * cut.length + i) * cut.inner + inner, i, sign};
		qsort(row, (size_t)cut.length, sizeof(*row), by_rank);
		for (int64_t i = 0; i < k; i++) {
			const int64_t to = (outer * k + i) * cut.inner + inner;
			if (out[0].data != NULL) hy_ir__copy_row(width, out[0].data, to, 1, x->data, row[i].at, 1, 1);
			if (call->node->output_count > 1 && out[1].data != NULL)
				((int64_t *)out[1].data)[to] = row[i].index;
		}
	}
	free(row);
	return HY_OK;
}
