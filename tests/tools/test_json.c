#include "program.h"

#include <jansson.h>
#include <stdbool.h>

/* Judges a value by a JSON Schema; only the words that the schemas of this project use. What is wrong stands in
 * fault, with the way to it. */
static bool judge(const json_t *schema, const json_t *value, const char *way, char *fault, size_t length);

static bool is_type(const char *type, const json_t *value)
{
	if (strcmp(type, "number") == 0) return json_is_number(value);
	if (strcmp(type, "integer") == 0) return json_is_integer(value);
	if (strcmp(type, "string") == 0) return json_is_string(value);
	if (strcmp(type, "boolean") == 0) return json_is_boolean(value);
	if (strcmp(type, "null") == 0) return json_is_null(value);
	if (strcmp(type, "object") == 0) return json_is_object(value);
	return strcmp(type, "array") == 0 && json_is_array(value);
}

static bool is_one_of(const json_t *list, const json_t *value)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) if (json_equal(item, value)) return true;
	return false;
}

static bool has_type(const json_t *types, const json_t *value)
{
	size_t i;
	json_t *type;
	if (types == NULL) return true;
	if (json_is_string(types)) return is_type(json_string_value(types), value);
	json_array_foreach(types, i, type) if (is_type(json_string_value(type), value)) return true;
	return false;
}

static bool judge_object(const json_t *schema, const json_t *value, const char *way, char *fault, size_t length)
{
	json_t *const properties = json_object_get(schema, "properties");
	const char *key;
	json_t *item;
	size_t i;
	json_array_foreach(json_object_get(schema, "required"), i, item)
	{
		if (json_object_get(value, json_string_value(item)) != NULL) continue;
		snprintf(fault, length, "%s: no %s", way, json_string_value(item));
		return false;
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		char deeper[256];
		snprintf(deeper, sizeof(deeper), "%.200s.%.40s", way, key);
		const json_t *const rule = json_object_get(properties, key);
		if (rule == NULL) {
			snprintf(fault, length, "%s: not in the schema", deeper);
			return false;
		}
		if (!judge(rule, item, deeper, fault, length)) return false;
	}
	return true;
}

static bool judge(const json_t *schema, const json_t *value, const char *way, char *fault, size_t length)
{
	const json_t *const only = json_object_get(schema, "const"), *const words = json_object_get(schema, "enum");
	const json_t *const least = json_object_get(schema, "minimum");
	snprintf(fault, length, "%s: has the wrong type or value", way);
	if (!has_type(json_object_get(schema, "type"), value)) return false;
	if (only != NULL && !json_equal(only, value)) return false;
	if (words != NULL && !is_one_of(words, value)) return false;
	if (least != NULL && json_is_number(value) && json_number_value(value) < json_number_value(least)) return false;
	if (json_is_object(value)) return judge_object(schema, value, way, fault, length);
	size_t i;
	json_t *item;
	json_array_foreach(value, i, item)
	{
		if (!judge(json_object_get(schema, "items"), item, way, fault, length)) return false;
	}
	return true;
}

static void fits(const json_t *value, const char *room, const char *name)
{
	char path[512], fault[512] = "";
	json_error_t error;
	snprintf(path, sizeof(path), "%s/%s/schema/halyard.%s.v1.json", HY_SOURCE_DIR, room, name);
	json_t *const schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (schema == NULL) fail_msg("%s:%d: %s", path, error.line, error.text);
	if (!judge(schema, value, name, fault, sizeof(fault))) fail_msg("%s", fault);
	json_decref(schema);
}

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
