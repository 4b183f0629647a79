/* The oracle: reductions, and the index of the largest. */
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { SUM, MEAN, MAX, MIN, PROD, L1, L2, SUM_SQUARE, LOG_SUM, LOG_SUM_EXP, KINDS } kind;
static const char *const names[KINDS] = {"ReduceSum",    "ReduceMean",     "ReduceMax", "ReduceMin",
                                         "ReduceProd",   "ReduceL1",       "ReduceL2",  "ReduceSumSquare",
                                         "ReduceLogSum", "ReduceLogSumExp"};

static double begin(kind k)
{
	return k == MAX ? -INFINITY : k == MIN ? INFINITY : k == PROD ? 1 : 0;
}

static double step(kind k, double sum, double v)
{
	switch (k) {
	case MAX:
		return v > sum || v != v ? v : sum;
	case MIN:
		return v < sum || v != v ? v : sum;
	case PROD:
		return sum * v;
	case L1:
		return sum + fabs(v);
	case L2:
	case SUM_SQUARE:
		return sum + v * v;
	case LOG_SUM_EXP:
		return sum + exp(v);
	default:
		return sum + v;
	}
}

static double finish(kind k, double sum, int64_t count)
{
	switch (k) {
	case MEAN:
		return sum / (double)count;
	case L2:
		return sqrt(sum);
	case LOG_SUM:
	case LOG_SUM_EXP:
		return log(sum);
	default:
		return sum;
	}
}

static uint32_t run_reduce(const op_spec *s, tensor *out, kind k)
{
	const tensor *x = &s->inputs[0];
	bool reduced[HY_MAX_RANK] = {false};
	const bool given = s->input_count > 1 && s->inputs[1].present && s->inputs[1].count > 0;
	const bool none = !given && op_int(s, "noop_with_empty_axes", 0) != 0;
	for (uint32_t i = 0; i < x->rank; i++)
		reduced[i] = !given && !none;
	for (int64_t i = 0; given && i < s->inputs[1].count; i++)
		reduced[tensor_axis((int64_t)s->inputs[1].value[i], x->rank)] = true;
	const bool keep = op_int(s, "keepdims", 1) != 0;
	int64_t dims[HY_MAX_RANK], kept[HY_MAX_RANK], at[HY_MAX_RANK], count = 1;
	uint32_t rank = 0;
	for (uint32_t i = 0; i < x->rank; i++) {
		kept[i] = reduced[i] ? 1 : x->dim[i];
		if (reduced[i]) count *= x->dim[i];
		if (!reduced[i] || keep) dims[rank++] = kept[i];
	}
	tensor inner;
	tensor_create(&inner, x->dtype, x->rank, kept);
	tensor_create(out, x->dtype, rank, dims);
	out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
	out->terms = k == MAX || k == MIN ? 1 : count;
	for (int64_t i = 0; i < out->count; i++)
		out->value[i] = begin(k);
	for (int64_t i = 0; i < x->count; i++) {
		tensor_coordinates(x, i, at);
		for (uint32_t d = 0; d < x->rank; d++)
			if (reduced[d]) at[d] = 0;
		const int64_t o = tensor_index(&inner, at);
		out->value[o] = step(k, out->value[o], x->value[i]);
		out->magnitude[o] += fabs(x->value[i]);
	}
	for (int64_t i = 0; i < out->count; i++) {
		out->value[i] = finish(k, out->value[i], count);
		const double v = fabs(out->value[i]);
		if (k == SUM) continue;
		out->magnitude[i] = k == MEAN                          ? out->magnitude[i] / (double)count
		                    : k == LOG_SUM || k == LOG_SUM_EXP ? v + 1
		                                                       : v;
	}
	tensor_finish(&inner);
	return 1;
}

static uint32_t run_arg(const op_spec *s, tensor *out, bool largest)
{
	const tensor *x = &s->inputs[0];
	const uint32_t axis = tensor_axis(op_int(s, "axis", 0), x->rank);
	const bool keep = op_int(s, "keepdims", 1) != 0, last = op_int(s, "select_last_index", 0) != 0;
	int64_t dims[HY_MAX_RANK], inner = 1, outer = 1;
	uint32_t rank = 0;
	for (uint32_t i = 0; i < x->rank; i++) {
		if (i < axis) outer *= x->dim[i];
		if (i > axis) inner *= x->dim[i];
		if (i != axis || keep) dims[rank++] = i == axis ? 1 : x->dim[i];
	}
	tensor_create(out, HY_DTYPE_I64, rank, dims);
	for (int64_t o = 0; o < outer; o++) {
		for (int64_t i = 0; i < inner; i++) {
			int64_t best = 0;
			for (int64_t k = 1; k < x->dim[axis]; k++) {
				const double v = x->value[(o * x->dim[axis] + k) * inner + i];
				const double b = x->value[(o * x->dim[axis] + best) * inner + i];
				if ((largest ? v > b : v < b) || (last && v == b)) best = k;
			}
			out->value[o * inner + i] = (double)best;
		}
	}
	return 1;
}

static uint32_t run_cumsum(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	const uint32_t axis = tensor_axis((int64_t)s->inputs[1].value[0], x->rank);
	const bool exclusive = op_int(s, "exclusive", 0) != 0, reverse = op_int(s, "reverse", 0) != 0;
	tensor_create(out, x->dtype, x->rank, x->dim);
	out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
	out->terms = x->dim[axis];
	int64_t at[HY_MAX_RANK];
	for (int64_t i = 0; i < x->count; i++) {
		tensor_coordinates(x, i, at);
		const int64_t here = at[axis];
		for (int64_t k = 0; k < x->dim[axis]; k++) {
			const bool before = reverse ? k > here : k < here;
			if (!before && (k != here || exclusive)) continue;
			at[axis] = k;
			const double v = x->value[tensor_index(x, at)];
			out->value[i] += v;
			out->magnitude[i] += fabs(v);
		}
	}
	return 1;
}

/* Largest or smallest k, sorted; equal values by lower index. */
static uint32_t run_topk(const op_spec *s, tensor *outputs)
{
	const tensor *x = &s->inputs[0];
	const uint32_t axis = tensor_axis(op_int(s, "axis", -1), x->rank);
	const int64_t k = (int64_t)s->inputs[1].value[0];
	const bool largest = op_int(s, "largest", 1) != 0;
	int64_t dims[HY_MAX_RANK], inner = 1, outer = 1;
	memcpy(dims, x->dim, sizeof(dims));
	dims[axis] = k;
	for (uint32_t i = 0; i < x->rank; i++) {
		if (i < axis) outer *= x->dim[i];
		if (i > axis) inner *= x->dim[i];
	}
	tensor_create(&outputs[0], x->dtype, x->rank, dims);
	tensor_create(&outputs[1], HY_DTYPE_I64, x->rank, dims);
	const int64_t n = x->dim[axis];
	bool *taken = calloc((size_t)n + 1, sizeof(bool));
	for (int64_t o = 0; o < outer * inner; o++) {
		const double *line = x->value + o / inner * n * inner + o % inner;
		memset(taken, 0, (size_t)n);
		for (int64_t place = 0; place < k; place++) {
			int64_t best = -1;
			for (int64_t i = 0; i < n; i++) {
				if (taken[i]) continue;
				if (best < 0 || (largest ? line[i * inner] > line[best * inner]
				                         : line[i * inner] < line[best * inner]))
					best = i;
			}
			taken[best] = true;
			outputs[0].value[(o / inner * k + place) * inner + o % inner] = line[best * inner];
			outputs[1].value[(o / inner * k + place) * inner + o % inner] = (double)best;
		}
	}
	free(taken);
	return 2;
}

uint32_t oracle_reduce(const op_spec *spec, tensor *outputs)
{
	for (int k = 0; k < KINDS; k++)
		if (strcmp(spec->op, names[k]) == 0) return run_reduce(spec, outputs, (kind)k);
	if (strcmp(spec->op, "ArgMax") == 0) return run_arg(spec, outputs, true);
	if (strcmp(spec->op, "ArgMin") == 0) return run_arg(spec, outputs, false);
	if (strcmp(spec->op, "CumSum") == 0) return run_cumsum(spec, outputs);
	if (strcmp(spec->op, "TopK") == 0) return run_topk(spec, outputs);
	return 0;
}
