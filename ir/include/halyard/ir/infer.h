/* Element types and shapes. */
#ifndef HALYARD_IR_INFER_H
#define HALYARD_IR_INFER_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the outputs of a node are, from the types of its inputs and, where the rule needs numbers (Reshape's shape,
 * axes, pads ...), their data. inputs[i].data is NULL when the number isn't known; absent inputs have dtype NONE.
 * The node is of opset HY_IR_OPSET, or a Region. Unknown parts of the answer stay unknown.
 * Fails: INVALID when the inputs can't belong to this operator (node and rule are named), UNSUPPORTED for an operator
 * the IR does not know. Source: onnx.ai/onnx/operators. Threads: any. */
hy_status hy_ir_infer_node(const hy_ir_node *node, const hy_ir_tensor *inputs, hy_ir_type *out_types, hy_error *error);

/* Infers every value of a graph of canonical opset, in order, region bodies included; what the model declared is kept
 * where the rule finds nothing and refused where it contradicts. */
hy_status hy_ir_infer_graph(hy_ir_graph *graph, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
