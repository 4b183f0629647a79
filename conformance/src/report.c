/* What the records of a run add up to. */
#include "report.h"

#include "record.h"
#include "submission.h"
#include "verdict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOWEST = 20 };

/* ---- counts ---- */

/* The member of a list whose "name" is name; made when it is not there. */
static json_t *named(json_t *list, const char *name)
{
	json_t *item;
	size_t i;
	json_array_foreach(list, i, item) if (strcmp(conform__record_get(item, "name"), name) == 0) return item;
	item = json_pack("{s:s, s:i, s:{}}", "name", name, "total", 0, "counts");
	json_array_append_new(list, item);
	return item;
}

static void count_one(json_t *item, const char *status)
{
	json_object_set_new(item, "total", json_integer(conform__record_integer(item, "total") + 1));
	json_t *counts = json_object_get(item, "counts");
	json_object_set_new(counts, status, json_integer(conform__record_integer(counts, status) + 1));
}

static json_t *groups_of(const json_t *cases)
{
	json_t *groups = json_array();
	const json_t *item;
	size_t i;
	json_array_foreach(cases, i, item)
		count_one(named(groups, conform__record_get(item, "group")), conform__record_get(item, "status"));
	return groups;
}

/* A row per operator, in the list's order, with what became of its cases by element type. */
static json_t *operators_of(const json_t *cases)
{
	json_t *rows = json_array();
	const json_t *item;
	size_t i;
	json_array_foreach(cases, i, item)
	{
		const char *op = conform__record_get(item, "op"), *dtype = conform__record_get(item, "dtype");
		if (op[0] == '\0') continue;
		json_t *row = named(rows, op);
		count_one(row, conform__record_get(item, "status"));
		json_t *dtypes = json_object_get(row, "dtypes");
		if (dtypes == NULL) {
			dtypes = json_array();
			json_object_set_new(row, "dtypes", dtypes);
		}
		count_one(named(dtypes, dtype), conform__record_get(item, "status"));
	}
	return rows;
}

static json_t *counts_of(const hy_conform_summary *summary)
{
	json_t *counts = json_object();
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++)
		json_object_set_new(counts, hy_conform_status_name((hy_conform_status)status),
		                    json_integer(summary->count[status]));
	return counts;
}

/* ---- cases ---- */

typedef struct timed {
	double ms;
	const json_t *item;
} timed;

static int by_time(const void *a, const void *b)
{
	const timed *left = a, *right = b;
	return (left->ms < right->ms) - (left->ms > right->ms);
}

static json_t *slowest_of(const json_t *cases)
{
	json_t *list = json_array();
	const size_t count = json_array_size(cases);
	timed *all = calloc(count + 1, sizeof(*all));
	if (all == NULL) return list;
	for (size_t i = 0; i < count; i++) {
		all[i].item = json_array_get(cases, i);
		all[i].ms = conform__record_real(all[i].item, "ms");
	}
	qsort(all, count, sizeof(*all), by_time);
	for (size_t i = 0; i < count && i < SLOWEST; i++)
		json_array_append_new(list, json_pack("{s:s, s:f}", "case", conform__record_get(all[i].item, "case"),
		                                      "ms", all[i].ms));
	free(all);
	return list;
}

/* A word of a command line for the shell. */
static void append_word(char *line, size_t length, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
	size_t used = strlen(line);
	const bool quoted = word[0] == '\0' || word[strspn(word, plain)] != '\0';
	if (used > 0 && used + 1 < length) line[used++] = ' ';
	if (quoted && used + 1 < length) line[used++] = '\'';
	for (; *word != '\0' && used + 6 < length; word++) {
		if (*word == '\'')
			used += (size_t)snprintf(line + used, length - used, "'\\''");
		else
			line[used++] = *word;
	}
	if (quoted && used + 1 < length) line[used++] = '\'';
	line[used] = '\0';
}

/* What runs this case again, alone. */
static json_t *command_of(const json_t *run, const json_t *item)
{
	const json_t *plugin = json_object_get(run, "plugin"), *device = json_object_get(run, "device");
	const char *options = conform__record_get(device, "options"), *seed = conform__record_get(run, "seed");
	char line[8192] = "halyard-conformance", number[32];
	append_word(line, sizeof(line), "--plugin");
	append_word(line, sizeof(line), conform__record_get(plugin, "path"));
	if (conform__record_integer(device, "index") != 0) {
		snprintf(number, sizeof(number), "%lld", (long long)conform__record_integer(device, "index"));
		append_word(line, sizeof(line), "--device");
		append_word(line, sizeof(line), number);
	}
	if (options[0] != '\0') {
		append_word(line, sizeof(line), "--device-options");
		append_word(line, sizeof(line), options);
	}
	if (strcmp(seed, "0") != 0) {
		append_word(line, sizeof(line), "--seed");
		append_word(line, sizeof(line), seed);
	}
	if (conform__record_real(run, "timeout_scale") != 1) {
		snprintf(number, sizeof(number), "%g", conform__record_real(run, "timeout_scale"));
		append_word(line, sizeof(line), "--timeout-scale");
		append_word(line, sizeof(line), number);
	}
	snprintf(number, sizeof(number), "L%lld", (long long)conform__record_integer(item, "level"));
	append_word(line, sizeof(line), "--level");
	append_word(line, sizeof(line), number);
	append_word(line, sizeof(line), "--case");
	append_word(line, sizeof(line), conform__record_get(item, "case"));
	return json_string(line);
}

static json_t *failures_of(const json_t *run, const json_t *cases)
{
	json_t *failures = json_array();
	const json_t *item;
	size_t i;
	json_array_foreach(cases, i, item)
	{
		const hy_conform_status status = conform__record_status(item);
		const bool fine = status == HY_CONFORM_PASS || status == HY_CONFORM_NOT_SUPPORTED;
		if (fine || status == HY_CONFORM_XPASS || status == HY_CONFORM_NOT_RUN) continue;
		json_t *failure = json_copy((json_t *)(uintptr_t)item);
		json_object_set(failure, "seed", json_object_get(run, "seed"));
		json_object_set_new(failure, "command", command_of(run, item));
		json_array_append_new(failures, failure);
	}
	return failures;
}

static json_t *flaky_of(const json_t *cases)
{
	json_t *flaky = json_array();
	const json_t *item;
	size_t i;
	json_array_foreach(cases, i, item)
	{
		if (conform__record_status(item) != HY_CONFORM_FLAKY) continue;
		json_array_append(flaky, json_object_get(item, "case"));
	}
	return flaky;
}

/* Every case in one line each, without what a failure's own record says. */
static json_t *brief(const json_t *cases)
{
	static const char *const members[] = {"case", "group", "rule", "level", "status", "ms", "proven_by"};
	json_t *list = json_array();
	const json_t *item;
	size_t i;
	json_array_foreach(cases, i, item)
	{
		json_t *line = json_object();
		for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++)
			json_object_set(line, members[m], json_object_get(item, members[m]));
		if (conform__record_status(item) == HY_CONFORM_NOT_SUPPORTED)
			json_object_set(line, "text", json_object_get(item, "text"));
		json_array_append_new(list, line);
	}
	return list;
}

/* ---- the whole ---- */

static json_t *run_of(const json_t *run, const json_t *end)
{
	static const char *const members[] = {"id",        "started",       "level",  "seed",      "strict",
	                                      "isolation", "timeout_scale", "repeat", "selection", "merged"};
	json_t *made = json_object();
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_object_get(run, members[i]) != NULL)
			json_object_set(made, members[i], json_object_get(run, members[i]));
	json_object_set_new(made, "seconds", json_real(conform__record_real(end, "seconds")));
	return made;
}

json_t *conform__report_build(const json_t *records)
{
	const json_t *run = json_array_get(records, 0), *end = NULL, *perf = NULL, *record;
	json_t *cases = json_array();
	size_t i;
	json_array_foreach(records, i, record)
	{
		if (conform__record_is_case(record)) json_array_append(cases, (json_t *)(uintptr_t)record);
		if (strcmp(conform__record_get(record, "record"), "end") == 0) end = record;
		if (strcmp(conform__record_get(record, "record"), "perf") == 0) perf = json_object_get(record, "perf");
	}
	hy_conform_summary summary;
	conform__verdict(records, &summary);
	json_t *report = json_pack("{s:s, s:{s:s, s:s, s:i}, s:{s:s, s:s, s:s, s:I, s:I}, s:o}", "schema",
	                           "halyard.conformance/v1", "verdict", "name", conform__verdict_name(summary.verdict),
	                           "text", summary.text, "exit", (int)summary.verdict, "suite", "version",
	                           conform__record_get(run, "suite"), "list", conform__record_get(run, "list"), "abi",
	                           conform__record_get(run, "abi"), "total", (json_int_t)summary.total, "selected",
	                           (json_int_t)summary.selected, "run", run_of(run, end));
	static const char *const lent[] = {"plugin", "device", "machine", "waivers"};
	for (size_t m = 0; m < sizeof(lent) / sizeof(lent[0]); m++)
		json_object_set(report, lent[m], json_object_get(run, lent[m]));
	json_object_set_new(report, "counts", counts_of(&summary));
	json_object_set_new(report, "groups", groups_of(cases));
	json_object_set_new(report, "operators", operators_of(cases));
	json_object_set_new(report, "failures", failures_of(run, cases));
	json_object_set_new(report, "flaky", flaky_of(cases));
	json_object_set_new(report, "slowest", slowest_of(cases));
	if (perf != NULL) json_object_set(report, "perf", (json_t *)(uintptr_t)perf);
	json_object_set_new(report, "cases", brief(cases));
	json_decref(cases);
	return report;
}

/* ---- files ---- */

static void write_json(const json_t *report, FILE *file)
{
	json_dumpf(report, file, JSON_INDENT(1));
	fputc('\n', file);
}

static const struct {
	const char *format, *file;
	void (*write)(const json_t *report, FILE *file);
} forms[] = {{"json", "report.json", write_json},
             {"junit", "junit.xml", conform__report_junit},
             {"html", "report.html", conform__report_html}};
enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

hy_status conform__report_write(const json_t *report, const char *folder, const char *formats, hy_error *error)
{
	bool wanted[FORMS];
	for (int i = 0; i < FORMS; i++)
		wanted[i] = formats == NULL;
	while (formats != NULL && *formats != '\0') {
		const size_t length = strcspn(formats, ",");
		int form = 0;
		while (form < FORMS &&
		       (strlen(forms[form].format) != length || strncmp(forms[form].format, formats, length) != 0))
			form++;
		if (form == FORMS)
			return hy_error_set(error, HY_INVALID, "no format '%.*s': json, junit and html", (int)length,
			                    formats);
		wanted[form] = true;
		formats += length + (formats[length] == ',');
	}
	for (int i = 0; i < FORMS; i++) {
		if (!wanted[i]) continue;
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", folder, forms[i].file);
		FILE *file = fopen(path, "we");
		if (file == NULL)
			return hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, strerror(errno));
		forms[i].write(report, file);
		const bool failed = ferror(file) != 0;
		if (fclose(file) != 0 || failed)
			return hy_error_set(error, HY_NOT_FOUND, "%s can't be written: is the disk full?", path);
	}
	return HY_OK;
}

static hy_status keep_waivers(const char *folder, const char *waivers, hy_error *error)
{
	if (waivers[0] == '\0') return HY_OK;
	char path[4096];
	snprintf(path, sizeof(path), "%s/waivers.txt", folder);
	FILE *file = fopen(path, "we");
	if (file != NULL) fputs(waivers, file);
	if (file != NULL && fclose(file) == 0) return HY_OK;
	return hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, strerror(errno));
}

hy_status conform__report_deliver(const hy_conform_options *options, const json_t *records, const char *waivers,
                                  hy_error *error)
{
	json_t *report = conform__report_build(records);
	hy_status status = HY_OK;
	if (options->out != NULL) status = conform__report_write(report, options->out, options->formats, error);
	if (status == HY_OK && options->out != NULL) status = keep_waivers(options->out, waivers, error);
	if (status == HY_OK && options->submission != NULL)
		status = conform__submission_write(records, report, waivers, options->submission, error);
	json_decref(report);
	return status;
}
