#include "folder.h"
#include "schema.h"

#include "record.h"
#include "report.h"
#include "submission.h"

#include <math.h>
#include <sys/wait.h>

/* Runs the cases on a plugin with reports in a folder of that name; "report.json", read back, is the caller's. */
static json_t *report_of(const char *plugin, const char *cases, const char *name, hy_conform_verdict verdict)
{
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options options = options_for(plugin, HY_CONFORM_L2);
	options.cases = cases;
	options.out = in_folder(name);
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	assert_int_equal(summary.verdict, verdict);
	char path[256];
	snprintf(path, sizeof(path), "%s/report.json", in_folder(name));
	json_t *report = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(report);
	fits(report, "conformance", "conformance");
	return report;
}

static char *file_of(const char *name, const char *file)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", in_folder(name), file);
	return read_whole(path);
}

static uint32_t times_in(const char *text, const char *word)
{
	uint32_t count = 0;
	for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
		count++;
	return count;
}

static double number(const json_t *object, const char *name)
{
	assert_true(json_is_number(json_object_get(object, name)));
	return json_number_value(json_object_get(object, name));
}

static void failure_on_numbers_is_told_in_fields(void **state)
{
	(void)state;
	json_t *report = report_of(mutant(75), "operator.Conv.normal*,operator.Conv.1x1", "numbers",
	                           HY_CONFORM_PARTIAL);
	const json_t *failures = json_object_get(report, "failures"), *failure;
	size_t i;
	assert_true(json_array_size(failures) >= 2);
	json_array_foreach(failures, i, failure)
	{
		const json_t *d = json_object_get(failure, "difference"), *first = json_object_get(d, "first"),
			     *element;
		size_t e, factors = 1;
		assert_in_range(json_array_size(first), 1, 3);
		for (size_t k = 0; k < json_array_size(json_object_get(d, "dims")); k++)
			factors *= (size_t)json_integer_value(json_array_get(json_object_get(d, "dims"), k));
		assert_int_equal(factors, (size_t)number(d, "total"));
		json_array_foreach(first, e, element)
		{
			const double error = number(element, "error"), bound = number(element, "bound");
			assert_true(fabs(fabs(number(element, "got") - number(element, "expected")) - error) < 1e-9);
			assert_true(error > bound);
			if (number(d, "factor") == 0) continue;
			const double again = (number(d, "factor") + number(d, "root") * sqrt(number(d, "terms"))) *
			                     number(d, "unit") * number(element, "magnitude");
			assert_true(fabs(again + number(d, "least") - bound) <= 1e-6 * bound);
		}
		char wanted[128];
		snprintf(wanted, sizeof(wanted), "--case %s", conform__record_get(failure, "case"));
		assert_non_null(strstr(conform__record_get(failure, "command"), wanted));
	}
	json_decref(report);
}

static void crash_is_an_error_with_its_signal(void **state)
{
	(void)state;
	json_t *report = report_of(mutant(97), "operator.Conv.1x1,operator.Relu.*", "crash", HY_CONFORM_PARTIAL);
	const json_t *failure = json_array_get(json_object_get(report, "failures"), 0);
	assert_string_equal(conform__record_get(failure, "status"), "CRASH");
	assert_int_equal(conform__record_integer(failure, "signal"), 11);
	char *junit = file_of("crash", "junit.xml"), *page = file_of("crash", "report.html");
	assert_non_null(strstr(junit, "<error type=\"CRASH\" message=\"P14: "));
	assert_int_equal(times_in(junit, "<testcase "), json_array_size(json_object_get(report, "cases")));
	assert_non_null(strstr(page, "signal 11 (Segmentation fault)"));
	assert_non_null(strstr(page, "<h1>NO VERDICT</h1>"));
	free(junit);
	free(page);
	json_decref(report);
}

static void whole_run_is_on_one_page(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	hy_conform_summary summary;
	hy_conform_options options = options_for(getenv("HY_TEMPLATE"), HY_CONFORM_L0);
	options.out = in_folder("whole");
	EXPECT_OK(hy_conform_run(&options, &summary, &error));
	char *page = file_of("whole", "report.html"), *junit = file_of("whole", "junit.xml");
	char path[256];
	snprintf(path, sizeof(path), "%s/report.json", in_folder("whole"));
	json_t *report = json_load_file(path, 0, NULL);
	const json_t *plugin = json_object_get(report, "plugin"), *device = json_object_get(report, "device");
	assert_string_equal(conform__record_get(plugin, "name"), "template");
	assert_string_equal(conform__record_get(plugin, "version"), "0.1.0");
	assert_string_equal(conform__record_get(device, "id"), "host");
	json_decref(report);
	static const char *const needed[] = {
		"<h1>CONFORMANT at L0</h1>", "SHA-256",      "Kernel", "Processor", "prefers-color-scheme: dark",
		"width=device-width",        "Slowest cases"};
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (strstr(page, needed[i]) == NULL) fail_msg("the page has no %s", needed[i]);
	static const char *const outside[] = {"http:", "https:", "<script", "<link", "<img", "url(", "@import"};
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (strstr(page, outside[i]) != NULL) fail_msg("the page reaches out: %s", outside[i]);
	assert_int_equal(times_in(junit, "<testsuite "), 2);
	assert_non_null(strstr(junit, "failures=\"0\" errors=\"0\""));
	free(page);
	free(junit);
}

/* ---- records made here ---- */

static const char nasty[] = "<script>alert('1')</script> & \"quoted\" \x1b[2J \x01 ]]> $ %s\nnext";

static json_t *nasty_records(void)
{
	hy_conform_options options = options_for("/no/such/plugin.so", HY_CONFORM_L0);
	options.device_options = nasty;
	options.cases = nasty;
	worker_description who = {.abi_minor = 0};
	snprintf(who.plugin_name, sizeof(who.plugin_name), "%s", nasty);
	snprintf(who.device.name, sizeof(who.device.name), "caf\xe9 %.80s", nasty);
	snprintf(who.device.driver, sizeof(who.device.driver), "%.60s", nasty);
	const conform_selection selection = {.total = 1};
	static supervisor_result result = {
		.status = HY_CONFORM_FAIL, .exit_code = -1, .record_kind = WORKER_DIFFERENCE};
	result.record.difference = (hy_conform_difference){.dtype = "<b>",
	                                                   .tolerance = "<i>",
	                                                   .rank = 1,
	                                                   .shown = 1,
	                                                   .dims = {4},
	                                                   .wrong = 1,
	                                                   .total = 4,
	                                                   .first = {{.got = NAN, .expected = INFINITY, .bound = 0}}};
	snprintf(result.text, sizeof(result.text), "%s", nasty);
	snprintf(result.output, sizeof(result.output), "\xff\xfe %s", nasty);
	const hy_conform_summary summary = {.text = "made here"};
	return json_pack("[o, o, o]", conform__record_run(&options, &selection, &who, NULL),
	                 conform__record_case(hy_conform_case_at(0), &result, NULL), conform__record_end(&summary));
}

static char *written_by(void (*write)(const json_t *report, FILE *file), const json_t *report)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	write(report, file);
	fclose(file);
	return text;
}

static void words_of_a_plugin_stay_words(void **state)
{
	(void)state;
	json_t *records = nasty_records(), *report = conform__report_build(records);
	fits(report, "conformance", "conformance");
	char *page = written_by(conform__report_html, report), *junit = written_by(conform__report_junit, report);
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "<b>\x1b"));
	assert_null(strchr(page, '\x1b'));
	assert_non_null(strstr(page, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;quoted&quot;"));
	assert_non_null(strstr(page, "caf?"));
	assert_null(strstr(page, "<i></td>"));
	assert_null(strstr(junit, "<script"));
	assert_null(strstr(junit, "]]>"));
	assert_null(strchr(junit, '\x1b'));
	assert_null(strchr(junit, '\x01'));
	conform_submission submission;
	hy_error error = {.text = ""};
	EXPECT_OK(conform__submission_make(records, report, "", &submission, &error));
	assert_null(strstr(submission.text[SUBMISSION_STATEMENT], "\nnext"));
	assert_null(strchr(submission.text[SUBMISSION_STATEMENT], '\x1b'));
	conform__submission_finish(&submission);
	free(page);
	free(junit);
	json_decref(report);
	json_decref(records);
}

static void performance_is_drawn(void **state)
{
	(void)state;
	json_t *records = nasty_records();
	json_t *perf = json_pack(
		"{s:[{s:s, s:i, s:i, s:i}], s:[{s:s, s:[{s:i, s:f}, {s:i, s:f}]}], s:[{s:s, s:s, s:s, s:f, s:s}], "
		"s:[{s:s, s:i, s:i}]}",
		"latency", "name", "<empty>", "p50_ns", 4100, "p99_ns", 9800, "samples", 100, "bandwidth", "direction",
		"H2D", "points", "bytes", 4, "bytes_per_s", 1e6, "bytes", 1048576, "bytes_per_s", 1.1e10, "rates",
		"name", "gemm 1024", "kind", "gemm", "dtype", "f32", "per_s", 1.13e11, "unit", "flop/s", "compile",
		"name", "one Conv", "nodes", 1, "ns", 2800000);
	assert_non_null(perf);
	json_array_insert_new(records, 2, json_pack("{s:s, s:o}", "record", "perf", "perf", perf));
	json_t *report = conform__report_build(records);
	fits(report, "conformance", "conformance");
	char *page = written_by(conform__report_html, report);
	assert_int_equal(times_in(page, "<svg"), 3);
	assert_int_equal(times_in(page, "<polyline"), 1);
	assert_non_null(strstr(page, "&lt;empty&gt;<td>4.1 "));
	assert_non_null(strstr(page, "113 Gflop/s"));
	assert_non_null(strstr(page, "2.8 ms"));
	free(page);
	json_decref(report);
	json_decref(records);
}

static void formats_can_be_chosen(void **state)
{
	(void)state;
	json_t *records = nasty_records(), *report = conform__report_build(records);
	hy_error error = {.text = ""};
	EXPECT_OK(conform__report_write(report, folder, "junit,html", &error));
	assert_int_equal(access(in_folder("junit.xml"), F_OK), 0);
	assert_int_equal(access(in_folder("report.html"), F_OK), 0);
	assert_int_not_equal(access(in_folder("report.json"), F_OK), 0);
	EXPECT_STATUS(HY_INVALID, conform__report_write(report, folder, "junit,pdf", &error));
	assert_non_null(strstr(error.text, "no format 'pdf'"));
	EXPECT_STATUS(HY_NOT_FOUND, conform__report_write(report, "/no/such/folder", NULL, &error));
	json_decref(report);
	json_decref(records);
}

static void summary_fits_25_lines(void **state)
{
	(void)state;
	char line[1024], text[16384];
	snprintf(line, sizeof(line),
	         "%s --plugin %s --level L2 --isolation batch:64 --case "
	         "'operator.*Pool*,operator.Conv*,region.*,compile.*,"
	         "queue.*,memory.fill.*,abi.*,discovery.*,error.*' --out %s 2>/dev/null",
	         getenv("HY_WORKER"), mutant(64), in_folder("summary"));
	FILE *program = popen(line, "r");
	const size_t length = fread(text, 1, sizeof(text) - 1, program);
	assert_int_equal(WEXITSTATUS(pclose(program)), HY_CONFORM_PARTIAL);
	text[length] = '\0';
	assert_in_range(times_in(text, "\n"), 10, 25);
	assert_non_null(strstr(text, "more: see the report"));
	assert_non_null(strstr(text, "NO VERDICT"));
	assert_non_null(strstr(text, "/summary/report.html"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(failure_on_numbers_is_told_in_fields),
		CASE(crash_is_an_error_with_its_signal),
		CASE(whole_run_is_on_one_page),
		CASE(words_of_a_plugin_stay_words),
		CASE(performance_is_drawn),
		CASE(formats_can_be_chosen),
		CASE(summary_fits_25_lines),
	};
	return cmocka_run_group_tests_name("conformance.report", cases, folder_setup, folder_teardown);
}
