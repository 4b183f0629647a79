/* Operators that compute nothing: every element of the output is one of the input, or padding. */
#include "abacus.h"

bool abacus_next(int64_t *at, const int64_t *dims, uint32_t rank)
{
	for (uint32_t i = rank; i-- > 0;) {
		if (++at[i] < dims[i]) return true;
		at[i] = 0;
	}
	return false;
}

int64_t abacus_product(const hy_graph_tensor *t, uint32_t from, uint32_t to)
{
	int64_t product = 1;
	for (uint32_t i = from; i < to; i++)
		product *= t->dim[i];
	return product;
}

int64_t abacus_count(const hy_graph_tensor *t)
{
	return abacus_product(t, 0, t->rank);
}

void abacus_strides(const hy_graph_tensor *t, int64_t *out)
{
	for (uint32_t i = 0; i < t->rank; i++)
		out[i] = abacus_product(t, i + 1, t->rank);
}

static uint32_t axis_of(const call *c, int64_t fallback)
{
	const int64_t axis = abacus_int(c, "axis", fallback);
	return (uint32_t)(axis < 0 ? axis + c->in[0].type->rank : axis);
}

void abacus_copy(const call *c)
{
	if (c->out[0].type->length > 0) memcpy(c->out[0].data, c->in[0].data, c->out[0].type->length);
}

/* Output element at[] is input element start + sum(at[i] * step[i]). */
static void gather(const call *c, int64_t start, const int64_t *steps)
{
	const hy_graph_tensor *y = c->out[0].type;
	const float *in = c->in[0].data;
	float *out = c->out[0].data;
	int64_t at[HY_MAX_RANK] = {0};
	if (abacus_count(y) == 0) return;
	do {
		int64_t from = start;
		for (uint32_t i = 0; i < y->rank; i++)
			from += at[i] * steps[i];
		*out++ = in[from];
	} while (abacus_next(at, y->dim, y->rank));
}

void abacus_transpose(const call *c)
{
	const uint32_t rank = c->in[0].type->rank;
	const int64_t *order = abacus_ints(c, "perm");
	int64_t strides[HY_MAX_RANK], steps[HY_MAX_RANK];
	abacus_strides(c->in[0].type, strides);
	for (uint32_t i = 0; i < rank; i++)
		steps[i] = strides[order != NULL ? order[i] : rank - 1 - i];
	gather(c, 0, steps);
}

/* Inputs: data, starts, ends, axes, steps. The ends are in the output's shape. */
void abacus_slice(const call *c)
{
	const hy_graph_tensor *x = c->in[0].type;
	const int64_t *starts = c->in[1].data, *axes = c->in[3].data, *by = c->in[4].data;
	int64_t steps[HY_MAX_RANK], start = 0;
	abacus_strides(x, steps);
	for (int64_t i = 0; i < abacus_count(c->in[1].type); i++) {
		const int64_t named = axes != NULL ? axes[i] : i, axis = named < 0 ? named + x->rank : named;
		const int64_t step = by != NULL ? by[i] : 1, most = step > 0 ? x->dim[axis] : x->dim[axis] - 1;
		int64_t first = starts[i] < 0 ? starts[i] + x->dim[axis] : starts[i];
		if (first < 0) first = 0;
		if (first > most) first = most;
		start += first * steps[axis];
		steps[axis] *= step;
	}
	gather(c, start, steps);
}

/* Inputs: data, pads, value. A negative pad takes away. */
void abacus_pad(const call *c)
{
	const hy_graph_tensor *x = c->in[0].type, *y = c->out[0].type;
	const int64_t *pads = c->in[1].data;
	const float *in = c->in[0].data, value = c->in[2].data != NULL ? *(const float *)c->in[2].data : 0;
	float *out = c->out[0].data;
	int64_t at[HY_MAX_RANK] = {0}, strides[HY_MAX_RANK];
	abacus_strides(x, strides);
	if (abacus_count(y) == 0) return;
	do {
		int64_t from = 0;
		bool inside = true;
		for (uint32_t i = 0; i < y->rank; i++) {
			const int64_t there = at[i] - pads[i];
			inside = inside && there >= 0 && there < x->dim[i];
			from += there * strides[i];
		}
		*out++ = inside ? in[from] : value;
	} while (abacus_next(at, y->dim, y->rank));
}

/* Copies blocks between a whole and its parts along an axis. */
static void cut(const operand *whole, const operand *parts, uint32_t count, uint32_t axis, bool join)
{
	const int64_t outer = abacus_product(whole->type, 0, axis),
		      row = abacus_product(whole->type, axis, whole->type->rank);
	int64_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		const int64_t length = abacus_product(parts[i].type, axis, parts[i].type->rank);
		for (int64_t k = 0; k < outer && length > 0; k++) {
			float *in_whole = (float *)whole->data + k * row + at;
			float *in_part = (float *)parts[i].data + k * length;
			memcpy(join ? in_whole : in_part, join ? in_part : in_whole, (size_t)length * sizeof(float));
		}
		at += length;
	}
}

void abacus_concat(const call *c)
{
	cut(&c->out[0], c->in, c->node->input_count, axis_of(c, 0), true);
}

void abacus_split(const call *c)
{
	cut(&c->in[0], c->out, c->node->output_count, axis_of(c, 0), false);
}
