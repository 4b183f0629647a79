#include "program.h"
#include "schema.h"

#define LAB HY_SOURCE_DIR "/examples/cluster-16.yaml"

/* Two equal devices on one host, whose model takes 10 ms by what was measured. */
#define PAIR                                                                                                \
	"cat > pair.yaml <<'END'\n"                                                                         \
	"apiVersion: halyard.dev/v1\nkind: Cluster\nmetadata: {name: pair}\nspec:\n  deviceTypes:\n"        \
	"    chip: {plugin: cpu, kind: cpu, memory: 1Gi, bandwidth: 100GB/s, peak: {f32: 1T}}\n"            \
	"  nodes:\n    - {name: host, devices: [{id: \"cpu:[0-1]\", type: chip}]}\nEND\n"                   \
	"pair() { $halyard simulate pair.yaml $digits/digits.onnx --quiet --item-time chip=10ms --noise 0 " \
	"--calibration-error 0 \"$@\"; }\n"

static void a_job_on_two_equal_devices_takes_half_as_long(void **state)
{
	(void)state;
	program_answers(PAIR "pair --job 200");
	assert_string_equal(program_out,
	                    "cluster     pair: 1 nodes, 2 devices\n"
	                    "plan        replicas on 2 devices: 200.0/s predicted, 200.0/s is what no plan can beat\n"
	                    "            single on 1 device: 100.0/s\n"
	                    "answers     200.0/s: 200 in 1.000 s\n"
	                    "at work     100.00 % of the capacity, 100.00 % of the mean device, 100.00 % of the least\n"
	                    "latency     500.00 ms median, 990.00 ms 99th percentile, 1.00 s worst\n"
	                    "requests    200 accepted, 0 refused, 0 dropped; 0 failed, 0 too late\n"
	                    "corrected   0 started again, 0 run twice, 0 steals, 0 changes of speed noticed\n"
	                    "\n"
	                    "TYPE DEVICES    ALONE    SHARE  AT WORK    LEAST   LOST\n"
	                    "chip       2 10.00 ms 100.00 % 100.00 % 100.00 % 0.00 %\n");
}

static void a_device_that_dies_leaves_the_rest_to_the_other(void **state)
{
	(void)state;
	program_answers(PAIR "echo '505ms dies host/cpu:1' > script; pair --job 200 --script script | grep answers");
	assert_string_equal(program_out, "answers     133.3/s: 200 in 1.500 s\n");
}

static void without_add_and_strategy_change_the_devices(void **state)
{
	(void)state;
	program_answers(PAIR "pair --job 200 --without host/cpu:0 | grep answers; pair --job 200 --add chip --add chip "
	                     "| grep answers; pair --job 200 --strategy single | grep answers");
	assert_string_equal(program_out, "answers     100.0/s: 200 in 2.000 s\n"
	                                 "answers     400.0/s: 200 in 0.500 s\n"
	                                 "answers     100.0/s: 200 in 2.000 s\n");
}

static void a_model_too_large_for_each_device_runs_in_parts_as_fast_as_predicted(void **state)
{
	(void)state;
	program_answers(PAIR
	                "sed -i 's/kind: cpu, memory: 1Gi/kind: gpu, memory: 32Ki/' pair.yaml; pair --duration 20 | "
	                "grep -E 'plan|answers'");
	double predicted, simulated;
	assert_int_equal(sscanf(program_out,
	                        "plan groups on 2 devices: %lf/s predicted, %*f/s is what no plan can beat "
	                        "answers %lf/s",
	                        &predicted, &simulated),
	                 2);
	assert_true(predicted > 100 && predicted <= 200);
	assert_true(simulated > 0.98 * predicted && simulated < 1.01 * predicted);
	program_refuses(PAIR "sed -i 's/kind: cpu, memory: 1Gi/kind: gpu, memory: 4Ki/' pair.yaml; pair", 7,
	                "too little");
}

static void a_slower_link_is_the_bottleneck_and_is_named(void **state)
{
	(void)state;
	program_answers("$halyard simulate -q " LAB
	                " $digits/digits.onnx --duration 0.02 --link fast01,leaf0=100MB/s | "
	                "grep busiest");
	assert_non_null(strstr(program_out, "busiest     link fast01/numa:0>leaf0, 99"));
}

static void the_same_seed_gives_the_same_answer_which_fits_its_schema(void **state)
{
	(void)state;
	program_answers("sim() { $halyard simulate -q " LAB
	                " $digits/digits.onnx --duration 0.02 -o json --seed $1; }; "
	                "sim 3 > a; sim 3 > b; sim 4 > c; cmp a b && ! cmp -s a c && cat a");
	json_t *const answer = json_loads(program_out, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(answer);
	fits(answer, "tools", "simulate");
	assert_true(json_number_value(json_object_get(json_object_get(answer, "at_work"), "capacity")) > 0.9);
	json_decref(answer);
}

static void a_trace_is_written(void **state)
{
	(void)state;
	program_answers(PAIR "pair --job 20 --trace t.json >/dev/null && cat t.json");
	assert_non_null(strstr(program_out, "host/cpu:1"));
	assert_non_null(strstr(program_out, "\"exec\""));
}

static void what_is_wrong_is_told(void **state)
{
	(void)state;
	program_refuses("$halyard simulate " LAB " $digits/digits.onnx --without nobody", 2, "fits 'nobody'");
	program_refuses("$halyard simulate " LAB " $digits/digits.onnx --add h200", 2, "no device of a type 'h200'");
	program_refuses("$halyard simulate " LAB " $digits/digits.onnx --link fast01,leaf9=1GB/s", 2, "'leaf9'");
	program_refuses("$halyard simulate " LAB " $digits/digits.onnx --link fast01,leaf0=1", 2, "12GB/s");
	program_refuses("$halyard simulate " LAB " $digits/digits.onnx --item-time h100=fast", 2, "TYPE=1.5ms");
	program_refuses("$halyard simulate " LAB " $digits/digits.onnx --source moon", 2, "no node or place 'moon'");
	program_refuses("$halyard simulate " LAB " $digits/digits.onnx --noise 2", 2, "0 to 1");
	program_refuses("echo '1s melts a' > script; $halyard simulate " LAB " $digits/digits.onnx --script script", 3,
	                "script:1:4: what happens?");
	program_refuses("echo '1s dies a' > script; $halyard simulate -q " LAB " $digits/digits.onnx --script script",
	                2, "no device of cluster lab-16 fits 'a'");
	program_refuses("$halyard simulate no.yaml $digits/digits.onnx", 3, "no.yaml");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_job_on_two_equal_devices_takes_half_as_long),
		CASE(a_device_that_dies_leaves_the_rest_to_the_other),
		CASE(without_add_and_strategy_change_the_devices),
		CASE(a_model_too_large_for_each_device_runs_in_parts_as_fast_as_predicted),
		CASE(a_slower_link_is_the_bottleneck_and_is_named),
		CASE(the_same_seed_gives_the_same_answer_which_fits_its_schema),
		CASE(a_trace_is_written),
		CASE(what_is_wrong_is_told),
	};
	return cmocka_run_group_tests(cases, program_setup, program_teardown);
}
