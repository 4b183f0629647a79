/* halyard calibrate: costs that are kept, shown, exported and used; and the formula over sizes. */
#include "program.h"

#include "power_fit.h"

#include <math.h>

static void a_formula_is_found_again(void **state)
{
	(void)state;
	const double sizes[] = {1, 2, 4, 8, 16, 32};
	double times[6];
	for (int i = 0; i < 6; i++)
		times[i] = 3000 * pow(sizes[i], 0.8) + 20000;
	const tool_power_fit fit = tool_power_fit_of(6, sizes, times);
	assert_true(fabs(fit.b - 0.8) < 0.02);
	assert_true(fabs(fit.a / 3000 - 1) < 0.1);
	assert_true(fabs(fit.c / 20000 - 1) < 0.05);
	assert_true(fit.error < 0.01);
}

static void a_formula_never_has_negative_terms(void **state)
{
	(void)state;
	const double sizes[] = {1, 2, 4, 8}, falling[] = {800, 400, 200, 100}, steep[] = {1, 10, 100, 1000};
	const tool_power_fit down = tool_power_fit_of(4, sizes, falling), up = tool_power_fit_of(4, sizes, steep);
	assert_true(down.a >= 0 && down.c >= 0 && isfinite(down.error));
	assert_true(up.a >= 0 && up.c >= 0 && isfinite(up.error));
}

static void calibrated_costs_are_shown_and_exported(void **state)
{
	(void)state;
	program_answers("$halyard calibrate $digits/digits.onnx -d cpu:0 --batches 1,2,3,4 -q");
	assert_non_null(strstr(program_out, " x N^"));
	program_answers("$halyard calibrate show");
	assert_non_null(strstr(program_out, "oneDNN"));
	assert_non_null(strstr(program_out, "program "));
	program_answers("$halyard calibrate export -d cpu:0");
	assert_ptr_equal(strstr(program_out, "{\"schema\": \"halyard.costs/v1\"}\n{\"plugin\": \"cpu\""), program_out);
	program_answers("$halyard calibrate export -d cpu:0 >c.jsonl && "
	                "$halyard plan $digits/digits.onnx -d cpu:0 --cost-file c.jsonl");
}

/* Five nodes of 100 ns and one of 200: what the file says, not what missing peak rates do. */
static void exported_costs_are_what_a_simulated_device_takes(void **state)
{
	(void)state;
	program_answers(
		"$halyard calibrate $digits/digits.onnx -d 'cpu:0?cores=0' -q >/dev/null && "
		"$halyard calibrate export -d cpu:0 >c.jsonl && sed -i 's/\"median_ns\": [0-9]*/\"median_ns\": 700/; "
		"s/\"node_ns\": .[0-9, ]*/\"node_ns\": [100, 100, 100, 100, 100, 200/' c.jsonl && "
		"printf 'apiVersion: halyard.dev/v1\nkind: Cluster\nmetadata: {name: one}\nspec:\n  deviceTypes:\n"
		"    a: {kind: cpu, plugin: cpu, calibration: c.jsonl}\n  nodes:\n"
		"  - {name: n, devices: [{id: \"cpu:0\", type: a}]}\n' >one.yaml && "
		"$halyard simulate one.yaml $digits/digits.onnx --job 10");
	assert_non_null(strstr(program_out, "1428571.4/s predicted"));
}

static void without_a_file_nothing_is_kept(void **state)
{
	(void)state;
	program_answers("XDG_CACHE_HOME=$PWD/none; $halyard plan $digits/digits.onnx -d cpu:0 --no-cost-file && "
	                "test ! -e none/halyard && $halyard plan $digits/digits.onnx -d cpu:0 && test -e none/halyard");
	program_refuses("$halyard calibrate $digits/digits.onnx --no-cost-file", 2, "leave out --no-cost-file");
	program_refuses("$halyard calibrate $digits/digits.onnx --batches 1,x", 2, "--batches 1,x");
	program_refuses("$halyard calibrate nosuch.onnx", 6, "nosuch.onnx");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_formula_is_found_again),
		CASE(a_formula_never_has_negative_terms),
		CASE(calibrated_costs_are_shown_and_exported),
		CASE(exported_costs_are_what_a_simulated_device_takes),
		CASE(without_a_file_nothing_is_kept),
	};
	return cmocka_run_group_tests(cases, program_setup, program_teardown);
}
