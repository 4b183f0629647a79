/* Expectations are those of ONNX Runtime 1.31, or of the ONNX specification where it refuses. */
#include "one_node.h"

static void nearest_rounds_by_its_mode(void **state)
{
	(void)state;
	expect_node(
		"Resize", INPUTS(F32(DIMS(1, 1, 2, 2), 1, 2, 3, 4), ABSENT, F32(DIMS(4), 1, 1, 2, 3)),
		ATTRS(hy_ir_attr_string("mode", "nearest")),
		OUTPUTS(F32(DIMS(1, 1, 4, 6), 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4)));
	expect_node("Resize",
	            INPUTS(F32(DIMS(1, 1, 1, 8), 0, 1, 2, 3, 4, 5, 6, 7), ABSENT, F32(DIMS(4), 1, 1, 1, 0.75)),
	            ATTRS(hy_ir_attr_string("mode", "nearest"), hy_ir_attr_string("nearest_mode", "floor"),
	                  hy_ir_attr_string("coordinate_transformation_mode", "asymmetric")),
	            OUTPUTS(F32(DIMS(1, 1, 1, 6), 0, 1, 2, 4, 5, 6)));
	expect_node("Resize", INPUTS(F32(DIMS(4), 0, 1, 2, 3), ABSENT, ABSENT, I64(DIMS(1), 7)),
	            ATTRS(hy_ir_attr_string("mode", "nearest"), hy_ir_attr_string("nearest_mode", "ceil")),
	            OUTPUTS(F32(DIMS(7), 0, 1, 1, 2, 3, 3, 3)));
	expect_node("Resize", INPUTS(F32(DIMS(4), 0, 1, 2, 3), ABSENT, ABSENT, I64(DIMS(1), 6)),
	            ATTRS(hy_ir_attr_string("mode", "nearest"), hy_ir_attr_string("nearest_mode", "round_prefer_ceil"),
	                  hy_ir_attr_string("coordinate_transformation_mode", "align_corners")),
	            OUTPUTS(F32(DIMS(6), 0, 1, 1, 2, 2, 3)));
}

static void linear_weighs_neighbours(void **state)
{
	(void)state;
	expect_node("Resize", INPUTS(F32(DIMS(1, 1, 2, 2), 1, 2, 3, 4), ABSENT, F32(DIMS(4), 1, 1, 2, 2)),
	            ATTRS(hy_ir_attr_string("mode", "linear")),
	            OUTPUTS(F32(DIMS(1, 1, 4, 4), 1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25,
	                        3.75, 4)));
	expect_node("Resize", INPUTS(F32(DIMS(1, 1, 2, 2), 1, 2, 3, 4), ABSENT, F32(DIMS(1), 2)),
	            ATTRS(hy_ir_attr_string("mode", "linear"), hy_ir_attr_ints("axes", 1, (int64_t[]){3})),
	            OUTPUTS(F32(DIMS(1, 1, 2, 4), 1, 1.25, 1.75, 2, 3, 3.25, 3.75, 4)));
}

static void coordinates_are_mapped_by_their_mode(void **state)
{
	(void)state;
	expect_node("Resize", INPUTS(F32(DIMS(4), 1, 2, 4, 8), ABSENT, ABSENT, I64(DIMS(1), 3)),
	            ATTRS(hy_ir_attr_string("mode", "linear"),
	                  hy_ir_attr_string("coordinate_transformation_mode", "align_corners")),
	            OUTPUTS(F32(DIMS(3), 1, 3, 8)));
	expect_node("Resize", INPUTS(F32(DIMS(4), 1, 2, 4, 8), ABSENT, ABSENT, I64(DIMS(1), 1)),
	            ATTRS(hy_ir_attr_string("mode", "linear"),
	                  hy_ir_attr_string("coordinate_transformation_mode", "pytorch_half_pixel")),
	            OUTPUTS(F32(DIMS(1), 1)));
	expect_node("Resize", INPUTS(F32(DIMS(4), 1, 2, 4, 8), ABSENT, F32(DIMS(1), 0.69999999)),
	            ATTRS(hy_ir_attr_string("mode", "linear"),
	                  hy_ir_attr_string("coordinate_transformation_mode", "half_pixel_symmetric")),
	            OUTPUTS(F32(DIMS(2), 1.7857143, 4.8571429)));
}

static void cubic_weighs_four_elements(void **state)
{
	(void)state;
	expect_node("Resize", INPUTS(F32(DIMS(4), 1, 2, 4, 8), ABSENT, ABSENT, I64(DIMS(1), 6)),
	            ATTRS(hy_ir_attr_string("mode", "cubic")),
	            OUTPUTS(F32(DIMS(6), 0.91319484, 1.3125, 2.3044016, 3.3831019, 6.1875, 8.3472252)));
}

static void exclude_outside_leaves_the_border_out(void **state)
{
	(void)state;
	expect_node("Resize", INPUTS(F32(DIMS(4), 1, 2, 4, 8), ABSENT, ABSENT, I64(DIMS(1), 6)),
	            ATTRS(hy_ir_attr_string("mode", "cubic"), hy_ir_attr_float("cubic_coeff_a", -0.5f),
	                  hy_ir_attr_int("exclude_outside", 1)),
	            OUTPUTS(F32(DIMS(6), 0.93421078, 1.3529412, 2.2523134, 3.5393534, 6.2352943, 8.2631569)));
}

static void a_crop_beside_the_input_gives_the_extrapolation_value(void **state)
{
	(void)state;
	expect_node("Resize", INPUTS(F32(DIMS(4), 1, 2, 4, 8), F32(DIMS(2), 0.25, 1.5), ABSENT, I64(DIMS(1), 4)),
	            ATTRS(hy_ir_attr_string("mode", "linear"),
	                  hy_ir_attr_string("coordinate_transformation_mode", "tf_crop_and_resize"),
	                  hy_ir_attr_float("extrapolation_value", 9.0f)),
	            OUTPUTS(F32(DIMS(4), 1.75, 4, 9, 9)));
}

static void antialias_widens_the_filter_when_shrinking(void **state)
{
	(void)state;
	expect_node("Resize", INPUTS(F32(DIMS(8), 0, 1, 2, 3, 4, 5, 6, 7), ABSENT, F32(DIMS(1), 0.5)),
	            ATTRS(hy_ir_attr_string("mode", "linear"), hy_ir_attr_int("antialias", 1)),
	            OUTPUTS(F32(DIMS(4), 0.625, 2.5, 4.5, 6.375)));
	expect_node("Resize", INPUTS(F32(DIMS(8), 0, 1, 2, 3, 4, 5, 6, 7), ABSENT, F32(DIMS(1), 0.5)),
	            ATTRS(hy_ir_attr_string("mode", "cubic"), hy_ir_attr_int("antialias", 1)),
	            OUTPUTS(F32(DIMS(4), 0.47265625, 2.4824219, 4.5175781, 6.5273438)));
}

static void the_aspect_ratio_is_kept_by_policy(void **state)
{
	(void)state;
	expect_node("Resize", INPUTS(F32(DIMS(1, 1, 2, 4), 0, 1, 2, 3, 4, 5, 6, 7), ABSENT, ABSENT, I64(DIMS(2), 6, 6)),
	            ATTRS(hy_ir_attr_string("mode", "nearest"), hy_ir_attr_ints("axes", 2, (int64_t[]){2, 3}),
	                  hy_ir_attr_string("keep_aspect_ratio_policy", "not_larger")),
	            OUTPUTS(F32(DIMS(1, 1, 3, 6), 0, 0, 1, 2, 2, 3, 0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7)));
	expect_node("Resize", INPUTS(F32(DIMS(1, 1, 2, 4), 0, 1, 2, 3, 4, 5, 6, 7), ABSENT, ABSENT, I64(DIMS(2), 1, 1)),
	            ATTRS(hy_ir_attr_string("mode", "nearest"), hy_ir_attr_ints("axes", 2, (int64_t[]){2, 3}),
	                  hy_ir_attr_string("keep_aspect_ratio_policy", "not_smaller")),
	            OUTPUTS(F32(DIMS(1, 1, 1, 2), 0, 2)));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(nearest_rounds_by_its_mode),
		CASE(linear_weighs_neighbours),
		CASE(coordinates_are_mapped_by_their_mode),
		CASE(cubic_weighs_four_elements),
		CASE(exclude_outside_leaves_the_border_out),
		CASE(a_crop_beside_the_input_gives_the_extrapolation_value),
		CASE(antialias_widens_the_filter_when_shrinking),
		CASE(the_aspect_ratio_is_kept_by_policy),
	};
	return cmocka_run_group_tests_name("ir.eval_resize", cases, NULL, NULL);
}
