/* One operator, or a graph, on the plugin under test. */
#ifndef HY_CONFORM_PRIVATE_PROGRAM_H
#define HY_CONFORM_PRIVATE_PROGRAM_H

#include "compare.h"
#include "target.h"

typedef enum data_kind { INTEGERS, NORMAL, POSITIVE, UNIT, NEAR_ONE, SPECIAL, LARGE, INDEX, TRUTH, DENORMAL } data_kind;

typedef struct program {
	hy_ir_graph *graph;
	hy_ir_blob blob;
	hy_exe *exe;
	hy_exe_info info;
	uint32_t input_count, output_count;
	const tensor *inputs[TENSOR_INPUTS]; /* run-time inputs, lent */
	const tensor *outputs; /* expected, lent */
} program;

/* Fills the run-time inputs from the case's numbers. */
void conform__program_fill(conform_run *run, op_spec *spec, data_kind data);

/* spec as a graph of one node whose outputs have the types of `outputs`; ends the case HARNESS_ERROR on failure. */
bool conform__program_graph(conform_run *run, const op_spec *spec, uint32_t output_count, const tensor *outputs,
                            program *out);
/* Takes a graph that was built elsewhere; inputs and outputs are in the graph's order. */
bool conform__program_take(conform_run *run, hy_ir_graph *take_graph, uint32_t input_count, const tensor *const *inputs,
                           uint32_t output_count, const tensor *outputs, program *out);
/* YES for every node, or false with *out_reason. */
bool conform__program_query(conform_run *run, const program *p, uint32_t *out_reason);
/* Compiles; false ends the case: after a YES there is no excuse (P12). */
bool conform__program_compile(conform_run *run, program *p);
/* Runs on guarded, poisoned memory; outputs: tensor_bytes each, the caller's. Checks that inputs stay as they were. */
bool conform__program_execute(conform_run *run, hy_queue *queue, const program *p, void **outputs);
/* All of it, twice, with comparison; optional: a NO ends the case NOT_SUPPORTED instead of FAIL. */
void conform__program_judge(conform_run *run, program *p, tolerance_id tolerance, bool optional);
void conform__program_finish(conform_run *run, program *p);

#endif
