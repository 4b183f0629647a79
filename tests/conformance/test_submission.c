#include "folder.h"

#include "record.h"
#include "report.h"
#include "results.h"
#include "submission.h"

#include <archive.h>
#include <archive_entry.h>

static const char waiver_lines[] = "# known\ndiscovery.info.* | expires 2999-01-01 | A. Nybody | see the erratum\n";

/* The submission of a whole run at L0, with a waiver for a case that passes. */
static conform_submission good;

static int make_good(void **state)
{
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	if (folder_setup(state) != 0) return -1;
	write_whole(in_folder("waivers.txt"), waiver_lines);
	hy_conform_options options = options_for(getenv("HY_TEMPLATE"), HY_CONFORM_L0);
	options.submission = in_folder("good.tar.gz");
	options.waivers = in_folder("waivers.txt");
	if (hy_conform_run(&options, &summary, &error) != HY_OK) fail_msg("%s", error.text);
	return conform__submission_read(in_folder("good.tar.gz"), &good, &error) == HY_OK ? 0 : -1;
}

static int drop_good(void **state)
{
	conform__submission_finish(&good);
	return folder_teardown(state);
}

/* Verifies a copy of the good submission in which the first `from` behind `behind` in a file reads `to`. */
static hy_status verify_edited(submission_file which, const char *behind, const char *from, const char *to,
                               hy_error *out_error)
{
	hy_error error = {.text = ""};
	conform_submission edited = good;
	char *const at = strstr(strstr(good.text[which], behind), from);
	assert_non_null(at);
	size_t length = 0;
	FILE *file = open_memstream(&edited.text[which], &length);
	fprintf(file, "%.*s%s%s", (int)(at - good.text[which]), good.text[which], to, at + strlen(from));
	fclose(file);
	edited.length[which] = length;
	EXPECT_OK(conform__submission_pack(&edited, in_folder("edited.tar"), &error));
	free(edited.text[which]);
	hy_conform_summary summary;
	return hy_conform_verify(in_folder("edited.tar"), NULL, &summary, out_error);
}

static void untouched_submission_is_verified(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	EXPECT_OK(hy_conform_verify(in_folder("good.tar.gz"), getenv("HY_TEMPLATE"), &summary, &error));
	assert_int_equal(summary.verdict, HY_CONFORM_CONFORMANT);
	assert_true(summary.count[HY_CONFORM_XPASS] > 0);
	assert_true(strncmp(summary.text, "CONFORMANT at L0", 16) == 0);
}

static void any_edit_is_refused(void **state)
{
	(void)state;
	static const struct {
		submission_file file;
		const char *behind, *from, *to, *says;
	} rows[] = {
		{SUBMISSION_RESULTS, "memory", "1", "2", "its chain does not fit"},
		{SUBMISSION_RESULTS, "\"case\"", "PASS", "FAIL", "its chain does not fit"},
		{SUBMISSION_RESULTS, "\"list\"", "\":\"", "\":\"0", "results.jsonl:1: its chain"},
		{SUBMISSION_RESULTS, "\"verdict\":\"CONF", "C", "NOT C", "its chain does not fit"},
		{SUBMISSION_RESULTS, "\n{\"case\"", "\n", "\n{}\n", "does not end with its chain"},
		{SUBMISSION_REPORT, "\"list\"", "\": \"", "\": \"0", "report.json is not what the lines"},
		{SUBMISSION_REPORT, "\"PASS\"", ": ", ": 1", "report.json is not what the lines"},
		{SUBMISSION_STATEMENT, "list ", "     ", "    0", "STATEMENT is not what the lines"},
		{SUBMISSION_STATEMENT, "verdict", "L0", "L3", "STATEMENT is not what the lines"},
		{SUBMISSION_STATEMENT, "sha256", "   ", "  0", "STATEMENT is not what the lines"},
		{SUBMISSION_WAIVERS, "see", "erratum", "errata", "waivers.txt is not what the run"},
		{SUBMISSION_WAIVERS, "known", "known", "Known", "waivers.txt is not what the run"},
		{SUBMISSION_WAIVERS, "expires", "2999", "2998", "waivers.txt is not what the run"},
		{SUBMISSION_WAIVERS, "expires", "2999", "1999", "waivers.txt:2: this waiver has expired"},
		{SUBMISSION_WAIVERS, "disc", "discovery.info.*", "abi.*", "group abi can't be waived"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_error error = {.text = ""};
		EXPECT_STATUS(HY_INVALID,
		              verify_edited(rows[i].file, rows[i].behind, rows[i].from, rows[i].to, &error));
		if (strstr(error.text, rows[i].says) == NULL) fail_msg("row %zu: %s", i, error.text);
	}
}

/* Who makes the chain anew must make everything else anew, too. */
static hy_status verify_rechained(void (*edit)(json_t *records), hy_error *out_error)
{
	hy_error error = {.text = ""};
	json_t *records = NULL;
	conform_submission edited = good;
	char chain[CONFORM_DIGEST];
	EXPECT_OK(conform__results_parse(good.text[SUBMISSION_RESULTS], good.length[SUBMISSION_RESULTS], "good",
	                                 &records, &error));
	edit(records);
	edited.text[SUBMISSION_RESULTS] = conform__results_print(records, chain);
	edited.length[SUBMISSION_RESULTS] = strlen(edited.text[SUBMISSION_RESULTS]);
	EXPECT_OK(conform__submission_pack(&edited, in_folder("edited.tar"), &error));
	free(edited.text[SUBMISSION_RESULTS]);
	json_decref(records);
	hy_conform_summary summary;
	return hy_conform_verify(in_folder("edited.tar"), NULL, &summary, out_error);
}

static void make_list_another(json_t *records)
{
	json_object_set_new(json_array_get(records, 0), "list", json_string("0123456789abcdef"));
}

static void leave_a_case_out(json_t *records)
{
	json_array_remove(records, 7);
}

static void repeat_a_case(json_t *records)
{
	json_array_set(records, 7, json_array_get(records, 8));
}

static void lower_a_level(json_t *records)
{
	json_object_set_new(json_array_get(records, 7), "level", json_integer(3));
}

static void let_a_case_fail(json_t *records)
{
	json_object_set_new(json_array_get(records, 7), "status", json_string("FAIL"));
}

static void waive_a_case(json_t *records)
{
	json_object_set_new(json_array_get(records, 7), "status", json_string("WAIVED"));
}

static void drop_the_waiver(json_t *records)
{
	json_array_clear(json_object_get(json_array_get(records, 0), "waivers"));
}

static void drop_the_end(json_t *records)
{
	json_array_remove(records, json_array_size(records) - 1);
}

static void chain_made_anew_does_not_help(void **state)
{
	(void)state;
	static const struct {
		void (*edit)(json_t *records);
		hy_status status;
		const char *says;
	} rows[] = {
		{make_list_another, HY_INCOMPATIBLE, "list 0123456789abcdef; this is suite"},
		{leave_a_case_out, HY_INVALID, "is missing"},
		{repeat_a_case, HY_INVALID, "is there twice"},
		{lower_a_level, HY_INVALID, "is not as in the list"},
		{let_a_case_fail, HY_INVALID, "add up to 'NOT CONFORMANT"},
		{waive_a_case, HY_INVALID, "can't be WAIVED with these waivers"},
		{drop_the_waiver, HY_INVALID, "waivers.txt is not what the run"},
		{drop_the_end, HY_INVALID, "not to what the last one says"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_error error = {.text = ""};
		EXPECT_STATUS(rows[i].status, verify_rechained(rows[i].edit, &error));
		if (i == 7 && strstr(error.text, "is missing") != NULL) continue; /* the last case became the end */
		if (strstr(error.text, rows[i].says) == NULL) fail_msg("row %zu: %s", i, error.text);
	}
}

static void submission_is_of_one_plugin(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	EXPECT_STATUS(HY_INVALID,
	              hy_conform_verify(in_folder("good.tar.gz"), getenv("HY_REFERENCE"), &summary, &error));
	assert_non_null(strstr(error.text, "is about another plugin"));
}

static void partial_run_makes_no_submission(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options options = options_for(getenv("HY_TEMPLATE"), HY_CONFORM_L0);
	options.submission = in_folder("part.tar");
	options.cases = "abi.load.*";
	EXPECT_STATUS(HY_INVALID, hy_conform_run(&options, &summary, &error));
	assert_non_null(strstr(error.text, "needs the whole list"));
	assert_int_not_equal(access(options.submission, F_OK), 0);
}

/* ---- archives that mean harm ---- */

typedef struct entry {
	const char *name;
	int type;
	int64_t length;
	const char *link;
} entry;

static void pack(const char *path, uint32_t count, const entry *entries)
{
	static const char zeros[65536];
	struct archive *to = archive_write_new();
	archive_write_set_format_pax_restricted(to);
	archive_write_add_filter_gzip(to);
	assert_int_equal(archive_write_open_filename(to, path), ARCHIVE_OK);
	for (uint32_t i = 0; i < count; i++) {
		struct archive_entry *item = archive_entry_new();
		archive_entry_set_pathname(item, entries[i].name);
		archive_entry_set_filetype(item, (unsigned)entries[i].type);
		archive_entry_set_perm(item, 0644);
		archive_entry_set_size(item, entries[i].length);
		if (entries[i].link != NULL) archive_entry_set_symlink(item, entries[i].link);
		archive_write_header(to, item);
		for (int64_t left = entries[i].length; left > 0; left -= (int64_t)sizeof(zeros))
			archive_write_data(to, zeros, left < (int64_t)sizeof(zeros) ? (size_t)left : sizeof(zeros));
		archive_entry_free(item);
	}
	archive_write_free(to);
}

static void hostile_archives_are_refused(void **state)
{
	(void)state;
	static const struct {
		entry entries[2];
		uint32_t count;
		const char *says;
	} rows[] = {
		{{{"../../etc/cron.d/x", AE_IFREG, 4, NULL}}, 1, "'../../etc/cron.d/x' does not belong"},
		{{{"/STATEMENT", AE_IFREG, 4, NULL}}, 1, "does not belong"},
		{{{"a\033[2Jb", AE_IFREG, 4, NULL}}, 1, "'a?[2Jb' does not belong"},
		{{{"STATEMENT", AE_IFLNK, 0, "/etc/passwd"}}, 1, "is not a plain file"},
		{{{"STATEMENT", AE_IFDIR, 0, NULL}}, 1, "does not belong"},
		{{{"STATEMENT", AE_IFREG, 0, NULL}, {"STATEMENT", AE_IFREG, 0, NULL}}, 2, "is there twice"},
		{{{"STATEMENT", AE_IFREG, 9, NULL}}, 1, "STATEMENT is damaged"},
		{{{"results.jsonl", AE_IFREG, 65 << 20, NULL}}, 1, "larger than 64 MiB"},
		{{{"STATEMENT", AE_IFREG, 0, NULL}}, 1, "results.jsonl is missing"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_error error = {.text = ""};
		hy_conform_summary summary;
		pack(in_folder("hostile.tar.gz"), rows[i].count, rows[i].entries);
		EXPECT_STATUS(HY_INVALID, hy_conform_verify(in_folder("hostile.tar.gz"), NULL, &summary, &error));
		if (strstr(error.text, rows[i].says) == NULL) fail_msg("row %zu: %s", i, error.text);
	}
}

static void what_is_no_archive_is_refused(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	write_whole(in_folder("none.tar"), "this is not an archive at all, and never was one\n");
	EXPECT_STATUS(HY_INVALID, hy_conform_verify(in_folder("none.tar"), NULL, &summary, &error));
	EXPECT_STATUS(HY_NOT_FOUND, hy_conform_verify(in_folder("absent.tar"), NULL, &summary, &error));
	EXPECT_STATUS(HY_NOT_FOUND, hy_conform_verify(folder, NULL, &summary, &error));
	assert_int_equal(truncate(in_folder("good.tar.gz"), 3000), 0);
	EXPECT_STATUS(HY_INVALID, hy_conform_verify(in_folder("good.tar.gz"), NULL, &summary, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(untouched_submission_is_verified), CASE(any_edit_is_refused),
		CASE(chain_made_anew_does_not_help),    CASE(submission_is_of_one_plugin),
		CASE(partial_run_makes_no_submission),  CASE(hostile_archives_are_refused),
		CASE(what_is_no_archive_is_refused), /* last: it breaks the good one */
	};
	return cmocka_run_group_tests_name("conformance.submission", cases, make_good, drop_good);
}
