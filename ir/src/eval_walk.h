/* A walk over all elements of a box, row by row in row-major order, which keeps the place in up to four arrays, each
 * with strides of its own (0: broadcast). Dims that lie together in all arrays are walked as one. */
#ifndef HY_IR_PRIVATE_EVAL_WALK_H
#define HY_IR_PRIVATE_EVAL_WALK_H

#include <halyard/ir/graph.h>

#define HY_IR__WALK_RANK (2 * HY_MAX_RANK)
#define HY_IR__WALK_ARRAYS 4u

typedef struct hy_ir__walk {
	bool more; /* the row below is there */
	int64_t length; /* elements of a row */
	int64_t offset[HY_IR__WALK_ARRAYS]; /* of the first element of the row, in elements */
	int64_t step[HY_IR__WALK_ARRAYS]; /* to the next element of the row */

	uint32_t rank;
	int64_t dim[HY_IR__WALK_RANK];
	int64_t stride[HY_IR__WALK_ARRAYS][HY_IR__WALK_RANK];
	int64_t at[HY_IR__WALK_RANK];
} hy_ir__walk;

/* Says the box; all strides and offsets are 0. */
void hy_ir__walk_box(hy_ir__walk *walk, uint32_t rank, const int64_t *dim);
/* The array is dense and has the shape of the box. */
void hy_ir__walk_dense(hy_ir__walk *walk, uint32_t array);
/* The array is dense, has this shape and broadcasts to the box. */
void hy_ir__walk_broadcast(hy_ir__walk *walk, uint32_t array, const hy_ir_type *shape);
/* Then: for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk)). Begin changes dims and strides. */
void hy_ir__walk_begin(hy_ir__walk *walk);
void hy_ir__walk_next(hy_ir__walk *walk);

/* Strides of a dense row-major array, in elements. */
void hy_ir__strides(uint32_t rank, const int64_t *dim, int64_t *out_stride);

#endif
