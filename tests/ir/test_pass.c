/* What hy_ir_prepare promises beyond single passes: its flags, its refusals, who owns the memory of constants. */
#include "test.h"

#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static hy_error error;

static hy_ir_graph *parse(const char *text)
{
	hy_ir_graph *graph = NULL;
	EXPECT_OK(hy_ir_text_parse("case", text, strlen(text), &graph, &error));
	return graph;
}

static uint32_t count_of(const hy_ir_graph *graph, const char *type)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++)
		count += strcmp(hy_ir_graph_node(graph, i)->type, type) == 0;
	return count;
}

static const char chain[] = "graph \"chain\" {"
			    "  input %x: f32[2]"
			    "  const %a: f32[2] = {1, 2}"
			    "  const %b: f32[2] = {3, 4}"
			    "  %s = Add (%a, %b)"
			    "  %m = Mul (%x, %s)"
			    "  %y = Relu (%m)"
			    "  output %y"
			    "}";

static void prepare_folds_and_fuses(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(chain);
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 1);
	assert_int_equal(count_of(graph, HY_IR_REGION), 1);
	hy_ir_graph_destroy(graph);
}

static void prepare_without_folding_keeps_nodes_of_constants(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(chain);
	EXPECT_OK(hy_ir_prepare(graph, HY_IR_PREPARE_NO_FOLD | HY_IR_PREPARE_NO_FUSE, &error));
	assert_int_equal(count_of(graph, "Add"), 1);
	hy_ir_graph_destroy(graph);
}

static void prepare_without_fusing_makes_no_region(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(chain);
	EXPECT_OK(hy_ir_prepare(graph, HY_IR_PREPARE_NO_FUSE, &error));
	assert_int_equal(count_of(graph, HY_IR_REGION), 0);
	assert_int_equal(hy_ir_graph_node_count(graph), 2);
	hy_ir_graph_destroy(graph);
}

static void an_unknown_operator_is_unsupported_and_named(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[2] %y = Wobble \"here\" (%x) output %y }");
	EXPECT_STATUS(HY_UNSUPPORTED, hy_ir_prepare(graph, 0, &error));
	assert_non_null(strstr(error.text, "'here'"));
	assert_non_null(strstr(error.text, "Wobble"));
	hy_ir_graph_destroy(graph);
}

static void an_unknown_shape_names_the_dimension_to_bind(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[batch,3] %y = Relu (%x) output %y }");
	EXPECT_STATUS(HY_INVALID, hy_ir_prepare(graph, 0, &error));
	assert_non_null(strstr(error.text, "'batch'"));
	hy_ir_graph_destroy(graph);
}

static void a_declared_shape_that_is_wrong_is_invalid(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[2,3] %y: f32[2,4] = Relu (%x) output %y }");
	EXPECT_STATUS(HY_INVALID, hy_ir_prepare(graph, 0, &error));
	hy_ir_graph_destroy(graph);
}

static void a_shape_whose_product_overflows_is_invalid(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" {"
	                           "  const %s: i64[3] = {4000000000, 4000000000, 4000000000}"
	                           "  %w = ConstantOfShape (%s)"
	                           "  %y = Relu (%w)"
	                           "  output %y"
	                           "}");
	EXPECT_STATUS(HY_INVALID, hy_ir_prepare(graph, 0, &error));
	hy_ir_graph_destroy(graph);
}

static void an_unused_weight_is_not_made(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" {"
	                           "  input %x: f32[2]"
	                           "  const %s: i64[3] = {1000000, 1000000, 1000}"
	                           "  %w = ConstantOfShape (%s)"
	                           "  %y = Relu (%x)"
	                           "  output %y"
	                           "}");
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 1);
	hy_ir_graph_destroy(graph);
}

static void a_large_weight_of_constant_of_shape_is_made(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" {"
	                           "  input %x: f32[1,2000]"
	                           "  const %s: i64[2] = {2000, 1000}"
	                           "  %w = ConstantOfShape (%s)"
	                           "  %y = MatMul (%x, %w)"
	                           "  output %y"
	                           "}");
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 1);
	assert_non_null(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"))->data);
	hy_ir_graph_destroy(graph);
}

static void folding_a_view_shares_the_bytes(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" {"
	                           "  input %x: f32[1,2]"
	                           "  const %w: f32[4] = {1, 2, 3, 4}"
	                           "  const %s: i64[2] = {2, 2}"
	                           "  %v = Reshape (%w, %s)"
	                           "  %y = MatMul (%x, %v)"
	                           "  output %y"
	                           "}");
	const void *before = hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"))->data;
	EXPECT_OK(hy_ir_pass_fold(graph, NULL, &error));
	assert_ptr_equal(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "v"))->data, before);
	EXPECT_OK(hy_ir_pass_dce(graph, NULL, &error));
	assert_ptr_equal(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "v"))->data, before);
	assert_int_equal(hy_ir_graph_find(graph, "w"), HY_IR_NONE);
	hy_ir_graph_destroy(graph);
}

static void passes_say_whether_they_changed_anything(void **state)
{
	(void)state;
	static const hy_ir_pass passes[] = {hy_ir_pass_upgrade,  hy_ir_pass_infer,      hy_ir_pass_fold,
	                                    hy_ir_pass_simplify, hy_ir_pass_batch_norm, hy_ir_pass_dce,
	                                    hy_ir_pass_fuse,     hy_ir_pass_unfuse};
	hy_ir_graph *graph = parse(chain);
	bool changed = false;
	EXPECT_OK(hy_ir_pass_fold(graph, &changed, &error));
	assert_true(changed);
	hy_ir_graph_destroy(graph);
	graph = parse("graph \"g\" { input %x: f32[2] %y: f32[2] = Relu (%x) output %y }");
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		changed = true;
		EXPECT_OK(passes[i](graph, &changed, &error));
		assert_false(changed);
	}
	hy_ir_graph_destroy(graph);
}

static void only_chosen_regions_are_unfused(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[2,2] %a = MatMul (%x, %x) %b = Relu (%a) %c = Sigmoid (%b) "
	                           "%d = MatMul (%c, %c) %e = Relu (%d) %y = Sigmoid (%e) output %y }");
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 2);
	const bool second[] = {false, true};
	EXPECT_OK(hy_ir_graph_unfuse(graph, second, NULL, &error));
	EXPECT_OK(hy_ir_verify(graph, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 4);
	assert_non_null(hy_ir_graph_node(graph, 0)->body);
	assert_string_equal(hy_ir_graph_node(graph, 1)->type, "MatMul");
	hy_ir_graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_chosen_regions_are_unfused),
		CASE(prepare_folds_and_fuses),
		CASE(prepare_without_folding_keeps_nodes_of_constants),
		CASE(prepare_without_fusing_makes_no_region),
		CASE(an_unknown_operator_is_unsupported_and_named),
		CASE(an_unknown_shape_names_the_dimension_to_bind),
		CASE(a_declared_shape_that_is_wrong_is_invalid),
		CASE(a_shape_whose_product_overflows_is_invalid),
		CASE(an_unused_weight_is_not_made),
		CASE(a_large_weight_of_constant_of_shape_is_made),
		CASE(folding_a_view_shares_the_bytes),
		CASE(passes_say_whether_they_changed_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
