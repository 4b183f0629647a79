/* What happened, as events in a ring: by a session while it runs, or by a simulation in its own time. The oldest give
 * way when the ring is full, and are counted. Written as Chrome trace JSON (schema/halyard.trace.v1.json). */
#ifndef HY_SCHED_TRACE_H
#define HY_SCHED_TRACE_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stdint.h>

#define HY_SCHED__TRACE_NONE UINT32_MAX /* no device; no stage */
#define HY_SCHED__TRACE_NO_REQUEST UINT64_MAX

/* X(NAME, name in the file, form): SPAN of a request, overlapping others; SLICE of a device, one after another; QUEUE of a
 * device, overlapping; INSTANT. */
#define HY_SCHED__TRACE_KINDS(X)           \
	X(REQUEST, "request", SPAN)        \
	X(WAITS, "waits", SPAN)            \
	X(QUEUE, "queue", QUEUE)           \
	X(COPY_IN, "copy in", SLICE)       \
	X(EXEC, "exec", SLICE)             \
	X(COPY_OUT, "copy out", SLICE)     \
	X(STEAL, "steal", INSTANT)         \
	X(REPLAY, "replay", INSTANT)       \
	X(HANG, "hang", INSTANT)           \
	X(LOST, "lost", INSTANT)           \
	X(PROBE, "probe", INSTANT)         \
	X(RETURNED, "returned", INSTANT)   \
	X(DRIFT, "drift", INSTANT)         \
	X(REPLAN, "re-plan", INSTANT)      \
	X(REFUSED, "refused", INSTANT)     \
	X(CANCELLED, "cancelled", INSTANT) \
	X(DEADLINE, "deadline", INSTANT)

typedef enum hy_sched__trace_kind {
#define KIND(name, text, form) HY_SCHED__TRACE_##name,
	HY_SCHED__TRACE_KINDS(KIND)
#undef KIND
		HY_SCHED__TRACE_KIND_COUNT
} hy_sched__trace_kind;

typedef struct hy_sched__trace_event {
	uint64_t begin_ns, end_ns; /* equal for an instant */
	uint64_t predicted_ns; /* of end - begin; 0: nothing was predicted */
	uint64_t request; /* number, in the order of submission, or NO_REQUEST */
	uint32_t device, stage; /* index of a track, or NONE */
	hy_sched__trace_kind kind;
} hy_sched__trace_event;

/* One device. */
typedef struct hy_sched__trace_track {
	const char *name;
	bool own_clock; /* its times are not those of the others; they are shown as if both began together */
} hy_sched__trace_track;

typedef struct hy_sched__trace hy_sched__trace;

/* Room for event_count events; 0: 65536. */
hy_status hy_sched__trace_create(uint32_t event_count, hy_sched__trace **out_trace, hy_error *error);
void hy_sched__trace_destroy(hy_sched__trace *trace);
/* Cost: no allocation. Threads: one at a time, as for all below. */
void hy_sched__trace_add(hy_sched__trace *trace, const hy_sched__trace_event *event);
uint64_t hy_sched__trace_dropped(const hy_sched__trace *trace);
/* A copy, so that it can be written while the first goes on. Fails: NO_MEMORY. */
hy_status hy_sched__trace_copy(const hy_sched__trace *trace, hy_sched__trace **out_trace, hy_error *error);

/* Writes what is there to a file, device d as tracks[d]; brings the events into the order of their times. Fails: INVALID
 * when the file can't be written. */
hy_status hy_sched__trace_write(hy_sched__trace *trace, uint32_t track_count, const hy_sched__trace_track *tracks,
                                const char *path, hy_error *error);

#endif
