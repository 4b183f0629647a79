/* The epilogue of a matrix product: an elementwise chain on 16 columns of a row, and on one element. */
#ifndef HY_KERNELS_MATMUL_H
#define HY_KERNELS_MATMUL_H

#include "expr.h"

/* The template sees FUSED(acc, i, j FUSED_ARGS) and FUSED_ONE, with i the row of all batches and j the column. */
typedef struct hy_kernels__columns {
	hy_kernels__expr expr;
	hy_kernels__text function;
	hy_kernels__place places[EXPR_OPERANDS];
	int64_t row[EXPR_OPERANDS]; /* elements from row to row */
} hy_kernels__columns;

bool hy_kernels__columns_is_possible(hy_kernels__lower *lower, const hy_kernels__epilogue *epilogue);
hy_status hy_kernels__columns_create(hy_kernels__lower *lower, const hy_kernels__epilogue *epilogue,
                                     hy_kernels__columns *out_columns);
void hy_kernels__columns_define(const hy_kernels__columns *columns, hy_kernels__text *defines);
void hy_kernels__columns_pass(hy_kernels__lower *lower, const hy_kernels__columns *columns);

#endif
