#include "test.h"

#include <halyard/ir/build.h>
#include <halyard/ir/pass.h>

#include "graph.h"

#include <stdio.h>

static hy_error error;

static const hy_ir_type vector4 = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {4}};
static const float four[4] = {1, 2, 3, 4};

/* y = Add(Relu(x), w); values x, w, a, y are 0, 1, 2, 3. */
static hy_ir_graph *small_graph(void)
{
	hy_ir_graph *graph;
	uint32_t x, w, a, y;
	EXPECT_OK(hy_ir_graph_create("small", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &vector4, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_constant(graph, "w", &vector4, four, &w, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Relu", "a", 1, &x, 0, NULL, &a, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Add", "y", 2, (uint32_t[]){a, w}, 0, NULL, &y, &error));
	EXPECT_OK(hy_ir_build_output(graph, y, &error));
	return graph;
}

static void expect_fault(hy_ir_graph *graph, const char *text)
{
	error.text[0] = '\0';
	EXPECT_STATUS(HY_INVALID, hy_ir_verify(graph, &error));
	assert_string_equal(error.text, text);
	hy_ir_graph_destroy(graph);
}

static void a_sound_graph_passes(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	EXPECT_OK(hy_ir_verify(graph, &error));
	hy_ir_graph_destroy(graph);
}

static void a_use_before_the_maker_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	EXPECT_OK(hy_ir__graph_order(graph, 2, (uint32_t[]){1, 0}, &error));
	expect_fault(graph, "node 'y' (Add): input 'a' is made by nothing before it");
}

static void a_node_that_reads_its_own_output_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	EXPECT_OK(hy_ir__graph_set_inputs(graph, 0, 1, (uint32_t[]){2}, &error));
	expect_fault(graph, "node 'a' (Relu): input 'a' is made by nothing before it");
}

static void a_killed_node_left_over_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	uint32_t unused;
	EXPECT_OK(hy_ir_build_op(graph, "Abs", "unused", 1, (uint32_t[]){0}, 0, NULL, &unused, &error));
	hy_ir__graph_kill(graph, 2);
	expect_fault(graph, "node 'unused' (Abs) was killed, but not removed");
}

static void an_output_that_nothing_makes_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	EXPECT_OK(hy_ir__graph_order(graph, 1, (uint32_t[]){0}, &error));
	expect_fault(graph, "graph output 'y' is made by nothing");
}

static void a_constant_of_another_length_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	graph->values[1].value.length_bytes = 12;
	expect_fault(graph, "constant 'w' has 12 bytes, its type needs 16");
}

static void two_values_of_one_name_are_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	graph->values[2].value.name = "x";
	expect_fault(graph, "value 'x' is not the one of that name");
}

static void a_wrong_producer_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	graph->values[2].value.producer = 1;
	expect_fault(graph, "value 'a' is an output of node 'y' (Add) 0 times");
}

static void a_number_out_of_range_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	EXPECT_OK(hy_ir__graph_set_inputs(graph, 0, 1, (uint32_t[]){99}, &error));
	expect_fault(graph, "node 'a' (Relu): input 0 is no value");
}

static void too_many_inputs_are_found_in_the_canonical_opset_only(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	EXPECT_OK(hy_ir__graph_set_inputs(graph, 0, 2, (uint32_t[]){0, 1}, &error));
	hy_ir__graph_set_version(graph, 0, 6);
	EXPECT_OK(hy_ir_verify(graph, &error));
	hy_ir__graph_set_version(graph, 0, HY_IR_OPSET);
	expect_fault(graph, "node 'a' (Relu) has 2 inputs");
}

static void an_absent_required_input_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = small_graph();
	EXPECT_OK(hy_ir__graph_set_inputs(graph, 1, 2, (uint32_t[]){HY_IR_NONE, 1}, &error));
	expect_fault(graph, "node 'y' (Add): input 0 is absent");
}

static hy_ir_graph *region_graph(const hy_ir_type *inner)
{
	hy_ir_graph *graph, *body;
	uint32_t x, y, in, out;
	EXPECT_OK(hy_ir_graph_create("body", &body, &error));
	EXPECT_OK(hy_ir_build_input(body, "in", inner, NULL, &in, &error));
	EXPECT_OK(hy_ir_build_op(body, "Relu", "out", 1, &in, 0, NULL, &out, &error));
	EXPECT_OK(hy_ir_build_output(body, out, &error));
	EXPECT_OK(hy_ir_graph_create("regions", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &vector4, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_value(graph, "y", &vector4, &y, &error));
	const hy_ir_node_options options = {.domain = HY_IR_DOMAIN,
	                                    .type = HY_IR_REGION,
	                                    .name = "r",
	                                    .input_count = 1,
	                                    .output_count = 1,
	                                    .inputs = &x,
	                                    .outputs = &y,
	                                    .take_body = body};
	EXPECT_OK(hy_ir_build_node(graph, &options, NULL, &error));
	EXPECT_OK(hy_ir_build_output(graph, y, &error));
	return graph;
}

static void a_region_whose_body_has_another_type_is_found(void **state)
{
	(void)state;
	const hy_ir_type vector5 = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {5}};
	hy_ir_graph *graph = region_graph(&vector4);
	EXPECT_OK(hy_ir_verify(graph, &error));
	hy_ir_graph_destroy(graph);
	expect_fault(region_graph(&vector5), "region 'r': input 'x' has another type inside than outside");
}

static void a_fault_inside_a_region_is_found(void **state)
{
	(void)state;
	hy_ir_graph *graph = region_graph(&vector4);
	graph->nodes[0].body->values[1].value.producer = 7;
	expect_fault(graph, "value 'out' is made by node 7, which does not exist");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_sound_graph_passes),
		CASE(a_use_before_the_maker_is_found),
		CASE(a_node_that_reads_its_own_output_is_found),
		CASE(a_killed_node_left_over_is_found),
		CASE(an_output_that_nothing_makes_is_found),
		CASE(a_constant_of_another_length_is_found),
		CASE(two_values_of_one_name_are_found),
		CASE(a_wrong_producer_is_found),
		CASE(a_number_out_of_range_is_found),
		CASE(too_many_inputs_are_found_in_the_canonical_opset_only),
		CASE(an_absent_required_input_is_found),
		CASE(a_region_whose_body_has_another_type_is_found),
		CASE(a_fault_inside_a_region_is_found),
	};
	return cmocka_run_group_tests_name("ir.verify", cases, NULL, NULL);
}
