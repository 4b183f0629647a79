/* The evaluator: plain C, double or integer accumulation, slow and obvious. It is the oracle. */
#ifndef HALYARD_IR_EVAL_H
#define HALYARD_IR_EVAL_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Computes one node of canonical opset, or a Region. inputs: input_count tensors, absent ones with data NULL.
 * outputs: output_count tensors whose types hy_ir_infer_node gave for these inputs (static) and whose data the caller
 * owns; an unwanted output has data NULL. Arithmetic is done in double (floats) or in the integer type itself and
 * rounded once to the output's type; transcendental functions are libm's in double.
 * Fails: UNSUPPORTED, INVALID (an index out of range), NO_MEMORY. Threads: any. */
hy_status hy_ir_eval_node(const hy_ir_node *node, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                          hy_error *error);

/* Computes a whole graph; types are inferred while it runs, from the real inputs. inputs match the graph's inputs in
 * order and must fit their declared types. out_outputs: the graph's output count; data is allocated and is the
 * caller's, released with hy_ir_eval_release. */
hy_status hy_ir_eval_graph(const hy_ir_graph *graph, const hy_ir_tensor *inputs, hy_ir_tensor *out_outputs,
                           hy_error *error);
void hy_ir_eval_release(uint32_t count, hy_ir_tensor *tensors);

#ifdef __cplusplus
}
#endif
#endif
