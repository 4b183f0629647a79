/* Shapes of what brings elements to other places. */
#include "infer.h"

#include <string.h>

hy_status hy_ir__infer_transpose(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__ints perm;
	uint32_t axes[HY_MAX_RANK];
	hy_status status = hy_ir__call_attr_ints(call, "perm", &perm);
	if (status != HY_OK) return status;
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	status = hy_ir__call_axes(call, &perm, x->rank, x->rank, axes);
	if (status != HY_OK) return status;
	out->rank = x->rank;
	for (uint32_t i = 0; i < x->rank; i++)
		out->dim[i] = x->dim[perm.present ? axes[i] : x->rank - 1 - i];
	return HY_OK;
}

hy_status hy_ir__infer_concat(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_attr *attr = hy_ir_node_attr(call->node, "axis");
	hy_ir_type all = {.rank = HY_IR_RANK_UNKNOWN}; /* without the axis */
	int64_t length = 0;
	uint32_t axis = 0;
	if (attr == NULL || attr->kind != HY_ATTR_INT) return hy_ir__call_refuse(call, "attribute axis is missing");
	for (uint32_t i = 0; i < call->node->input_count; i++) {
		hy_ir_type part = call->in[i].type;
		if (!hy_ir__call_has(call, i)) return hy_ir__call_refuse(call, "input %u is missing", i);
		if (hy_ir__ranked(&part)) {
			if (part.rank == 0) return hy_ir__call_refuse(call, "input %u is a scalar", i);
			const hy_status status = hy_ir__call_axis(call, attr->i, part.rank, &axis);
			if (status != HY_OK) return status;
			if (part.dim[axis] < 0)
				length = HY_IR_DIM_UNKNOWN;
			else if (length > INT64_MAX - part.dim[axis])
				return hy_ir__call_refuse(call, "the lengths add up to more than 63 bits");
			else if (length >= 0)
				length += part.dim[axis];
			part.dim[axis] = HY_IR_DIM_UNKNOWN;
		} else {
			length = HY_IR_DIM_UNKNOWN;
		}
		if (!hy_ir__type_merge(&all, &part))
			return hy_ir__call_refuse(call, "input %u does not fit the ones before it", i);
	}
	*out = all;
	if (hy_ir__ranked(out)) out->dim[axis] = length;
	return HY_OK;
}

hy_status hy_ir__split_length(const hy_ir__call *call, int64_t dim, uint32_t part, int64_t *out_length)
{
	const int64_t parts = call->node->output_count;
	if (hy_ir__call_has(call, 1)) {
		*out_length = hy_ir__tensor_int(&call->in[1], part);
		return HY_OK;
	}
	/* With num_outputs the last part may be shorter; without, all are equal. */
	const int64_t chunk = dim / parts + (dim % parts != 0);
	if (hy_ir_node_attr(call->node, "num_outputs") == NULL && dim % parts != 0)
		return hy_ir__call_refuse(call, "%lld elements do not split into %lld equal parts", (long long)dim,
		                          (long long)parts);
	const int64_t rest = dim - chunk * part;
	*out_length = rest < 0 ? 0 : rest < chunk ? rest : chunk;
	return HY_OK;
}

static hy_status check_split(const hy_ir__call *call, int64_t dim)
{
	const int64_t parts = call->node->output_count;
	if (hy_ir__call_int(call, "num_outputs", parts) != parts)
		return hy_ir__call_refuse(call, "attribute num_outputs is not the number of outputs, %lld",
		                          (long long)parts);
	if (!hy_ir__call_has(call, 1)) return HY_OK;
	const hy_ir_type *type = &call->in[1].type;
	const hy_ir_type list = {.dtype = HY_DTYPE_I64, .rank = 1, .dim = {parts}};
	if (!hy_ir__type_fits(&list, type))
		return hy_ir__call_refuse(call, "input 1 must be a list of one i64 for each of %lld outputs",
		                          (long long)parts);
	if (call->in[1].data == NULL || !hy_ir__ranked(type) || type->dim[0] != parts) return HY_OK;
	int64_t total = 0;
	for (uint32_t i = 0; i < call->node->output_count; i++) {
		const int64_t length = hy_ir__tensor_int(&call->in[1], i);
		if (length < 0 || length > INT64_MAX - total)
			return hy_ir__call_refuse(call, "length %u is out of range", i);
		total += length;
	}
	if (dim >= 0 && total != dim)
		return hy_ir__call_refuse(call, "the lengths add up to %lld, the axis has %lld", (long long)total,
		                          (long long)dim);
	return HY_OK;
}

hy_status hy_ir__infer_split(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	uint32_t axis;
	for (uint32_t i = 0; i < call->node->output_count; i++)
		out[i].dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->rank, &axis);
	if (status == HY_OK) status = check_split(call, x->dim[axis]);
	if (status != HY_OK) return status;
	const bool given = hy_ir__call_has(call, 1);
	const bool known = given ? call->in[1].data != NULL && hy_ir_type_is_static(&call->in[1].type)
	                         : x->dim[axis] >= 0;
	for (uint32_t i = 0; status == HY_OK && i < call->node->output_count; i++) {
		out[i] = *x;
		out[i].dim[axis] = HY_IR_DIM_UNKNOWN;
		if (known) status = hy_ir__split_length(call, x->dim[axis], i, &out[i].dim[axis]);
	}
	return status;
}

static hy_status move_blocks(const hy_ir__call *call, bool to_depth, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const int64_t block = hy_ir__call_int(call, "blocksize", 0);
	*out = *x;
	if (block < 1 || block > INT32_MAX)
		return hy_ir__call_refuse(call, "attribute blocksize is %lld", (long long)block);
	if (!hy_ir__ranked(x)) return HY_OK;
	if (x->rank != 4) return hy_ir__call_refuse(call, "input 0 has rank %u, it must have 4", x->rank);
	const int64_t factor[] = {1, block * block, block, block};
	for (uint32_t i = 1; i < 4; i++) {
		const bool grows = (i == 1) == to_depth;
		if (x->dim[i] < 0) continue;
		if (!grows && x->dim[i] % factor[i] != 0)
			return hy_ir__call_refuse(call, "dimension %u is %lld, no multiple of %lld", i,
			                          (long long)x->dim[i], (long long)factor[i]);
		if (!grows)
			out->dim[i] = x->dim[i] / factor[i];
		else if (!hy_ir__multiply(x->dim[i], factor[i], &out->dim[i]))
			return hy_ir__call_refuse(call, "dimension %u overflows", i);
	}
	return HY_OK;
}

hy_status hy_ir__infer_depth_to_space(const hy_ir__call *call, hy_ir_type *out)
{
	const char *mode = hy_ir_node_attr_string(call->node, "mode", "DCR");
	if (strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0)
		return hy_ir__call_refuse(call, "attribute mode is '%s'", mode);
	return move_blocks(call, false, out);
}

hy_status hy_ir__infer_space_to_depth(const hy_ir__call *call, hy_ir_type *out)
{
	return move_blocks(call, true, out);
}

hy_status hy_ir__padding_of(const hy_ir__call *call, hy_ir__padding *out_padding)
{
	const uint32_t rank = call->in[0].type.rank;
	hy_ir__ints pads, list;
	uint32_t axes[HY_MAX_RANK];
	*out_padding = (hy_ir__padding){.known = false};
	hy_status status = hy_ir__call_input_ints(call, 1, &pads);
	if (status == HY_OK) status = hy_ir__call_input_ints(call, 3, &list);
	if (status != HY_OK || !pads.known || (list.present && !list.known)) return status;
	const uint32_t count = list.present ? list.count : rank;
	if (pads.count != 2 * count) return hy_ir__call_refuse(call, "%u pads, %u are needed", pads.count, 2 * count);
	status = hy_ir__call_axes(call, &list, count, rank, axes);
	for (uint32_t i = 0; status == HY_OK && i < count; i++) {
		const int64_t begin = pads.at[i], end = pads.at[count + i], limit = INT64_MAX / 4;
		if (begin < -limit || begin > limit || end < -limit || end > limit)
			return hy_ir__call_refuse(call, "a pad of axis %u is out of range", axes[i]);
		out_padding->begin[axes[i]] = begin;
		out_padding->end[axes[i]] = end;
	}
	out_padding->known = true;
	return status;
}

hy_status hy_ir__infer_pad(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const char *mode = hy_ir_node_attr_string(call->node, "mode", "constant");
	const bool constant = strcmp(mode, "constant") == 0;
	hy_ir__padding padding;
	if (!constant && strcmp(mode, "reflect") != 0 && strcmp(mode, "edge") != 0)
		return hy_ir__call_refuse(call, "attribute mode is '%s'", mode);
	hy_status status = hy_ir__call_has(call, 2) ? hy_ir__call_same_dtype(call, 0, 2) : HY_OK;
	if (status != HY_OK) return status;
	if (hy_ir__call_has(call, 2) && hy_ir_type_is_static(&call->in[2].type) &&
	    hy_ir_type_elements(&call->in[2].type) != 1)
		return hy_ir__call_refuse(call, "input 2 must be one number");
	out->dtype = x->dtype;
	if (!hy_ir__ranked(x)) return HY_OK;
	status = hy_ir__padding_of(call, &padding);
	if (status != HY_OK) return status;
	out->rank = x->rank;
	for (uint32_t i = 0; i < x->rank; i++) {
		out->dim[i] = HY_IR_DIM_UNKNOWN;
		if (!padding.known || x->dim[i] < 0) continue;
		if (x->dim[i] > INT64_MAX / 4) return hy_ir__call_refuse(call, "dimension %u is out of range", i);
		out->dim[i] = x->dim[i] + padding.begin[i] + padding.end[i];
		if (out->dim[i] < 0) return hy_ir__call_refuse(call, "the pads take more than axis %u has", i);
		if (out->dim[i] > 0 && x->dim[i] == 0 && !constant)
			return hy_ir__call_refuse(call, "axis %u is empty: mode %s has nothing to copy", i, mode);
	}
	return HY_OK;
}

hy_status hy_ir__infer_expand(const hy_ir__call *call, hy_ir_type *out)
{
	hy_ir__ints shape;
	const hy_status status = hy_ir__call_input_ints(call, 1, &shape);
	if (status != HY_OK) return status;
	out->dtype = call->in[0].type.dtype;
	if (shape.count == HY_IR_NONE) return HY_OK;
	if (shape.count > HY_MAX_RANK)
		return hy_ir__call_refuse(call, "the shape has %u dimensions, at most %u are possible", shape.count,
		                          HY_MAX_RANK);
	hy_ir_type wide = {.dtype = out->dtype, .rank = shape.count};
	for (uint32_t i = 0; i < shape.count; i++) {
		wide.dim[i] = shape.known ? shape.at[i] : HY_IR_DIM_UNKNOWN;
		if (shape.known && shape.at[i] < 0)
			return hy_ir__call_refuse(call, "the shape has the dimension %lld", (long long)shape.at[i]);
	}
	*out = call->in[0].type;
	if (!hy_ir__shape_broadcast(out, &wide))
		return hy_ir__call_refuse(call, "the input does not broadcast to the shape");
	return HY_OK;
}

hy_status hy_ir__infer_tile(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__ints repeats;
	const hy_status status = hy_ir__call_input_ints(call, 1, &repeats);
	if (status != HY_OK) return status;
	*out = *x;
	if (!hy_ir__ranked(x)) return HY_OK;
	if (repeats.count != HY_IR_NONE && repeats.count != x->rank)
		return hy_ir__call_refuse(call, "%u repeats for a tensor of rank %u", repeats.count, x->rank);
	for (uint32_t i = 0; i < x->rank; i++) {
		out->dim[i] = HY_IR_DIM_UNKNOWN;
		if (!repeats.known) continue;
		if (repeats.at[i] < 0) return hy_ir__call_refuse(call, "repeat %u is negative", i);
		if (x->dim[i] >= 0 && !hy_ir__multiply(x->dim[i], repeats.at[i], &out->dim[i]))
			return hy_ir__call_refuse(call, "dimension %u overflows", i);
	}
	return HY_OK;
}

hy_status hy_ir__infer_trilu(const hy_ir__call *call, hy_ir_type *out)
{
	hy_ir__ints k;
	*out = call->in[0].type;
	const hy_status status = hy_ir__call_input_ints(call, 1, &k);
	if (status != HY_OK) return status;
	if (k.present && k.count != HY_IR_NONE && k.count != 1)
		return hy_ir__call_refuse(call, "input 1 must be one number");
	if (hy_ir__ranked(out) && out->rank < 2)
		return hy_ir__call_refuse(call, "input 0 has rank %u, it must be matrices", out->rank);
	return HY_OK;
}
