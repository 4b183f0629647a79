/* The sliding window of convolutions and pools: attributes checked, automatic padding worked out. */
#include "infer.h"

#include <string.h>

#define LONGEST ((int64_t)1 << 31) /* of each attribute: keeps all sums and products below far from overflow */

typedef struct attributes {
	hy_ir__ints kernel, stride, dilation, pads;
	const char *auto_pad;
	int64_t ceil_mode;
} attributes;

static hy_status read_list(const hy_ir__call *call, const char *name, uint32_t count, int64_t least,
                           hy_ir__ints *out_list)
{
	const hy_status status = hy_ir__call_attr_ints(call, name, out_list);
	if (status != HY_OK || !out_list->present) return status;
	if (out_list->count != count)
		return hy_ir__call_refuse(call, "attribute %s has %u numbers, %u are needed", name, out_list->count,
		                          count);
	for (uint32_t i = 0; i < count; i++)
		if (out_list->at[i] < least || out_list->at[i] > LONGEST)
			return hy_ir__call_refuse(call, "attribute %s: %lld is out of range", name,
			                          (long long)out_list->at[i]);
	return HY_OK;
}

static hy_status read_attributes(const hy_ir__call *call, uint32_t rank, attributes *a)
{
	hy_status status = read_list(call, "kernel_shape", rank, 1, &a->kernel);
	if (status == HY_OK) status = read_list(call, "strides", rank, 1, &a->stride);
	if (status == HY_OK) status = read_list(call, "dilations", rank, 1, &a->dilation);
	if (status == HY_OK) status = read_list(call, "pads", 2 * rank, 0, &a->pads);
	if (status != HY_OK) return status;
	a->auto_pad = hy_ir_node_attr_string(call->node, "auto_pad", "NOTSET");
	a->ceil_mode = hy_ir__call_int(call, "ceil_mode", 0);
	static const char *const known[] = {"NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(a->auto_pad, known[i]) == 0) return HY_OK;
	return hy_ir__call_refuse(call, "attribute auto_pad is '%s'", a->auto_pad);
}

/* Everything but out and automatic padding. */
static hy_status begin_window(const hy_ir__call *call, const hy_ir_type *x, const hy_ir_type *weights,
                              attributes *out_attributes, hy_ir__window *w)
{
	attributes a;
	if (x->rank < 3)
		return hy_ir__call_refuse(call, "input 0 has rank %u, it must have N, C and at least one more",
		                          x->rank);
	*w = (hy_ir__window){.rank = x->rank - 2};
	const hy_status status = read_attributes(call, w->rank, &a);
	if (status != HY_OK) return status;
	if (weights == NULL && !a.kernel.present) return hy_ir__call_refuse(call, "attribute kernel_shape is missing");
	const bool automatic = a.auto_pad[0] != '\0' && strcmp(a.auto_pad, "NOTSET") != 0;
	for (uint32_t i = 0; i < w->rank; i++) {
		const int64_t weight_dim = weights != NULL && hy_ir__ranked(weights) ? weights->dim[i + 2] : -1;
		w->in[i] = x->dim[i + 2];
		w->out[i] = HY_IR_DIM_UNKNOWN;
		w->kernel[i] = a.kernel.present ? a.kernel.at[i] : weight_dim;
		w->stride[i] = a.stride.present ? a.stride.at[i] : 1;
		w->dilation[i] = a.dilation.present ? a.dilation.at[i] : 1;
		w->begin[i] = a.pads.present && !automatic ? a.pads.at[i] : 0;
		w->end[i] = a.pads.present && !automatic ? a.pads.at[w->rank + i] : 0;
		if (weight_dim >= 0 && weight_dim != w->kernel[i])
			return hy_ir__call_refuse(call, "kernel_shape and the weights differ in spatial axis %u", i);
		if (w->kernel[i] == 0 || w->kernel[i] > LONGEST || w->in[i] > INT64_MAX / 4)
			return hy_ir__call_refuse(call, "spatial axis %u is out of range", i);
	}
	*out_attributes = a;
	return HY_OK;
}

static void share_padding(hy_ir__window *w, uint32_t axis, int64_t total, const char *auto_pad)
{
	if (total < 0) total = 0;
	const bool upper = strcmp(auto_pad, "SAME_UPPER") == 0;
	w->begin[axis] = upper ? total / 2 : total - total / 2;
	w->end[axis] = total - w->begin[axis];
}

hy_status hy_ir__window_forward(const hy_ir__call *call, const hy_ir_type *x, const hy_ir_type *weights,
                                hy_ir__window *out_window)
{
	attributes a;
	hy_ir__window w;
	const hy_status status = begin_window(call, x, weights, &a, &w);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < w.rank; i++) {
		if (w.in[i] < 0 || w.kernel[i] < 0) continue;
		const int64_t span = (w.kernel[i] - 1) * w.dilation[i] + 1;
		if (strncmp(a.auto_pad, "SAME_", 5) == 0) {
			w.out[i] = (w.in[i] + w.stride[i] - 1) / w.stride[i];
			share_padding(&w, i, (w.out[i] - 1) * w.stride[i] + span - w.in[i], a.auto_pad);
			continue;
		}
		const int64_t room = w.in[i] + w.begin[i] + w.end[i] - span;
		if (room < 0)
			return hy_ir__call_refuse(call,
			                          "the window, %lld long, is longer than the padded spatial axis %u",
			                          (long long)span, i);
		const bool up = a.ceil_mode != 0 && strcmp(a.auto_pad, "VALID") != 0;
		w.out[i] = (up ? room + w.stride[i] - 1 : room) / w.stride[i] + 1;
		/* A last window that would start in the padding behind the input is left out. */
		if (up && (w.out[i] - 1) * w.stride[i] >= w.in[i] + w.begin[i]) w.out[i]--;
	}
	*out_window = w;
	return HY_OK;
}

hy_status hy_ir__window_transpose(const hy_ir__call *call, const hy_ir_type *x, const hy_ir_type *weights,
                                  hy_ir__window *out_window)
{
	attributes a;
	hy_ir__window w;
	hy_ir__ints extra, shape;
	hy_status status = begin_window(call, x, weights, &a, &w);
	if (status == HY_OK) status = read_list(call, "output_padding", w.rank, 0, &extra);
	if (status == HY_OK) status = read_list(call, "output_shape", w.rank, 0, &shape);
	if (status != HY_OK) return status;
	const bool same = strncmp(a.auto_pad, "SAME_", 5) == 0;
	for (uint32_t i = 0; i < w.rank; i++) {
		if (w.in[i] < 0 || w.kernel[i] < 0) continue;
		if (w.in[i] > LONGEST) return hy_ir__call_refuse(call, "spatial axis %u is out of range", i);
		const int64_t full = w.stride[i] * (w.in[i] - 1) + (extra.present ? extra.at[i] : 0) +
		                     (w.kernel[i] - 1) * w.dilation[i] + 1;
		if (shape.present || same) {
			w.out[i] = shape.present ? shape.at[i] : w.in[i] * w.stride[i];
			share_padding(&w, i, full - w.out[i], a.auto_pad);
			continue;
		}
		w.out[i] = full - w.begin[i] - w.end[i];
		if (w.out[i] < 0)
			return hy_ir__call_refuse(call, "the pads are longer than spatial axis %u of the output", i);
	}
	*out_window = w;
	return HY_OK;
}
