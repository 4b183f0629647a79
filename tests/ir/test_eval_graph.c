#include "one_node.h"

#include <halyard/ir/text.h>

static const hy_ir_type pair = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {2}};
static const hy_ir_type any_length = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {-1}};

/* y = -(x + x), and z = x; the body of a region of the same when `body` is given. */
static hy_ir_graph *doubled(hy_ir_graph *body, const hy_ir_type *type)
{
	hy_ir_graph *graph;
	uint32_t x, sum, y, node;
	EXPECT_OK(hy_ir_graph_create("g", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", type, NULL, &x, &error));
	if (body == NULL) {
		EXPECT_OK(hy_ir_build_op(graph, "Add", "sum", 2, (uint32_t[]){x, x}, 0, NULL, &sum, &error));
		EXPECT_OK(hy_ir_build_op(graph, "Neg", "y", 1, &sum, 0, NULL, &y, &error));
		EXPECT_OK(hy_ir_build_output(graph, y, &error));
		EXPECT_OK(hy_ir_build_output(graph, x, &error));
		return graph;
	}
	uint32_t outputs[2];
	EXPECT_OK(hy_ir_build_value(graph, "y", NULL, &outputs[0], &error));
	EXPECT_OK(hy_ir_build_value(graph, "z", NULL, &outputs[1], &error));
	const hy_ir_node_options region = {.domain = HY_IR_DOMAIN,
	                                   .type = HY_IR_REGION,
	                                   .input_count = 1,
	                                   .inputs = &x,
	                                   .output_count = 2,
	                                   .outputs = outputs,
	                                   .take_body = body};
	EXPECT_OK(hy_ir_build_node(graph, &region, &node, &error));
	EXPECT_OK(hy_ir_build_output(graph, outputs[0], &error));
	EXPECT_OK(hy_ir_build_output(graph, outputs[1], &error));
	return graph;
}

static void expect_doubled(hy_ir_graph *graph)
{
	const hy_ir_tensor x = F32(DIMS(2), 1, -2), y = F32(DIMS(2), -2, 4);
	hy_ir_tensor out[2];
	EXPECT_OK(hy_ir_eval_graph(graph, &x, out, &error));
	expect_tensor(&out[0], &y);
	expect_tensor(&out[1], &x);
	hy_ir_eval_release(2, out);
	hy_ir_graph_destroy(graph);
}

static void a_graph_runs_with_an_input_as_output(void **state)
{
	(void)state;
	expect_doubled(doubled(NULL, &pair));
}

static void types_are_found_from_the_real_inputs(void **state)
{
	(void)state;
	expect_doubled(doubled(NULL, &any_length));
}

static void a_region_is_its_body(void **state)
{
	(void)state;
	expect_doubled(doubled(doubled(NULL, &any_length), &pair));
}

static void a_region_within_a_region_is_refused(void **state)
{
	(void)state;
	hy_ir_tensor out[2];
	const hy_ir_tensor x = F32(DIMS(2), 1, -2);
	hy_ir_graph *graph = doubled(doubled(doubled(NULL, &pair), &pair), &pair);
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_graph(graph, &x, out, &error));
	assert_string_equal(error.text, "Region 'y': its body has a region of its own");
	assert_null(out[0].data);
	hy_ir_graph_destroy(graph);
}

static void an_input_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	hy_ir_tensor out[2];
	const hy_ir_tensor x = F32(DIMS(3), 1, 2, 3);
	hy_ir_graph *graph = doubled(NULL, &pair);
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_graph(graph, &x, out, &error));
	assert_string_equal(error.text, "input 'x' is f32[3], the model takes f32[2]");
	hy_ir_graph_destroy(graph);
}

static void an_output_without_data_is_refused(void **state)
{
	(void)state;
	static const char text[] = "graph \"g\" { const %far: f32[400] = elsewhere output %far }";
	hy_ir_graph *graph;
	hy_ir_tensor out;
	EXPECT_OK(hy_ir_text_parse("text", text, strlen(text), &graph, &error));
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_graph(graph, NULL, &out, &error));
	assert_string_equal(error.text, "output 'far' has no data");
	hy_ir_graph_destroy(graph);
}

static void a_node_is_refused_tensors_of_other_types(void **state)
{
	(void)state;
	one_node n;
	const hy_ir_tensor x = F32(DIMS(2), 1, 2), out = F32(DIMS(1), 0), nothing = TYPE(F32, 2);
	make_node(&n, "Neg", 1, &x, NO_ATTRS, 1);
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_node(&n.node, &x, &out, &error));
	assert_string_equal(error.text, "Neg 'it': output 0 is f32[2], the tensor for it f32[1]");
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_node(&n.node, &nothing, &x, &error));
	assert_string_equal(error.text, "Neg 'it': input 0 has no data");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_graph_runs_with_an_input_as_output),
		CASE(types_are_found_from_the_real_inputs),
		CASE(a_region_is_its_body),
		CASE(a_region_within_a_region_is_refused),
		CASE(an_input_that_does_not_fit_is_refused),
		CASE(an_output_without_data_is_refused),
		CASE(a_node_is_refused_tensors_of_other_types),
	};
	return cmocka_run_group_tests_name("ir.eval_graph", cases, NULL, NULL);
}
