/* ONNX files in and out. */
#ifndef HALYARD_IR_ONNX_H
#define HALYARD_IR_ONNX_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Maps the file and makes a graph as the file has it: old opsets, no inference. Weights with raw data stay in the
 * mapping, which lives as long as the graph; misaligned or typed ones are copied. External data is opened below the
 * model's own folder only. Limits: nesting 64, rank HY_MAX_RANK, file and external lengths checked before use.
 * Fails: NOT_FOUND, INVALID, UNSUPPORTED (sequence, optional, sparse or string tensors; subgraph attributes),
 * each with file and node or tensor in the text. An unknown operator is no failure here: its node has op NULL. */
hy_status hy_ir_onnx_load(const char *path, hy_ir_graph **out_graph, hy_error *error);
/* The same from memory, which must outlive the graph. name is for messages. External data is refused. */
hy_status hy_ir_onnx_parse(const char *name, const void *bytes, size_t length, hy_ir_graph **out_graph,
                           hy_error *error);

/* One TensorProto file (.pb of the ONNX test data). Data is the caller's: hy_ir_eval_release(1, out_tensor). */
hy_status hy_ir_onnx_load_tensor(const char *path, hy_ir_tensor *out_tensor, hy_error *error);

/* Writes a model (IR version 8, opset HY_IR_OPSET); regions are written un-fused. To a temporary file, then renamed. */
hy_status hy_ir_onnx_save(const hy_ir_graph *graph, const char *path, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
