/* The kernel generator that GPU-like plugins share: a graph becomes kernel source and a list of launches.
 *
 * The source is written in a dialect that one prelude turns into OpenCL C. A plugin compiles it, uploads the packed
 * constants, and for each EXEC starts the launches in order on an in-order queue. */
#ifndef HALYARD_KERNELS_H
#define HALYARD_KERNELS_H

#include <halyard/ir/graph.h>
#include <halyard/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How kernels are cut. */
typedef enum hy_kernels_shape {
	HY_KERNELS_CPU, /* a work-item makes a block of the output in 16-wide registers; channel-blocked layout inside */
	HY_KERNELS_GPU, /* a work-item makes one element; ONNX layout inside */
} hy_kernels_shape;

enum {
	HY_KERNELS_FP64 = 1u << 0, /* the device computes with doubles */
};

typedef struct hy_kernels_options {
	hy_kernels_shape shape;
	uint32_t flags;
	uint32_t local_size; /* work-items of a work-group of one-element kernels */
} hy_kernels_options;

/* An argument of a kernel. A pointer is passed as two arguments: the buffer and an offset in bytes (uint64). */
typedef enum hy_kernels_arg_kind {
	HY_KERNELS_BINDING, /* index: graph inputs, then graph outputs */
	HY_KERNELS_ARENA,
	HY_KERNELS_CONSTANT, /* index: in constants */
	HY_KERNELS_INT, /* int32 in value */
} hy_kernels_arg_kind;

typedef struct hy_kernels_arg {
	hy_kernels_arg_kind kind;
	uint32_t index;
	int32_t value;
	uint64_t offset;
} hy_kernels_arg;

typedef struct hy_kernels_launch {
	uint32_t kernel; /* in kernel_names */
	uint32_t node; /* row of subgraph 0's nodes that it begins, or HY_GRAPH_NONE for a change of layout */
	uint64_t global[3]; /* multiples of local */
	uint32_t local[3];
	uint32_t first_arg, arg_count; /* in args */
} hy_kernels_launch;

typedef struct hy_kernels_constant {
	void *data; /* aligned to 64 bytes */
	uint64_t length;
} hy_kernels_constant;

typedef struct hy_kernels_program {
	char *source;
	size_t source_length;
	uint32_t kernel_count, launch_count, arg_count, constant_count;
	char (*kernel_names)[40]; /* what it does, then a number */
	hy_kernels_launch *launches;
	hy_kernels_arg *args;
	hy_kernels_constant *constants;
	uint64_t arena_bytes;
} hy_kernels_program;

/* Fails: UNSUPPORTED with the node and the reason, INVALID for a broken graph, NO_MEMORY. Threads: any. */
hy_status hy_kernels_lower(const hy_ir_graph *graph, const hy_kernels_options *options,
                           hy_kernels_program **out_program, hy_error *error);
void hy_kernels_program_destroy(hy_kernels_program *program);
/* Frees the packed constants once they are on the device. */
void hy_kernels_program_drop_constants(hy_kernels_program *program);

/* Whether hy_kernels_lower would accept this node of the graph; the text of a refusal goes to error. Constants may be
 * without data. Threads: any. */
hy_verdict hy_kernels_query(const hy_ir_graph *graph, uint32_t node, const hy_kernels_options *options,
                            hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
