/* Moving elements between two places of the same dims: runs by memcpy, transposes in tiles, the rest one by one. */
#include "cpu_build.h"
#include "cpu_parallel.h"

#include <stdio.h>
#include <stdlib.h>

#define TILE 16 /* elements of 4 bytes: a cache line */
#define WORTH_A_THREAD ((int64_t)64 << 10) /* bytes */

/* Dims without those of one element, from the target's outermost to its innermost, neighbours joined. */
typedef struct route {
	uint32_t rank, element;
	int64_t dim[HY_MAX_RANK], from[HY_MAX_RANK], to[HY_MAX_RANK];
} route;

static void route_make(route *r, uint32_t element_bytes, uint32_t rank, const int64_t *dims,
                       const int64_t *from_strides, const int64_t *to_strides)
{
	uint32_t count = 0;
	r->element = element_bytes;
	for (uint32_t i = 0; i < rank; i++) {
		if (dims[i] == 1) continue;
		uint32_t at = count++;
		for (; at > 0 && r->to[at - 1] < to_strides[i]; at--) {
			r->dim[at] = r->dim[at - 1];
			r->from[at] = r->from[at - 1];
			r->to[at] = r->to[at - 1];
		}
		r->dim[at] = dims[i];
		r->from[at] = from_strides[i];
		r->to[at] = to_strides[i];
	}
	r->rank = 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t last = r->rank - 1;
		if (r->rank > 0 && r->from[last] == r->from[i] * r->dim[i] && r->to[last] == r->to[i] * r->dim[i]) {
			r->dim[last] *= r->dim[i];
			r->from[last] = r->from[i];
			r->to[last] = r->to[i];
			continue;
		}
		r->dim[r->rank] = r->dim[i];
		r->from[r->rank] = r->from[i];
		r->to[r->rank++] = r->to[i];
	}
	if (r->rank == 0) {
		r->rank = 1;
		r->dim[0] = 1;
		r->from[0] = 1;
		r->to[0] = 1;
	}
}

#define MOVE(type)                                                                            \
	static void move_##type(const route *r, uint32_t a, const type *from, type *to)       \
	{                                                                                     \
		const uint32_t b = r->rank - 1;                                               \
		const int64_t rows = a == b ? 1 : r->dim[a], columns = r->dim[b];             \
		const int64_t fa = r->from[a], fb = r->from[b], ta = r->to[a], tb = r->to[b]; \
		for (int64_t i0 = 0; i0 < rows; i0 += TILE) {                                 \
			const int64_t i1 = i0 + TILE < rows ? i0 + TILE : rows;               \
			for (int64_t j0 = 0; j0 < columns; j0 += TILE) {                      \
				const int64_t j1 = j0 + TILE < columns ? j0 + TILE : columns; \
				for (int64_t i = i0; i < i1; i++) {                           \
					for (int64_t j = j0; j < j1; j++)                     \
						to[i * ta + j * tb] = from[i * fa + j * fb];  \
				}                                                             \
			}                                                                     \
		}                                                                             \
	}
MOVE(uint8_t)
MOVE(uint16_t)
MOVE(uint32_t)
MOVE(uint64_t)
#undef MOVE

/* The two dims a and innermost, at one position of the others. */
static void move(const route *r, uint32_t a, const char *from, char *to)
{
	const uint32_t b = r->rank - 1;
	const uint32_t e = r->element;
	if (r->from[b] == 1 && r->to[b] == 1) {
		const int64_t rows = a == b ? 1 : r->dim[a];
		for (int64_t i = 0; i < rows; i++)
			memcpy(to + i * r->to[a] * e, from + i * r->from[a] * e, (size_t)r->dim[b] * e);
		return;
	}
	switch (e) {
	case 1:
		move_uint8_t(r, a, (const uint8_t *)from, (uint8_t *)to);
		return;
	case 2:
		move_uint16_t(r, a, (const uint16_t *)(const void *)from, (uint16_t *)(void *)to);
		return;
	case 4:
		move_uint32_t(r, a, (const uint32_t *)(const void *)from, (uint32_t *)(void *)to);
		return;
	default:
		move_uint64_t(r, a, (const uint64_t *)(const void *)from, (uint64_t *)(void *)to);
	}
}

/* Positions first..last-1 of the outermost dim. */
static void route_run(const route *whole, int64_t first, int64_t last, const char *from, char *to)
{
	route r = *whole;
	const uint32_t b = r.rank - 1;
	from += first * r.from[0] * r.element;
	to += first * r.to[0] * r.element;
	r.dim[0] = last - first;
	/* Beside the innermost dim, the one that the source runs along. */
	uint32_t a = b > 0 ? b - 1 : b;
	for (uint32_t i = 0; i < b; i++) {
		if (r.from[i] == 1) a = i;
	}
	int64_t at[HY_MAX_RANK] = {0};
	for (;;) {
		int64_t f = 0, t = 0;
		for (uint32_t i = 0; i < r.rank; i++) {
			f += at[i] * r.from[i];
			t += at[i] * r.to[i];
		}
		move(&r, a, from + f * r.element, to + t * r.element);
		uint32_t i = b;
		while (i-- > 0) {
			if (i == a) continue;
			if (++at[i] < r.dim[i]) break;
			at[i] = 0;
		}
		if (i == UINT32_MAX) return;
	}
}

void hy_cpu_copy(uint32_t element_bytes, uint32_t rank, const int64_t *dims, const void *from,
                 const int64_t *from_strides, void *to, const int64_t *to_strides)
{
	route r;
	route_make(&r, element_bytes, rank, dims, from_strides, to_strides);
	route_run(&r, 0, r.dim[0], from, to);
}

typedef struct copy {
	hy_cpu_step step;
	route route;
	uint32_t thread_count;
	hy_cpu_prim *reorder; /* or NULL */
	void *const *at; /* of the run that is going on */
} copy;

static void copy_part(void *payload, uint32_t index, uint32_t count)
{
	const copy *c = payload;
	const int64_t rows = c->route.dim[0];
	const int64_t first = rows * index / count, last = rows * (index + 1) / count;
	if (first < last) route_run(&c->route, first, last, c->at[0], c->at[1]);
}

static hy_status copy_run(hy_cpu_step *step, void *const *at, hy_error *error)
{
	copy *c = (copy *)(void *)step;
	if (c->reorder != NULL) return hy_cpu_prim_run(c->reorder, at, error);
	c->at = at;
	hy_cpu_parallel(c->thread_count, copy_part, c);
	return HY_OK;
}

static void copy_finish(hy_cpu_step *step)
{
	hy_cpu_prim_destroy(((copy *)(void *)step)->reorder);
}

/* oneDNN transposes floats faster; a runs-only copy it does not. */
static hy_cpu_prim *reorder_create(hy_cpu_build *build, const route *r, uint32_t element)
{
	const uint32_t b = r->rank - 1;
	hy_cpu_prim *prim = NULL;
	hy_cpu_md from = {.dtype = HY_DTYPE_F32, .rank = r->rank}, to;
	if (element != 4 || r->rank < 2 || r->rank > 6 || (r->from[b] == 1 && r->to[b] == 1)) return NULL;
	memcpy(from.dim, r->dim, sizeof(r->dim));
	to = from;
	for (uint32_t i = 0; i < r->rank; i++) {
		if (r->from[i] <= 0) return NULL;
		from.stride[i] = r->from[i];
		to.stride[i] = r->to[i];
	}
	if (hy_cpu_dnnl_reorder(build->device->dnnl, &from, &to, &prim, NULL) != HY_OK) return NULL;
	if (strncmp(hy_cpu_prim_name(prim), "jit", 3) == 0) return prim;
	hy_cpu_prim_destroy(prim);
	return NULL;
}

hy_status hy_cpu_build_copy(hy_cpu_build *build, const hy_cpu_view *from, const hy_cpu_view *to, hy_error *error)
{
	const uint32_t element = hy_dtype_bits(from->type.dtype) / 8;
	const uint64_t bytes = hy_ir_type_bytes(&from->type);
	copy *c;
	if (bytes == 0) return HY_OK;
	hy_status status = hy_cpu_build_step(build, sizeof(*c), "copy", &c, error);
	if (status != HY_OK) return status;
	c->step.run = copy_run;
	c->step.finish = copy_finish;
	c->step.flags = HY_STEP_REORDER;
	route_make(&c->route, element, from->type.rank, from->type.dim, from->stride, to->stride);
	c->thread_count = (int64_t)bytes > WORTH_A_THREAD ? build->device->cores.thread_count : 1;
	c->reorder = bytes >= 16384 ? reorder_create(build, &c->route, element) : NULL;
	if (c->reorder != NULL) {
		(void)snprintf(c->step.implementation, sizeof(c->step.implementation), "copy:%s",
		               hy_cpu_prim_name(c->reorder));
	}
	status = hy_cpu_build_operand_view(build, &c->step, from, error);
	if (status == HY_OK) status = hy_cpu_build_operand_view(build, &c->step, to, error);
	if (status == HY_OK && c->reorder != NULL && hy_cpu_prim_scratch_bytes(c->reorder) > 0)
		status = hy_cpu_build_scratch(build, &c->step, hy_cpu_prim_scratch_bytes(c->reorder), error);
	return status;
}
