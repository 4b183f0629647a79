/* The frame of a pass that walks the nodes once and keeps, changes or replaces each.
 *
 * The walk decides the new node list: what is kept or made goes to its end, what is neither is killed at the finish.
 * The first failure sticks: every later call does nothing, and hy_ir__rewrite_finish returns it. */
#ifndef HY_IR_PRIVATE_PASS_REWRITE_H
#define HY_IR_PRIVATE_PASS_REWRITE_H

#include "graph.h"

typedef struct hy_ir__rewrite {
	hy_ir_graph *graph;
	hy_error *error;
	hy_status status;
	bool changed;
	uint32_t *order; /* the new node list so far */
	uint32_t order_count, order_room;
} hy_ir__rewrite;

void hy_ir__rewrite_init(hy_ir__rewrite *rewrite, hy_ir_graph *graph, hy_error *error);
/* Sets the node list, changed, and gives everything back. Does not compact. */
hy_status hy_ir__rewrite_finish(hy_ir__rewrite *rewrite, bool *out_changed);

/* Takes a failure in; `false` when the rewrite has failed. */
bool hy_ir__rewrite_check(hy_ir__rewrite *rewrite, hy_status status);
/* Formats the failure: "node 'name' (Type): ..." */
void hy_ir__rewrite_fail(hy_ir__rewrite *rewrite, hy_status status, const hy_ir_node *node, const char *why);

/* Puts an existing node at the end of the new list. */
void hy_ir__rewrite_keep(hy_ir__rewrite *rewrite, uint32_t node);

/* What a new node computes: operator, inputs, attributes; a literal at the place of use. */
typedef struct hy_ir__op {
	const char *type, *name;
	uint32_t input_count;
	uint32_t inputs[5];
	uint32_t attr_count;
	hy_ir_attr attrs[6];
} hy_ir__op;

/* Appends a node with one new output value named after it, whose type is inferred. HY_IR_NONE after a failure. */
uint32_t hy_ir__rewrite_op(hy_ir__rewrite *rewrite, const hy_ir__op *op);
/* The same with an output value that lost its producer. */
void hy_ir__rewrite_op_into(hy_ir__rewrite *rewrite, const hy_ir__op *op, uint32_t output);

/* New constants. HY_IR_NONE after a failure. */
uint32_t hy_ir__rewrite_ints(hy_ir__rewrite *rewrite, const char *name, uint32_t count, const int64_t *values);
uint32_t hy_ir__rewrite_scalar(hy_ir__rewrite *rewrite, const char *name, hy_dtype dtype, double value);

/* Infers the outputs of a node of canonical opset from what is known of its inputs, and stores what is new. */
void hy_ir__rewrite_infer(hy_ir__rewrite *rewrite, uint32_t node);

/* The type and, of a constant, the data of a node's input; dtype NONE and data NULL where it is absent. */
hy_ir_tensor hy_ir__input_tensor(const hy_ir_graph *graph, const hy_ir_node *node, uint32_t input);
/* The number at `index` of a constant of any real type. */
double hy_ir__tensor_number(const hy_ir_tensor *tensor, int64_t index);
/* Integers take the nearest number that they can hold. */
void hy_ir__tensor_set_number(const hy_ir_tensor *tensor, int64_t index, double value);

#endif
