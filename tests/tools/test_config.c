#include "program.h"

#define EXAMPLES HY_SOURCE_DIR "/examples"
#define WRONG HY_SOURCE_DIR "/tests/scheduler/cluster"

static void the_examples_are_valid(void **state)
{
	(void)state;
	program_answers("$halyard config check " EXAMPLES "/*.yaml");
	assert_non_null(strstr(program_out, "cluster-16.yaml: valid: cluster lab-16, 16 nodes, 36 devices of 5 types"));
	assert_non_null(strstr(program_out, "cluster-128.yaml: valid: cluster hall-128, 128 nodes, 960 devices"));
}

static void faults_are_told_on_standard_output_and_exit_3(void **state)
{
	(void)state;
	assert_int_equal(program_run("cd " WRONG " && $halyard config check unknown_types.yaml ../no.yaml"), 3);
	assert_string_equal(program_out,
	                    "unknown_types.yaml:11:32: there is no device type 'gpx': did you mean 'gpu'?\n"
	                    "unknown_types.yaml:12:31: there is no device type 'ascend': describe it in deviceTypes\n"
	                    "../no.yaml:1:1: cannot be opened: No such file or directory\n");
}

static void one_wrong_file_among_good_ones_exits_3(void **state)
{
	(void)state;
	assert_int_equal(program_run("$halyard config check -o json " EXAMPLES "/cluster-16.yaml " WRONG "/tab.yaml"),
	                 3);
	assert_non_null(strstr(program_out, "\"valid\": false"));
	assert_non_null(strstr(program_out, "\"valid\": true"));
	assert_non_null(strstr(program_out, "\"line\": 5"));
}

static void the_schema_is_the_shipped_one(void **state)
{
	(void)state;
	program_answers("$halyard config schema | diff - " HY_SOURCE_DIR "/scheduler/schema/halyard.cluster.v1.json");
}

static void other_words_are_usage_errors(void **state)
{
	(void)state;
	program_refuses("$halyard config", 2, "check FILE... is missing");
	program_refuses("$halyard config check", 2, "halyard config check FILE...");
	program_refuses("$halyard config chekc x", 2, "halyard config check FILE...");
}

#define LOCAL(devices)                                                                                           \
	"printf 'apiVersion: halyard.dev/v1\\nkind: Cluster\\nmetadata: {name: x}\\nspec:\\n  deviceTypes: {c: " \
	"{plugin: cpu, kind: cpu}, o: {plugin: opencl}, n: {plugin: nosuch}}\\n  nodes: [" devices "]\\n' >l.yaml; "

static void plan_takes_the_devices_and_cores_of_this_host(void **state)
{
	(void)state;
	program_answers(LOCAL(
		"{name: n, devices: [{id: \"cpu:0\", type: c, cores: \"0\"}]}") "$halyard plan $digits/digits.onnx "
	                                                                        "--no-measure --cluster l.yaml");
	assert_non_null(strstr(program_out, "cpu:0?cores="));
	assert_null(strstr(program_out, "opencl"));
	program_answers("$halyard run $digits/digits.onnx --cluster l.yaml");
	program_answers(LOCAL("{name: n, devices: [{id: \"nosuch:0\", type: n}]}, {name: m, devices: [{id: \"cpu:0\", "
	                      "type: c}]}") "$halyard plan $digits/digits.onnx --no-measure --cluster l.yaml --node m");
	assert_non_null(strstr(program_out, "cpu:0"));
}

static void a_host_that_is_not_like_its_description_is_said(void **state)
{
	(void)state;
	program_refuses(LOCAL("{name: n, devices: [{id: \"nosuch:0\", type: n}]}") "$halyard plan $digits/digits.onnx "
	                                                                           "--cluster l.yaml",
	                5, "nosuch:0");
	program_refuses(LOCAL("{name: n, devices: [{id: \"cpu:0\", type: c, cores: \"9999\"}]}") "$halyard plan "
	                                                                                         "$digits/digits.onnx "
	                                                                                         "--cluster l.yaml",
	                3, "no core is left for n/cpu:0");
	program_refuses("$halyard run $digits/digits.onnx --cluster l.yaml -d cpu:0", 2, "both choose devices");
	program_refuses("$halyard run $digits/digits.onnx --cluster nowhere.yaml", 2, "nowhere.yaml");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_examples_are_valid),
		CASE(faults_are_told_on_standard_output_and_exit_3),
		CASE(one_wrong_file_among_good_ones_exits_3),
		CASE(the_schema_is_the_shipped_one),
		CASE(other_words_are_usage_errors),
		CASE(plan_takes_the_devices_and_cores_of_this_host),
		CASE(a_host_that_is_not_like_its_description_is_said),
	};
	return cmocka_run_group_tests_name("tools.config", cases, program_setup, program_teardown);
}
