/* halyard calibrate: measures a model on every device anew, and shows or exports what is kept. */
#include "cmd.h"
#include "costs.h"
#include "machine.h"
#include "model.h"
#include "planning.h"
#include "power_fit.h"
#include "print.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BATCHES = 32, MOST_DEVICES = 64, LEAST_FIT = 4 };

/* ---- measuring ---- */

typedef struct calibration {
	uint32_t batch_count, device_count;
	double batches[MOST_BATCHES];
	char *devices[MOST_DEVICES];
	double ns[MOST_DEVICES][MOST_BATCHES]; /* 0: not measured */
} calibration;

static tool_exit read_batches(const tool_options *options, calibration *c)
{
	const char *text = options->batches;
	if (text == NULL) {
		c->batches[c->batch_count++] = (double)(options->batch > 0 ? options->batch : 1);
		return TOOL_EXIT_OK;
	}
	for (;;) {
		char *end;
		const unsigned long number = strtoul(text, &end, 10);
		if (end == text || number == 0 || number > 1u << 20 || c->batch_count == MOST_BATCHES ||
		    (*end != ',' && *end != '\0'))
			return tool_report(TOOL_EXIT_USAGE, "--batches %s: write at most %d sizes as in 1,2,4,8",
			                   options->batches, MOST_BATCHES);
		c->batches[c->batch_count++] = (double)number;
		if (*end == '\0') return TOOL_EXIT_OK;
		text = end + 1;
	}
}

static uint32_t device_at(calibration *c, const char *id)
{
	for (uint32_t d = 0; d < c->device_count; d++)
		if (strcmp(c->devices[d], id) == 0) return d;
	if (c->device_count == MOST_DEVICES || (c->devices[c->device_count] = strdup(id)) == NULL) return MOST_DEVICES;
	return c->device_count++;
}

static tool_exit measure(const tool_options *options, hy_hal_machine *machine, uint32_t at, calibration *c)
{
	tool_options own = *options;
	hy_ir_graph *graph = NULL;
	hy_sched_plan *plan = NULL;
	own.batch = (uint64_t)c->batches[at];
	own.strategy = "replicas";
	const tool_planning_wishes wishes = {.devices = options->device, .flags = HY_SCHED_MEASURE_AGAIN};
	tool_exit code = tool_planning_graph(&own, &graph);
	if (code == TOOL_EXIT_OK) code = tool_planning_plan(&own, machine, graph, &wishes, &plan);
	const hy_sched_plan_info *const info = code == TOOL_EXIT_OK ? hy_sched_plan_describe(plan) : NULL;
	for (uint32_t i = 0; info != NULL && i < info->device_count; i++) {
		const uint32_t d = device_at(c, info->devices[i].id);
		if (d < MOST_DEVICES) c->ns[d][at] = (double)info->devices[i].item_ns;
	}
	hy_sched_plan_destroy(plan);
	hy_ir_graph_destroy(graph);
	return code;
}

/* "2.1 us x N^0.93 + 14 us (2 % off)" where there are enough sizes. */
static void print_fit(tool_table *table, const calibration *c, uint32_t device)
{
	double sizes[MOST_BATCHES], times[MOST_BATCHES];
	char slope[32], constant[32];
	uint32_t count = 0;
	for (uint32_t i = 0; i < c->batch_count; i++) {
		if (!(c->ns[device][i] > 0)) continue;
		sizes[count] = c->batches[i];
		times[count++] = c->ns[device][i];
	}
	if (count < LEAST_FIT) {
		tool_table_cell(table, "-");
		return;
	}
	const tool_power_fit fit = tool_power_fit_of(count, sizes, times);
	tool_table_cell(table, "%s x N^%.2f + %s (%.0f %% off)", tool_print_ns((uint64_t)fit.a, slope, sizeof(slope)),
	                fit.b, tool_print_ns((uint64_t)fit.c, constant, sizeof(constant)), 100 * fit.error);
}

static tool_exit print_measured(const calibration *c)
{
	static const tool_column columns[] = {
		{"DEVICE", TOOL_LEFT}, {"BATCH", TOOL_RIGHT}, {"TIME", TOOL_RIGHT}, {"FIT", TOOL_LEFT}};
	char time[32];
	tool_table *const table = tool_table_create(4, columns);
	for (uint32_t d = 0; d < c->device_count; d++)
		for (uint32_t i = 0; i < c->batch_count; i++) {
			tool_table_line(table);
			tool_table_cell(table, "%s", c->devices[d]);
			tool_table_cell(table, "%.0f", c->batches[i]);
			tool_table_cell(table, "%s",
			                c->ns[d][i] > 0 ? tool_print_ns((uint64_t)c->ns[d][i], time, sizeof(time))
			                                : "-");
			if (i + 1 == c->batch_count)
				print_fit(table, c, d);
			else
				tool_table_cell(table, "%s", "");
		}
	return tool_table_print(table);
}

static tool_exit calibrate(const tool_options *options)
{
	static calibration c;
	hy_hal_machine *machine = NULL;
	tool_exit code = read_batches(options, &c);
	if (code == TOOL_EXIT_OK) code = tool_machine_open(options, false, &machine);
	for (uint32_t i = 0; i < c.batch_count && code == TOOL_EXIT_OK; i++)
		code = measure(options, machine, i, &c);
	if (code == TOOL_EXIT_OK) code = print_measured(&c);
	for (uint32_t d = 0; d < c.device_count; d++)
		free(c.devices[d]);
	hy_hal_machine_close(machine);
	return code;
}

/* ---- what is kept ---- */

static const char *text_of(const json_t *line, const char *key)
{
	const char *const text = json_string_value(json_object_get(line, key));
	return text != NULL ? text : "";
}

static tool_exit show(const tool_options *options)
{
	static const tool_column columns[] = {{"HOST", TOOL_LEFT},   {"PLUGIN", TOOL_LEFT}, {"DEVICE", TOOL_LEFT},
	                                      {"DRIVER", TOOL_LEFT}, {"WHAT", TOOL_LEFT},   {"TIME", TOOL_RIGHT},
	                                      {"SPREAD", TOOL_RIGHT}};
	json_t *lines = NULL, *line;
	size_t index;
	const tool_exit code = tool_costs_read(options, &lines);
	if (code != TOOL_EXIT_OK) return code;
	tool_table *const table = tool_table_create(7, columns);
	json_array_foreach(lines, index, line)
	{
		char time[32], spread[32];
		tool_table_line(table);
		tool_table_cell(table, "%s", text_of(line, "host"));
		tool_table_cell(table, "%s", text_of(line, "plugin"));
		tool_table_cell(table, "%s%s", text_of(line, "device"), text_of(line, "options"));
		tool_table_cell(table, "%s", text_of(line, "driver"));
		if (json_object_get(line, "model") != NULL) {
			const json_int_t median = json_integer_value(json_object_get(line, "median_ns"));
			const json_int_t mad = json_integer_value(json_object_get(line, "mad_ns"));
			tool_table_cell(table, "program %s", text_of(line, "model"));
			tool_table_cell(table, "%s", tool_print_ns((uint64_t)median, time, sizeof(time)));
			tool_table_cell(table, "%s", tool_print_ns((uint64_t)mad, spread, sizeof(spread)));
		} else if (json_object_get(line, "link") != NULL) {
			const double slope = json_number_value(json_object_get(line, "ns_per_byte"));
			const json_int_t latency = json_integer_value(json_object_get(line, "latency_ns"));
			tool_table_cell(table, "copies %s it", text_of(line, "link"));
			tool_table_cell(table, "%s", tool_print_ns((uint64_t)latency, time, sizeof(time)));
			tool_table_cell(table, slope > 0 ? "%.2f GB/s" : "free", slope > 0 ? 1 / slope : 0);
		} else {
			tool_table_cell(table, "%s", text_of(line, "instance"));
			tool_table_cell(table, "x %.3f", json_number_value(json_object_get(line, "factor")));
			tool_table_cell(table, "%s", "");
		}
	}
	json_decref(lines);
	return tool_table_print(table);
}

/* Whether the line is about a device of the selection. */
static bool is_selected(const json_t *line, const hy_hal_machine *machine, const hy_hal_selection *chosen)
{
	for (uint32_t i = 0; i < chosen->count; i++) {
		const hy_hal_device_info *const device = hy_hal_machine_device(machine, chosen->items[i].device);
		if (strcmp(text_of(line, "plugin"), device->plugin) == 0 &&
		    strcmp(text_of(line, "device"), device->info.name) == 0)
			return true;
	}
	return false;
}

/* The file's lines for the devices of --device, or all: what a cluster's `calibration:` names. */
static tool_exit export_lines(const tool_options *options)
{
	hy_hal_machine *machine = NULL;
	hy_hal_selection chosen = {0};
	json_t *lines = NULL, *line;
	size_t index;
	tool_exit code = tool_costs_read(options, &lines);
	if (code == TOOL_EXIT_OK && options->device != NULL) code = tool_machine_open(options, false, &machine);
	if (code == TOOL_EXIT_OK && options->device != NULL)
		code = tool_machine_select(machine, options->device, &chosen);
	if (code == TOOL_EXIT_OK) {
		puts("{\"schema\": \"halyard.costs/v1\"}");
		json_array_foreach(lines, index, line)
		{
			if (options->device != NULL && !is_selected(line, machine, &chosen)) continue;
			json_dumpf(line, stdout, 0);
			putchar('\n');
		}
	}
	hy_hal_selection_finish(&chosen);
	hy_hal_machine_close(machine);
	json_decref(lines);
	return code;
}

tool_exit tool_cmd_calibrate(const tool_options *options)
{
	if (strcmp(options->operands[0], "show") == 0) return show(options);
	if (strcmp(options->operands[0], "export") == 0) return export_lines(options);
	if (options->no_cost_file)
		return tool_report(TOOL_EXIT_USAGE, "calibrate keeps costs in a file: leave out --no-cost-file");
	return calibrate(options);
}
