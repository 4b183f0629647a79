/* halyard plan: where a model would run, and why. */
#include "cmd.h"
#include "machine.h"
#include "planning.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

tool_exit tool_cmd_plan(const tool_options *options)
{
	hy_hal_machine *machine = NULL;
	hy_ir_graph *graph = NULL;
	hy_sched_plan *plan = NULL;
	hy_error error = {0};
	char *text = NULL;
	const tool_planning_wishes wishes = {
		.devices = options->device,
		.objective = tool_options_is(options->objective, "latency") ? HY_SCHED_LATENCY : HY_SCHED_THROUGHPUT,
		.flags = options->no_measure ? HY_SCHED_NO_MEASURE : 0,
	};
	tool_exit code = tool_planning_graph(options, &graph);
	if (code == TOOL_EXIT_OK) code = tool_machine_open(options, false, &machine);
	if (code == TOOL_EXIT_OK) code = tool_planning_plan(options, machine, graph, &wishes, &plan);
	if (code == TOOL_EXIT_OK) {
		const bool svg = tool_options_is(options->plan_format, "svg");
		const hy_status status = svg ? hy_sched_plan_draw(plan, &text, &error)
		                             : hy_sched_plan_print(plan, tool_options_is(options->plan_format, "json"),
		                                                   &text, &error);
		if (status == HY_OK)
			fputs(text, stdout);
		else
			code = tool_report_error(TOOL_EXIT_NO, &error);
	}
	free(text);
	hy_sched_plan_destroy(plan);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
	return code;
}
