#include "folder.h"

#include "options.h"
#include "select.h"

enum { L0_CASES_MIN = 40 };

static conform_selection select_ok(const hy_conform_options *options)
{
	hy_error error = {.text = ""};
	conform_selection s;
	EXPECT_OK(conform__select(options, &s, &error));
	return s;
}

static uint32_t count_of(const hy_conform_options *options)
{
	conform_selection s = select_ok(options);
	const uint32_t count = s.count;
	conform__select_finish(&s);
	return count;
}

static void globs_add_and_take_away(void **state)
{
	(void)state;
	hy_conform_options o = options_for("x", HY_CONFORM_L0);
	const uint32_t all = count_of(&o);
	assert_true(all >= L0_CASES_MIN);
	o.cases = "abi.load.*";
	assert_int_equal(count_of(&o), 4);
	o.exclude = "*.hundred_times,abi.load.name*";
	assert_int_equal(count_of(&o), 2);
	o.cases = NULL;
	assert_int_equal(count_of(&o), all - 2);
	write_whole(in_folder("list"), "# two\nabi.load.name_and_version\n  discovery.open.twice # here\n");
	o.exclude = NULL;
	o.caselist = in_folder("list");
	assert_int_equal(count_of(&o), 2);
}

static void names_that_no_case_has_are_refused(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	conform_selection s;
	hy_conform_options o = options_for("x", HY_CONFORM_L0);
	o.cases = "abi.load.*,operator.Konv.*";
	EXPECT_STATUS(HY_INVALID, conform__select(&o, &s, &error));
	assert_non_null(strstr(error.text, "'operator.Konv.*'"));
	o.cases = "operator.Conv.1x1"; /* of a higher level */
	EXPECT_STATUS(HY_INVALID, conform__select(&o, &s, &error));
	assert_non_null(strstr(error.text, "at L0"));
	o.cases = NULL;
	write_whole(in_folder("list"), "abi.load.*\nabi.lode.*\n");
	o.caselist = in_folder("list");
	EXPECT_STATUS(HY_INVALID, conform__select(&o, &s, &error));
	assert_non_null(strstr(error.text, "list:2: no case is named 'abi.lode.*'"));
	o.caselist = in_folder("absent");
	EXPECT_STATUS(HY_NOT_FOUND, conform__select(&o, &s, &error));
}

static void shuffling_keeps_the_cases_and_the_first(void **state)
{
	(void)state;
	hy_conform_options o = options_for("x", HY_CONFORM_L0);
	conform_selection plain = select_ok(&o);
	o.shuffle = true;
	conform_selection shuffled = select_ok(&o), again = select_ok(&o);
	assert_int_equal(plain.count, shuffled.count);
	assert_ptr_equal(plain.cases[0], shuffled.cases[0]);
	uint32_t moved = 0;
	for (uint32_t i = 0; i < plain.count; i++) {
		uint32_t found = 0;
		for (uint32_t k = 0; k < plain.count; k++)
			found += shuffled.cases[k] == plain.cases[i];
		assert_int_equal(found, 1);
		assert_ptr_equal(again.cases[i], shuffled.cases[i]);
		moved += shuffled.cases[i] != plain.cases[i];
	}
	assert_true(moved > plain.count / 2);
	conform__select_finish(&plain);
	conform__select_finish(&shuffled);
	conform__select_finish(&again);
}

/* ---- shards ---- */

static hy_conform_summary run_into(hy_conform_options o, const char *name)
{
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	o.out = in_folder(name);
	EXPECT_OK(hy_conform_run(&o, &summary, &error));
	return summary;
}

/* Whether the plugin can be loaded is asked in every shard. */
static void shards_share_the_first_case_and_no_other(void **state)
{
	(void)state;
	hy_conform_options o = options_for("x", HY_CONFORM_L0);
	const uint32_t all = count_of(&o);
	o.shard_count = 3;
	uint32_t sum = 0;
	for (o.shard = 1; o.shard <= 3; o.shard++) {
		conform_selection s = select_ok(&o);
		assert_string_equal(s.cases[0]->info.id, hy_conform_case_at(0)->id);
		sum += s.count;
		conform__select_finish(&s);
	}
	assert_int_equal(sum, all + 2);
}

static void shards_make_the_whole(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options o = options_for(getenv("HY_TEMPLATE"), HY_CONFORM_L0);
	const uint32_t all = count_of(&o);
	const char *const folders[] = {in_folder("s1"), in_folder("s2")};
	o.shard_count = 2;
	for (o.shard = 1; o.shard <= 2; o.shard++)
		assert_int_equal(run_into(o, o.shard == 1 ? "s1" : "s2").verdict, HY_CONFORM_PARTIAL);
	hy_conform_options whole = {.size = sizeof(whole), .out = in_folder("whole")};
	EXPECT_OK(hy_conform_merge(&whole, 1, folders, &summary, &error));
	assert_int_equal(summary.verdict, HY_CONFORM_PARTIAL);
	whole.submission = in_folder("whole.tar.gz");
	EXPECT_OK(hy_conform_merge(&whole, 2, folders, &summary, &error));
	assert_int_equal(summary.verdict, HY_CONFORM_CONFORMANT);
	assert_int_equal(summary.selected, all);
	EXPECT_OK(hy_conform_verify(in_folder("whole.tar.gz"), o.plugin, &summary, &error));
	assert_int_equal(summary.verdict, HY_CONFORM_CONFORMANT);
	whole.out = in_folder("s1");
	EXPECT_STATUS(HY_INVALID, hy_conform_merge(&whole, 2, folders, &summary, &error));
	assert_non_null(strstr(error.text, "is a shard"));
}

static void shards_of_different_runs_do_not_mix(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options o = options_for(getenv("HY_TEMPLATE"), HY_CONFORM_L0), other = o;
	o.cases = other.cases = "abi.load.*";
	run_into(o, "a");
	other.seed = 7;
	run_into(other, "seed");
	other = o;
	other.plugin = getenv("HY_REFERENCE");
	run_into(other, "plugin");
	other = o;
	other.level = HY_CONFORM_L1;
	run_into(other, "level");
	static const char *const names[] = {"seed", "plugin", "level"};
	static const char *const says[] = {"seed differs", "plugin sha256 differs", "level differs"};
	const hy_conform_options whole = {.size = sizeof(whole), .out = in_folder("mixed")};
	for (size_t i = 0; i < 3; i++) {
		const char *const folders[] = {in_folder("a"), in_folder(names[i])};
		EXPECT_STATUS(HY_INVALID, hy_conform_merge(&whole, 2, folders, &summary, &error));
		assert_non_null(strstr(error.text, says[i]));
	}
	char path[256];
	snprintf(path, sizeof(path), "%s/results.jsonl", in_folder("a"));
	char *text = read_whole(path);
	strrchr(text, 's')[0] = 'z';
	write_whole(path, text);
	free(text);
	const char *const folders[] = {in_folder("a")};
	EXPECT_STATUS(HY_INVALID, hy_conform_merge(&whole, 1, folders, &summary, &error));
	assert_non_null(strstr(error.text, "its chain does not fit"));
}

/* ---- running again ---- */

static void failed_cases_can_be_run_again(void **state)
{
	(void)state;
	hy_conform_options o = options_for(mutant(64), HY_CONFORM_L1);
	o.cases = "operator.Conv.1x1,operator.Conv.3x3_pad,operator.Relu.*";
	const hy_conform_summary first = run_into(o, "first");
	assert_true(first.count[HY_CONFORM_FAIL] > 0 && first.count[HY_CONFORM_PASS] > 0);
	char report[256], failed[300];
	snprintf(report, sizeof(report), "%s/report.json", in_folder("first"));
	snprintf(failed, sizeof(failed), "%s:failed", report);
	o.cases = NULL;
	o.rerun = report;
	assert_int_equal(run_into(o, "again").selected, first.selected);
	o.rerun = failed;
	const hy_conform_summary again = run_into(o, "failed");
	assert_int_equal(again.selected, first.count[HY_CONFORM_FAIL]);
	assert_int_equal(again.count[HY_CONFORM_FAIL], first.count[HY_CONFORM_FAIL]);
}

static void failures_become_waivers_without_approver(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options o = options_for(mutant(64), HY_CONFORM_L1);
	o.cases = "operator.Conv.3x3_pad";
	o.propose_waivers = in_folder("proposed");
	EXPECT_OK(hy_conform_run(&o, &summary, &error));
	o.waivers = o.propose_waivers;
	o.propose_waivers = NULL;
	EXPECT_STATUS(HY_INVALID, hy_conform_run(&o, &summary, &error));
	assert_non_null(strstr(error.text, "approver and reason may not be empty"));
	char *text = read_whole(o.waivers), *gap = strstr(text, "| |");
	assert_non_null(gap);
	gap[1] = 'B';
	write_whole(o.waivers, text);
	free(text);
	EXPECT_OK(hy_conform_run(&o, &summary, &error));
	assert_int_equal(summary.count[HY_CONFORM_WAIVED], 1);
}

/* ---- the command line ---- */

static hy_status parse(conform_cli *cli, hy_error *error, int count, const char *const *words)
{
	char *argv[16] = {(char *)(uintptr_t) "halyard-conformance"};
	for (int i = 0; i < count; i++)
		argv[i + 1] = (char *)(uintptr_t)words[i];
	return conform__options_parse(count + 1, argv, cli, error);
}

static void command_line_is_read_by_the_table(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	conform_cli cli;
	static const char *const words[] = {"-p",      "x.so", "--level", "L3",      "-c",  "a.*",    "--case=b",
	                                    "--shard", "2/3",  "-i",      "batch:8", "-vv", "--seed", "0x10"};
	EXPECT_OK(parse(&cli, &error, 14, words));
	assert_string_equal(cli.run.plugin, "x.so");
	assert_int_equal(cli.run.level, HY_CONFORM_L3);
	assert_string_equal(cli.run.cases, "a.*,b");
	assert_int_equal(cli.run.shard, 2);
	assert_int_equal(cli.run.shard_count, 3);
	assert_int_equal(cli.run.batch, 8);
	assert_int_equal(cli.verbose, 2);
	assert_int_equal(cli.run.seed, 16);
	conform__options_finish(&cli);
}

static void wrong_command_lines_say_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *words[4];
		int count;
		const char *says;
	} rows[] = {
		{{"--level", "L1"}, 2, "--plugin PATH is missing"},
		{{"-p", "x", "--level", "4"}, 4, "--level: '4' is not L0|L1|L2|L3"},
		{{"-p", "x", "--shard", "3/2"}, 4, "--shard: '3/2' is not I/N"},
		{{"-p", "x", "--repeat", "-1"}, 4, "--repeat: '-1' is not N"},
		{{"-p", "x", "--timeout-scale", "0"}, 4, "--timeout-scale: '0' is not X"},
		{{"-p", "x", "-i", "batch:0"}, 4, "--isolation: 'batch:0' is not"},
		{{"-p", "x", "-f", "html"}, 4, "--format needs --out"},
		{{"-p", "x", "y"}, 3, "'y' is one argument too many"},
		{{"--merge", "a"}, 2, "--merge needs --out"},
		{{"-p"}, 1, "needs a value"},
		{{"--plugins"}, 1, "no option --plugins"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_error error = {.text = ""};
		conform_cli cli;
		EXPECT_STATUS(HY_INVALID, parse(&cli, &error, rows[i].count, rows[i].words));
		if (strstr(error.text, rows[i].says) == NULL) fail_msg("row %zu: %s", i, error.text);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(globs_add_and_take_away),
		CASE(names_that_no_case_has_are_refused),
		CASE(shuffling_keeps_the_cases_and_the_first),
		CASE(shards_share_the_first_case_and_no_other),
		CASE(shards_make_the_whole),
		CASE(shards_of_different_runs_do_not_mix),
		CASE(failed_cases_can_be_run_again),
		CASE(failures_become_waivers_without_approver),
		CASE(command_line_is_read_by_the_table),
		CASE(wrong_command_lines_say_what_is_wrong),
	};
	return cmocka_run_group_tests_name("conformance.select", cases, folder_setup, folder_teardown);
}
