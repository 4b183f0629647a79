/* halyard explain: why one node runs where it does. */
#include "cmd.h"
#include "machine.h"
#include "model.h"
#include "planning.h"
#include "print.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static tool_exit print_json(const hy_sched_plan *plan, const hy_ir_graph *graph, uint32_t node, const char *text)
{
	static const char *const reasons[] = {
#define X(name, value, words) #name,
		HY_REASON_LIST(X)
#undef X
	};
	const hy_sched_plan_info *const info = hy_sched_plan_describe(plan);
	char title[256];
	json_t *const notes = json_array();
	for (uint32_t i = 0; i < info->note_count; i++) {
		const hy_sched_plan_note *const note = &info->notes[i];
		const bool known = note->reason < sizeof(reasons) / sizeof(reasons[0]);
		if (note->node == node)
			json_array_append_new(notes,
			                      json_pack("{ss? ss ss}", "device", note->device, "reason",
			                                known ? reasons[note->reason] : "?", "text", note->text));
	}
	return tool_json_print(json_pack("{ss si ss ss ss so}", "schema", "halyard.explain/v1", "node", node, "op",
	                                 tool_model_node_title(hy_ir_graph_node(graph, node), title, sizeof(title)),
	                                 "name", tool_model_node_name(graph, node), "text", text, "notes", notes));
}

tool_exit tool_cmd_explain(const tool_options *options)
{
	hy_hal_machine *machine = NULL;
	hy_ir_graph *graph = NULL;
	hy_sched_plan *plan = NULL;
	hy_error error = {0};
	char *text = NULL;
	uint32_t node = 0;
	const tool_planning_wishes wishes = {
		.devices = options->device,
		.objective = tool_options_is(options->objective, "latency") ? HY_SCHED_LATENCY : HY_SCHED_THROUGHPUT,
		.flags = options->no_measure ? HY_SCHED_NO_MEASURE : 0,
	};
	if (options->node == NULL)
		return tool_report(TOOL_EXIT_USAGE,
		                   "explain: --node is missing: a number or name, as halyard plan prints");
	tool_exit code = tool_planning_graph(options, &graph);
	if (code == TOOL_EXIT_OK) code = tool_model_find_node(graph, "--node", options->node, &node);
	if (code == TOOL_EXIT_OK) code = tool_machine_open(options, false, &machine);
	if (code == TOOL_EXIT_OK) code = tool_planning_plan(options, machine, graph, &wishes, &plan);
	if (code == TOOL_EXIT_OK) {
		if (hy_sched_plan_explain(plan, node, &text, &error) != HY_OK)
			code = tool_report_error(TOOL_EXIT_NO, &error);
		else if (tool_options_is(options->format, "json"))
			code = print_json(plan, graph, node, text);
		else
			fputs(text, stdout);
	}
	free(text);
	hy_sched_plan_destroy(plan);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
	return code;
}
