/* A stream of requests through a session, every answer compared with the reference of its input. */
#ifndef HY_BENCH_LOAD_H
#define HY_BENCH_LOAD_H

#include <halyard/halyard.h>

enum { LOAD_INPUTS = 3 };

/* A model with some inputs and what the evaluator says to each. */
typedef struct load_model {
	hy_ir_graph *graph;
	uint32_t input_count, output_count;
	hy_ir_tensor *inputs[LOAD_INPUTS], *wanted[LOAD_INPUTS];
} load_model;

/* Reads an ONNX file (symbolic dimensions become 1). Fails: INVALID when the answers to the inputs are too alike to be
 * told apart. */
hy_status load_model_open(const char *path, load_model *out_model, hy_error *error);
void load_model_close(load_model *model);

typedef struct load_result {
	uint64_t asked, right, wrong, failed; /* asked = right + wrong + failed, or something was lost */
	double seconds; /* first submission to last answer */
	hy_error error; /* of the first that failed */
} load_result;

/* As many requests at a time as the session takes, for `seconds`. */
hy_status load_run(const load_model *model, hy_sched_session *session, double seconds, load_result *out_result,
                   hy_error *error);

/* Answers so far of the running load_run of this process; of one alone. Threads: any. */
uint64_t load_answers(void);

#endif
