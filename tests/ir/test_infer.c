#include "one_node.h"

static void unknown_parts_stay_unknown(void **state)
{
	(void)state;
	expect_types("Add", INPUTS(TYPE(F32, -1, 1), TYPE(F32, 4)), NO_ATTRS, OUTPUTS(TYPE(F32, -1, 4)));
	expect_types("Add", INPUTS(TYPE(F32, -1), TYPE(F32, 1)), NO_ATTRS, OUTPUTS(TYPE(F32, -1)));
	expect_types("Relu", INPUTS(UNKNOWN), NO_ATTRS, OUTPUTS(UNKNOWN));
	expect_types("Conv", INPUTS(TYPE(F32, -1, 3, -1, 8), TYPE(F32, 16, 3, 3, 3)), NO_ATTRS,
	             OUTPUTS(TYPE(F32, -1, 16, -1, 6)));
	expect_types("Reshape", INPUTS(TYPE(F32, -1, 4), TYPE(I64, 3)), NO_ATTRS, OUTPUTS(TYPE(F32, -1, -1, -1)));
	expect_types("Flatten", INPUTS(TYPE(F32, -1, 4, 5)), NO_ATTRS, OUTPUTS(TYPE(F32, -1, 20)));
	expect_types("ReduceSum", INPUTS(TYPE(F32, 2, 1), TYPE(I64, 1)), NO_ATTRS, OUTPUTS(TYPE(F32, -1, 1)));
	expect_types("Concat", INPUTS(TYPE(F32, -1, 4), TYPE(F32, 2, -1)), ATTRS(hy_ir_attr_int("axis", 0)),
	             OUTPUTS(TYPE(F32, -1, 4)));
}

static void an_unknown_dim_beside_a_large_one_broadcasts_to_it(void **state)
{
	(void)state;
	expect_types("Mul", INPUTS(TYPE(F32, -1, 3), TYPE(F32, 5, 1)), NO_ATTRS, OUTPUTS(TYPE(F32, 5, 3)));
}

static void numbers_that_are_known_decide_shapes(void **state)
{
	(void)state;
	expect_types("Reshape", INPUTS(TYPE(F32, 2, 3, 4), I64(DIMS(3), 0, -1, 2)), NO_ATTRS,
	             OUTPUTS(TYPE(F32, 2, 6, 2)));
	expect_types("Reshape", INPUTS(TYPE(F32, -1, 3, 4), I64(DIMS(2), 0, 12)), NO_ATTRS, OUTPUTS(TYPE(F32, -1, 12)));
	expect_types("Slice",
	             INPUTS(TYPE(F32, -1, 10), I64(DIMS(1), -3), I64(DIMS(1), INT64_MAX), I64(DIMS(1), 1), ABSENT),
	             NO_ATTRS, OUTPUTS(TYPE(F32, -1, 3)));
	expect_types("Tile", INPUTS(TYPE(I8, 2, 3), I64(DIMS(2), 4, 1)), NO_ATTRS, OUTPUTS(TYPE(I8, 8, 3)));
	expect_types("Resize", INPUTS(TYPE(F32, 1, 3, 10, 10), ABSENT, F32(DIMS(4), 1, 1, 2, 0.7f)), NO_ATTRS,
	             OUTPUTS(TYPE(F32, 1, 3, 20, 7)));
	expect_types("TopK", INPUTS(TYPE(F16, 4, 9), I64(DIMS(1), 5)), NO_ATTRS,
	             OUTPUTS(TYPE(F16, 4, 5), TYPE(I64, 4, 5)));
}

static void a_last_window_in_the_padding_behind_is_left_out(void **state)
{
	(void)state;
	expect_types("MaxPool", INPUTS(TYPE(F32, 1, 1, 2)),
	             ATTRS(hy_ir_attr_ints("kernel_shape", 1, (int64_t[]){1}),
	                   hy_ir_attr_ints("strides", 1, (int64_t[]){2}), hy_ir_attr_int("ceil_mode", 1)),
	             OUTPUTS(TYPE(F32, 1, 1, 1)));
}

static void types_that_do_not_go_together_are_refused(void **state)
{
	(void)state;
	expect_refusal("Add", INPUTS(TYPE(F32, 2), TYPE(F64, 2)), NO_ATTRS, HY_INVALID,
	               "input 0 is f32 and input 1 is f64, they must be the same");
	expect_refusal("Add", INPUTS(TYPE(F32, 2), TYPE(F32, 3)), NO_ATTRS, HY_INVALID,
	               "input 1, f32[3], does not broadcast with f32[2]");
	expect_refusal("Sqrt", INPUTS(TYPE(I32, 2)), NO_ATTRS, HY_INVALID, "it does not take i32");
	expect_refusal("Equal", INPUTS(TYPE(F32, 2), TYPE(STRING, 2)), NO_ATTRS, HY_UNSUPPORTED,
	               "input 1 holds strings, which have no evaluator");
	expect_refusal("Add", INPUTS(TYPE(F32, 2)), NO_ATTRS, HY_INVALID, "1 inputs, it takes 2 to 2");
	expect_refusal("Add", INPUTS(TYPE(F32, 2), ABSENT), NO_ATTRS, HY_INVALID, "input 1 is missing");
}

static void windows_and_channels_are_checked(void **state)
{
	(void)state;
	const hy_ir_tensor x = TYPE(F32, 1, 4, 8, 8), w = TYPE(F32, 6, 4, 3, 3);
	expect_refusal("Conv", INPUTS(TYPE(F32, 1, 3, 8, 8), w), NO_ATTRS, HY_INVALID,
	               "the input has 3 channels, the weights are for 4");
	expect_refusal("Conv", INPUTS(x, w, TYPE(F32, 5)), NO_ATTRS, HY_INVALID,
	               "the bias must be a list of 6 numbers, one per output channel");
	expect_refusal("Conv", INPUTS(x, TYPE(F32, 6, 1, 3, 3)), ATTRS(hy_ir_attr_int("group", 4)), HY_INVALID,
	               "6 channels do not split into 4 groups");
	expect_refusal("Conv", INPUTS(x, w), ATTRS(hy_ir_attr_ints("strides", 2, (int64_t[]){0, 1})), HY_INVALID,
	               "attribute strides: 0 is out of range");
	expect_refusal("Conv", INPUTS(x, w), ATTRS(hy_ir_attr_ints("pads", 2, (int64_t[]){1, 1})), HY_INVALID,
	               "attribute pads has 2 numbers, 4 are needed");
	expect_refusal("MaxPool", INPUTS(x), ATTRS(hy_ir_attr_ints("kernel_shape", 2, (int64_t[]){9, 1})), HY_INVALID,
	               "the window, 9 long, is longer than the padded spatial axis 0");
	expect_refusal("MaxPool", INPUTS(x), NO_ATTRS, HY_INVALID, "attribute kernel_shape is missing");
	expect_refusal(
		"AveragePool", INPUTS(x),
		ATTRS(hy_ir_attr_ints("kernel_shape", 2, (int64_t[]){1, 1}), hy_ir_attr_string("auto_pad", "SAME")),
		HY_INVALID, "attribute auto_pad is 'SAME'");
}

static void axes_and_shapes_are_checked(void **state)
{
	(void)state;
	const hy_ir_tensor x = TYPE(F32, 2, 3);
	expect_refusal("Softmax", INPUTS(x), ATTRS(hy_ir_attr_int("axis", 2)), HY_INVALID,
	               "axis 2 is not an axis of rank 2");
	expect_refusal("Split", INPUTS(x), ATTRS(hy_ir_attr_int("axis", 5)), HY_INVALID,
	               "axis 5 is not an axis of rank 2");
	expect_refusal("ReduceSum", INPUTS(x, I64(DIMS(2), 1, -1)), NO_ATTRS, HY_INVALID, "axis 1 is named twice");
	expect_refusal("Reshape", INPUTS(x, I64(DIMS(2), 4, -1)), NO_ATTRS, HY_INVALID,
	               "f32[2,3] has not the elements of f32[4,?]");
	expect_refusal("Reshape", INPUTS(x, I64(DIMS(2), -1, -1)), NO_ATTRS, HY_INVALID, "the shape has two -1");
	expect_refusal("Squeeze", INPUTS(x, I64(DIMS(1), 0)), NO_ATTRS, HY_INVALID, "axis 0 has 2 elements, not 1");
	expect_refusal("Transpose", INPUTS(x), ATTRS(hy_ir_attr_ints("perm", 1, (int64_t[]){0})), HY_INVALID,
	               "1 axes where 2 are needed");
	expect_refusal("Split", INPUTS(x, I64(DIMS(1), 3)), NO_ATTRS, HY_INVALID,
	               "the lengths add up to 3, the axis has 2");
	expect_refusal("MatMul", INPUTS(x, x), NO_ATTRS, HY_INVALID, "the matrices share a dimension that is 3 and 2");
	expect_refusal("Slice", INPUTS(x, I64(DIMS(1), 0), I64(DIMS(1), 1), I64(DIMS(1), 0), I64(DIMS(1), 0)), NO_ATTRS,
	               HY_INVALID, "the step of axis 0 is 0");
}

static void dims_that_overflow_are_refused(void **state)
{
	(void)state;
	expect_refusal("Tile", INPUTS(TYPE(F32, 1 << 30), I64(DIMS(1), INT64_MAX)), NO_ATTRS, HY_INVALID,
	               "dimension 0 overflows");
	expect_refusal("Expand", INPUTS(TYPE(F32, 1), I64(DIMS(2), (int64_t)1 << 40, (int64_t)1 << 40)), NO_ATTRS,
	               HY_INVALID, "output 0 has dimensions whose product overflows 63 bits");
	expect_refusal("Concat", INPUTS(TYPE(I8, INT64_MAX), TYPE(I8, INT64_MAX)), ATTRS(hy_ir_attr_int("axis", 0)),
	               HY_INVALID, "the lengths add up to more than 63 bits");
	expect_refusal("Range", INPUTS(F32(SCALAR, 0), F32(SCALAR, 1), F32(SCALAR, 0)), NO_ATTRS, HY_INVALID,
	               "start, limit and delta give no length");
}

static void an_unknown_operator_is_unsupported(void **state)
{
	(void)state;
	expect_refusal("Einsum", INPUTS(TYPE(F32, 1)), NO_ATTRS, HY_UNSUPPORTED, "the IR does not know Einsum");
}

static const hy_ir_type batch_of_images = {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {2, 3, 4, 4}};

static uint32_t add_input(hy_ir_graph *graph, const hy_ir_type *type)
{
	uint32_t x;
	EXPECT_OK(hy_ir_build_input(graph, "x", type, NULL, &x, &error));
	return x;
}

static uint32_t add_ints(hy_ir_graph *graph, uint32_t rank, int64_t number)
{
	uint32_t value;
	const hy_ir_type type = {.dtype = HY_DTYPE_I64, .rank = rank, .dim = {rank}};
	EXPECT_OK(hy_ir_build_constant(graph, "k", &type, &number, &value, &error));
	return value;
}

/* Reshape(x, Concat(Gather(Shape(x), 0), -1)), as exporters write Flatten. */
static void shapes_computed_in_the_graph_are_known(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	uint32_t shape, batch, row, target, y;
	char text[64];
	EXPECT_OK(hy_ir_graph_create("g", &graph, &error));
	const uint32_t x = add_input(graph, &batch_of_images);
	const uint32_t zero = add_ints(graph, 0, 0), first = add_ints(graph, 1, 0), rest = add_ints(graph, 1, -1);
	const hy_ir_attr axis = hy_ir_attr_int("axis", 0);
	EXPECT_OK(hy_ir_build_op(graph, "Shape", "shape", 1, &x, 0, NULL, &shape, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Gather", "batch", 2, (uint32_t[]){shape, zero}, 0, NULL, &batch, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Unsqueeze", "row", 2, (uint32_t[]){batch, first}, 0, NULL, &row, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Concat", "target", 2, (uint32_t[]){row, rest}, 1, &axis, &target, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Reshape", "y", 2, (uint32_t[]){x, target}, 0, NULL, &y, &error));
	EXPECT_OK(hy_ir_build_output(graph, y, &error));
	EXPECT_OK(hy_ir_infer_graph(graph, &error));
	assert_string_equal(hy_ir_type_print(&hy_ir_graph_value(graph, y)->type, text, sizeof(text)), "f32[2,48]");
	hy_ir_graph_destroy(graph);
}

static void what_the_model_declares_is_kept_or_refused(void **state)
{
	(void)state;
	hy_ir_graph *graph;
	uint32_t node, y;
	char text[64];
	const hy_ir_type open = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {-1, 3}};
	const hy_ir_type declared = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {5, -1}};
	const hy_ir_type wrong = {.dtype = HY_DTYPE_F32, .rank = 2, .dim = {5, 4}};
	for (int contradicts = 0; contradicts < 2; contradicts++) {
		EXPECT_OK(hy_ir_graph_create("g", &graph, &error));
		const uint32_t x = add_input(graph, &open);
		EXPECT_OK(hy_ir_build_value(graph, "y", contradicts ? &wrong : &declared, &y, &error));
		const hy_ir_node_options relu = {
			.type = "Relu", .input_count = 1, .inputs = &x, .output_count = 1, .outputs = &y};
		EXPECT_OK(hy_ir_build_node(graph, &relu, &node, &error));
		EXPECT_OK(hy_ir_build_output(graph, y, &error));
		if (contradicts) {
			EXPECT_STATUS(HY_INVALID, hy_ir_infer_graph(graph, &error));
			assert_string_equal(error.text,
			                    "Relu 'y': output 'y' is f32[?,3], the model declares f32[5,4]");
		} else {
			EXPECT_OK(hy_ir_infer_graph(graph, &error));
			assert_string_equal(hy_ir_type_print(&hy_ir_graph_value(graph, y)->type, text, sizeof(text)),
			                    "f32[5,3]");
		}
		hy_ir_graph_destroy(graph);
	}
}

/* A region of Relu, with no types in its body. */
static void bodies_of_regions_are_inferred(void **state)
{
	(void)state;
	hy_ir_graph *graph, *body;
	uint32_t inner, inner_y, node, y;
	char text[64];
	EXPECT_OK(hy_ir_graph_create("body", &body, &error));
	EXPECT_OK(hy_ir_build_input(body, "a", NULL, NULL, &inner, &error));
	EXPECT_OK(hy_ir_build_op(body, "Relu", "b", 1, &inner, 0, NULL, &inner_y, &error));
	EXPECT_OK(hy_ir_build_output(body, inner_y, &error));
	EXPECT_OK(hy_ir_graph_create("g", &graph, &error));
	const uint32_t x = add_input(graph, &batch_of_images);
	EXPECT_OK(hy_ir_build_value(graph, "y", NULL, &y, &error));
	const hy_ir_node_options region = {.domain = HY_IR_DOMAIN,
	                                   .type = HY_IR_REGION,
	                                   .input_count = 1,
	                                   .inputs = &x,
	                                   .output_count = 1,
	                                   .outputs = &y,
	                                   .take_body = body};
	EXPECT_OK(hy_ir_build_node(graph, &region, &node, &error));
	EXPECT_OK(hy_ir_build_output(graph, y, &error));
	EXPECT_OK(hy_ir_infer_graph(graph, &error));
	assert_string_equal(hy_ir_type_print(&hy_ir_graph_value(graph, y)->type, text, sizeof(text)), "f32[2,3,4,4]");
	const hy_ir_graph *in_place = hy_ir_graph_node(graph, node)->body;
	assert_string_equal(hy_ir_type_print(&hy_ir_graph_value(in_place, inner_y)->type, text, sizeof(text)),
	                    "f32[2,3,4,4]");
	hy_ir_graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(unknown_parts_stay_unknown),
		CASE(an_unknown_dim_beside_a_large_one_broadcasts_to_it),
		CASE(numbers_that_are_known_decide_shapes),
		CASE(a_last_window_in_the_padding_behind_is_left_out),
		CASE(types_that_do_not_go_together_are_refused),
		CASE(windows_and_channels_are_checked),
		CASE(axes_and_shapes_are_checked),
		CASE(dims_that_overflow_are_refused),
		CASE(an_unknown_operator_is_unsupported),
		CASE(shapes_computed_in_the_graph_are_known),
		CASE(what_the_model_declares_is_kept_or_refused),
		CASE(bodies_of_regions_are_inferred),
	};
	return cmocka_run_group_tests_name("ir.infer", cases, NULL, NULL);
}
