/* Keeps one worker alive and asks it to run cases. */
#include "supervisor.h"

#include "worker.h"
#include "process.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HANG_THREADS = 8, HANG_ANSWER_MS = 20 };

/* halyard-conformance in the folder of file, or where a way from there leads. */
static bool find_near(const char *file, const char *way, char *out_path, size_t length)
{
	const char *const slash = strrchr(file, '/');
	const int folder = slash == NULL ? 0 : (int)(slash - file);
	snprintf(out_path, length, "%.*s/%s%shalyard-conformance", folder, file, way, way[0] != '\0' ? "/" : "");
	return slash != NULL && access(out_path, X_OK) == 0;
}

/* Beside the running program, or from there in ../bin, or where the library's installation has programs. */
static bool find_worker(char *out_path, size_t length)
{
	static const char here; /* an address in this library */
	char self[2048];
	Dl_info library;
	const ssize_t self_length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[self_length < 0 ? 0 : self_length] = '\0';
	if (find_near(self, "", out_path, length) || find_near(self, "../bin", out_path, length)) return true;
	return dladdr(&here, &library) != 0 && library.dli_fname != NULL &&
	       find_near(library.dli_fname, HY_WAY_TO_PROGRAMS, out_path, length);
}

hy_status conform__supervisor_init(supervisor *self, const hy_conform_options *options, hy_error *error)
{
	*self = (supervisor){.options = options,
	                     .batch = options->batch == 0 ? 1 : options->batch,
	                     .orders = -1,
	                     .answers = -1,
	                     .output = -1};
	signal(SIGPIPE, SIG_IGN);
	if (options->worker != NULL) {
		if (access(options->worker, X_OK) != 0)
			return hy_error_set(error, HY_NOT_FOUND, "the worker %s can't be run", options->worker);
		snprintf(self->worker_path, sizeof(self->worker_path), "%s", options->worker);
		return HY_OK;
	}
	if (!find_worker(self->worker_path, sizeof(self->worker_path)))
		return hy_error_set(error, HY_NOT_FOUND,
		                    "halyard-conformance is not beside this program; name it in the options");
	return HY_OK;
}

/* ---- the life of a worker ---- */

static void become_worker(const supervisor *self, int orders, int answers, int output)
{
	char device[16], seed[32], scale[32];
	snprintf(scale, sizeof(scale), "%.9g", self->options->timeout_scale > 0 ? self->options->timeout_scale : 1);
	snprintf(device, sizeof(device), "%u", self->options->device);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)self->options->seed);
	const char *device_options = self->options->device_options == NULL ? "" : self->options->device_options;
	const int null = open("/dev/null", O_RDONLY);
	/* High copies first, so that no descriptor is overwritten before it is used. */
	const int high_orders = fcntl(orders, F_DUPFD, 16), high_answers = fcntl(answers, F_DUPFD, 16);
	dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	dup2(high_orders, WORKER_ORDERS);
	dup2(high_answers, WORKER_ANSWERS);
	close(high_orders);
	close(high_answers);
	setpgid(0, 0);
	execl(self->worker_path, self->worker_path, "--worker", self->options->plugin, device, device_options, seed,
	      scale, (char *)NULL);
	_exit(127);
}

static bool start_worker(supervisor *self)
{
	int orders[2] = {-1, -1}, answers[2] = {-1, -1}, output[2] = {-1, -1};
	const bool piped = pipe2(orders, O_CLOEXEC) == 0 && pipe2(answers, O_CLOEXEC) == 0 &&
	                   pipe2(output, O_CLOEXEC) == 0;
	const pid_t pid = piped ? fork() : -1;
	if (pid < 0) {
		const int why = errno;
		for (int i = 0; i < 2; i++) {
			close(orders[i]);
			close(answers[i]);
			close(output[i]);
		}
		errno = why;
		return false;
	}
	if (pid > 0) setpgid(pid, pid); /* as it does itself: whoever comes first */
	if (pid == 0) become_worker(self, orders[0], answers[1], output[1]);
	close(orders[0]);
	close(answers[1]);
	close(output[1]);
	self->pid = pid;
	self->orders = orders[1];
	self->answers = answers[0];
	self->output = output[0];
	self->cases_run = self->history_count = 0;
	fcntl(self->answers, F_SETFL, O_NONBLOCK);
	fcntl(self->output, F_SETFL, O_NONBLOCK);
	return true;
}

/* Returns the wait status. */
static int end_worker(supervisor *self, bool kill_it)
{
	if (self->pid == 0) return 0;
	close(self->orders);
	if (kill_it) kill(-self->pid, SIGKILL);
	int status = 0;
	const uint64_t patience = conform__process_now_ns() + 5000000000u;
	while (waitpid(self->pid, &status, WNOHANG) == 0) {
		char dropped[4096];
		while (read(self->output, dropped, sizeof(dropped)) > 0) {
		}
		if (conform__process_now_ns() > patience) kill(-self->pid, SIGKILL);
		poll(NULL, 0, 1);
	}
	kill(-self->pid, SIGKILL); /* whatever it started */
	close(self->answers);
	close(self->output);
	self->pid = 0;
	return status;
}

void conform__supervisor_stop(supervisor *self)
{
	end_worker(self, false);
}

/* ---- one case ---- */

/* Keeps the last bytes of what the plugin prints. */
static void take_output(int output, supervisor_result *result, size_t *length)
{
	char block[4096];
	ssize_t count;
	for (int rounds = 0; rounds < 64 && (count = read(output, block, sizeof(block))) > 0; rounds++) {
		const size_t room = SUPERVISOR_OUTPUT - 1;
		size_t add = (size_t)count;
		if (*length + add > room) {
			const size_t drop = *length + add - room < *length ? *length + add - room : *length;
			memmove(result->output, result->output + drop, *length - drop);
			*length -= drop;
		}
		memcpy(result->output + *length, block, add);
		*length += add;
		result->output[*length] = '\0';
	}
}

typedef struct receiver {
	char bytes[sizeof(worker_answer) + sizeof(worker_record) + WORKER_TEXT_MAX];
	size_t length;
} receiver;

/* What a plugin may have trampled on: every text ends, every count fits. */
static void tame_difference(hy_conform_difference *d)
{
	d->dtype[sizeof(d->dtype) - 1] = d->tolerance[sizeof(d->tolerance) - 1] = '\0';
	if (d->rank > HY_CONFORM_RANK_MAX) d->rank = HY_CONFORM_RANK_MAX;
	if (d->shown > HY_CONFORM_SHOWN) d->shown = HY_CONFORM_SHOWN;
}

/* 1 a whole answer, 0 not yet, -1 nonsense or end of file. */
static int receive(int answers, receiver *got, supervisor_result *result)
{
	const ssize_t count = read(answers, got->bytes + got->length, sizeof(got->bytes) - got->length);
	if (count == 0) return -1;
	if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
	got->length += (size_t)count;
	if (got->length < sizeof(worker_answer)) return 0;
	worker_answer head;
	memcpy(&head, got->bytes, sizeof(head));
	if (head.magic != WORKER_MAGIC || head.status >= HY_CONFORM_STATUS_COUNT || head.text_length >= WORKER_TEXT_MAX)
		return -1;
	if (head.record > WORKER_MEASUREMENT) return -1;
	const size_t record_length = head.record == WORKER_NO_RECORD ? 0 : sizeof(worker_record);
	if (got->length < sizeof(head) + record_length + head.text_length) return 0;
	result->status = (hy_conform_status)head.status;
	result->hangs = head.hangs != 0;
	result->time_ns = head.time_ns;
	result->record_kind = (worker_record_kind)head.record;
	memcpy(&result->record, got->bytes + sizeof(head), record_length);
	memcpy(result->text, got->bytes + sizeof(head) + record_length, head.text_length);
	result->text[head.text_length] = '\0';
	if (head.record == WORKER_DIFFERENCE) tame_difference(&result->record.difference);
	return 1;
}

static void explain_death(supervisor *self, supervisor_result *result)
{
	const int status = end_worker(self, false);
	result->status = HY_CONFORM_CRASH;
	if (WIFSIGNALED(status)) {
		result->signal = WTERMSIG(status);
		snprintf(result->text, sizeof(result->text), "the worker died by signal %d (%s)", result->signal,
		         strsignal(result->signal));
	} else {
		snprintf(result->text, sizeof(result->text), "the plugin ended the process with exit(%d)",
		         WEXITSTATUS(status));
		result->exit_code = WEXITSTATUS(status);
		if (WEXITSTATUS(status) == 127) result->status = HY_CONFORM_HARNESS_ERROR;
	}
}

/* Has every thread of a worker that hangs write where it is. */
static void ask_where(supervisor *self, supervisor_result *result, size_t *length)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)self->pid);
	DIR *folder = opendir(path);
	if (folder == NULL) return;
	const struct dirent *entry;
	for (int asked = 0; asked < HANG_THREADS && (entry = readdir(folder)) != NULL;) {
		const long thread = atol(entry->d_name);
		if (thread <= 0 || syscall(SYS_tgkill, (long)self->pid, thread, (long)WORKER_WHERE) != 0) continue;
		asked++;
		struct pollfd wait = {.fd = self->output, .events = POLLIN};
		for (int quiet = 0; quiet < 10 && poll(&wait, 1, HANG_ANSWER_MS) > 0; quiet++)
			take_output(self->output, result, length);
	}
	closedir(folder);
}

static void wait_for_answer(supervisor *self, const conform_case *item, supervisor_result *result)
{
	const double scale = self->options->timeout_scale > 0 ? self->options->timeout_scale : 1;
	const double seconds = (item->seconds == 0 ? 10 : item->seconds) * scale;
	const uint64_t begin = conform__process_now_ns(), deadline = begin + (uint64_t)(seconds * 1e9);
	receiver got = {.length = 0};
	size_t output_length = 0;
	int state = 0;
	while (state == 0) {
		struct pollfd waits[] = {{.fd = self->answers, .events = POLLIN},
		                         {.fd = self->output, .events = POLLIN}};
		const uint64_t now = conform__process_now_ns();
		if (now >= deadline) break;
		poll(waits, 2, (int)((deadline - now) / 1000000u) + 1);
		take_output(self->output, result, &output_length);
		state = receive(self->answers, &got, result);
	}
	take_output(self->output, result, &output_length);
	if (state == 1) {
		if (result->status == HY_CONFORM_FAIL && result->hangs) ask_where(self, result, &output_length);
		return;
	}
	result->time_ns = conform__process_now_ns() - begin;
	if (state == 0) {
		ask_where(self, result, &output_length);
		end_worker(self, true);
		result->status = HY_CONFORM_TIMEOUT;
		snprintf(result->text, sizeof(result->text), "no answer within %.0f s", seconds);
	} else {
		explain_death(self, result);
	}
}

void conform__supervisor_run(supervisor *self, const conform_case *item, supervisor_result *out_result)
{
	conform__supervisor_order(self, item, item->info.id, out_result);
}

void conform__supervisor_order(supervisor *self, const conform_case *item, const char *order,
                               supervisor_result *out_result)
{
	memset(out_result, 0, sizeof(*out_result));
	out_result->status = HY_CONFORM_HARNESS_ERROR;
	out_result->exit_code = -1;
	if (item->alone) conform__supervisor_stop(self);
	if (self->pid == 0 && !start_worker(self)) {
		snprintf(out_result->text, sizeof(out_result->text), "no worker could be started: %s", strerror(errno));
		return;
	}
	if (order == item->info.id && self->history_count < SUPERVISOR_HISTORY)
		self->history[self->history_count++] = item;
	if (dprintf(self->orders, "%s\n", order) > 0)
		wait_for_answer(self, item, out_result);
	else
		explain_death(self, out_result);
	if (self->pid == 0) return;
	self->cases_run++;
	const bool held = out_result->status == HY_CONFORM_PASS || out_result->status == HY_CONFORM_NOT_SUPPORTED;
	if (held && !item->alone && self->cases_run < self->batch) return;
	const int status = end_worker(self, !held);
	if (!held || status == 0) return;
	out_result->status = HY_CONFORM_CRASH;
	out_result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	out_result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	snprintf(out_result->text, sizeof(out_result->text), "the worker died while the device was closed (%s)",
	         WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit");
}

void conform__supervisor_sequence(supervisor *self, uint32_t count, const conform_case *const *cases,
                                  const conform_case *item, supervisor_result *out_result)
{
	const uint32_t batch = self->batch;
	conform__supervisor_stop(self);
	self->batch = UINT32_MAX;
	for (uint32_t i = 0; i < count; i++) {
		conform__supervisor_run(self, cases[i], out_result);
		if (self->pid != 0) continue;
		out_result->status = HY_CONFORM_NOT_RUN;
		goto done;
	}
	conform__supervisor_run(self, item, out_result);
	conform__supervisor_stop(self);
done:
	self->batch = batch;
}

bool conform__supervisor_describe(supervisor *self, worker_description *out_description)
{
	static supervisor_result result;
	const conform_case order = {.info = {.id = WORKER_DESCRIBE}, .seconds = 30, .alone = true};
	conform__supervisor_run(self, &order, &result);
	if (result.status != HY_CONFORM_PASS || result.record_kind != WORKER_DESCRIPTION) return false;
	*out_description = result.record.description;
	hy_device_info *device = &out_description->device;
	out_description->plugin_name[sizeof(out_description->plugin_name) - 1] = '\0';
	out_description->plugin_version[sizeof(out_description->plugin_version) - 1] = '\0';
	device->pci_address[sizeof(device->pci_address) - 1] = device->id[sizeof(device->id) - 1] = '\0';
	device->name[sizeof(device->name) - 1] = device->arch[sizeof(device->arch) - 1] = '\0';
	device->driver[sizeof(device->driver) - 1] = '\0';
	return true;
}
