/* Plans and sessions as the options ask for them. */
#include "planning.h"
#include "cluster_options.h"
#include "costs.h"
#include "file.h"
#include "model.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

tool_exit tool_planning_graph(const tool_options *options, hy_ir_graph **out_graph)
{
	hy_ir_graph *graph = NULL;
	tool_exit code = tool_model_load(options->operands[0], &graph);
	if (code == TOOL_EXIT_OK) code = tool_model_bind(options, graph, NULL);
	if (code == TOOL_EXIT_OK) code = tool_model_prepare(options, options->operands[0], graph);
	if (code == TOOL_EXIT_OK)
		*out_graph = graph;
	else
		hy_ir_graph_destroy(graph);
	return code;
}

static hy_sched_strategy strategy_of(const tool_options *options)
{
	if (options->cut_at != NULL || tool_options_is(options->strategy, "cut")) return HY_SCHED_CUT;
	if (tool_options_is(options->strategy, "single")) return HY_SCHED_SINGLE;
	if (tool_options_is(options->strategy, "replicas")) return HY_SCHED_REPLICAS;
	if (tool_options_is(options->strategy, "spatial")) return HY_SCHED_SPATIAL;
	if (tool_options_is(options->strategy, "pipeline")) return HY_SCHED_PIPELINE;
	if (tool_options_is(options->strategy, "groups")) return HY_SCHED_GROUPS;
	return HY_SCHED_AUTO;
}

/* "exec=1,transfer=2,memory=1", any of them. */
static tool_exit read_weights(const char *text, hy_sched_options *choices)
{
	const struct {
		const char *name;
		double *weight;
	} names[] = {{"exec=", &choices->execution_weight},
	             {"transfer=", &choices->transfer_weight},
	             {"memory=", &choices->memory_weight}};
	while (text != NULL && *text != '\0') {
		char *end = NULL;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			const size_t length = strlen(names[i].name);
			if (strncmp(text, names[i].name, length) == 0) *names[i].weight = strtod(text + length, &end);
			if (end != NULL && (end == text + length || !(*names[i].weight > 0))) end = NULL;
			if (end != NULL) break;
		}
		if (end == NULL || (*end != ',' && *end != '\0'))
			return tool_report(TOOL_EXIT_USAGE,
			                   "--weight %s: write exec=X,transfer=X,memory=X, each X above 0", text);
		text = *end == ',' ? end + 1 : end;
	}
	return TOOL_EXIT_OK;
}

static tool_exit plan_failed(const hy_error *error)
{
	switch (error->status) {
	case HY_NOT_FOUND:
		return tool_report_error(TOOL_EXIT_NO_DEVICE, error);
	case HY_NO_MEMORY:
		return tool_report_error(TOOL_EXIT_DOES_NOT_FIT, error);
	case HY_UNSUPPORTED:
		return tool_report_error(TOOL_EXIT_MODEL, error);
	case HY_INVALID:
	case HY_INCOMPATIBLE: /* an earlier plan, with this model or these devices */
		return tool_report_error(TOOL_EXIT_USAGE, error);
	default:
		return tool_planning_run_failed(error);
	}
}

tool_exit tool_planning_plan(const tool_options *options, hy_hal_machine *machine, const hy_ir_graph *graph,
                             const tool_planning_wishes *wishes, hy_sched_plan **out_plan)
{
	hy_error error = {0};
	hy_sched_options choices = {
		.size = sizeof(choices),
		.flags = wishes->flags,
		.measure_ns = wishes->briefly ? 1 : 0,
		.devices = wishes->devices,
		.objective = wishes->objective,
		.strategy = strategy_of(options),
		.progress = tool_progress,
		.progress_payload = (void *)(uintptr_t)options,
	};
	if (tool_options_is(options->fallback, "forbid")) choices.flags |= HY_SCHED_FORBID_FALLBACK;
	if (options->deadline < 0) return tool_report(TOOL_EXIT_USAGE, "--deadline: give milliseconds above 0");
	if (options->deadline > 0) {
		choices.objective = HY_SCHED_DEADLINE;
		choices.deadline_ns = (uint64_t)(options->deadline * 1e6) + 1;
	}
	const tool_exit weighed = read_weights(options->weight, &choices);
	if (weighed != TOOL_EXIT_OK) return weighed;
	if (options->cut_at != NULL) {
		const tool_exit code = tool_model_find_node(graph, "--cut-at", options->cut_at, &choices.cut_node);
		if (code != TOOL_EXIT_OK) return code;
	}
	char *selector = NULL;
	if (options->cluster != NULL && options->plan == NULL) {
		const tool_exit code = tool_cluster_selector(options, machine, &selector);
		if (code != TOOL_EXIT_OK) return code;
		choices.devices = selector;
	}
	void *text = NULL;
	size_t length;
	if (options->plan != NULL) {
		if (options->device != NULL || options->cut_at != NULL || options->cluster != NULL)
			return tool_report(TOOL_EXIT_USAGE,
			                   "--plan says the devices and the cuts: leave out the others");
		if (tool_file_read(options->plan, &text, &length, &error) != HY_OK)
			return tool_report_error(TOOL_EXIT_USAGE, &error);
		choices.plan_text = text;
	}
	char *const costs = tool_costs_path(options);
	choices.cost_file = costs;
	const hy_status status = hy_sched_plan_create(machine, graph, &choices, out_plan, &error);
	free(costs);
	free(selector);
	free(text);
	tool_progress((void *)(uintptr_t)options, "", 1);
	return status == HY_OK ? TOOL_EXIT_OK : plan_failed(&error);
}

tool_exit tool_planning_session(hy_sched_plan *plan, hy_sched_session **out_session)
{
	hy_error error = {0};
	const hy_status status = hy_sched_session_create(plan, out_session, &error);
	if (status == HY_OK) return TOOL_EXIT_OK;
	if (status == HY_NO_MEMORY) return tool_report_error(TOOL_EXIT_DOES_NOT_FIT, &error);
	if (status == HY_UNSUPPORTED) return tool_report_error(TOOL_EXIT_MODEL, &error);
	return tool_planning_run_failed(&error);
}

tool_exit tool_planning_trace(const tool_options *options, hy_sched_session *session)
{
	hy_error error = {0};
	if (options->trace == NULL || hy_sched_session_trace(session, 0, &error) == HY_OK) return TOOL_EXIT_OK;
	return tool_report_error(TOOL_EXIT_NO, &error);
}

tool_exit tool_planning_trace_write(const tool_options *options, hy_sched_session *session)
{
	hy_error error = {0};
	if (options->trace == NULL || hy_sched_session_trace_write(session, options->trace, &error) == HY_OK)
		return TOOL_EXIT_OK;
	return tool_report_error(TOOL_EXIT_USAGE, &error);
}

tool_exit tool_planning_run_failed(const hy_error *error)
{
	switch (error->status) {
	case HY_BUSY:
		return tool_report_error(TOOL_EXIT_BUSY, error);
	case HY_TIMEOUT:
		return tool_report_error(TOOL_EXIT_TIME, error);
	case HY_INVALID:
		return tool_report_error(TOOL_EXIT_USAGE, error);
	case HY_INCOMPATIBLE:
		return tool_report_error(TOOL_EXIT_PLUGIN, error);
	default:
		return tool_report_error(TOOL_EXIT_DEVICE, error);
	}
}
