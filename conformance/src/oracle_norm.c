/* The oracle: normalisations. Magnitudes are what the rounding of each step is relative to. */
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void output_like_input(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	tensor_create(out, x->dtype, x->rank, x->dim);
	out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
}

static uint32_t run_softmax(const op_spec *s, tensor *out, bool logarithm)
{
	const tensor *x = &s->inputs[0];
	output_like_input(s, out);
	const uint32_t axis = tensor_axis(op_int(s, "axis", -1), x->rank);
	int64_t inner = 1;
	for (uint32_t i = axis + 1; i < x->rank; i++)
		inner *= x->dim[i];
	const int64_t n = x->dim[axis];
	out->terms = n;
	for (int64_t line = 0; line < x->count / (n == 0 ? 1 : n); line++) {
		const int64_t base = line / inner * n * inner + line % inner;
		double largest = -INFINITY, sum = 0;
		for (int64_t i = 0; i < n; i++)
			largest = fmax(largest, x->value[base + i * inner]);
		for (int64_t i = 0; i < n; i++)
			sum += exp(x->value[base + i * inner] - largest);
		for (int64_t i = 0; i < n; i++) {
			const double shifted = x->value[base + i * inner] - largest;
			const int64_t at = base + i * inner;
			out->value[at] = logarithm ? shifted - log(sum) : exp(shifted) / sum;
			out->magnitude[at] = logarithm ? fabs(shifted) + log(sum) + 1
			                               : out->value[at] * (1 + fabs(shifted));
		}
	}
	return 1;
}

/* y = scale * (x - mean) / sqrt(variance + epsilon) + shift, for one element. */
static void normalise(tensor *out, int64_t at, double x, double mean, double variance, double epsilon, double scale,
                      double shift)
{
	const double inverse = 1 / sqrt(variance + epsilon);
	out->value[at] = scale * (x - mean) * inverse + shift;
	out->magnitude[at] = fabs(scale) * (fabs(x) + fabs(mean)) * inverse + fabs(shift);
}

static uint32_t run_batch_norm(const op_spec *s, tensor *out)
{
	const tensor *in = s->inputs;
	output_like_input(s, out);
	int64_t space = 1;
	for (uint32_t i = 2; i < in->rank; i++)
		space *= in->dim[i];
	const double epsilon = op_float(s, "epsilon", 1e-5);
	for (int64_t i = 0; i < in->count; i++) {
		const int64_t c = i / space % in->dim[1];
		normalise(out, i, in->value[i], in[3].value[c], in[4].value[c], epsilon, in[1].value[c],
		          in[2].value[c]);
	}
	return 1;
}

static void moments(const double *x, int64_t count, double *mean, double *variance)
{
	*mean = *variance = 0;
	for (int64_t i = 0; i < count; i++)
		*mean += x[i] / (double)count;
	for (int64_t i = 0; i < count; i++)
		*variance += (x[i] - *mean) * (x[i] - *mean) / (double)count;
}

static uint32_t run_instance_norm(const op_spec *s, tensor *out)
{
	const tensor *in = s->inputs;
	output_like_input(s, out);
	int64_t space = 1;
	for (uint32_t i = 2; i < in->rank; i++)
		space *= in->dim[i];
	out->terms = space;
	const double epsilon = op_float(s, "epsilon", 1e-5);
	for (int64_t plane = 0; plane < in->count / space; plane++) {
		const int64_t c = plane % in->dim[1];
		double mean, variance;
		moments(in->value + plane * space, space, &mean, &variance);
		for (int64_t i = plane * space; i < (plane + 1) * space; i++)
			normalise(out, i, in->value[i], mean, variance, epsilon, in[1].value[c], in[2].value[c]);
	}
	return 1;
}

static uint32_t run_layer_norm(const op_spec *s, tensor *out)
{
	const tensor *in = s->inputs;
	output_like_input(s, out);
	int64_t width = 1;
	for (uint32_t i = tensor_axis(op_int(s, "axis", -1), in->rank); i < in->rank; i++)
		width *= in->dim[i];
	out->terms = width;
	const double epsilon = op_float(s, "epsilon", 1e-5);
	for (int64_t row = 0; row < in->count / width; row++) {
		double mean, variance;
		moments(in->value + row * width, width, &mean, &variance);
		for (int64_t i = 0; i < width; i++)
			normalise(out, row * width + i, in->value[row * width + i], mean, variance, epsilon,
			          in[1].value[i], s->input_count > 2 ? in[2].value[i] : 0);
	}
	return 1;
}

static uint32_t run_lrn(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	output_like_input(s, out);
	int64_t space = 1;
	for (uint32_t i = 2; i < x->rank; i++)
		space *= x->dim[i];
	const int64_t size = op_int(s, "size", 1), channels = x->dim[1];
	const double alpha = op_float(s, "alpha", 1e-4), beta = op_float(s, "beta", 0.75),
		     bias = op_float(s, "bias", 1);
	out->terms = size;
	for (int64_t i = 0; i < x->count; i++) {
		const int64_t c = i / space % channels, low = c - (size - 1) / 2, high = c + size / 2;
		double sum = 0;
		for (int64_t k = low < 0 ? 0 : low; k <= high && k < channels; k++) {
			const double v = x->value[i + (k - c) * space];
			sum += v * v;
		}
		out->value[i] = x->value[i] / pow(bias + alpha / (double)size * sum, beta);
		out->magnitude[i] = fabs(out->value[i]);
	}
	return 1;
}

uint32_t oracle_norm(const op_spec *spec, tensor *outputs)
{
	if (strcmp(spec->op, "Softmax") == 0) return run_softmax(spec, outputs, false);
	if (strcmp(spec->op, "LogSoftmax") == 0) return run_softmax(spec, outputs, true);
	if (strcmp(spec->op, "BatchNormalization") == 0) return run_batch_norm(spec, outputs);
	if (strcmp(spec->op, "InstanceNormalization") == 0) return run_instance_norm(spec, outputs);
	if (strcmp(spec->op, "LayerNormalization") == 0) return run_layer_norm(spec, outputs);
	if (strcmp(spec->op, "LRN") == 0) return run_lrn(spec, outputs);
	return 0;
}
