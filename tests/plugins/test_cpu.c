#include "test.h"

#include "plugins/cpu_case.h"

static cpu_place place;

#define EXACT 0.0
#define CLOSE 2e-6

static void a_convolution_runs_with_its_relu_in_one_kernel(void **state)
{
	(void)state;
	const cpu_result r = cpu_check(
		&place,
		"graph \"g\" { input %x: f32[1,16,9,9] input %w: f32[32,16,3,3] input %wb: f32[32]"
		"%y: f32[1,32,9,9] = halyard::Region \"r\" (%x, %w, %wb) graph \"b\" {"
		" input %a: f32[1,16,9,9] input %b: f32[32,16,3,3] input %c: f32[32]"
		" %d = Conv (%a, %b, %c) pads=[1, 1, 1, 1] %e = Relu (%d) output %e }"
		"output %y }",
		CLOSE);
	assert_int_equal(r.launches - r.copies, 1);
	assert_int_equal(r.reference_launches, 0);
}

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
		CASE(an_operator_without_a_kernel_runs_on_the_evaluator_and_says_so),
	};
	return cmocka_run_group_tests_name("plugins.cpu", cases, open_place, close_place);
}
