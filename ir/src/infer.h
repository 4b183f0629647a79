/* What the shape rules share, and the parameters that rules work out and evaluators use again. */
#ifndef HY_IR_PRIVATE_INFER_H
#define HY_IR_PRIVATE_INFER_H

#include <halyard/ir/infer.h>

#include "graph.h"

/* One node and what is known of its inputs: types with unknown parts, data NULL where no number is known. */
typedef struct hy_ir__call {
	const hy_ir_node *node;
	const hy_ir_tensor *in;
	hy_error *error;
} hy_ir__call;

/* A rule fills out[0..output_count), which it finds unknown. */
typedef hy_status hy_ir__rule(const hy_ir__call *call, hy_ir_type *out);

#define OP(id, fewest, most, most_outputs, elements, fusion, infer, eval) hy_ir__rule hy_ir__infer_##infer;
#include <halyard/ir/ops.def>
#undef OP

/* infer_graph.c: the body of a Region with these inputs. */
hy_ir__rule hy_ir__infer_region;

/* ---- one node (infer_call.c) ---- */

/* INVALID and UNSUPPORTED with operator and node in front of the text. */
hy_status hy_ir__call_refuse(const hy_ir__call *call, const char *format, ...) HY_PRINTF(2, 3);
hy_status hy_ir__call_unsupported(const hy_ir__call *call, const char *format, ...) HY_PRINTF(2, 3);

bool hy_ir__call_has(const hy_ir__call *call, uint32_t input);
static inline int64_t hy_ir__call_int(const hy_ir__call *call, const char *name, int64_t fallback)
{
	return hy_ir_node_attr_int(call->node, name, fallback);
}

#define HY_IR__INTS 16u /* two for each dimension */

/* A short list of integers from an attribute or an input. */
typedef struct hy_ir__ints {
	bool present; /* the attribute or input is there */
	bool known; /* present, and `at` is filled */
	uint32_t count; /* HY_IR_NONE: not known */
	int64_t at[HY_IR__INTS];
} hy_ir__ints;

/* Refuses other kinds, ranks above 1 and more than HY_IR__INTS elements. */
hy_status hy_ir__call_attr_ints(const hy_ir__call *call, const char *name, hy_ir__ints *out_ints);
hy_status hy_ir__call_input_ints(const hy_ir__call *call, uint32_t input, hy_ir__ints *out_ints);
/* An element of an i32 or i64 tensor whose data is known. */
int64_t hy_ir__tensor_int(const hy_ir_tensor *tensor, int64_t element);

/* axis in -rank..rank-1 as a number in 0..rank-1. */
hy_status hy_ir__call_axis(const hy_ir__call *call, int64_t axis, uint32_t rank, uint32_t *out_axis);
/* The same for a list, whose numbers must be distinct; without a list 0, 1, 2 ... (count many). */
hy_status hy_ir__call_axes(const hy_ir__call *call, const hy_ir__ints *list, uint32_t count, uint32_t rank,
                           uint32_t *out_axes);
hy_status hy_ir__call_same_dtype(const hy_ir__call *call, uint32_t a, uint32_t b);

static inline bool hy_ir__ranked(const hy_ir_type *type)
{
	return type->rank != HY_IR_RANK_UNKNOWN;
}
/* False when it overflows 63 bits; factors are not negative. */
bool hy_ir__multiply(int64_t a, int64_t b, int64_t *out_product);
/* Narrows *type by what `other` knows too; false where they contradict. */
bool hy_ir__type_merge(hy_ir_type *type, const hy_ir_type *other);
/* Numpy's broadcasting of `other` onto *shape; false where the dims do not go together. */
bool hy_ir__shape_broadcast(hy_ir_type *shape, const hy_ir_type *other);
/* Whether `other` broadcasts to `shape` as it is, as far as both are known. */
bool hy_ir__shape_takes(const hy_ir_type *shape, const hy_ir_type *other);

/* ---- parameters that rule and evaluator share ---- */

#define HY_IR__SPATIAL (HY_MAX_RANK - 2)

/* A window sliding over the spatial dims of Conv, ConvTranspose and the pools. -1: not known. */
typedef struct hy_ir__window {
	uint32_t rank;
	int64_t in[HY_IR__SPATIAL], out[HY_IR__SPATIAL];
	int64_t kernel[HY_IR__SPATIAL], stride[HY_IR__SPATIAL], dilation[HY_IR__SPATIAL];
	int64_t begin[HY_IR__SPATIAL], end[HY_IR__SPATIAL]; /* padding */
} hy_ir__window;

/* infer_window.c. The weights give the kernel of convolutions; pools have weights NULL. */
hy_status hy_ir__window_forward(const hy_ir__call *call, const hy_ir_type *x, const hy_ir_type *weights,
                                hy_ir__window *out_window);
hy_status hy_ir__window_transpose(const hy_ir__call *call, const hy_ir_type *x, const hy_ir_type *weights,
                                  hy_ir__window *out_window);

/* infer_reduce.c: which axes go away. known is false where the axes input is not. */
typedef struct hy_ir__reduction {
	bool known;
	bool reduced[HY_MAX_RANK];
} hy_ir__reduction;
hy_status hy_ir__reduction_of(const hy_ir__call *call, hy_ir__reduction *out_reduction);

/* infer_slice.c: per axis of input 0, of which the rank is known. count -1: not known. */
typedef struct hy_ir__slice {
	int64_t begin[HY_MAX_RANK], step[HY_MAX_RANK], count[HY_MAX_RANK];
} hy_ir__slice;
hy_status hy_ir__slice_of(const hy_ir__call *call, hy_ir__slice *out_slice);

/* infer_move.c: known is false where pads or axes are not. */
typedef struct hy_ir__padding {
	bool known;
	int64_t begin[HY_MAX_RANK], end[HY_MAX_RANK];
} hy_ir__padding;
hy_status hy_ir__padding_of(const hy_ir__call *call, hy_ir__padding *out_padding);

/* infer_move.c: how long part `part` of Split is; the input's dim and the lengths are known. */
hy_status hy_ir__split_length(const hy_ir__call *call, int64_t dim, uint32_t part, int64_t *out_length);

/* infer_source.c: the attribute that holds the numbers of a Constant, or NULL. */
const hy_ir_attr *hy_ir__constant_attr(const hy_ir__call *call);

/* infer_resize.c: per axis of input 0. out -1: not known. */
typedef struct hy_ir__resize {
	int64_t out[HY_MAX_RANK];
	double scale[HY_MAX_RANK];
	double roi_begin[HY_MAX_RANK], roi_end[HY_MAX_RANK];
} hy_ir__resize;
hy_status hy_ir__resize_of(const hy_ir__call *call, hy_ir__resize *out_resize);

#endif
