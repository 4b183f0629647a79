/* An elementwise chain as a function on 16 channels of one pixel, called where a blocked kernel stores.
 *
 * The template sees FUSED(acc, n, k, h, w FUSED_ARGS): acc is what it would have stored for batch element n, channel
 * block k, row h, column w; FUSED_PARAMS and FUSED_READ belong to its signature and its first lines. */
#ifndef HY_KERNELS_FUSED_H
#define HY_KERNELS_FUSED_H

#include "expr.h"

typedef struct hy_kernels__fused {
	hy_kernels__expr expr;
	hy_kernels__text function;
	struct {
		hy_kernels__place place;
		int64_t batch, plane, row; /* strides in floats */
	} operands[EXPR_OPERANDS];
	bool is_flat; /* no operand has a halo: rows may be taken as one */
} hy_kernels__fused;

/* Whether the nodes can be computed where a value of type is stored in blocks. acc: the anchor's value or HY_IR_NONE. */
bool hy_kernels__fused_is_possible(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count,
                                   uint32_t acc, const hy_ir_type *type);
/* count 0: the identity. Brings the operands into blocked form. */
hy_status hy_kernels__fused_create(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count,
                                   uint32_t acc, uint32_t result, hy_kernels__fused *out_fused);
void hy_kernels__fused_define(const hy_kernels__fused *fused, hy_kernels__text *defines);
/* Passes the operands: last in the kernel's arguments. */
void hy_kernels__fused_pass(hy_kernels__lower *lower, const hy_kernels__fused *fused);

/* K_KEEP(value, k) of a template: what block k of a value of that type may store. */
void hy_kernels__define_keep(hy_kernels__text *defines, const hy_ir_type *type);

#endif
