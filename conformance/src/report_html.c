/* The report as one page that needs nothing but itself: verdict first, then what fails, then everything else. */
#include "report.h"

#include "html.h"
#include "record.h"
#include "report_html.h"

#include <string.h>

/* report.css */
extern const char conform__report_style[];

/* ---- the top ---- */

/* Status classes of the page: what a colour means. */
const char *conform__html_class(hy_conform_status status)
{
	switch (status) {
	case HY_CONFORM_PASS:
		return "pass";
	case HY_CONFORM_NOT_SUPPORTED:
	case HY_CONFORM_NOT_RUN:
	case HY_CONFORM_STATUS_COUNT:
		return "none";
	case HY_CONFORM_WAIVED:
	case HY_CONFORM_XPASS:
	case HY_CONFORM_FLAKY:
	case HY_CONFORM_RESOURCE:
		return "warn";
	default:
		return "fail";
	}
}

static void put_head(const json_t *report, FILE *file)
{
	const json_t *verdict = json_object_get(report, "verdict"), *plugin = json_object_get(report, "plugin");
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n",
	      file);
	fputs(conform__report_style, file);
	conform__html_put(file, "</style>\n<title>$ - $</title></head>\n<body>\n", conform__record_get(plugin, "name"),
	                  conform__record_get(verdict, "text"));
}

static void put_counts(const json_t *report, FILE *file)
{
	const json_t *counts = json_object_get(report, "counts");
	fputs("<div class=\"strip\" aria-hidden=\"true\">", file);
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++) {
		const int64_t n = conform__record_integer(counts, hy_conform_status_name((hy_conform_status)status));
		if (n <= 0) continue;
		fprintf(file, "<span class=\"%s\" style=\"flex-grow:%lld\"></span>",
		        conform__html_class((hy_conform_status)status), (long long)n);
	}
	fputs("</div>\n<p class=\"counts\">", file);
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++) {
		const char *name = hy_conform_status_name((hy_conform_status)status);
		const int64_t n = conform__record_integer(counts, name);
		if (n <= 0) continue;
		conform__html_put(file, "<span class=\"key $\"><b>$</b> $</span> ",
		                  conform__html_class((hy_conform_status)status), conform__html_count(n).text, name);
	}
	fputs("</p>\n", file);
}

static void put_verdict(const json_t *report, FILE *file)
{
	static const char *const moods[] = {"pass", "fail", "none", "fail", "fail", "none"};
	const json_t *verdict = json_object_get(report, "verdict"), *suite = json_object_get(report, "suite");
	const json_t *plugin = json_object_get(report, "plugin"), *device = json_object_get(report, "device");
	const int64_t code = conform__record_integer(verdict, "exit");
	const char *text = conform__record_get(verdict, "text"), *colon = strchr(text, ':');
	char title[256];
	snprintf(title, sizeof(title), "%.*s", colon == NULL ? (int)strlen(text) : (int)(colon - text), text);
	conform__html_put(file, "<header class=\"$\"><p class=\"over\">Halyard conformance &middot; suite $</p>\n",
	                  code >= 0 && code < 6 ? moods[code] : "none", conform__record_get(suite, "version"));
	conform__html_put(file, "<h1>$</h1><p class=\"because\">$</p>\n", title,
	                  colon == NULL ? "" : colon + 1 + strspn(colon + 1, " "));
	conform__html_put(file, "<p class=\"whom\"><b>$ $</b> on $</p>\n",
	                  conform__record_get(plugin, "name")[0] == '\0' ? conform__record_get(plugin, "path")
	                                                                 : conform__record_get(plugin, "name"),
	                  conform__record_get(plugin, "version"),
	                  json_is_object(device) ? conform__record_get(device, "name")
	                                         : "no device that could be opened");
	put_counts(report, file);
	fputs("</header>\n<main>\n", file);
}

static void put_waivers(const json_t *report, FILE *file)
{
	const json_t *waivers = json_object_get(report, "waivers"), *item;
	size_t i;
	if (json_array_size(waivers) == 0) return;
	fputs("<section id=\"waivers\"><h2>Waivers</h2><div class=\"wide\"><table><tr><th>Cases<th>Reason<th>Approved "
	      "by<th>Expires</tr>\n",
	      file);
	json_array_foreach(waivers, i, item)
	{
		conform__html_put(file, "<tr><td><code>$</code><td>$", conform__record_get(item, "case"),
		                  conform__record_get(item, "reason"));
		if (conform__record_get(item, "conditions")[0] != '\0')
			conform__html_put(file, " <small>($$)</small>", conform__record_get(item, "conditions"),
			                  json_is_true(json_object_get(item, "applies")) ? ""
			                                                                 : ": does not apply here");
		conform__html_put(file, "<td>$<td>$</tr>\n", conform__record_get(item, "approver"),
		                  conform__record_get(item, "expires"));
	}
	fputs("</table></div>\n", file);
	const char *before = "<p>Pass although they are waived: ";
	json_array_foreach(json_object_get(report, "cases"), i, item)
	{
		if (conform__record_status(item) != HY_CONFORM_XPASS) continue;
		fputs(before, file);
		conform__html_put(file, "<code>$</code>", conform__record_get(item, "case"));
		before = ", ";
	}
	fputs(before[0] == '<' ? "</section>\n" : "</p></section>\n", file);
}

/* ---- facts ---- */

static void put_fact(FILE *file, const char *name, const char *value)
{
	if (value[0] != '\0') conform__html_put(file, "<dt>$</dt><dd>$</dd>\n", name, value);
}

static void put_selection(const json_t *run, FILE *file)
{
	const json_t *selection = json_object_get(run, "selection");
	char *text = json_is_object(selection) ? json_dumps(selection, 0) : NULL;
	if (text != NULL) put_fact(file, "Selection", text);
	free(text);
}

static void put_facts(const json_t *report, FILE *file)
{
	const json_t *run = json_object_get(report, "run"), *suite = json_object_get(report, "suite");
	const json_t *plugin = json_object_get(report, "plugin"), *device = json_object_get(report, "device");
	const json_t *machine = json_object_get(report, "machine");
	char text[256];
	fputs("<section id=\"facts\"><h2>What was judged, and where</h2><dl>\n", file);
	put_fact(file, "Plugin", conform__record_get(plugin, "path"));
	put_fact(file, "SHA-256", conform__record_get(plugin, "sha256"));
	put_fact(file, "Device", conform__record_get(device, "name"));
	put_fact(file, "Device id", conform__record_get(device, "id"));
	put_fact(file, "Architecture", conform__record_get(device, "arch"));
	put_fact(file, "Driver", conform__record_get(device, "driver"));
	put_fact(file, "PCI address", conform__record_get(device, "pci"));
	put_fact(file, "Device options", conform__record_get(device, "options"));
	if (conform__record_integer(device, "memory_bytes") > 0)
		put_fact(file, "Device memory",
		         conform__html_bytes((double)conform__record_integer(device, "memory_bytes")).text);
	snprintf(text, sizeof(text), "%.32s, list %.32s", conform__record_get(suite, "version"),
	         conform__record_get(suite, "list"));
	put_fact(file, "Suite", text);
	snprintf(text, sizeof(text), "%.32s of the suite, %.32s of the plugin", conform__record_get(suite, "abi"),
	         conform__record_get(plugin, "abi"));
	put_fact(file, "ABI", text);
	snprintf(text, sizeof(text), "%lld of %lld at L%lld", (long long)conform__record_integer(suite, "selected"),
	         (long long)conform__record_integer(suite, "total"), (long long)conform__record_integer(run, "level"));
	put_fact(file, "Cases", text);
	put_selection(run, file);
	snprintf(text, sizeof(text), "%.32s, %.1f s", conform__record_get(run, "started"),
	         conform__record_real(run, "seconds"));
	put_fact(file, "Started", text);
	put_fact(file, "Seed",
	         strcmp(conform__record_get(run, "seed"), "0") == 0 ? "0 (the suite's own)"
	                                                            : conform__record_get(run, "seed"));
	put_fact(file, "Isolation", conform__record_get(run, "isolation"));
	if (conform__record_real(run, "timeout_scale") != 1)
		put_fact(file, "Time limits times", conform__html_number(run, "timeout_scale").text);
	put_fact(file, "Run", conform__record_get(run, "id"));
	put_fact(file, "System", conform__record_get(machine, "os"));
	put_fact(file, "Kernel", conform__record_get(machine, "kernel"));
	snprintf(text, sizeof(text), "%.128s, %lld cores", conform__record_get(machine, "cpu"),
	         (long long)conform__record_integer(machine, "cores"));
	put_fact(file, "Processor", text);
	put_fact(file, "Memory", conform__html_bytes((double)conform__record_integer(machine, "memory_bytes")).text);
	const char *name;
	json_t *value;
	json_object_foreach(json_object_get(machine, "environment"), name, value)
		put_fact(file, name, json_string_value(value) == NULL ? "" : json_string_value(value));
	fputs("</dl></section>\n", file);
}

/* ---- the page ---- */

static void put_contents(const json_t *report, FILE *file)
{
	const size_t failures = json_array_size(json_object_get(report, "failures"));
	fputs("<nav><a href=\"#groups\">Groups</a> ", file);
	if (failures > 0)
		conform__html_put(file, "<a href=\"#failures\">What does not hold ($)</a> ",
		                  conform__html_count((int64_t)failures).text);
	if (json_array_size(json_object_get(report, "operators")) > 0)
		fputs("<a href=\"#operators\">Operators</a> ", file);
	if (json_is_object(json_object_get(report, "perf"))) fputs("<a href=\"#perf\">Performance</a> ", file);
	fputs("<a href=\"#slowest\">Slowest</a> <a href=\"#facts\">Facts</a> <a href=\"#cases\">Every case</a></nav>\n",
	      file);
}

void conform__report_html(const json_t *report, FILE *file)
{
	put_head(report, file);
	put_verdict(report, file);
	put_contents(report, file);
	put_waivers(report, file);
	conform__html_groups(report, file);
	conform__html_failures(report, file);
	conform__html_operators(report, file);
	conform__html_performance(report, file);
	conform__html_slowest(report, file);
	put_facts(report, file);
	conform__html_cases(report, file);
	fputs("</main></body></html>\n", file);
}
