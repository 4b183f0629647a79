/* Pools: the largest or the average of what lies under a window, or of a whole plane. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The taps of one output position on one axis: those over the input, and how many are not behind the padding. */
typedef struct span {
	int64_t start; /* where tap 0 reads */
	int64_t first, last; /* taps first..last-1 read the input */
	int64_t counted;
} span;

/* What the fold of a window has come to. */
typedef struct found {
	double value;
	int64_t element; /* of the plane: the first maximum; -1: nothing yet */
	int64_t count;
} found;

typedef void fold(found *f, double x, int64_t element);

static void keep_largest(found *f, double x, int64_t element)
{
	if (f->element >= 0 && !(x > f->value) && !(isnan(x) && !isnan(f->value))) return;
	f->value = x;
	f->element = element;
}

static void add_up(found *f, double x, int64_t element)
{
	(void)element;
	f->value += x;
	f->count++;
}

/* How many of the taps read before `limit`. */
static int64_t taps_before(int64_t start, int64_t kernel, int64_t dilation, int64_t limit)
{
	if (start >= limit) return 0;
	const int64_t taps = (limit - 1 - start) / dilation + 1;
	return taps < kernel ? taps : kernel;
}

static void find_spans(const hy_ir__window *w, int64_t position, span *s)
{
	for (uint32_t i = w->rank; i-- > 0; position /= w->out[i]) {
		const int64_t start = position % w->out[i] * w->stride[i] - w->begin[i];
		s[i] = (span){.start = start,
		              .first = taps_before(start, w->kernel[i], w->dilation[i], 0),
		              .last = taps_before(start, w->kernel[i], w->dilation[i], w->in[i]),
		              .counted = taps_before(start, w->kernel[i], w->dilation[i], w->in[i] + w->end[i])};
	}
}

static void fold_window(const hy_ir__window *w, const span *s, const double *plane, fold *f, found *out_found)
{
	int64_t tap[HY_IR__SPATIAL];
	bool more = true;
	for (uint32_t i = 0; i < w->rank; i++) {
		tap[i] = s[i].first;
		more = more && s[i].first < s[i].last;
	}
	while (more) {
		int64_t element = 0;
		for (uint32_t i = 0; i < w->rank; i++)
			element = element * w->in[i] + s[i].start + tap[i] * w->dilation[i];
		f(out_found, plane[element], element);
		more = false;
		for (uint32_t i = w->rank; i-- > 0 && !more;) { /* the next tap */
			more = ++tap[i] < s[i].last;
			if (!more) tap[i] = s[i].first;
		}
	}
}

/* The number of an element in its plane, rows or columns (storage_order 1) first. */
static int64_t number_of(const hy_ir__window *w, int64_t element, bool columns_first)
{
	if (!columns_first) return element;
	int64_t at[HY_IR__SPATIAL], number = 0;
	for (uint32_t i = w->rank; i-- > 0; element /= w->in[i])
		at[i] = element % w->in[i];
	for (uint32_t i = w->rank; i-- > 0;)
		number = number * w->in[i] + at[i];
	return number;
}

typedef struct pool {
	hy_ir__window window;
	fold *fold;
	bool averages, count_padding, columns_first;
	int64_t plane_in, plane_out; /* elements */
	double *plane;
	double *values; /* of one plane of the output */
	int64_t *elements;
} pool;

static void run_plane(const pool *p)
{
	const hy_ir__window *w = &p->window;
	for (int64_t j = 0; j < p->plane_out; j++) {
		span spans[HY_IR__SPATIAL];
		found f = {.value = p->averages ? 0 : -INFINITY, .element = -1};
		find_spans(w, j, spans);
		fold_window(w, spans, p->plane, p->fold, &f);
		double count = p->count_padding ? 1 : (double)f.count;
		for (uint32_t i = 0; i < w->rank && p->count_padding; i++)
			count *= (double)spans[i].counted;
		p->values[j] = p->averages && count > 0 ? f.value / count : f.value;
		p->elements[j] = f.element;
	}
}

static void run(const hy_ir__call *call, const pool *p, const hy_ir_tensor *out, int64_t *indices)
{
	const hy_ir_tensor *x = &call->in[0];
	const int64_t planes = x->type.dim[0] * x->type.dim[1];
	for (int64_t n = 0; n < planes; n++) {
		hy_ir__read_reals(x->type.dtype, x->data, n * p->plane_in, 1, p->plane_in, p->plane);
		run_plane(p);
		if (out->data != NULL)
			hy_ir__write_reals(out->type.dtype, out->data, n * p->plane_out, p->plane_out, p->values);
		for (int64_t j = 0; indices != NULL && j < p->plane_out; j++) {
			const int64_t element = p->elements[j];
			indices[n * p->plane_out + j] = element < 0 ? -1
			                                            : n * p->plane_in + number_of(&p->window, element,
			                                                                          p->columns_first);
		}
	}
}

static hy_status eval_pool(const hy_ir__call *call, pool p, const hy_ir_tensor *out, int64_t *indices)
{
	hy_status status = hy_ir__window_forward(call, &call->in[0].type, NULL, &p.window);
	if (status != HY_OK) return status;
	p.count_padding = p.averages && hy_ir__call_int(call, "count_include_pad", 0) != 0;
	p.columns_first = hy_ir__call_int(call, "storage_order", 0) != 0;
	p.plane_in = p.plane_out = 1;
	for (uint32_t i = 0; i < p.window.rank; i++) {
		p.plane_in *= p.window.in[i];
		p.plane_out *= p.window.out[i];
	}
	p.plane = hy_ir__alloc(p.plane_in, sizeof(double));
	p.values = hy_ir__alloc(p.plane_out, sizeof(double));
	p.elements = hy_ir__alloc(p.plane_out, sizeof(int64_t));
	if (p.plane == NULL || p.values == NULL || p.elements == NULL)
		status = hy_ir__no_memory(call->error);
	else
		run(call, &p, out, indices);
	free(p.plane);
	free(p.values);
	free(p.elements);
	return status;
}

hy_status hy_ir__eval_max_pool(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const pool p = {.fold = keep_largest};
	return eval_pool(call, p, &out[0], call->node->output_count > 1 ? out[1].data : NULL);
}

hy_status hy_ir__eval_average_pool(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const pool p = {.fold = add_up, .averages = true};
	return eval_pool(call, p, out, NULL);
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
