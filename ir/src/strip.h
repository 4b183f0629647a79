/* What the files that make strips share. */
#ifndef HY_IR_PRIVATE_STRIP_H
#define HY_IR_PRIVATE_STRIP_H

#include <halyard/ir/strip.h>

#include "infer.h"

/* The node with the types and constants of its inputs; *out_inputs is the caller's, free(). */
hy_status hy_ir__strip_call(const hy_ir_graph *graph, uint32_t node, hy_ir_tensor **out_inputs, hy_ir__call *out_call,
                            hy_error *error);

/* hy_ir_strip_reach; but a node that is not local reaches for everything: it is computed whole. */
hy_status hy_ir__strip_reach(const hy_ir_graph *graph, uint32_t node, uint32_t axis, hy_ir_reach *out_reaches,
                             bool *out_local, hy_error *error);

/* The rows of an input that `rows` of the node need; empty when they need padding alone. */
hy_ir_rows hy_ir__strip_apply(const hy_ir_reach *reach, hy_ir_rows rows, int64_t height);
/* The same without cutting at the borders; reach is not whole. */
hy_ir_rows hy_ir__strip_span(const hy_ir_reach *reach, hy_ir_rows rows);

static inline bool hy_ir__strip_is_empty(hy_ir_rows rows)
{
	return rows.end <= rows.first;
}
static inline bool hy_ir__strip_is_equal(hy_ir_rows a, hy_ir_rows b)
{
	return a.first == b.first && a.end == b.end;
}

/* The rows that the node's outputs are wanted with together. */
hy_ir_rows hy_ir__strip_wanted(const hy_ir_node *node, const hy_ir_rows *rows);

#endif
