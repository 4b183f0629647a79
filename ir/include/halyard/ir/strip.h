/* Strips: a run of nodes computed for some rows of its outputs.
 *
 * Rows run along one axis of every value: 2 for the lines of NCHW and the frames of NCDHW, also for the samples of NCL.
 * A node is local when each row of its outputs needs a bounded window of its inputs' rows: convolutions, pools and
 * whatever keeps rows apart. A value without that axis has one row, which everybody needs as it is. */
#ifndef HALYARD_IR_STRIP_H
#define HALYARD_IR_STRIP_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rows first..end-1; none when end <= first. */
typedef struct hy_ir_rows {
	int64_t first, end;
} hy_ir_rows;

/* Rows a..b-1 of a node need rows a * stride - before .. (b - 1) * stride + after - 1 of an input, less what lies
 * outside of it. */
typedef struct hy_ir_reach {
	bool whole; /* all rows, whatever is wanted; the rest says nothing */
	int64_t stride, before, after;
} hy_ir_reach;

/* How many rows a value has along axis. */
int64_t hy_ir_strip_height(const hy_ir_graph *graph, uint32_t value, uint32_t axis);

/* The reach into each input of a node (input_count entries; absent ones are whole). Regions are looked into.
 * Fails: UNSUPPORTED with the reason when the node is not local; INVALID a type is not static. Threads: any. */
hy_status hy_ir_strip_reach(const hy_ir_graph *graph, uint32_t node, uint32_t axis, hy_ir_reach *out_reaches,
                            hy_error *error);

/* Widens rows (one entry per value) by what the nodes first..first+count-1 need: for the rows it holds for their
 * outputs, those of all values inside and of what they read. A node that is not local is needed whole, inputs and outputs.
 * Constants are left alone. Fails: INVALID rows outside of a value; UNSUPPORTED rows that need padding alone. */
hy_status hy_ir_strip_need(const hy_ir_graph *graph, uint32_t first, uint32_t count, uint32_t axis, hy_ir_rows *rows,
                           hy_error *error);

/* Makes more of a graph local: global pools work along the other axes first and then along the rows. Sums are rounded
 * once more. out_origins: for each node of the new list, the node it comes from; room for twice as many. */
hy_status hy_ir_strip_loosen(hy_ir_graph *graph, uint32_t axis, uint32_t *out_origins, bool *out_changed,
                             hy_error *error);

/* Some rows of a value. */
typedef struct hy_ir_piece {
	uint32_t value;
	hy_ir_rows rows;
} hy_ir_piece;

/* The graph that computes the output pieces from the input pieces with nodes first..first+count-1: its inputs and
 * outputs are the pieces, one by one. Pieces of one input value stand in order of their rows, without gaps, and hold at
 * least what hy_ir_strip_need asks for. Padding is explicit: none at a border that lies inside the value. A region keeps
 * its body, unless values inside are needed with different rows: then its nodes stand alone. Constants are lent by
 * graph, which must outlive the strip.
 * Fails: as hy_ir_strip_need; INVALID pieces that lack rows; NO_MEMORY. Threads: any. */
hy_status hy_ir_strip_create(const hy_ir_graph *graph, uint32_t first, uint32_t count, uint32_t axis,
                             uint32_t input_count, const hy_ir_piece *inputs, uint32_t output_count,
                             const hy_ir_piece *outputs, hy_ir_graph **out_graph, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
