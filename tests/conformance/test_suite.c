#include "test.h"

#include <halyard/conform.h>

#include "compare.h"
#include "verdict.h"
#include "waiver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hy_conform_options options_for_template(hy_conform_level level)
{
	return (hy_conform_options){.size = sizeof(hy_conform_options),
	                            .plugin = getenv("HY_TEMPLATE"),
	                            .worker = getenv("HY_WORKER"),
	                            .level = level,
	                            .batch = 64};
}

static void ids_are_unique_and_rules_are_named(void **state)
{
	(void)state;
	const uint32_t count = hy_conform_case_count();
	assert_true(count >= 660);
	for (uint32_t a = 0; a < count; a++) {
		const hy_conform_case_info *info = hy_conform_case_at(a);
		assert_int_equal(info->rule[0], 'P');
		assert_int_equal(strncmp(info->id, info->group, strlen(info->group)), 0);
		for (uint32_t b = a + 1; b < count; b++)
			assert_string_not_equal(info->id, hy_conform_case_at(b)->id);
	}
}

static void comparator_passes_its_own_test(void **state)
{
	(void)state;
	assert_null(conform__compare_self_test());
}

static void template_is_conformant_at_l0(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	const hy_conform_options options = options_for_template(HY_CONFORM_L0);
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	assert_string_equal(summary.count[HY_CONFORM_FAIL] == 0 ? "none" : summary.text, "none");
	assert_int_equal(summary.verdict, HY_CONFORM_CONFORMANT);
}

static void template_is_not_conformant_at_l1(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	const hy_conform_options options = options_for_template(HY_CONFORM_L1);
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	assert_int_equal(summary.verdict, HY_CONFORM_NOT_CONFORMANT);
}

static void part_of_the_list_gives_no_verdict(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options options = options_for_template(HY_CONFORM_L0);
	options.cases = "abi.load.*";
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	assert_int_equal(summary.selected, 4);
	assert_int_equal(summary.verdict, HY_CONFORM_PARTIAL);
}

static void other_seed_gives_no_verdict(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options options = options_for_template(HY_CONFORM_L0);
	options.seed = 5;
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	assert_int_equal(summary.verdict, HY_CONFORM_PARTIAL);
}

static void file_that_is_no_plugin_is_not_loaded(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options options = options_for_template(HY_CONFORM_L0);
	options.plugin = HY_SOURCE_DIR "/README.md";
	if (access(options.plugin, R_OK) != 0) options.plugin = HY_SOURCE_DIR "/LICENSE";
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	assert_int_equal(summary.verdict, HY_CONFORM_NOT_LOADED);
	options.plugin = "/no/such/plugin.so";
	EXPECT_STATUS(HY_NOT_FOUND, hy_conform_run(&options, &summary, &error));
}

static hy_status load_waivers(const char *text, hy_error *error)
{
	char path[] = "/tmp/halyard-waivers-XXXXXX";
	const int file = mkstemp(path);
	assert_true(write(file, text, strlen(text)) == (ssize_t)strlen(text));
	close(file);
	conform_waivers *waivers = NULL;
	const hy_status status = conform__waivers_load(path, NULL, &waivers, error);
	if (status == HY_OK) {
		assert_non_null(conform__waivers_find(waivers, "operator.Conv.1x1"));
		assert_null(conform__waivers_find(waivers, "operator.Gemm.plain"));
	}
	conform__waivers_free(waivers);
	unlink(path);
	return status;
}

static void waivers_need_a_date_an_approver_and_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"operator.Conv.* | expires 2001-01-01 | me | slow\n", ":1: this waiver has expired"},
		{"\noperator.Conv.* | 2999-01-01 | me | slow\n", ":2: the second part"},
		{"operator.Conv.* | expires 2999-01-01 | me\n", ":1: four parts"},
		{"operator.Conv.* | expires 2999-01-01 | | slow\n", ":1: approver and reason"},
		{"operator.Konv.* | expires 2999-01-01 | me | slow\n", ":1: no case of this suite"},
		{"* | expires 2999-01-01 | me | slow\n", ":1: cases of group abi"},
		{"operator.Conv.* | expires 2999-01-01 | me | slow | gpu=x\n", ":1: a condition is"},
		{"abi.load.* | expires 2999-01-01 | me | slow\n", ":1: cases of group abi"},
	};
	hy_error error = {.text = ""};
	EXPECT_OK(load_waivers("# known\noperator.Conv.* | expires 2999-01-01 | me | see the erratum\n", &error));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_STATUS(HY_INVALID, load_waivers(rows[i].text, &error));
		assert_non_null(strstr(error.text, rows[i].says));
	}
}

/* A waiver is for what its conditions name. */
static void waivers_apply_to_what_they_name(void **state)
{
	(void)state;
	static const struct {
		const char *conditions;
		bool applies;
	} rows[] = {
		{"", true},
		{"plugin=cpu", true},
		{"plugin=opencl", false},
		{"plugin=cpu version=1.2.*", true},
		{"version=1.0..1.4", true},
		{"version=1.10..", false},
		{"version=..1.2.9", true},
		{"version=..1.2", false},
		{"device=epyc-* driver=535.1..535.20", true},
		{"device=epyc-* driver=535.1..535.9", false},
		{"allow=crash", true},
	};
	const conform_identity who = {.plugin = "cpu", .version = "1.2.3", .device = "epyc-0", .driver = "535.12"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_error error = {.text = ""};
		char line[256];
		const int length = snprintf(line, sizeof(line), "operator.Conv.* | expires 2030-01-01 | me | why | %s",
		                            rows[i].conditions);
		conform_waivers *waivers = NULL;
		EXPECT_OK(conform__waivers_parse(line, (size_t)length, "w", "2029-12-31", &waivers, &error));
		conform__waivers_apply(waivers, &who);
		const conform_waiver *found = conform__waivers_find(waivers, "operator.Conv.1x1");
		if ((found != NULL) != rows[i].applies) fail_msg("%s", rows[i].conditions);
		conform__waivers_free(waivers);
		EXPECT_STATUS(HY_INVALID,
		              conform__waivers_parse(line, (size_t)length, "w", "2030-01-02", &waivers, &error));
	}
}

static void waivers_never_cover_a_hang(void **state)
{
	(void)state;
	conform_waiver waiver = {.applies = true};
	assert_int_equal(conform__waiver_status(&waiver, HY_CONFORM_FAIL), HY_CONFORM_WAIVED);
	assert_int_equal(conform__waiver_status(&waiver, HY_CONFORM_PASS), HY_CONFORM_XPASS);
	assert_int_equal(conform__waiver_status(&waiver, HY_CONFORM_TIMEOUT), HY_CONFORM_TIMEOUT);
	assert_int_equal(conform__waiver_status(&waiver, HY_CONFORM_CRASH), HY_CONFORM_CRASH);
	waiver.crash = true;
	assert_int_equal(conform__waiver_status(&waiver, HY_CONFORM_CRASH), HY_CONFORM_WAIVED);
	assert_int_equal(conform__waiver_status(&waiver, HY_CONFORM_TIMEOUT), HY_CONFORM_TIMEOUT);
	assert_int_equal(conform__waiver_status(NULL, HY_CONFORM_FAIL), HY_CONFORM_FAIL);
}

/* ---- verdicts ---- */

/* The verdict on 1000 cases, of which these did not pass. */
static hy_conform_summary verdict_on(hy_conform_status status, int count, bool strict)
{
	json_t *records = json_pack("[{s:s, s:i, s:i, s:s, s:b}]", "record", "run", "level", 1, "total", 1000, "seed",
	                            "0", "strict", strict ? 1 : 0);
	for (int i = 0; i < 1000; i++) {
		const char *name = hy_conform_status_name(i < count ? status : HY_CONFORM_PASS);
		json_array_append_new(records, json_pack("{s:s, s:s}", "case", "some.case", "status", name));
	}
	hy_conform_summary summary;
	conform__verdict(records, &summary);
	json_decref(records);
	return summary;
}

static void verdict_follows_from_the_lines(void **state)
{
	(void)state;
	static const struct {
		hy_conform_status status;
		int count;
		bool strict;
		hy_conform_verdict verdict;
		const char *says;
	} rows[] = {
		{HY_CONFORM_PASS, 0, true, HY_CONFORM_CONFORMANT, "CONFORMANT at L1: 1000 cases, 0 not claimed"},
		{HY_CONFORM_NOT_SUPPORTED, 30, true, HY_CONFORM_CONFORMANT, "30 not claimed"},
		{HY_CONFORM_FAIL, 1, false, HY_CONFORM_NOT_CONFORMANT, "1 of 1000 cases do not hold"},
		{HY_CONFORM_CRASH, 1, false, HY_CONFORM_NOT_CONFORMANT, "NOT CONFORMANT"},
		{HY_CONFORM_TIMEOUT, 1, false, HY_CONFORM_NOT_CONFORMANT, "NOT CONFORMANT"},
		{HY_CONFORM_DEVICE_LOST, 1, false, HY_CONFORM_NOT_CONFORMANT, "NOT CONFORMANT"},
		{HY_CONFORM_FLAKY, 1, false, HY_CONFORM_NOT_CONFORMANT, "NOT CONFORMANT"},
		{HY_CONFORM_WAIVED, 10, false, HY_CONFORM_CONFORMANT, "CONFORMANT at L1 WITH 10 WAIVERS"},
		{HY_CONFORM_WAIVED, 11, false, HY_CONFORM_NOT_CONFORMANT, "more than 1 % are waived"},
		{HY_CONFORM_XPASS, 3, false, HY_CONFORM_CONFORMANT, "CONFORMANT"},
		{HY_CONFORM_XPASS, 3, true, HY_CONFORM_NOT_CONFORMANT, "3 of 1000"},
		{HY_CONFORM_NOT_RUN, 1, false, HY_CONFORM_PARTIAL, "1 of 1000 were not run"},
		{HY_CONFORM_HARNESS_ERROR, 1, false, HY_CONFORM_NO_JUDGEMENT, "NO JUDGEMENT"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const hy_conform_summary s = verdict_on(rows[i].status, rows[i].count, rows[i].strict);
		if (s.verdict != rows[i].verdict || strstr(s.text, rows[i].says) == NULL)
			fail_msg("row %zu: %d %s", i, (int)s.verdict, s.text);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(ids_are_unique_and_rules_are_named),   CASE(comparator_passes_its_own_test),
		CASE(template_is_conformant_at_l0),         CASE(template_is_not_conformant_at_l1),
		CASE(part_of_the_list_gives_no_verdict),    CASE(other_seed_gives_no_verdict),
		CASE(file_that_is_no_plugin_is_not_loaded), CASE(waivers_need_a_date_an_approver_and_a_reason),
		CASE(waivers_apply_to_what_they_name),      CASE(waivers_never_cover_a_hang),
		CASE(verdict_follows_from_the_lines),
	};
	return cmocka_run_group_tests_name("conformance.suite", cases, NULL, NULL);
}
