/* One walk of local rewrites; each rule looks at a node and what makes its inputs. */
#ifndef HY_IR_PRIVATE_PASS_SIMPLIFY_H
#define HY_IR_PRIVATE_PASS_SIMPLIFY_H

#include "pass_rewrite.h"

typedef struct hy_ir__simplify {
	hy_ir__rewrite rewrite;
	uint32_t value_count; /* at the start; later values are made by rules */
	uint32_t *map; /* what is read instead of each value */
	uint32_t *uses; /* never too low */
	bool *is_output;
} hy_ir__simplify;

/* True when the rule has dealt with the node (replaced or bypassed it); false: the node stays, perhaps changed. */
typedef bool (*hy_ir__simplify_rule)(hy_ir__simplify *simplify, uint32_t node);

/* Every use of `value`, the only output of `node`, reads `source` from now on. False where it can't: a graph output
 * must be made by a node of its own. */
bool hy_ir__simplify_bypass(hy_ir__simplify *simplify, uint32_t node, uint32_t source);
/* The node that makes the value, if its operator is `id`; else NULL. */
const hy_ir_node *hy_ir__simplify_made_by(const hy_ir__simplify *simplify, uint32_t value, hy_ir_op_id id);
/* Nobody but the asking node reads it. */
bool hy_ir__simplify_is_private(const hy_ir__simplify *simplify, uint32_t value);
/* A constant of one element. */
bool hy_ir__simplify_scalar(const hy_ir__simplify *simplify, uint32_t value, double *out_number);
/* A constant whose elements all are `number`. */
bool hy_ir__simplify_is_all(const hy_ir__simplify *simplify, uint32_t value, double number);
const hy_ir_type *hy_ir__simplify_type(const hy_ir__simplify *simplify, uint32_t value);

/* pass_simplify_view.c: nodes that move nothing */
bool hy_ir__simplify_view(hy_ir__simplify *simplify, uint32_t node); /* Reshape, Flatten, Squeeze, Unsqueeze */
bool hy_ir__simplify_transpose(hy_ir__simplify *simplify, uint32_t node);
bool hy_ir__simplify_slice(hy_ir__simplify *simplify, uint32_t node);
bool hy_ir__simplify_pad(hy_ir__simplify *simplify, uint32_t node);
bool hy_ir__simplify_repeat(hy_ir__simplify *simplify, uint32_t node); /* Expand, Tile */

/* pass_simplify_pattern.c: operators that exporters wrote in pieces */
bool hy_ir__simplify_gelu(hy_ir__simplify *simplify, uint32_t node); /* at its last Mul */
bool hy_ir__simplify_layer_norm(hy_ir__simplify *simplify, uint32_t node); /* at its Div */
bool hy_ir__simplify_layer_norm_scale(hy_ir__simplify *simplify, uint32_t node); /* at the Mul behind */
bool hy_ir__simplify_layer_norm_bias(hy_ir__simplify *simplify, uint32_t node); /* at the Add behind */

#endif
