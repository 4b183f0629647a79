/* Parts of halyard bench: one measured set of devices, and its per-operator profile. */
#ifndef TOOL_BENCH_H
#define TOOL_BENCH_H

#include "measure.h"

#include <jansson.h>

/* What was measured on one selector. */
typedef struct tool_bench_result {
	char devices[256]; /* the selector */
	tool_measure_result measured;
	uint64_t load_ns; /* planning, compiling, allocating */
	uint64_t predicted_ns; /* by the plan, per request */
	uint32_t launches, reference_launches; /* of one request */
	uint32_t part_count;
	struct {
		char id[128];
		uint64_t requests, peak_bytes, dispatch_ns;
		uint32_t launches; /* of its part of a request */
		double share, busy;
	} parts[32];
} tool_bench_result;

/* Plans, loads and measures a graph on the devices of a selector. With per-op, profiles it and prints or adds to
 * json (when not NULL) the steps. */
tool_exit tool_bench_measure(const tool_options *options, hy_hal_machine *machine, const hy_ir_graph *graph,
                             const char *selector, json_t *json_steps, tool_bench_result *out_result);

/* Profiles the session's programs for `seconds`: a table, or objects in json. */
tool_exit tool_bench_profile(const tool_options *options, hy_sched_session *session, const hy_ir_graph *graph,
                             bool offline, double seconds, json_t *json_steps);

#endif
