#include "folder.h"

#include <halyard/conform.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEEN = 64 };
#define SHORT 0.08 /* of the time limits: for what hangs */

/* What a run showed, case by case. */
typedef struct shown {
	uint32_t count;
	struct {
		char id[64], text[2048], output[20000];
		hy_conform_status status;
	} cases[SEEN];
} shown;

static void note(void *payload, const hy_conform_result *result)
{
	shown *s = payload;
	assert_true(s->count < SEEN);
	snprintf(s->cases[s->count].id, sizeof(s->cases[0].id), "%s", result->info->id);
	snprintf(s->cases[s->count].text, sizeof(s->cases[0].text), "%s", result->text);
	snprintf(s->cases[s->count].output, sizeof(s->cases[0].output), "%s", result->output);
	s->cases[s->count++].status = result->status;
}

/* Runs cases on a copy of a plugin, whose name says how it behaves. */
static hy_conform_summary run(const char *source, const char *name, const char *cases, double timeout_scale, shown *out)
{
	char plugin[256], command[700];
	snprintf(plugin, sizeof(plugin), "%s/%s.so", folder, name);
	snprintf(command, sizeof(command), "cp '%s' '%s' && rm -f '%s.mark'", source, plugin, plugin);
	assert_int_equal(system(command), 0);
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	memset(out, 0, sizeof(*out));
	const hy_conform_options options = {.size = sizeof(options),
	                                    .plugin = plugin,
	                                    .worker = getenv("HY_WORKER"),
	                                    .level = HY_CONFORM_L1,
	                                    .cases = cases,
	                                    .batch = 64,
	                                    .timeout_scale = timeout_scale,
	                                    .on_result = note,
	                                    .payload = out};
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	assert_int_equal(unlink(plugin), 0);
	return summary;
}

/* operator.Conv.1x1 ends so, and what comes after it holds. */
static void expect_one_case_lost(int mutant, double timeout_scale, hy_conform_status status, const char *text,
                                 const char *output)
{
	static shown s;
	char name[32];
	snprintf(name, sizeof(name), "reference-%d", mutant);
	run(getenv("HY_REFERENCE"), name, "operator.Conv.1x1,operator.MaxPool.2x2,memory.copy.plain", timeout_scale,
	    &s);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.cases[0].id, "memory.copy.plain");
	assert_int_equal(s.cases[0].status, HY_CONFORM_PASS);
	assert_int_equal(s.cases[1].status, status);
	if (strstr(s.cases[1].text, text) == NULL) fail_msg("%s", s.cases[1].text);
	if (strstr(s.cases[1].output, output) == NULL) fail_msg("%s", s.cases[1].output);
	assert_int_equal(s.cases[2].status, HY_CONFORM_PASS);
}

static void crash_costs_one_case_and_leaves_a_backtrace(void **state)
{
	(void)state;
	expect_one_case_lost(97, 1, HY_CONFORM_CRASH, "signal 11", "backtrace:");
	expect_one_case_lost(97, 1, HY_CONFORM_CRASH, "signal 11", "reference-97.so(");
	expect_one_case_lost(99, 1, HY_CONFORM_CRASH, "signal 6", "reference-99.so(");
}

static void hang_costs_one_case_and_says_where(void **state)
{
	(void)state;
	expect_one_case_lost(100, SHORT, HY_CONFORM_FAIL, "was not completed", "reference-100.so(");
}

static void endless_log_costs_one_case_and_its_end_is_kept(void **state)
{
	(void)state;
	expect_one_case_lost(101, SHORT, HY_CONFORM_FAIL, "was not completed", "as nobody asked for it");
}

static void exit_costs_one_case(void **state)
{
	(void)state;
	static shown s;
	run(getenv("HY_REFERENCE"), "reference-98", "operator.Conv.1x1,memory.copy.plain,memory.copy.empty", 1, &s);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.cases[2].status, HY_CONFORM_CRASH);
	assert_non_null(strstr(s.cases[2].text, "exit(0)"));
	assert_int_equal(s.cases[0].status, HY_CONFORM_PASS);
	assert_int_equal(s.cases[1].status, HY_CONFORM_PASS);
}

static void overflown_stack_is_a_crash_with_a_backtrace(void **state)
{
	(void)state;
	static shown s;
	run(getenv("HY_MOODY"), "overflow", "memory.fill.*", 1, &s);
	assert_int_equal(s.cases[0].status, HY_CONFORM_CRASH);
	assert_non_null(strstr(s.cases[0].output, "overflow.so("));
	assert_int_equal(s.cases[2].status, HY_CONFORM_PASS);
}

static void stopped_worker_is_a_timeout(void **state)
{
	(void)state;
	static shown s;
	run(getenv("HY_MOODY"), "stopped", "memory.fill.plain,memory.fill.offset_3", SHORT, &s);
	assert_int_equal(s.cases[0].status, HY_CONFORM_TIMEOUT);
	assert_int_equal(s.cases[1].status, HY_CONFORM_PASS);
}

static void lost_device_that_comes_back_costs_one_case(void **state)
{
	(void)state;
	static shown s;
	run(getenv("HY_MOODY"), "lost", "memory.fill.plain,memory.fill.offset_3,memory.copy.plain", 1, &s);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.cases[0].status, HY_CONFORM_PASS);
	assert_int_equal(s.cases[1].status, HY_CONFORM_DEVICE_LOST);
	assert_int_equal(s.cases[2].status, HY_CONFORM_PASS);
}

static void device_that_stays_lost_ends_the_run_incomplete(void **state)
{
	(void)state;
	static shown s;
	const hy_conform_summary summary = run(getenv("HY_MOODY"), "gone", "memory.fill.*,queue.*", 1, &s);
	assert_int_equal(summary.verdict, HY_CONFORM_PARTIAL);
	assert_int_equal(summary.count[HY_CONFORM_DEVICE_LOST], 3);
	assert_true(summary.count[HY_CONFORM_NOT_RUN] > 3);
	assert_non_null(strstr(summary.text, "INCOMPLETE"));
	assert_non_null(strstr(s.cases[0].text, "does not answer a fresh worker"));
}

static void pair_of_cases_that_depend_on_their_order_is_named(void **state)
{
	(void)state;
	static shown s;
	run(getenv("HY_MOODY"), "company", "memory.copy.plain,memory.copy.l*,memory.fill.plain,memory.fill.offset_3",
	    64, &s);
	const uint32_t last = s.count - 1;
	assert_string_equal(s.cases[last].id, "memory.fill.offset_3");
	assert_int_equal(s.cases[last].status, HY_CONFORM_FLAKY);
	if (strstr(s.cases[last].text, "after memory.fill.plain in one process") == NULL)
		fail_msg("%s", s.cases[last].text);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(crash_costs_one_case_and_leaves_a_backtrace),
		CASE(hang_costs_one_case_and_says_where),
		CASE(endless_log_costs_one_case_and_its_end_is_kept),
		CASE(exit_costs_one_case),
		CASE(overflown_stack_is_a_crash_with_a_backtrace),
		CASE(stopped_worker_is_a_timeout),
		CASE(lost_device_that_comes_back_costs_one_case),
		CASE(device_that_stays_lost_ends_the_run_incomplete),
		CASE(pair_of_cases_that_depend_on_their_order_is_named),
	};
	return cmocka_run_group_tests_name("conformance.supervisor", cases, folder_setup, folder_teardown);
}
