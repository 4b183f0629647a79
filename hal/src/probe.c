/* The host's side of a probe: children with captured output, read with strict bounds and a time limit. */
#include "probe.h"

#include "text.h"

#include <halyard/hal.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RESULT, OUTPUT, ERRORS, PIPES }; /* the child's fd 3, 1 and 2 */

typedef struct child {
	hy_hal__probe_job *job;
	pid_t pid; /* 0: not started or reaped */
	int fds[PIPES]; /* read ends; -1: closed */
	uint64_t begin_ns, deadline_ns;
	unsigned char record[sizeof(hy_hal__probe_record) + HY_HAL__PROBE_RECORD_BYTES];
	size_t record_used;
	char stage[64];
	char printed[PIPES][160]; /* the first bytes of what it wrote to 1 and 2 */
	size_t printed_used[PIPES];
	char extra[200]; /* exported names that should not be */
	char other_entry[64]; /* an entry of another ABI */
	bool has_result, is_finished, is_broken; /* broken: it wrote something that is no record */
	hy_status status;
	char text[HY_ERROR_TEXT_BYTES];
	int wait_status;
} child;

/* ---- start ---- */

/* A pipe whose ends are above the descriptors that the child gets. */
static bool open_pipe(int ends[2])
{
	int low[2];
	if (pipe2(low, O_CLOEXEC) != 0) return false;
	ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, 10);
	ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, 10);
	close(low[0]);
	close(low[1]);
	if (ends[0] >= 0 && ends[1] >= 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return true;
	if (ends[0] >= 0) close(ends[0]);
	if (ends[1] >= 0) close(ends[1]);
	return false;
}

static int spawn(pid_t *out_pid, const char *program, const int write_ends[PIPES], char *const *arguments)
{
	static const int targets[PIPES] = {[RESULT] = HY_HAL__PROBE_FD, [OUTPUT] = 1, [ERRORS] = 2};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	for (int i = 0; i < PIPES; i++)
		posix_spawn_file_actions_adddup2(&actions, write_ends[i], targets[i]);
	posix_spawn_file_actions_addclosefrom_np(&actions, HY_HAL__PROBE_FD + 1);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	const int failure = posix_spawn(out_pid, program, &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failure;
}

static void start(child *c, const char *program, uint64_t timeout_ns)
{
	char *arguments[HY_HAL__MANIFEST_ITEMS + 3] = {(char *)program, (char *)c->job->library};
	const hy_hal__manifest_list *requires = c->job->requires;
	for (uint32_t i = 0; requires != NULL && i < requires->count; i++)
	arguments[2 + i] = requires->items[i];
	int write_ends[PIPES] = {-1, -1, -1};
	int failure = 0;
	for (int i = 0; i < PIPES && failure == 0; i++) {
		int ends[2];
		if (!open_pipe(ends)) {
			failure = errno;
			break;
		}
		c->fds[i] = ends[0];
		write_ends[i] = ends[1];
	}
	c->begin_ns = hy_hal_now_ns();
	c->deadline_ns = c->begin_ns + timeout_ns;
	if (failure == 0) failure = spawn(&c->pid, program, write_ends, arguments);
	for (int i = 0; i < PIPES; i++)
		if (write_ends[i] >= 0) close(write_ends[i]);
	if (failure == 0) return;
	c->pid = 0;
	c->has_result = c->is_finished = true;
	c->status = HY_INTERNAL;
	snprintf(c->text, sizeof(c->text), "%s cannot be started: %s", program, strerror(failure));
}

/* ---- read ---- */

static void take_record(child *c, const hy_hal__probe_record *head, const char *text)
{
	char line[HY_HAL__PROBE_RECORD_BYTES + 1];
	hy_hal__text_copy(line, sizeof(line), text, head->length);
	switch (head->kind) {
	case HY_HAL__PROBE_STAGE:
		hy_hal__text_copy(c->stage, sizeof(c->stage), line, sizeof(line));
		return;
	case HY_HAL__PROBE_EXPORT:
		if (strncmp(line, "hy_plugin_entry_v", 17) == 0) hy_hal__text_copy(c->other_entry, 64, line, 64);
		if (strlen(c->extra) + strlen(line) + 3 < sizeof(c->extra))
			sprintf(c->extra + strlen(c->extra), "%s%s", c->extra[0] != '\0' ? ", " : "", line);
		return;
	case HY_HAL__PROBE_RESULT:
		c->has_result = c->is_finished = true;
		c->status = hy_status_name(head->status)[0] != '?' ? head->status : HY_INTERNAL;
		hy_hal__text_copy(c->text, sizeof(c->text), line, sizeof(line));
		return;
	default:
		c->is_broken = true;
	}
}

/* Takes whole records off the front of what has come in. */
static void take_records(child *c)
{
	hy_hal__probe_record head;
	while (c->record_used >= sizeof(head) && !c->is_finished && !c->is_broken) {
		memcpy(&head, c->record, sizeof(head));
		if (head.length > HY_HAL__PROBE_RECORD_BYTES) {
			c->is_broken = true;
			return;
		}
		const size_t whole = sizeof(head) + head.length;
		if (c->record_used < whole) return;
		take_record(c, &head, (const char *)c->record + sizeof(head));
		c->record_used -= whole;
		memmove(c->record, c->record + whole, c->record_used);
	}
}

/* Closes a pipe that is at its end. The result pipe's end is the child's. */
static void close_pipe(child *c, int which)
{
	close(c->fds[which]);
	c->fds[which] = -1;
	if (which == RESULT) c->is_finished = true;
}

/* Reads once, so that a child that never stops writing keeps nobody else waiting. False when there is no more now. */
static bool read_pipe(child *c, int which)
{
	char text[4096];
	const bool is_result = which == RESULT;
	const size_t room = is_result ? sizeof(c->record) - c->record_used : sizeof(text);
	const ssize_t got = read(c->fds[which], is_result ? (char *)c->record + c->record_used : text, room);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
	if (got <= 0) {
		close_pipe(c, which);
		return false;
	}
	if (is_result) {
		c->record_used += (size_t)got;
		take_records(c);
		if (c->is_broken) c->is_finished = true;
		return true;
	}
	const size_t left = sizeof(c->printed[which]) - 1 - c->printed_used[which];
	const size_t kept = (size_t)got < left ? (size_t)got : left;
	memcpy(c->printed[which] + c->printed_used[which], text, kept);
	c->printed_used[which] += kept;
	return true;
}

/* ---- finish ---- */

/* Ends the child and everything it started. */
static void reap(child *c)
{
	c->job->probe_ns = hy_hal_now_ns() - c->begin_ns;
	pid_t ended = 0;
	while (c->pid > 0 && ended == 0) {
		ended = waitpid(c->pid, &c->wait_status, WNOHANG);
		if (ended != 0 || c->has_result || c->is_broken || hy_hal_now_ns() >= c->deadline_ns) break;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	if (c->pid > 0) kill(-c->pid, SIGKILL);
	if (c->pid > 0 && ended == 0) {
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
		}
		c->wait_status = -1; /* it was us who ended it */
	}
	for (int i = 0; i < PIPES; i++) {
		for (int k = 0; i != RESULT && c->fds[i] >= 0 && k < 32; k++)
			if (!read_pipe(c, i)) break;
		if (c->fds[i] >= 0) close(c->fds[i]);
	}
}

static void describe_end(child *c)
{
	const char *stage = c->stage[0] != '\0' ? c->stage : "start";
	const uint64_t ms = c->job->probe_ns / 1000000;
	if (c->is_broken) {
		c->status = HY_INTERNAL;
		snprintf(c->text, sizeof(c->text), "wrote to descriptor %d in %s (P7)", HY_HAL__PROBE_FD, stage);
	} else if (c->wait_status == -1) {
		c->status = HY_TIMEOUT;
		snprintf(c->text, sizeof(c->text), "hangs in %s: ended after %" PRIu64 " ms", stage, ms);
	} else if (WIFSIGNALED(c->wait_status)) {
		const char *name = sigabbrev_np(WTERMSIG(c->wait_status));
		c->status = HY_INTERNAL;
		snprintf(c->text, sizeof(c->text), "killed by SIG%s in %s after %" PRIu64 " ms",
		         name != NULL ? name : "?", stage, ms);
	} else {
		c->status = HY_INTERNAL;
		snprintf(c->text, sizeof(c->text), "ended the process with exit(%d) in %s (P7)",
		         WEXITSTATUS(c->wait_status), stage);
	}
}

static void conclude(child *c)
{
	hy_hal__probe_job *job = c->job;
	char output[160], errors[160];
	hy_hal__text_copy(output, sizeof(output), c->printed[OUTPUT], c->printed_used[OUTPUT]);
	hy_hal__text_copy(errors, sizeof(errors), c->printed[ERRORS], c->printed_used[ERRORS]);
	if (!c->has_result) describe_end(c);
	if (c->has_result && c->status == HY_INCOMPATIBLE && c->other_entry[0] != '\0')
		snprintf(c->text, sizeof(c->text), "exports %s, this host calls %s: built for another ABI",
		         c->other_entry, HY_PLUGIN_ENTRY);
	if (c->status == HY_OK && c->printed_used[OUTPUT] > 0) {
		c->status = HY_INCOMPATIBLE;
		snprintf(c->text, sizeof(c->text), "prints to standard output (P7): '%s'", output);
	}
	job->status = c->status;
	const char *printed = errors[0] != '\0' ? errors : output;
	if (c->status != HY_OK)
		job->reason = printed[0] != '\0' && strstr(c->text, printed) == NULL
		                      ? hy_hal__text_format("%s; it printed: '%s'", c->text, printed)
		                      : strdup(c->text);
	else if (errors[0] != '\0')
		job->warning = hy_hal__text_format("prints to standard error (P7): '%s'", errors);
	else if (c->extra[0] != '\0')
		job->warning = hy_hal__text_format("exports more than %s: %s", HY_PLUGIN_ENTRY, c->extra);
}

/* ---- all of them ---- */

/* Waits until a child has something to read, or the first time limit. False when all are finished. */
static bool wait_any(child *children, uint32_t count, struct pollfd *polls)
{
	uint32_t used = 0;
	uint64_t deadline_ns = UINT64_MAX;
	for (uint32_t i = 0; i < count; i++) {
		if (children[i].is_finished) continue;
		if (children[i].deadline_ns < deadline_ns) deadline_ns = children[i].deadline_ns;
		for (int k = 0; k < PIPES; k++)
			if (children[i].fds[k] >= 0)
				polls[used++] = (struct pollfd){.fd = children[i].fds[k], .events = POLLIN};
	}
	if (deadline_ns == UINT64_MAX) return false;
	const uint64_t now = hy_hal_now_ns();
	const uint64_t left_ms = deadline_ns > now ? (deadline_ns - now) / 1000000 + 1 : 0;
	poll(polls, used, left_ms > 60000 ? 60000 : (int)left_ms);
	return true;
}

static void serve(child *c)
{
	for (int k = 0; k < PIPES && !c->is_finished; k++)
		if (c->fds[k] >= 0) (void)read_pipe(c, k);
	if (hy_hal_now_ns() >= c->deadline_ns) c->is_finished = true;
	if (c->is_finished) {
		reap(c);
		conclude(c);
	}
}

void hy_hal__probe_run(const char *program, uint64_t timeout_ns, hy_hal__probe_job *jobs, uint32_t job_count)
{
	child *children = calloc(job_count + 1, sizeof(*children));
	struct pollfd *polls = calloc(job_count + 1, PIPES * sizeof(*polls));
	for (uint32_t i = 0; i < job_count; i++)
		jobs[i].status = HY_NO_MEMORY;
	if (children == NULL || polls == NULL) goto done;
	for (uint32_t i = 0; i < job_count; i++) {
		children[i] = (child){.job = &jobs[i], .fds = {-1, -1, -1}};
		start(&children[i], program, timeout_ns);
		if (!children[i].is_finished) continue;
		reap(&children[i]);
		conclude(&children[i]);
	}
	while (wait_any(children, job_count, polls))
		for (uint32_t i = 0; i < job_count; i++)
			if (!children[i].is_finished) serve(&children[i]);
done:
	free(children);
	free(polls);
}
