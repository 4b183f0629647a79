/* Resize, one axis after the other: every output coordinate is a weighted sum of a few input elements. Nearest is a
 * copy through one index per coordinate instead, so that every type stays exact. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
	const char *mode, *coordinates, *nearest;
	double a; /* of the cubic */
	bool exclude_outside, antialias;
} settings;

/* One axis. */
typedef struct line {
	int64_t in, out;
	double scale, roi_begin, roi_end;
} line;

static settings settings_of(const hy_ir__call *call)
{
	return (settings){
		.mode = hy_ir_node_attr_string(call->node, "mode", "nearest"),
		.coordinates = hy_ir_node_attr_string(call->node, "coordinate_transformation_mode", "half_pixel"),
		.nearest = hy_ir_node_attr_string(call->node, "nearest_mode", "round_prefer_floor"),
		.a = hy_ir__call_float(call, "cubic_coeff_a", -0.75f),
		.exclude_outside = hy_ir__call_int(call, "exclude_outside", 0) != 0,
		.antialias = hy_ir__call_int(call, "antialias", 0) != 0,
	};
}

/* The place x of the output in the coordinates of the input; source: the table of coordinate_transformation_mode in
 * the ONNX specification. width is the output's length before it was cut to a whole number. */
static double half_pixel(const line *l, double x, double width)
{
	(void)width;
	return (x + 0.5) / l->scale - 0.5;
}

static double half_pixel_symmetric(const line *l, double x, double width)
{
	const double center = (double)l->in / 2, adjustment = (double)l->out / width;
	return center * (1 - adjustment) + (x + 0.5) / l->scale - 0.5;
}

static double pytorch_half_pixel(const line *l, double x, double width)
{
	return width > 1 ? half_pixel(l, x, width) : 0;
}

static double align_corners(const line *l, double x, double width)
{
	return width == 1 ? 0 : x * (double)(l->in - 1) / (width - 1);
}

static double asymmetric(const line *l, double x, double width)
{
	(void)width;
	return x / l->scale;
}

static double tf_crop_and_resize(const line *l, double x, double width)
{
	const double last = (double)(l->in - 1), part = l->roi_end - l->roi_begin;
	(void)width;
	return l->roi_begin * last + (l->out > 1 ? x * part * last / (double)(l->out - 1) : part * last / 2);
}

static double tf_half_pixel_for_nn(const line *l, double x, double width)
{
	(void)width;
	return (x + 0.5) / l->scale;
}

typedef double transform(const line *l, double x, double width);

static transform *transform_of(const char *name)
{
	static const struct {
		const char *name;
		transform *of;
	} transforms[] = {
		{"half_pixel", half_pixel},
		{"half_pixel_symmetric", half_pixel_symmetric},
		{"pytorch_half_pixel", pytorch_half_pixel},
		{"align_corners", align_corners},
		{"asymmetric", asymmetric},
		{"tf_crop_and_resize", tf_crop_and_resize},
		{"tf_half_pixel_for_nn", tf_half_pixel_for_nn},
	};
	for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++)
		if (strcmp(name, transforms[i].name) == 0) return transforms[i].of;
	return NULL;
}

static double round_nearest(double x, const char *mode)
{
	if (strcmp(mode, "floor") == 0) return floor(x);
	if (strcmp(mode, "ceil") == 0) return ceil(x);
	if (strcmp(mode, "round_prefer_ceil") == 0) return floor(x + 0.5);
	return ceil(x - 0.5);
}

static int64_t clamp(double x, int64_t count)
{
	return x > 0 ? (x < (double)(count - 1) ? (int64_t)x : count - 1) : 0;
}

static bool crops(const settings *s)
{
	return strcmp(s->coordinates, "tf_crop_and_resize") == 0;
}

/* The weight of an element at distance d from the place. */
static double weight_at(const settings *s, double d)
{
	const double x = fabs(d), a = s->a;
	if (strcmp(s->mode, "linear") == 0) return x < 1 ? 1 - x : 0;
	if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* taps[0..count) and weights of the place x; the places beside the input are the elements at its ends. */
static void weigh(const settings *s, const line *l, double x, int64_t count, double stretch, int64_t *taps,
                  double *weights)
{
	const int64_t before = count / 2 - 1;
	const double first = floor(x) - (double)before;
	double sum = 0;
	for (int64_t i = 0; i < count; i++) {
		const double at = first + (double)i;
		const bool outside = at < 0 || at > (double)(l->in - 1);
		taps[i] = clamp(at, l->in);
		weights[i] = outside && s->exclude_outside ? 0 : weight_at(s, (at - x) * stretch);
		sum += weights[i];
	}
	for (int64_t i = 0; i < count && sum != 0 && (s->exclude_outside || s->antialias); i++)
		weights[i] /= sum;
}

typedef struct taps {
	int64_t count; /* for each output coordinate */
	int64_t *at; /* at[0] -1: beside the crop, the extrapolation value */
	double *weights;
} taps;

static hy_status tabulate(const hy_ir__call *call, const settings *s, const line *l, taps *out_taps)
{
	transform *const to_input = transform_of(s->coordinates);
	/* An antialiasing filter is as wide as the output pixels are apart. */
	const double stretch = s->antialias && l->scale < 1 ? l->scale : 1;
	const double radius = ceil((strcmp(s->mode, "linear") == 0 ? 1 : 2) / stretch);
	if (!(radius < INT32_MAX)) return hy_ir__call_unsupported(call, "the scale %g is too small", l->scale);
	out_taps->count = 2 * (int64_t)radius;
	int64_t all;
	if (!hy_ir__multiply(l->out, out_taps->count, &all)) return hy_ir__no_memory(call->error);
	out_taps->at = hy_ir__alloc(all, sizeof(int64_t));
	out_taps->weights = hy_ir__alloc(all, sizeof(double));
	if (out_taps->at == NULL || out_taps->weights == NULL) return hy_ir__no_memory(call->error);
	for (int64_t i = 0; i < l->out; i++) {
		const double x = to_input(l, (double)i, l->scale * (double)l->in);
		int64_t *at = out_taps->at + i * out_taps->count;
		weigh(s, l, x, out_taps->count, stretch, at, out_taps->weights + i * out_taps->count);
		if (crops(s) && (x < 0 || x > (double)(l->in - 1))) at[0] = -1;
	}
	return HY_OK;
}

/* Replaces *data, dims as `cut` says, by the same with l->out elements along the axis. */
static hy_status resize_axis(const hy_ir__call *call, const settings *s, const line *l, hy_ir__cut cut, double **data)
{
	const double beside = hy_ir__call_float(call, "extrapolation_value", 0);
	taps t = {.count = 0};
	double *out = hy_ir__alloc(cut.outer * l->out * cut.inner, sizeof(double));
	hy_status status = out != NULL ? tabulate(call, s, l, &t) : hy_ir__no_memory(call->error);
	for (int64_t n = 0; status == HY_OK && n < cut.outer * l->out; n++) {
		const int64_t *at = t.at + n % l->out * t.count;
		const double *weights = t.weights + n % l->out * t.count;
		const double *source = *data + n / l->out * cut.length * cut.inner;
		double *row = out + n * cut.inner;
		for (int64_t i = 0; i < cut.inner; i++) {
			double sum = at[0] < 0 ? beside : 0;
			for (int64_t k = 0; at[0] >= 0 && k < t.count; k++)
				sum += weights[k] * source[at[k] * cut.inner + i];
			row[i] = sum;
		}
	}
	free(t.at);
	free(t.weights);
	if (status != HY_OK) {
		free(out);
		return status;
	}
	free(*data);
	*data = out;
	return HY_OK;
}

static line line_of(const hy_ir__resize *r, const hy_ir_type *x, uint32_t axis)
{
	return (line){x->dim[axis], r->out[axis], r->scale[axis], r->roi_begin[axis], r->roi_end[axis]};
}

static bool stays(const line *l)
{
	return l->in == l->out && l->scale == 1 && l->roi_begin == 0 && l->roi_end == 1;
}

static hy_status interpolate(const hy_ir__call *call, const settings *s, const hy_ir__resize *r,
                             const hy_ir_tensor *out)
{
	hy_ir_type type = call->in[0].type;
	double *data = hy_ir__alloc_reals(&call->in[0]);
	hy_status status = data != NULL ? HY_OK : hy_ir__no_memory(call->error);
	for (uint32_t axis = 0; status == HY_OK && axis < type.rank; axis++) {
		const line l = line_of(r, &call->in[0].type, axis);
		if (stays(&l)) continue;
		status = resize_axis(call, s, &l, hy_ir__cut_at(&type, axis), &data);
		type.dim[axis] = l.out;
	}
	const int64_t elements = hy_ir_type_elements(&out->type);
	for (int64_t i = 0; status == HY_OK && !hy_dtype_is_float(out->type.dtype) && i < elements; i++)
		data[i] = rint(data[i]);
	if (status == HY_OK) hy_ir__write_reals(out->type.dtype, out->data, 0, elements, data);
	free(data);
	return status;
}

static hy_status pick_nearest(const hy_ir__call *call, const settings *s, const hy_ir__resize *r,
                              const hy_ir_tensor *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const double beside = hy_ir__call_float(call, "extrapolation_value", 0);
	int64_t *map[HY_MAX_RANK] = {NULL};
	hy_status status = HY_OK;
	for (uint32_t axis = 0; status == HY_OK && axis < x->rank; axis++) {
		const line l = line_of(r, x, axis);
		map[axis] = hy_ir__alloc(l.out, sizeof(int64_t));
		if (map[axis] == NULL) status = hy_ir__no_memory(call->error);
		for (int64_t i = 0; status == HY_OK && i < l.out; i++) {
			const double at = transform_of(s->coordinates)(&l, (double)i, l.scale * (double)l.in);
			const bool outside = crops(s) && (at < 0 || at > (double)(l.in - 1));
			map[axis][i] = stays(&l) ? i : outside ? -1 : clamp(round_nearest(at, s->nearest), l.in);
		}
	}
	uint64_t fill = 0;
	hy_ir__write_reals(out->type.dtype, &fill, 0, 1, &beside);
	if (status == HY_OK) hy_ir__copy_mapped(&call->in[0], out, map, &fill);
	for (uint32_t axis = 0; axis < x->rank; axis++)
		free(map[axis]);
	return status;
}

hy_status hy_ir__eval_resize(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const settings s = settings_of(call);
	hy_ir__resize resize;
	if (transform_of(s.coordinates) == NULL)
		return hy_ir__call_refuse(call, "attribute coordinate_transformation_mode is '%s'", s.coordinates);
	const hy_status status = hy_ir__resize_of(call, &resize);
	if (status != HY_OK) return status;
	if (strcmp(s.mode, "nearest") == 0) return pick_nearest(call, &s, &resize, out);
	return interpolate(call, &s, &resize, out);
}
