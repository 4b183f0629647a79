/* Resize: tables of taps for each axis are made here, the kernel only sums. Coordinates as in the ONNX specification's
 * table of coordinate_transformation_mode. */
#include "handler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
	const char *mode, *coordinates, *nearest;
	double a; /* of the cubic */
	bool exclude_outside, antialias;
} settings;

typedef struct line {
	int64_t in, out;
	double scale, roi_begin, roi_end;
} line;

static double place_of(const settings *s, const line *l, double x)
{
	const double width = l->scale * (double)l->in, last = (double)(l->in - 1);
	const double half = (x + 0.5) / l->scale - 0.5;
	if (strcmp(s->coordinates, "align_corners") == 0) return width == 1 ? 0 : x * last / (width - 1);
	if (strcmp(s->coordinates, "asymmetric") == 0) return x / l->scale;
	if (strcmp(s->coordinates, "pytorch_half_pixel") == 0) return width > 1 ? half : 0;
	if (strcmp(s->coordinates, "tf_half_pixel_for_nn") == 0) return (x + 0.5) / l->scale;
	if (strcmp(s->coordinates, "half_pixel_symmetric") == 0)
		return (double)l->in / 2 * (1 - (double)l->out / width) + half;
	if (strcmp(s->coordinates, "tf_crop_and_resize") == 0) {
		const double part = l->roi_end - l->roi_begin;
		return l->roi_begin * last + (l->out > 1 ? x * part * last / (double)(l->out - 1) : part * last / 2);
	}
	return half;
}

static int32_t clamp(double x, int64_t count)
{
	return (int32_t)(x > 0 ? x < (double)(count - 1) ? (int64_t)x : count - 1 : 0);
}

static double round_nearest(double x, const char *mode)
{
	if (strcmp(mode, "floor") == 0) return floor(x);
	if (strcmp(mode, "ceil") == 0) return ceil(x);
	if (strcmp(mode, "round_prefer_ceil") == 0) return floor(x + 0.5);
	return ceil(x - 0.5);
}

static double weight_at(const settings *s, double distance)
{
	const double x = fabs(distance), a = s->a;
	if (strcmp(s->mode, "linear") == 0) return x < 1 ? 1 - x : 0;
	if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static bool is_nearest(const settings *s)
{
	return strcmp(s->mode, "nearest") == 0;
}

static bool stays(const line *l)
{
	return l->in == l->out && l->scale == 1 && l->roi_begin == 0 && l->roi_end == 1;
}

/* An antialiasing filter is as wide as the output's pixels are apart. */
static double stretch_of(const settings *s, const line *l)
{
	return s->antialias && l->scale < 1 ? l->scale : 1;
}

static int64_t taps_of(const settings *s, const line *l)
{
	if (stays(l) || is_nearest(s)) return 1;
	return 2 * (int64_t)ceil((strcmp(s->mode, "linear") == 0 ? 1 : 2) / stretch_of(s, l));
}

static void tabulate(const settings *s, const line *l, int64_t i, int64_t taps, int32_t *places, float *weights)
{
	const double x = place_of(s, l, (double)i);
	const bool beside = strcmp(s->coordinates, "tf_crop_and_resize") == 0 && (x < 0 || x > (double)(l->in - 1));
	if (taps == 1) {
		places[0] = stays(l) ? (int32_t)i : beside ? -1 : clamp(round_nearest(x, s->nearest), l->in);
		weights[0] = 1;
		return;
	}
	double sum = 0, exact;
	for (int turn = 0; turn < 2; turn++)
		for (int64_t t = 0; t < taps; t++) {
			const double at = floor(x) - (double)(taps / 2 - 1) + (double)t;
			const bool outside = at < 0 || at > (double)(l->in - 1);
			exact = outside && s->exclude_outside ? 0 : weight_at(s, (at - x) * stretch_of(s, l));
			if (turn == 0) sum += exact;
			places[t] = clamp(at, l->in);
			weights[t] = (float)(sum != 0 && (s->exclude_outside || s->antialias) ? exact / sum : exact);
		}
	if (beside) places[0] = -1;
}

/* Number i of a list of floats. */
static double number(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input, uint32_t i)
{
	const void *data = hy_kernels__data(lower, node, input);
	const hy_dtype dtype = hy_kernels__type(lower, node->inputs[input])->dtype;
	if (dtype == HY_DTYPE_F64) return ((const double *)data)[i];
	if (dtype == HY_DTYPE_F16) return (double)hy_f16_to_float(((const uint16_t *)data)[i]);
	return (double)((const float *)data)[i];
}

static bool is_known(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input)
{
	return hy_kernels__data(lower, node, input) != NULL &&
	       hy_ir_type_elements(hy_kernels__type(lower, node->inputs[input])) > 0;
}

/* The scale that keep_aspect_ratio_policy makes common to all axes; 0: each has its own. */
static double common_scale(const hy_kernels__lower *lower, const hy_kernels__node *node, const hy_ir_type *in,
                           const int64_t *axes, uint32_t count)
{
	const char *policy = hy_ir_node_attr_string(node->ir, "keep_aspect_ratio_policy", "stretch");
	const bool larger = strcmp(policy, "not_smaller") == 0;
	if ((!larger && strcmp(policy, "not_larger") != 0) || !is_known(lower, node, 3)) return 0;
	double common = 0;
	for (uint32_t i = 0; i < count; i++) {
		const double scale = (double)hy_kernels__integer(lower, node, 3, i) / (double)in->dim[axes[i]];
		if (i == 0 || (larger ? scale > common : scale < common)) common = scale;
	}
	return common;
}

static void read_lines(const hy_kernels__lower *lower, const hy_kernels__node *node, line *lines)
{
	const hy_ir_type *in = hy_kernels__type(lower, node->inputs[0]),
			 *out = hy_kernels__type(lower, node->outputs[0]);
	const hy_ir_attr *attr = hy_ir_node_attr(node->ir, "axes");
	const uint32_t count = attr == NULL ? in->rank : attr->count;
	int64_t axes[HY_MAX_RANK];
	for (uint32_t i = 0; i < count; i++) {
		axes[i] = attr == NULL ? (int64_t)i : attr->ints[i];
		if (axes[i] < 0) axes[i] += in->rank;
	}
	for (uint32_t d = 0; d < in->rank; d++)
		lines[d] = (line){in->dim[d], out->dim[d], 1, 0, 1};
	const double common = common_scale(lower, node, in, axes, count);
	const bool crops = strcmp(hy_ir_node_attr_string(node->ir, "coordinate_transformation_mode", ""),
	                          "tf_crop_and_resize") == 0;
	for (uint32_t i = 0; i < count; i++) {
		line *at = &lines[axes[i]];
		if (is_known(lower, node, 2))
			at->scale = number(lower, node, 2, i);
		else if (is_known(lower, node, 3) && at->in > 0)
			at->scale = common != 0 ? common
			                        : (double)hy_kernels__integer(lower, node, 3, i) / (double)at->in;
		if (crops && is_known(lower, node, 1)) {
			at->roi_begin = number(lower, node, 1, i);
			at->roi_end = number(lower, node, 1, i + count);
		}
	}
}

static hy_status emit(hy_kernels__lower *lower, const hy_kernels__node *node, const settings *s, const line *lines,
                      uint32_t rank)
{
	const hy_ir_type in = *hy_kernels__type(lower, node->inputs[0]),
			 out = *hy_kernels__type(lower, node->outputs[0]);
	int64_t taps[HY_MAX_RANK] = {1}, tables[HY_MAX_RANK] = {0}, strides[HY_MAX_RANK] = {1}, all = 1, entries = 0;
	hy_kernels__strides(&in, strides);
	for (uint32_t d = 0; d < rank; d++) {
		taps[d] = taps_of(s, &lines[d]);
		tables[d] = entries;
		entries += taps[d] * out.dim[d];
		all *= taps[d];
		if (all > INT32_MAX || entries > INT32_MAX)
			return hy_kernels__refuse(lower, node, HY_REASON_SHAPE, "the scale is too small");
	}
	int32_t *places = hy_kernels__alloc(lower, (uint64_t)entries * sizeof(*places));
	float *weights = hy_kernels__alloc(lower, (uint64_t)entries * sizeof(*weights));
	if (places == NULL || weights == NULL) {
		free(places);
		free(weights);
		return HY_NO_MEMORY;
	}
	for (uint32_t d = 0; d < rank; d++)
		for (int64_t i = 0; i < out.dim[d]; i++)
			tabulate(s, &lines[d], i, taps[d], places + tables[d] + i * taps[d],
			         weights + tables[d] + i * taps[d]);
	const bool is_double = in.dtype == HY_DTYPE_F64;
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(in.dtype));
	hy_kernels__text_define(&defines, "REAL", "%s", is_double ? "double" : "float");
	hy_kernels__text_define(&defines, "FINISH", "%s", hy_dtype_is_float(in.dtype) ? "" : "rint");
	hy_kernels__text_define(&defines, "TOTAL", "%lld", (long long)hy_ir_type_elements(&out));
	hy_kernels__text_define(&defines, "RANK", "%u", rank > 0 ? rank : 1);
	hy_kernels__text_define(&defines, "ALL_TAPS", "%lld", (long long)all);
	hy_kernels__text_define(&defines, "BESIDE", "%af",
	                        (double)hy_ir_node_attr_float(node->ir, "extrapolation_value", 0.0f));
	hy_kernels__define_list(&defines, "OUT", out.dim, rank);
	hy_kernels__define_list(&defines, "STRIDE", strides, rank);
	hy_kernels__define_list(&defines, "TAPS", taps, rank);
	hy_kernels__define_list(&defines, "TABLE", tables, rank);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place p = hy_kernels__constant(lower, places, (uint64_t)entries * sizeof(*places));
	const hy_kernels__place w = hy_kernels__constant(lower, weights, (uint64_t)entries * sizeof(*weights));
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const uint32_t kernel = hy_kernels__kernel(lower, "resize", &defines, NULL);
	if (hy_ir_type_elements(&out) == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)hy_ir_type_elements(&out), 1, 1,
	                   lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, p);
	hy_kernels__pass(lower, w);
	hy_kernels__pass(lower, y);
	return HY_OK;
}

hy_status hy_kernels__lower_resize(hy_kernels__lower *lower, const hy_kernels__node *node,
                                   const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type *in = hy_kernels__type(lower, node->inputs[0]);
	for (uint32_t i = 1; i < node->input_count; i++)
		if (hy_kernels__has_input(node, i) && !lower->values[node->inputs[i]].constant)
			return hy_kernels__refuse(lower, node, HY_REASON_CONSTANT, "input %u must be constant", i);
	if (in->rank == 0) return hy_kernels__refuse(lower, node, HY_REASON_SHAPE, "a scalar");
	const settings s = {
		.mode = hy_ir_node_attr_string(node->ir, "mode", "nearest"),
		.coordinates = hy_ir_node_attr_string(node->ir, "coordinate_transformation_mode", "half_pixel"),
		.nearest = hy_ir_node_attr_string(node->ir, "nearest_mode", "round_prefer_floor"),
		.a = (double)hy_ir_node_attr_float(node->ir, "cubic_coeff_a", -0.75f),
		.exclude_outside = hy_ir_node_attr_int(node->ir, "exclude_outside", 0) != 0,
		.antialias = hy_ir_node_attr_int(node->ir, "antialias", 0) != 0,
	};
	line lines[HY_MAX_RANK];
	read_lines(lower, node, lines);
	return emit(lower, node, &s, lines, in->rank);
}
