/* Elementwise nodes as statements of a kernel. */
#ifndef HY_KERNELS_EXPR_H
#define HY_KERNELS_EXPR_H

#include "lower.h"

#define EXPR_OPERANDS 24u

/* Values are named: "t3" the result of nodes[3], "a1" operands[1], "acc" the value of the anchor; known single
 * elements are literals. The kernel around the statements declares a# and acc in their compute types. */
typedef struct hy_kernels__expr {
	const hy_kernels__lower *lower;
	const hy_kernels__node *nodes;
	uint32_t count;
	uint32_t acc; /* value, or HY_IR_NONE */
	uint32_t operands[EXPR_OPERANDS]; /* values read from memory */
	uint32_t operand_count;
	bool is_vector; /* all of it can be computed on float16 */
} hy_kernels__expr;

/* Fails: UNSUPPORTED for a type or form that no kernel has. */
hy_status hy_kernels__expr_create(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count, uint32_t acc,
                                  hy_kernels__expr *out_expr);
/* vector: in float16, else in the compute type of each value. */
void hy_kernels__expr_write(const hy_kernels__expr *expr, bool vector, hy_kernels__text *text);
void hy_kernels__expr_name(const hy_kernels__expr *expr, uint32_t value, char name[48]);

#endif
