/* Debian's ONNX test data through the passes and the evaluator: every model whose operators the IR knows. */
#include "test.h"

#include "cases.h"

#include <halyard/ir/eval.h>
#include <halyard/ir/pass.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static onnx_cases cases;

enum { MAX_REASONS = 512 };

/* What became of the cases, and why. */
typedef struct results {
	uint32_t eligible, passed, failed, reason_count;
	struct {
		char text[160];
		uint32_t count;
	} reasons[MAX_REASONS];
} results;

static void add_reason(results *tally, const char *text)
{
	uint32_t i = 0;
	while (i < tally->reason_count &&
	       strncmp(tally->reasons[i].text, text, sizeof(tally->reasons[i].text) - 1) != 0)
		i++;
	if (i == MAX_REASONS) return;
	if (i == tally->reason_count) {
		snprintf(tally->reasons[i].text, sizeof(tally->reasons[i].text), "%.159s", text);
		tally->reason_count++;
	}
	tally->reasons[i].count++;
}

static hy_status compute(const onnx_case *item, const onnx_data *data, uint32_t flags, hy_error *error)
{
	hy_ir_graph *graph = NULL;
	hy_ir_tensor *inputs = calloc(data->input_count + 1u, sizeof(inputs[0]));
	hy_ir_tensor *outputs = calloc(data->output_count + 1u, sizeof(outputs[0]));
	hy_status status = onnx_case_prepare(item, data, flags, &graph, error);
	if (status == HY_OK) status = onnx_data_inputs(data, graph, inputs, error);
	if (status == HY_OK) status = hy_ir_eval_graph(graph, inputs, outputs, error);
	if (status == HY_OK) {
		for (uint32_t i = 0; i < data->output_count && status == HY_OK; i++)
			status = onnx_compare(&outputs[i], &data->outputs[i], error);
		hy_ir_eval_release(data->output_count, outputs);
	}
	hy_ir_graph_destroy(graph);
	free(inputs);
	free(outputs);
	return status;
}

static hy_status compute_all_sets(const onnx_case *item, const hy_ir_graph *graph, uint32_t flags, hy_error *error)
{
	hy_status status = HY_OK;
	for (uint32_t set = 0; set < item->set_count && status == HY_OK; set++) {
		onnx_data data;
		status = onnx_data_load(item, set, graph, &data, error);
		if (status != HY_OK) return status;
		status = compute(item, &data, flags, error);
		onnx_data_release(&data);
	}
	return status;
}

static void run_all(results *tally, uint32_t flags)
{
	for (uint32_t i = 0; i < cases.count; i++) {
		hy_ir_graph *graph;
		hy_error error = {.status = HY_OK};
		const hy_status loaded = onnx_case_load(&cases.items[i], &graph, &error);
		if (loaded != HY_OK) {
			add_reason(tally, loaded == HY_UNSUPPORTED ? error.text : "the reader failed");
			if (loaded != HY_UNSUPPORTED) {
				tally->failed++;
				print_message("%s: %s\n", cases.items[i].name, error.text);
			}
			continue;
		}
		tally->eligible++;
		const hy_status status = compute_all_sets(&cases.items[i], graph, flags, &error);
		hy_ir_graph_destroy(graph);
		if (status == HY_OK) {
			tally->passed++;
			continue;
		}
		tally->failed++;
		print_message("%s: %s: %s\n", cases.items[i].name, hy_status_name(status), error.text);
	}
}

static void expect_all_pass(const char *what, uint32_t flags)
{
	if (cases.count == 0) skip();
	results tally = {.eligible = 0};
	run_all(&tally, flags);
	uint32_t operators = 0, others = 0;
	for (uint32_t i = 0; i < tally.reason_count; i++) {
		if (strncmp(tally.reasons[i].text, "operator ", 9) == 0)
			operators += tally.reasons[i].count;
		else
			others += tally.reasons[i].count;
	}
	print_message("%s: %u models; %u eligible: %u passed, %u failed; not eligible: %u for an operator outside "
	              "ops.def, %u for another reason\n",
	              what, cases.count, tally.eligible, tally.passed, tally.failed, operators, others);
	for (uint32_t i = 0; i < tally.reason_count && getenv("HY_TEST_VERBOSE") != NULL; i++)
		print_message("  %4u %s\n", tally.reasons[i].count, tally.reasons[i].text);
	assert_true(tally.eligible > 0);
	assert_int_equal(tally.failed, 0);
}

static void every_eligible_case_passes_unfused(void **state)
{
	(void)state;
	expect_all_pass("unfused", HY_IR_PREPARE_NO_FUSE);
}

static void every_eligible_case_passes_fused(void **state)
{
	(void)state;
	expect_all_pass("fused", 0);
}

static void a_wrong_number_fails_the_comparison(void **state)
{
	(void)state;
	hy_error error;
	float right[2] = {1, 1000}, wrong[2] = {1, 1001.1f}, close[2] = {1.0009f, 999.1f};
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {2}};
	const hy_ir_tensor expected = {type, right}, far_away = {type, wrong}, near = {type, close};
	EXPECT_STATUS(HY_INVALID, onnx_compare(&far_away, &expected, &error));
	EXPECT_STATUS(HY_OK, onnx_compare(&near, &expected, &error));
}

int main(void)
{
	if (onnx_cases_find(ONNX_CASES_ROOT, &cases) != HY_OK) return 1;
	if (cases.count == 0) {
		print_message("skipped: %s is not there (Debian: libonnx-testdata)\n", ONNX_CASES_ROOT);
		return 77;
	}
	const struct CMUnitTest tests[] = {
		CASE(a_wrong_number_fails_the_comparison),
		CASE(every_eligible_case_passes_unfused),
		CASE(every_eligible_case_passes_fused),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	onnx_cases_release(&cases);
	return failed;
}
