#include "test.h"

#include "plugins/opencl_case.h"

static opencl_place place;

#define EXACT 0.0
#define CLOSE 3e-6

static void a_convolution_runs_with_its_epilogue_in_one_kernel(void **state)
{
	(void)state;
	const opencl_result r = opencl_check(
		&place,
		"graph \"g\" { input %x: f32[2,16,9,9] input %z: f32[2,32,9,9] input %w: f32[32,16,3,3] input %wb: "
		"f32[32]"
		"%y: f32[2,32,9,9] = halyard::Region \"r\" (%x, %w, %wb, %z) graph \"b\" {"
		" input %a: f32[2,16,9,9] input %b: f32[32,16,3,3] input %c: f32[32] input %z: f32[2,32,9,9]"
		" %d = Conv (%a, %b, %c) pads=[1, 1, 1, 1] %e = Add (%d, %z) %f = Relu (%e) output %f }"
		"output %y }",
		CLOSE);
	assert_int_equal(r.launches - r.layouts, 1);
	assert_int_equal(r.layouts, 3);
}

static void channels_that_do_not_fill_a_block_stay_zero_behind_the_last(void **state)
{
	(void)state;
	opencl_check(&place,
	             "graph \"g\" { input %x: f32[1,3,11,13] input %w1: f32[20,3,5,5] input %w2: f32[7,20,3,3]"
	             "%a = Conv (%x, %w1) pads=[2, 2, 2, 2], strides=[2, 1] %b = Exp (%a)"
	             "%y = Conv (%b, %w2) pads=[1, 0, 1, 2], dilations=[1, 2] output %y }",
	             CLOSE);
}

static void blocks_are_kept_through_pools_sums_and_concatenations(void **state)
{
	(void)state;
	const opencl_result r = opencl_check(
		&place,
		"graph \"g\" { input %x: f32[2,3,16,16] input %w: f32[32,3,3,3] input %w1: f32[16,32,1,1]"
		"input %w2: f32[32,32,3,3]"
		"%a = Conv (%x, %w) pads=[1, 1, 1, 1] %b = MaxPool (%a) kernel_shape=[3, 3], strides=[2, 2], pads=[1, "
		"1, "
		"1, 1]"
		"%c = Conv (%b, %w1) %d = Conv (%b, %w2) pads=[1, 1, 1, 1] %e = Concat (%c, %d) axis=1"
		"%f = Relu (%e) %g = GlobalAveragePool (%f) %y = Flatten (%g) output %y }",
		CLOSE);
	/* the image is padded; everything behind it stays blocked */
	assert_int_equal(r.layouts, 1);
	assert_null(strstr(r.kernels, "walk"));
}

static void a_depthwise_convolution_is_vectorised_over_channels(void **state)
{
	(void)state;
	const opencl_result r = opencl_check(
		&place,
		"graph \"g\" { input %x: f32[1,24,10,10] input %w: f32[24,1,3,3]"
		"%y = Conv (%x, %w) group=24, pads=[1, 1, 1, 1], strides=[2, 2] output %y }",
		CLOSE);
	assert_non_null(strstr(r.kernels, "conv_depthwise"));
}

static void a_matrix_product_adds_its_bias_and_activation(void **state)
{
	(void)state;
	const opencl_result r = opencl_check(
		&place,
		"graph \"g\" { input %x: f32[7,40] input %w: f32[50,40] input %wb: f32[50]"
		"%y: f32[7,50] = halyard::Region \"r\" (%x, %w, %wb) graph \"b\" {"
		" input %a: f32[7,40] input %b: f32[50,40] input %c: f32[50]"
		" %d = Gemm (%a, %b, %c) transB=1, alpha=0.5 %e = Sigmoid (%d) output %e } output %y }",
		CLOSE);
	assert_int_equal(r.launches, 1);
}

static void products_of_batches_broadcast(void **state)
{
	(void)state;
	opencl_check(&place,
	             "graph \"g\" { input %x: f32[2,1,5,33] input %z: f32[3,33,18] %y = MatMul (%x, %z) output %y }",
	             CLOSE);
}

static void elementwise_chains_broadcast_and_change_type(void **state)
{
	(void)state;
	opencl_check(&place,
	             "graph \"g\" { input %x: f32[3,4,5] input %z: f32[4,1] input %c: i32[5]"
	             "%y: f32[3,4,5] = halyard::Region \"r\" (%x, %z, %c) graph \"b\" {"
	             " input %a: f32[3,4,5] input %b: f32[4,1] input %c: i32[5]"
	             " %d = Mul (%a, %b) %e = Cast (%c) to=1 %f = Greater (%d, %e) %g = Where (%f, %d, %e) output %g }"
	             "output %y }",
	             EXACT);
}

static int open_place(void **state)
{
	(void)state;
	opencl_open(&place, NULL, NULL);
	return 0;
}

static int close_place(void **state)
{
	(void)state;
	opencl_close(&place);
	return 0;
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_convolution_runs_with_its_epilogue_in_one_kernel),
		CASE(channels_that_do_not_fill_a_block_stay_zero_behind_the_last),
		CASE(blocks_are_kept_through_pools_sums_and_concatenations),
		CASE(a_depthwise_convolution_is_vectorised_over_channels),
		CASE(a_matrix_product_adds_its_bias_and_activation),
		CASE(products_of_batches_broadcast),
		CASE(elementwise_chains_broadcast_and_change_type),
	};
	return cmocka_run_group_tests_name("plugins.opencl", cases, open_place, close_place);
}
