/* Expectations are those of ONNX Runtime 1.31, or of the ONNX specification where it refuses. */
#include "one_node.h"

static void transpose_permutes_or_reverses(void **state)
{
	(void)state;
	expect_node("Transpose", INPUTS(F32(DIMS(2, 3, 2), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
	            ATTRS(hy_ir_attr_ints("perm", 3, (int64_t[]){1, 2, 0})),
	            OUTPUTS(F32(DIMS(3, 2, 2), 0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11)));
	expect_node("Transpose", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3, 2), 0, 3, 1, 4, 2, 5)));
}

static void concat_joins_along_its_axis(void **state)
{
	(void)state;
	expect_node("Concat", INPUTS(F32(DIMS(2, 1), 0, 1), F32(DIMS(2, 2), 0, 1, 2, 3)),
	            ATTRS(hy_ir_attr_int("axis", -1)), OUTPUTS(F32(DIMS(2, 3), 0, 0, 1, 1, 2, 3)));
}

static void split_gives_the_last_of_num_outputs_the_rest(void **state)
{
	(void)state;
	expect_node("Split", INPUTS(F32(DIMS(5), 0, 1, 2, 3, 4)), ATTRS(hy_ir_attr_int("num_outputs", 2)),
	            OUTPUTS(F32(DIMS(3), 0, 1, 2), F32(DIMS(2), 3, 4)));
}

static void split_takes_lengths_as_an_input(void **state)
{
	(void)state;
	expect_node("Split", INPUTS(F32(DIMS(2, 4), 0, 1, 2, 3, 4, 5, 6, 7), I64(DIMS(2), 1, 3)),
	            ATTRS(hy_ir_attr_int("axis", 1)),
	            OUTPUTS(F32(DIMS(2, 1), 0, 4), F32(DIMS(2, 3), 1, 2, 3, 5, 6, 7)));
}

static void slice_clamps_and_goes_backwards(void **state)
{
	(void)state;
	expect_node("Slice",
	            INPUTS(F32(DIMS(3, 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), I64(DIMS(2), -1, 0),
	                   I64(DIMS(2), -100, 3), I64(DIMS(2), 0, 1), I64(DIMS(2), -2, 2)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(2, 2), 8, 10, 0, 2)));
	expect_node("Slice",
	            INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(DIMS(1), 1), I64(DIMS(1), 9223372036854775807),
	                   I64(DIMS(1), -1)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(2, 2), 1, 2, 4, 5)));
	expect_node("Slice", INPUTS(F32(DIMS(5), 0, 1, 2, 3, 4), I64(DIMS(1), 1), I64(DIMS(1), -1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3), 1, 2, 3)));
	expect_node("Slice",
	            INPUTS(F32(DIMS(5), 0, 1, 2, 3, 4), I64(DIMS(1), -2), I64(DIMS(1), -5), I64(DIMS(1), 0),
	                   I64(DIMS(1), -1)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(3), 3, 2, 1)));
}

static void gather_counts_negative_indices_from_the_end(void **state)
{
	(void)state;
	expect_node("Gather", INPUTS(F32(DIMS(3, 2), 0, 1, 2, 3, 4, 5), I64(DIMS(1, 2), 0, -1)),
	            ATTRS(hy_ir_attr_int("axis", 0)), OUTPUTS(F32(DIMS(1, 2, 2), 0, 1, 4, 5)));
	expect_node("Gather", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(DIMS(2), 2, 0)),
	            ATTRS(hy_ir_attr_int("axis", 1)), OUTPUTS(F32(DIMS(2, 2), 2, 0, 5, 3)));
}

static void gather_elements_picks_one_by_one(void **state)
{
	(void)state;
	expect_node("GatherElements", INPUTS(F32(DIMS(3, 2), 0, 1, 2, 3, 4, 5), I64(DIMS(2, 2), 2, -3, 0, 1)),
	            ATTRS(hy_ir_attr_int("axis", 0)), OUTPUTS(F32(DIMS(2, 2), 4, 1, 0, 3)));
}

static void gather_nd_takes_tuples_and_batches(void **state)
{
	(void)state;
	expect_node("GatherND", INPUTS(F32(DIMS(2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7), I64(DIMS(2, 2), 0, 1, 1, 0)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(2, 2), 2, 3, 4, 5)));
	expect_node("GatherND", INPUTS(F32(DIMS(2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7), I64(DIMS(2, 1), 1, 0)),
	            ATTRS(hy_ir_attr_int("batch_dims", 1)), OUTPUTS(F32(DIMS(2, 2), 2, 3, 4, 5)));
}

static void depth_to_space_orders_blocks_by_mode(void **state)
{
	(void)state;
	expect_node("DepthToSpace", INPUTS(F32(DIMS(1, 8, 1, 2), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
	            ATTRS(hy_ir_attr_int("blocksize", 2)),
	            OUTPUTS(F32(DIMS(1, 2, 2, 4), 0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15)));
	expect_node("DepthToSpace", INPUTS(F32(DIMS(1, 8, 1, 2), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
	            ATTRS(hy_ir_attr_int("blocksize", 2), hy_ir_attr_string("mode", "CRD")),
	            OUTPUTS(F32(DIMS(1, 2, 2, 4), 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15)));
}

static void space_to_depth_is_the_way_back(void **state)
{
	(void)state;
	expect_node("SpaceToDepth", INPUTS(F32(DIMS(1, 1, 2, 4), 0, 1, 2, 3, 4, 5, 6, 7)),
	            ATTRS(hy_ir_attr_int("blocksize", 2)), OUTPUTS(F32(DIMS(1, 4, 1, 2), 0, 2, 1, 3, 4, 6, 5, 7)));
}

static void pad_adds_and_takes_away_on_named_axes(void **state)
{
	(void)state;
	expect_node("Pad",
	            INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(DIMS(2), 1, -1), F32(SCALAR, 9), I64(DIMS(1), 1)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(2, 3), 9, 0, 1, 9, 3, 4)));
	expect_node("Pad", INPUTS(F32(DIMS(2, 2), 1, 2, 3, 4), I64(DIMS(4), 1, 0, 1, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(4, 3), 0, 0, 0, 1, 2, 0, 3, 4, 0, 0, 0, 0)));
}

static void pad_reflects_and_repeats_edges(void **state)
{
	(void)state;
	expect_node("Pad", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(DIMS(4), 0, 2, 1, 2)),
	            ATTRS(hy_ir_attr_string("mode", "reflect")),
	            OUTPUTS(F32(DIMS(3, 7), 2, 1, 0, 1, 2, 1, 0, 5, 4, 3, 4, 5, 4, 3, 2, 1, 0, 1, 2, 1, 0)));
	expect_node("Pad", INPUTS(F32(DIMS(2, 2), 0, 1, 2, 3), I64(DIMS(4), 1, 1, 0, 0)),
	            ATTRS(hy_ir_attr_string("mode", "edge")), OUTPUTS(F32(DIMS(3, 3), 0, 0, 1, 0, 0, 1, 2, 2, 3)));
}

static void expand_and_tile_repeat(void **state)
{
	(void)state;
	expect_node("Expand", INPUTS(F32(DIMS(3, 1), 0, 1, 2), I64(DIMS(3), 2, 1, 2)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 3, 2), 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2)));
	expect_node("Tile", INPUTS(F32(DIMS(2, 1), 0, 1), I64(DIMS(2), 2, 3)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(4, 3), 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1)));
}

static void trilu_keeps_a_triangle(void **state)
{
	(void)state;
	expect_node("Trilu", INPUTS(F32(DIMS(3, 3), 0, 1, 2, 3, 4, 5, 6, 7, 8), I64(SCALAR, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(3, 3), 0, 1, 2, 0, 0, 5, 0, 0, 0)));
	expect_node("Trilu", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(SCALAR, -1)),
	            ATTRS(hy_ir_attr_int("upper", 0)), OUTPUTS(F32(DIMS(2, 3), 0, 0, 0, 3, 0, 0)));
}

static void views_keep_the_bytes(void **state)
{
	(void)state;
	expect_node("Reshape", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), I64(DIMS(3), 0, -1, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 3, 1), 0, 1, 2, 3, 4, 5)));
	expect_node("Squeeze", INPUTS(F32(DIMS(1, 2, 1), 0, 1), I64(DIMS(1), -1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 2), 0, 1)));
	expect_node("Squeeze", INPUTS(F32(DIMS(1, 2, 1), 0, 1)), NO_ATTRS, OUTPUTS(F32(DIMS(2), 0, 1)));
	expect_node("Unsqueeze", INPUTS(F32(DIMS(2), 0, 1), I64(DIMS(2), 2, 0)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 2, 1), 0, 1)));
	expect_node("Flatten", INPUTS(F32(DIMS(2, 1, 3), 0, 1, 2, 3, 4, 5)), ATTRS(hy_ir_attr_int("axis", 2)),
	            OUTPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5)));
}

static void sources_make_values(void **state)
{
	(void)state;
	expect_node("Shape",
	            INPUTS(F32(DIMS(2, 3, 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
	                       21, 22, 23)),
	            ATTRS(hy_ir_attr_int("start", -2)), OUTPUTS(I64(DIMS(2), 3, 4)));
	expect_node("Range", INPUTS(F32(SCALAR, 1), F32(SCALAR, 2), F32(SCALAR, 0.30000001)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(4), 1, 1.3, 1.5999999, 1.8999999)));
	expect_node("Range", INPUTS(I64(SCALAR, 10), I64(SCALAR, 4), I64(SCALAR, -2)), NO_ATTRS,
	            OUTPUTS(I64(DIMS(3), 10, 8, 6)));
	expect_node("ConstantOfShape", INPUTS(I64(DIMS(2), 2, 1)), NO_ATTRS, OUTPUTS(F32(DIMS(2, 1), 0, 0)));
}

static void an_index_outside_is_refused(void **state)
{
	(void)state;
	one_node n;
	const hy_ir_tensor in[] = {F32(DIMS(3), 1, 2, 3), I64(DIMS(2), 0, 3)}, out = F32(DIMS(2), 0, 0);
	make_node(&n, "Gather", 2, in, NO_ATTRS, 1);
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_node(&n.node, in, &out, &error));
	assert_string_equal(error.text, "Gather 'it': index 3 at element 1 is not within 3");
	const hy_ir_tensor tuple[] = {F32(DIMS(3), 1, 2, 3), I64(DIMS(1, 1), -4)}, one = F32(DIMS(1), 0);
	make_node(&n, "GatherND", 2, tuple, NO_ATTRS, 1);
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_node(&n.node, tuple, &one, &error));
	const hy_ir_tensor element[] = {F32(DIMS(3), 1, 2, 3), I64(DIMS(1), INT64_MIN)};
	make_node(&n, "GatherElements", 2, element, NO_ATTRS, 1);
	EXPECT_STATUS(HY_INVALID, hy_ir_eval_node(&n.node, element, &one, &error));
}

static void empty_tensors_pass_through(void **state)
{
	(void)state;
	expect_node("Concat", INPUTS(EMPTY(F32, 0, 2), F32(DIMS(1, 2), 1, 2)), ATTRS(hy_ir_attr_int("axis", 0)),
	            OUTPUTS(F32(DIMS(1, 2), 1, 2)));
	expect_node("Slice", INPUTS(F32(DIMS(2), 1, 2), I64(DIMS(1), 2), I64(DIMS(1), 5)), NO_ATTRS,
	            OUTPUTS(EMPTY(F32, 0)));
	expect_node("Transpose", INPUTS(EMPTY(F32, 2, 0, 3)), NO_ATTRS, OUTPUTS(EMPTY(F32, 3, 0, 2)));
	expect_node("Range", INPUTS(I64(SCALAR, 4), I64(SCALAR, 4), I64(SCALAR, 1)), NO_ATTRS, OUTPUTS(EMPTY(I64, 0)));
}

static void dropout_that_draws_nothing_is_a_copy_with_a_full_mask(void **state)
{
	(void)state;
	expect_node("Dropout", INPUTS(F32(DIMS(2), 1, 2), F32(SCALAR, 0.5f)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2), 1, 2), BOOL(DIMS(2), 1, 1)));
	expect_node("Dropout", INPUTS(F32(DIMS(2), 1, 2), F32(SCALAR, 0), BOOL(SCALAR, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2), 1, 2), BOOL(DIMS(2), 1, 1)));
	one_node n;
	const hy_ir_tensor in[] = {F32(DIMS(1), 1), ABSENT, BOOL(SCALAR, 1)}, out = F32(DIMS(1), 0);
	make_node(&n, "Dropout", 3, in, NO_ATTRS, 1);
	EXPECT_STATUS(HY_UNSUPPORTED, hy_ir_eval_node(&n.node, in, &out, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(transpose_permutes_or_reverses),
		CASE(concat_joins_along_its_axis),
		CASE(split_gives_the_last_of_num_outputs_the_rest),
		CASE(split_takes_lengths_as_an_input),
		CASE(slice_clamps_and_goes_backwards),
		CASE(gather_counts_negative_indices_from_the_end),
		CASE(gather_elements_picks_one_by_one),
		CASE(gather_nd_takes_tuples_and_batches),
		CASE(depth_to_space_orders_blocks_by_mode),
		CASE(space_to_depth_is_the_way_back),
		CASE(pad_adds_and_takes_away_on_named_axes),
		CASE(pad_reflects_and_repeats_edges),
		CASE(expand_and_tile_repeat),
		CASE(trilu_keeps_a_triangle),
		CASE(views_keep_the_bytes),
		CASE(sources_make_values),
		CASE(an_index_outside_is_refused),
		CASE(empty_tensors_pass_through),
		CASE(dropout_that_draws_nothing_is_a_copy_with_a_full_mask),
	};
	return cmocka_run_group_tests_name("ir.eval_move", cases, NULL, NULL);
}
