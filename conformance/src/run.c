/* Runs the list against one plugin: selection, second looks, waivers, results line by line, verdict. */
#include "case.h"
#include "compare.h"
#include "supervisor.h"
#include "waiver.h"
#include "process.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct session {
	const hy_conform_options *options;
	hy_conform_summary *summary;
	supervisor worker;
	conform_waivers *waivers;
	FILE *results;
	uint32_t lost_in_a_row;
} session;

/* True when one of the comma-separated globs matches. */
static bool matches(const char *globs, const char *id)
{
	char glob[256];
	while (*globs != '\0') {
		const size_t length = strcspn(globs, ",");
		snprintf(glob, sizeof(glob), "%.*s", (int)length, globs);
		if (fnmatch(glob, id, 0) == 0) return true;
		globs += length + (globs[length] == ',');
	}
	return false;
}

static bool holds(hy_conform_status status)
{
	return status == HY_CONFORM_PASS || status == HY_CONFORM_NOT_SUPPORTED;
}

/* A case that did not hold is run again alone in a fresh worker: what changes then is FLAKY, and says so. */
static void second_look(session *s, const conform_case *item, supervisor_result *result)
{
	supervisor_result again;
	conform__supervisor_stop(&s->worker);
	conform__supervisor_run(&s->worker, item, &again);
	conform__supervisor_stop(&s->worker);
	if (again.status == result->status) return;
	char first[512];
	snprintf(first, sizeof(first), "%.500s", result->text);
	const hy_conform_status before = result->status;
	result->status = HY_CONFORM_FLAKY;
	snprintf(result->text, sizeof(result->text), "%s first (%s), %s alone in a fresh worker%s%.2000s",
	         hy_conform_status_name(before), first, hy_conform_status_name(again.status),
	         again.text[0] != '\0' ? ": " : "", again.text);
}

static void write_line(session *s, const hy_conform_case_info *info, const supervisor_result *result)
{
	if (s->results == NULL) return;
	/* Names of files and plugins' output may be no UTF-8: what jansson refuses is left out and said. */
	json_t *output = json_string(result->output), *text = json_string(result->text);
	json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:f, s:i, s:o, s:o}", "case", info->id, "group",
	                         info->group, "rule", info->rule, "since", info->since, "level", (int)info->level,
	                         "status", hy_conform_status_name(result->status), "ms", (double)result->time_ns / 1e6,
	                         "signal", result->signal, "text", text != NULL ? text : json_string("(not UTF-8)"),
	                         "output", output != NULL ? output : json_string("(not UTF-8)"));
	if (line == NULL) return;
	json_dumpf(line, s->results, JSON_COMPACT);
	fputc('\n', s->results);
	fflush(s->results);
	json_decref(line);
}

static void judge(session *s, const conform_case *item)
{
	static supervisor_result result;
	conform__supervisor_run(&s->worker, item, &result);
	if (!holds(result.status)) second_look(s, item, &result);
	s->lost_in_a_row = result.status == HY_CONFORM_DEVICE_LOST ? s->lost_in_a_row + 1 : 0;
	const char *reason = conform__waivers_find(s->waivers, item->info.id);
	if (reason != NULL && result.status == HY_CONFORM_PASS)
		result.status = HY_CONFORM_XPASS;
	else if (reason != NULL && (result.status == HY_CONFORM_FAIL || result.status == HY_CONFORM_FLAKY))
		result.status = HY_CONFORM_WAIVED;
	s->summary->count[result.status]++;
	s->summary->selected++;
	write_line(s, &item->info, &result);
	if (s->options->on_result == NULL) return;
	const hy_conform_result shown = {
		.info = &item->info,
		.status = result.status,
		.time_ns = result.time_ns,
		.text = result.text,
		.output = result.output,
		.signal = result.signal,
		.difference = result.record_length == sizeof(hy_conform_difference) ? &result.record.difference : NULL,
		.exit_code = result.exit_code};
	s->options->on_result(s->options->payload, &shown);
}

hy_conform_verdict conform__verdict(const hy_conform_options *o, const hy_conform_summary *summary, bool loaded,
                                    char *text, size_t length)
{
	const uint32_t *n = summary->count;
	const uint32_t bad = n[HY_CONFORM_FAIL] + n[HY_CONFORM_CRASH] + n[HY_CONFORM_TIMEOUT] +
	                     n[HY_CONFORM_DEVICE_LOST] + n[HY_CONFORM_FLAKY] + n[HY_CONFORM_RESOURCE] +
	                     (o->strict ? n[HY_CONFORM_XPASS] : 0);
	const bool partial = o->cases != NULL || o->seed != 0 || summary->selected < summary->total;
	const bool too_many_waived = n[HY_CONFORM_WAIVED] * 100 > summary->total;
	if (!loaded) {
		snprintf(text, length, "NOT LOADED: the plugin can't be used at all");
		return HY_CONFORM_NOT_LOADED;
	}
	if (n[HY_CONFORM_HARNESS_ERROR] > 0) {
		snprintf(text, length, "NO JUDGEMENT: the suite failed in %u cases", n[HY_CONFORM_HARNESS_ERROR]);
		return HY_CONFORM_NO_JUDGEMENT;
	}
	if (partial) {
		snprintf(text, length, "NO VERDICT: a partial run of %u of %u cases, %u do not hold", summary->selected,
		         summary->total, bad);
		return HY_CONFORM_PARTIAL;
	}
	if (bad > 0 || too_many_waived) {
		snprintf(text, length, "NOT CONFORMANT at L%d: %u of %u cases do not hold%s", (int)o->level, bad,
		         summary->total, too_many_waived ? "; more than 1 % are waived" : "");
		return HY_CONFORM_NOT_CONFORMANT;
	}
	if (n[HY_CONFORM_WAIVED] > 0)
		snprintf(text, length, "CONFORMANT at L%d WITH %u WAIVERS: %u cases", (int)o->level,
		         n[HY_CONFORM_WAIVED], summary->total);
	else
		snprintf(text, length, "CONFORMANT at L%d: %u cases, %u not claimed", (int)o->level, summary->total,
		         n[HY_CONFORM_NOT_SUPPORTED]);
	return HY_CONFORM_CONFORMANT;
}

hy_status hy_conform_run(const hy_conform_options *options, hy_conform_summary *out_summary, hy_error *error)
{
	if (options == NULL || out_summary == NULL || options->plugin == NULL)
		return hy_error_set(error, HY_INVALID, "a plugin and a summary are needed");
	if (access(options->plugin, R_OK) != 0)
		return hy_error_set(error, HY_NOT_FOUND, "%s can't be read", options->plugin);
	const char *fault = conform__compare_self_test();
	if (fault != NULL) return hy_error_set(error, HY_INTERNAL, "the comparator's own test: %s", fault);
	session s = {.options = options, .summary = out_summary};
	memset(out_summary, 0, sizeof(*out_summary));
	hy_status status = conform__supervisor_init(&s.worker, options, error);
	if (status != HY_OK) return status;
	status = conform__waivers_load(options->waivers, &s.waivers, error);
	if (status != HY_OK) return status;
	if (options->results != NULL && (s.results = fopen(options->results, "we")) == NULL) {
		conform__waivers_free(s.waivers);
		return hy_error_set(error, HY_NOT_FOUND, "%s can't be written", options->results);
	}
	const uint64_t begin = conform__process_now_ns();
	uint32_t count;
	const conform_case *cases = conform__suite_cases(&count);
	bool loaded = true;
	for (uint32_t i = 0; i < count; i++) {
		if (cases[i].info.level > options->level) continue;
		out_summary->total++;
		if (options->cases != NULL && !matches(options->cases, cases[i].info.id)) continue;
		if (!loaded || s.lost_in_a_row >= 3) {
			out_summary->count[HY_CONFORM_NOT_RUN]++;
			continue;
		}
		judge(&s, &cases[i]);
		if (i == 0 && out_summary->count[HY_CONFORM_PASS] == 0) loaded = false;
	}
	conform__supervisor_stop(&s.worker);
	conform__waivers_free(s.waivers);
	if (s.results != NULL) fclose(s.results);
	out_summary->time_ns = conform__process_now_ns() - begin;
	out_summary->verdict = conform__verdict(options, out_summary, loaded, out_summary->text,
	                                        sizeof(out_summary->text));
	return HY_OK;
}
