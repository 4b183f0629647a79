/* The oracle: operators that slide a window over 1 to 3 spatial dimensions. */
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct window {
	uint32_t space; /* spatial dimensions */
	int64_t kernel[3], stride[3], dilation[3], begin[3], end[3], in[3], out[3];
	int64_t volume; /* of the kernel */
} window;

static void read_or(const op_spec *s, const char *name, uint32_t count, int64_t *out, int64_t fallback)
{
	uint32_t given;
	const int64_t *values = op_ints(s, name, &given);
	for (uint32_t i = 0; i < count; i++)
		out[i] = values != NULL && i < given ? values[i] : fallback;
}

static window read_window(const op_spec *s, const int64_t *kernel)
{
	window w = {.space = s->inputs[0].rank - 2, .volume = 1};
	int64_t pads[6];
	read_or(s, "kernel_shape", w.space, w.kernel, 1);
	if (kernel != NULL) memcpy(w.kernel, kernel, w.space * sizeof(kernel[0]));
	read_or(s, "strides", w.space, w.stride, 1);
	read_or(s, "dilations", w.space, w.dilation, 1);
	read_or(s, "pads", 2 * w.space, pads, 0);
	const char *mode = op_text(s, "auto_pad", "NOTSET");
	for (uint32_t i = 0; i < w.space; i++) {
		w.in[i] = s->inputs[0].dim[i + 2];
		w.begin[i] = pads[i];
		w.end[i] = pads[i + w.space];
		const int64_t reach = w.dilation[i] * (w.kernel[i] - 1) + 1;
		if (strncmp(mode, "SAME", 4) == 0) {
			const int64_t out = (w.in[i] + w.stride[i] - 1) / w.stride[i];
			const int64_t all = (out - 1) * w.stride[i] + reach - w.in[i], total = all > 0 ? all : 0;
			w.begin[i] = strcmp(mode, "SAME_UPPER") == 0 ? total / 2 : total - total / 2;
			w.end[i] = total - w.begin[i];
		}
		const int64_t room = w.in[i] + w.begin[i] + w.end[i] - reach;
		w.out[i] = (op_int(s, "ceil_mode", 0) ? (room + w.stride[i] - 1) / w.stride[i] : room / w.stride[i]) +
		           1;
		if (op_int(s, "ceil_mode", 0) && (w.out[i] - 1) * w.stride[i] >= w.in[i] + w.begin[i]) w.out[i]--;
		w.volume *= w.kernel[i];
	}
	return w;
}

/* The place in the input that kernel element k sees from output place o: false in the padding. */
static bool seen(const window *w, const int64_t *o, int64_t k, int64_t *out_place, bool *out_inside_pads)
{
	int64_t place = 0, at[3];
	bool inside = true;
	*out_inside_pads = true;
	for (uint32_t i = w->space; i-- > 0;) {
		at[i] = o[i] * w->stride[i] + (k % w->kernel[i]) * w->dilation[i] - w->begin[i];
		k /= w->kernel[i];
		if (at[i] < 0 || at[i] >= w->in[i]) inside = false;
		if (at[i] < -w->begin[i] || at[i] >= w->in[i] + w->end[i]) *out_inside_pads = false;
	}
	for (uint32_t i = 0; i < w->space; i++)
		place = place * w->in[i] + at[i];
	*out_place = place;
	return inside;
}

static int64_t product(const int64_t *values, uint32_t count)
{
	int64_t p = 1;
	for (uint32_t i = 0; i < count; i++)
		p *= values[i];
	return p;
}

static void output_like(const op_spec *s, const window *w, int64_t channels, tensor *out)
{
	int64_t dims[5] = {s->inputs[0].dim[0], channels};
	memcpy(dims + 2, w->out, w->space * sizeof(dims[0]));
	tensor_create(out, s->inputs[0].dtype, w->space + 2, dims);
	out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
}

static uint32_t run_conv(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *f = &s->inputs[1];
	const window w = read_window(s, f->dim + 2);
	const int64_t groups = op_int(s, "group", 1), in_each = f->dim[1], out_channels = f->dim[0];
	const int64_t in_space = product(w.in, w.space), out_space = product(w.out, w.space);
	output_like(s, &w, out_channels, out);
	out->terms = in_each * w.volume;
	for (int64_t i = 0; i < out->count; i++) {
		const int64_t n = i / (out_channels * out_space), m = i / out_space % out_channels;
		const int64_t first = m / (out_channels / groups) * in_each;
		int64_t o[3], rest = i % out_space, place;
		for (uint32_t d = w.space; d-- > 0; rest /= w.out[d])
			o[d] = rest % w.out[d];
		double sum = s->input_count > 2 && s->inputs[2].present ? s->inputs[2].value[m] : 0, size = fabs(sum);
		for (int64_t k = 0; k < w.volume; k++) {
			bool padded;
			if (!seen(&w, o, k, &place, &padded)) continue;
			for (int64_t c = 0; c < in_each; c++) {
				const double a = x->value[(n * x->dim[1] + first + c) * in_space + place];
				const double b = f->value[(m * in_each + c) * w.volume + k];
				sum += a * b;
				size += fabs(a * b);
			}
		}
		out->value[i] = sum;
		out->magnitude[i] = size;
	}
	return 1;
}

/* y[o*stride + k*dilation - begin] += x[o] * w[c][m][k] */
static uint32_t run_conv_transpose(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *f = &s->inputs[1];
	window w = read_window(s, f->dim + 2); /* turned around: w.in becomes the output's space */
	int64_t extra[3];
	read_or(s, "output_padding", w.space, extra, 0);
	const int64_t groups = op_int(s, "group", 1), out_each = f->dim[1], in_each = x->dim[1] / groups;
	for (uint32_t i = 0; i < w.space; i++) {
		const int64_t in = w.in[i];
		w.in[i] = (in - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i] + 1 - w.begin[i] - w.end[i] +
		          extra[i];
		w.out[i] = in;
	}
	const window turned = w;
	memcpy(w.out, turned.in, sizeof(w.out));
	output_like(s, &w, out_each * groups, out);
	const int64_t in_space = product(turned.out, w.space), out_space = product(turned.in, w.space);
	out->terms = in_each * w.volume;
	for (int64_t i = 0; i < out->count; i++) {
		const int64_t m = i / out_space % (out_each * groups);
		out->value[i] = s->input_count > 2 && s->inputs[2].present ? s->inputs[2].value[m] : 0;
		out->magnitude[i] = fabs(out->value[i]);
	}
	for (int64_t i = 0; i < x->count; i++) {
		const int64_t n = i / (x->dim[1] * in_space), c = i / in_space % x->dim[1], g = c / in_each;
		int64_t o[3], rest = i % in_space, place;
		for (uint32_t d = w.space; d-- > 0; rest /= turned.out[d])
			o[d] = rest % turned.out[d];
		for (int64_t k = 0; k < w.volume; k++) {
			bool padded;
			if (!seen(&turned, o, k, &place, &padded)) continue;
			for (int64_t m = 0; m < out_each; m++) {
				const double term = x->value[i] * f->value[(c * out_each + m) * w.volume + k];
				const int64_t at = (n * out_each * groups + g * out_each + m) * out_space + place;
				out->value[at] += term;
				out->magnitude[at] += fabs(term);
			}
		}
	}
	return 1;
}

static uint32_t run_pool(const op_spec *s, tensor *out, bool is_max)
{
	const tensor *x = &s->inputs[0];
	const window w = read_window(s, NULL);
	const int64_t in_space = product(w.in, w.space), out_space = product(w.out, w.space);
	const bool count_pads = op_int(s, "count_include_pad", 0) != 0;
	output_like(s, &w, x->dim[1], out);
	out->terms = is_max ? 1 : w.volume;
	for (int64_t i = 0; i < out->count; i++) {
		const double *plane = x->value + i / out_space * in_space;
		int64_t o[3], rest = i % out_space, place;
		for (uint32_t d = w.space; d-- > 0; rest /= w.out[d])
			o[d] = rest % w.out[d];
		double value = is_max ? -INFINITY : 0, size = 0;
		int64_t counted = 0;
		for (int64_t k = 0; k < w.volume; k++) {
			bool padded;
			const bool inside = seen(&w, o, k, &place, &padded);
			if (inside || (count_pads && padded)) counted++;
			if (!inside) continue;
			if (is_max)
				value = plane[place] > value || plane[place] != plane[place] ? plane[place] : value;
			else
				value += plane[place];
			size += fabs(plane[place]);
		}
		out->value[i] = is_max ? value : value / (double)counted;
		out->magnitude[i] = is_max ? fabs(value) : size / (double)counted;
	}
	return 1;
}

static uint32_t run_global_pool(const op_spec *s, tensor *out, bool is_max)
{
	const tensor *x = &s->inputs[0];
	int64_t dims[5] = {x->dim[0], x->dim[1], 1, 1, 1};
	const int64_t space = product(x->dim + 2, x->rank - 2);
	tensor_create(out, x->dtype, x->rank, dims);
	out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
	out->terms = is_max ? 1 : space;
	for (int64_t i = 0; i < out->count; i++) {
		double value = is_max ? -INFINITY : 0, size = 0;
		for (int64_t k = 0; k < space; k++) {
			const double v = x->value[i * space + k];
			value = is_max ? (v > value ? v : value) : value + v;
			size += fabs(v);
		}
		out->value[i] = is_max ? value : value / (double)space;
		out->magnitude[i] = is_max ? fabs(value) : size / (double)space;
	}
	return 1;
}

uint32_t oracle_window(const op_spec *spec, tensor *outputs)
{
	if (strcmp(spec->op, "Conv") == 0) return run_conv(spec, outputs);
	if (strcmp(spec->op, "ConvTranspose") == 0) return run_conv_transpose(spec, outputs);
	if (strcmp(spec->op, "MaxPool") == 0) return run_pool(spec, outputs, true);
	if (strcmp(spec->op, "AveragePool") == 0) return run_pool(spec, outputs, false);
	if (strcmp(spec->op, "GlobalMaxPool") == 0) return run_global_pool(spec, outputs, true);
	if (strcmp(spec->op, "GlobalAveragePool") == 0) return run_global_pool(spec, outputs, false);
	return 0;
}
