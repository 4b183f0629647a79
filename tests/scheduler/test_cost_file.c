/* The file of measured costs: kept, merged, and not trusted. */
#include "test.h"

#include "cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hy_error error;
static char path[64];

static const hy_sched__cost_key key = {"cpu", "epyc", "oneDNN 2.6", "?cores*2", 0x1234, NULL, "here", NULL};
static const hy_sched__cost_key link_key = {"gpu", "big", "1", "", 0, "to", "here", NULL};

static int make_path(void **state)
{
	(void)state;
	strcpy(path, "/tmp/halyard_costs_XXXXXX");
	const int file = mkstemp(path);
	if (file < 0) return -1;
	close(file);
	return unlink(path);
}

static int drop_path(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void write_text(const char *text)
{
	FILE *stream = fopen(path, "wb");
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static hy_sched__cost_file *open_file(const char **ignored)
{
	hy_sched__cost_file *file;
	EXPECT_OK(hy_sched__cost_file_open(path, &file, ignored, &error));
	return file;
}

static void save_one(const hy_sched__cost_key *which, uint64_t median_ns)
{
	const char *ignored;
	uint64_t nodes[] = {median_ns / 2, median_ns / 2};
	const hy_sched__cost cost = {.median_ns = median_ns,
	                             .mad_ns = 3,
	                             .count = 9,
	                             .launches = 4,
	                             .reference_launches = 1,
	                             .constant_bytes = 1000,
	                             .workspace_bytes = 64,
	                             .node_count = 2,
	                             .node_ns = nodes};
	hy_sched__cost_file *file = open_file(&ignored);
	EXPECT_OK(hy_sched__cost_file_add(file, which, &cost, &error));
	EXPECT_OK(hy_sched__cost_file_save(file, &error));
	hy_sched__cost_file_close(file);
}

static void what_was_saved_is_found(void **state)
{
	(void)state;
	const char *ignored;
	save_one(&key, 500);
	hy_sched__cost_file *file = open_file(&ignored);
	hy_sched__cost cost;
	assert_null(ignored);
	assert_true(hy_sched__cost_file_find(file, &key, &cost));
	assert_int_equal(cost.median_ns, 500);
	assert_int_equal(cost.launches, 4);
	assert_int_equal(cost.workspace_bytes, 64);
	assert_int_equal(cost.node_ns[1], 250);
	hy_sched__cost_finish(&cost);
	hy_sched__cost_file_close(file);
}

static void links_are_kept_too(void **state)
{
	(void)state;
	const char *ignored;
	hy_sched__link link = {700, 0.125};
	hy_sched__cost_file *file = open_file(&ignored);
	EXPECT_OK(hy_sched__cost_file_add_link(file, &link_key, &link, &error));
	EXPECT_OK(hy_sched__cost_file_save(file, &error));
	hy_sched__cost_file_close(file);
	file = open_file(&ignored);
	link.latency_ns = 0;
	assert_true(hy_sched__cost_file_find_link(file, &link_key, &link));
	assert_int_equal(link.latency_ns, 700);
	assert_true(link.ns_per_byte == 0.125);
	hy_sched__cost_file_close(file);
}

static void another_driver_is_another_cost(void **state)
{
	(void)state;
	const char *ignored;
	save_one(&key, 500);
	hy_sched__cost_key other = key;
	other.driver = "oneDNN 3.0";
	hy_sched__cost_file *file = open_file(&ignored);
	hy_sched__cost cost;
	assert_false(hy_sched__cost_file_find(file, &other, &cost));
	hy_sched__cost_file_close(file);
}

static void saving_keeps_what_another_process_added(void **state)
{
	(void)state;
	const char *ignored;
	hy_sched__cost_key other = key;
	other.model = 0x5678;
	hy_sched__cost_file *early = open_file(&ignored);
	save_one(&other, 900);
	const hy_sched__cost cost = {.median_ns = 100, .count = 7};
	EXPECT_OK(hy_sched__cost_file_add(early, &key, &cost, &error));
	EXPECT_OK(hy_sched__cost_file_save(early, &error));
	hy_sched__cost_file_close(early);
	hy_sched__cost_file *file = open_file(&ignored);
	hy_sched__cost found;
	assert_true(hy_sched__cost_file_find(file, &key, &found));
	assert_true(hy_sched__cost_file_find(file, &other, &found));
	hy_sched__cost_finish(&found);
	hy_sched__cost_file_close(file);
}

static void a_file_of_another_kind_is_ignored_with_a_note(void **state)
{
	(void)state;
	const char *ignored;
	write_text("\x7f"
	           "ELF not at all\n");
	hy_sched__cost_file *file = open_file(&ignored);
	assert_non_null(strstr(ignored, "not a cost file"));
	hy_sched__cost_file_close(file);
}

static void a_broken_line_costs_only_itself(void **state)
{
	(void)state;
	const char *ignored;
	save_one(&key, 500);
	FILE *stream = fopen(path, "ab");
	fputs("{\"plugin\": \"cpu\", \"device\": \n{\"plugin\": 3}\n", stream);
	fclose(stream);
	hy_sched__cost_file *file = open_file(&ignored);
	hy_sched__cost cost;
	assert_non_null(strstr(ignored, ":3: 2 lines"));
	assert_true(hy_sched__cost_file_find(file, &key, &cost));
	hy_sched__cost_finish(&cost);
	hy_sched__cost_file_close(file);
}

static void impossible_numbers_are_not_costs(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"\"median_ns\": -5, \"mad_ns\": 0, \"samples\": 7, \"launches\": 1, \"reference_launches\": 0",
		"\"median_ns\": 5, \"mad_ns\": 0, \"samples\": 0, \"launches\": 1, \"reference_launches\": 0",
		"\"median_ns\": 5, \"mad_ns\": 0, \"samples\": 7, \"launches\": 1, \"reference_launches\": 2",
		"\"median_ns\": 1e300, \"mad_ns\": 0, \"samples\": 7, \"launches\": 1, \"reference_launches\": 0",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[1024];
		const char *ignored;
		snprintf(text, sizeof(text),
		         "{\"schema\": \"halyard.costs/v1\"}\n{\"plugin\": \"p\", \"device\": \"d\", \"driver\": \"\", "
		         "\"options\": \"\", \"model\": \"0000000000000001\", %s, \"constant_bytes\": 0, "
		         "\"workspace_bytes\": 0}\n",
		         lines[i]);
		write_text(text);
		hy_sched__cost_file *file = open_file(&ignored);
		assert_non_null(ignored);
		hy_sched__cost_file_close(file);
	}
}

static void a_folder_that_is_not_there_is_an_error_when_saving(void **state)
{
	(void)state;
	const char *ignored;
	hy_sched__cost_file *file;
	const hy_sched__cost cost = {.median_ns = 100, .count = 7};
	EXPECT_OK(hy_sched__cost_file_open("/nonexistent/halyard/costs", &file, &ignored, &error));
	EXPECT_OK(hy_sched__cost_file_add(file, &key, &cost, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched__cost_file_save(file, &error));
	assert_non_null(strstr(error.text, "/nonexistent/halyard/costs"));
	hy_sched__cost_file_close(file);
}

#define FILE_CASE(function) cmocka_unit_test_setup_teardown(function, make_path, drop_path)

static void another_machine_has_costs_of_its_own(void **state)
{
	(void)state;
	const char *ignored;
	hy_sched__cost cost = {0};
	hy_sched__cost_key there = key;
	there.host = "there";
	save_one(&key, 1000);
	hy_sched__cost_file *file = open_file(&ignored);
	assert_true(hy_sched__cost_file_find(file, &key, &cost));
	hy_sched__cost_finish(&cost);
	assert_false(hy_sched__cost_file_find(file, &there, &cost));
	assert_true(hy_sched__cost_file_find_model(file, "cpu", 0x1234, &cost)); /* a simulator has no machine */
	hy_sched__cost_finish(&cost);
	assert_false(hy_sched__cost_file_find_model(file, "gpu", 0x1234, &cost));
	hy_sched__cost_file_close(file);
}

static void one_device_of_a_kind_keeps_its_factor(void **state)
{
	(void)state;
	const char *ignored;
	hy_sched__cost_key second = key;
	second.model = 0;
	second.instance = "cpu://epyc-1";
	hy_sched__cost_file *file = open_file(&ignored);
	assert_true(hy_sched__cost_file_factor(file, &second) == 1);
	EXPECT_OK(hy_sched__cost_file_add_factor(file, &second, 1.25, &error));
	EXPECT_OK(hy_sched__cost_file_save(file, &error));
	hy_sched__cost_file_close(file);
	file = open_file(&ignored);
	assert_null(ignored);
	assert_true(hy_sched__cost_file_factor(file, &second) == 1.25);
	second.instance = "cpu://epyc-2";
	assert_true(hy_sched__cost_file_factor(file, &second) == 1);
	hy_sched__cost_file_close(file);
}

static void numbers_all_over_the_place_are_not_trusted(void **state)
{
	(void)state;
	const hy_sched__cost steady = {.median_ns = 1000, .mad_ns = 100, .count = 7};
	const hy_sched__cost wild = {.median_ns = 1000, .mad_ns = 400, .count = 7};
	const hy_sched__cost once = {.median_ns = 1000, .mad_ns = 0, .count = 1};
	const hy_sched__cost slow = {.median_ns = 2000000000, .mad_ns = 0, .count = 1};
	assert_true(hy_sched__cost_is_trusted(&steady));
	assert_false(hy_sched__cost_is_trusted(&wild));
	assert_false(hy_sched__cost_is_trusted(&once));
	assert_true(hy_sched__cost_is_trusted(&slow));
}

static void costs_that_are_not_trusted_stay_with_the_process(void **state)
{
	(void)state;
	const char *ignored;
	hy_sched__cost once = {.median_ns = 1000, .count = 1}, found = {0};
	hy_sched__cost_file *file = open_file(&ignored);
	EXPECT_OK(hy_sched__cost_file_add(file, &key, &once, &error));
	assert_true(hy_sched__cost_file_is_new(file, &key));
	EXPECT_OK(hy_sched__cost_file_save(file, &error));
	hy_sched__cost_file_close(file);
	file = open_file(&ignored);
	assert_null(ignored);
	assert_false(hy_sched__cost_file_find(file, &key, &found));
	hy_sched__cost_file_close(file);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		FILE_CASE(what_was_saved_is_found),
		FILE_CASE(links_are_kept_too),
		FILE_CASE(another_driver_is_another_cost),
		FILE_CASE(saving_keeps_what_another_process_added),
		FILE_CASE(a_file_of_another_kind_is_ignored_with_a_note),
		FILE_CASE(a_broken_line_costs_only_itself),
		FILE_CASE(impossible_numbers_are_not_costs),
		FILE_CASE(a_folder_that_is_not_there_is_an_error_when_saving),
		FILE_CASE(another_machine_has_costs_of_its_own),
		FILE_CASE(one_device_of_a_kind_keeps_its_factor),
		FILE_CASE(costs_that_are_not_trusted_stay_with_the_process),
		CASE(numbers_all_over_the_place_are_not_trusted),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
