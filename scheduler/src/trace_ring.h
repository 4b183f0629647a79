/* Inside a trace. */
#ifndef HY_SCHED_TRACE_RING_H
#define HY_SCHED_TRACE_RING_H

#include "trace.h"

struct hy_sched__trace {
	uint32_t room;
	uint64_t added; /* the last `room` of them are there */
	hy_sched__trace_event *events; /* owned */
};

#endif
