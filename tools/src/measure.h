/* Measuring a loaded session. */
#ifndef TOOL_MEASURE_H
#define TOOL_MEASURE_H

#include "exit.h"
#include "options.h"

#include <halyard/halyard.h>

typedef struct tool_measure_result {
	uint64_t requests;
	double seconds; /* first submission to last answer */
	double throughput_per_s; /* items: requests times their batch */
	double median_ms, min_ms, p90_ms, p99_ms; /* of one request, from submission to its answer */
} tool_measure_result;

/* Runs the same seeded random request for `seconds`, after a warm-up; one at a time, or (offline) as many as the
 * session takes. The session's statistics are of the measured part afterwards. */
tool_exit tool_measure_session(const tool_options *options, hy_sched_session *session, const hy_ir_graph *graph,
                               bool offline, double seconds, tool_measure_result *out_result);

#endif
