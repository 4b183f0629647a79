#include "test.h"

#include <halyard/conform.h>

#include "compare.h"
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
		{"abi.load.* | expires 2999-01-01 | me | slow\n", ":1: cases of group abi"},
	};
	hy_error error = {.text = ""};
	EXPECT_OK(load_waivers("# known\noperator.Conv.* | expires 2999-01-01 | me | see the erratum\n", &error));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_STATUS(HY_INVALID, load_waivers(rows[i].text, &error));
		assert_non_null(strstr(error.text, rows[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(ids_are_unique_and_rules_are_named),   CASE(comparator_passes_its_own_test),
		CASE(template_is_conformant_at_l0),         CASE(template_is_not_conformant_at_l1),
		CASE(part_of_the_list_gives_no_verdict),    CASE(other_seed_gives_no_verdict),
		CASE(file_that_is_no_plugin_is_not_loaded), CASE(waivers_need_a_date_an_approver_and_a_reason),
	};
	return cmocka_run_group_tests_name("conformance.suite", cases, NULL, NULL);
}
