/* Expectations are those of ONNX Runtime 1.31, or of the ONNX specification where it refuses. */
#include "one_node.h"

static void convolution_pads_automatically_and_strides(void **state)
{
	(void)state;
	expect_node(
		"Conv",
		INPUTS(F32(DIMS(1, 1, 4, 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
	               F32(DIMS(1, 1, 2, 2), 1, 2, 3, 4)),
		ATTRS(hy_ir_attr_string("auto_pad", "SAME_LOWER"), hy_ir_attr_ints("strides", 2, (int64_t[]){1, 2})),
		OUTPUTS(F32(DIMS(1, 1, 4, 2), 4, 18, 34, 54, 74, 94, 114, 134)));
}

static void convolution_dilates_and_pads_unevenly(void **state)
{
	(void)state;
	expect_node("Conv",
	            INPUTS(F32(DIMS(1, 1, 4, 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
	                   F32(DIMS(1, 1, 2, 2), 1, 2, 3, 4), F32(DIMS(1), 10)),
	            ATTRS(hy_ir_attr_ints("dilations", 2, (int64_t[]){2, 2}),
	                  hy_ir_attr_ints("pads", 4, (int64_t[]){1, 0, 0, 1})),
	            OUTPUTS(F32(DIMS(1, 1, 3, 3), 46, 53, 28, 78, 88, 42, 118, 128, 58)));
}

static void convolution_of_one_channel_per_group_in_one_dimension(void **state)
{
	(void)state;
	expect_node("Conv",
	            INPUTS(F32(DIMS(1, 4, 3), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
	                   F32(DIMS(4, 1, 2), 1, -1, 2, 0.5, 0, 3, -2, 1)),
	            ATTRS(hy_ir_attr_int("group", 4)), OUTPUTS(F32(DIMS(1, 4, 2), -1, -1, 8, 10.5, 21, 24, -8, -9)));
}

static void convolution_in_three_dimensions_sums_over_channels(void **state)
{
	(void)state;
	expect_node("Conv",
	            INPUTS(F32(DIMS(1, 2, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
	                   F32(DIMS(1, 2, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 3, (int64_t[]){2, 2, 2}),
	                  hy_ir_attr_ints("pads", 6, (int64_t[]){0, 0, 0, 1, 0, 0})),
	            OUTPUTS(F32(DIMS(1, 1, 2, 1, 1), 1240, 556)));
}

static void transposed_convolution_pads_its_output(void **state)
{
	(void)state;
	expect_node("ConvTranspose", INPUTS(F32(DIMS(1, 1, 2, 2), 0, 1, 2, 3), F32(DIMS(1, 1, 2, 2), 1, 2, 3, 4)),
	            ATTRS(hy_ir_attr_ints("strides", 2, (int64_t[]){2, 1}),
	                  hy_ir_attr_ints("output_padding", 2, (int64_t[]){1, 0}),
	                  hy_ir_attr_ints("pads", 4, (int64_t[]){0, 1, 0, 0})),
	            OUTPUTS(F32(DIMS(1, 1, 5, 2), 1, 2, 3, 4, 7, 6, 17, 12, 0, 0)));
}

static void transposed_convolution_reaches_the_output_shape_asked_for(void **state)
{
	(void)state;
	expect_node("ConvTranspose",
	            INPUTS(F32(DIMS(1, 2, 3), 0, 1, 2, 3, 4, 5), F32(DIMS(2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8),
	                   F32(DIMS(2), 100, 200)),
	            ATTRS(hy_ir_attr_ints("output_shape", 1, (int64_t[]){5}),
	                  hy_ir_attr_ints("strides", 1, (int64_t[]){2}), hy_ir_attr_string("auto_pad", "SAME_UPPER")),
	            OUTPUTS(F32(DIMS(1, 2, 5), 115, 118, 121, 126, 127, 221, 224, 231, 236, 241)));
}

static void transposed_convolution_dilates_within_groups(void **state)
{
	(void)state;
	expect_node("ConvTranspose", INPUTS(F32(DIMS(1, 2, 3), 0, 1, 2, 3, 4, 5), F32(DIMS(2, 1, 3), 1, 2, 3, 4, 5, 6)),
	            ATTRS(hy_ir_attr_int("group", 2), hy_ir_attr_ints("dilations", 1, (int64_t[]){2})),
	            OUTPUTS(F32(DIMS(1, 2, 7), 0, 1, 2, 2, 4, 3, 6, 12, 16, 35, 20, 43, 24, 30)));
}

static void transposed_convolution_leaves_gaps_between_strides(void **state)
{
	(void)state;
	expect_node("ConvTranspose", INPUTS(F32(DIMS(1, 1, 3), 1, 2, 3), F32(DIMS(1, 1, 2), 1, 10)),
	            ATTRS(hy_ir_attr_ints("strides", 1, (int64_t[]){3})),
	            OUTPUTS(F32(DIMS(1, 1, 8), 1, 10, 0, 2, 20, 0, 3, 30)));
}

/* Ones alone: every output counts the weights over the input. 300 channels of 9 taps and 49 places cross the edges of
 * every block the sum is cut into. */
static void large_convolutions_sum_every_tap_of_every_channel(void **state)
{
	(void)state;
	enum { CHANNELS = 300, SIDE = 7 };
	static float x[CHANNELS * SIDE * SIDE], w[CHANNELS * 9], wanted[SIDE * SIDE];
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		x[i] = 1;
	for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++)
		w[i] = 1;
	for (int i = 0; i < SIDE * SIDE; i++) {
		const int rows = i / SIDE % (SIDE - 1) == 0 ? 2 : 3, columns = i % SIDE % (SIDE - 1) == 0 ? 2 : 3;
		wanted[i] = (float)(CHANNELS * rows * columns);
	}
	expect_bits("Conv",
	            INPUTS((hy_ir_tensor){{HY_DTYPE_F32, 4, {1, CHANNELS, SIDE, SIDE}}, x},
	                   (hy_ir_tensor){{HY_DTYPE_F32, 4, {1, CHANNELS, 3, 3}}, w}),
	            ATTRS(hy_ir_attr_ints("pads", 4, (int64_t[]){1, 1, 1, 1})),
	            OUTPUTS((hy_ir_tensor){{HY_DTYPE_F32, 4, {1, 1, SIDE, SIDE}}, wanted}));
}

/* As the padding allows it: a window of 2^31 elements, of which three lie over the input. */
static void a_window_far_larger_than_its_input_is_no_burden(void **state)
{
	(void)state;
	expect_node("MaxPool", INPUTS(F32(DIMS(1, 1, 3), 1, 3, 2)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 1, (int64_t[]){(int64_t)1 << 31}),
	                  hy_ir_attr_string("auto_pad", "SAME_UPPER")),
	            OUTPUTS(F32(DIMS(1, 1, 3), 3, 3, 3)));
}

static void max_pool_counts_indices_over_the_whole_input(void **state)
{
	(void)state;
	expect_node("MaxPool", INPUTS(F32(DIMS(1, 1, 3, 3), 1, 7, 3, 4, 5, 2, 9, 8, 6)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 2, (int64_t[]){2, 2}), hy_ir_attr_int("ceil_mode", 1),
	                  hy_ir_attr_ints("strides", 2, (int64_t[]){2, 2})),
	            OUTPUTS(F32(DIMS(1, 1, 2, 2), 7, 3, 9, 6), I64(DIMS(1, 1, 2, 2), 1, 2, 6, 8)));
	expect_node("MaxPool", INPUTS(F32(DIMS(1, 1, 2, 2, 3), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 3, (int64_t[]){2, 1, 2})),
	            OUTPUTS(F32(DIMS(1, 1, 1, 2, 2), 7, 8, 10, 11), I64(DIMS(1, 1, 1, 2, 2), 7, 8, 10, 11)));
}

static void max_pool_counts_indices_by_columns_in_storage_order_1(void **state)
{
	(void)state;
	expect_node("MaxPool", INPUTS(F32(DIMS(1, 1, 3, 4), 1, 7, 3, 4, 5, 2, 9, 8, 6, 0, 1, 2)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 2, (int64_t[]){2, 2}), hy_ir_attr_int("storage_order", 1),
	                  hy_ir_attr_ints("pads", 4, (int64_t[]){0, 1, 0, 0}),
	                  hy_ir_attr_ints("dilations", 2, (int64_t[]){1, 2})),
	            OUTPUTS(F32(DIMS(1, 1, 2, 3), 7, 9, 8, 2, 9, 8), I64(DIMS(1, 1, 2, 3), 3, 7, 10, 4, 7, 10)));
}

static void average_pool_leaves_padding_out_unless_told(void **state)
{
	(void)state;
	expect_node("AveragePool", INPUTS(F32(DIMS(1, 1, 3, 3), 0, 1, 2, 3, 4, 5, 6, 7, 8)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 2, (int64_t[]){2, 2}),
	                  hy_ir_attr_ints("pads", 4, (int64_t[]){1, 1, 0, 0})),
	            OUTPUTS(F32(DIMS(1, 1, 3, 3), 0, 0.5, 1.5, 1.5, 2, 3, 4.5, 5, 6)));
	expect_node("AveragePool", INPUTS(F32(DIMS(1, 1, 3, 3), 0, 1, 2, 3, 4, 5, 6, 7, 8)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 2, (int64_t[]){2, 2}),
	                  hy_ir_attr_ints("pads", 4, (int64_t[]){1, 1, 0, 0}), hy_ir_attr_int("count_include_pad", 1)),
	            OUTPUTS(F32(DIMS(1, 1, 3, 3), 0, 0.25, 0.75, 0.75, 2, 3, 2.25, 5, 6)));
}

static void average_pool_in_ceil_mode_never_counts_what_is_behind_the_padding(void **state)
{
	(void)state;
	expect_node("AveragePool", INPUTS(F32(DIMS(1, 1, 4), 0, 1, 2, 3)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 1, (int64_t[]){3}),
	                  hy_ir_attr_ints("strides", 1, (int64_t[]){2}), hy_ir_attr_int("ceil_mode", 1),
	                  hy_ir_attr_ints("pads", 2, (int64_t[]){0, 1}), hy_ir_attr_int("count_include_pad", 1)),
	            OUTPUTS(F32(DIMS(1, 1, 2), 1, 1.6666666)));
	expect_node("AveragePool", INPUTS(F32(DIMS(1, 1, 4), 0, 1, 2, 3)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 1, (int64_t[]){3}),
	                  hy_ir_attr_ints("strides", 1, (int64_t[]){2}), hy_ir_attr_int("ceil_mode", 1),
	                  hy_ir_attr_int("count_include_pad", 1)),
	            OUTPUTS(F32(DIMS(1, 1, 2), 1, 2.5f)));
}

static void average_pool_pads_automatically(void **state)
{
	(void)state;
	expect_node("AveragePool", INPUTS(F32(DIMS(1, 1, 5), 0, 1, 2, 3, 4)),
	            ATTRS(hy_ir_attr_ints("kernel_shape", 1, (int64_t[]){2}),
	                  hy_ir_attr_ints("strides", 1, (int64_t[]){2}), hy_ir_attr_string("auto_pad", "SAME_LOWER")),
	            OUTPUTS(F32(DIMS(1, 1, 3), 0, 1.5, 3.5)));
}

static void global_pools_reduce_every_plane_to_one_number(void **state)
{
	(void)state;
	expect_node("GlobalAveragePool", INPUTS(F32(DIMS(1, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 2, 1, 1), 1.5, 5.5)));
	expect_node("GlobalMaxPool", INPUTS(F32(DIMS(1, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 2, 1, 1), 3, 7)));
}

static void lrn_sums_squares_of_neighbour_channels(void **state)
{
	(void)state;
	expect_node("LRN", INPUTS(F32(DIMS(1, 5, 1, 1), 0, 1, 2, 3, 4)),
	            ATTRS(hy_ir_attr_int("size", 3), hy_ir_attr_float("alpha", 0.5f), hy_ir_attr_float("beta", 0.75f),
	                  hy_ir_attr_float("bias", 2.0f)),
	            OUTPUTS(F32(DIMS(1, 5, 1, 1), 0, 0.45790642, 0.66590673, 0.70981765, 1.0221676)));
}

static void batch_norm_uses_the_given_moments(void **state)
{
	(void)state;
	expect_node("BatchNormalization",
	            INPUTS(F32(DIMS(1, 2, 2), 0, 1, 2, 3), F32(DIMS(2), 2, 3), F32(DIMS(2), 1, -1), F32(DIMS(2), 1, 2),
	                   F32(DIMS(2), 4, 9)),
	            ATTRS(hy_ir_attr_float("epsilon", 0.0f)), OUTPUTS(F32(DIMS(1, 2, 2), 0, 1, -1, 0)));
}

static void batch_norm_in_training_uses_and_returns_those_of_the_batch(void **state)
{
	(void)state;
	expect_node("BatchNormalization",
	            INPUTS(F32(DIMS(2, 1, 2), 1, 3, 5, 7), F32(DIMS(1), 2), F32(DIMS(1), 1), F32(DIMS(1), 10),
	                   F32(DIMS(1), 20)),
	            ATTRS(hy_ir_attr_int("training_mode", 1), hy_ir_attr_float("momentum", 0.5f),
	                  hy_ir_attr_float("epsilon", 0.0f)),
	            OUTPUTS(F32(DIMS(2, 1, 2), -1.6832815, 0.1055727, 1.8944273, 3.6832814), F32(DIMS(1), 7),
	                    F32(DIMS(1), 12.5)));
}

static void instance_norm_uses_the_moments_of_a_plane(void **state)
{
	(void)state;
	expect_node("InstanceNormalization",
	            INPUTS(F32(DIMS(1, 3, 2), 1, 3, 0, 4, 2, 2), F32(DIMS(3), 1, 2, 3), F32(DIMS(3), 0, 1, 2)),
	            ATTRS(hy_ir_attr_float("epsilon", 1.0f)),
	            OUTPUTS(F32(DIMS(1, 3, 2), -0.70710677, 0.70710671, -0.78885436, 2.7888544, 2, 2)));
}

static void layer_norm_returns_mean_and_deviation(void **state)
{
	(void)state;
	expect_node("LayerNormalization",
	            INPUTS(F32(DIMS(3, 2), 1, 3, 5, 7, 2, 2), F32(DIMS(2), 1, 2), F32(DIMS(2), 0, 1)),
	            ATTRS(hy_ir_attr_float("epsilon", 1.0f)),
	            OUTPUTS(F32(DIMS(3, 2), -0.70710677, 2.4142137, -0.70710677, 2.4142137, 0, 1),
	                    F32(DIMS(3, 1), 2, 6, 2), F32(DIMS(3, 1), 0.70710677, 0.70710677, 1)));
}

static void layer_norm_covers_all_axes_from_its_axis_on(void **state)
{
	(void)state;
	expect_node("LayerNormalization", INPUTS(F32(DIMS(1, 2, 2), 0, 1, 2, 3), F32(DIMS(2, 2), 1, 2, 3, 4)),
	            ATTRS(hy_ir_attr_int("axis", 1)),
	            OUTPUTS(F32(DIMS(1, 2, 2), -1.3416355, -0.89442366, 1.3416355, 5.3665419)));
}

static void softmax_of_large_numbers_stays_finite(void **state)
{
	(void)state;
	expect_node("Softmax", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 1000, 1001, 1002)), ATTRS(hy_ir_attr_int("axis", 1)),
	            OUTPUTS(F32(DIMS(2, 3), 0.090030573, 0.24472848, 0.66524094, 0.090030573, 0.24472848, 0.66524094)));
}

static void softmax_runs_along_its_axis(void **state)
{
	(void)state;
	expect_node("Softmax", INPUTS(F32(DIMS(2, 2), 0, 1, 2, 3)), ATTRS(hy_ir_attr_int("axis", 0)),
	            OUTPUTS(F32(DIMS(2, 2), 0.11920291, 0.11920291, 0.88079703, 0.88079703)));
	expect_node("LogSoftmax", INPUTS(F32(DIMS(1, 3), 0, 1, 2)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 3), -2.4076059, -1.4076059, -0.40760595)));
}

static void matmul_broadcasts_the_dims_before_the_matrices(void **state)
{
	(void)state;
	expect_node("MatMul", INPUTS(F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), F32(DIMS(3, 2), 0, 1, 2, 3, 4, 5)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(2, 2), 10, 13, 28, 40)));
	expect_node("MatMul", INPUTS(F32(DIMS(3), 0, 1, 2), F32(DIMS(2, 3, 2), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(2, 2), 10, 13, 28, 31)));
	expect_node("MatMul",
	            INPUTS(F32(DIMS(2, 1, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7), F32(DIMS(3, 2, 1), 0, 1, 2, 3, 4, 5)),
	            NO_ATTRS, OUTPUTS(F32(DIMS(2, 3, 2, 1), 1, 3, 3, 13, 5, 23, 5, 7, 23, 33, 41, 59)));
}

static void matmul_of_integers_wraps(void **state)
{
	(void)state;
	expect_node("MatMul", INPUTS(I64(DIMS(2, 2), 1, 2, 3, 4), I64(DIMS(2), 4611686018427387904, 3)), NO_ATTRS,
	            OUTPUTS(I64(DIMS(2), 4611686018427387910, -4611686018427387892)));
}

static void gemm_transposes_scales_and_adds(void **state)
{
	(void)state;
	expect_node("Gemm",
	            INPUTS(F32(DIMS(3, 2), 0, 1, 2, 3, 4, 5), F32(DIMS(2, 3), 0, 1, 2, 3, 4, 5), F32(DIMS(2), 1, 2)),
	            ATTRS(hy_ir_attr_int("transA", 1), hy_ir_attr_int("transB", 1), hy_ir_attr_float("alpha", 0.5f),
	                  hy_ir_attr_float("beta", 2.0f)),
	            OUTPUTS(F32(DIMS(2, 2), 7, 18, 8.5, 24)));
	expect_node("Gemm", INPUTS(I32(DIMS(1, 2), 1, 2), I32(DIMS(2, 1), 3, 4), I32(SCALAR, 5)), NO_ATTRS,
	            OUTPUTS(I32(DIMS(1, 1), 16)));
}

static void lrn_of_even_size_reaches_one_further_up(void **state)
{
	(void)state;
	expect_node("LRN", INPUTS(F32(DIMS(1, 4, 1, 1), 0, 1, 2, 3)),
	            ATTRS(hy_ir_attr_int("size", 2), hy_ir_attr_float("alpha", 1), hy_ir_attr_float("beta", 1)),
	            OUTPUTS(F32(DIMS(1, 4, 1, 1), 0, 1 / 3.5f, 2 / 7.5f, 3 / 5.5f)));
}

/* The sum in float would lose every 1 beside 2^24. */
static void products_are_summed_in_double_and_rounded_once(void **state)
{
	(void)state;
	expect_node("MatMul", INPUTS(F32(DIMS(1, 4), 16777216, 1, 1, -16777216), F32(DIMS(4, 1), 1, 1, 1, 1)), NO_ATTRS,
	            OUTPUTS(F32(DIMS(1, 1), 2)));
	/* 2048 + 1 + 2^-12 in f16: one rounding goes up to 2050, rounding to float first would not. */
	expect_node("MatMul", INPUTS(F16(DIMS(1, 3), 0x6800, 0x3c00, 0x0c00), F16(DIMS(3, 1), 0x3c00, 0x3c00, 0x3c00)),
	            NO_ATTRS, OUTPUTS(F16(DIMS(1, 1), 0x6801)));
}

/* 300 * 40 outputs and 700 terms cross the edges of every block the product is cut into. */
static void large_products_are_the_sums_of_their_terms(void **state)
{
	(void)state;
	enum { ROWS = 300, DEPTH = 700, COLUMNS = 40 };
	static int32_t whole_a[ROWS * DEPTH], whole_b[DEPTH * COLUMNS];
	static float a[ROWS * DEPTH], b[DEPTH * COLUMNS], wanted[ROWS * COLUMNS];
	for (int i = 0; i < ROWS * DEPTH; i++)
		a[i] = (float)(whole_a[i] = i * 7 % 11 - 5);
	for (int i = 0; i < DEPTH * COLUMNS; i++)
		b[i] = (float)(whole_b[i] = i * 5 % 13 - 6);
	for (int m = 0; m < ROWS; m++)
		for (int n = 0; n < COLUMNS; n++) {
			int32_t sum = 0;
			for (int d = 0; d < DEPTH; d++)
				sum += whole_a[m * DEPTH + d] * whole_b[d * COLUMNS + n];
			wanted[m * COLUMNS + n] = (float)sum;
		}
	const hy_ir_tensor x = {{HY_DTYPE_F32, 2, {ROWS, DEPTH}}, a}, y = {{HY_DTYPE_F32, 2, {DEPTH, COLUMNS}}, b};
	expect_node("MatMul", INPUTS(x, y), NO_ATTRS,
	            OUTPUTS((hy_ir_tensor){{HY_DTYPE_F32, 2, {ROWS, COLUMNS}}, wanted}));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(convolution_pads_automatically_and_strides),
		CASE(convolution_dilates_and_pads_unevenly),
		CASE(convolution_of_one_channel_per_group_in_one_dimension),
		CASE(convolution_in_three_dimensions_sums_over_channels),
		CASE(transposed_convolution_pads_its_output),
		CASE(transposed_convolution_reaches_the_output_shape_asked_for),
		CASE(transposed_convolution_dilates_within_groups),
		CASE(transposed_convolution_leaves_gaps_between_strides),
		CASE(large_convolutions_sum_every_tap_of_every_channel),
		CASE(a_window_far_larger_than_its_input_is_no_burden),
		CASE(max_pool_counts_indices_over_the_whole_input),
		CASE(max_pool_counts_indices_by_columns_in_storage_order_1),
		CASE(average_pool_leaves_padding_out_unless_told),
		CASE(average_pool_in_ceil_mode_never_counts_what_is_behind_the_padding),
		CASE(average_pool_pads_automatically),
		CASE(global_pools_reduce_every_plane_to_one_number),
		CASE(lrn_sums_squares_of_neighbour_channels),
		CASE(batch_norm_uses_the_given_moments),
		CASE(batch_norm_in_training_uses_and_returns_those_of_the_batch),
		CASE(instance_norm_uses_the_moments_of_a_plane),
		CASE(layer_norm_returns_mean_and_deviation),
		CASE(layer_norm_covers_all_axes_from_its_axis_on),
		CASE(softmax_of_large_numbers_stays_finite),
		CASE(softmax_runs_along_its_axis),
		CASE(matmul_broadcasts_the_dims_before_the_matrices),
		CASE(matmul_of_integers_wraps),
		CASE(gemm_transposes_scales_and_adds),
		CASE(lrn_of_even_size_reaches_one_further_up),
		CASE(products_are_summed_in_double_and_rounded_once),
		CASE(large_products_are_the_sums_of_their_terms),
	};
	return cmocka_run_group_tests_name("ir.eval_heavy", cases, NULL, NULL);
}
