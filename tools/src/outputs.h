/* The outputs of all requests of a run, one behind the other. */
#ifndef TOOL_OUTPUTS_H
#define TOOL_OUTPUTS_H

#include "exit.h"
#include "options.h"

#include <halyard/ir.h>

typedef struct tool_outputs {
	uint32_t count; /* the graph's */
	hy_ir_tensor *arrays; /* of `requests` requests: the first dimension that many times */
	uint64_t requests;
} tool_outputs;

tool_exit tool_outputs_create(const hy_ir_graph *graph, uint64_t requests, tool_outputs *out_outputs);
void tool_outputs_destroy(tool_outputs *outputs);

/* The tensors of one request, count of them, lent by outputs. */
void tool_outputs_of_request(const tool_outputs *outputs, const hy_ir_graph *graph, uint64_t request,
                             hy_ir_tensor *out_tensors);

/* DIR/NAME.npy for output i, characters that a file name can't hold written as _; cut at length. Returns text. */
const char *tool_outputs_file(const hy_ir_graph *graph, uint32_t i, const char *folder, char *text, size_t length);
/* Writes every output there; makes the folder when it isn't there. */
tool_exit tool_outputs_write(const tool_outputs *outputs, const hy_ir_graph *graph, const char *folder);

/* How many rows of output 0 have their largest number where the file of labels (one number a line) says. */
tool_exit tool_outputs_count_right(const tool_outputs *outputs, const char *labels, uint64_t *out_right,
                                   uint64_t *out_total);

#endif
