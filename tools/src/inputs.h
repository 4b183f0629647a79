/* The inputs of a run: from files, or seeded random numbers. */
#ifndef TOOL_INPUTS_H
#define TOOL_INPUTS_H

#include "exit.h"
#include "options.h"

#include <halyard/ir.h>

typedef struct tool_inputs {
	uint32_t count; /* the graph's */
	hy_ir_tensor *arrays; /* data NULL until read or made */
	const char **files; /* NULL: random */
	uint64_t requests;
} tool_inputs;

/* Reads every --input file for a graph as it was loaded. */
tool_exit tool_inputs_read(const tool_options *options, const hy_ir_graph *graph, tool_inputs *out_inputs);

/* When the graph's dimensions are bound: checks types, fills what has no file with random numbers, counts requests. */
tool_exit tool_inputs_complete(const tool_options *options, const hy_ir_graph *graph, tool_inputs *inputs);

/* The tensors of one request, count of them, lent by inputs. */
void tool_inputs_of_request(const tool_inputs *inputs, const hy_ir_graph *graph, uint64_t request,
                            hy_ir_tensor *out_tensors);

void tool_inputs_destroy(tool_inputs *inputs);

#endif
