#include "test.h"

#include <halyard/ir/build.h>

#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hy_error error;

static const hy_ir_type vector4 = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {4}};
static const float four[4] = {1, 2, 3, 4};

/* x -> a = Relu(x) -> b = Add(a, w) -> c = Neg(b), output c; an unused d = Abs(x). */
static hy_ir_graph *chain(void)
{
	hy_ir_graph *graph;
	uint32_t x, w, a, b, c, d;
	EXPECT_OK(hy_ir_graph_create("chain", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &vector4, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_constant(graph, "w", &vector4, four, &w, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Relu", "a", 1, &x, 0, NULL, &a, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Add", "b", 2, (uint32_t[]){a, w}, 0, NULL, &b, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Neg", "c", 1, &b, 0, NULL, &c, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Abs", "d", 1, &x, 0, NULL, &d, &error));
	EXPECT_OK(hy_ir_build_output(graph, c, &error));
	return graph;
}

static void names_are_found_and_taken_names_get_a_number(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	uint32_t first, second, empty;
	EXPECT_OK(hy_ir_graph_create("names", &graph, &error));
	EXPECT_OK(hy_ir_build_value(graph, "x", NULL, &first, &error));
	EXPECT_OK(hy_ir_build_value(graph, "x", NULL, &second, &error));
	EXPECT_OK(hy_ir_build_value(graph, "", NULL, &empty, &error));
	assert_string_equal(hy_ir_graph_value(graph, second)->name, "x_1");
	assert_string_equal(hy_ir_graph_value(graph, empty)->name, "v_2");
	assert_int_equal(hy_ir_graph_find(graph, "x"), first);
	assert_int_equal(hy_ir_graph_find(graph, "x_1"), second);
	assert_int_equal(hy_ir_graph_find(graph, "y"), HY_IR_NONE);
	hy_ir_graph_destroy(graph);
}

static void ten_thousand_values_are_all_found_again(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	char name[32];
	EXPECT_OK(hy_ir_graph_create("many", &graph, &error));
	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t value;
		snprintf(name, sizeof(name), "value%u", i);
		EXPECT_OK(hy_ir_build_value(graph, name, NULL, &value, &error));
		assert_int_equal(value, i);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "value%u", i);
		assert_int_equal(hy_ir_graph_find(graph, name), i);
	}
	hy_ir_graph_destroy(graph);
}

static void nodes_that_break_the_order_are_refused_by_name(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	const uint32_t a = hy_ir_graph_find(graph, "a");
	uint32_t loose, node;
	EXPECT_OK(hy_ir_build_value(graph, "loose", NULL, &loose, &error));
	hy_ir_node_options options = {
		.type = "Neg", .name = "n", .input_count = 1, .output_count = 1, .inputs = &loose, .outputs = &loose};
	EXPECT_STATUS(HY_INVALID, hy_ir_build_node(graph, &options, &node, &error));
	assert_string_equal(error.text, "node 'n' (Neg): input 'loose' is made by nothing before it");
	options.inputs = &a;
	options.outputs = &a;
	EXPECT_STATUS(HY_INVALID, hy_ir_build_node(graph, &options, &node, &error));
	assert_string_equal(error.text, "node 'n' (Neg): output 'a' is already made elsewhere");
	options.outputs = (uint32_t[]){loose, loose};
	options.output_count = 2;
	EXPECT_STATUS(HY_INVALID, hy_ir_build_node(graph, &options, &node, &error));
	assert_string_equal(error.text, "node 'n' (Neg): two outputs are named 'loose'");
	assert_int_equal(hy_ir_graph_value(graph, loose)->producer, HY_IR_NONE);
	hy_ir_graph_destroy(graph);
}

static void types_whose_size_overflows_are_refused(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	uint32_t value;
	EXPECT_OK(hy_ir_graph_create("types", &graph, &error));
	hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {3037000499, 3037000501}};
	EXPECT_STATUS(HY_INVALID, hy_ir_build_value(graph, "x", &type, &value, &error));
	type = (hy_ir_type){.dtype = HY_DTYPE_U8, .rank = 3, .dim = {0, INT64_MAX, 2}};
	EXPECT_STATUS(HY_INVALID, hy_ir_build_value(graph, "x", &type, &value, &error));
	type = (hy_ir_type){.dtype = HY_DTYPE_U8, .rank = 1, .dim = {-2}};
	EXPECT_STATUS(HY_INVALID, hy_ir_build_value(graph, "x", &type, &value, &error));
	type = (hy_ir_type){.dtype = HY_DTYPE_U8, .rank = 9};
	EXPECT_STATUS(HY_INVALID, hy_ir_build_value(graph, "x", &type, &value, &error));
	type = (hy_ir_type){.dtype = HY_DTYPE_U8, .rank = 1, .dim = {INT64_MAX}};
	EXPECT_OK(hy_ir_build_value(graph, "x", &type, &value, &error));
	hy_ir_graph_destroy(graph);
}

static void compact_removes_the_dead_and_renews_every_number(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	hy_ir__graph_kill(graph, 1);
	hy_ir__graph_replace_uses(graph, hy_ir_graph_find(graph, "b"), hy_ir_graph_find(graph, "a"));
	EXPECT_OK(hy_ir__graph_compact(graph, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 3);
	assert_int_equal(hy_ir_graph_value_count(graph), 4);
	assert_int_equal(hy_ir_graph_find(graph, "b"), HY_IR_NONE);
	assert_int_equal(hy_ir_graph_find(graph, "w"), HY_IR_NONE);
	const uint32_t a = hy_ir_graph_find(graph, "a"), c = hy_ir_graph_find(graph, "c");
	assert_int_equal(hy_ir_graph_node(graph, 1)->inputs[0], a);
	assert_int_equal(hy_ir_graph_value(graph, a)->producer, 0);
	assert_int_equal(hy_ir_graph_value(graph, c)->producer, 1);
	assert_int_equal(hy_ir_graph_outputs(graph)[0], c);
	hy_ir_graph_destroy(graph);
}

static void order_moves_nodes_and_drops_what_it_leaves_out(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	EXPECT_OK(hy_ir__graph_order(graph, 3, (uint32_t[]){3, 0, 1}, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 3);
	assert_string_equal(hy_ir_graph_node(graph, 0)->type, "Abs");
	assert_int_equal(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "b"))->producer, 2);
	assert_int_equal(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "c"))->producer, HY_IR_NONE);
	hy_ir_graph_destroy(graph);
}

static void a_clone_outlives_its_original(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain(), *clone;
	EXPECT_OK(hy_ir_graph_clone(graph, &clone, &error));
	hy_ir_graph_destroy(graph);
	assert_int_equal(hy_ir_graph_node_count(clone), 4);
	const hy_ir_value *w = hy_ir_graph_value(clone, hy_ir_graph_find(clone, "w"));
	assert_memory_equal(w->data, four, sizeof(four));
	assert_int_equal(w->length_bytes, sizeof(four));
	assert_int_equal(hy_ir_graph_input_count(clone), 1);
	hy_ir_graph_destroy(clone);
}

static void a_value_made_constant_leaves_its_producer(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	const uint32_t b = hy_ir_graph_find(graph, "b");
	float *block = malloc(sizeof(four));
	memcpy(block, four, sizeof(four));
	EXPECT_OK(hy_ir__graph_set_constant(graph, b, &vector4, block, &error));
	assert_int_equal(hy_ir_graph_node(graph, 1)->outputs[0], HY_IR_NONE);
	assert_int_equal(hy_ir_graph_value(graph, b)->producer, HY_IR_NONE);
	assert_ptr_equal(hy_ir_graph_value(graph, b)->data, block);
	hy_ir_graph_destroy(graph);
}

static void set_outputs_moves_a_value_to_another_node(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	const uint32_t c = hy_ir_graph_find(graph, "c");
	hy_ir__graph_kill(graph, 2);
	EXPECT_OK(hy_ir__graph_set_outputs(graph, 1, 1, &c, &error));
	EXPECT_OK(hy_ir__graph_compact(graph, &error));
	assert_int_equal(hy_ir_graph_find(graph, "b"), HY_IR_NONE);
	assert_int_equal(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "c"))->producer, 1);
	hy_ir_graph_destroy(graph);
}

static void swapped_names_are_found_at_each_other(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	const uint32_t a = hy_ir_graph_find(graph, "a"), c = hy_ir_graph_find(graph, "c");
	hy_ir__graph_swap_names(graph, a, c);
	assert_int_equal(hy_ir_graph_find(graph, "a"), c);
	assert_int_equal(hy_ir_graph_find(graph, "c"), a);
	assert_string_equal(hy_ir_graph_value(graph, a)->name, "c");
	hy_ir_graph_destroy(graph);
}

static void bound_dims_reach_every_input_and_forget_other_shapes(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	uint32_t x, y, z;
	const hy_ir_type open_type = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {HY_IR_DIM_UNKNOWN, 3}};
	const char *const names[HY_MAX_RANK] = {"N"};
	EXPECT_OK(hy_ir_graph_create("dims", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &open_type, names, &x, &error));
	EXPECT_OK(hy_ir_build_input(graph, "y", &open_type, names, &y, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Add", "z", 2, (uint32_t[]){x, y}, 0, NULL, &z, &error));
	hy_ir__graph_set_type(graph, z, &open_type);
	EXPECT_STATUS(HY_NOT_FOUND, hy_ir_graph_bind_dim(graph, "M", 2, &error));
	EXPECT_STATUS(HY_INVALID, hy_ir_graph_bind_dim(graph, "N", INT64_MAX, &error));
	EXPECT_OK(hy_ir_graph_bind_dim(graph, "N", 2, &error));
	char text[64];
	assert_string_equal(hy_ir_type_print(&hy_ir_graph_value(graph, x)->type, text, sizeof(text)), "f32[2,3]");
	assert_string_equal(hy_ir_type_print(&hy_ir_graph_value(graph, y)->type, text, sizeof(text)), "f32[2,3]");
	assert_string_equal(hy_ir_type_print(&hy_ir_graph_value(graph, z)->type, text, sizeof(text)), "f32[...]");
	assert_null(hy_ir_graph_value(graph, x)->dim_names[0]);
	hy_ir_graph_destroy(graph);
}

static void a_bound_input_becomes_a_constant(void **state)
{
	(void)state;
	hy_ir_graph *graph = chain();
	const hy_ir_tensor tensor = {.type = vector4, .data = (void *)four};
	hy_ir_tensor wrong = tensor;
	wrong.type.dim[0] = 3;
	EXPECT_STATUS(HY_INVALID, hy_ir_graph_bind_input(graph, "x", &wrong, &error));
	assert_string_equal(error.text, "input 'x' is f32[4] and can't be bound to f32[3]");
	EXPECT_STATUS(HY_NOT_FOUND, hy_ir_graph_bind_input(graph, "w", &tensor, &error));
	EXPECT_OK(hy_ir_graph_bind_input(graph, "x", &tensor, &error));
	assert_int_equal(hy_ir_graph_input_count(graph), 0);
	assert_memory_equal(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "x"))->data, four, sizeof(four));
	hy_ir_graph_destroy(graph);
}

static void attributes_are_copied_whole(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	uint32_t x, y;
	int64_t axes[2] = {1, 2};
	char mode[] = "linear";
	EXPECT_OK(hy_ir_graph_create("attrs", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &vector4, NULL, &x, &error));
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("axes", 2, axes), hy_ir_attr_string("mode", mode),
	                            hy_ir_attr_int("n", 5), hy_ir_attr_float("f", 0.5f)};
	EXPECT_OK(hy_ir_build_op(graph, "Resize", "y", 1, &x, 4, attrs, &y, &error));
	axes[0] = 9;
	mode[0] = 'x';
	const hy_ir_node *node = hy_ir_graph_node(graph, 0);
	assert_int_equal(hy_ir_node_attr(node, "axes")->ints[0], 1);
	assert_string_equal(hy_ir_node_attr_string(node, "mode", ""), "linear");
	assert_int_equal(hy_ir_node_attr_int(node, "n", 0), 5);
	assert_true(hy_ir_node_attr_float(node, "f", 0) == 0.5f);
	assert_int_equal(hy_ir_node_attr_int(node, "mode", 7), 7);
	assert_null(hy_ir_node_attr(node, "none"));
	hy_ir_graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(names_are_found_and_taken_names_get_a_number),
		CASE(ten_thousand_values_are_all_found_again),
		CASE(nodes_that_break_the_order_are_refused_by_name),
		CASE(types_whose_size_overflows_are_refused),
		CASE(compact_removes_the_dead_and_renews_every_number),
		CASE(order_moves_nodes_and_drops_what_it_leaves_out),
		CASE(a_clone_outlives_its_original),
		CASE(a_value_made_constant_leaves_its_producer),
		CASE(set_outputs_moves_a_value_to_another_node),
		CASE(swapped_names_are_found_at_each_other),
		CASE(bound_dims_reach_every_input_and_forget_other_shapes),
		CASE(a_bound_input_becomes_a_constant),
		CASE(attributes_are_copied_whole),
	};
	return cmocka_run_group_tests_name("ir.graph", cases, NULL, NULL);
}
