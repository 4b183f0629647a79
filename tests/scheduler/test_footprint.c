/* Memory of a run of nodes, counted by hand. */
#include "test.h"

#include "footprint.h"

static hy_error error;

/* x[100] -> Relu -> a -> Add(a, w) -> b -> Relu -> c; all f32[100], w constant. */
static hy_ir_graph *chain(void)
{
	hy_ir_graph *graph;
	const hy_ir_type type = {HY_DTYPE_F32, 1, {100}};
	const float weights[100] = {0};
	uint32_t x, w, values[2], out;
	EXPECT_OK(hy_ir_graph_create("chain", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_constant(graph, "w", &type, weights, &w, &error));
	const char *const names[] = {"a", "b", "c"};
	uint32_t last = x;
	for (int i = 0; i < 3; i++) {
		EXPECT_OK(hy_ir_build_value(graph, names[i], &type, &out, &error));
		values[0] = last;
		values[1] = w;
		const hy_ir_node_options node = {.type = i == 1 ? "Add" : "Relu",
		                                 .input_count = i == 1 ? 2 : 1,
		                                 .inputs = values,
		                                 .output_count = 1,
		                                 .outputs = &out};
		uint32_t number;
		EXPECT_OK(hy_ir_build_node(graph, &node, &number, &error));
		last = out;
	}
	EXPECT_OK(hy_ir_build_output(graph, last, &error));
	return graph;
}

static void the_whole_counts_constants_once_and_what_lives_together(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	hy_sched__footprint footprint;
	EXPECT_OK(hy_sched__footprint_of(graph, 0, 3, &footprint, &error));
	assert_int_equal(footprint.constant_bytes, 400);
	assert_int_equal(footprint.input_bytes, 400);
	assert_int_equal(footprint.output_bytes, 400);
	assert_int_equal(footprint.activation_bytes, 3 * 400); /* x stays; two of a, b, c at a time */
	hy_ir_graph_destroy(graph);
}

static void a_part_has_only_its_own(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	hy_sched__footprint footprint;
	EXPECT_OK(hy_sched__footprint_of(graph, 2, 1, &footprint, &error));
	assert_int_equal(footprint.constant_bytes, 0);
	assert_int_equal(footprint.activation_bytes, 2 * 400);
	EXPECT_OK(hy_sched__footprint_of(graph, 0, 0, &footprint, &error));
	assert_int_equal(footprint.activation_bytes, 0);
	hy_ir_graph_destroy(graph);
}

static void staged_borders_count_once_per_request_in_flight(void **state)
{
	(void)state;
	const hy_sched__footprint footprint = {1000, 300, 100, 50};
	assert_int_equal(hy_sched__footprint_need(&footprint, false, 2), 1300);
	assert_int_equal(hy_sched__footprint_need(&footprint, true, 2), 1600);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_whole_counts_constants_once_and_what_lives_together),
		CASE(a_part_has_only_its_own),
		CASE(staged_borders_count_once_per_request_in_flight),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
