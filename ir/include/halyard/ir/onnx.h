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
 * What the IR has no place for still loads: an unknown operator, or a node with a subgraph or a sparse attribute, has
 * op NULL (such attributes keep their name and ONNX's kind, and no value); a sequence, map or optional has an unknown
 * type; a string constant has its type and no strings. hy_ir_prepare refuses them where they are used.
 * Fails: NOT_FOUND, INVALID, UNSUPPORTED (element type, rank, sparse initializers), each with file and node or tensor
 * in the text. */
hy_status hy_ir_onnx_load(const char *path, hy_ir_graph **out_graph, hy_error *error);
/* The same from memory, which must outlive the graph. name is for messages. External data is refused. */
hy_status hy_ir_onnx_parse(const char *name, const void *bytes, size_t length, hy_ir_graph **out_graph,
                           hy_error *error);

/* One TensorProto file (.pb of the ONNX test data). Data is the caller's: hy_ir_eval_release(1, out_tensor). */
hy_status hy_ir_onnx_load_tensor(const char *path, hy_ir_tensor *out_tensor, hy_error *error);

/* Writes a model (the opset its nodes are in: HY_IR_OPSET once prepared, 20 with a Gelu); regions are written un-fused.
 * To a new file beside it, then renamed: whoever reads path sees the old model or the new one. Large weights start at
 * multiples of 64 bytes, so that loading the file copies none of them.
 * Fails: NOT_FOUND or INVALID (the file; nodes of two versions of one domain), UNSUPPORTED (over 2 GiB; what load
 * kept only by name), NO_MEMORY. */
hy_status hy_ir_onnx_save(const hy_ir_graph *graph, const char *path, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
