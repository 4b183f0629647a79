/* The nine light models, fused, on the evaluator. Minutes. */
#include "test.h"

#include "cases.h"

#include <halyard/ir/eval.h>
#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "light.h"

static void expect_output(const char *name, float fill)
{
	char path[512];
	hy_error error;
	hy_ir_graph *graph = NULL;
	hy_ir_tensor expected, actual;
	light_path(path, sizeof(path), name, "_output_0.pb");
	EXPECT_OK(hy_ir_onnx_load_tensor(path, &expected, &error));
	light_path(path, sizeof(path), name, ".onnx");
	EXPECT_OK(hy_ir_onnx_load(path, &graph, &error));
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	assert_int_equal(hy_ir_graph_input_count(graph), 1);
	assert_int_equal(hy_ir_graph_output_count(graph), 1);
	hy_ir_tensor input = {.type = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[0])->type};
	input.data = malloc(hy_ir_type_bytes(&input.type));
	assert_non_null(input.data);
	for (int64_t i = 0; i < hy_ir_type_elements(&input.type); i++)
		((float *)input.data)[i] = fill;
	const time_t start = time(NULL);
	EXPECT_OK(hy_ir_eval_graph(graph, &input, &actual, &error));
	print_message("%-14s input of %g: %lld s\n", name, fill, (long long)(time(NULL) - start));
	EXPECT_OK(onnx_compare(&actual, &expected, &error));
	hy_ir_eval_release(1, &actual);
	hy_ir_eval_release(1, &expected);
	free(input.data);
	hy_ir_graph_destroy(graph);
}

static void light_models_give_their_output(void **state)
{
	(void)state;
	for (int i = 0; i < LIGHT_COUNT; i++)
		expect_output(light_names[i], 1);
}

int main(void)
{
	if (access(LIGHT_FOLDER, R_OK) != 0) {
		print_message("skipped: %s is not there\n", LIGHT_FOLDER);
		return 77;
	}
	const struct CMUnitTest tests[] = {
		CASE(light_models_give_their_output),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
