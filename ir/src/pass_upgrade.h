/* One rule per operator whose form changed between opset 1 and 18. */
#ifndef HY_IR_PRIVATE_PASS_UPGRADE_H
#define HY_IR_PRIVATE_PASS_UPGRADE_H

#include "pass_rewrite.h"

/* Rewrites a node in place, or makes others and kills it. What is in place is restamped and kept by the caller. */
typedef void (*hy_ir__upgrade)(hy_ir__rewrite *rewrite, uint32_t node);

/* pass_upgrade_inputs.c: attributes that became inputs */
void hy_ir__upgrade_axes(hy_ir__rewrite *rewrite, uint32_t node); /* Squeeze, Unsqueeze, Reduce... */
void hy_ir__upgrade_clip(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_constant(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_dropout(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_pad(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_reshape(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_slice(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_split(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_tile(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_topk(hy_ir__rewrite *rewrite, uint32_t node);

/* pass_upgrade_meaning.c: the same words with another meaning */
void hy_ir__upgrade_batch_norm(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_binary(hy_ir__rewrite *rewrite, uint32_t node); /* attributes broadcast and axis */
void hy_ir__upgrade_cast(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_concat(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_gemm(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_prelu(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_resize(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_selu(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_softmax(hy_ir__rewrite *rewrite, uint32_t node);
void hy_ir__upgrade_upsample(hy_ir__rewrite *rewrite, uint32_t node);

/* Takes one attribute away, or gives one a value. */
void hy_ir__upgrade_remove_attr(hy_ir__rewrite *rewrite, uint32_t node, const char *name);
void hy_ir__upgrade_set_attr(hy_ir__rewrite *rewrite, uint32_t node, hy_ir_attr attr);
/* Makes `value` the input at that place; absent ones before it are filled with HY_IR_NONE. */
void hy_ir__upgrade_set_input(hy_ir__rewrite *rewrite, uint32_t node, uint32_t place, uint32_t value);

#endif
