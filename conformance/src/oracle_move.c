/* The oracle: operators that change places or shapes. */
#include "tensor.h"

#include <stdlib.h>
#include <string.h>

static const tensor *second(const op_spec *s, uint32_t index)
{
	return index < s->input_count && s->inputs[index].present ? &s->inputs[index] : NULL;
}

static void reshaped(const tensor *x, uint32_t rank, const int64_t *dims, tensor *out)
{
	tensor_create(out, x->dtype, rank, dims);
	memcpy(out->value, x->value, (size_t)x->count * sizeof(double));
}

static uint32_t run_reshape(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *shape = &s->inputs[1];
	int64_t dims[HY_MAX_RANK], known = 1, open = -1;
	for (int64_t i = 0; i < shape->count; i++) {
		dims[i] = (int64_t)shape->value[i];
		if (dims[i] == 0 && !op_int(s, "allowzero", 0)) dims[i] = x->dim[i];
		if (dims[i] == -1)
			open = i;
		else
			known *= dims[i];
	}
	if (open >= 0) dims[open] = x->count / known;
	reshaped(x, (uint32_t)shape->count, dims, out);
	return 1;
}

static uint32_t run_flatten(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	const int64_t axis = op_int(s, "axis", 1) < 0 ? op_int(s, "axis", 1) + x->rank : op_int(s, "axis", 1);
	int64_t dims[2] = {1, 1};
	for (uint32_t i = 0; i < x->rank; i++)
		dims[i >= axis] *= x->dim[i];
	reshaped(x, 2, dims, out);
	return 1;
}

static uint32_t run_squeeze(const op_spec *s, tensor *out, bool add)
{
	const tensor *x = &s->inputs[0], *axes = second(s, 1);
	const uint32_t full = add ? x->rank + (uint32_t)axes->count : x->rank;
	bool marked[2 * HY_MAX_RANK] = {false};
	for (int64_t i = 0; axes != NULL && i < axes->count; i++)
		marked[tensor_axis((int64_t)axes->value[i], full)] = true;
	int64_t dims[2 * HY_MAX_RANK];
	uint32_t rank = 0, next = 0;
	for (uint32_t i = 0; i < full; i++) {
		if (add)
			dims[rank++] = marked[i] ? 1 : x->dim[next++];
		else if (axes != NULL ? !marked[i] : x->dim[i] != 1)
			dims[rank++] = x->dim[i];
	}
	reshaped(x, rank, dims, out);
	return 1;
}

static uint32_t run_transpose(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	uint32_t given;
	const int64_t *perm = op_ints(s, "perm", &given);
	int64_t dims[HY_MAX_RANK], at[HY_MAX_RANK], from[HY_MAX_RANK];
	for (uint32_t i = 0; i < x->rank; i++)
		dims[i] = x->dim[perm == NULL ? x->rank - 1 - i : (uint32_t)perm[i]];
	tensor_create(out, x->dtype, x->rank, dims);
	for (int64_t k = 0; k < out->count; k++) {
		tensor_coordinates(out, k, at);
		for (uint32_t i = 0; i < x->rank; i++)
			from[perm == NULL ? x->rank - 1 - i : (uint32_t)perm[i]] = at[i];
		out->value[k] = x->value[tensor_index(x, from)];
	}
	return 1;
}

static uint32_t run_concat(const op_spec *s, tensor *out)
{
	const uint32_t rank = s->inputs[0].rank, axis = tensor_axis(op_int(s, "axis", 0), rank);
	int64_t dims[HY_MAX_RANK], at[HY_MAX_RANK];
	memcpy(dims, s->inputs[0].dim, sizeof(dims));
	for (uint32_t k = 1; k < s->input_count; k++)
		dims[axis] += s->inputs[k].dim[axis];
	tensor_create(out, s->inputs[0].dtype, rank, dims);
	int64_t begin = 0;
	for (uint32_t k = 0; k < s->input_count; k++) {
		for (int64_t i = 0; i < s->inputs[k].count; i++) {
			tensor_coordinates(&s->inputs[k], i, at);
			at[axis] += begin;
			out->value[tensor_index(out, at)] = s->inputs[k].value[i];
		}
		begin += s->inputs[k].dim[axis];
	}
	return 1;
}

static uint32_t run_split(const op_spec *s, tensor *outputs)
{
	const tensor *x = &s->inputs[0], *sizes = second(s, 1);
	const uint32_t axis = tensor_axis(op_int(s, "axis", 0), x->rank);
	const uint32_t parts = sizes != NULL ? (uint32_t)sizes->count : (uint32_t)op_int(s, "num_outputs", 2);
	const int64_t chunk = (x->dim[axis] + parts - 1) / parts;
	int64_t begin = 0, dims[HY_MAX_RANK], at[HY_MAX_RANK];
	memcpy(dims, x->dim, sizeof(dims));
	for (uint32_t k = 0; k < parts; k++) {
		dims[axis] = sizes != NULL ? (int64_t)sizes->value[k] : k + 1 < parts ? chunk : x->dim[axis] - begin;
		tensor_create(&outputs[k], x->dtype, x->rank, dims);
		for (int64_t i = 0; i < outputs[k].count; i++) {
			tensor_coordinates(&outputs[k], i, at);
			at[axis] += begin;
			outputs[k].value[i] = x->value[tensor_index(x, at)];
		}
		begin += dims[axis];
	}
	return parts;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static uint32_t run_slice(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *axes = second(s, 3), *steps = second(s, 4);
	int64_t first[HY_MAX_RANK] = {0}, step[HY_MAX_RANK], dims[HY_MAX_RANK], at[HY_MAX_RANK];
	for (uint32_t i = 0; i < x->rank; i++) {
		step[i] = 1;
		dims[i] = x->dim[i];
	}
	for (int64_t k = 0; k < s->inputs[1].count; k++) {
		const uint32_t a = axes == NULL ? (uint32_t)k : tensor_axis((int64_t)axes->value[k], x->rank);
		const int64_t n = x->dim[a];
		int64_t begin = (int64_t)s->inputs[1].value[k], end = (int64_t)s->inputs[2].value[k];
		step[a] = steps == NULL ? 1 : (int64_t)steps->value[k];
		begin = begin < 0 ? begin + n : begin;
		end = end < 0 ? end + n : end;
		const bool up = step[a] > 0;
		begin = up ? clamp(begin, 0, n) : clamp(begin, 0, n - 1);
		end = up ? clamp(end, 0, n) : clamp(end, -1, n - 1);
		first[a] = begin;
		const int64_t span = up ? end - begin : begin - end, size = up ? step[a] : -step[a];
		dims[a] = span <= 0 ? 0 : (span + size - 1) / size;
	}
	tensor_create(out, x->dtype, x->rank, dims);
	for (int64_t i = 0; i < out->count; i++) {
		tensor_coordinates(out, i, at);
		for (uint32_t d = 0; d < x->rank; d++)
			at[d] = first[d] + at[d] * step[d];
		out->value[i] = x->value[tensor_index(x, at)];
	}
	return 1;
}

static int64_t reflected(int64_t at, int64_t n)
{
	while (n > 1 && (at < 0 || at >= n))
		at = at < 0 ? -at : 2 * (n - 1) - at;
	return n == 1 ? 0 : at;
}

static uint32_t run_pad(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0], *pads = &s->inputs[1], *fill = second(s, 2);
	const char *mode = op_text(s, "mode", "constant");
	int64_t dims[HY_MAX_RANK], at[HY_MAX_RANK];
	for (uint32_t i = 0; i < x->rank; i++)
		dims[i] = x->dim[i] + (int64_t)pads->value[i] + (int64_t)pads->value[i + x->rank];
	tensor_create(out, x->dtype, x->rank, dims);
	for (int64_t k = 0; k < out->count; k++) {
		bool inside = true;
		tensor_coordinates(out, k, at);
		for (uint32_t i = 0; i < x->rank; i++) {
			at[i] -= (int64_t)pads->value[i];
			if (strcmp(mode, "edge") == 0) at[i] = clamp(at[i], 0, x->dim[i] - 1);
			if (strcmp(mode, "reflect") == 0) at[i] = reflected(at[i], x->dim[i]);
			if (at[i] < 0 || at[i] >= x->dim[i]) inside = false;
		}
		out->value[k] = inside ? x->value[tensor_index(x, at)] : fill != NULL ? fill->value[0] : 0;
	}
	return 1;
}

static uint32_t run_expand(const op_spec *s, tensor *out, bool tile)
{
	const tensor *x = &s->inputs[0], *shape = &s->inputs[1];
	const uint32_t rank = shape->count > x->rank ? (uint32_t)shape->count : x->rank;
	int64_t dims[HY_MAX_RANK], at[HY_MAX_RANK], own[HY_MAX_RANK];
	const uint32_t missing = rank - x->rank, absent = rank - (uint32_t)shape->count;
	for (uint32_t i = 0; i < rank; i++) {
		const int64_t have = i < missing ? 1 : x->dim[i - missing];
		const int64_t want = i < absent ? 1 : (int64_t)shape->value[i - absent];
		dims[i] = tile ? have * want : have == 1 ? want : have;
	}
	tensor_create(out, x->dtype, rank, dims);
	for (int64_t k = 0; k < out->count; k++) {
		tensor_coordinates(out, k, at);
		for (uint32_t i = 0; i < x->rank; i++)
			own[i] = at[i + missing] % x->dim[i];
		out->value[k] = x->value[tensor_index(x, own)];
	}
	return 1;
}

static uint32_t run_depth(const op_spec *s, tensor *out, bool to_space)
{
	const tensor *x = &s->inputs[0];
	const int64_t b = op_int(s, "blocksize", 1), n = x->dim[0], c = x->dim[1], h = x->dim[2], w = x->dim[3];
	const bool crd = strcmp(op_text(s, "mode", "DCR"), "CRD") == 0;
	const int64_t up[] = {n, c / (b * b), h * b, w * b}, down[] = {n, c * b * b, h / b, w / b};
	tensor_create(out, x->dtype, 4, to_space ? up : down);
	int64_t at[HY_MAX_RANK];
	for (int64_t k = 0; k < out->count; k++) {
		tensor_coordinates(out, k, at);
		int64_t from[4] = {at[0]};
		if (to_space) {
			const int64_t dy = at[2] % b, dx = at[3] % b;
			from[1] = crd ? (at[1] * b + dy) * b + dx : (dy * b + dx) * up[1] + at[1];
			from[2] = at[2] / b;
			from[3] = at[3] / b;
		} else {
			const int64_t block = at[1] / c;
			from[1] = at[1] % c;
			from[2] = at[2] * b + block / b;
			from[3] = at[3] * b + block % b;
		}
		out->value[k] = x->value[tensor_index(x, from)];
	}
	return 1;
}

static uint32_t run_trilu(const op_spec *s, tensor *out)
{
	const tensor *x = &s->inputs[0];
	const int64_t k = second(s, 1) != NULL ? (int64_t)s->inputs[1].value[0] : 0;
	const bool upper = op_int(s, "upper", 1) != 0;
	tensor_create(out, x->dtype, x->rank, x->dim);
	int64_t at[HY_MAX_RANK];
	for (int64_t i = 0; i < x->count; i++) {
		tensor_coordinates(x, i, at);
		const int64_t diagonal = at[x->rank - 1] - at[x->rank - 2];
		out->value[i] = (upper ? diagonal >= k : diagonal <= k) ? x->value[i] : 0;
	}
	return 1;
}

uint32_t oracle_move(const op_spec *s, tensor *outputs)
{
	const char *op = s->op;
	if (strcmp(op, "Reshape") == 0) return run_reshape(s, outputs);
	if (strcmp(op, "Flatten") == 0) return run_flatten(s, outputs);
	if (strcmp(op, "Squeeze") == 0) return run_squeeze(s, outputs, false);
	if (strcmp(op, "Unsqueeze") == 0) return run_squeeze(s, outputs, true);
	if (strcmp(op, "Transpose") == 0) return run_transpose(s, outputs);
	if (strcmp(op, "Concat") == 0) return run_concat(s, outputs);
	if (strcmp(op, "Split") == 0) return run_split(s, outputs);
	if (strcmp(op, "Slice") == 0) return run_slice(s, outputs);
	if (strcmp(op, "Pad") == 0) return run_pad(s, outputs);
	if (strcmp(op, "Expand") == 0) return run_expand(s, outputs, false);
	if (strcmp(op, "Tile") == 0) return run_expand(s, outputs, true);
	if (strcmp(op, "DepthToSpace") == 0) return run_depth(s, outputs, true);
	if (strcmp(op, "SpaceToDepth") == 0) return run_depth(s, outputs, false);
	if (strcmp(op, "Trilu") == 0) return run_trilu(s, outputs);
	return 0;
}
