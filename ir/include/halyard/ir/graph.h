/* Reading a graph.
 *
 * A graph is a list of values and a list of nodes. Values and nodes are numbered from 0; a number stays valid until
 * a pass changes the graph. Nodes stand in an order in which every value is made before it is used. A value is a
 * graph input, a constant (it has data) or the output of one node.
 *
 * Everything returned by pointer is lent: valid until the graph is changed or destroyed.
 * Threads: a graph may be read by any number of threads as long as none changes it. */
#ifndef HALYARD_IR_GRAPH_H
#define HALYARD_IR_GRAPH_H

#include <halyard/dtype.h>
#include <halyard/graph.h>
#include <halyard/ir/op.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HY_IR_NONE UINT32_MAX
#define HY_IR_RANK_UNKNOWN UINT32_MAX
#define HY_IR_DIM_UNKNOWN (-1)

typedef struct hy_ir_graph hy_ir_graph;

/* Element type and shape. dtype may be HY_DTYPE_NONE, rank HY_IR_RANK_UNKNOWN and a dim HY_IR_DIM_UNKNOWN until
 * inference has found them. Unused dims are 0. */
typedef struct hy_ir_type {
	hy_dtype dtype;
	uint32_t rank;
	int64_t dim[HY_MAX_RANK];
} hy_ir_type;

/* A dense row-major tensor. Who owns data is said where it is used. */
typedef struct hy_ir_tensor {
	hy_ir_type type;
	void *data;
} hy_ir_tensor;

typedef struct hy_ir_value {
	const char *name; /* unique in the graph, never NULL */
	hy_ir_type type;
	uint32_t producer; /* node number, or HY_IR_NONE for graph inputs and constants */
	const void *data; /* constants: dense, row-major, little-endian, aligned to the element; else NULL */
	uint64_t length_bytes; /* of data; data NULL and length not 0: a constant of a blob read without its constants */
	const char *dim_names[HY_MAX_RANK]; /* symbolic dimensions of graph inputs ("N"), else NULL */
} hy_ir_value;

typedef struct hy_ir_attr {
	const char *name;
	uint32_t kind; /* HY_ATTR_* of graph.h */
	uint32_t count; /* elements of the array kinds, bytes of a STRING */
	int64_t i;
	float f;
	const char *s; /* STRING: NUL-terminated */
	const int64_t *ints;
	const float *floats;
	const char *const *strings;
	hy_ir_tensor tensor; /* TENSOR; data lent by the graph */
} hy_ir_attr;

typedef struct hy_ir_node {
	const hy_ir_op *op; /* NULL for an operator the IR does not know */
	const char *domain, *type; /* "" is ai.onnx */
	uint32_t version; /* the opset version of domain that the node is written in */
	const char *name; /* may be "" */
	uint32_t input_count, output_count, attr_count;
	const uint32_t *inputs; /* value numbers; HY_IR_NONE for an absent optional input */
	const uint32_t *outputs; /* value numbers; HY_IR_NONE for an output nobody wants */
	const hy_ir_attr *attrs;
	const hy_ir_graph *body; /* of a Region, else NULL; its inputs and outputs match this node's one by one */
} hy_ir_node;

const char *hy_ir_graph_name(const hy_ir_graph *graph);
uint32_t hy_ir_graph_value_count(const hy_ir_graph *graph);
uint32_t hy_ir_graph_node_count(const hy_ir_graph *graph);
const hy_ir_value *hy_ir_graph_value(const hy_ir_graph *graph, uint32_t value);
const hy_ir_node *hy_ir_graph_node(const hy_ir_graph *graph, uint32_t node);

/* Graph inputs (constants are never among them) and outputs, as value numbers. */
uint32_t hy_ir_graph_input_count(const hy_ir_graph *graph);
uint32_t hy_ir_graph_output_count(const hy_ir_graph *graph);
const uint32_t *hy_ir_graph_inputs(const hy_ir_graph *graph);
const uint32_t *hy_ir_graph_outputs(const hy_ir_graph *graph);

/* The value of that name, or HY_IR_NONE. */
uint32_t hy_ir_graph_find(const hy_ir_graph *graph, const char *name);

/* The attribute of that name, or NULL. */
const hy_ir_attr *hy_ir_node_attr(const hy_ir_node *node, const char *name);
int64_t hy_ir_node_attr_int(const hy_ir_node *node, const char *name, int64_t fallback);
float hy_ir_node_attr_float(const hy_ir_node *node, const char *name, float fallback);
const char *hy_ir_node_attr_string(const hy_ir_node *node, const char *name, const char *fallback);

/* rank known and no unknown dim. */
bool hy_ir_type_is_static(const hy_ir_type *type);
bool hy_ir_type_equal(const hy_ir_type *a, const hy_ir_type *b);
/* Product of the dims; 1 for a scalar. The type is static. */
int64_t hy_ir_type_elements(const hy_ir_type *type);
uint64_t hy_ir_type_bytes(const hy_ir_type *type);
/* "f32[1,3,224,224]"; cut at length. Returns text. */
const char *hy_ir_type_print(const hy_ir_type *type, char *text, size_t length);

/* A deep copy, but that constants which lie in a mapped file are shared with it (the mapping is counted). */
hy_status hy_ir_graph_clone(const hy_ir_graph *graph, hy_ir_graph **out_graph, hy_error *error);
void hy_ir_graph_destroy(hy_ir_graph *graph); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
