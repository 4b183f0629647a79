/* The strided walk over several arrays at once. */
#include "eval_walk.h"

#include <string.h>

void hy_ir__strides(uint32_t rank, const int64_t *dim, int64_t *out_stride)
{
	int64_t stride = 1;
	for (uint32_t i = rank; i-- > 0;) {
		out_stride[i] = stride;
		if (dim[i] > 0) stride *= dim[i];
	}
}

void hy_ir__walk_box(hy_ir__walk *walk, uint32_t rank, const int64_t *dim)
{
	*walk = (hy_ir__walk){.rank = rank};
	if (rank > 0) memcpy(walk->dim, dim, rank * sizeof(dim[0]));
}

void hy_ir__walk_dense(hy_ir__walk *walk, uint32_t array)
{
	hy_ir__strides(walk->rank, walk->dim, walk->stride[array]);
}

void hy_ir__walk_broadcast(hy_ir__walk *walk, uint32_t array, const hy_ir_type *shape)
{
	int64_t stride[HY_MAX_RANK];
	hy_ir__strides(shape->rank, shape->dim, stride);
	for (uint32_t i = 0; i < shape->rank; i++)
		walk->stride[array][walk->rank - shape->rank + i] = shape->dim[i] == 1 ? 0 : stride[i];
}

static bool lie_together(const hy_ir__walk *walk, uint32_t outer, uint32_t inner)
{
	for (uint32_t a = 0; a < HY_IR__WALK_ARRAYS; a++)
		if (walk->stride[a][outer] != walk->stride[a][inner] * walk->dim[inner]) return false;
	return true;
}

static void move_dim(hy_ir__walk *walk, uint32_t to, uint32_t from)
{
	for (uint32_t a = 0; a < HY_IR__WALK_ARRAYS; a++)
		walk->stride[a][to] = walk->stride[a][from];
}

void hy_ir__walk_begin(hy_ir__walk *walk)
{
	uint32_t rank = 0;
	walk->more = true;
	for (uint32_t i = 0; i < walk->rank; i++) {
		if (walk->dim[i] == 0) walk->more = false;
		if (walk->dim[i] == 1) continue;
		if (rank > 0 && lie_together(walk, rank - 1, i)) {
			walk->dim[rank - 1] *= walk->dim[i];
			move_dim(walk, rank - 1, i);
			continue;
		}
		walk->dim[rank] = walk->dim[i];
		move_dim(walk, rank, i);
		rank++;
	}
	walk->length = 1;
	for (uint32_t a = 0; a < HY_IR__WALK_ARRAYS; a++)
		walk->step[a] = 0;
	walk->rank = rank;
	if (rank == 0) return;
	walk->rank = rank - 1; /* the last dim is the row */
	walk->length = walk->dim[walk->rank];
	for (uint32_t a = 0; a < HY_IR__WALK_ARRAYS; a++)
		walk->step[a] = walk->stride[a][walk->rank];
	memset(walk->at, 0, sizeof(walk->at));
}

void hy_ir__walk_next(hy_ir__walk *walk)
{
	for (uint32_t i = walk->rank; i-- > 0;) {
		walk->at[i]++;
		for (uint32_t a = 0; a < HY_IR__WALK_ARRAYS; a++)
			walk->offset[a] += walk->stride[a][i];
		if (walk->at[i] < walk->dim[i]) return;
		walk->at[i] = 0;
		for (uint32_t a = 0; a < HY_IR__WALK_ARRAYS; a++)
			walk->offset[a] -= walk->stride[a][i] * walk->dim[i];
	}
	walk->more = false;
}
