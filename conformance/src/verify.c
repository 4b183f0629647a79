/* Derives the verdict of a submission again, and refuses one in which anything does not follow from the rest. */
#include "record.h"
#include "report.h"
#include "results.h"
#include "submission.h"
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct judged {
	const char *path;
	conform_submission given;
	json_t *records;
	conform_waivers *waivers;
} judged;

static hy_status check_run(const judged *j, hy_error *error)
{
	const json_t *run = json_array_get(j->records, 0);
	char list[17];
	snprintf(list, sizeof(list), "%016llx", (unsigned long long)hy_conform_list_hash());
	if (strcmp(conform__record_get(run, "record"), "run") != 0)
		return hy_error_set(error, HY_INVALID, "%s: the first line is not the run", j->path);
	if (strcmp(conform__record_get(run, "suite"), HY_CONFORM_SUITE_VERSION) != 0 ||
	    strcmp(conform__record_get(run, "list"), list) != 0)
		return hy_error_set(
			error, HY_INCOMPATIBLE,
			"%s is of suite %.16s, list %.16s; this is suite %s, list %s: verify it with that one", j->path,
			conform__record_get(run, "suite"), conform__record_get(run, "list"), HY_CONFORM_SUITE_VERSION,
			list);
	const int64_t level = conform__record_integer(run, "level");
	const uint32_t total = conform__suite_total(level);
	if (level < 0 || level > HY_CONFORM_L3 || conform__record_integer(run, "total") != total)
		return hy_error_set(error, HY_INVALID, "%s: the list has %u cases at this level, not %lld", j->path,
		                    total, (long long)conform__record_integer(run, "total"));
	return HY_OK;
}

static hy_status check_waivers(judged *j, hy_error *error)
{
	const json_t *run = json_array_get(j->records, 0), *plugin = json_object_get(run, "plugin");
	const json_t *device = json_object_get(run, "device");
	const char *text = j->given.text[SUBMISSION_WAIVERS], *digest = conform__record_get(run, "waivers_sha256");
	char name[512], day[16];
	if (text[0] != '\0' || digest[0] != '\0') {
		snprintf(name, sizeof(name), "%.400s: waivers.txt", j->path);
		snprintf(day, sizeof(day), "%.10s", conform__record_get(run, "started"));
		const hy_status status = conform__waivers_parse(text, strlen(text), name, day, &j->waivers, error);
		if (status != HY_OK) return status;
	}
	const conform_identity identity = {.plugin = conform__record_get(plugin, "name"),
	                                   .version = conform__record_get(plugin, "version"),
	                                   .device = conform__record_get(device, "id"),
	                                   .driver = conform__record_get(device, "driver")};
	if (json_is_object(device)) conform__waivers_apply(j->waivers, &identity);
	json_t *derived = conform__record_waivers(j->waivers);
	const bool same = json_equal(derived, json_object_get(run, "waivers")) != 0 &&
	                  strcmp(digest, conform__waivers_digest(j->waivers)) == 0;
	json_decref(derived);
	return same ? HY_OK
	            : hy_error_set(error, HY_INVALID, "%s: waivers.txt is not what the run was judged with", j->path);
}

/* What a waiver makes of a status, and that only a waiver does. */
static bool status_is_legal(const judged *j, const json_t *record)
{
	const conform_waiver *waiver = conform__waivers_find(j->waivers, conform__record_get(record, "case"));
	const hy_conform_status status = conform__record_status(record);
	if (waiver == NULL) return status != HY_CONFORM_WAIVED && status != HY_CONFORM_XPASS;
	const json_t *told = json_object_get(record, "waiver");
	return conform__waiver_status(waiver, status) == status &&
	       (status == HY_CONFORM_NOT_RUN || strcmp(conform__record_get(told, "reason"), waiver->reason) == 0);
}

static hy_status check_case(const judged *j, const json_t *record, bool *seen, hy_error *error)
{
	const char *id = conform__record_get(record, "case");
	uint32_t count;
	const conform_case *cases = conform__suite_cases(&count), *item = conform__suite_find(id);
	if (item == NULL) return hy_error_set(error, HY_INVALID, "%s: the list has no case %.100s", j->path, id);
	const hy_conform_case_info *info = &item->info;
	if (seen[item - cases]) return hy_error_set(error, HY_INVALID, "%s: case %s is there twice", j->path, id);
	seen[item - cases] = true;
	if (strcmp(info->group, conform__record_get(record, "group")) != 0 ||
	    strcmp(info->rule, conform__record_get(record, "rule")) != 0 ||
	    conform__record_integer(record, "level") != (int64_t)info->level)
		return hy_error_set(error, HY_INVALID, "%s: case %s is not as in the list", j->path, id);
	if (conform__record_status(record) == HY_CONFORM_STATUS_COUNT || !status_is_legal(j, record))
		return hy_error_set(error, HY_INVALID, "%s: case %s can't be %.20s with these waivers", j->path, id,
		                    conform__record_get(record, "status"));
	return HY_OK;
}

static hy_status check_cases(const judged *j, hy_error *error)
{
	const int64_t level = conform__record_integer(json_array_get(j->records, 0), "level");
	const size_t lines = json_array_size(j->records);
	bool *seen = calloc(hy_conform_case_count(), sizeof(*seen));
	hy_status status = seen == NULL ? hy_error_set(error, HY_NO_MEMORY, "no memory for a list") : HY_OK;
	for (size_t i = 1; status == HY_OK && i + 1 < lines; i++) {
		const json_t *record = json_array_get(j->records, i);
		if (!conform__record_is_case(record) && strcmp(conform__record_get(record, "record"), "perf") == 0)
			continue;
		status = check_case(j, record, seen, error);
	}
	for (uint32_t i = 0; status == HY_OK && i < hy_conform_case_count(); i++)
		if (seen[i] != ((int64_t)hy_conform_case_at(i)->level <= level))
			status = hy_error_set(error, HY_INVALID, "%s: case %s is %s", j->path,
			                      hy_conform_case_at(i)->id, seen[i] ? "of a higher level" : "missing");
	free(seen);
	return status;
}

/* The statement and the report are what the lines and the waivers make; so is the end. */
static hy_status check_derived(const judged *j, const hy_conform_summary *summary, hy_error *error)
{
	const json_t *end = json_array_get(j->records, json_array_size(j->records) - 1);
	if (strcmp(conform__record_get(end, "record"), "end") != 0 ||
	    strcmp(conform__record_get(end, "verdict"), summary->text) != 0 ||
	    conform__record_integer(end, "exit") != (int64_t)summary->verdict)
		return hy_error_set(error, HY_INVALID, "%s: its lines add up to '%s', not to what the last one says",
		                    j->path, summary->text);
	json_t *report = conform__report_build(j->records);
	conform_submission derived;
	hy_status status = conform__submission_make(j->records, report, j->given.text[SUBMISSION_WAIVERS], &derived,
	                                            error);
	json_decref(report);
	if (status != HY_OK) return status;
	static const char *const names[] = {"STATEMENT", "results.jsonl", "report.json"};
	for (int i = SUBMISSION_REPORT; status == HY_OK && i >= SUBMISSION_STATEMENT; i--)
		if (strcmp(derived.text[i], j->given.text[i]) != 0)
			status = hy_error_set(error, HY_INVALID, "%s: %s is not what the lines of the run make",
			                      j->path, names[i]);
	conform__submission_finish(&derived);
	return status;
}

static hy_status check_plugin(const judged *j, const char *plugin, hy_error *error)
{
	if (plugin == NULL) return HY_OK;
	char digest[CONFORM_DIGEST];
	uint64_t bytes;
	const hy_status status = conform__digest_file(plugin, &bytes, digest, error);
	const json_t *run = json_array_get(j->records, 0);
	if (status != HY_OK || strcmp(digest, conform__record_get(json_object_get(run, "plugin"), "sha256")) == 0)
		return status;
	return hy_error_set(error, HY_INVALID, "%s is about another plugin than %s: SHA-256 %.64s", j->path, plugin,
	                    digest);
}

hy_status hy_conform_verify(const char *submission, const char *plugin, hy_conform_summary *out_summary,
                            hy_error *error)
{
	if (submission == NULL || out_summary == NULL)
		return hy_error_set(error, HY_INVALID, "a submission and a summary are needed");
	judged j = {.path = submission};
	hy_conform_summary summary = {.total = 0};
	hy_status status = conform__submission_read(submission, &j.given, error);
	if (status != HY_OK) return status;
	char name[512];
	snprintf(name, sizeof(name), "%.400s: results.jsonl", submission);
	status = conform__results_parse(j.given.text[SUBMISSION_RESULTS], j.given.length[SUBMISSION_RESULTS], name,
	                                &j.records, error);
	if (status == HY_OK) status = check_run(&j, error);
	if (status == HY_OK) status = check_waivers(&j, error);
	if (status == HY_OK) status = check_cases(&j, error);
	if (status == HY_OK) {
		conform__verdict(j.records, &summary);
		status = check_derived(&j, &summary, error);
	}
	if (status == HY_OK) status = check_plugin(&j, plugin, error);
	if (status == HY_OK) *out_summary = summary;
	conform__waivers_free(j.waivers);
	json_decref(j.records);
	conform__submission_finish(&j.given);
	return status;
}
