/* halyard bench: latency or throughput, on all chosen devices together and, to compare, on each alone. */
#include "bench.h"
#include "cmd.h"
#include "machine.h"
#include "planning.h"
#include "print.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOLO_MAX = 16 };

typedef struct bench {
	const tool_options *options;
	uint64_t read_ns; /* reading and preparing the model */
	uint32_t solo_count;
	tool_bench_result solo[SOLO_MAX], together;
	json_t *steps; /* NULL: as a table */
} bench;

/* Peak resident memory of this process; 0 when /proc does not tell. */
static double peak_mib(void)
{
	char line[256];
	long kib = 0;
	FILE *const file = fopen("/proc/self/status", "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0) kib = strtol(line + 6, NULL, 10);
	if (file != NULL) fclose(file);
	return (double)kib / 1024;
}

/* A selected device as a selector of its own: "cpu:0?cores=0-3". */
static void selector_of(const hy_hal_machine *machine, const hy_hal_selected *item, char *text, size_t length)
{
	size_t used = (size_t)snprintf(text, length, "%s", hy_hal_machine_device(machine, item->device)->id);
	for (uint32_t i = 0; i < item->option_count; i++) {
		if (used < length)
			used += (size_t)snprintf(text + used, length - used, "%c%s=", i == 0 ? '?' : '&',
			                         item->options[i].key);
		for (const char *at = item->options[i].value; *at != '\0' && used + 4 < length; at++)
			used += (size_t)snprintf(text + used, length - used,
			                         strchr(",&%?", *at) != NULL ? "%%%02x" : "%c", (unsigned char)*at);
	}
}

static tool_exit measure_solo(bench *b, hy_hal_machine *machine, const hy_ir_graph *graph)
{
	hy_hal_selection chosen = {0};
	tool_options alone = *b->options;
	alone.strategy = "single";
	alone.cut_at = NULL;
	alone.per_op = false;
	alone.trace = alone.status = NULL;
	tool_exit code = tool_machine_select(machine, b->options->device, &chosen);
	for (uint32_t i = 0; i < chosen.count && i < SOLO_MAX && code == TOOL_EXIT_OK; i++) {
		char selector[256];
		selector_of(machine, &chosen.items[i], selector, sizeof(selector));
		code = tool_bench_measure(&alone, machine, graph, selector, NULL, &b->solo[b->solo_count]);
		b->solo_count += code == TOOL_EXIT_OK;
	}
	hy_hal_selection_finish(&chosen);
	return code;
}

static double sum_of_solo(const bench *b)
{
	double sum = 0;
	for (uint32_t i = 0; i < b->solo_count; i++)
		sum += b->solo[i].measured.throughput_per_s;
	return sum;
}

/* ---- the answer ---- */

static void add_lines(tool_table *table, const tool_bench_result *result)
{
	tool_table_line(table);
	tool_table_cell(table, "%s", result->part_count == 1 ? result->parts[0].id : "together");
	tool_table_cell(table, "%.2f /s", result->measured.throughput_per_s);
	tool_table_cell(table, "%.3f ms", result->measured.median_ms);
	tool_table_cell(table, "%.3f ms", result->measured.min_ms);
	tool_table_cell(table, "%.3f ms", result->measured.p99_ms);
	tool_table_cell(table, "%.0f ms", (double)result->load_ns * 1e-6);
	tool_table_cell(table, "%u", result->launches);
	if (result->part_count == 1) tool_table_cell(table, "%s", "");
	if (result->part_count == 1) tool_table_cell(table, "%.1f %%", 100 * result->parts[0].busy);
	for (uint32_t i = 0; result->part_count > 1 && i < result->part_count; i++) {
		tool_table_line(table);
		tool_table_cell(table, "  %s", result->parts[i].id);
		for (int column = 1; column < 7; column++)
			tool_table_cell(table, "%s", "");
		tool_table_cell(table, "%.1f %%", 100 * result->parts[i].share);
		tool_table_cell(table, "%.1f %%", 100 * result->parts[i].busy);
	}
}

static tool_exit print_table(const bench *b)
{
	static const tool_column columns[] = {
		{"DEVICES", 0},           {"RATE", TOOL_RIGHT},  {"MEDIAN", TOOL_RIGHT},
		{"BEST", TOOL_RIGHT},     {"P99", TOOL_RIGHT},   {"LOAD", TOOL_RIGHT},
		{"LAUNCHES", TOOL_RIGHT}, {"SHARE", TOOL_RIGHT}, {"BUSY", TOOL_RIGHT},
	};
	tool_table *const table = tool_table_create(sizeof(columns) / sizeof(columns[0]), columns);
	for (uint32_t i = 0; i < b->solo_count; i++)
		add_lines(table, &b->solo[i]);
	add_lines(table, &b->together);
	const tool_exit code = tool_table_print(table);
	if (b->solo_count > 0)
		printf("together %.2f /s of %.2f /s, the sum of each alone: %.1f %%\n",
		       b->together.measured.throughput_per_s, sum_of_solo(b),
		       100 * b->together.measured.throughput_per_s / sum_of_solo(b));
	if (b->together.reference_launches > 0)
		printf("%u launches use a slow reference implementation: see --per-op\n",
		       b->together.reference_launches);
	return code;
}

static json_t *result_json(const tool_bench_result *result)
{
	json_t *const devices = json_array();
	for (uint32_t i = 0; i < result->part_count; i++)
		json_array_append_new(devices, json_pack("{ss sf sf sI sf sI si}", "id", result->parts[i].id, "share",
		                                         result->parts[i].share, "busy", result->parts[i].busy,
		                                         "requests", (json_int_t)result->parts[i].requests, "peak_mib",
		                                         (double)result->parts[i].peak_bytes / (1 << 20), "dispatch_ns",
		                                         (json_int_t)result->parts[i].dispatch_ns, "launches",
		                                         result->parts[i].launches));
	return json_pack("{sf sf sf sf sf sI sf sf si si so}", "median_ms", result->measured.median_ms, "min_ms",
	                 result->measured.min_ms, "p90_ms", result->measured.p90_ms, "p99_ms", result->measured.p99_ms,
	                 "throughput_per_s", result->measured.throughput_per_s, "requests",
	                 (json_int_t)result->measured.requests, "seconds", result->measured.seconds, "predicted_ms",
	                 (double)result->predicted_ns * 1e-6, "launches", result->launches, "reference_launches",
	                 result->reference_launches, "devices", devices);
}

static tool_exit print_json(bench *b)
{
	json_t *const answer = result_json(&b->together);
	if (answer == NULL) return tool_json_print(NULL);
	json_object_set_new(answer, "schema", json_string("halyard.bench/v1"));
	json_object_set_new(answer, "model", json_string(b->options->operands[0]));
	json_object_set_new(answer, "scenario", json_string(b->options->scenario));
	json_object_set_new(answer, "load_ms", json_real((double)(b->read_ns + b->together.load_ns) * 1e-6));
	json_object_set_new(answer, "peak_mib", json_real(peak_mib()));
	if (b->steps != NULL) json_object_set(answer, "steps", b->steps);
	if (b->solo_count > 0) {
		json_t *const solo = json_array();
		for (uint32_t i = 0; i < b->solo_count; i++)
			json_array_append_new(solo, result_json(&b->solo[i]));
		json_object_set_new(answer, "solo", solo);
		json_object_set_new(answer, "together_over_sum",
		                    json_real(b->together.measured.throughput_per_s / sum_of_solo(b)));
	}
	return tool_json_print(answer);
}

static void warn_of_noise(const bench *b, const hy_hal_machine *machine)
{
	double load = 0;
	const uint32_t cores = hy_hal_machine_topology(machine)->allowed_count;
	if (getloadavg(&load, 1) == 1 && load > 0.3 * cores)
		tool_note(b->options, "load average %.1f on %u cores: others are at work, times will be noisy", load,
		          cores);
}

tool_exit tool_cmd_bench(const tool_options *options)
{
	bench b = {.options = options};
	hy_hal_machine *machine = NULL;
	hy_ir_graph *graph = NULL;
	if (options->seconds <= 0) return tool_report(TOOL_EXIT_USAGE, "--seconds: must be above 0");
	if (options->per_op && tool_options_is(options->format, "json")) b.steps = json_array();
	const uint64_t start = hy_hal_now_ns();
	tool_exit code = tool_planning_graph(options, &graph);
	b.read_ns = hy_hal_now_ns() - start;
	if (code == TOOL_EXIT_OK) code = tool_machine_open(options, false, &machine);
	if (code == TOOL_EXIT_OK) warn_of_noise(&b, machine);
	if (code == TOOL_EXIT_OK && tool_options_is(options->compare, "solo")) code = measure_solo(&b, machine, graph);
	if (code == TOOL_EXIT_OK)
		code = tool_bench_measure(options, machine, graph, options->device, b.steps, &b.together);
	if (code == TOOL_EXIT_OK) code = tool_options_is(options->format, "json") ? print_json(&b) : print_table(&b);
	json_decref(b.steps);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
	return code;
}
