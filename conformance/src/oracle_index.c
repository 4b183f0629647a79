/* The oracle: operators that read by index, make values, or resample. */
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t index_of(double value, int64_t n)
{
	const int64_t i = (int64_t)value;
	return i < 0 ? i + n : i;
}

static uint32_t run_gather(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *indices = &s->inputs[1];
	const uint32_t axis = tensor_axis(op_int(s, "axis", 0), x->rank);
	int64_t dims[2 * HY_MAX_RANK], inner = 1, outer = 1;
	uint32_t rank = 0;
	for (uint32_t i = 0; i < axis; i++)
		outer *= dims[rank++] = x->dim[i];
	for (uint32_t i = 0; i < indices->rank; i++)
		dims[rank++] = indices->dim[i];
	for (uint32_t i = axis + 1; i < x->rank; i++)
		inner *= dims[rank++] = x->dim[i];
	tensor_create(out, x->dtype, rank, dims);
	for (int64_t o = 0; o < outer; o++)
		for (int64_t k = 0; k < indices->count; k++)
			memcpy(out->value + (o * indices->count + k) * inner,
			       x->value + (o * x->dim[axis] + index_of(indices->value[k], x->dim[axis])) * inner,
			       (size_t)inner * sizeof(double));
	return 1;
}

static uint32_t run_gather_elements(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *indices = &s->inputs[1];
	const uint32_t axis = tensor_axis(op_int(s, "axis", 0), x->rank);
	tensor_create(out, x->dtype, indices->rank, indices->dim);
	int64_t at[HY_MAX_RANK];
	for (int64_t i = 0; i < out->count; i++) {
		tensor_coordinates(out, i, at);
		at[axis] = index_of(indices->value[i], x->dim[axis]);
		out->value[i] = x->value[tensor_index(x, at)];
	}
	return 1;
}

static uint32_t run_gather_nd(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *indices = &s->inputs[1];
	const uint32_t batch = (uint32_t)op_int(s, "batch_dims", 0), depth = (uint32_t)indices->dim[indices->rank - 1];
	int64_t dims[2 * HY_MAX_RANK], inner = 1, tuples = 1, batches = 1;
	uint32_t rank = 0;
	for (uint32_t i = 0; i + 1 < indices->rank; i++)
		tuples *= dims[rank++] = indices->dim[i];
	for (uint32_t i = batch + depth; i < x->rank; i++)
		inner *= dims[rank++] = x->dim[i];
	for (uint32_t i = 0; i < batch; i++)
		batches *= x->dim[i];
	tensor_create(out, x->dtype, rank, dims);
	for (int64_t t = 0; t < tuples; t++) {
		int64_t place = t / (tuples / batches);
		for (uint32_t d = 0; d < depth; d++)
			place = place * x->dim[batch + d] + index_of(indices->value[t * depth + d], x->dim[batch + d]);
		memcpy(out->value + t * inner, x->value + place * inner, (size_t)inner * sizeof(double));
	}
	return 1;
}

static uint32_t run_shape(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	int64_t begin = op_int(s, "start", 0), end = op_int(s, "end", x->rank);
	begin = begin < 0 ? begin + x->rank : begin;
	end = end < 0 ? end + x->rank : end > x->rank ? x->rank : end;
	tensor_create(out, HY_DTYPE_I64, 1, (const int64_t[]){end > begin ? end - begin : 0});
	for (int64_t i = begin; i < end; i++)
		out->value[i - begin] = (double)x->dim[i];
	return 1;
}

static uint32_t run_range(const op_spec *s, tensor *out)
{
	const double begin = s->inputs[0].value[0], end = s->inputs[1].value[0], step = s->inputs[2].value[0];
	const double count = ceil((end - begin) / step);
	tensor_create(out, s->inputs[0].dtype, 1, (const int64_t[]){count > 0 ? (int64_t)count : 0});
	for (int64_t i = 0; i < out->count; i++)
		out->value[i] = begin + (double)i * step;
	return 1;
}

static uint32_t run_constant_of_shape(const op_spec *s, tensor *out)
{
	int64_t dims[HY_MAX_RANK];
	for (int64_t i = 0; i < s->inputs[0].count; i++)
		dims[i] = (int64_t)s->inputs[0].value[i];
	tensor_create(out, HY_DTYPE_F32, (uint32_t)s->inputs[0].count, dims); /* value defaults to one f32 zero */
	return 1;
}

/* ---- Resize: nearest and linear, by sizes or scales ---- */

static double source_place(const char *mode, double o, double scale, int64_t in, int64_t out)
{
	if (strcmp(mode, "asymmetric") == 0) return o / scale;
	if (strcmp(mode, "align_corners") == 0) return out == 1 ? 0 : o * (double)(in - 1) / (double)(out - 1);
	if (strcmp(mode, "pytorch_half_pixel") == 0 && out <= 1) return 0;
	return (o + 0.5) / scale - 0.5;
}

static int64_t nearest(const char *mode, double place)
{
	if (strcmp(mode, "floor") == 0) return (int64_t)floor(place);
	if (strcmp(mode, "ceil") == 0) return (int64_t)ceil(place);
	if (strcmp(mode, "round_prefer_ceil") == 0) return (int64_t)floor(place + 0.5);
	return (int64_t)ceil(place - 0.5);
}

static int64_t inside(int64_t i, int64_t n)
{
	return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static uint32_t run_resize(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	const bool by_sizes = s->input_count > 3 && s->inputs[3].present;
	const char *coordinate = op_text(s, "coordinate_transformation_mode", "half_pixel");
	const char *rounding = op_text(s, "nearest_mode", "round_prefer_floor");
	const bool linear = strcmp(op_text(s, "mode", "nearest"), "linear") == 0;
	double scale[HY_MAX_RANK];
	int64_t dims[HY_MAX_RANK], at[HY_MAX_RANK], corner[HY_MAX_RANK];
	for (uint32_t i = 0; i < x->rank; i++) {
		scale[i] = by_sizes ? s->inputs[3].value[i] / (double)x->dim[i] : (float)s->inputs[2].value[i];
		dims[i] = by_sizes ? (int64_t)s->inputs[3].value[i] : (int64_t)floor((double)x->dim[i] * scale[i]);
	}
	tensor_create(out, x->dtype, x->rank, dims);
	out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
	for (int64_t k = 0; k < out->count; k++) {
		double low_weight[HY_MAX_RANK];
		int64_t low[HY_MAX_RANK];
		tensor_coordinates(out, k, at);
		for (uint32_t i = 0; i < x->rank; i++) {
			const double p = source_place(coordinate, (double)at[i], scale[i], x->dim[i], dims[i]);
			low[i] = linear ? (int64_t)floor(p) : inside(nearest(rounding, p), x->dim[i]);
			low_weight[i] = linear ? 1 - (p - floor(p)) : 1;
		}
		for (uint32_t mask = 0; mask < 1u << x->rank; mask++) {
			double weight = 1;
			for (uint32_t i = 0; i < x->rank; i++) {
				const bool high = mask >> i & 1;
				weight *= high ? 1 - low_weight[i] : low_weight[i];
				corner[i] = inside(low[i] + high, x->dim[i]);
			}
			if (weight == 0) continue;
			out->value[k] += weight * x->value[tensor_index(x, corner)];
			out->magnitude[k] += fabs(weight * x->value[tensor_index(x, corner)]);
		}
		if (linear) out->magnitude[k] += 1; /* weights carry the rounding of a place of up to a few hundred */
	}
	return 1;
}

uint32_t oracle_index(const op_spec *s, tensor *outputs)
{
	if (strcmp(s->op, "Gather") == 0) return run_gather(s, outputs);
	if (strcmp(s->op, "GatherElements") == 0) return run_gather_elements(s, outputs);
	if (strcmp(s->op, "GatherND") == 0) return run_gather_nd(s, outputs);
	if (strcmp(s->op, "Shape") == 0) return run_shape(s, outputs);
	if (strcmp(s->op, "Range") == 0) return run_range(s, outputs);
	if (strcmp(s->op, "ConstantOfShape") == 0) return run_constant_of_shape(s, outputs);
	if (strcmp(s->op, "Resize") == 0) return run_resize(s, outputs);
	return 0;
}
