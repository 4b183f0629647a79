/* Pools: the largest or the average of what lies under a window, or of a whole plane. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct pool pool;
/* One output from the elements of a plane under column j of the table. `element` is the first maximum, else -1. */
typedef double combine(const pool *p, const double *plane, int64_t j, int64_t *out_element);

struct pool {
	hy_ir__window window;
	int64_t taps, planes, plane_in, plane_out;
	bool count_padding;
	combine *of;
	int64_t table_width;
	int64_t *table;
};

static double largest(const pool *p, const double *plane, int64_t j, int64_t *out_element)
{
	double best = -INFINITY;
	for (int64_t t = 0; t < p->taps; t++) {
		const int64_t at = p->table[t * HY_IR__PANEL + j];
		if (at < 0) continue;
		if (*out_element >= 0 && !(plane[at] > best) && !(isnan(plane[at]) && !isnan(best))) continue;
		best = plane[at];
		*out_element = at;
	}
	return best;
}

static double average(const pool *p, const double *plane, int64_t j, int64_t *out_element)
{
	double sum = 0;
	int64_t count = 0;
	(void)out_element;
	for (int64_t t = 0; t < p->taps; t++) {
		const int64_t at = p->table[t * HY_IR__PANEL + j];
		if (at >= 0) sum += plane[at];
		if (at >= 0 || (at == HY_IR__TAP_PADDING && p->count_padding)) count++;
	}
	return count > 0 ? sum / (double)count : 0;
}

/* The number of an element in the whole input, rows or columns (storage_order 1) first. */
static int64_t number_of(const pool *p, int64_t plane, int64_t element, bool columns_first)
{
	if (element < 0) return -1; /* nothing but padding */
	if (!columns_first) return plane * p->plane_in + element;
	int64_t at[HY_IR__SPATIAL], rest = element, number = 0;
	for (uint32_t i = p->window.rank; i-- > 0; rest /= p->window.in[i])
		at[i] = rest % p->window.in[i];
	for (uint32_t i = p->window.rank; i-- > 0;)
		number = number * p->window.in[i] + at[i];
	return plane * p->plane_in + number;
}

static void run(const hy_ir__call *call, const pool *p, const double *x, const hy_ir_tensor *out, int64_t *indices)
{
	const bool columns_first = hy_ir__call_int(call, "storage_order", 0) != 0;
	for (int64_t first = 0; first < p->plane_out; first += HY_IR__PANEL) {
		const int64_t rest = p->plane_out - first, count = rest < HY_IR__PANEL ? rest : HY_IR__PANEL;
		hy_ir__window_forward_table(&p->window, first, count, p->table);
		for (int64_t plane = 0; plane < p->planes; plane++) {
			double results[HY_IR__PANEL];
			const int64_t at = plane * p->plane_out + first;
			for (int64_t j = 0; j < count; j++) {
				int64_t element = -1;
				results[j] = p->of(p, x + plane * p->plane_in, j, &element);
				if (indices != NULL) indices[at + j] = number_of(p, plane, element, columns_first);
			}
			if (out->data != NULL) hy_ir__write_reals(out->type.dtype, out->data, at, count, results);
		}
	}
}

static hy_status eval_pool(const hy_ir__call *call, combine *of, const hy_ir_tensor *out, int64_t *indices)
{
	const hy_ir_type *x = &call->in[0].type;
	pool p = {.of = of, .planes = x->dim[0] * x->dim[1], .plane_in = 1, .plane_out = 1};
	hy_status status = hy_ir__window_forward(call, x, NULL, &p.window);
	if (status != HY_OK || hy_ir_type_elements(&out->type) == 0) return status;
	p.count_padding = hy_ir__call_int(call, "count_include_pad", 0) != 0;
	p.taps = 1;
	for (uint32_t i = 0; i < p.window.rank; i++) {
		p.plane_in *= p.window.in[i];
		p.plane_out *= p.window.out[i];
		/* Unlike the weights of a convolution nothing else bounds the kernel. */
		if (!hy_ir__multiply(p.taps, p.window.kernel[i], &p.taps) || p.taps > INT32_MAX)
			return hy_ir__call_unsupported(call, "the window has more than 2^31 elements");
	}
	double *plane = hy_ir__alloc_reals(&call->in[0]);
	p.table = hy_ir__alloc(p.taps * HY_IR__PANEL, sizeof(int64_t));
	if (plane == NULL || p.table == NULL)
		status = hy_ir__no_memory(call->error);
	else
		run(call, &p, plane, out, indices);
	free(p.table);
	free(plane);
	return status;
}

hy_status hy_ir__eval_max_pool(const hy_ir__call *call, const hy_ir_tensor *out)
{
	return eval_pool(call, largest, &out[0], call->node->output_count > 1 ? out[1].data : NULL);
}

hy_status hy_ir__eval_average_pool(const hy_ir__call *call, const hy_ir_tensor *out)
{
	return eval_pool(call, average, out, NULL);
}

hy_status hy_ir__eval_global_pool(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const int64_t planes = x->dim[0] * x->dim[1], length = planes > 0 ? hy_ir_type_elements(x) / planes : 0;
	const bool max = call->node->op->id == HY_IR_OP_GlobalMaxPool;
	double *plane = hy_ir__alloc(length, sizeof(double));
	if (plane == NULL) return hy_ir__no_memory(call->error);
	for (int64_t p = 0; p < planes; p++) {
		double result = max ? -INFINITY : 0;
		hy_ir__read_reals(x->dtype, call->in[0].data, p * length, 1, length, plane);
		for (int64_t i = 0; i < length; i++) {
			if (!max)
				result += plane[i];
			else if (plane[i] > result || isnan(plane[i]))
				result = plane[i];
		}
		if (!max) result /= (double)length;
		hy_ir__write_reals(out->type.dtype, out->data, p, 1, &result);
	}
	free(plane);
	return HY_OK;
}
