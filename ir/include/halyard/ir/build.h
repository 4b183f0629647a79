/* Writing a graph: readers, passes and programs that make models all go through these calls. */
#ifndef HALYARD_IR_BUILD_H
#define HALYARD_IR_BUILD_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An empty graph; destroy with hy_ir_graph_destroy. */
hy_status hy_ir_graph_create(const char *name, hy_ir_graph **out_graph, hy_error *error);

/* Names are copied; a name that is taken or "" gets a number behind it. type may be NULL: unknown.
 * dim_names: HY_MAX_RANK entries or NULL. Fails: NO_MEMORY, INVALID (rank, dims whose product overflows). */
hy_status hy_ir_build_value(hy_ir_graph *graph, const char *name, const hy_ir_type *type, uint32_t *out_value,
                            hy_error *error);
hy_status hy_ir_build_input(hy_ir_graph *graph, const char *name, const hy_ir_type *type, const char *const *dim_names,
                            uint32_t *out_value, hy_error *error);
/* The data is copied. */
hy_status hy_ir_build_constant(hy_ir_graph *graph, const char *name, const hy_ir_type *type, const void *data,
                               uint32_t *out_value, hy_error *error);
hy_status hy_ir_build_output(hy_ir_graph *graph, uint32_t value, hy_error *error);

/* What a new node says; everything is copied, but body is taken on success. */
typedef struct hy_ir_node_options {
	const char *domain, *type, *name; /* NULL is "" */
	uint32_t version; /* 0: the canonical opset, HY_IR_OPSET */
	uint32_t input_count, output_count, attr_count;
	const uint32_t *inputs;
	const uint32_t *outputs; /* values that have no producer and no data yet */
	const hy_ir_attr *attrs;
	hy_ir_graph *take_body;
} hy_ir_node_options;

/* Appends a node. Its inputs must be graph inputs, constants, or outputs of nodes already there. */
hy_status hy_ir_build_node(hy_ir_graph *graph, const hy_ir_node_options *options, uint32_t *out_node, hy_error *error);

/* The same, for the common case: one new output value named after `name`. */
hy_status hy_ir_build_op(hy_ir_graph *graph, const char *type, const char *name, uint32_t input_count,
                         const uint32_t *inputs, uint32_t attr_count, const hy_ir_attr *attrs, uint32_t *out_value,
                         hy_error *error);

/* Attributes for the calls above; arrays and strings are lent. */
hy_ir_attr hy_ir_attr_int(const char *name, int64_t value);
hy_ir_attr hy_ir_attr_float(const char *name, float value);
hy_ir_attr hy_ir_attr_string(const char *name, const char *value);
hy_ir_attr hy_ir_attr_ints(const char *name, uint32_t count, const int64_t *values);

/* Specialising, before passes run. */

/* Gives the symbolic dimension `name` a value in every graph input; types of other values are forgotten and must be
 * inferred again. NOT_FOUND when no input has it. */
hy_status hy_ir_graph_bind_dim(hy_ir_graph *graph, const char *name, int64_t dim, hy_error *error);
/* Turns a graph input into a constant; the data is copied. */
hy_status hy_ir_graph_bind_input(hy_ir_graph *graph, const char *name, const hy_ir_tensor *tensor, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
