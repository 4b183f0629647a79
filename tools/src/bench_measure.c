/* One set of devices: plan, load, measure. */
#include "bench.h"
#include "machine.h"
#include "planning.h"
#include "report.h"
#include "status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void describe_parts(hy_sched_session *session, tool_bench_result *result)
{
	hy_sched_stats stats;
	hy_sched_session_stats(session, &stats);
	const uint32_t most = sizeof(result->parts) / sizeof(result->parts[0]);
	result->part_count = stats.device_count < most ? stats.device_count : most;
	for (uint32_t i = 0; i < result->part_count; i++) {
		const hy_sched_device_stats *const device = &stats.devices[i];
		snprintf(result->parts[i].id, sizeof(result->parts[i].id), "%s", device->id);
		result->parts[i].requests = device->items;
		result->parts[i].peak_bytes = device->peak_bytes;
		result->parts[i].dispatch_ns = device->dispatch_ns;
		result->parts[i].share = device->share;
		result->parts[i].busy = device->busy;
	}
}

/* A request runs on one replica, but on every part of a cut. */
static void describe_launches(hy_sched_session *session, bool cut, tool_bench_result *result)
{
	for (uint32_t p = 0; p < hy_sched_session_program_count(session); p++) {
		const char *device = NULL;
		uint32_t node = 0;
		const hy_exe_info *const info = hy_hal_program_info(
			hy_sched_session_program(session, p, &device, &node));
		for (uint32_t i = 0; i < result->part_count; i++)
			if (strcmp(result->parts[i].id, device) == 0) result->parts[i].launches += info->launches;
		result->reference_launches += info->reference_launches;
	}
	for (uint32_t i = 0; i < result->part_count; i++) {
		const uint32_t launches = result->parts[i].launches;
		if (cut)
			result->launches += launches;
		else if (launches > result->launches)
			result->launches = launches;
	}
}

tool_exit tool_bench_measure(const tool_options *options, hy_hal_machine *machine, const hy_ir_graph *graph,
                             const char *selector, json_t *json_steps, tool_bench_result *out_result)
{
	const bool offline = tool_options_is(options->scenario, "offline");
	hy_sched_plan *plan = NULL;
	hy_sched_session *session = NULL;
	tool_status *status = NULL;
	hy_hal_selection chosen = {0};
	tool_bench_result result = {0};
	snprintf(result.devices, sizeof(result.devices), "%s", selector != NULL ? selector : "*");
	tool_exit code = tool_machine_select(machine, selector, &chosen);
	if (code != TOOL_EXIT_OK) return code;
	const tool_planning_wishes wishes = {
		.devices = selector,
		.objective = offline ? HY_SCHED_THROUGHPUT : HY_SCHED_LATENCY,
		.briefly = chosen.count == 1,
	};
	hy_hal_selection_finish(&chosen);

	const uint64_t start = hy_hal_now_ns();
	code = tool_planning_plan(options, machine, graph, &wishes, &plan);
	if (code == TOOL_EXIT_OK) code = tool_planning_session(plan, &session);
	result.load_ns = hy_hal_now_ns() - start;
	if (code == TOOL_EXIT_OK) code = tool_planning_trace(options, session);
	if (code == TOOL_EXIT_OK) code = tool_status_start(options, session, &status);
	if (code == TOOL_EXIT_OK)
		code = tool_measure_session(options, session, graph, offline, options->seconds, &result.measured);
	tool_status_stop(status);
	if (code == TOOL_EXIT_OK) code = tool_planning_trace_write(options, session);
	if (code == TOOL_EXIT_OK) {
		const hy_sched_plan_info *const info = hy_sched_plan_describe(plan);
		result.predicted_ns = info->item_ns;
		describe_parts(session, &result);
		describe_launches(session, info->strategy == HY_SCHED_CUT, &result);
		*out_result = result;
	}
	if (code == TOOL_EXIT_OK && options->per_op)
		code = tool_bench_profile(options, session, graph, offline, fmin(2, options->seconds), json_steps);
	hy_sched_session_destroy(session);
	hy_sched_plan_destroy(plan);
	return code;
}
