/* Transpose, Concat, Split, Slice, Expand, Tile, DepthToSpace, SpaceToDepth and views. */
#include "handler.h"

#include <string.h>

static uint32_t element_bytes(const hy_ir_type *type)
{
	return hy_dtype_bits(type->dtype) / 8;
}

static int64_t axis_of(const hy_kernels__node *node, int64_t fallback, uint32_t rank)
{
	const int64_t axis = hy_ir_node_attr_int(node->ir, "axis", fallback);
	return axis < 0 ? axis + (int64_t)rank : axis;
}

/* A walk over the whole of type, dense on both sides. */
static hy_kernels__walk dense_walk(const hy_ir_type *type)
{
	hy_kernels__walk walk = {.rank = type->rank, .element_bytes = element_bytes(type)};
	memcpy(walk.dim, type->dim, sizeof(type->dim));
	hy_kernels__strides(type, walk.from_stride);
	memcpy(walk.to_stride, walk.from_stride, sizeof(type->dim));
	return walk;
}

/* A walk over the output, from the only input. */
static hy_status emit(hy_kernels__lower *lower, const hy_kernels__node *node, hy_kernels__walk *walk)
{
	const hy_kernels__place from = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place to = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	hy_kernels__walk_emit(lower, node->row, walk, from, to);
	return HY_OK;
}

/* A Dropout that hands everything through: not training, or nothing is dropped. */
static hy_status check_dropout(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	const uint8_t *training = hy_kernels__data(lower, node, 2);
	const void *ratio = hy_kernels__data(lower, node, 1);
	float dropped = 0.5f;
	if (!hy_kernels__has_input(node, 2) || (training != NULL && *training == 0)) return HY_OK;
	if (training == NULL || (hy_kernels__has_input(node, 1) && ratio == NULL))
		return hy_kernels__refuse(lower, node, HY_REASON_CONSTANT, "training_mode and ratio must be constant");
	if (ratio != NULL && hy_kernels__type(lower, node->inputs[1])->dtype == HY_DTYPE_F32)
		memcpy(&dropped, ratio, sizeof(dropped));
	if (dropped == 0) return HY_OK;
	return hy_kernels__refuse(lower, node, HY_REASON_ATTRIBUTE, "training_mode is true: nothing is random here");
}

/* The output is the input's bytes; Dropout's mask is all true. */
hy_status hy_kernels__lower_view(hy_kernels__lower *lower, const hy_kernels__node *node,
                                 const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_status status = node->op->id == HY_IR_OP_Dropout ? check_dropout(lower, node) : HY_OK;
	if (status != HY_OK) return status;
	if (hy_kernels__wants_output(node, 0))
		hy_kernels__alias(lower, node->outputs[0], FORM_PLAIN,
		                  hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0));
	if (hy_kernels__wants_output(node, 1)) return hy_kernels__fill(lower, node, 1, 1);
	return HY_OK;
}

hy_status hy_kernels__lower_transpose(hy_kernels__lower *lower, const hy_kernels__node *node,
                                      const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type *x = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	const hy_ir_attr *perm = hy_ir_node_attr(node->ir, "perm");
	hy_kernels__walk walk = dense_walk(y);
	int64_t strides[HY_MAX_RANK];
	hy_kernels__strides(x, strides);
	for (uint32_t d = 0; d < y->rank; d++)
		walk.from_stride[d] = strides[perm == NULL ? y->rank - 1 - d : (uint32_t)perm->ints[d]];
	return emit(lower, node, &walk);
}

static hy_status concat_blocked(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	const uint32_t out = node->outputs[0];
	hy_kernels__place to = lower->values[out].places[FORM_BLOCK];
	if (to.storage == HY_IR_NONE) to = hy_kernels__make(lower, out, FORM_BLOCK);
	if (lower->failed) return HY_NO_MEMORY;
	const hy_kernels__plane plane = hy_kernels__plane_of(&lower->values[out].type, to.pad);
	uint32_t first = 0;
	for (uint32_t i = 0; i < node->input_count; i++) {
		const hy_ir_type type = lower->values[node->inputs[i]].type;
		const hy_kernels__place from = hy_kernels__need(lower, node->inputs[i], FORM_BLOCK, to.pad);
		const uint64_t offset = to.offset + (uint64_t)first * (uint64_t)plane.plane * BLOCK * sizeof(float);
		const int64_t planes = hy_kernels__blocks(&type);
		first += (uint32_t)planes;
		if (from.storage == to.storage && from.offset == offset) continue; /* made here */
		const hy_kernels__plane its = hy_kernels__plane_of(&type, from.pad);
		hy_kernels__walk walk = {
			.rank = 4,
			.element_bytes = sizeof(float),
			.dim = {type.dim[0], planes, type.dim[2] + 2 * to.pad, (type.dim[3] + to.pad) * BLOCK},
			.from_stride = {(int64_t)from.planes * its.plane * BLOCK, (int64_t)its.plane * BLOCK,
		                        (int64_t)its.row * BLOCK, 1},
			.to_stride = {(int64_t)to.planes * plane.plane * BLOCK, (int64_t)plane.plane * BLOCK,
		                      (int64_t)plane.row * BLOCK, 1},
		};
		/* a source with a wider halo: begin at the corner of the narrower one; the last row's right end follows */
		walk.from_base = ((int64_t)(from.pad - to.pad) * its.row + from.pad - to.pad) * BLOCK;
		hy_kernels__walk_emit(lower, node->row, &walk, from,
		                      (hy_kernels__place){.storage = to.storage, .offset = offset});
		if (to.pad == 0) continue;
		walk = (hy_kernels__walk){
			.rank = 3,
			.element_bytes = sizeof(float),
			.dim = {type.dim[0], planes, (int64_t)to.pad * BLOCK},
			.from_stride = {(int64_t)from.planes * its.plane * BLOCK, (int64_t)its.plane * BLOCK, 1},
			.to_stride = {(int64_t)to.planes * plane.plane * BLOCK, (int64_t)plane.plane * BLOCK, 1},
			.from_base = (int64_t)(its.plane - (int64_t)from.pad) * BLOCK,
			.to_base = (int64_t)(plane.plane - (int64_t)to.pad) * BLOCK,
		};
		hy_kernels__walk_emit(lower, node->row, &walk, from,
		                      (hy_kernels__place){.storage = to.storage, .offset = offset});
	}
	return HY_OK;
}

hy_status hy_kernels__lower_concat(hy_kernels__lower *lower, const hy_kernels__node *node,
                                   const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	if (lower->values[node->outputs[0]].form == FORM_BLOCK) return concat_blocked(lower, node);
	const hy_ir_type y = *hy_kernels__type(lower, node->outputs[0]);
	const uint32_t axis = (uint32_t)axis_of(node, 0, y.rank);
	const hy_kernels__place to = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	int64_t strides[HY_MAX_RANK], at = 0;
	hy_kernels__strides(&y, strides);
	for (uint32_t i = 0; i < node->input_count; i++) {
		const hy_ir_type x = *hy_kernels__type(lower, node->inputs[i]);
		hy_kernels__walk walk = dense_walk(&x);
		memcpy(walk.to_stride, strides, sizeof(strides));
		walk.to_base = at * strides[axis];
		at += x.dim[axis];
		hy_kernels__walk_emit(lower, node->row, &walk, hy_kernels__need(lower, node->inputs[i], FORM_PLAIN, 0),
		                      to);
	}
	return HY_OK;
}

hy_status hy_kernels__lower_split(hy_kernels__lower *lower, const hy_kernels__node *node,
                                  const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type x = *hy_kernels__type(lower, node->inputs[0]);
	const uint32_t axis = (uint32_t)axis_of(node, 0, x.rank);
	const hy_kernels__place from = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	int64_t strides[HY_MAX_RANK], at = 0;
	hy_kernels__strides(&x, strides);
	const int64_t parts = (int64_t)node->output_count, even = (x.dim[axis] + parts - 1) / parts;
	for (uint32_t i = 0; i < node->output_count; i++) {
		int64_t length = even;
		if (hy_kernels__data(lower, node, 1) != NULL) length = hy_kernels__integer(lower, node, 1, i);
		if (hy_kernels__wants_output(node, i)) {
			const hy_ir_type y = *hy_kernels__type(lower, node->outputs[i]);
			length = y.dim[axis];
			hy_kernels__walk walk = dense_walk(&y);
			memcpy(walk.from_stride, strides, sizeof(strides));
			walk.from_base = at * strides[axis];
			hy_kernels__walk_emit(lower, node->row, &walk, from,
			                      hy_kernels__make(lower, node->outputs[i], FORM_PLAIN));
		}
		at += length;
	}
	return HY_OK;
}

/* Inputs that must be known when the kernel is made. */
static hy_status need_constants(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t first)
{
	for (uint32_t i = first; i < node->input_count; i++)
		if (hy_kernels__has_input(node, i) && !lower->values[node->inputs[i]].constant)
			return hy_kernels__refuse(lower, node, HY_REASON_CONSTANT, "input %u must be constant", i);
	return HY_OK;
}

hy_status hy_kernels__lower_slice(hy_kernels__lower *lower, const hy_kernels__node *node,
                                  const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_status status = need_constants(lower, node, 1);
	if (status != HY_OK) return status;
	const hy_ir_type x = *hy_kernels__type(lower, node->inputs[0]), y = *hy_kernels__type(lower, node->outputs[0]);
	hy_kernels__walk walk = dense_walk(&y);
	hy_kernels__strides(&x, walk.from_stride);
	const uint32_t count = hy_kernels__data(lower, node, 1) == NULL
	                               ? 0
	                               : (uint32_t)hy_ir_type_elements(hy_kernels__type(lower, node->inputs[1]));
	for (uint32_t i = 0; i < count; i++) {
		int64_t axis = hy_kernels__has_input(node, 3) ? hy_kernels__integer(lower, node, 3, i) : i;
		if (axis < 0) axis += x.rank;
		const int64_t step = hy_kernels__has_input(node, 4) ? hy_kernels__integer(lower, node, 4, i) : 1;
		int64_t start = hy_kernels__integer(lower, node, 1, i);
		const int64_t length = x.dim[axis], highest = step > 0 ? length : length - 1;
		if (start < 0) start += length;
		if (start < 0) start = 0;
		if (start > highest) start = highest;
		walk.from_base += start * walk.from_stride[axis];
		walk.from_stride[axis] *= step;
	}
	return emit(lower, node, &walk);
}

hy_status hy_kernels__lower_expand(hy_kernels__lower *lower, const hy_kernels__node *node,
                                   const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type x = *hy_kernels__type(lower, node->inputs[0]), y = *hy_kernels__type(lower, node->outputs[0]);
	hy_kernels__walk walk = dense_walk(&y);
	int64_t strides[HY_MAX_RANK];
	hy_kernels__strides(&x, strides);
	for (uint32_t d = 0; d < y.rank; d++) {
		const uint32_t missing = y.rank - x.rank;
		walk.from_stride[d] = d < missing || x.dim[d - missing] == 1 ? 0 : strides[d - missing];
	}
	return emit(lower, node, &walk);
}

/* Each dimension becomes two: which copy, and where in it. */
hy_status hy_kernels__lower_tile(hy_kernels__lower *lower, const hy_kernels__node *node,
                                 const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const hy_ir_type x = *hy_kernels__type(lower, node->inputs[0]), y = *hy_kernels__type(lower, node->outputs[0]);
	hy_kernels__walk walk = {.rank = 2 * x.rank, .element_bytes = element_bytes(&x)};
	int64_t from[HY_MAX_RANK], to[HY_MAX_RANK];
	hy_kernels__strides(&x, from);
	hy_kernels__strides(&y, to);
	for (uint32_t d = 0; d < x.rank; d++) {
		walk.dim[2 * d] = x.dim[d] == 0 ? 0 : y.dim[d] / x.dim[d];
		walk.to_stride[2 * d] = to[d] * x.dim[d];
		walk.dim[2 * d + 1] = x.dim[d];
		walk.from_stride[2 * d + 1] = from[d];
		walk.to_stride[2 * d + 1] = to[d];
	}
	return emit(lower, node, &walk);
}

/* Six dimensions: a pixel's block of block x block is taken apart or put together. */
hy_status hy_kernels__lower_depth_space(hy_kernels__lower *lower, const hy_kernels__node *node,
                                        const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	const bool to_space = node->op->id == HY_IR_OP_DepthToSpace;
	const hy_ir_type deep = *hy_kernels__type(lower, to_space ? node->inputs[0] : node->outputs[0]);
	const int64_t size = hy_ir_node_attr_int(node->ir, "blocksize", 1), area = size * size;
	const bool is_crd = to_space && strcmp(hy_ir_node_attr_string(node->ir, "mode", "DCR"), "CRD") == 0;
	const int64_t channels = deep.dim[1] / area, h = deep.dim[2], w = deep.dim[3];
	/* n, channel, row, row in block, column, column in block */
	const int64_t dims[6] = {deep.dim[0], channels, h, size, w, size};
	const int64_t wide[6] = {channels * h * w * area, h * w * area, size * w * size, w * size, size, 1};
	const int64_t channel = is_crd ? area * h * w : h * w, block = is_crd ? h * w : channels * h * w;
	const int64_t narrow[6] = {channels * area * h * w, channel, w, block * size, 1, block};
	hy_kernels__walk walk = {.rank = 6, .element_bytes = element_bytes(&deep)};
	memcpy(walk.dim, dims, sizeof(dims));
	memcpy(to_space ? walk.to_stride : walk.from_stride, wide, sizeof(wide));
	memcpy(to_space ? walk.from_stride : walk.to_stride, narrow, sizeof(narrow));
	return emit(lower, node, &walk);
}
