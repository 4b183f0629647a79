/* The operators: who lowers what. */
#ifndef HY_KERNELS_HANDLER_H
#define HY_KERNELS_HANDLER_H

#include "lower.h"

/* epilogue->count is 0 unless the operator's `fuses` agreed. Fails: UNSUPPORTED through hy_kernels__refuse. */
typedef hy_status (*hy_kernels__handler)(hy_kernels__lower *lower, const hy_kernels__node *node,
                                         const hy_kernels__epilogue *epilogue);
/* Whether the node can store through that epilogue. */
typedef bool (*hy_kernels__fuses)(hy_kernels__lower *lower, const hy_kernels__node *node,
                                  const hy_kernels__epilogue *epilogue);

#define HANDLER(name)                                                                              \
	hy_status hy_kernels__lower_##name(hy_kernels__lower *lower, const hy_kernels__node *node, \
	                                   const hy_kernels__epilogue *epilogue)

HANDLER(arg);
HANDLER(batch_norm);
HANDLER(concat);
HANDLER(conv);
HANDLER(conv_transpose);
HANDLER(cumsum);
HANDLER(depth_space);
HANDLER(expand);
HANDLER(fill);
HANDLER(gather);
HANDLER(gather_elements);
HANDLER(gather_nd);
HANDLER(gemm);
HANDLER(global_pool);
HANDLER(instance_norm);
HANDLER(layer_norm);
HANDLER(lrn);
HANDLER(matmul);
HANDLER(pad);
HANDLER(pool);
HANDLER(range);
HANDLER(reduce);
HANDLER(resize);
HANDLER(shape);
HANDLER(slice);
HANDLER(softmax);
HANDLER(split);
HANDLER(tile);
HANDLER(topk);
HANDLER(transpose);
HANDLER(trilu);
HANDLER(view);
#undef HANDLER

bool hy_kernels__conv_fuses(hy_kernels__lower *lower, const hy_kernels__node *node,
                            const hy_kernels__epilogue *epilogue);
bool hy_kernels__matmul_fuses(hy_kernels__lower *lower, const hy_kernels__node *node,
                              const hy_kernels__epilogue *epilogue);
bool hy_kernels__block_fuses(hy_kernels__lower *lower, const hy_kernels__node *node,
                             const hy_kernels__epilogue *epilogue);

/* ---- what layout.c asks before anything is lowered ---- */

/* Whether the node will make FORM_BLOCK, given the forms of its inputs; notes the halos it wants of them. */
bool hy_kernels__conv_is_blocked(const hy_kernels__lower *lower, const hy_kernels__node *node);
uint32_t hy_kernels__conv_halo(const hy_kernels__lower *lower, const hy_kernels__node *node);

/* ---- move.c ---- */

/* A binding as a place of its own. */
hy_kernels__place hy_kernels__binding(hy_kernels__lower *lower, uint32_t binding);
/* Copies bytes from one place to another as they are. */
void hy_kernels__copy(hy_kernels__lower *lower, hy_kernels__place from, hy_kernels__place to, uint64_t bytes);

/* Elements from one strided place to another: element i of dims, decomposed, goes from
 * from_base + sum(coordinate * from_stride) to to_base + sum(coordinate * to_stride), counted in elements. */
typedef struct hy_kernels__walk {
	uint32_t rank, element_bytes;
	int64_t dim[2 * HY_MAX_RANK], from_stride[2 * HY_MAX_RANK], to_stride[2 * HY_MAX_RANK];
	int64_t from_base, to_base;
} hy_kernels__walk;
void hy_kernels__walk_emit(hy_kernels__lower *lower, uint32_t row, hy_kernels__walk *walk, hy_kernels__place from,
                           hy_kernels__place to);
/* "#define NAME {1, 2, 3}" */
void hy_kernels__define_list(hy_kernels__text *defines, const char *name, const int64_t *values, uint32_t count);
/* The unsigned type as wide as an element. */
const char *hy_kernels__bits_type(hy_dtype dtype);
/* Output `output` of the node becomes `value`, a small integer, in every element. */
hy_status hy_kernels__fill(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t output, int64_t value);
/* Strides of a dense tensor. */
void hy_kernels__strides(const hy_ir_type *type, int64_t strides[HY_MAX_RANK]);

#endif
