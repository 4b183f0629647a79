/* Graphs as relocatable blobs (halyard/graph.h). */
#ifndef HALYARD_IR_BLOB_H
#define HALYARD_IR_BLOB_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A blob and the constants of its slots. The blob is owned; constant data is lent by the graph it was made from. */
typedef struct hy_ir_blob {
	hy_graph *graph;
	uint32_t constant_count;
	hy_constant *constants;
} hy_ir_blob;

/* Writes the nodes first..first+count-1 of a prepared graph as a blob of their own. Its inputs are the values they
 * read and do not make (constants excluded), in order of first use; its outputs the values they make that are graph
 * outputs or read by other nodes, in order. out_inputs and out_outputs receive those value numbers (allocated; the
 * caller's, free()) and may be NULL. The whole graph keeps the graph's own input and output order.
 * The same nodes give the same bytes. Fails: INVALID when a type is not static, NO_MEMORY. */
hy_status hy_ir_blob_create(const hy_ir_graph *graph, uint32_t first, uint32_t count, hy_ir_blob *out_blob,
                            uint32_t **out_inputs, uint32_t *out_input_count, uint32_t **out_outputs,
                            uint32_t *out_output_count, hy_error *error);
void hy_ir_blob_finish(hy_ir_blob *blob);

/* Every offset, count and string in range: after it hy_graph_* accessors are safe. For blobs from outside. */
hy_status hy_ir_blob_check(const void *bytes, size_t length, hy_error *error);

/* Reads a blob back; constants: blob->constant_count entries, or NULL (then slots have types and no data).
 * Data is lent: blob and constants must outlive the graph. For plugins. */
hy_status hy_ir_blob_read(const hy_graph *blob, const hy_constant *constants, hy_ir_graph **out_graph, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
