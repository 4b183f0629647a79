/* From options to a plan and a session, with every failure reported under its exit code. */
#ifndef TOOL_PLANNING_H
#define TOOL_PLANNING_H

#include "exit.h"
#include "options.h"

#include <halyard/halyard.h>

/* Loads, binds (dimensions that are not given become 1) and prepares: for commands that need no input data. */
tool_exit tool_planning_graph(const tool_options *options, hy_ir_graph **out_graph);

typedef struct tool_planning_wishes {
	const char *devices; /* selector; NULL: every usable device */
	hy_sched_objective objective;
	uint32_t flags; /* HY_SCHED_*, beside those of --fallback */
	bool briefly; /* measure each program once: enough where there is nothing to decide */
} tool_planning_wishes;

tool_exit tool_planning_plan(const tool_options *options, hy_hal_machine *machine, const hy_ir_graph *graph,
                             const tool_planning_wishes *wishes, hy_sched_plan **out_plan);

tool_exit tool_planning_session(hy_sched_plan *plan, hy_sched_session **out_session);

/* As --trace says; nothing without it. */
tool_exit tool_planning_trace(const tool_options *options, hy_sched_session *session);
tool_exit tool_planning_trace_write(const tool_options *options, hy_sched_session *session);

/* The exit code of a failure at run time. */
tool_exit tool_planning_run_failed(const hy_error *error);

#endif
