/* Where the time goes: the steps of every program, measured by the plugins (extension halyard.steps). */
#include "bench.h"
#include "model.h"
#include "print.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct row {
	const char *device;
	uint32_t node; /* of the graph, or HY_IR_NONE */
	double us; /* per run */
	hy_step step;
} row;

typedef struct rows {
	uint32_t count, capacity;
	row *items;
	double total_us;
	bool failed;
} rows;

static void add_step(rows *all, const char *device, uint32_t first_node, const hy_step *step)
{
	if (all->count == all->capacity) {
		const uint32_t capacity = 2 * all->capacity + 64;
		row *const more = realloc(all->items, capacity * sizeof(*more));
		all->failed = all->failed || more == NULL;
		if (more == NULL) return;
		all->items = more;
		all->capacity = capacity;
	}
	row *const r = &all->items[all->count++];
	*r = (row){.device = device, .node = HY_IR_NONE, .step = *step};
	if (step->node != HY_GRAPH_NONE) r->node = first_node + step->node;
	if (step->calls > 0) r->us = (double)step->total_ns * 1e-3 / (double)step->calls;
	all->total_us += r->us;
}

static void collect(hy_sched_session *session, rows *all)
{
	for (uint32_t p = 0; p < hy_sched_session_program_count(session); p++) {
		const char *device = NULL;
		uint32_t first_node = 0;
		hy_hal_program *const program = hy_sched_session_program(session, p, &device, &first_node);
		for (uint32_t i = 0; i < hy_hal_program_step_count(program); i++) {
			hy_step step = {.size = sizeof(step)};
			if (hy_hal_program_step(program, i, &step) == HY_OK) add_step(all, device, first_node, &step);
		}
	}
}

static int by_time(const void *a, const void *b)
{
	const double left = ((const row *)a)->us, right = ((const row *)b)->us;
	return (left < right) - (left > right);
}

static const char *kind_of(const hy_step *step)
{
	if ((step->flags & HY_STEP_REFERENCE) != 0) return "REFERENCE";
	return (step->flags & HY_STEP_REORDER) != 0 ? "reorder" : "";
}

/* The operator and name of a step's node. */
static void describe(const hy_ir_graph *graph, const row *r, char *title, size_t length, const char **out_name)
{
	const bool known = r->node < hy_ir_graph_node_count(graph);
	*out_name = known ? tool_model_node_name(graph, r->node) : "";
	if (known)
		tool_model_node_title(hy_ir_graph_node(graph, r->node), title, length);
	else
		snprintf(title, length, "%s", "-");
}

static tool_exit print_rows(const hy_ir_graph *graph, const rows *all)
{
	static const tool_column columns[] = {
		{"DEVICE", 0},         {"NODE", TOOL_RIGHT}, {"OPERATOR", 0},       {"NAME", 0},
		{"IMPLEMENTATION", 0}, {"TIME", TOOL_RIGHT}, {"SHARE", TOOL_RIGHT}, {"", 0}};
	tool_table *const table = tool_table_create(sizeof(columns) / sizeof(columns[0]), columns);
	for (uint32_t i = 0; i < all->count; i++) {
		const row *const r = &all->items[i];
		char title[128], node[16] = "-";
		const char *name = NULL;
		describe(graph, r, title, sizeof(title), &name);
		if (r->node != HY_IR_NONE) snprintf(node, sizeof(node), "%u", r->node);
		tool_table_line(table);
		tool_table_cell(table, "%s", r->device);
		tool_table_cell(table, "%s", node);
		tool_table_cell(table, "%.40s", title);
		tool_table_cell(table, "%.40s", name);
		tool_table_cell(table, "%s", r->step.implementation);
		tool_table_cell(table, "%.1f us", r->us);
		tool_table_cell(table, "%.1f %%", all->total_us > 0 ? 100 * r->us / all->total_us : 0);
		tool_table_cell(table, "%s", kind_of(&r->step));
		tool_table_paint(table, (r->step.flags & HY_STEP_REFERENCE) != 0 ? "red" : "yellow");
	}
	return tool_table_print(table);
}

static void add_json(const hy_ir_graph *graph, const rows *all, json_t *json_steps)
{
	for (uint32_t i = 0; i < all->count; i++) {
		const row *const r = &all->items[i];
		char title[512];
		const char *name = NULL;
		describe(graph, r, title, sizeof(title), &name);
		json_array_append_new(json_steps,
		                      json_pack("{ss so ss ss ss sf sf sI sb sb}", "device", r->device, "node",
		                                r->node != HY_IR_NONE ? json_integer(r->node) : json_null(), "op",
		                                title, "name", name, "implementation", r->step.implementation, "us",
		                                r->us, "share", all->total_us > 0 ? r->us / all->total_us : 0, "calls",
		                                (json_int_t)r->step.calls, "reference",
		                                (r->step.flags & HY_STEP_REFERENCE) != 0, "reorder",
		                                (r->step.flags & HY_STEP_REORDER) != 0));
	}
}

static void profile_all(hy_sched_session *session, bool on)
{
	for (uint32_t p = 0; p < hy_sched_session_program_count(session); p++)
		hy_hal_program_profile(hy_sched_session_program(session, p, NULL, NULL), on);
}

tool_exit tool_bench_profile(const tool_options *options, hy_sched_session *session, const hy_ir_graph *graph,
                             bool offline, double seconds, json_t *json_steps)
{
	tool_measure_result ignored;
	rows all = {0};
	profile_all(session, true);
	tool_exit code = tool_measure_session(options, session, graph, offline, seconds, &ignored);
	if (code == TOOL_EXIT_OK) collect(session, &all);
	profile_all(session, false);
	if (code == TOOL_EXIT_OK && all.failed) code = tool_report(TOOL_EXIT_NO, "out of memory");
	if (code == TOOL_EXIT_OK && all.count == 0)
		tool_note(options, "--per-op: none of these plugins tells its steps");
	if (all.count > 0) qsort(all.items, all.count, sizeof(*all.items), by_time);
	if (code == TOOL_EXIT_OK && json_steps != NULL)
		add_json(graph, &all, json_steps);
	else if (code == TOOL_EXIT_OK && all.count > 0)
		code = print_rows(graph, &all);
	free(all.items);
	return code;
}
