/* The verdict, from the records of a run and nothing else. */
#include "verdict.h"

#include "record.h"

#include <stdio.h>
#include <string.h>

bool conform__verdict_holds(hy_conform_status status)
{
	return status == HY_CONFORM_PASS || status == HY_CONFORM_NOT_SUPPORTED || status == HY_CONFORM_WAIVED;
}

const char *conform__verdict_name(hy_conform_verdict verdict)
{
	switch (verdict) {
	case HY_CONFORM_CONFORMANT:
		return "CONFORMANT";
	case HY_CONFORM_NOT_CONFORMANT:
		return "NOT CONFORMANT";
	case HY_CONFORM_NO_JUDGEMENT:
		return "NO JUDGEMENT";
	case HY_CONFORM_NOT_LOADED:
		return "NOT LOADED";
	case HY_CONFORM_PARTIAL:
		break;
	}
	return "NO VERDICT";
}

/* False when the list's first case, that the library can be opened and entered, is there and did not pass. */
static bool count_cases(const json_t *records, hy_conform_summary *summary)
{
	uint32_t count;
	const char *first = conform__suite_cases(&count)[0].info.id;
	bool loaded = true;
	const json_t *record;
	size_t i;
	json_array_foreach(records, i, record)
	{
		if (!conform__record_is_case(record)) continue;
		const hy_conform_status status = conform__record_status(record);
		if (status == HY_CONFORM_STATUS_COUNT) continue;
		summary->count[status]++;
		if (status != HY_CONFORM_NOT_RUN) summary->selected++;
		if (strcmp(conform__record_get(record, "case"), first) == 0) loaded = status == HY_CONFORM_PASS;
	}
	return loaded;
}

void conform__verdict(const json_t *records, hy_conform_summary *out_summary)
{
	const json_t *run = json_array_get(records, 0);
	hy_conform_summary s = {.total = (uint32_t)conform__record_integer(run, "total")};
	const bool loaded = count_cases(records, &s);
	const bool strict = json_is_true(json_object_get(run, "strict"));
	const int level = (int)conform__record_integer(run, "level");
	const uint32_t *n = s.count;
	uint32_t bad = 0;
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++)
		if (!conform__verdict_holds((hy_conform_status)status) && status != HY_CONFORM_NOT_RUN)
			bad += n[status];
	if (!strict) bad -= n[HY_CONFORM_XPASS];
	const bool too_many_waived = n[HY_CONFORM_WAIVED] * 100 > s.total;
	const bool partial = s.selected < s.total || strcmp(conform__record_get(run, "seed"), "0") != 0;
	const size_t room = sizeof(s.text);
	if (!loaded) {
		s.verdict = HY_CONFORM_NOT_LOADED;
		snprintf(s.text, room, "NOT LOADED: the plugin can't be used at all");
	} else if (n[HY_CONFORM_HARNESS_ERROR] > 0) {
		s.verdict = HY_CONFORM_NO_JUDGEMENT;
		snprintf(s.text, room, "NO JUDGEMENT: the suite failed in %u cases", n[HY_CONFORM_HARNESS_ERROR]);
	} else if (n[HY_CONFORM_NOT_RUN] > 0) {
		s.verdict = HY_CONFORM_PARTIAL;
		snprintf(s.text, room,
		         "INCOMPLETE: the device was lost after several cases in a row; %u of %u were not run",
		         n[HY_CONFORM_NOT_RUN], s.total);
	} else if (partial) {
		s.verdict = HY_CONFORM_PARTIAL;
		snprintf(s.text, room, "NO VERDICT: a partial run of %u of %u cases, %u do not hold", s.selected,
		         s.total, bad);
	} else if (bad > 0 || too_many_waived) {
		s.verdict = HY_CONFORM_NOT_CONFORMANT;
		snprintf(s.text, room, "NOT CONFORMANT at L%d: %u of %u cases do not hold%s", level, bad, s.total,
		         too_many_waived ? "; more than 1 % are waived" : "");
	} else if (n[HY_CONFORM_WAIVED] > 0) {
		s.verdict = HY_CONFORM_CONFORMANT;
		snprintf(s.text, room, "CONFORMANT at L%d WITH %u WAIVERS: %u cases", level, n[HY_CONFORM_WAIVED],
		         s.total);
	} else {
		s.verdict = HY_CONFORM_CONFORMANT;
		snprintf(s.text, room, "CONFORMANT at L%d: %u cases, %u not claimed", level, s.total,
		         n[HY_CONFORM_NOT_SUPPORTED]);
	}
	*out_summary = s;
}
