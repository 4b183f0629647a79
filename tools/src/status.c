/* Publishing a session's status: a thread that replaces a file, so that readers see a whole one at any time. */
#include "status.h"
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEVICES = 64, PERIOD_MS = 500 };

/* What was told last, for rates. */
typedef struct told {
	uint64_t at_ns, ended;
	uint64_t items[DEVICES], busy_ns[DEVICES];
} told;

struct tool_status {
	const tool_options *options;
	hy_sched_session *session;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
	uint64_t start_ns;
	told last;
};

/* Of a counter that may have been reset in between. */
static double per_s(uint64_t now, uint64_t before, double seconds)
{
	return (double)(now >= before ? now - before : now) / seconds;
}

static json_t *device_json(const hy_sched_device_stats *device, const told *last, uint32_t i, double seconds)
{
	return json_pack("{ss ss sf sf sf sf sf si sI sI sI sI}", "id", device->id, "state", device->state, "share",
	                 device->share, "busy", per_s(device->busy_ns, last->busy_ns[i], seconds * 1e9), "rate_per_s",
	                 per_s(device->items, last->items[i], seconds), "item_ms", (double)device->item_ns * 1e-6,
	                 "planned_ms", (double)device->planned_ns * 1e-6, "in_flight", (int)device->in_flight,
	                 "requests", (json_int_t)device->items, "replayed", (json_int_t)device->replayed, "losses",
	                 (json_int_t)device->losses, "overdue", (json_int_t)device->overdue);
}

static json_t *snapshot(tool_status *s, bool running)
{
	hy_sched_stats stats;
	const uint64_t now_ns = hy_hal_now_ns();
	hy_sched_session_stats(s->session, &stats);
	const uint64_t since = s->last.at_ns > 0 ? s->last.at_ns : s->start_ns;
	const double seconds = now_ns > since ? (double)(now_ns - since) * 1e-9 : 1;
	const uint64_t ended = stats.done_ok + stats.done_error + stats.cancelled + stats.deadline;
	const uint32_t count = stats.device_count < DEVICES ? stats.device_count : DEVICES;
	json_t *const devices = json_array();
	told now = {.at_ns = now_ns, .ended = ended};
	for (uint32_t i = 0; i < count; i++) {
		json_array_append_new(devices, device_json(&stats.devices[i], &s->last, i, seconds));
		now.items[i] = stats.devices[i].items;
		now.busy_ns[i] = stats.devices[i].busy_ns;
	}
	json_t *const answer = json_pack(
		"{ss si ss sb sf sf sI sI sI sI sI sI si si so}", "schema", "halyard.status/v1", "pid", (int)getpid(),
		"model", s->options->operands[0], "running", running, "seconds", (double)(now_ns - s->start_ns) * 1e-9,
		"rate_per_s", per_s(ended, s->last.ended, seconds), "accepted", (json_int_t)stats.accepted, "done",
		(json_int_t)stats.done_ok, "failed", (json_int_t)stats.done_error, "cancelled",
		(json_int_t)stats.cancelled, "late", (json_int_t)stats.deadline, "refused", (json_int_t)stats.refused,
		"waiting", (int)stats.waiting, "in_hand", (int)stats.running, "devices", devices);
	s->last = now;
	return answer;
}

/* Answers whether the file is there now. */
static bool publish(tool_status *s, bool running)
{
	char temporary[4096];
	const int length = snprintf(temporary, sizeof(temporary), "%s.%d", s->options->status, (int)getpid());
	json_t *const answer = snapshot(s, running);
	if (answer == NULL || length >= (int)sizeof(temporary)) {
		json_decref(answer);
		errno = answer == NULL ? ENOMEM : ENAMETOOLONG;
		return false;
	}
	const bool written = json_dump_file(answer, temporary, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
	json_decref(answer);
	if (written && rename(temporary, s->options->status) == 0) return true;
	const int why = errno;
	unlink(temporary);
	errno = why;
	return false;
}

static void *publish_main(void *payload)
{
	tool_status *const s = payload;
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		const uint64_t next_ns = hy_hal_now_ns() + PERIOD_MS * 1000000u;
		const struct timespec until = {.tv_sec = (time_t)(next_ns / 1000000000u),
		                               .tv_nsec = (long)(next_ns % 1000000000u)};
		pthread_cond_timedwait(&s->stop, &s->lock, &until);
		if (!s->stopping) publish(s, true);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

tool_exit tool_status_start(const tool_options *options, hy_sched_session *session, tool_status **out_status)
{
	if (options->status == NULL) return TOOL_EXIT_OK;
	tool_status *const s = calloc(1, sizeof(*s));
	if (s == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	s->options = options;
	s->session = session;
	s->start_ns = hy_hal_now_ns();
	if (!publish(s, true)) {
		const tool_exit code = tool_report(TOOL_EXIT_USAGE, "--status: %s: cannot write: %s", options->status,
		                                   strerror(errno));
		free(s);
		return code;
	}
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&s->stop, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_init(&s->lock, NULL);
	if (pthread_create(&s->thread, NULL, publish_main, s) != 0) {
		free(s);
		return tool_report(TOOL_EXIT_NO, "cannot start a thread for --status");
	}
	*out_status = s;
	return TOOL_EXIT_OK;
}

void tool_status_stop(tool_status *s)
{
	if (s == NULL) return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->stop);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	publish(s, false);
	pthread_cond_destroy(&s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
