/* Operators with a window that slides over height and width: sums are kept in double. */
#include "abacus.h"

#include <math.h>

typedef struct window {
	int64_t kernel[2], stride[2], dilation[2], begin[2], end[2]; /* begin, end: rows and columns of padding */
} window;

static window window_of(const call *c, const int64_t *kernel)
{
	const hy_graph_tensor *x = c->in[0].type, *y = c->out[0].type;
	const int64_t *strides = abacus_ints(c, "strides"), *dilations = abacus_ints(c, "dilations"),
		      *pads = abacus_ints(c, "pads");
	const char *automatic = abacus_text(c, "auto_pad", "NOTSET");
	window w = {0};
	for (int i = 0; i < 2; i++) {
		w.kernel[i] = kernel[i];
		w.stride[i] = strides != NULL ? strides[i] : 1;
		w.dilation[i] = dilations != NULL ? dilations[i] : 1;
		if (pads != NULL && strcmp(automatic, "NOTSET") == 0) {
			w.begin[i] = pads[i];
			w.end[i] = pads[2 + i];
		} else if (strncmp(automatic, "SAME", 4) == 0) {
			const int64_t span = (y->dim[2 + i] - 1) * w.stride[i] + (kernel[i] - 1) * w.dilation[i] + 1;
			const int64_t total = span > x->dim[2 + i] ? span - x->dim[2 + i] : 0;
			w.begin[i] = strcmp(automatic, "SAME_UPPER") == 0 ? total / 2 : total - total / 2;
			w.end[i] = total - w.begin[i];
		}
	}
	return w;
}

void abacus_conv(const call *c)
{
	const hy_graph_tensor *x = c->in[0].type, *k = c->in[1].type, *y = c->out[0].type;
	const float *image = c->in[0].data, *kernels = c->in[1].data, *bias = c->in[2].data;
	const window w = window_of(c, k->dim + 2);
	const int64_t groups = abacus_int(c, "group", 1), per_group = y->dim[1] / groups;
	const int64_t height = x->dim[2], width = x->dim[3];
	int64_t at[4] = {0};
	float *out = c->out[0].data;
	if (abacus_count(y) == 0) return;
	do {
		double sum = bias != NULL ? bias[at[1]] : 0;
		for (int64_t channel = 0; channel < k->dim[1]; channel++) {
			const int64_t from = at[0] * x->dim[1] + at[1] / per_group * k->dim[1] + channel;
			const float *plane = image + from * height * width;
			const float *weights = kernels + (at[1] * k->dim[1] + channel) * k->dim[2] * k->dim[3];
			for (int64_t i = 0; i < w.kernel[0]; i++) {
				const int64_t row = at[2] * w.stride[0] - w.begin[0] + i * w.dilation[0];
				if (row < 0 || row >= height) continue;
				for (int64_t j = 0; j < w.kernel[1]; j++) {
					const int64_t column = at[3] * w.stride[1] - w.begin[1] + j * w.dilation[1];
					if (column >= 0 && column < width)
						sum += (double)plane[row * width + column] *
						       weights[i * w.kernel[1] + j];
				}
			}
		}
		*out++ = (float)sum;
	} while (abacus_next(at, y->dim, 4));
}

/* What a window holds: its greatest element, its sum and how many places it counts. */
typedef struct content {
	double greatest, sum;
	int64_t inside, padded;
} content;

static content look(const window *w, const hy_graph_tensor *x, const float *plane, const int64_t *at)
{
	content found = {.greatest = -INFINITY};
	for (int64_t i = 0; i < w->kernel[0]; i++) {
		const int64_t row = at[2] * w->stride[0] - w->begin[0] + i * w->dilation[0];
		if (row >= x->dim[2] + w->end[0]) continue;
		for (int64_t j = 0; j < w->kernel[1]; j++) {
			const int64_t column = at[3] * w->stride[1] - w->begin[1] + j * w->dilation[1];
			if (column >= x->dim[3] + w->end[1]) continue;
			found.padded++;
			if (row < 0 || row >= x->dim[2] || column < 0 || column >= x->dim[3]) continue;
			const double value = plane[row * x->dim[3] + column];
			found.inside++;
			found.sum += value;
			if (value > found.greatest || isnan(value)) found.greatest = value;
		}
	}
	return found;
}

static void pool(const call *c, const window *w, bool is_max, bool counts_padding)
{
	const hy_graph_tensor *x = c->in[0].type, *y = c->out[0].type;
	const float *image = c->in[0].data;
	float *out = c->out[0].data;
	int64_t at[4] = {0};
	if (abacus_count(y) == 0) return;
	do {
		const content found = look(w, x, image + (at[0] * x->dim[1] + at[1]) * x->dim[2] * x->dim[3], at);
		const int64_t places = counts_padding ? found.padded : found.inside;
		*out++ = (float)(is_max ? found.greatest : found.sum / (double)places);
	} while (abacus_next(at, y->dim, 4));
}

void abacus_max_pool(const call *c)
{
	const window w = window_of(c, abacus_ints(c, "kernel_shape"));
	pool(c, &w, true, false);
}

void abacus_average_pool(const call *c)
{
	const window w = window_of(c, abacus_ints(c, "kernel_shape"));
	pool(c, &w, false, abacus_int(c, "count_include_pad", 0) != 0);
}

void abacus_global_average_pool(const call *c)
{
	const window w = {
		.kernel = {c->in[0].type->dim[2], c->in[0].type->dim[3]}, .stride = {1, 1}, .dilation = {1, 1}};
	pool(c, &w, false, false);
}
