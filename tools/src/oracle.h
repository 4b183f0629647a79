/* Comparing outputs with the reference evaluator. */
#ifndef TOOL_ORACLE_H
#define TOOL_ORACLE_H

#include "exit.h"
#include "inputs.h"
#include "options.h"
#include "outputs.h"

typedef struct tool_oracle_verdict {
	double error; /* largest |got - wanted| / largest |wanted| over all outputs; infinity where one is no number */
	uint32_t output; /* where it is */
	int64_t element;
	bool pass;
} tool_oracle_verdict;

/* Loads the model again, un-fused and with nothing folded, and evaluates every request. graph is the prepared one:
 * its inputs tell what the symbolic dimensions are. */
tool_exit tool_oracle_check(const tool_options *options, const hy_ir_graph *graph, const tool_inputs *inputs,
                            const tool_outputs *outputs, tool_oracle_verdict *out_verdict);

/* The difference of two tensors of one type in these terms; *out_element is where it is largest. */
double tool_oracle_difference(const hy_ir_tensor *got, const hy_ir_tensor *wanted, int64_t *out_element);

#endif
