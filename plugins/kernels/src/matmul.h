/* Matrix products in register tiles, which point-wise convolutions also are, and their epilogues: an elementwise chain
 * on 16 columns of a row, and on one element. */
#ifndef HY_KERNELS_MATMUL_H
#define HY_KERNELS_MATMUL_H

#include "expr.h"

/* The template sees FUSED(acc, i, j FUSED_ARGS) and FUSED_ONE, with i the row of all batches and j the column. */
typedef struct hy_kernels__columns {
	hy_kernels__expr expr;
	hy_kernels__text function;
	hy_kernels__place places[EXPR_OPERANDS];
	int64_t row[EXPR_OPERANDS]; /* elements from row to row */
	int64_t width;
} hy_kernels__columns;

/* width: columns of the matrix that the stored value is. */
bool hy_kernels__columns_is_possible(hy_kernels__lower *lower, const hy_kernels__epilogue *epilogue, int64_t width);
hy_status hy_kernels__columns_create(hy_kernels__lower *lower, const hy_kernels__epilogue *epilogue, int64_t width,
                                     hy_kernels__columns *out_columns);
void hy_kernels__columns_define(const hy_kernels__columns *columns, hy_kernels__text *defines);
void hy_kernels__columns_pass(hy_kernels__lower *lower, const hy_kernels__columns *columns);

/* y[b] = alpha * A[b] x B[b] + beta * C[b]: sizes, and strides in elements. b: one matrix of each operand. */
typedef struct hy_kernels__product {
	int64_t m, n, k, batch;
	int64_t a_row, a_column, b_row, b_column, c_row, c_column;
	uint32_t batch_rank; /* dimensions of b */
	int64_t size[HY_MAX_RANK], a_step[HY_MAX_RANK], b_step[HY_MAX_RANK], c_step[HY_MAX_RANK];
	float alpha, beta;
	uint32_t a, b, c; /* values; c may be HY_IR_NONE */
} hy_kernels__product;

/* Whether it can be computed in register tiles: f32, rows of B at least 16 long or known. */
bool hy_kernels__product_is_vector(const hy_kernels__lower *lower, const hy_kernels__product *product);
hy_status hy_kernels__product_lower(hy_kernels__lower *lower, const hy_kernels__node *node,
                                    const hy_kernels__epilogue *epilogue, const hy_kernels__product *product);

#endif
