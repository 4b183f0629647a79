/* The operators the IR knows: one row per operator in ops.def, from which the table, the parser, the verifier, the
 * inference, the evaluator and the documentation come. */
#ifndef HALYARD_IR_OP_H
#define HALYARD_IR_OP_H

#include <halyard/status.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The opset that the passes rewrite every model into. Plugins see no other. */
#define HY_IR_OPSET 18u
/* The domain and type of a fused node. */
#define HY_IR_DOMAIN "halyard"
#define HY_IR_REGION "Region"

/* How an operator takes part in fusion. */
typedef enum hy_ir_class {
	HY_IR_CLASS_ELEMENTWISE, /* output element i needs input elements i only, after broadcasting */
	HY_IR_CLASS_ANCHOR, /* heavy: may carry an elementwise epilogue (conv, matmul, gemm, pool, norm, reduce ...) */
	HY_IR_CLASS_MOVE, /* changes places, not values (transpose, slice, concat, gather ...) */
	HY_IR_CLASS_VIEW, /* same bytes, other shape (reshape, flatten, squeeze ...) */
	HY_IR_CLASS_SOURCE, /* makes a value from attributes or small integers (constant, range, shape ...) */
	HY_IR_CLASS_OTHER,
} hy_ir_class;

/* Dense numbers for switch statements inside one build; never stored, never sent. */
typedef enum hy_ir_op_id {
#define OP(id, min_inputs, max_inputs, max_outputs, elements, fusion, infer, eval) HY_IR_OP_##id,
#include <halyard/ir/ops.def>
#undef OP
	HY_IR_OP_COUNT
} hy_ir_op_id;

typedef struct hy_ir_op {
	hy_ir_op_id id;
	const char *type;
	uint32_t min_inputs, max_inputs, max_outputs; /* UINT32_MAX: any number */
	uint32_t elements; /* element types that input 0 may have: bits 1 << HY_DTYPE_* */
	hy_ir_class fusion;
} hy_ir_op;

/* The operator of that domain and type, or NULL. "ai.onnx" is "". */
const hy_ir_op *hy_ir_op_find(const char *domain, const char *type);
const hy_ir_op *hy_ir_op_at(hy_ir_op_id id);

#ifdef __cplusplus
}
#endif
#endif
