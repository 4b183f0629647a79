/* The page's charts of a performance run: the report's optional object "perf". */
#include "html.h"
#include "record.h"
#include "report_html.h"

#include <string.h>

enum { BARS = 32 };

/* Bars of one unit: arithmetic and bytes have no common scale. */
static void put_rates(const json_t *list, const char *title, const char *unit, FILE *file)
{
	conform_bar bars[BARS];
	uint32_t count = 0;
	const json_t *item;
	size_t i;
	json_array_foreach(list, i, item)
	{
		if (count == BARS || strcmp(conform__record_get(item, "unit"), unit) != 0) continue;
		const double value = conform__record_real(item, "per_s");
		bars[count++] = (conform_bar){.label = conform__record_get(item, "name"),
		                              .value = value,
		                              .text = conform__html_scaled(value, unit)};
	}
	if (count > 0) conform__chart_bars(file, title, count, bars);
}

static void put_compile(const json_t *list, FILE *file)
{
	conform_bar bars[BARS];
	uint32_t count = 0;
	const json_t *item;
	size_t i;
	json_array_foreach(list, i, item)
	{
		if (count == BARS) break;
		const double value = conform__record_real(item, "ns");
		bars[count++] = (conform_bar){
			.label = conform__record_get(item, "name"), .value = value, .text = conform__html_time(value)};
	}
	if (count > 0) conform__chart_bars(file, "Compile times", count, bars);
}

static void put_bandwidth(const json_t *list, FILE *file)
{
	static conform_line lines[CONFORM_LINES];
	uint32_t count = 0;
	const json_t *item, *point;
	size_t i, p;
	json_array_foreach(list, i, item)
	{
		if (count == CONFORM_LINES) break;
		conform_line *line = &lines[count++];
		line->label = conform__record_get(item, "direction");
		line->count = 0;
		json_array_foreach(json_object_get(item, "points"), p, point)
		{
			const double x = conform__record_real(point, "bytes"),
				     y = conform__record_real(point, "bytes_per_s");
			if (line->count == CONFORM_POINTS || !(x > 0) || !(y > 0)) continue;
			line->x[line->count] = x;
			line->y[line->count++] = y;
		}
	}
	if (count > 0) conform__chart_lines(file, "Bandwidth by size", count, lines);
}

static void put_latency(const json_t *list, FILE *file)
{
	const json_t *item;
	size_t i;
	if (json_array_size(list) == 0) return;
	fputs("<figure><figcaption>Latency</figcaption><table class=\"numbers\"><tr><th><th>p50<th>p99</tr>\n", file);
	json_array_foreach(list, i, item)
	{
		conform__html_put(file, "<tr><td>$<td>$<td>$</tr>\n", conform__record_get(item, "name"),
		                  conform__html_time(conform__record_real(item, "p50_ns")).text,
		                  conform__html_time(conform__record_real(item, "p99_ns")).text);
	}
	fputs("</table></figure>\n", file);
}

void conform__html_performance(const json_t *report, FILE *file)
{
	const json_t *perf = json_object_get(report, "perf");
	if (!json_is_object(perf)) return;
	fputs("<section id=\"perf\"><h2>Performance</h2><div class=\"figures\">\n", file);
	put_latency(json_object_get(perf, "latency"), file);
	put_bandwidth(json_object_get(perf, "bandwidth"), file);
	put_rates(json_object_get(perf, "rates"), "Arithmetic", "flop/s", file);
	put_rates(json_object_get(perf, "rates"), "Memory traffic", "B/s", file);
	put_compile(json_object_get(perf, "compile"), file);
	fputs("</div></section>\n", file);
}
