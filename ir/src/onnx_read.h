/* What the parts of the ONNX reader share. */
#ifndef HY_IR_ONNX_READ_H
#define HY_IR_ONNX_READ_H

#include "graph.h"
#include "onnx_wire.h"

typedef struct hy_ir__onnx_file {
	const char *location;
	hy_ir__memory *memory;
} hy_ir__onnx_file;

typedef struct hy_ir__onnx_opset {
	const char *domain;
	uint32_t version;
} hy_ir__onnx_opset;

/* One model or tensor file while it is read. */
typedef struct hy_ir__onnx {
	hy_ir__arena scratch; /* texts */
	hy_ir__memory *memory; /* the file; NULL: its bytes are lent by the caller */
	int folder; /* descriptor of the file's folder, below which external data lies; -1: there is none */
	hy_ir__onnx_file *files; /* external data opened so far */
	uint32_t file_count, file_room;
	hy_ir__onnx_opset *opsets;
	uint32_t opset_count, opset_room;
	hy_ir_graph *graph;
	hy_error *error;
} hy_ir__onnx;

/* Maps the file as onnx->memory; on failure the path is in the error already. */
hy_status hy_ir__onnx_open(hy_ir__onnx *onnx, const char *path);
void hy_ir__onnx_finish(hy_ir__onnx *onnx);

/* A name or other text: NUL-terminated, UTF-8, without control characters; INVALID names `what`. */
hy_status hy_ir__onnx_text(hy_ir__onnx *onnx, const hy_ir__wire_field *field, const char *what, const char **out_text);
/* One number; INVALID names `what`. */
hy_status hy_ir__onnx_int(hy_ir__onnx *onnx, const hy_ir__wire_field *field, const char *what, int64_t *out_value);
/* INVALID with the cursor's fault if it has one. */
hy_status hy_ir__onnx_check(hy_ir__onnx *onnx, const hy_ir__wire *wire, const char *what);

/* ---- onnx_tensor.c ---- */

typedef struct hy_ir__onnx_tensor {
	const char *name; /* "" when it has none */
	hy_ir_type type;
	const void *data;
	hy_ir__memory *memory; /* what data lies in, retained for the receiver; NULL: lent */
} hy_ir__onnx_tensor;

/* Strings are checked and counted, but their data is one byte that nobody may read. */
hy_status hy_ir__onnx_tensor_read(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_tensor *out_tensor);

/* ---- onnx_type.c ---- */

/* A ValueInfoProto; what is no tensor has an unknown type. dim_names are texts of the scratch arena or NULL. */
typedef struct hy_ir__onnx_value {
	const char *name;
	hy_ir_type type;
	const char *dim_names[HY_MAX_RANK];
} hy_ir__onnx_value;
hy_status hy_ir__onnx_value_read(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir__onnx_value *out_value);

/* ---- onnx_node.c ---- */

hy_status hy_ir__onnx_node_read(hy_ir__onnx *onnx, hy_ir__wire wire);

/* ---- onnx_external.c ---- */

/* Maps a regular file; `path` is for messages, the descriptor stays open. */
hy_status hy_ir__onnx_map(int descriptor, const char *path, hy_ir__memory **out_memory, hy_error *error);
/* Opens a file below a folder: no "..", no absolute path, no symbolic link, no second name (hard link), regular only.
 * -1 with a text in error. The second form does without openat2, for kernels that lack it. */
int hy_ir__onnx_open_below(int folder, const char *location, hy_error *error);
int hy_ir__onnx_open_below_stepwise(int folder, const char *location, hy_error *error);
/* What a TensorProto says about its external data. */
typedef struct hy_ir__onnx_external {
	const char *location, *offset, *length; /* NULL: not given */
} hy_ir__onnx_external;
/* length_bytes of the file named there; the memory is retained for the receiver. */
hy_status hy_ir__onnx_external_data(hy_ir__onnx *onnx, const hy_ir__onnx_external *external, uint64_t length_bytes,
                                    const void **out_data, hy_ir__memory **out_memory);

#endif
