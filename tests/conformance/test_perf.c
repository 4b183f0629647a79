#include "folder.h"

#include "perf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Measures one row on a copy of the plugin, whose name says how it cheats. */
static void measure(const char *name, const char *row, perf_kind kind, supervisor_result *out)
{
	static supervisor worker;
	char plugin[256], command[700], id[16];
	uint32_t count, number = 0;
	const perf_row *rows = conform__perf_rows(&count);
	while (number < count && (rows[number].kind != kind || strcmp(rows[number].name, row) != 0))
		number++;
	assert_true(number < count);
	snprintf(plugin, sizeof(plugin), "%s/%s.so", folder, name);
	snprintf(command, sizeof(command), "cp '%s' '%s'", getenv("HY_CHEAT"), plugin);
	assert_int_equal(system(command), 0);
	hy_error error = {.text = ""};
	const hy_conform_options options = {
		.size = sizeof(options), .plugin = plugin, .worker = getenv("HY_WORKER"), .batch = 1};
	EXPECT_OK(conform__supervisor_init(&worker, &options, &error));
	snprintf(id, sizeof(id), WORKER_MEASURE "%u", number);
	const conform_case order = {.info = {.id = id}, .seconds = 120, .alone = true};
	conform__supervisor_run(&worker, &order, out);
	conform__supervisor_stop(&worker);
}

static void expect_finding(const char *name, const char *row, perf_kind kind, const char *text)
{
	static supervisor_result result;
	measure(name, row, kind, &result);
	assert_string_equal(hy_conform_status_name(result.status), "FAIL");
	if (strstr(result.text, text) == NULL) fail_msg("%s", result.text);
}

static void honest_device_has_no_finding(void **state)
{
	(void)state;
	static supervisor_result result;
	measure("honest", "4 KiB", PERF_TO, &result);
	assert_string_equal(hy_conform_status_name(result.status), "PASS");
	assert_int_equal(result.record_kind, WORKER_MEASUREMENT);
	assert_true(result.record.measurement.samples >= 12);
	assert_true(result.record.measurement.median_ns > 0);
}

static void remembered_answer_is_found(void **state)
{
	(void)state;
	expect_finding("remembers", "Add, 256 Ki elements", PERF_ELEMENTWISE, "answers are remembered");
}

static void run_that_is_skipped_while_timed_is_found(void **state)
{
	(void)state;
	expect_finding("skips", "Add, 256 Ki elements", PERF_ELEMENTWISE, "an answer given while it was timed");
}

static void more_than_the_declared_peak_is_impossible(void **state)
{
	(void)state;
	expect_finding("boasts", "4 KiB", PERF_WITHIN, "impossible");
}

static void statistics_are_of_the_middle(void **state)
{
	(void)state;
	double samples[] = {3, 1, 2, 1000, 4};
	const perf_statistics s = conform__perf_summarise(5, samples);
	assert_true(s.median == 3);
	assert_true(s.deviation == 1);
	assert_true(s.p99 == 1000); /* of five samples, the last */
	double even[] = {10, 10, 10, 10};
	const perf_statistics same = conform__perf_summarise(4, even);
	assert_true(same.median == 10 && same.deviation == 0 && same.variation == 0);
	const perf_statistics none = conform__perf_summarise(0, even);
	assert_true(none.median == 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(statistics_are_of_the_middle),
		CASE(honest_device_has_no_finding),
		CASE(remembered_answer_is_found),
		CASE(run_that_is_skipped_while_timed_is_found),
		CASE(more_than_the_declared_peak_is_impossible),
	};
	return cmocka_run_group_tests_name("conformance.perf", cases, folder_setup, folder_teardown);
}
