/* Operators that bring elements to other places: each is one or a few strided copies. */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

hy_status hy_ir__eval_copy(const hy_ir__call *call, const hy_ir_tensor *out)
{
	memcpy(out->data, call->in[0].data, hy_ir_type_bytes(&out->type));
	return HY_OK;
}

/* Only what is certain: no mask is drawn. */
hy_status hy_ir__eval_dropout(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const bool training = hy_ir__call_has(call, 2) && *(const uint8_t *)call->in[2].data != 0;
	const double ratio = hy_ir__call_has(call, 1) ? hy_ir__read_real(call->in[1].type.dtype, call->in[1].data, 0)
	                                              : 0.5;
	if (training && ratio != 0)
		return hy_ir__call_unsupported(call, "training_mode with a ratio above 0 is random");
	if (out[0].data != NULL) memcpy(out[0].data, call->in[0].data, hy_ir_type_bytes(&out[0].type));
	if (call->node->output_count > 1 && out[1].data != NULL) memset(out[1].data, 1, hy_ir_type_bytes(&out[1].type));
	return HY_OK;
}

/* out (dense) from the source with these strides, starting at source_at. */
static void copy_strided(const hy_ir_tensor *out, uint32_t rank, const int64_t *dim, const void *source,
                         int64_t source_at, const int64_t *source_stride)
{
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, rank, dim);
	hy_ir__walk_dense(&walk, 0);
	if (rank > 0) memcpy(walk.stride[1], source_stride, rank * sizeof(source_stride[0]));
	walk.offset[1] = source_at;
	hy_ir__walk_begin(&walk);
	hy_ir__copy_walk(&walk, hy_ir__width(&out->type), out->data, source);
}

hy_status hy_ir__eval_transpose(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const uint32_t rank = out->type.rank;
	int64_t stride[HY_MAX_RANK], turned[HY_MAX_RANK];
	hy_ir__ints perm;
	uint32_t axes[HY_MAX_RANK];
	hy_status status = hy_ir__call_attr_ints(call, "perm", &perm);
	if (status == HY_OK) status = hy_ir__call_axes(call, &perm, rank, rank, axes);
	if (status != HY_OK) return status;
	hy_ir__strides(rank, call->in[0].type.dim, stride);
	for (uint32_t i = 0; i < rank; i++)
		turned[i] = stride[perm.present ? axes[i] : rank - 1 - i];
	copy_strided(out, rank, out->type.dim, call->in[0].data, 0, turned);
	return HY_OK;
}

hy_status hy_ir__eval_concat(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const size_t width = hy_ir__width(&out->type);
	uint32_t axis;
	const hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), out->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_ir__cut cut = hy_ir__cut_at(&out->type, axis);
	int64_t at = 0;
	for (uint32_t i = 0; i < call->node->input_count; i++) {
		const int64_t length = call->in[i].type.dim[axis] * cut.inner;
		for (int64_t outer = 0; outer < cut.outer; outer++)
			hy_ir__copy_row(width, out->data, outer * cut.length * cut.inner + at, 1, call->in[i].data,
			                outer * length, 1, length);
		at += length;
	}
	return HY_OK;
}

hy_status hy_ir__eval_split(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	uint32_t axis;
	const hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", 0), x->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, axis);
	int64_t at = 0;
	for (uint32_t i = 0; i < call->node->output_count; i++) {
		int64_t length;
		const hy_status known = hy_ir__split_length(call, cut.length, i, &length);
		if (known != HY_OK) return known;
		length *= cut.inner;
		for (int64_t outer = 0; out[i].data != NULL && outer < cut.outer; outer++)
			hy_ir__copy_row(hy_ir__width(&x->type), out[i].data, outer * length, 1, x->data,
			                outer * cut.length * cut.inner + at, 1, length);
		at += length;
	}
	return HY_OK;
}

hy_status hy_ir__eval_slice(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_type *x = &call->in[0].type;
	int64_t stride[HY_MAX_RANK], at = 0;
	hy_ir__slice slice;
	const hy_status status = hy_ir__slice_of(call, &slice);
	if (status != HY_OK) return status;
	hy_ir__strides(x->rank, x->dim, stride);
	for (uint32_t i = 0; i < x->rank; i++) {
		at += slice.begin[i] * stride[i];
		stride[i] = slice.count[i] > 1 ? stride[i] * slice.step[i] : 0; /* a step beyond the dim may be huge */
	}
	copy_strided(out, x->rank, out->type.dim, call->in[0].data, at, stride);
	return HY_OK;
}

/* The 4-d tensor as six dims, these taken in the order `perm`. */
static void copy_blocks(const hy_ir__call *call, const int64_t *dim, const uint32_t *perm, const hy_ir_tensor *out)
{
	int64_t stride[6], turned[6], box[6];
	hy_ir__strides(6, dim, stride);
	for (uint32_t i = 0; i < 6; i++) {
		turned[i] = stride[perm[i]];
		box[i] = dim[perm[i]];
	}
	copy_strided(out, 6, box, call->in[0].data, 0, turned);
}

hy_status hy_ir__eval_depth_to_space(const hy_ir__call *call, const hy_ir_tensor *out)
{
	static const uint32_t depth_first[6] = {0, 3, 4, 1, 5, 2}, column_first[6] = {0, 1, 4, 2, 5, 3};
	const int64_t *x = call->in[0].type.dim, block = hy_ir__call_int(call, "blocksize", 1);
	const int64_t channels = out->type.dim[1];
	const int64_t dcr[6] = {x[0], block, block, channels, x[2], x[3]};
	const int64_t crd[6] = {x[0], channels, block, block, x[2], x[3]};
	if (strcmp(hy_ir_node_attr_string(call->node, "mode", "DCR"), "CRD") == 0)
		copy_blocks(call, crd, column_first, out);
	else
		copy_blocks(call, dcr, depth_first, out);
	return HY_OK;
}

hy_status hy_ir__eval_space_to_depth(const hy_ir__call *call, const hy_ir_tensor *out)
{
	static const uint32_t perm[6] = {0, 3, 5, 1, 2, 4};
	const int64_t *x = call->in[0].type.dim, block = hy_ir__call_int(call, "blocksize", 1);
	const int64_t dim[6] = {x[0], x[1], x[2] / block, block, x[3] / block, block};
	copy_blocks(call, dim, perm, out);
	return HY_OK;
}

/* Where output position i (counted from the first element of the input) reads: the input mirrored again and again. */
static int64_t reflect(int64_t i, int64_t dim)
{
	if (dim == 1) return 0;
	const int64_t period = 2 * (dim - 1);
	const int64_t at = (i % period + period) % period;
	return at < dim ? at : period - at;
}

static int64_t padded_place(int64_t i, int64_t dim, const char *mode)
{
	if (i >= 0 && i < dim) return i;
	if (strcmp(mode, "constant") == 0) return -1;
	if (strcmp(mode, "edge") == 0) return i < 0 ? 0 : dim - 1;
	return reflect(i, dim);
}

hy_status hy_ir__eval_pad(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const char *mode = hy_ir_node_attr_string(call->node, "mode", "constant");
	const uint64_t zero = 0;
	int64_t *map[HY_MAX_RANK] = {NULL};
	hy_ir__padding padding;
	hy_status status = hy_ir__padding_of(call, &padding);
	for (uint32_t d = 0; status == HY_OK && d < x->type.rank; d++) {
		map[d] = hy_ir__alloc(out->type.dim[d], sizeof(int64_t));
		if (map[d] == NULL) status = hy_ir__no_memory(call->error);
		for (int64_t i = 0; status == HY_OK && i < out->type.dim[d]; i++)
			map[d][i] = padded_place(i - padding.begin[d], x->type.dim[d], mode);
	}
	const bool given = hy_ir__call_has(call, 2);
	if (status == HY_OK) hy_ir__copy_mapped(x, out, map, given ? call->in[2].data : &zero);
	for (uint32_t d = 0; d < x->type.rank; d++)
		free(map[d]);
	return status;
}

hy_status hy_ir__eval_expand(const hy_ir__call *call, const hy_ir_tensor *out)
{
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, out->type.rank, out->type.dim);
	hy_ir__walk_dense(&walk, 0);
	hy_ir__walk_broadcast(&walk, 1, &call->in[0].type);
	hy_ir__walk_begin(&walk);
	hy_ir__copy_walk(&walk, hy_ir__width(&out->type), out->data, call->in[0].data);
	return HY_OK;
}

/* Each axis as two: the repeats, along which the source stands still, and the dim. */
hy_status hy_ir__eval_tile(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_type *x = &call->in[0].type;
	int64_t dim[2 * HY_MAX_RANK], stride[2 * HY_MAX_RANK], source[HY_MAX_RANK];
	hy_ir__strides(x->rank, x->dim, source);
	for (uint32_t i = 0; i < x->rank; i++) {
		dim[2 * i] = out->type.dim[i] / x->dim[i];
		dim[2 * i + 1] = x->dim[i];
		stride[2 * i] = 0;
		stride[2 * i + 1] = source[i];
	}
	copy_strided(out, 2 * x->rank, dim, call->in[0].data, 0, stride);
	return HY_OK;
}

hy_status hy_ir__eval_trilu(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_type *x = &call->in[0].type;
	const size_t width = hy_ir__width(x);
	const bool upper = hy_ir__call_int(call, "upper", 1) != 0;
	const int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
	const int64_t matrices = hy_ir_type_elements(x) / (rows * columns);
	int64_t k = hy_ir__call_has(call, 1) ? hy_ir__tensor_int(&call->in[1], 0) : 0;
	k = k < -rows ? -rows : k > columns ? columns : k;
	memset(out->data, 0, hy_ir_type_bytes(&out->type));
	for (int64_t n = 0; n < matrices * rows; n++) {
		/* Of row i the columns from i + k on are the upper triangle, those up to it the lower. */
		const int64_t diagonal = n % rows + k;
		int64_t first = upper ? diagonal : 0, last = upper ? columns : diagonal + 1;
		first = first < 0 ? 0 : first;
		last = last > columns ? columns : last;
		if (first < last)
			hy_ir__copy_row(width, out->data, n * columns + first, 1, call->in[0].data, n * columns + first,
			                1, last - first);
	}
	return HY_OK;
}
