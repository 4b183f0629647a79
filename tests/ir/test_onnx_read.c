#include "test.h"

#include <halyard/ir/build.h>
#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>

#include "ir/onnx_bytes.h"

#include <stdio.h>

static hy_error error;

static const int64_t two[] = {2, -1};
static const float weights[2] = {1.5f, -2};

static bytes small_tensor(void)
{
	return add_data(tensor_head("w", 1, two), 9, weights, sizeof(weights));
}

static bytes small_model(void)
{
	return model_of(graph_with(small_tensor()));
}

/* Parses a copy that ends where memory does, so that the sanitizer sees a read behind it. */
static hy_status parse(bytes model, hy_ir_graph **out_graph, uint8_t **out_copy)
{
	*out_copy = malloc(model.length > 0 ? model.length : 1);
	if (model.length > 0) memcpy(*out_copy, model.at, model.length);
	return hy_ir_onnx_parse("m", *out_copy, model.length, out_graph, &error);
}

static void expect_refused(bytes model, hy_status status, const char *says)
{
	hy_ir_graph *graph = NULL;
	uint8_t *copy;
	error.text[0] = '\0';
	EXPECT_STATUS(status, parse(model, &graph, &copy));
	assert_string_equal(error.text, says);
	assert_null(graph);
	free(copy);
	free(model.at);
}

static void expect_tensor_refused(bytes tensor, const char *says)
{
	expect_refused(model_of(graph_with(tensor)), HY_INVALID, says);
}

static void a_small_model_is_what_its_bytes_say(void **state)
{
	(void)state;
	bytes model = small_model();
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	EXPECT_OK(hy_ir_verify(graph, &error));
	assert_string_equal(hy_ir_graph_name(graph), "small");
	assert_int_equal(hy_ir_graph_input_count(graph), 1);
	assert_int_equal(hy_ir_graph_inputs(graph)[0], hy_ir_graph_find(graph, "x"));
	const hy_ir_node *node = hy_ir_graph_node(graph, 0);
	assert_ptr_equal(node->op, hy_ir_op_find("", "Add"));
	assert_int_equal(node->version, 18);
	assert_int_equal(node->inputs[1], hy_ir_graph_find(graph, "w"));
	const hy_ir_value *w = hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"));
	assert_memory_equal(w->data, weights, sizeof(weights));
	assert_int_equal(hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[0])->producer, 0);
	hy_ir_graph_destroy(graph);
	free(model.at);
}

static void a_model_cut_at_any_byte_is_refused(void **state)
{
	(void)state;
	bytes model = small_model();
	for (size_t length = 0; length < model.length; length++) {
		hy_ir_graph *graph;
		uint8_t *copy;
		EXPECT_STATUS(HY_INVALID, parse((bytes){model.at, length}, &graph, &copy));
		free(copy);
	}
	free(model.at);
}

static void any_changed_byte_gives_a_safe_graph_or_a_refusal(void **state)
{
	(void)state;
	bytes model = small_model();
	for (size_t i = 0; i < model.length; i++) {
		for (uint32_t value = 0; value < 256; value++) {
			const uint8_t old = model.at[i];
			hy_ir_graph *graph;
			uint8_t *copy;
			model.at[i] = (uint8_t)value;
			if (parse(model, &graph, &copy) == HY_OK) {
				(void)hy_ir_verify(graph, &error); /* arities may be wrong */
				hy_ir_graph_destroy(graph);
			}
			model.at[i] = old;
			free(copy);
		}
	}
	free(model.at);
}

static void what_is_no_model_is_refused(void **state)
{
	(void)state;
	expect_refused((bytes){0}, HY_INVALID, "m: the file is empty");
	expect_refused(add_raw((bytes){0}, "hello, world", 12), HY_INVALID,
	               "m: model has a field of a kind that ONNX does not use: truncated or no ONNX");
	expect_refused(add_int((bytes){0}, 1, 8), HY_INVALID, "m: has no graph: this is no ONNX model");
	expect_refused(add_message((bytes){0}, 7, graph_with(small_tensor())), HY_INVALID,
	               "m: has no ir_version: this is no ONNX model");
	bytes no_opset = add_message(add_int((bytes){0}, 1, 8), 7, graph_with(small_tensor()));
	expect_refused(no_opset, HY_INVALID, "m: has no opset_import");
	expect_refused(add_message(small_model(), 7, graph_with(small_tensor())), HY_INVALID,
	               "m: the model has two graphs");
	expect_refused(add_message(small_model(), 8, add_int((bytes){0}, 2, 17)), HY_INVALID,
	               "m: opset_import names '' twice");
	expect_refused(add_message(small_model(), 8, add_text(add_int((bytes){0}, 2, 0), 1, "d")), HY_INVALID,
	               "m: opset_import: version 0 of 'd' can't exist");
}

static void broken_wire_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t length;
		const char *says;
	} rows[] = {
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12,
	         "m: model has a number longer than 64 bits: truncated or no ONNX"},
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11,
	         "m: model has a number longer than 64 bits: truncated or no ONNX"},
		{"\x0b\x0c", 2, "m: model has a field of a kind that ONNX does not use: truncated or no ONNX"},
		{"\x0e", 1, "m: model has a field of a kind that ONNX does not use: truncated or no ONNX"},
		{"\x02\x00", 2, "m: model has a field number out of range: truncated or no ONNX"},
		{"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11,
	         "m: model ends inside a field: truncated or no ONNX"},
		{"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, "m: model ends inside a field: truncated or no ONNX"},
		{"\x08\x08\x38\x01", 4, "m: graph has a message stored in the wrong way: truncated or no ONNX"},
		{"\x09\x08", 2, "m: model ends inside a number: truncated or no ONNX"},
		{"\x0a\x01\x08", 3, "m: ir_version is stored in the wrong way"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes model = add_raw((bytes){0}, rows[i].bytes, rows[i].length);
		if (i == 7) model = add_message(model, 8, add_int((bytes){0}, 2, 18));
		expect_refused(model, HY_INVALID, rows[i].says);
	}
}

static void tensors_whose_shape_lies_are_refused(void **state)
{
	(void)state;
	static const int64_t product[] = {3037000499, 3037000501, -1}, zero[] = {0, INT64_MAX, 2, -1};
	static const int64_t large[] = {1000000, -1}, wrap[] = {1ll << 32, 1ll << 32, -1};
	const uint8_t byte = 0;
	expect_tensor_refused(tensor_head("w", 1, product),
	                      "m: tensor 'w': has dimensions whose product overflows 63 bits");
	expect_tensor_refused(tensor_head("w", 1, wrap),
	                      "m: tensor 'w': has dimensions whose product overflows 63 bits");
	expect_tensor_refused(tensor_head("w", 1, zero),
	                      "m: tensor 'w': has dimensions whose product overflows 63 bits");
	expect_tensor_refused(add_int(tensor_head("w", 1, NULL), 1, -5), "m: tensor 'w': has a negative dimension");
	expect_tensor_refused(add_data(tensor_head("w", 1, large), 9, "1234", 4),
	                      "m: tensor 'w': raw_data has 4 bytes, but the shape needs 4000000");
	expect_tensor_refused(add_data(tensor_head("w", 1, two), 9, "123456789", 9),
	                      "m: tensor 'w': raw_data has 9 bytes, but the shape needs 8");
	expect_tensor_refused(tensor_head("w", 1, large), "m: tensor 'w': has 0 elements, but its shape needs 1000000");
	expect_tensor_refused(add_float(tensor_head("w", 1, two), 4, 1),
	                      "m: tensor 'w': has 1 elements, but its shape needs 2");
	expect_tensor_refused(add_data(tensor_head("w", 1, two), 4, "1234567", 7),
	                      "m: tensor 'w': ends inside a number");
	expect_tensor_refused(add_float(small_tensor(), 4, 1), "m: tensor 'w': has both raw_data and typed data");
	expect_tensor_refused(add_int(tensor_head("w", 1, two), 5, 1),
	                      "m: tensor 'w': its data is in the field of another type");
	expect_tensor_refused(add_int(add_int(tensor_head("w", 2, two), 5, 1), 5, 256),
	                      "m: tensor 'w': element 1 is out of range of u8");
	expect_tensor_refused(add_int(add_int(tensor_head("w", 3, two), 5, -128), 5, -129),
	                      "m: tensor 'w': element 1 is out of range of i8");
	expect_tensor_refused(add_data(tensor_head("w", 9, two), 9, "\x01\x02", 2),
	                      "m: tensor 'w': element 1 is out of range of bool");
	expect_tensor_refused(add_data(tensor_head("w", 0, two), 9, &byte, 1), "m: tensor 'w': has no data_type");
	expect_tensor_refused(add_data(tensor_head("w", 8, two), 9, &byte, 1),
	                      "m: tensor 'w': strings can't be raw_data");
	expect_tensor_refused(add_int(small_tensor(), 14, 2), "m: tensor 'w': its data_location is unknown");
}

static void tensors_beyond_the_room_are_unsupported(void **state)
{
	(void)state;
	static const int64_t nine[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, -1};
	expect_refused(model_of(graph_with(tensor_head("w", 1, nine))), HY_UNSUPPORTED,
	               "m: tensor 'w': its rank is above 8");
	expect_refused(model_of(graph_with(tensor_head("w", 255, two))), HY_UNSUPPORTED,
	               "m: tensor 'w': element type 255 is not supported");
	expect_refused(model_of(graph_with(tensor_head("w", 14, two))), HY_UNSUPPORTED,
	               "m: tensor 'w': element type 14 is not supported");
	expect_refused(model_of(graph_with(add_message(small_tensor(), 3, (bytes){0}))), HY_UNSUPPORTED,
	               "m: tensor 'w': is cut into segments");
	expect_refused(model_of(add_message(graph_with(small_tensor()), 15, (bytes){0})), HY_UNSUPPORTED,
	               "m: has a sparse initializer: store it as a dense tensor");
	expect_refused(add_message(small_model(), 25, add_text((bytes){0}, 1, "Add")), HY_UNSUPPORTED,
	               "m: a function of the model replaces a standard operator");
}

/* Takes two elements in a typed field and compares them with their dense form. */
static void expect_typed(bytes tensor, const void *dense, size_t length)
{
	bytes model = model_of(graph_with(tensor));
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	const hy_ir_value *w = hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"));
	assert_int_equal(w->length_bytes, length);
	assert_memory_equal(w->data, dense, length);
	hy_ir_graph_destroy(graph);
	free(model.at);
}

static void every_typed_field_is_read_packed_and_unpacked(void **state)
{
	(void)state;
	const double doubles[2] = {0.1, -1e300};
	expect_typed(add_float(add_float(tensor_head("w", 1, two), 4, 1.5f), 4, -2), weights, 8);
	expect_typed(add_data(tensor_head("w", 1, two), 4, weights, 8), weights, 8);
	expect_typed(add_data(tensor_head("w", 11, two), 10, doubles, 16), doubles, 16);
	expect_typed(add_data(tensor_head("w", 2, two), 5, "\x07\xff\x01", 3), (const uint8_t[]){7, 255}, 2);
	expect_typed(add_int(add_int(tensor_head("w", 3, two), 5, -128), 5, 127), (const int8_t[]){-128, 127}, 2);
	expect_typed(add_int(add_int(tensor_head("w", 4, two), 5, 0), 5, 65535), (const uint16_t[]){0, 65535}, 4);
	expect_typed(add_int(add_int(tensor_head("w", 5, two), 5, -1), 5, 1), (const int16_t[]){-1, 1}, 4);
	expect_typed(add_int(add_int(tensor_head("w", 6, two), 5, INT32_MIN), 5, 1), (const int32_t[]){INT32_MIN, 1},
	             8);
	expect_typed(add_int(add_int(tensor_head("w", 7, two), 7, INT64_MIN), 7, 1), (const int64_t[]){INT64_MIN, 1},
	             16);
	expect_typed(add_data(tensor_head("w", 9, two), 5, "\x00\x01", 2), (const uint8_t[]){0, 1}, 2);
	expect_typed(add_int(add_int(tensor_head("w", 10, two), 5, 0x3c00), 5, 1), (const uint16_t[]){0x3c00, 1}, 4);
	expect_typed(add_int(add_int(tensor_head("w", 12, two), 11, UINT32_MAX), 11, 1),
	             (const uint32_t[]){UINT32_MAX, 1}, 8);
	expect_typed(add_int(add_int(tensor_head("w", 13, two), 11, -1), 11, 1), (const uint64_t[]){UINT64_MAX, 1}, 16);
	expect_typed(add_int(add_int(tensor_head("w", 16, two), 5, 0x3f80), 5, 1), (const uint16_t[]){0x3f80, 1}, 4);
}

static void aligned_raw_data_is_used_where_it_lies_and_misaligned_is_copied(void **state)
{
	(void)state;
	bytes model = small_model();
	uint8_t *room = malloc(model.length + 8);
	uint32_t lent = 0;
	for (size_t shift = 0; shift < 4; shift++) {
		hy_ir_graph *graph;
		memcpy(room + shift, model.at, model.length);
		EXPECT_OK(hy_ir_onnx_parse("m", room + shift, model.length, &graph, &error));
		const hy_ir_value *w = hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"));
		assert_int_equal((uintptr_t)w->data % 4, 0);
		assert_memory_equal(w->data, weights, sizeof(weights));
		const uint8_t *data = w->data;
		lent += data >= room && data < room + model.length + 8;
		hy_ir_graph_destroy(graph);
	}
	assert_int_equal(lent, 1);
	free(room);
	free(model.at);
}

static bytes graph_of_nodes(uint32_t count, bytes *nodes)
{
	bytes graph = {0};
	for (uint32_t i = 0; i < count; i++)
		graph = add_message(graph, 1, nodes[i]);
	graph = add_message(graph, 11, value_info("x", 1, two));
	return add_message(graph, 12, value_info("y", 1, two));
}

#define NODES(...) graph_of_nodes(sizeof((bytes[]){__VA_ARGS__}) / sizeof(bytes), (bytes[]){__VA_ARGS__})

static void graphs_without_an_order_are_refused(void **state)
{
	(void)state;
	expect_refused(model_of(NODES(node_of("Add", "x b", "a"), node_of("Neg", "a", "b"), node_of("Neg", "b", "y"))),
	               HY_INVALID,
	               "m: node '' (Add): input 'b' is made by nothing before it (cyclic, unsorted or incomplete)");
	expect_refused(model_of(NODES(node_of("Add", "y y", "y"))), HY_INVALID,
	               "m: node '' (Add): input 'y' is made by nothing before it (cyclic, unsorted or incomplete)");
	expect_refused(model_of(NODES(node_of("Neg", "x", "y"), node_of("Neg", "x", "y"))), HY_INVALID,
	               "m: node '' (Neg): two values are named 'y'");
	expect_refused(model_of(NODES(node_of("Neg", "x", "x"))), HY_INVALID,
	               "m: node '' (Neg): two values are named 'x'");
	expect_refused(model_of(NODES(node_of("Split", "x", "y y"))), HY_INVALID,
	               "m: node '' (Split): two values are named 'y'");
	expect_refused(model_of(NODES(node_of("Neg", "x", "z"))), HY_INVALID, "m: graph output 'y' is made by nothing");
	expect_refused(model_of(NODES(node_of("", "x", "y"))), HY_INVALID, "m: node '' (): has no op_type");
	expect_refused(model_of(NODES(add_text(node_of("Odd", "x", "y"), 7, "far"))), HY_INVALID,
	               "m: node '' (Odd): its domain 'far' is not in the model's opset_import");
	bytes graph = add_message(NODES(node_of("Neg", "x", "y")), 11, value_info("x", 1, two));
	expect_refused(model_of(graph), HY_INVALID, "m: two values are named 'x'");
	graph = add_message(graph_with(small_tensor()), 5, small_tensor());
	expect_refused(model_of(graph), HY_INVALID, "m: two values are named 'w'");
	graph = add_message(graph_with(small_tensor()), 13, value_info("w", 6, two));
	expect_refused(model_of(graph), HY_INVALID, "m: value 'w' is declared as i32[2], but is f32[2]");
	expect_refused(model_of(add_message((bytes){0}, 1, node_of("Constant", "", "y"))), HY_INVALID,
	               "m: the graph has no output");
}

static void names_that_no_terminal_should_see_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t length;
		const char *says;
	} rows[] = {
		{"a\nb", 3, "m: name has a byte 0x0a at 1 that no UTF-8 name has"},
		{"a\0b", 3, "m: name has a byte 0x00 at 1 that no UTF-8 name has"},
		{"\x1b[2J", 4, "m: name has a byte 0x1b at 0 that no UTF-8 name has"},
		{"\xc0\x80", 2, "m: name has a byte 0xc0 at 0 that no UTF-8 name has"},
		{"\xed\xa0\x80", 3, "m: name has a byte 0xed at 0 that no UTF-8 name has"},
		{"\xe4\xb8", 2, "m: name has a byte 0xe4 at 0 that no UTF-8 name has"},
		{"\xc2\x9b", 2, "m: name has a byte 0xc2 at 0 that no UTF-8 name has"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes info = add_data((bytes){0}, 1, rows[i].name, rows[i].length);
		bytes graph = add_message(NODES(node_of("Neg", "x", "y")), 11, info);
		char says[128];
		snprintf(says, sizeof(says), "m: value '': %s", rows[i].says + 3);
		expect_refused(model_of(graph), HY_INVALID, says);
	}
	hy_ir_graph *graph;
	bytes model = model_of(add_message(NODES(node_of("Neg", "x", "y")), 11, add_text((bytes){0}, 1, "权重")));
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	hy_ir_graph_destroy(graph);
	free(model.at);
}

static bytes attr_of(const char *name, int64_t kind)
{
	return add_int(add_text((bytes){0}, 1, name), 20, kind);
}

static void expect_attr_refused(bytes attr, const char *says)
{
	char text[256];
	snprintf(text, sizeof(text), "m: node '' (Neg): attribute '%s", says);
	expect_refused(model_of(NODES(add_message(node_of("Neg", "x", "y"), 5, attr))), HY_INVALID, text);
}

static void broken_attributes_are_refused(void **state)
{
	(void)state;
	expect_attr_refused((bytes){0}, "': has no name");
	expect_attr_refused(attr_of("a", 99), "a': is of an unknown kind");
	expect_attr_refused(attr_of("a", 0), "a': has neither kind nor value");
	expect_attr_refused(attr_of("a", 4), "a': has no value");
	expect_attr_refused(add_float(attr_of("a", 2), 2, 1), "a': has a value of another kind than it says");
	expect_attr_refused(add_float(add_int(attr_of("a", 2), 3, 1), 2, 1), "a': has values of two kinds");
	expect_attr_refused(add_text(attr_of("a", 2), 21, "outer"), "a': refers to a function's attribute");
	expect_attr_refused(add_data(attr_of("a", 3), 4, "x\0y", 3), "a': its string holds a NUL byte");
	expect_attr_refused(add_int(attr_of("a", 3), 4, 1), "a': its string is stored in the wrong way");
	expect_attr_refused(add_data(attr_of("a", 6), 7, "12345", 5), "a': ends inside a number");
	expect_attr_refused(add_message(attr_of("a", 4), 5, tensor_head("t", 1, two)),
	                    "a': tensor 't': has 0 elements, but its shape needs 2");
	bytes node = add_message(node_of("Neg", "x", "y"), 5, add_int(attr_of("a", 2), 3, 1));
	node = add_message(node, 5, add_int(attr_of("a", 2), 3, 2));
	expect_refused(model_of(NODES(node)), HY_INVALID, "m: node '' (Neg): attribute 'a': is given twice");
}

static void every_kind_of_attribute_is_read(void **state)
{
	(void)state;
	bytes node = node_of("Neg", "x", "y");
	node = add_message(node, 5, add_float(attr_of("f", 1), 2, 0.5f));
	node = add_message(node, 5, add_int(attr_of("i", 2), 3, -7));
	node = add_message(node, 5, add_text(attr_of("s", 3), 4, "text"));
	node = add_message(node, 5, add_message(attr_of("t", 4), 5, small_tensor()));
	node = add_message(node, 5, add_data(add_float(attr_of("fs", 6), 7, 1), 7, weights, 8));
	node = add_message(node, 5, add_data(add_int(attr_of("is", 7), 8, -1), 8, "\x05\x06", 2));
	node = add_message(node, 5, add_text(add_text(attr_of("ss", 8), 9, "one"), 9, ""));
	node = add_message(node, 5, add_int(add_text((bytes){0}, 1, "old"), 3, 9)); /* IR version 1 has no kind */
	node = add_message(node, 5, attr_of("zero", 2));
	bytes model = model_of(NODES(node));
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	const hy_ir_node *read = hy_ir_graph_node(graph, 0);
	assert_true(hy_ir_node_attr_float(read, "f", 0) == 0.5f);
	assert_int_equal(hy_ir_node_attr_int(read, "i", 0), -7);
	assert_string_equal(hy_ir_node_attr_string(read, "s", ""), "text");
	assert_memory_equal(hy_ir_node_attr(read, "t")->tensor.data, weights, 8);
	assert_int_equal(hy_ir_node_attr(read, "fs")->count, 3);
	assert_true(hy_ir_node_attr(read, "fs")->floats[2] == -2);
	assert_int_equal(hy_ir_node_attr(read, "is")->count, 3);
	assert_int_equal(hy_ir_node_attr(read, "is")->ints[0], -1);
	assert_int_equal(hy_ir_node_attr(read, "is")->ints[2], 6);
	assert_string_equal(hy_ir_node_attr(read, "ss")->strings[0], "one");
	assert_int_equal(hy_ir_node_attr_int(read, "old", 0), 9);
	assert_int_equal(hy_ir_node_attr_int(read, "zero", 5), 0);
	hy_ir_graph_destroy(graph);
	free(model.at);
}

/* A graph in an If in a graph ..., `depth` of them. */
static bytes nested(uint32_t depth)
{
	bytes graph = {0};
	for (uint32_t i = 0; i < depth; i++) {
		bytes attr = add_message(attr_of("then_branch", 5), 6, graph);
		graph = add_message((bytes){0}, 1, add_message(node_of("If", "", "y"), 5, attr));
	}
	graph = add_message(graph, 11, value_info("x", 1, two));
	return model_of(add_message(graph, 12, value_info("y", 1, two)));
}

static void a_subgraph_leaves_a_node_without_operator(void **state)
{
	(void)state;
	bytes attr = add_message(attr_of("body", 5), 6, (bytes){0});
	bytes model = model_of(NODES(add_message(node_of("Neg", "x", "y"), 5, attr)));
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	assert_null(hy_ir_graph_node(graph, 0)->op);
	assert_int_equal(hy_ir_node_attr(hy_ir_graph_node(graph, 0), "body")->kind, 5);
	hy_ir_graph_destroy(graph);
	free(model.at);
	model = nested(64);
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	hy_ir_graph_destroy(graph);
	free(model.at);
}

static void ten_thousand_nested_graphs_are_refused(void **state)
{
	(void)state;
	expect_refused(nested(10000), HY_INVALID,
	               "m: node '' (If): attribute 'then_branch': nests graphs more than 64 deep");
	expect_refused(nested(66), HY_INVALID,
	               "m: node '' (If): attribute 'then_branch': nests graphs more than 64 deep");
}

static void an_input_with_an_initializer_is_a_constant(void **state)
{
	(void)state;
	bytes model = model_of(add_message(graph_with(small_tensor()), 11, value_info("w", 1, two)));
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	assert_int_equal(hy_ir_graph_input_count(graph), 1);
	assert_non_null(hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"))->data);
	hy_ir_graph_destroy(graph);
	free(model.at);
}

static void absent_inputs_and_unwanted_outputs_are_none(void **state)
{
	(void)state;
	bytes model = model_of(NODES(node_of("Odd", "x - x", "- y")));
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	const hy_ir_node *node = hy_ir_graph_node(graph, 0);
	assert_null(node->op);
	assert_int_equal(node->input_count, 3);
	assert_int_equal(node->inputs[1], HY_IR_NONE);
	assert_int_equal(node->outputs[0], HY_IR_NONE);
	hy_ir_graph_destroy(graph);
	free(model.at);
}

static void nodes_have_the_version_of_their_domain(void **state)
{
	(void)state;
	bytes model = add_int((bytes){0}, 1, 8);
	model = add_message(model, 8, add_int(add_text((bytes){0}, 1, "ai.onnx"), 2, 11));
	model = add_message(model, 8, add_int(add_text((bytes){0}, 1, "far"), 2, 3));
	model = add_message(model, 7,
	                    NODES(node_of("Neg", "x", "a"), add_text(node_of("Neg", "a", "b"), 7, "far"),
	                          add_text(node_of("Neg", "b", "y"), 7, "ai.onnx")));
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &graph, &error));
	assert_int_equal(hy_ir_graph_node(graph, 0)->version, 11);
	assert_int_equal(hy_ir_graph_node(graph, 1)->version, 3);
	assert_null(hy_ir_graph_node(graph, 1)->op);
	assert_string_equal(hy_ir_graph_node(graph, 2)->domain, "");
	assert_int_equal(hy_ir_graph_node(graph, 2)->version, 11);
	hy_ir_graph_destroy(graph);
	free(model.at);
}

static void symbolic_dimensions_have_names_to_bind(void **state)
{
	(void)state;
	bytes shape = add_message((bytes){0}, 1, add_text((bytes){0}, 2, "batch"));
	shape = add_message(shape, 1, add_int((bytes){0}, 1, -1));
	shape = add_message(shape, 1, (bytes){0});
	shape = add_message(shape, 1, add_int((bytes){0}, 1, 4));
	bytes type = add_message((bytes){0}, 1, add_message(add_int((bytes){0}, 1, 1), 2, shape));
	bytes graph = add_message((bytes){0}, 11, add_message(add_text((bytes){0}, 1, "x"), 2, type));
	graph = add_message(graph, 12, add_text((bytes){0}, 1, "x"));
	bytes model = model_of(graph);
	hy_ir_graph *read;
	EXPECT_OK(hy_ir_onnx_parse("m", model.at, model.length, &read, &error));
	const hy_ir_value *x = hy_ir_graph_value(read, hy_ir_graph_find(read, "x"));
	assert_string_equal(x->dim_names[0], "batch");
	assert_string_equal(x->dim_names[1], "x.1");
	assert_string_equal(x->dim_names[2], "x.2");
	assert_null(x->dim_names[3]);
	EXPECT_OK(hy_ir_graph_bind_dim(read, "x.1", 9, &error));
	assert_int_equal(hy_ir_graph_value(read, hy_ir_graph_find(read, "x"))->type.dim[1], 9);
	hy_ir_graph_destroy(read);
	free(model.at);
}

static void a_missing_file_and_a_folder_are_named(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	hy_ir_tensor tensor;
	EXPECT_STATUS(HY_NOT_FOUND, hy_ir_onnx_load("/nowhere/m.onnx", &graph, &error));
	assert_string_equal(error.text, "/nowhere/m.onnx: No such file or directory");
	EXPECT_STATUS(HY_INVALID, hy_ir_onnx_load("/", &graph, &error));
	assert_string_equal(error.text, "/: is not a regular file");
	EXPECT_STATUS(HY_INVALID, hy_ir_onnx_load("/dev/zero", &graph, &error));
	EXPECT_STATUS(HY_NOT_FOUND, hy_ir_onnx_load_tensor("/nowhere/t.pb", &tensor, &error));
	EXPECT_STATUS(HY_NOT_FOUND, hy_ir_onnx_load("/nowhere/m.onnx", &graph, NULL));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_small_model_is_what_its_bytes_say),
		CASE(a_model_cut_at_any_byte_is_refused),
		CASE(any_changed_byte_gives_a_safe_graph_or_a_refusal),
		CASE(what_is_no_model_is_refused),
		CASE(broken_wire_is_refused),
		CASE(tensors_whose_shape_lies_are_refused),
		CASE(tensors_beyond_the_room_are_unsupported),
		CASE(every_typed_field_is_read_packed_and_unpacked),
		CASE(aligned_raw_data_is_used_where_it_lies_and_misaligned_is_copied),
		CASE(graphs_without_an_order_are_refused),
		CASE(names_that_no_terminal_should_see_are_refused),
		CASE(broken_attributes_are_refused),
		CASE(every_kind_of_attribute_is_read),
		CASE(a_subgraph_leaves_a_node_without_operator),
		CASE(ten_thousand_nested_graphs_are_refused),
		CASE(an_input_with_an_initializer_is_a_constant),
		CASE(absent_inputs_and_unwanted_outputs_are_none),
		CASE(nodes_have_the_version_of_their_domain),
		CASE(symbolic_dimensions_have_names_to_bind),
		CASE(a_missing_file_and_a_folder_are_named),
	};
	return cmocka_run_group_tests_name("ir.onnx_read", cases, NULL, NULL);
}
