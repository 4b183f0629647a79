/* The ring of a trace. */
#include "trace.h"

#include "trace_ring.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS 65536u

hy_status hy_sched__trace_create(uint32_t event_count, hy_sched__trace **out_trace, hy_error *error)
{
	hy_sched__trace *trace = calloc(1, sizeof(*trace));
	if (trace == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a trace");
	trace->room = event_count > 0 ? event_count : EVENTS;
	trace->events = calloc(trace->room, sizeof(*trace->events));
	if (trace->events == NULL) {
		free(trace);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a trace of %u events", event_count);
	}
	*out_trace = trace;
	return HY_OK;
}

void hy_sched__trace_destroy(hy_sched__trace *trace)
{
	if (trace == NULL) return;
	free(trace->events);
	free(trace);
}

void hy_sched__trace_add(hy_sched__trace *trace, const hy_sched__trace_event *event)
{
	trace->events[trace->added++ % trace->room] = *event;
}

uint64_t hy_sched__trace_dropped(const hy_sched__trace *trace)
{
	return trace->added > trace->room ? trace->added - trace->room : 0;
}

hy_status hy_sched__trace_copy(const hy_sched__trace *trace, hy_sched__trace **out_trace, hy_error *error)
{
	hy_sched__trace *copy = NULL;
	const hy_status status = hy_sched__trace_create(trace->room, &copy, error);
	if (status != HY_OK) return status;
	copy->added = trace->added;
	memcpy(copy->events, trace->events, trace->room * sizeof(*trace->events));
	*out_trace = copy;
	return HY_OK;
}
