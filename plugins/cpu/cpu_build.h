/* What compile() works on: the model's values and where they lie, the nodes left to lower, the steps made so far.
 *
 * Values are placed by the step that makes them: a storage, an offset and a stride per dimension. Views, transposes,
 * slices and concatenations are strides; bytes move only where a kernel wants another order. */
#ifndef HY_CPU_BUILD_H
#define HY_CPU_BUILD_H

#include <halyard/ir.h>

#include "cpu.h"
#include "cpu_step.h"

#define HY_CPU_NONE UINT32_MAX

/* Dimensions from the outermost to the innermost. */
typedef struct hy_cpu_order {
	uint8_t dim[HY_MAX_RANK];
} hy_cpu_order;

typedef struct hy_cpu_view {
	hy_ir_type type;
	uint32_t storage; /* HY_CPU_NONE: not placed yet */
	int64_t offset; /* bytes */
	int64_t stride[HY_MAX_RANK]; /* elements */
} hy_cpu_view;

/* A place that is an argument of a primitive. */
typedef struct hy_cpu_packed {
	const hy_cpu_prim *prim; /* of a step; NULL: no such place */
	uint32_t argument, storage;
} hy_cpu_packed;

typedef struct hy_cpu_value {
	hy_cpu_view view;
	hy_cpu_view copies[2]; /* the same in other orders, made for consumers */
	hy_cpu_packed packed; /* the same in a primitive's own places */
	const void *data; /* constants: the model's bytes, lent while compiling; else NULL */
	uint32_t uses; /* inputs of nodes and graph outputs that name it */
	uint32_t binding; /* of a graph output: its storage, or HY_CPU_NONE */
	uint32_t
		unflattened; /* a reshape that would move bytes: the value it reshapes, until someone needs the bytes */
	uint32_t inside; /* the concatenation of channels that it is made in, or HY_CPU_NONE */
	int64_t inside_channel; /* its first channel there */
} hy_cpu_value;

typedef struct hy_cpu_node {
	const hy_ir_node *ir;
	const hy_ir_op *op;
	const uint32_t *inputs; /* values; HY_CPU_NONE for an absent one */
	const uint32_t *outputs;
	uint32_t row; /* of the blob's node table */
	uint32_t region; /* nodes of one region share this number; the others have HY_CPU_NONE */
	bool is_lowered;
} hy_cpu_node;

typedef struct hy_cpu_storage {
	uint32_t base; /* HY_CPU_BASE_* */
	int64_t offset; /* from the base; of the workspace: when planned */
	uint64_t bytes;
	uint32_t first, last; /* steps that touch it; first is HY_CPU_NONE before any does */
	uint32_t readers; /* inputs of nodes not lowered yet that read a value in it; never 0 for what must stay */
} hy_cpu_storage;

typedef struct hy_cpu_build {
	hy_device *device;
	const hy_ir_graph *graph;
	uint32_t value_count, value_room;
	hy_cpu_value *values;
	uint32_t node_count, node_room;
	hy_cpu_node *nodes;
	uint32_t storage_count, storage_room;
	hy_cpu_storage *storages;
	uint32_t step_count, step_room;
	hy_cpu_step **steps;
	uint32_t block_count, block_room;
	void **blocks; /* memory of constants, handed to the exe */
	uint64_t block_bytes;
	uint32_t list_count, list_room;
	uint32_t **lists; /* memory of nodes' inputs and outputs */
	uint32_t row; /* node of the model that is being lowered */
} hy_cpu_build;

/* ---- cpu_query.c ---- */

/* Why the node can't run, with a line in error where the node's own rule says it; or HY_REASON_NONE. */
hy_reason hy_cpu_node_reason(const hy_ir_graph *graph, const hy_ir_node *node, hy_error *error);

/* ---- cpu_build.c ---- */

void hy_cpu_build_finish(hy_cpu_build *build);
hy_status hy_cpu_build_value(hy_cpu_build *build, const hy_ir_type *type, uint32_t *out_value, hy_error *error);
hy_status hy_cpu_build_storage(hy_cpu_build *build, uint32_t base, uint64_t bytes, uint32_t *out_storage,
                               hy_error *error);
/* Uninitialised memory that lives as long as the exe, aligned to HY_CPU_ALIGN, and the storage that names it. */
hy_status hy_cpu_build_block(hy_cpu_build *build, uint64_t bytes, void **out_data, uint32_t *out_storage,
                             hy_error *error);
/* A zeroed step of `size` bytes whose first member is a hy_cpu_step; owned by build. implementation is copied. */
hy_status hy_cpu_build_step(hy_cpu_build *build, size_t size, const char *implementation, void *out_step,
                            hy_error *error);
/* Adds an operand: a place in a storage, a view's first element, or scratch memory for this step alone. */
hy_status hy_cpu_build_operand(hy_cpu_build *build, hy_cpu_step *step, uint32_t storage, int64_t offset,
                               hy_error *error);
hy_status hy_cpu_build_operand_view(hy_cpu_build *build, hy_cpu_step *step, const hy_cpu_view *view, hy_error *error);
hy_status hy_cpu_build_scratch(hy_cpu_build *build, hy_cpu_step *step, uint64_t bytes, hy_error *error);
/* Grows an array to hold one more. */
hy_status hy_cpu_build_grow(void *items, size_t item_bytes, uint32_t count, uint32_t *room, hy_error *error);

/* ---- cpu_view.c: places ---- */

hy_cpu_order hy_cpu_order_plain(void);
/* Channels, dimension 1, innermost. */
hy_cpu_order hy_cpu_order_last(uint32_t rank);
/* The order that view's strides have. */
hy_cpu_order hy_cpu_order_of(const hy_cpu_view *view);
void hy_cpu_view_dense(hy_cpu_view *view, const hy_cpu_order *order);
bool hy_cpu_view_is_dense(const hy_cpu_view *view, const hy_cpu_order *order);
hy_cpu_md hy_cpu_view_md(const hy_cpu_view *view);
/* Fills strides for dims by which the elements of view, in ONNX order, stay where they are; false: impossible. */
bool hy_cpu_view_reshape(const hy_cpu_view *view, const hy_ir_type *type, hy_cpu_view *out_view);

/* Where a value lies now; constants are copied into the exe. */
hy_status hy_cpu_build_view(hy_cpu_build *build, uint32_t value, hy_cpu_view *out_view, hy_error *error);
/* The same, dense in that order; copies where needed. */
hy_status hy_cpu_build_dense(hy_cpu_build *build, uint32_t value, const hy_cpu_order *order, hy_cpu_view *out_view,
                             hy_error *error);
enum { HY_CPU_MAKE_STRIDED = 1u << 0 }; /* the writer takes any strides: the value may lie inside a concatenation */
/* Places a value that the caller's step will write, dense in that order unless flags allow more. */
hy_status hy_cpu_build_make(hy_cpu_build *build, uint32_t value, const hy_cpu_order *order, uint32_t flags,
                            hy_cpu_view *out_view, hy_error *error);
/* Gives a value the place of another one. */
void hy_cpu_build_alias(hy_cpu_build *build, uint32_t value, const hy_cpu_view *view);
/* True when `value`, read `times` times by the nodes being lowered, dies there and its bytes may be overwritten. */
bool hy_cpu_build_dies(const hy_cpu_build *build, uint32_t value, uint32_t times);
/* The graph outputs that their maker could not write in place are copied. */
hy_status hy_cpu_build_outputs(hy_cpu_build *build, hy_error *error);

/* ---- cpu_packed.c: places that have no strides ---- */

/* It lies only where a primitive put it: asking for its view moves it. */
bool hy_cpu_value_is_packed(const hy_cpu_build *build, uint32_t value);
/* Places a value that the caller's primitive will write as its argument. */
hy_status hy_cpu_build_make_packed(hy_cpu_build *build, uint32_t value, const hy_cpu_prim *prim, uint32_t argument,
                                   hy_cpu_view *out_view, hy_error *error);
/* The value as prim wants its argument; moves it there if it isn't. prim must become a step. */
hy_status hy_cpu_build_packed_source(hy_cpu_build *build, uint32_t value, const hy_cpu_prim *prim, uint32_t argument,
                                     hy_cpu_view *out_view, hy_error *error);
/* A step that writes the value's elements to a place; none when they are there. */
hy_status hy_cpu_build_put(hy_cpu_build *build, uint32_t value, const hy_cpu_view *to, hy_error *error);

/* ---- cpu_flat.c, cpu_plan.c, cpu_lower.c ---- */

/* Reads the model's nodes and the bodies of its regions into one list. */
hy_status hy_cpu_build_flatten(hy_cpu_build *build, hy_error *error);
/* Decides which concatenations are made inside larger ones. */
void hy_cpu_build_nest(hy_cpu_build *build);
/* The node's inputs are read: to be called once for each node that a lowering took care of. */
void hy_cpu_build_done(hy_cpu_build *build, uint32_t node);
/* Gives storages their place in the workspace, by the steps that touch them. */
hy_status hy_cpu_build_plan(hy_cpu_build *build, uint64_t *out_workspace_bytes, hy_error *error);
hy_status hy_cpu_build_lower(hy_cpu_build *build, hy_error *error);

/* ---- cpu_copy.c ---- */

/* A step that moves elements from one place to another of the same dims. */
hy_status hy_cpu_build_copy(hy_cpu_build *build, const hy_cpu_view *from, const hy_cpu_view *to, hy_error *error);
/* The same at once, for constants. Bytes per element, dims and strides. */
void hy_cpu_copy(uint32_t element_bytes, uint32_t rank, const int64_t *dims, const void *from,
                 const int64_t *from_strides, void *to, const int64_t *to_strides);

/* ---- lowering of one node, by operator; UNSUPPORTED: nothing was built, use the reference ---- */

typedef hy_status (*hy_cpu_lower)(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_reference(hy_cpu_build *build, uint32_t node, hy_error *error); /* cpu_reference.c */
hy_status hy_cpu_lower_group(hy_cpu_build *build, uint32_t node, hy_error *error); /* cpu_group.c */
hy_status hy_cpu_lower_conv(hy_cpu_build *build, uint32_t node, hy_error *error); /* cpu_lower_conv.c */
hy_status hy_cpu_lower_gemm(hy_cpu_build *build, uint32_t node, hy_error *error); /* cpu_lower_matmul.c */
hy_status hy_cpu_lower_matmul(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_pool(hy_cpu_build *build, uint32_t node, hy_error *error); /* cpu_lower_pool.c */
hy_status hy_cpu_lower_global_pool(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_lrn(hy_cpu_build *build, uint32_t node, hy_error *error); /* cpu_lower_norm.c */
hy_status hy_cpu_lower_softmax(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_layer_norm(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_reshape(hy_cpu_build *build, uint32_t node, hy_error *error); /* cpu_lower_move.c */
hy_status hy_cpu_lower_transpose(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_concat(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_split(hy_cpu_build *build, uint32_t node, hy_error *error);
hy_status hy_cpu_lower_slice(hy_cpu_build *build, uint32_t node, hy_error *error);

/* ---- cpu_prim.c: steps that are one oneDNN primitive ---- */

/* Takes prim on success. views: one per argument, in order. */
hy_status hy_cpu_build_prim(hy_cpu_build *build, hy_cpu_prim *take_prim, const hy_cpu_view *views, uint32_t count,
                            hy_error *error);
/* Packs constant data, lying as plain says, as prim wants its argument; out_view names the result. */
hy_status hy_cpu_build_packed(hy_cpu_build *build, const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain,
                              const void *data, hy_cpu_view *out_view, hy_error *error);
/* Kernel, strides, dilations and pads of a node over spatial dims; kernel may be NULL: the attribute kernel_shape.
 * The end pads are those that make exactly the output. */
hy_status hy_cpu_window_read(const hy_ir_node *ir, const hy_ir_type *in, const hy_ir_type *out, const int64_t *kernel,
                             hy_cpu_window *out_window);

/* ---- cpu_epilogue.c ---- */

/* What follows an anchor in its region and can be done in its kernel. */
typedef struct hy_cpu_epilogue {
	uint32_t output; /* the value that the kernel writes */
	uint32_t post_count;
	hy_cpu_post posts[HY_CPU_MAX_POSTS];
	uint32_t operand_count;
	uint32_t operands[HY_CPU_MAX_POSTS]; /* values read by binary posts, in their order */
	uint32_t summed; /* the value that must already be in the destination, or HY_CPU_NONE */
	uint32_t node_count;
	uint32_t nodes[2 * HY_CPU_MAX_POSTS]; /* done by the kernel */
} hy_cpu_epilogue;

/* The longest chain behind the node's first output that a kernel writing in that order can do; changes nothing. */
void hy_cpu_epilogue_find(const hy_cpu_build *build, uint32_t node, const hy_cpu_order *order,
                          hy_cpu_epilogue *out_epilogue);
/* No chain: the kernel writes the node's own output. */
void hy_cpu_epilogue_none(const hy_cpu_build *build, uint32_t node, hy_cpu_epilogue *out_epilogue);
/* Places the output (over the summed value when there is one) and finds the operands, in the order of the posts. */
hy_status hy_cpu_epilogue_place(hy_cpu_build *build, const hy_cpu_epilogue *epilogue, const hy_cpu_order *order,
                                hy_cpu_view *out_output, hy_cpu_view *out_operands, hy_error *error);
/* The nodes of the chain are lowered. */
void hy_cpu_epilogue_done(hy_cpu_build *build, const hy_cpu_epilogue *epilogue);

#endif
