/* The inside of a graph, and the calls with which readers and passes change one.
 *
 * How a pass changes a graph: it appends nodes with hy_ir_build_node, points uses elsewhere, kills what it replaced,
 * and ends with one hy_ir__graph_order or hy_ir__graph_compact. Value numbers stay valid until then, killed nodes
 * stay readable until then. Pointers from hy_ir_graph_value and _node do not survive a call that adds or changes. */
#ifndef HY_IR_PRIVATE_GRAPH_H
#define HY_IR_PRIVATE_GRAPH_H

#include <halyard/ir/build.h>
#include <halyard/ir/graph.h>

#include "arena.h"
#include "error.h"
#include "memory.h"

typedef struct hy_ir__value {
	hy_ir_value value;
	hy_ir__memory *memory; /* what data lies in; NULL: no data, or lent from outside */
	bool is_input;
} hy_ir__value;

typedef struct hy_ir__node {
	hy_ir_node node;
	hy_ir_graph *body; /* node.body, owned */
	bool dead;
} hy_ir__node;

struct hy_ir_graph {
	hy_ir__arena arena; /* names, number lists, attributes */
	const char *name;
	hy_ir__value *values;
	hy_ir__node *nodes;
	uint32_t *inputs, *outputs;
	uint32_t value_count, value_room;
	uint32_t node_count, node_room;
	uint32_t input_count, input_room;
	uint32_t output_count, output_room;
	uint32_t *names; /* open addressing by value name: value number + 1, 0 is free */
	uint32_t name_room; /* a power of two, at most half full */
	uint64_t name_seed;
	hy_ir__memory **held; /* mapped files that attributes lie in */
	uint32_t held_count, held_room;
};

/* An attribute that the IR keeps by name only (a subgraph, a sparse tensor) has the kind ONNX gives it, which is none
 * of HY_ATTR_*. Its node has op NULL. */
bool hy_ir__attr_is_opaque(const hy_ir_attr *attr);
/* Copies into the graph's arena; flags: HY_IR__LEND_TENSORS. */
hy_status hy_ir__graph_copy_attrs(hy_ir_graph *graph, uint32_t count, const hy_ir_attr *attrs, uint32_t flags,
                                  const hy_ir_attr **out_attrs, hy_error *error);
/* Sets node->op from domain, type and attributes. */
void hy_ir__node_find_op(hy_ir_node *node);

/* ---- types ---- */

/* What is wrong with the type ("has a negative dimension"), or NULL. Guards every later product of its dims. */
const char *hy_ir__type_fault(const hy_ir_type *type);
/* False where known parts contradict. */
bool hy_ir__type_fits(const hy_ir_type *declared, const hy_ir_type *actual);

/* ---- growing ---- */

/* Makes room for one more element of `size` bytes; false when memory is exhausted. *items may move. */
bool hy_ir__grow(void *items, uint32_t count, uint32_t *room, size_t size);

/* A value that must have exactly this name; INVALID when it is taken. */
hy_status hy_ir__graph_add_value(hy_ir_graph *graph, const char *name, const hy_ir_type *type, uint32_t *out_value,
                                 hy_error *error);
hy_status hy_ir__graph_add_input(hy_ir_graph *graph, uint32_t value, const char *const *dim_names, hy_error *error);

enum {
	HY_IR__LEND_TENSORS = 1u << 0, /* attribute tensors lie in held or outside memory and are not copied */
};
/* hy_ir_build_node with flags. */
hy_status hy_ir__graph_add_node(hy_ir_graph *graph, const hy_ir_node_options *options, uint32_t flags,
                                uint32_t *out_node, hy_error *error);

/* The mapping lives as long as the graph and its clones; it is retained. */
hy_status hy_ir__graph_hold(hy_ir_graph *graph, hy_ir__memory *memory, hy_error *error);

/* ---- values ---- */

/* The type must have no fault (assert). */
void hy_ir__graph_set_type(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type);

/* Turning a value into a constant: it leaves its producer's outputs or the graph's inputs. The type is static. */

/* block: from malloc, hy_ir_type_bytes long (at least 1); taken on success. */
hy_status hy_ir__graph_set_constant(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type, void *take_block,
                                    hy_error *error);
/* data lies in `memory`, which is retained, or, with memory NULL, is lent and outlives the graph. */
void hy_ir__graph_set_constant_in(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type, const void *data,
                                  hy_ir__memory *memory);
/* The data of `source` in `from` (the same or another graph), without a copy; the type may have another shape. */
void hy_ir__graph_set_constant_as(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type, const hy_ir_graph *from,
                                  uint32_t source);
/* A tensor attribute of a node of this graph: shared when it lies in a mapped file, else copied. */
hy_status hy_ir__graph_set_constant_attr(hy_ir_graph *graph, uint32_t value, const hy_ir_tensor *tensor,
                                         hy_error *error);

/* Uses are node inputs and graph outputs. Node bodies have none. */
void hy_ir__graph_replace_uses(hy_ir_graph *graph, uint32_t from, uint32_t to);
/* Many at once: every use of value v becomes map[v]. */
void hy_ir__graph_map_uses(hy_ir_graph *graph, const uint32_t *map);
/* So that a value that takes over as graph output keeps the output's name. */
void hy_ir__graph_swap_names(hy_ir_graph *graph, uint32_t a, uint32_t b);
/* How often each value is used; out_counts has value_count entries. */
void hy_ir__graph_count_uses(const hy_ir_graph *graph, uint32_t *out_counts);

/* ---- nodes ---- */

/* Also turns known operators into others; op is looked up again. */
hy_status hy_ir__graph_set_op(hy_ir_graph *graph, uint32_t node, const char *domain, const char *type, uint32_t version,
                              hy_error *error);
void hy_ir__graph_set_version(hy_ir_graph *graph, uint32_t node, uint32_t version);
hy_status hy_ir__graph_set_inputs(hy_ir_graph *graph, uint32_t node, uint32_t count, const uint32_t *inputs,
                                  hy_error *error);
/* Values dropped lose their producer; values gained must have none and no data. */
hy_status hy_ir__graph_set_outputs(hy_ir_graph *graph, uint32_t node, uint32_t count, const uint32_t *outputs,
                                   hy_error *error);
/* Copied, names and tensors too; attrs may be the node's own. */
hy_status hy_ir__graph_set_attrs(hy_ir_graph *graph, uint32_t node, uint32_t count, const hy_ir_attr *attrs,
                                 hy_error *error);

/* ---- the lists ---- */

/* Frees the node's outputs for others; it goes away at the next order or compact. */
void hy_ir__graph_kill(hy_ir_graph *graph, uint32_t node);
bool hy_ir__graph_is_dead(const hy_ir_graph *graph, uint32_t node);
/* The node list becomes order[0..count), each node at most once; nodes left out are killed. Node numbers change, value
 * numbers do not. */
hy_status hy_ir__graph_order(hy_ir_graph *graph, uint32_t count, const uint32_t *order, hy_error *error);
/* Removes killed nodes, and values that nobody makes or uses and that are no graph input. All numbers change, order
 * stays. */
hy_status hy_ir__graph_compact(hy_ir_graph *graph, hy_error *error);
/* Sets every producer after the node list has moved. */
void hy_ir__graph_renumber_producers(hy_ir_graph *graph);
hy_status hy_ir__graph_set_graph_outputs(hy_ir_graph *graph, uint32_t count, const uint32_t *values, hy_error *error);

#endif
