#include "test.h"

#include <halyard/ir/blob.h>
#include <halyard/ir/build.h>
#include <halyard/ir/pass.h>

#include "graph.h"

#include <stdlib.h>
#include <string.h>

static hy_error error;

static const hy_ir_type matrix = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {20, 20}};
static const hy_ir_type scalar = {.dtype = HY_DTYPE_F32, .rank = 0};

/* A Region { Relu, Mul by an inner constant } between two nodes, one with every kind of attribute. */
static hy_ir_graph *sample(void)
{
	static float large[400];
	for (int i = 0; i < 400; i++)
		large[i] = (float)i;
	const float two = 2;
	hy_ir_graph *graph, *body;
	uint32_t in, factor, r, m, x, w, a, b, c;
	EXPECT_OK(hy_ir_graph_create("body", &body, &error));
	EXPECT_OK(hy_ir_build_input(body, "in", &matrix, NULL, &in, &error));
	EXPECT_OK(hy_ir_build_constant(body, "factor", &scalar, &two, &factor, &error));
	EXPECT_OK(hy_ir_build_op(body, "Relu", "r", 1, &in, 0, NULL, &r, &error));
	EXPECT_OK(hy_ir_build_op(body, "Mul", "m", 2, (uint32_t[]){r, factor}, 0, NULL, &m, &error));
	EXPECT_OK(hy_ir_build_output(body, m, &error));
	hy_ir__graph_set_type(body, r, &matrix);
	hy_ir__graph_set_type(body, m, &matrix);

	EXPECT_OK(hy_ir_graph_create("sample", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &matrix, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_constant(graph, "w", &matrix, large, &w, &error));
	const hy_ir_attr attrs[] = {
		hy_ir_attr_float("alpha", 0.5f),
		hy_ir_attr_int("transA", -1),
		hy_ir_attr_string("mode", "fast"),
		hy_ir_attr_ints("axes", 2, (const int64_t[]){1, INT64_MIN}),
		{.name = "scales", .kind = HY_ATTR_FLOATS, .count = 2, .floats = (const float[]){1.5f, 2.5f}},
		{.name = "words", .kind = HY_ATTR_STRINGS, .count = 2, .strings = (const char *const[]){"one", ""}},
		{.name = "value", .kind = HY_ATTR_TENSOR, .count = 1, .tensor = {.type = scalar, .data = (void *)&two}},
	};
	EXPECT_OK(hy_ir_build_op(graph, "Gemm", "a", 2, (uint32_t[]){x, w}, 7, attrs, &a, &error));
	hy_ir__graph_set_type(graph, a, &matrix);
	EXPECT_OK(hy_ir_build_value(graph, "b", &matrix, &b, &error));
	const hy_ir_node_options region = {.domain = HY_IR_DOMAIN,
	                                   .type = HY_IR_REGION,
	                                   .name = "region",
	                                   .input_count = 1,
	                                   .output_count = 1,
	                                   .inputs = &a,
	                                   .outputs = &b,
	                                   .take_body = body};
	EXPECT_OK(hy_ir_build_node(graph, &region, NULL, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Add", "c", 3, (uint32_t[]){b, HY_IR_NONE, a}, 0, NULL, &c, &error));
	hy_ir__graph_set_type(graph, c, &matrix);
	EXPECT_OK(hy_ir_build_output(graph, c, &error));
	return graph;
}

static hy_ir_blob blob_of(const hy_ir_graph *graph)
{
	hy_ir_blob blob;
	EXPECT_OK(hy_ir_blob_create(graph, 0, hy_ir_graph_node_count(graph), &blob, NULL, NULL, NULL, NULL, &error));
	EXPECT_OK(hy_ir_blob_check(blob.graph, blob.graph->total_bytes, &error));
	return blob;
}

static void the_same_nodes_give_the_same_bytes(void **state)
{
	(void)state;
	hy_ir_graph *graph = sample(), *again = sample();
	hy_ir_blob first = blob_of(graph), second = blob_of(again);
	assert_int_equal(first.graph->total_bytes, second.graph->total_bytes);
	assert_memory_equal(first.graph, second.graph, first.graph->total_bytes);
	hy_ir_blob_finish(&first);
	hy_ir_blob_finish(&second);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
}

static void what_is_read_back_gives_the_same_blob(void **state)
{
	(void)state;
	hy_ir_graph *graph = sample(), *read;
	hy_ir_blob first = blob_of(graph);
	EXPECT_OK(hy_ir_blob_read(first.graph, first.constants, &read, &error));
	hy_ir_blob second = blob_of(read);
	assert_memory_equal(first.graph, second.graph, first.graph->total_bytes);
	assert_int_equal(second.constant_count, 1);
	assert_ptr_equal(first.constants[0].data, second.constants[0].data);
	const hy_ir_node *gemm = hy_ir_graph_node(read, 0);
	assert_int_equal(hy_ir_node_attr(gemm, "axes")->ints[1], INT64_MIN);
	assert_string_equal(hy_ir_node_attr(gemm, "words")->strings[0], "one");
	assert_true(*(const float *)hy_ir_node_attr(gemm, "value")->tensor.data == 2);
	assert_int_equal(hy_ir_graph_node(read, 2)->inputs[1], HY_IR_NONE);
	const hy_ir_graph *body = hy_ir_graph_node(read, 1)->body;
	assert_string_equal(hy_ir_graph_node(body, 1)->type, "Mul");
	hy_ir_graph_destroy(read);
	hy_ir_blob_finish(&second);
	hy_ir_blob_finish(&first);
	hy_ir_graph_destroy(graph);
}

static void large_constants_get_a_slot_and_small_ones_lie_inline(void **state)
{
	(void)state;
	hy_ir_graph *graph = sample();
	hy_ir_blob blob = blob_of(graph);
	assert_int_equal(blob.constant_count, 1);
	assert_int_equal(blob.constants[0].length, 1600);
	assert_ptr_equal(blob.constants[0].data, hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"))->data);
	uint32_t inline_count = 0;
	for (uint32_t i = 0; i < blob.graph->tensor_count; i++)
		inline_count += hy_graph_tensor_at(blob.graph, i)->data != HY_GRAPH_NONE;
	assert_int_equal(inline_count, 2);
	hy_ir_blob_finish(&blob);
	hy_ir_graph_destroy(graph);
}

static void without_constants_slots_are_constants_without_data(void **state)
{
	(void)state;
	hy_ir_graph *graph = sample(), *read, *clone;
	hy_ir_blob blob = blob_of(graph), again;
	EXPECT_OK(hy_ir_blob_read(blob.graph, NULL, &read, &error));
	EXPECT_OK(hy_ir_graph_clone(read, &clone, &error));
	hy_ir_graph_destroy(read);
	const hy_ir_value *w = hy_ir_graph_value(clone, hy_ir_graph_find(clone, "w"));
	assert_null(w->data);
	assert_int_equal(w->length_bytes, 1600);
	assert_int_equal(w->producer, HY_IR_NONE);
	EXPECT_STATUS(HY_INVALID, hy_ir_blob_create(clone, 0, 3, &again, NULL, NULL, NULL, NULL, &error));
	hy_ir_graph_destroy(clone);
	hy_ir_blob_finish(&blob);
	hy_ir_graph_destroy(graph);
}

static void a_run_of_nodes_names_what_crosses_its_border(void **state)
{
	(void)state;
	hy_ir_graph *graph = sample();
	hy_ir_blob blob;
	uint32_t *inputs, *outputs, input_count, output_count;
	EXPECT_OK(hy_ir_blob_create(graph, 0, 2, &blob, &inputs, &input_count, &outputs, &output_count, &error));
	EXPECT_OK(hy_ir_blob_check(blob.graph, blob.graph->total_bytes, &error));
	assert_int_equal(input_count, 1);
	assert_int_equal(inputs[0], hy_ir_graph_find(graph, "x"));
	assert_int_equal(output_count, 2); /* a is read by c too */
	assert_int_equal(outputs[0], hy_ir_graph_find(graph, "a"));
	assert_int_equal(outputs[1], hy_ir_graph_find(graph, "b"));
	const hy_graph_subgraph *main_graph = hy_graph_subgraph_at(blob.graph, 0);
	assert_int_equal(main_graph->node_count, 2);
	assert_int_equal(blob.graph->subgraph_count, 2);
	free(inputs);
	free(outputs);
	hy_ir_blob_finish(&blob);
	EXPECT_OK(hy_ir_blob_create(graph, 2, 1, &blob, &inputs, &input_count, &outputs, &output_count, &error));
	assert_int_equal(input_count, 2);
	assert_int_equal(inputs[0], hy_ir_graph_find(graph, "b"));
	assert_int_equal(inputs[1], hy_ir_graph_find(graph, "a"));
	assert_int_equal(blob.graph->subgraph_count, 1);
	free(inputs);
	free(outputs);
	hy_ir_blob_finish(&blob);
	EXPECT_STATUS(HY_INVALID, hy_ir_blob_create(graph, 2, 2, &blob, NULL, NULL, NULL, NULL, &error));
	hy_ir_graph_destroy(graph);
}

static void a_value_without_a_static_shape_is_refused_by_name(void **state)
{
	(void)state;
	hy_ir_graph *graph = sample();
	hy_ir_blob blob;
	const hy_ir_type open_type = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {HY_IR_DIM_UNKNOWN, 20}};
	hy_ir__graph_set_type(graph, hy_ir_graph_find(graph, "b"), &open_type);
	EXPECT_STATUS(HY_INVALID, hy_ir_blob_create(graph, 0, 3, &blob, NULL, NULL, NULL, NULL, &error));
	assert_string_equal(error.text, "value 'b' is f32[?,20]: a blob needs static shapes and data at hand");
	hy_ir_graph_destroy(graph);
}

static void a_body_is_later_and_belongs_to_one_node(void **state)
{
	(void)state;
	static const char says[] = "has a body outside, before it, or another's";
	hy_ir_graph *graph = sample();
	/* Node 1 of the sample owns subgraph 1; subgraph 0 is the graph itself, there is no subgraph 2. */
	static const struct {
		uint32_t node, body;
	} rows[] = {{0, 1}, {1, 0}, {1, 2}, {0, 0}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_ir_blob blob = blob_of(graph);
		((hy_graph_node *)hy_graph_node_at(blob.graph, rows[i].node))->body = rows[i].body;
		EXPECT_STATUS(HY_INVALID, hy_ir_blob_check(blob.graph, blob.graph->total_bytes, &error));
		assert_non_null(strstr(error.text, says));
		hy_ir_blob_finish(&blob);
	}
	hy_ir_graph_destroy(graph);
}

/* Whatever one changed byte does, check refuses or everything after it is safe (which the sanitizers judge). */
static void no_single_changed_byte_gets_past_the_check_unsafely(void **state)
{
	(void)state;
	hy_ir_graph *graph = sample();
	hy_ir_blob blob = blob_of(graph);
	const uint32_t length = blob.graph->total_bytes;
	uint8_t *copy = malloc(length);
	uint32_t refused = 0;
	for (uint32_t i = 0; i < length; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			memcpy(copy, blob.graph, length);
			copy[i] ^= (uint8_t[]){1, 0x80, 0xff}[k];
			hy_ir_graph *read = NULL;
			if (hy_ir_blob_check(copy, length, &error) != HY_OK) {
				refused++;
				continue;
			}
			hy_constant constants[8] = {blob.constants[0]};
			if (((const hy_graph *)(const void *)copy)->constant_count > 8) continue;
			if (hy_ir_blob_read((const hy_graph *)(const void *)copy, constants, &read, &error) == HY_OK)
				(void)hy_ir_verify(read, &error);
			hy_ir_graph_destroy(read);
		}
	}
	assert_true(refused > length);
	for (uint32_t i = 0; i < length; i++)
		EXPECT_STATUS(HY_INVALID, hy_ir_blob_check(blob.graph, i, &error));
	free(copy);
	hy_ir_blob_finish(&blob);
	hy_ir_graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_same_nodes_give_the_same_bytes),
		CASE(what_is_read_back_gives_the_same_blob),
		CASE(large_constants_get_a_slot_and_small_ones_lie_inline),
		CASE(without_constants_slots_are_constants_without_data),
		CASE(a_run_of_nodes_names_what_crosses_its_border),
		CASE(a_value_without_a_static_shape_is_refused_by_name),
		CASE(a_body_is_later_and_belongs_to_one_node),
		CASE(no_single_changed_byte_gets_past_the_check_unsafely),
	};
	return cmocka_run_group_tests_name("ir.blob", cases, NULL, NULL);
}
