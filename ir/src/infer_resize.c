/* Shape of Resize: sizes or scales, on all axes or some, with the policies for the aspect ratio. */
#include "eval_number.h"
#include "infer.h"

#include <math.h>
#include <string.h>

/* A list of at most `room` floats. *out_count HY_IR_NONE: the input is there and not known; 0: it is absent or empty. */
static hy_status read_floats(const hy_ir__call *call, uint32_t input, uint32_t room, double *out, uint32_t *out_count)
{
	*out_count = 0;
	if (!hy_ir__call_has(call, input)) return HY_OK;
	const hy_ir_tensor *tensor = &call->in[input];
	if (tensor->type.dtype != HY_DTYPE_NONE && !hy_dtype_is_float(tensor->type.dtype))
		return hy_ir__call_refuse(call, "input %u must hold floats", input);
	if (hy_ir__ranked(&tensor->type) && tensor->type.rank != 1)
		return hy_ir__call_refuse(call, "input %u must be a list", input);
	*out_count = HY_IR_NONE;
	if (!hy_ir_type_is_static(&tensor->type)) return HY_OK;
	if (tensor->type.dim[0] > room)
		return hy_ir__call_refuse(call, "input %u has %lld numbers, at most %u are possible", input,
		                          (long long)tensor->type.dim[0], room);
	if (tensor->type.dim[0] > 0 && (tensor->data == NULL || tensor->type.dtype == HY_DTYPE_NONE)) return HY_OK;
	*out_count = (uint32_t)tensor->type.dim[0];
	if (*out_count > 0) hy_ir__read_reals(tensor->type.dtype, tensor->data, 0, 1, *out_count, out);
	return HY_OK;
}

static bool has_mode(const hy_ir__call *call, const char *name, const char *fallback, const char *wanted)
{
	return strcmp(hy_ir_node_attr_string(call->node, name, fallback), wanted) == 0;
}

static hy_status read_roi(const hy_ir__call *call, uint32_t count, const uint32_t *axes, hy_ir__resize *r)
{
	double roi[2 * HY_MAX_RANK];
	uint32_t length;
	if (!has_mode(call, "coordinate_transformation_mode", "half_pixel", "tf_crop_and_resize")) return HY_OK;
	const hy_status status = read_floats(call, 1, 2 * HY_MAX_RANK, roi, &length);
	if (status != HY_OK || length == HY_IR_NONE) return status;
	if (length != 2 * count) return hy_ir__call_refuse(call, "%u numbers of roi, %u are needed", length, 2 * count);
	for (uint32_t i = 0; i < count; i++) {
		r->roi_begin[axes[i]] = roi[i];
		r->roi_end[axes[i]] = roi[count + i];
	}
	return HY_OK;
}

static hy_status use_scales(const hy_ir__call *call, uint32_t count, const uint32_t *axes, const double *scales,
                            hy_ir__resize *r)
{
	const hy_ir_type *x = &call->in[0].type;
	const bool crop = has_mode(call, "coordinate_transformation_mode", "half_pixel", "tf_crop_and_resize");
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t axis = axes[i];
		if (!(scales[i] > 0) || isinf(scales[i]))
			return hy_ir__call_refuse(call, "scale %u is %g", i, scales[i]);
		r->scale[axis] = scales[i];
		r->out[axis] = HY_IR_DIM_UNKNOWN;
		if (x->dim[axis] < 0) continue;
		/* In float, as ONNX's own inference does: 10 * 0.7 is 7. */
		const float part = crop ? (float)(r->roi_end[axis] - r->roi_begin[axis]) : 1;
		const float length = floorf((float)x->dim[axis] * part * (float)scales[i]);
		if (!(length >= 0 && length < 0x1p62f))
			return hy_ir__call_refuse(call, "axis %u is out of range", axis);
		r->out[axis] = (int64_t)length;
	}
	return HY_OK;
}

static hy_status use_sizes(const hy_ir__call *call, uint32_t count, const uint32_t *axes, const hy_ir__ints *sizes,
                           hy_ir__resize *r)
{
	const hy_ir_type *x = &call->in[0].type;
	const char *policy = hy_ir_node_attr_string(call->node, "keep_aspect_ratio_policy", "stretch");
	const bool larger = strcmp(policy, "not_smaller") == 0, smaller = strcmp(policy, "not_larger") == 0;
	if (!larger && !smaller && strcmp(policy, "stretch") != 0)
		return hy_ir__call_refuse(call, "attribute keep_aspect_ratio_policy is '%s'", policy);
	double common = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (sizes->at[i] < 0) return hy_ir__call_refuse(call, "size %u is %lld", i, (long long)sizes->at[i]);
		if (x->dim[axes[i]] == 0 && sizes->at[i] > 0)
			return hy_ir__call_refuse(call, "axis %u is empty", axes[i]);
		r->out[axes[i]] = sizes->at[i];
		if (x->dim[axes[i]] < 0) {
			common = NAN;
			continue;
		}
		const double scale = x->dim[axes[i]] > 0 ? (double)sizes->at[i] / (double)x->dim[axes[i]] : 1;
		r->scale[axes[i]] = scale;
		if (i == 0 || (larger ? scale > common : scale < common)) common = scale;
	}
	if (!larger && !smaller) return HY_OK;
	for (uint32_t i = 0; i < count; i++) {
		const double length = round(common * (double)x->dim[axes[i]]);
		r->scale[axes[i]] = common;
		r->out[axes[i]] = HY_IR_DIM_UNKNOWN;
		if (isnan(common)) continue;
		if (!(length < 0x1p62)) return hy_ir__call_refuse(call, "axis %u is out of range", axes[i]);
		r->out[axes[i]] = (int64_t)length;
	}
	return HY_OK;
}

hy_status hy_ir__resize_of(const hy_ir__call *call, hy_ir__resize *out_resize)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__ints list, sizes;
	uint32_t axes[HY_MAX_RANK], scale_count;
	double scales[HY_MAX_RANK];
	hy_status status = hy_ir__call_attr_ints(call, "axes", &list);
	if (status == HY_OK) status = hy_ir__call_input_ints(call, 3, &sizes);
	if (status == HY_OK) status = read_floats(call, 2, HY_MAX_RANK, scales, &scale_count);
	if (status != HY_OK) return status;
	const uint32_t count = list.present ? list.count : x->rank;
	const bool by_size = sizes.present && sizes.count != 0;
	if ((scale_count == 0) != by_size) return hy_ir__call_refuse(call, "it needs either scales or sizes");
	status = hy_ir__call_axes(call, &list, count, x->rank, axes);
	for (uint32_t i = 0; status == HY_OK && i < x->rank; i++) {
		out_resize->out[i] = x->dim[i];
		out_resize->scale[i] = 1;
		out_resize->roi_begin[i] = 0;
		out_resize->roi_end[i] = 1;
	}
	if (status == HY_OK) status = read_roi(call, count, axes, out_resize);
	if (status != HY_OK) return status;
	const uint32_t given = by_size ? sizes.count : scale_count;
	if (given != HY_IR_NONE && given != count)
		return hy_ir__call_refuse(call, "%u scales or sizes, %u are needed", given, count);
	for (uint32_t i = 0; i < count; i++)
		out_resize->out[axes[i]] = HY_IR_DIM_UNKNOWN;
	if (by_size) return sizes.known ? use_sizes(call, count, axes, &sizes, out_resize) : HY_OK;
	return scale_count != HY_IR_NONE ? use_scales(call, count, axes, scales, out_resize) : HY_OK;
}

hy_status hy_ir__infer_resize(const hy_ir__call *call, hy_ir_type *out)
{
	static const char *const modes[] = {"nearest", "linear", "cubic"};
	const char *mode = hy_ir_node_attr_string(call->node, "mode", "nearest");
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__resize resize;
	bool known = false;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		known = known || strcmp(mode, modes[i]) == 0;
	if (!known) return hy_ir__call_refuse(call, "attribute mode is '%s'", mode);
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	const hy_status status = hy_ir__resize_of(call, &resize);
	if (status != HY_OK) return status;
	out->rank = x->rank;
	for (uint32_t i = 0; i < x->rank; i++)
		out->dim[i] = resize.out[i];
	return HY_OK;
}
