#include "program.h"
#include "schema.h"

/* The line's answer is one JSON object that fits tools/schema/halyard.NAME.v1.json. The caller releases it. */
static json_t *answer_fits(const char *line, const char *name)
{
	json_error_t error;
	program_answers(line);
	json_t *const answer = json_loads(program_out, JSON_REJECT_DUPLICATES, &error);
	if (answer == NULL) fail_msg("%s: no JSON: %s in %s", line, error.text, program_out);
	fits(answer, "tools", name);
	return answer;
}

static void answers_without_a_model_fit_their_schemas(void **state)
{
	(void)state;
	json_decref(answer_fits("$halyard version -o json", "version"));
	json_decref(answer_fits("$halyard doctor -o json", "doctor"));
	json_decref(answer_fits("$halyard devices -o json", "devices"));
	json_decref(answer_fits("$halyard topology -o json", "topology"));
	json_decref(
		answer_fits("$halyard topology -o json --from " HY_SOURCE_DIR "/examples/cluster-16.yaml", "topology"));
	json_decref(answer_fits("$halyard devices -o json --cluster " HY_SOURCE_DIR "/examples/cluster-16.yaml",
	                        "inventory"));
	json_decref(answer_fits("$halyard config check " HY_SOURCE_DIR "/examples/*.yaml -o json", "config"));
}

/* The plan's own schema is the scheduler's, and judged there. */
static void a_plan_is_json_and_its_explanation_fits_its_schema(void **state)
{
	(void)state;
	program_answers("$halyard plan $digits/digits.onnx -d cpu:0 -o json");
	json_t *const plan = json_loads(program_out, JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(json_string_value(json_object_get(plan, "schema")), "halyard.plan/v1");
	json_decref(plan);
	json_decref(answer_fits("$halyard explain $digits/digits.onnx -d cpu:0 --node 0 -o json", "explain"));
}

static void a_run_fits_its_schema_and_tells_what_it_did(void **state)
{
	(void)state;
	json_t *const answer = answer_fits(
		"$halyard run $digits/digits.onnx -d cpu:0 --each -i image=$digits/images.npy "
		"--labels $digits/labels.txt --check --output-dir o -o json",
		"run");
	assert_int_equal(json_integer_value(json_object_get(answer, "requests")), 100);
	assert_true(json_is_true(json_object_get(json_object_get(answer, "check"), "pass")));
	json_decref(answer);
}

static void a_bench_fits_its_schema_and_adds_up(void **state)
{
	(void)state;
	json_t *const answer = answer_fits(
		"$halyard bench $digits/digits.onnx -d cpu:0 --scenario offline --seconds 0.2 "
		"--per-op --compare solo -o json",
		"bench");
	const double rate = json_number_value(json_object_get(answer, "throughput_per_s"));
	const double seconds = json_number_value(json_object_get(answer, "seconds"));
	const double requests = json_number_value(json_object_get(answer, "requests"));
	assert_true(rate * seconds > 0.999 * requests && rate * seconds < 1.001 * requests);
	assert_int_equal(json_array_size(json_object_get(answer, "solo")), 1);
	json_decref(answer);
}

static void a_trace_fits_its_schema(void **state)
{
	(void)state;
	program_answers("$halyard run $digits/digits.onnx -d cpu:0 --requests 5 --trace t.json --quiet");
	char path[256];
	snprintf(path, sizeof(path), "%s/t.json", program_folder);
	json_t *const trace = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(trace);
	fits(trace, "scheduler", "trace");
	json_decref(trace);
}

static void the_status_of_a_session_fits_its_schema_and_adds_up(void **state)
{
	(void)state;
	program_answers("$halyard bench $digits/digits.onnx -d cpu:0 --scenario offline --seconds 0.8 --status s.json");
	json_t *const answer = answer_fits("$halyard top s.json -o json", "status");
	static const char *const ends[] = {"done", "failed", "cancelled", "late", "waiting", "in_hand"};
	json_int_t ended = 0;
	for (int i = 0; i < 6; i++)
		ended += json_integer_value(json_object_get(answer, ends[i]));
	assert_true(ended > 0);
	assert_int_equal(ended, json_integer_value(json_object_get(answer, "accepted")));
	assert_false(json_is_true(json_object_get(answer, "running")));
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(answers_without_a_model_fit_their_schemas),
		CASE(a_plan_is_json_and_its_explanation_fits_its_schema),
		CASE(a_run_fits_its_schema_and_tells_what_it_did),
		CASE(a_bench_fits_its_schema_and_adds_up),
		CASE(a_trace_fits_its_schema),
		CASE(the_status_of_a_session_fits_its_schema_and_adds_up),
	};
	return cmocka_run_group_tests_name("tools.json", cases, program_setup, program_teardown);
}
