#include "test.h"

#include "oracle.h"
#include "outputs.h"

#include <math.h>
#include <string.h>

static hy_error error;

/* A graph whose one input is an output under each of these names. */
static hy_ir_graph *graph_with_outputs(uint32_t count, const char *const *names)
{
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {2}};
	hy_ir_graph *graph = NULL;
	uint32_t input = 0;
	EXPECT_OK(hy_ir_graph_create("g", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &input, &error));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = 0;
		EXPECT_OK(hy_ir_build_op(graph, "Relu", names[i], 1, &input, 0, NULL, &value, &error));
		EXPECT_OK(hy_ir_build_output(graph, value, &error));
	}
	EXPECT_OK(hy_ir_infer_graph(graph, &error));
	return graph;
}

static void a_file_is_named_after_its_output_and_stays_in_its_folder(void **state)
{
	(void)state;
	static const char *const names[] = {"probability", "../../etc/passwd", ".hidden", "a\\b\n", "x:0"};
	static const char *const files[] = {"d/probability.npy", "d/_._.._etc_passwd.npy", "d/_hidden.npy",
	                                    "d/a_b_.npy", "d/x:0.npy"};
	char text[256];
	hy_ir_graph *const graph = graph_with_outputs(5, names);
	for (uint32_t i = 0; i < 5; i++)
		assert_string_equal(tool_outputs_file(graph, i, "d", text, sizeof(text)), files[i]);
	hy_ir_graph_destroy(graph);
}

static void outputs_of_requests_lie_one_behind_the_other(void **state)
{
	(void)state;
	static const char *const names[] = {"y"};
	hy_ir_graph *const graph = graph_with_outputs(1, names);
	tool_outputs outputs = {0};
	hy_ir_tensor request;
	assert_int_equal(tool_outputs_create(graph, 3, &outputs), TOOL_EXIT_OK);
	assert_int_equal(outputs.arrays[0].type.dim[0], 6);
	tool_outputs_of_request(&outputs, graph, 2, &request);
	assert_int_equal(request.type.dim[0], 2);
	assert_ptr_equal(request.data, (float *)outputs.arrays[0].data + 4);
	tool_outputs_destroy(&outputs);
	hy_ir_graph_destroy(graph);
}

static double difference(float a, float b, float c, float d)
{
	float got[] = {a, b}, wanted[] = {c, d};
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {2}};
	const hy_ir_tensor left = {type, got}, right = {type, wanted};
	int64_t element = 0;
	return tool_oracle_difference(&left, &right, &element);
}

static void a_difference_is_a_fraction_of_the_largest_number(void **state)
{
	(void)state;
	assert_true(difference(1, 2, 1, 2) == 0);
	assert_true(difference(1, 2, 1, 4) == 0.5);
	assert_true(difference(0, 0, 0, 0) == 0);
	assert_true(isinf(difference(1, 0, 0, 0)));
}

static void what_is_no_number_must_be_none_in_both(void **state)
{
	(void)state;
	assert_true(difference(NAN, 1, NAN, 1) == 0);
	assert_true(difference(INFINITY, 1, INFINITY, 1) == 0);
	assert_true(isinf(difference(NAN, 1, 1, 1)));
	assert_true(isinf(difference(1, 1, NAN, 1)));
	assert_true(isinf(difference(-INFINITY, 1, INFINITY, 1)));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_file_is_named_after_its_output_and_stays_in_its_folder),
		CASE(outputs_of_requests_lie_one_behind_the_other),
		CASE(a_difference_is_a_fraction_of_the_largest_number),
		CASE(what_is_no_number_must_be_none_in_both),
	};
	return cmocka_run_group_tests_name("tools.outputs", cases, NULL, NULL);
}
