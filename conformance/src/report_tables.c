/* The page's tables: groups, operators, the slowest cases, every case. */
#include "html.h"
#include "record.h"
#include "report_html.h"

#include <string.h>

static const char *status_name(int status)
{
	return hy_conform_status_name((hy_conform_status)status);
}

/* ---- groups by status ---- */

void conform__html_groups(const json_t *report, FILE *file)
{
	const json_t *all = json_object_get(report, "counts"), *groups = json_object_get(report, "groups"), *group;
	size_t i;
	fputs("<section id=\"groups\"><h2>Groups</h2><div class=\"wide\"><table "
	      "class=\"numbers\"><tr><th>group<th>cases",
	      file);
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++)
		if (conform__record_integer(all, status_name(status)) > 0)
			conform__html_put(file, "<th>$", status_name(status));
	fputs("<th class=\"share\"></tr>\n", file);
	json_array_foreach(groups, i, group)
	{
		const json_t *counts = json_object_get(group, "counts");
		conform__html_put(file, "<tr><td>$<td>$", conform__record_get(group, "name"),
		                  conform__html_count(conform__record_integer(group, "total")).text);
		for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++) {
			const int64_t n = conform__record_integer(counts, status_name(status));
			if (conform__record_integer(all, status_name(status)) == 0) continue;
			conform__html_put(file, n > 0 ? "<td class=\"is $\">$" : "<td class=\"zero\">",
			                  conform__html_class((hy_conform_status)status), conform__html_count(n).text);
		}
		fputs("<td class=\"share\"><div class=\"strip\">", file);
		for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++) {
			const int64_t n = conform__record_integer(counts, status_name(status));
			if (n <= 0) continue;
			fprintf(file, "<span class=\"%s\" style=\"flex-grow:%lld\"></span>",
			        conform__html_class((hy_conform_status)status), (long long)n);
		}
		fputs("</div></tr>\n", file);
	}
	fputs("</table></div></section>\n", file);
}

/* ---- operators by element type ---- */

enum { DTYPES = 16, COLUMNS = 2, LEAST_ROWS = 10 };

typedef struct dtype_set {
	uint32_t count;
	const char *names[DTYPES];
} dtype_set;

static dtype_set dtypes_of(const json_t *operators)
{
	dtype_set set = {.count = 0};
	const json_t *row, *dtype;
	size_t i, d;
	json_array_foreach(operators, i, row) json_array_foreach(json_object_get(row, "dtypes"), d, dtype)
	{
		const char *name = conform__record_get(dtype, "name");
		uint32_t at = 0;
		while (at < set.count && strcmp(set.names[at], name) != 0)
			at++;
		if (at == set.count && set.count < DTYPES) set.names[set.count++] = name;
	}
	return set;
}

/* Passed of those that the plugin claims; red as soon as one does not hold. */
static void put_cell(const json_t *dtype, FILE *file)
{
	const json_t *counts = json_object_get(dtype, "counts");
	int64_t claimed = 0, passed = 0, bad = 0;
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++) {
		const int64_t n = conform__record_integer(counts, status_name(status));
		if (status == HY_CONFORM_NOT_SUPPORTED || status == HY_CONFORM_NOT_RUN) continue;
		claimed += n;
		if (status == HY_CONFORM_PASS) passed += n;
		if (strcmp(conform__html_class((hy_conform_status)status), "fail") == 0) bad += n;
	}
	if (dtype == NULL)
		fputs("<td>", file);
	else if (claimed == 0)
		fputs("<td class=\"is none\">no", file);
	else
		fprintf(file, passed == claimed ? "<td class=\"is %s\">%lld" : "<td class=\"is %s\">%lld/%lld",
		        passed == claimed ? "pass"
		        : bad > 0         ? "fail"
		                          : "warn",
		        (long long)passed, (long long)claimed);
}

static void put_row(const json_t *row, const dtype_set *set, FILE *file)
{
	conform__html_put(file, "<tr><td>$", conform__record_get(row, "name"));
	for (uint32_t at = 0; at < set->count; at++) {
		const json_t *dtype, *found = NULL;
		size_t d;
		json_array_foreach(json_object_get(row, "dtypes"), d,
		                   dtype) if (strcmp(conform__record_get(dtype, "name"), set->names[at]) == 0)
			found = dtype;
		put_cell(found, file);
	}
	fputs("</tr>\n", file);
}

void conform__html_operators(const json_t *report, FILE *file)
{
	const json_t *operators = json_object_get(report, "operators");
	const size_t count = json_array_size(operators);
	const dtype_set set = dtypes_of(operators);
	size_t rows = (count + COLUMNS - 1) / COLUMNS;
	if (count == 0) return;
	if (rows < LEAST_ROWS) rows = LEAST_ROWS;
	fputs("<section id=\"operators\"><h2>Operators</h2><p class=\"note\">cases that hold, by the type of the first "
	      "input; "
	      "no: not claimed by the plugin</p><div class=\"matrix\">\n",
	      file);
	for (size_t begin = 0; begin < count; begin += rows) {
		fputs("<div class=\"wide\"><table class=\"numbers\"><tr><th>", file);
		for (uint32_t at = 0; at < set.count; at++)
			conform__html_put(file, "<th>$", set.names[at]);
		fputs("</tr>\n", file);
		for (size_t i = begin; i < count && i < begin + rows; i++)
			put_row(json_array_get(operators, i), &set, file);
		fputs("</table></div>\n", file);
	}
	fputs("</div></section>\n", file);
}

/* ---- cases ---- */

void conform__html_slowest(const json_t *report, FILE *file)
{
	const json_t *slowest = json_object_get(report, "slowest"), *flaky = json_object_get(report, "flaky"), *item;
	const double most = conform__record_real(json_array_get(slowest, 0), "ms");
	size_t i;
	fputs("<section id=\"slowest\"><h2>Slowest cases</h2><ol class=\"slow\">\n", file);
	json_array_foreach(slowest, i, item)
	{
		const double ms = conform__record_real(item, "ms");
		conform__html_put(file, "<li><code>$</code><span>$</span>", conform__record_get(item, "case"),
		                  conform__html_time(1e6 * ms).text);
		fprintf(file, "<div class=\"rail\"><div style=\"width:%.1f%%\"></div></div></li>\n",
		        most > 0 ? 100 * ms / most : 0.0);
	}
	fputs("</ol>\n", file);
	if (json_array_size(flaky) > 0) fputs("<h3>Flaky: one answer in company, another alone</h3><ul>\n", file);
	json_array_foreach(flaky, i, item) conform__html_put(
		file, "<li><code>$</code></li>\n", json_string_value(item) == NULL ? "" : json_string_value(item));
	fputs(json_array_size(flaky) > 0 ? "</ul></section>\n" : "</section>\n", file);
}

void conform__html_cases(const json_t *report, FILE *file)
{
	const json_t *groups = json_object_get(report, "groups"), *cases = json_object_get(report, "cases"), *group,
		     *item;
	size_t g, i;
	fputs("<section id=\"cases\"><h2>Every case</h2><p class=\"note\">with the "
	      "mutants of the reference plugin that it notices: what notices none has not proved that it can "
	      "fail</p>\n",
	      file);
	json_array_foreach(groups, g, group)
	{
		const char *name = conform__record_get(group, "name");
		conform__html_put(file, "<details><summary>$ <small>$</small></summary><ul class=\"all\">\n", name,
		                  conform__html_count(conform__record_integer(group, "total")).text);
		json_array_foreach(cases, i, item)
		{
			if (strcmp(conform__record_get(item, "group"), name) != 0) continue;
			const hy_conform_status status = conform__record_status(item);
			const char *proof = conform__record_get(item, "proven_by");
			conform__html_put(file, "<li class=\"$\"><code>$</code> <small>$ &middot; $$</small></li>\n",
			                  conform__html_class(status), conform__record_get(item, "case"),
			                  status == HY_CONFORM_PASS ? conform__record_get(item, "rule")
			                                            : conform__record_get(item, "status"),
			                  proof[0] == '\0' ? "unproven" : "mutants ", proof);
		}
		fputs("</ul></details>\n", file);
	}
	fputs("</section>\n", file);
}
