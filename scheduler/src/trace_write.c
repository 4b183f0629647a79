/* A trace as Chrome trace JSON, which Perfetto and chrome://tracing open. Process 1 is the session with a span per
 * request; each device is a process with its work as slices and its queue as spans. Times are microseconds from the
 * first event. */
#include "trace_ring.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SESSION = 1, FIRST_DEVICE = 2, WORK = 1 };

typedef enum form { SPAN, QUEUE, SLICE, INSTANT } form;

static const struct {
	const char *name;
	form form;
} kinds[] = {
#define KIND(id, text, form) {text, form},
	HY_SCHED__TRACE_KINDS(KIND)
#undef KIND
};

typedef struct writer {
	FILE *stream;
	uint32_t track_count;
	const hy_sched__trace_track *tracks;
	uint64_t origin_ns[2]; /* of our clock; of clocks of their own */
	bool first;
} writer;

static bool has_own_clock(const writer *w, const hy_sched__trace_event *event)
{
	return event->device < w->track_count && w->tracks[event->device].own_clock && kinds[event->kind].form == SLICE;
}

/* ---- order ---- */

/* By begin; what lasts longer is around what doesn't. */
static int by_begin(const void *left, const void *right)
{
	const hy_sched__trace_event *a = left, *b = right;
	if (a->begin_ns != b->begin_ns) return a->begin_ns < b->begin_ns ? -1 : 1;
	if (a->end_ns != b->end_ns) return a->end_ns > b->end_ns ? -1 : 1;
	if (a->request != b->request) return a->request < b->request ? -1 : 1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

static uint32_t sort(hy_sched__trace *trace, writer *w)
{
	const uint32_t count = trace->added < trace->room ? (uint32_t)trace->added : trace->room;
	w->origin_ns[0] = w->origin_ns[1] = UINT64_MAX;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t *origin_ns = &w->origin_ns[has_own_clock(w, &trace->events[i])];
		if (trace->events[i].begin_ns < *origin_ns) *origin_ns = trace->events[i].begin_ns;
	}
	qsort(trace->events, count, sizeof(*trace->events), by_begin);
	return count;
}

/* ---- one event ---- */

static void begin_line(writer *w)
{
	fputs(w->first ? "\n" : ",\n", w->stream);
	w->first = false;
}

static void write_us(writer *w, const char *key, uint64_t ns)
{
	fprintf(w->stream, ", \"%s\": %" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void write_args(writer *w, const hy_sched__trace_event *event)
{
	const bool instant = kinds[event->kind].form == INSTANT;
	const char *comma = "";
	fputs(", \"args\": {", w->stream);
	if (event->request != HY_SCHED__TRACE_NO_REQUEST) {
		fprintf(w->stream, "\"request\": %" PRIu64, event->request);
		comma = ", ";
	}
	if (event->stage != HY_SCHED__TRACE_NONE) {
		fprintf(w->stream, "%s\"stage\": %" PRIu32, comma, event->stage);
		comma = ", ";
	}
	if (event->predicted_ns > 0 && !instant) {
		const uint64_t actual_ns = event->end_ns - event->begin_ns;
		fprintf(w->stream, "%s\"predicted_us\": %.3f, \"actual_us\": %.3f, \"actual_over_predicted\": %.3f",
		        comma, (double)event->predicted_ns / 1000, (double)actual_ns / 1000,
		        (double)actual_ns / (double)event->predicted_ns);
	}
	fputs("}", w->stream);
}

static void write_phase(writer *w, const hy_sched__trace_event *event, const char *phase, uint64_t at_ns)
{
	const uint32_t process = event->device == HY_SCHED__TRACE_NONE || kinds[event->kind].form == SPAN
	                                 ? (uint32_t)SESSION
	                                 : FIRST_DEVICE + event->device;
	begin_line(w);
	fprintf(w->stream, "{\"ph\": \"%s\", \"name\": \"%s\", \"pid\": %" PRIu32 ", \"tid\": %d", phase,
	        kinds[event->kind].name, process, WORK);
	write_us(w, "ts", at_ns - w->origin_ns[has_own_clock(w, event)]);
}

static void write_event(writer *w, const hy_sched__trace_event *event)
{
	switch (kinds[event->kind].form) {
	case SPAN:
	case QUEUE:
		for (int end = 0; end < 2; end++) {
			write_phase(w, event, end ? "e" : "b", end ? event->end_ns : event->begin_ns);
			fprintf(w->stream, ", \"cat\": \"%s\", \"id\": %" PRIu64,
			        kinds[event->kind].form == SPAN ? "request" : "queue", event->request);
			if (!end) write_args(w, event);
			fputs("}", w->stream);
		}
		return;
	case SLICE:
		write_phase(w, event, "X", event->begin_ns);
		write_us(w, "dur", event->end_ns - event->begin_ns);
		break;
	case INSTANT:
		write_phase(w, event, "i", event->begin_ns);
		fprintf(w->stream, ", \"s\": \"%s\"", event->device == HY_SCHED__TRACE_NONE ? "g" : "p");
		break;
	}
	write_args(w, event);
	fputs("}", w->stream);
}

static void write_name(writer *w, uint32_t process, const char *what, const char *name)
{
	json_t *text = json_string(name);
	begin_line(w);
	fprintf(w->stream,
	        "{\"ph\": \"M\", \"name\": \"%s\", \"pid\": %" PRIu32 ", \"tid\": %d, \"args\": {\"name\": ", what,
	        process, WORK);
	if (text != NULL)
		json_dumpf(text, w->stream, JSON_ENCODE_ANY);
	else
		fputs("\"?\"", w->stream); /* no text, or not UTF-8 */
	fputs("}}", w->stream);
	json_decref(text);
}

hy_status hy_sched__trace_write(hy_sched__trace *trace, uint32_t track_count, const hy_sched__trace_track *tracks,
                                const char *path, hy_error *error)
{
	writer w = {.track_count = track_count, .tracks = tracks, .first = true};
	w.stream = fopen(path, "we");
	if (w.stream == NULL)
		return hy_error_set(error, HY_INVALID, "%s: cannot write the trace: %s", path, strerror(errno));
	const uint32_t count = sort(trace, &w);
	fprintf(w.stream,
	        "{\"displayTimeUnit\": \"ns\", \"otherData\": {\"schema\": \"halyard.trace/v1\", \"events\": %" PRIu32
	        ", \"dropped\": %" PRIu64 "},\n\"traceEvents\": [",
	        count, hy_sched__trace_dropped(trace));
	write_name(&w, SESSION, "process_name", "session");
	for (uint32_t t = 0; t < track_count; t++) {
		write_name(&w, FIRST_DEVICE + t, "process_name", tracks[t].name);
		write_name(&w, FIRST_DEVICE + t, "thread_name",
		           tracks[t].own_clock ? "work (clock of its own)" : "work");
	}
	for (uint32_t i = 0; i < count; i++)
		write_event(&w, &trace->events[i]);
	fputs("\n]}\n", w.stream);
	const bool failed = ferror(w.stream) != 0;
	if (fclose(w.stream) != 0 || failed)
		return hy_error_set(error, HY_INVALID, "%s: cannot write the trace: %s", path, strerror(errno));
	return HY_OK;
}
