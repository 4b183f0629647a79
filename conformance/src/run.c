/* Runs the list against one plugin: selection, second looks, waivers, a record per case, then the verdict and reports. */
#include "case.h"
#include "compare.h"
#include "health.h"
#include "perf.h"
#include "process.h"
#include "record.h"
#include "report.h"
#include "results.h"
#include "retry.h"
#include "supervisor.h"
#include "verdict.h"
#include "waiver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct session {
	const hy_conform_options *options;
	supervisor worker;
	conform_waivers *waivers;
	conform_selection selection;
	conform_results results;
	health health;
	bool loaded;
} session;

static bool holds(hy_conform_status status)
{
	return status == HY_CONFORM_PASS || status == HY_CONFORM_NOT_SUPPORTED;
}

/* Runs a case as often as was asked for; one that does not always hold is FLAKY. */
static void run_case(session *s, const conform_case *item, supervisor_result *result)
{
	static supervisor_result again;
	const uint32_t times = s->options->repeat > 1 ? s->options->repeat : 1;
	uint32_t held = 0, same = 0;
	conform__supervisor_run(&s->worker, item, result);
	if (!holds(result->status)) conform__retry(&s->worker, item, result);
	for (uint32_t i = 1; i < times; i++) {
		conform__supervisor_run(&s->worker, item, &again);
		same += again.status == result->status;
		held += holds(again.status);
		if (holds(result->status) && !holds(again.status)) {
			again.time_ns = result->time_ns;
			*result = again;
			same = 0;
			held = i;
		}
	}
	if (same + 1 == times || held == 0) return;
	char text[1024];
	snprintf(text, sizeof(text), "%.1000s", result->text);
	snprintf(result->text, sizeof(result->text), "holds in %u of %u runs; else %s: %s", held, times,
	         hy_conform_status_name(result->status), text);
	result->status = HY_CONFORM_FLAKY;
}

static void tell(session *s, const conform_case *item, const supervisor_result *result, const conform_waiver *waiver)
{
	conform__results_add(&s->results, conform__record_case(&item->info, result, waiver));
	if (s->options->on_result == NULL) return;
	const bool differs = result->record_kind == WORKER_DIFFERENCE;
	const hy_conform_result shown = {.info = &item->info,
	                                 .status = result->status,
	                                 .time_ns = result->time_ns,
	                                 .text = result->text,
	                                 .output = result->output,
	                                 .signal = result->signal,
	                                 .difference = differs ? &result->record.difference : NULL,
	                                 .exit_code = result->exit_code};
	s->options->on_result(s->options->payload, &shown);
}

static void judge(session *s, const conform_case *item)
{
	static supervisor_result result;
	const conform_waiver *waiver = conform__waivers_find(s->waivers, item->info.id);
	if (!s->loaded || conform__health_is_lost(&s->health)) {
		result = (supervisor_result){.status = HY_CONFORM_NOT_RUN, .exit_code = -1};
		tell(s, item, &result, NULL);
		return;
	}
	run_case(s, item, &result);
	conform__health_check(&s->health, &s->worker, &result);
	result.status = conform__waiver_status(waiver, result.status);
	tell(s, item, &result, waiver);
	uint32_t count;
	if (item == conform__suite_cases(&count)) s->loaded = result.status == HY_CONFORM_PASS;
}

/* ---- before and after ---- */

static void begin_record(session *s)
{
	worker_description description;
	const bool described = conform__supervisor_describe(&s->worker, &description);
	if (described) {
		const conform_identity identity = {.plugin = description.plugin_name,
		                                   .version = description.plugin_version,
		                                   .device = description.device.id,
		                                   .driver = description.device.driver};
		conform__waivers_apply(s->waivers, &identity);
	}
	conform__results_add(&s->results, conform__record_run(s->options, &s->selection,
	                                                      described ? &description : NULL, s->waivers));
}

/* The device's speed; what can't be true is a finding of the record. */
static hy_status measure(session *s, uint32_t *out_findings, hy_error *error)
{
	worker_description description;
	json_t *record = NULL;
	if (!conform__supervisor_describe(&s->worker, &description)) return HY_OK;
	const hy_status status = conform__perf_run(&s->worker, s->options, &description, &record, error);
	*out_findings = (uint32_t)json_array_size(json_object_get(json_object_get(record, "perf"), "findings"));
	conform__results_add(&s->results, record);
	return status;
}

/* A run that is cut short shall not stand beside the report of the one before. */
static void forget_reports(const char *folder)
{
	static const char *const names[] = {"report.json", "report.html", "junit.xml", "waivers.txt"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
}

static hy_status open_results(session *s, hy_error *error)
{
	const hy_conform_options *o = s->options;
	char path[4096];
	if (o->out == NULL) return conform__results_create(&s->results, o->results, error);
	if (o->results != NULL)
		return hy_error_set(error, HY_INVALID, "give a folder or a file for the results, not both");
	if (mkdir(o->out, 0777) != 0 && errno != EEXIST)
		return hy_error_set(error, HY_NOT_FOUND, "%s can't be made: %s", o->out, strerror(errno));
	forget_reports(o->out);
	snprintf(path, sizeof(path), "%s/results.jsonl", o->out);
	return conform__results_create(&s->results, path, error);
}

/* A line for each case that failed; who approves it is left for a person to write. */
static hy_status propose_waivers(const json_t *records, const char *path, hy_error *error)
{
	FILE *file = fopen(path, "we");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, strerror(errno));
	char day[16];
	const time_t then = time(NULL) + 90 * 24 * 3600;
	struct tm parts;
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&then, &parts));
	fputs("# Write who approves each line between the bars, and delete those that nobody does.\n", file);
	const json_t *record;
	size_t i;
	json_array_foreach(records, i, record)
	{
		const hy_conform_status status = conform__record_status(record);
		if (status != HY_CONFORM_FAIL && status != HY_CONFORM_FLAKY) continue;
		if (strcmp(conform__record_get(record, "group"), "abi") == 0) continue;
		char reason[128];
		snprintf(reason, sizeof(reason), "%.120s", conform__record_get(record, "text"));
		for (char *at = reason; *at != '\0'; at++)
			if ((unsigned char)*at < ' ' || *at == '|') *at = ' ';
		fprintf(file, "%s | expires %s | | %s\n", conform__record_get(record, "case"), day, reason);
	}
	if (fclose(file) != 0) return hy_error_set(error, HY_NOT_FOUND, "%s can't be written", path);
	return HY_OK;
}

static hy_status prepare(session *s, hy_error *error)
{
	const char *fault = conform__compare_self_test();
	if (fault != NULL) return hy_error_set(error, HY_INTERNAL, "the comparator's own test: %s", fault);
	hy_status status = conform__supervisor_init(&s->worker, s->options, error);
	if (status == HY_OK) status = conform__waivers_load(s->options->waivers, NULL, &s->waivers, error);
	if (status == HY_OK) status = conform__select(s->options, &s->selection, error);
	if (status == HY_OK && s->options->submission != NULL &&
	    (s->selection.count < s->selection.total || s->options->seed != 0))
		status = hy_error_set(error, HY_INVALID, "a submission needs the whole list and the suite's own seed");
	if (status == HY_OK) status = open_results(s, error);
	return status;
}

const char *hy_conform_self_test(void)
{
	return conform__compare_self_test();
}

hy_status hy_conform_run(const hy_conform_options *options, hy_conform_summary *out_summary, hy_error *error)
{
	if (options == NULL || out_summary == NULL || options->size < sizeof(options->size))
		return hy_error_set(error, HY_INVALID, "options with their size and a summary are needed");
	/* Callers that were built against an older header know fewer options. */
	hy_conform_options known = {.size = 0};
	memcpy(&known, options, options->size < sizeof(known) ? options->size : sizeof(known));
	if (known.plugin == NULL) return hy_error_set(error, HY_INVALID, "a plugin is needed");
	if (access(known.plugin, R_OK) != 0)
		return hy_error_set(error, HY_NOT_FOUND, "%s can't be read: %s", known.plugin, strerror(errno));
	if (known.costs != NULL && known.device_options != NULL && known.device_options[0] != '\0')
		return hy_error_set(error, HY_INVALID, "costs are of the whole device: leave out its options");
	session s = {.options = &known, .loaded = true};
	hy_status status = prepare(&s, error);
	if (status == HY_OK) {
		const uint64_t begin = conform__process_now_ns();
		begin_record(&s);
		conform__health_begin(&s.health, &s.worker);
		for (uint32_t i = 0; i < s.selection.count; i++)
			judge(&s, s.selection.cases[i]);
		conform__supervisor_stop(&s.worker);
		uint32_t findings = 0;
		if (known.perf && s.loaded) status = measure(&s, &findings, error);
		conform__verdict(s.results.records, out_summary);
		out_summary->perf_findings = findings;
		out_summary->time_ns = conform__process_now_ns() - begin;
		conform__results_add(&s.results, conform__record_end(out_summary));
		if (s.results.file != NULL && ferror(s.results.file))
			status = hy_error_set(error, HY_NOT_FOUND, "the results can't be written: is the disk full?");
		if (status == HY_OK)
			status = conform__report_deliver(&known, s.results.records, conform__waivers_text(s.waivers),
			                                 error);
		if (status == HY_OK && known.propose_waivers != NULL)
			status = propose_waivers(s.results.records, known.propose_waivers, error);
	}
	conform__select_finish(&s.selection);
	conform__waivers_free(s.waivers);
	conform__results_finish(&s.results);
	return status;
}
