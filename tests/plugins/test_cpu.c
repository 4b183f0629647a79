#include "test.h"

#include "plugins/cpu_case.h"

static cpu_place place;

#define EXACT 0.0
#define CLOSE 3e-6

/* ---- kernels and what is fused into them ---- */

static void a_convolution_runs_with_its_relu_in_one_kernel(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place,
		"graph \"g\" { input %x: f32[1,16,9,9] input %w: f32[32,16,3,3] input %wb: f32[32]"
		"%y = Conv (%x, %w, %wb) pads=[1, 1, 1, 1] %z = Relu (%y) output %z }",
		CLOSE);
	assert_int_equal(r.launches - r.copies, 1);
	assert_int_equal(r.reference_launches, 0);
}

typedef struct curve_row {
	const char *says, *nodes; /* from %y to %z */
} curve_row;

static const curve_row curves[] = {
	{"relu", "%z = Relu (%y)"},
	{"leaky relu", "%z = LeakyRelu (%y) alpha=0.3"},
	{"clip", "const %lo: f32[] = {-0.5} const %hi: f32[] = {1.5} %z = Clip (%y, %lo, %hi)"},
	{"clip below", "const %lo: f32[] = {-0.5} %z = Clip (%y, %lo)"},
	{"sigmoid", "%z = Sigmoid (%y)"},
	{"tanh", "%z = Tanh (%y)"},
	{"elu", "%z = Elu (%y) alpha=0.7"},
	{"abs", "%z = Abs (%y)"},
	{"exp", "const %s: f32[] = {0.1} %a = Mul (%y, %s) %z = Exp (%a)"},
	{"neg", "%z = Neg (%y)"},
	{"hard swish", "%z = HardSwish (%y)"},
	{"hard sigmoid", "%z = HardSigmoid (%y) alpha=0.1, beta=0.4"},
	{"gelu", "%z = Gelu (%y)"},
	{"tanh gelu", "%z = Gelu (%y) approximate=\"tanh\""},
	{"mish", "%z = Mish (%y)"},
	{"softplus", "%z = Softplus (%y)"},
	{"swish", "%a = Sigmoid (%y) %z = Mul (%y, %a)"},
	{"scale and shift", "const %s: f32[] = {3} const %t: f32[] = {-0.25} %a = Mul (%y, %s) %z = Sub (%a, %t)"},
	{"number minus x", "const %s: f32[] = {3} %z = Sub (%s, %y)"},
	{"division", "const %s: f32[] = {3} %z = Div (%y, %s)"},
	{"two curves", "%a = Relu (%y) %z = Tanh (%a)"},
	{"other full operand", "%a = Mul (%y, %o) %z = Relu (%a)"},
};

static void curves_behind_a_convolution_are_part_of_its_kernel(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text),
		         "graph \"%s\" { input %%x: f32[1,16,6,6] input %%o: f32[1,16,6,6] input %%w: f32[16,16,1,1]"
		         "%%y = Conv (%%x, %%w) %s output %%z }",
		         curves[i].says, curves[i].nodes);
		print_message("           %s\n", curves[i].says);
		const cpu_result r = cpu_check(&place, text, CLOSE);
		if (r.launches - r.copies != 1) fail_msg("%s: %s", curves[i].says, r.implementations);
	}
}

static void curves_behind_a_product_are_part_of_its_kernel(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text),
		         "graph \"%s\" { input %%x: f32[5,32] input %%o: f32[5,48] input %%w: f32[32,48]"
		         "%%y = MatMul (%%x, %%w) %s output %%z }",
		         curves[i].says, curves[i].nodes);
		print_message("           %s\n", curves[i].says);
		const cpu_result r = cpu_check(&place, text, CLOSE);
		if (r.launches - r.copies != 1) fail_msg("%s: %s", curves[i].says, r.implementations);
	}
}

static void a_bias_behind_a_product_is_part_of_its_kernel(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(&place,
	                               "graph \"g\" { input %x: f32[2,7,32] input %w: f32[32,48] input %wb: f32[48]"
	                               "%y = MatMul (%x, %w) %a = Add (%y, %wb) %z = Gelu (%a) output %z }",
	                               CLOSE);
	assert_int_equal(r.launches, 1);
}

static void what_is_no_curve_of_the_kernel_runs_behind_it(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place,
		"graph \"g\" { input %x: f32[1,16,6,6] input %w: f32[16,16,1,1]"
		"%y = Conv (%x, %w) %a = Relu (%y) %b = Softsign (%a) %z = Floor (%b) output %z }",
		CLOSE);
	assert_int_equal(r.launches - r.copies, 2);
	assert_int_equal(r.reference_launches, 0);
}

static void a_residual_is_added_in_the_kernel_onto_its_own_memory(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place,
		"graph \"g\" { input %x: f32[1,16,6,6] input %w1: f32[16,16,1,1] input %w2: f32[16,16,3,3]"
		"%r = Conv (%x, %w1) %y = Conv (%x, %w2) pads=[1, 1, 1, 1]"
		"%a = Add (%y, %r) %z = Relu (%a) output %z }",
		CLOSE);
	assert_int_equal(r.launches - r.copies, 2);
}

static void a_residual_that_is_read_again_keeps_its_numbers(void **state)
{
	(void)state;
	cpu_check(&place,
	          "graph \"g\" { input %x: f32[1,16,6,6] input %w1: f32[16,16,1,1] input %w2: f32[16,16,3,3]"
	          "%r = Conv (%x, %w1) %y = Conv (%x, %w2) pads=[1, 1, 1, 1]"
	          "%a = Add (%y, %r) %z = Relu (%a) %q = Mul (%z, %r) output %q }",
	          CLOSE);
}

static void a_residual_that_is_the_kernel_s_input_keeps_its_numbers(void **state)
{
	(void)state;
	cpu_check(&place,
	          "graph \"g\" { input %x: f32[1,16,6,6] input %w1: f32[16,16,1,1] input %w2: f32[16,16,3,3]"
	          "%r = Conv (%x, %w1) %y = Conv (%r, %w2) pads=[1, 1, 1, 1] %z = Add (%y, %r) output %z }",
	          CLOSE);
}

typedef struct text_row {
	const char *says, *text;
} text_row;

static void check_rows(const text_row *rows, size_t count, double tolerance)
{
	for (size_t i = 0; i < count; i++) {
		print_message("           %s\n", rows[i].says);
		cpu_check(&place, rows[i].text, tolerance);
	}
}

static void convolutions_of_every_form_give_the_evaluator_s_numbers(void **state)
{
	(void)state;
	static const text_row rows[] = {
		{"grouped", "graph \"g\" { input %x: f32[2,24,7,7] input %w: f32[32,6,3,3] %y = Conv (%x, %w) group=4 "
	                    "output %y }"},
		{"depthwise", "graph \"g\" { input %x: f32[1,24,7,7] input %w: f32[24,1,3,3] input %wb: f32[24]"
	                      "%y = Conv (%x, %w, %wb) group=24, pads=[1, 1, 1, 1], strides=[2, 2] output %y }"},
		{"dilated", "graph \"g\" { input %x: f32[1,8,9,9] input %w: f32[8,8,3,3] %y = Conv (%x, %w) "
	                    "dilations=[2, 3], pads=[2, 3, 2, 3] output %y }"},
		{"unequal pads", "graph \"g\" { input %x: f32[1,3,9,10] input %w: f32[8,3,3,3] %y = Conv (%x, %w) "
	                         "pads=[0, 1, 2, 0], strides=[2, 1] output %y }"},
		{"automatic pads", "graph \"g\" { input %x: f32[1,3,9,10] input %w: f32[8,3,4,4] %y = Conv (%x, %w) "
	                           "auto_pad=\"SAME_UPPER\", strides=[2, 2] output %y }"},
		{"one dimension", "graph \"g\" { input %x: f32[2,8,30] input %w: f32[16,8,5] %y = Conv (%x, %w) "
	                          "pads=[2, 2] output %y }"},
		{"three dimensions",
	         "graph \"g\" { input %x: f32[1,8,5,6,7] input %w: f32[16,8,3,3,3] %y = Conv (%x, %w) "
	         "output %y }"},
		{"computed weights", "graph \"g\" { input %x: f32[1,8,7,7] input %k: f32[16,8,3,3] %w = Neg (%k)"
	                             "%y = Conv (%x, %w) output %y }"},
		{"transposed",
	         "graph \"g\" { input %x: f32[1,8,5,5] input %w: f32[8,16,3,3] input %wb: f32[16]"
	         "%y = ConvTranspose (%x, %w, %wb) strides=[2, 2], pads=[1, 1, 1, 1] %z = Relu (%y) output %z }"},
		{"transposed, grouped",
	         "graph \"g\" { input %x: f32[1,8,5,5] input %w: f32[8,6,3,3]"
	         "%y = ConvTranspose (%x, %w) group=2, output_padding=[1, 1], strides=[2, 2] output %y }"},
		{"odd channels",
	         "graph \"g\" { input %x: f32[1,5,7,7] input %w: f32[11,5,3,3] %y = Conv (%x, %w) output %y }"},
		{"double",
	         "graph \"g\" { input %x: f64[1,2,4,4] input %w: f64[3,2,3,3] %y = Conv (%x, %w) output %y }"},
	};
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), CLOSE);
}

static void poolings_of_every_form_give_the_evaluator_s_numbers(void **state)
{
	(void)state;
	static const text_row rows[] = {
		{"max", "graph \"g\" { input %x: f32[1,8,9,9] %y = MaxPool (%x) kernel_shape=[3, 3], strides=[2, 2], "
	                "pads=[1, 1, 1, 1] output %y }"},
		{"max, last window cut",
	         "graph \"g\" { input %x: f32[1,8,10,10] %y = MaxPool (%x) kernel_shape=[3, 3], "
	         "strides=[2, 2], ceil_mode=1 output %y }"},
		{"max with indices", "graph \"g\" { input %x: f32[1,2,4,4] %y, %i = MaxPool (%x) kernel_shape=[2, 2] "
	                             "output %y output %i }"},
		{"average", "graph \"g\" { input %x: f32[1,8,9,9] %y = AveragePool (%x) kernel_shape=[3, 3], "
	                    "pads=[1, 1, 1, 1] output %y }"},
		{"average, pads counted",
	         "graph \"g\" { input %x: f32[1,8,9,9] %y = AveragePool (%x) kernel_shape=[3, 3], "
	         "pads=[1, 0, 1, 2], count_include_pad=1 output %y }"},
		{"average, pads counted, last window cut",
	         "graph \"g\" { input %x: f32[1,8,10,10] %y = AveragePool (%x) kernel_shape=[3, 3], strides=[2, 2], "
	         "pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=1 output %y }"},
		{"global", "graph \"g\" { input %x: f32[2,8,5,6] %y = GlobalAveragePool (%x) %z = GlobalMaxPool (%x) "
	                   "output %y output %z }"},
	};
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), CLOSE);
}

static void products_of_every_form_give_the_evaluator_s_numbers(void **state)
{
	(void)state;
	static const text_row rows[] = {
		{"gemm",
	         "graph \"g\" { input %x: f32[3,32] input %w: f32[32,20] input %wc: f32[20] %y = Gemm (%x, %w, %wc) "
	         "output %y }"},
		{"gemm transposed", "graph \"g\" { input %x: f32[32,3] input %w: f32[20,32] %y = Gemm (%x, %w) "
	                            "transA=1, transB=1 output %y }"},
		{"gemm with factors", "graph \"g\" { input %x: f32[3,32] input %w: f32[20,32] input %wc: f32[3,20]"
	                              "%y = Gemm (%x, %w, %wc) transB=1, alpha=0.5, beta=0.25 output %y }"},
		{"gemm of two inputs", "graph \"g\" { input %x: f32[3,32] input %k: f32[20,32] input %c: f32[20]"
	                               "%y = Gemm (%x, %k, %c) transB=1 %z = Relu (%y) output %z }"},
		{"gemm, a number added", "graph \"g\" { input %x: f32[3,32] input %w: f32[32,20] const %c: f32[1] = {2}"
	                                 "%y = Gemm (%x, %w, %c) beta=3.0 output %y }"},
		{"batched",
	         "graph \"g\" { input %x: f32[2,3,5,16] input %k: f32[2,3,16,7] %y = MatMul (%x, %k) output %y }"},
		{"batched, broadcast",
	         "graph \"g\" { input %x: f32[2,3,5,16] input %k: f32[3,16,7] %y = MatMul (%x, %k) "
	         "output %y }"},
		{"by a vector", "graph \"g\" { input %x: f32[5,16] input %k: f32[16] %y = MatMul (%x, %k) output %y }"},
		{"of views",
	         "graph \"g\" { input %x: f32[1,5,4,8] input %k: f32[1,6,4,8] %a = Transpose (%x) perm=[0, 2, 1, 3]"
	         "%b = Transpose (%k) perm=[0, 2, 3, 1] %y = MatMul (%a, %b) %z = Softmax (%y) output %z }"},
		{"of integers", "graph \"g\" { input %x: i32[3,4] input %w: i32[4,5] %y = MatMul (%x, %w) output %y }"},
	};
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), CLOSE);
}

static void norms_of_every_form_give_the_evaluator_s_numbers(void **state)
{
	(void)state;
	static const text_row rows[] = {
		{"lrn", "graph \"g\" { input %x: f32[1,24,5,5] %y = LRN (%x) size=5, alpha=0.01, beta=0.7, bias=2.0 "
	                "output %y }"},
		{"lrn of even size", "graph \"g\" { input %x: f32[1,24,5,5] %y = LRN (%x) size=4 output %y }"},
		{"softmax", "graph \"g\" { input %x: f32[3,100] %y = Softmax (%x) axis=-1 output %y }"},
		{"softmax over channels",
	         "graph \"g\" { input %x: f32[2,30,4,4] input %w: f32[30,30,1,1] %a = Conv (%x, %w)"
	         "%y = Softmax (%a) axis=1 output %y }"},
		{"softmax over the first", "graph \"g\" { input %x: f32[7,5] %y = Softmax (%x) axis=0 output %y }"},
		{"log softmax", "graph \"g\" { input %x: f32[3,100] %y = LogSoftmax (%x) axis=1 output %y }"},
		{"layer", "graph \"g\" { input %x: f32[2,5,64] input %w: f32[64] input %wb: f32[64]"
	                  "%y = LayerNormalization (%x, %w, %wb) output %y }"},
		{"layer without shift", "graph \"g\" { input %x: f32[2,5,64] input %w: f32[5,64]"
	                                "%y = LayerNormalization (%x, %w) axis=1, epsilon=0.01 output %y }"},
		{"layer with its mean", "graph \"g\" { input %x: f32[2,5,64] input %w: f32[64]"
	                                "%y, %m, %d = LayerNormalization (%x, %w) output %y output %m output %d }"},
		{"batch", "graph \"g\" { input %x: f32[2,6,4,4] input %w1: f32[6] input %w2: f32[6] input %w3: f32[6]"
	                  "const %v: f32[6] = {1, 2, 0.5, 0.25, 3, 1} %y = BatchNormalization (%x, %w1, %w2, %w3, %v) "
	                  "output %y }"},
		{"instance", "graph \"g\" { input %x: f32[2,6,4,4] input %w: f32[6] input %wb: f32[6]"
	                     "%y = InstanceNormalization (%x, %w, %wb) output %y }"},
	};
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), 1e-5);
}

/* ---- places ---- */

static void a_flattened_convolution_is_multiplied_as_it_lies(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place,
		"graph \"g\" { input %x: f32[2,8,6,6] input %w: f32[16,8,3,3] input %wm: f32[10,256] input %wb: f32[10]"
		"%y = Conv (%x, %w) %f = Flatten (%y) %z = Gemm (%f, %wm, %wb) transB=1 output %z }",
		CLOSE);
	assert_int_equal(r.launches, 3); /* the input's channels are moved, and nothing else */
}

static void a_flattened_convolution_that_is_an_output_is_in_the_model_s_order(void **state)
{
	(void)state;
	cpu_check(&place,
	          "graph \"g\" { input %x: f32[2,8,6,6] input %w: f32[16,8,3,3]"
	          "%y = Conv (%x, %w) %f = Flatten (%y) %z = Relu (%f) output %f output %z }",
	          CLOSE);
}

static void a_channel_shuffle_costs_one_copy(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place,
		"graph \"g\" { input %x: f32[1,16,5,5] input %w1: f32[24,4,1,1] input %w2: f32[24,1,3,3]"
		"const %s: i64[5] = {1, 4, 6, 5, 5} const %t: i64[4] = {1, 24, 5, 5}"
		"%y = Conv (%x, %w1) group=4 %a = Reshape (%y, %s) %b = Transpose (%a) perm=[0, 2, 1, 3, 4]"
		"%c = Reshape (%b, %t) %z = Conv (%c, %w2) group=24 %p = GlobalAveragePool (%z) output %p }",
		CLOSE);
	assert_int_equal(r.copies, 2); /* the input's and the shuffle's */
}

static void growing_concatenations_are_made_in_one_place(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place,
		"graph \"g\" { input %x: f32[1,8,5,5] input %w1: f32[8,8,1,1] input %w2: f32[4,8,1,1]"
		"input %w3: f32[4,12,1,1] input %w4: f32[4,16,1,1]"
		"%a = Conv (%x, %w1) %b = Conv (%a, %w2) %c = Concat (%a, %b) axis=1"
		"%d = Sigmoid (%c) %e = Conv (%d, %w3) %f = Concat (%c, %e) axis=1"
		"%g = Softsign (%f) %h = Conv (%g, %w4) %i = Concat (%f, %h) axis=1"
		"%j = Tanh (%i) output %j }",
		CLOSE);
	/* The input, each convolution once into its place, the output. */
	assert_int_equal(r.copies, 1 + 4 + 1);
}

static void a_nested_concatenation_that_is_read_by_a_kernel_is_dense(void **state)
{
	(void)state;
	cpu_check(&place,
	          "graph \"g\" { input %x: f32[2,8,5,5] input %w1: f32[8,8,1,1] input %w2: f32[4,16,1,1]"
	          "%a = Conv (%x, %w1) %c = Concat (%a, %a) axis=1 %e = Conv (%c, %w2) %f = Concat (%c, %e) axis=1"
	          "%j = Tanh (%f) output %j output %c }",
	          CLOSE);
}

static void moves_of_every_form_give_the_evaluator_s_bytes(void **state)
{
	(void)state;
	static const text_row rows[] = {
		{"transposes",
	         "graph \"g\" { input %x: f32[3,4,5,6] %y = Transpose (%x) perm=[2, 0, 3, 1] %z = Transpose (%x)"
	         "output %y output %z }"},
		{"transposed bytes",
	         "graph \"g\" { input %x: i8[3,4,50,6] %y = Transpose (%x) perm=[1, 3, 2, 0] output %y }"},
		{"transposed halves", "graph \"g\" { input %x: f16[30,40] %y = Transpose (%x) output %y }"},
		{"transposed doubles", "graph \"g\" { input %x: f64[30,40] %y = Transpose (%x) output %y }"},
		{"transposed and reshaped", "graph \"g\" { input %x: f32[2,30,40] const %s: i64[2] = {-1, 60}"
	                                    "%a = Transpose (%x) perm=[0, 2, 1] %y = Reshape (%a, %s) output %y }"},
		{"concatenations",
	         "graph \"g\" { input %x: f32[2,3,4] input %k: f32[2,1,4] input %w: f32[2,2,4]"
	         "%y = Concat (%x, %k, %w, %x) axis=1 %z = Concat (%y, %y) axis=-1 output %y output %z }"},
		{"splits",
	         "graph \"g\" { input %x: f32[2,7,4] const %s: i64[3] = {2, 4, 1} %a, %b, %c = Split (%x, %s) axis=1"
	         "%y = Relu (%b) output %a output %y output %c }"},
		{"slices",
	         "graph \"g\" { input %x: f32[6,7,8] const %s: i64[2] = {1, -3} const %e: i64[2] = {100, -1}"
	         "const %a: i64[2] = {0, 2} const %t: i64[2] = {2, 1} %y = Slice (%x, %s, %e, %a, %t) output %y }"},
		{"slices backwards",
	         "graph \"g\" { input %x: f32[6,7] const %s: i64[1] = {-1} const %e: i64[1] = {-100}"
	         "const %a: i64[1] = {1} const %t: i64[1] = {-2} %y = Slice (%x, %s, %e, %a, %t) output %y }"},
		{"an input as output", "graph \"g\" { input %x: f32[5] %y = Identity (%x) output %y output %x }"},
		{"one value as two outputs", "graph \"g\" { input %x: f32[5] %y = Relu (%x) output %y output %y }"},
		{"a constant as output", "graph \"g\" { input %x: f32[2] const %c: f32[3] = {1, 2, 3} %y = Relu (%x) "
	                                 "output %c output %y }"},
		{"nothing", "graph \"g\" { input %x: f32[0,3] %y = Relu (%x) %z = ReduceSum (%x) keepdims=0 output %y "
	                    "output %z }"},
	};
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), EXACT);
}

/* ---- Winograd ---- */

static bool has_avx512(const cpu_place *p)
{
	return strncmp(hy_hal_machine_device(p->machine, p->index)->info.arch, "avx512", 6) == 0;
}

static void values_in_winograd_s_places_reach_every_reader(void **state)
{
	(void)state;
	static const text_row rows[] = {
		{"two in a row, then a pool",
	         "graph \"g\" { input %x: f32[1,32,20,20] input %w1: f32[48,32,3,3] input %w2: f32[32,48,3,3] input "
	         "%wb: f32[32]"
	         "%a = Conv (%x, %w1) pads=[1, 1, 1, 1] %b = Relu (%a) %c = Conv (%b, %w2, %wb) %d = Relu (%c)"
	         "%e = MaxPool (%d) kernel_shape=[2, 2], strides=[2, 2] output %e }"},
		{"read by kernels of both kinds",
	         "graph \"g\" { input %x: f32[2,32,14,14] input %w1: f32[32,32,3,3] input %w2: f32[32,32,1,1]"
	         "%a = Conv (%x, %w1) pads=[1, 1, 1, 1] %b = Conv (%a, %w2) %c = Conv (%a, %w1) pads=[1, 1, 1, 1]"
	         "%d = Add (%b, %c) output %d output %a }"},
		{"in a concatenation, and flattened",
	         "graph \"g\" { input %x: f32[1,32,14,14] input %w1: f32[32,32,3,3] input %wm: f32[10,12544]"
	         "%a = Conv (%x, %w1) pads=[1, 1, 1, 1] %b = Concat (%a, %x) axis=1 %f = Flatten (%b)"
	         "%g = Gemm (%f, %wm) transB=1 %h = Neg (%a) output %g output %h }"},
		{"with something behind it that its kernel can't do",
	         "graph \"g\" { input %x: f32[1,32,14,14] input %w1: f32[32,32,3,3] %a = Conv (%x, %w1) pads=[1, 1, 1, "
	         "1]"
	         "%b = LeakyRelu (%a) %c = Add (%b, %x) output %c }"},
	};
	cpu_place eager;
	EXPECT_OK(cpu_open(&eager, "winograd", "always"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("           %s\n", rows[i].says);
		const cpu_result r = cpu_check(&eager, rows[i].text, CLOSE);
		if (has_avx512(&eager) && i < 3) assert_non_null(strstr(r.implementations, "wino"));
	}
	cpu_close(&eager);
}

static void without_winograd_no_kernel_uses_it(void **state)
{
	(void)state;
	cpu_place plain;
	EXPECT_OK(cpu_open(&plain, "winograd", "never"));
	const cpu_result r = cpu_check(&plain,
	                               "graph \"g\" { input %x: f32[1,64,28,28] input %w: f32[64,64,3,3]"
	                               "%y = Conv (%x, %w) pads=[1, 1, 1, 1] output %y }",
	                               CLOSE);
	assert_null(strstr(r.implementations, "wino"));
	cpu_close(&plain);
}

/* ---- elementwise groups ---- */

static void elementwise_groups_give_the_evaluator_s_numbers(void **state)
{
	(void)state;
	static const text_row rows[] = {
		{"a long run",
	         "graph \"g\" { input %x: f32[3001] %a = Exp (%x) %b = Add (%a, %x) %y = Sqrt (%b) output %y }"},
		{"rows and columns", "graph \"g\" { input %x: f32[70,33] input %k: f32[33] input %w: f32[70,1]"
	                             "%a = Mul (%x, %k) %b = Add (%a, %w) %y = Relu (%b) output %y }"},
		{"channels", "graph \"g\" { input %x: f32[2,40,6,6] input %w1: f32[40,1,1] input %w2: f32[40,1,1]"
	                     "%a = Mul (%x, %w1) %b = Add (%a, %w2) %y = Relu (%b) output %y }"},
		{"channels innermost",
	         "graph \"g\" { input %x: f32[2,40,6,6] input %w: f32[40,40,1,1] input %w1: f32[40,1,1]"
	         "%c = Conv (%x, %w) %d = Softsign (%c) %a = Mul (%d, %w1) %y = Sub (%a, %x) output %y }"},
		{"outer product",
	         "graph \"g\" { input %x: f32[1,2000] input %k: f32[3,1] %y = Sub (%x, %k) output %y }"},
		{"large rows", "graph \"g\" { input %x: f32[3,2500] input %k: f32[3,1] input %w: f32[2500]"
	                       "%a = Sub (%x, %k) %y = Max (%a, %w, %x) output %y }"},
		{"small in a large one", "graph \"g\" { input %x: f32[5,6] input %k: f32[6] input %w: f32[6]"
	                                 "%a = Add (%k, %w) %b = Tanh (%a) %y = Mul (%x, %b) output %y }"},
		{"several outputs", "graph \"g\" { input %x: f32[10,20] %a = Relu (%x) %b = Neg (%x) %c = Add (%a, %b)"
	                            "output %a output %b output %c }"},
		{"truth",
	         "graph \"g\" { input %x: f32[4,50] input %k: f32[50] %a = Greater (%x, %k) %b = LessOrEqual (%x, %k)"
	         "%c = Or (%a, %b) %d = Not (%a) %y = Where (%d, %x, %k) output %a output %c output %y }"},
		{"casts", "graph \"g\" { input %x: f32[4,50] input %i: i64[50] %a = Cast (%i) to=1 %b = Mul (%x, %a)"
	                  "%c = Cast (%b) to=9 %y = Cast (%c) to=1 output %y }"},
		{"dynamic clip", "graph \"g\" { input %x: f32[50] input %lo: f32[] %y = Clip (%x, %lo) output %y }"},
		{"broken clip", "graph \"g\" { input %x: f32[50] const %lo: f32[] = {1} const %hi: f32[] = {-1}"
	                        "%y = Clip (%x, %lo, %hi) output %y }"},
		{"powers",
	         "graph \"g\" { input %x: f32[50] const %p: f32[] = {2} const %q: f32[] = {3} %a = Pow (%x, %p)"
	         "%y = Pow (%x, %q) output %a output %y }"},
		{"prelu", "graph \"g\" { input %x: f32[2,4,5] input %w: f32[4,1] %y = PRelu (%x, %w) output %y }"},
		{"means", "graph \"g\" { input %x: f32[7] input %k: f32[7] input %j: f32[1] %y = Mean (%x, %k, %j)"
	                  "%z = Sum (%x) output %y output %z }"},
		{"numbers", "graph \"g\" { input %x: f32[] input %k: f32[] %y = Add (%x, %k) output %y }"},
		{"integers",
	         "graph \"g\" { input %x: i64[7] input %k: i64[7] %a = Mul (%x, %k) %y = Add (%a, %x) output %y }"},
		{"rounding",
	         "graph \"g\" { input %x: f32[99] %a = Round (%x) %b = Floor (%x) %c = Ceil (%x) %d = Sign (%x)"
	         "output %a output %b output %c output %d }"},
	};
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), CLOSE);
}

static void an_output_over_an_input_waits_for_its_last_reader(void **state)
{
	(void)state;
	cpu_check(&place,
	          "graph \"g\" { input %x: f32[5000] %p = Exp (%x) %a = Relu (%p) %b = Mul (%p, %p) %c = Sub (%b, %p)"
	          "output %a output %c }",
	          CLOSE);
	cpu_check(&place,
	          "graph \"g\" { input %x: f32[40,40] %t = Transpose (%x) %p = Exp (%t) %q = Tanh (%p) %r = Transpose "
	          "(%q)"
	          "%s = Add (%r, %p) output %s }",
	          CLOSE);
}

/* ---- the rest ---- */

static void an_operator_without_a_kernel_runs_on_the_evaluator_and_says_so(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place, "graph \"g\" { input %x: i64[3,4] const %axis: i64[] = {1} %y = CumSum (%x, %axis) output %y }",
		EXACT);
	assert_int_equal(r.reference_launches, 1);
	assert_non_null(strstr(r.implementations, "reference:CumSum"));
}

static int open_place(void **state)
{
	(void)state;
	EXPECT_OK(cpu_open(&place, NULL, NULL));
	return 0;
}

static int close_place(void **state)
{
	(void)state;
	cpu_close(&place);
	return 0;
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_convolution_runs_with_its_relu_in_one_kernel),
		CASE(curves_behind_a_convolution_are_part_of_its_kernel),
		CASE(curves_behind_a_product_are_part_of_its_kernel),
		CASE(a_bias_behind_a_product_is_part_of_its_kernel),
		CASE(what_is_no_curve_of_the_kernel_runs_behind_it),
		CASE(a_residual_is_added_in_the_kernel_onto_its_own_memory),
		CASE(a_residual_that_is_read_again_keeps_its_numbers),
		CASE(a_residual_that_is_the_kernel_s_input_keeps_its_numbers),
		CASE(convolutions_of_every_form_give_the_evaluator_s_numbers),
		CASE(poolings_of_every_form_give_the_evaluator_s_numbers),
		CASE(products_of_every_form_give_the_evaluator_s_numbers),
		CASE(norms_of_every_form_give_the_evaluator_s_numbers),
		CASE(a_flattened_convolution_is_multiplied_as_it_lies),
		CASE(a_flattened_convolution_that_is_an_output_is_in_the_model_s_order),
		CASE(a_channel_shuffle_costs_one_copy),
		CASE(growing_concatenations_are_made_in_one_place),
		CASE(a_nested_concatenation_that_is_read_by_a_kernel_is_dense),
		CASE(moves_of_every_form_give_the_evaluator_s_bytes),
		CASE(values_in_winograd_s_places_reach_every_reader),
		CASE(without_winograd_no_kernel_uses_it),
		CASE(elementwise_groups_give_the_evaluator_s_numbers),
		CASE(an_output_over_an_input_waits_for_its_last_reader),
		CASE(an_operator_without_a_kernel_runs_on_the_evaluator_and_says_so),
	};
	return cmocka_run_group_tests_name("plugins.cpu", cases, open_place, close_place);
}
