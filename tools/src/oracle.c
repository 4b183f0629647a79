/* The reference evaluator as judge: the model as its file has it, only brought to the canonical opset. */
#include "oracle.h"
#include "array.h"
#include "model.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>

double tool_oracle_difference(const hy_ir_tensor *got, const hy_ir_tensor *wanted, int64_t *out_element)
{
	const int64_t count = hy_ir_type_elements(&wanted->type);
	double largest = 0, difference = 0;
	*out_element = 0;
	for (int64_t i = 0; i < count; i++) {
		const double want = tool_array_number(wanted, i), have = tool_array_number(got, i);
		if (isfinite(want)) largest = fmax(largest, fabs(want));
		if (want == have || (isnan(want) && isnan(have))) continue;
		const double d = isfinite(want) && isfinite(have) ? fabs(want - have) : INFINITY;
		if (d > difference) {
			difference = d;
			*out_element = i;
		}
	}
	if (difference == 0) return 0;
	return largest > 0 ? difference / largest : INFINITY;
}

/* The model again, with the dimensions of the prepared graph. */
static tool_exit load_reference(const tool_options *options, const hy_ir_graph *graph, const tool_inputs *inputs,
                                hy_ir_graph **out_reference)
{
	hy_ir_graph *reference = NULL;
	hy_error error = {0};
	bool changed = false;
	tool_options quiet = *options;
	quiet.quiet = true;
	hy_ir_tensor *const request = calloc(inputs->count + 1, sizeof(*request));
	tool_exit code = request == NULL ? tool_report(TOOL_EXIT_NO, "out of memory")
	                                 : tool_model_load(options->operands[0], &reference);
	if (code == TOOL_EXIT_OK) {
		tool_inputs_of_request(inputs, graph, 0, request);
		quiet.each = false;
		code = tool_model_bind(&quiet, reference, request);
	}
	if (code == TOOL_EXIT_OK && hy_ir_pass_upgrade(reference, &changed, &error) != HY_OK)
		code = tool_report(TOOL_EXIT_MODEL, "--check: %s", error.text);
	free(request);
	if (code == TOOL_EXIT_OK)
		*out_reference = reference;
	else
		hy_ir_graph_destroy(reference);
	return code;
}

static void judge(const tool_outputs *outputs, const hy_ir_tensor *got, const hy_ir_tensor *wanted,
                  tool_oracle_verdict *verdict)
{
	for (uint32_t i = 0; i < outputs->count; i++) {
		int64_t element = 0;
		const bool alike = hy_ir_type_equal(&got[i].type, &wanted[i].type);
		const double error = alike ? tool_oracle_difference(&got[i], &wanted[i], &element) : INFINITY;
		if (error <= verdict->error) continue;
		verdict->error = error;
		verdict->output = i;
		verdict->element = element;
	}
}

tool_exit tool_oracle_check(const tool_options *options, const hy_ir_graph *graph, const tool_inputs *inputs,
                            const tool_outputs *outputs, tool_oracle_verdict *out_verdict)
{
	hy_ir_graph *reference = NULL;
	tool_oracle_verdict verdict = {0};
	hy_ir_tensor *const tensors = calloc(inputs->count + 2 * (size_t)outputs->count + 1, sizeof(*tensors));
	if (tensors == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	hy_ir_tensor *const got = tensors + inputs->count, *const wanted = got + outputs->count;
	tool_exit code = load_reference(options, graph, inputs, &reference);
	for (uint64_t r = 0; r < outputs->requests && code == TOOL_EXIT_OK; r++) {
		hy_error error = {0};
		tool_progress((void *)(uintptr_t)options, "checking against the reference evaluator",
		              (double)r / (double)outputs->requests);
		tool_inputs_of_request(inputs, graph, r, tensors);
		tool_outputs_of_request(outputs, graph, r, got);
		if (hy_ir_eval_graph(reference, tensors, wanted, &error) != HY_OK) {
			code = tool_report(TOOL_EXIT_MODEL, "--check: %s", error.text);
			break;
		}
		judge(outputs, got, wanted, &verdict);
		hy_ir_eval_release(outputs->count, wanted);
	}
	tool_progress((void *)(uintptr_t)options, "", 1);
	verdict.pass = verdict.error <= options->tolerance;
	if (code == TOOL_EXIT_OK) *out_verdict = verdict;
	hy_ir_graph_destroy(reference);
	free(tensors);
	return code;
}
