/* The report as JUnit XML: a testsuite per group. */
#include "report.h"

#include "record.h"

#include <string.h>

/* Characters that XML 1.0 has no way to write become '?'. */
static void put_text(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		const unsigned char c = (unsigned char)*text;
		if (c == '&')
			fputs("&amp;", file);
		else if (c == '<')
			fputs("&lt;", file);
		else if (c == '>')
			fputs("&gt;", file);
		else if (c == '"')
			fputs("&quot;", file);
		else if (c == '\n' || c == '\t')
			fprintf(file, "&#%d;", c);
		else
			fputc(c < 0x20 || c == 0x7f ? '?' : c, file);
	}
}

static const json_t *failure_of(const json_t *report, const char *id)
{
	const json_t *item;
	size_t i;
	json_array_foreach(json_object_get(report, "failures"), i,
	                   item) if (strcmp(conform__record_get(item, "case"), id) == 0) return item;
	return NULL;
}

typedef enum outcome { HELD, SKIPPED, FAILED, BROKE } outcome;

static outcome outcome_of(hy_conform_status status)
{
	switch (status) {
	case HY_CONFORM_PASS:
	case HY_CONFORM_XPASS:
		return HELD;
	case HY_CONFORM_NOT_SUPPORTED:
	case HY_CONFORM_WAIVED:
	case HY_CONFORM_NOT_RUN:
		return SKIPPED;
	case HY_CONFORM_FAIL:
	case HY_CONFORM_FLAKY:
		return FAILED;
	default:
		return BROKE;
	}
}

static void put_case(const json_t *report, const json_t *item, FILE *file)
{
	static const char *const tags[] = {"", "skipped", "failure", "error"};
	const char *id = conform__record_get(item, "case");
	const json_t *failure = failure_of(report, id), *told = failure != NULL ? failure : item;
	const outcome end = outcome_of(conform__record_status(item));
	fprintf(file, "  <testcase classname=\"");
	put_text(file, conform__record_get(item, "group"));
	fprintf(file, "\" name=\"");
	put_text(file, id);
	fprintf(file, "\" time=\"%.6f\">", conform__record_real(item, "ms") / 1e3);
	if (end != HELD) {
		fprintf(file, "\n   <%s ", tags[end]);
		if (end != SKIPPED) {
			fputs("type=\"", file);
			put_text(file, conform__record_get(item, "status"));
			fputs("\" ", file);
		}
		fputs("message=\"", file);
		put_text(file, conform__record_get(item, "rule"));
		fputs(": ", file);
		put_text(file, conform__record_get(told, "text"));
		fputs("\"/>", file);
	}
	if (conform__record_get(told, "output")[0] != '\0') {
		fputs("\n   <system-out>", file);
		put_text(file, conform__record_get(told, "output"));
		fputs("</system-out>", file);
	}
	if (failure != NULL) {
		fputs("\n   <system-err>again: ", file);
		put_text(file, conform__record_get(failure, "command"));
		fputs("</system-err>", file);
	}
	fputs("</testcase>\n", file);
}

static void put_group(const json_t *report, const char *group, FILE *file)
{
	uint32_t total = 0, ended[4] = {0};
	double ms = 0;
	const json_t *cases = json_object_get(report, "cases"), *item;
	size_t i;
	json_array_foreach(cases, i, item)
	{
		if (strcmp(conform__record_get(item, "group"), group) != 0) continue;
		total++;
		ended[outcome_of(conform__record_status(item))]++;
		ms += conform__record_real(item, "ms");
	}
	fputs(" <testsuite name=\"", file);
	put_text(file, group);
	fprintf(file, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.6f\">\n", total,
	        ended[FAILED], ended[BROKE], ended[SKIPPED], ms / 1e3);
	json_array_foreach(cases, i, item) if (strcmp(conform__record_get(item, "group"), group) == 0)
		put_case(report, item, file);
	fputs(" </testsuite>\n", file);
}

void conform__report_junit(const json_t *report, FILE *file)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"halyard conformance\">\n", file);
	const json_t *group;
	size_t i;
	json_array_foreach(json_object_get(report, "groups"), i, group)
		put_group(report, conform__record_get(group, "name"), file);
	fputs("</testsuites>\n", file);
}
