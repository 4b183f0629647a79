/* A plugin around the plugin cpu. Its state is one per process, since the table's calls on handles name no plugin. */
#include "throttle.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DEVICES = 4, OPENINGS = 64, TICKETS = 1024 };

typedef struct opened {
	hy_device *device;
	uint32_t number;
	double duty;
} opened;

typedef struct on_way {
	uint64_t ticket; /* 0: free */
	const opened *opening;
} on_way;

static struct {
	const hy_host *host;
	hy_host own_host;
	hy_plugin cpu;
	pthread_mutex_t lock; /* of the tables */
	opened openings[OPENINGS];
	struct {
		hy_queue *queue;
		const opened *opening;
	} queues[OPENINGS];
	on_way on_way[TICKETS];
	_Atomic double speed[DEVICES];
	atomic_bool gone[DEVICES];
	bool hanging[DEVICES]; /* under the lock */
	pthread_cond_t goes_on;
	atomic_uint_least64_t work_ns[DEVICES];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .goes_on = PTHREAD_COND_INITIALIZER};

static hy_status refuse(hy_status status, hy_scope scope, const char *text)
{
	return state.host->error(state.host->ctx, status, scope, 0, text, strlen(text));
}

/* ---- completion ---- */

static uint64_t thread_cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	const struct timespec until = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
		continue;
}

static void hang(uint32_t device)
{
	pthread_mutex_lock(&state.lock);
	while (state.hanging[device])
		pthread_cond_wait(&state.goes_on, &state.lock);
	pthread_mutex_unlock(&state.lock);
}

static const opened *ticket_take(uint64_t ticket)
{
	const opened *found = NULL;
	pthread_mutex_lock(&state.lock);
	for (uint32_t i = 0; i < TICKETS && found == NULL; i++) {
		if (state.on_way[i].ticket != ticket) continue;
		found = state.on_way[i].opening;
		state.on_way[i].ticket = 0;
	}
	pthread_mutex_unlock(&state.lock);
	return found;
}

static bool ticket_put(uint64_t ticket, const opened *opening)
{
	bool put = false;
	pthread_mutex_lock(&state.lock);
	for (uint32_t i = 0; i < TICKETS && !put; i++) {
		if (state.on_way[i].ticket != 0) continue;
		state.on_way[i] = (on_way){ticket, opening};
		put = true;
	}
	pthread_mutex_unlock(&state.lock);
	return put;
}

/* What the thread spent before; the completion itself is the host's work. */
static _Thread_local uint64_t spent_ns;

/* On the thread that computed. */
static void complete(void *ctx, uint64_t ticket, const hy_done *done)
{
	static const char gone[] = "throttle: the device is gone";
	(void)ctx;
	const opened *opening = ticket_take(ticket);
	hy_done own = *done;
	if (opening != NULL && done->status == HY_OK) {
		const uint64_t wall_ns = done->end_ns - done->begin_ns;
		uint64_t work_ns = thread_cpu_ns() - spent_ns;
		if (work_ns > wall_ns) work_ns = wall_ns; /* compiling was on this thread, too */
		atomic_fetch_add(&state.work_ns[opening->number], work_ns);
		const double duty = opening->duty * atomic_load(&state.speed[opening->number]);
		const uint64_t least_ns = (uint64_t)((double)work_ns / duty);
		if (least_ns > wall_ns) {
			sleep_until(done->begin_ns + least_ns);
			own.end_ns = state.host->now_ns(state.host->ctx);
		}
		hang(opening->number);
		if (atomic_load(&state.gone[opening->number])) {
			own.status = HY_DEVICE_LOST;
			own.scope = HY_SCOPE_DEVICE;
			own.text = gone;
			own.text_length = sizeof(gone) - 1;
		}
	}
	state.host->complete(state.host->ctx, ticket, &own);
	spent_ns = thread_cpu_ns();
}

/* ---- the host, as the plugin cpu sees it ---- */

static void host_log(void *ctx, int32_t level, const char *text, size_t length)
{
	(void)ctx;
	state.host->log(state.host->ctx, level, text, length);
}

static hy_status host_error(void *ctx, hy_status status, hy_scope scope, int32_t native, const char *text,
                            size_t length)
{
	(void)ctx;
	return state.host->error(state.host->ctx, status, scope, native, text, length);
}

static uint64_t host_now_ns(void *ctx)
{
	(void)ctx;
	return state.host->now_ns(state.host->ctx);
}

/* ---- the table ---- */

static hy_status device_count(void *ctx, uint32_t *out_count)
{
	(void)ctx;
	uint32_t inner = 0;
	const hy_status status = state.cpu.device_count(state.cpu.ctx, &inner);
	if (status == HY_OK) *out_count = inner > 0 ? (uint32_t)DEVICES : 0;
	return status;
}

static hy_status device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	(void)ctx;
	hy_device_info info = {.size = sizeof(info)};
	const hy_status status = state.cpu.device_info(state.cpu.ctx, 0, &info);
	if (status != HY_OK) return status;
	snprintf(info.id, sizeof(info.id), "throttled-%u", index);
	memset(info.uuid, 0, sizeof(info.uuid));
	HY_PUT(out_info, &info);
	return HY_OK;
}

static hy_status device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device)
{
	(void)ctx;
	hy_option left[16];
	uint32_t count = 0;
	double duty = 1;
	if (index >= DEVICES) return refuse(HY_NOT_FOUND, HY_SCOPE_CALL, "throttle: no such device");
	if (atomic_load(&state.gone[index]))
		return refuse(HY_DEVICE_LOST, HY_SCOPE_CALL, "throttle: the device is gone");
	for (uint32_t i = 0; i < option_count; i++) {
		if (strcmp(options[i].key, "duty") == 0)
			duty = strtod(options[i].value, NULL);
		else if (count < sizeof(left) / sizeof(left[0]))
			left[count++] = options[i];
	}
	if (!(duty > 0 && duty <= 1)) return refuse(HY_INVALID, HY_SCOPE_CALL, "throttle: duty=D wants 0 < D <= 1");
	const hy_status status = state.cpu.device_open(state.cpu.ctx, 0, left, count, out_device);
	if (status != HY_OK) return status;
	pthread_mutex_lock(&state.lock);
	uint32_t at = 0;
	while (at < OPENINGS && state.openings[at].device != NULL)
		at++;
	if (at < OPENINGS) state.openings[at] = (opened){*out_device, index, duty};
	pthread_mutex_unlock(&state.lock);
	if (at < OPENINGS) return HY_OK;
	state.cpu.device_close(*out_device);
	return refuse(HY_NO_MEMORY, HY_SCOPE_CALL, "throttle: opened too often");
}

static void device_close(hy_device *device)
{
	pthread_mutex_lock(&state.lock);
	for (uint32_t i = 0; i < OPENINGS; i++)
		if (state.openings[i].device == device) state.openings[i].device = NULL;
	pthread_mutex_unlock(&state.lock);
	state.cpu.device_close(device);
}

static hy_status queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	const hy_status status = state.cpu.queue_open(device, kind, out_queue);
	if (status != HY_OK) return status;
	uint32_t at = 0, of = 0;
	pthread_mutex_lock(&state.lock);
	while (at < OPENINGS && state.queues[at].queue != NULL)
		at++;
	while (of < OPENINGS && state.openings[of].device != device)
		of++;
	const bool fits = at < OPENINGS && of < OPENINGS;
	if (fits) {
		state.queues[at].queue = *out_queue;
		state.queues[at].opening = &state.openings[of];
	}
	pthread_mutex_unlock(&state.lock);
	if (fits) return HY_OK;
	state.cpu.queue_close(*out_queue);
	return refuse(HY_NO_MEMORY, HY_SCOPE_CALL, "throttle: too many queues");
}

static void queue_close(hy_queue *queue)
{
	state.cpu.queue_close(queue);
	pthread_mutex_lock(&state.lock);
	for (uint32_t i = 0; i < OPENINGS; i++)
		if (state.queues[i].queue == queue) state.queues[i].queue = NULL;
	pthread_mutex_unlock(&state.lock);
}

static hy_status submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	const opened *opening = NULL;
	pthread_mutex_lock(&state.lock);
	for (uint32_t i = 0; i < OPENINGS && opening == NULL; i++)
		if (state.queues[i].queue == queue) opening = state.queues[i].opening;
	pthread_mutex_unlock(&state.lock);
	if (opening != NULL && atomic_load(&state.gone[opening->number]))
		return refuse(HY_DEVICE_LOST, HY_SCOPE_DEVICE, "throttle: the device is gone");
	if (opening == NULL || !ticket_put(ticket, opening))
		return refuse(HY_INTERNAL, HY_SCOPE_CALL, "throttle: too many submissions");
	const hy_status status = state.cpu.submit(queue, batch, ticket);
	if (status != HY_OK) (void)ticket_take(ticket);
	return status;
}

/* ---- the extension ---- */

static void set_speed(uint32_t device, double speed)
{
	atomic_store(&state.speed[device], speed);
}

static void set_gone(uint32_t device, uint32_t gone)
{
	atomic_store(&state.gone[device], gone != 0);
}

static void set_hanging(uint32_t device, uint32_t hanging)
{
	pthread_mutex_lock(&state.lock);
	state.hanging[device] = hanging != 0;
	pthread_cond_broadcast(&state.goes_on);
	pthread_mutex_unlock(&state.lock);
}

static uint64_t work_ns(uint32_t device)
{
	return atomic_load(&state.work_ns[device]);
}

static const hy_ext_throttle throttle = {
	.size = sizeof(throttle),
	.set_speed = set_speed,
	.set_gone = set_gone,
	.set_hanging = set_hanging,
	.work_ns = work_ns,
};

static const void *ext(void *ctx, const char *name, uint32_t version)
{
	(void)ctx;
	if (strcmp(name, HY_EXT_THROTTLE) == 0) return version == 1 ? &throttle : NULL;
	return state.cpu.ext(state.cpu.ctx, name, version);
}

static void shut_down(void *ctx)
{
	(void)ctx;
	if (state.cpu.shutdown != NULL) state.cpu.shutdown(state.cpu.ctx);
}

HY_EXPORT hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	state.host = host;
	void *library = dlopen(HY_CPU_PLUGIN, RTLD_NOW | RTLD_LOCAL);
	hy_plugin_entry entry = NULL;
	if (library != NULL) *(void **)&entry = dlsym(library, "hy_plugin_entry_v1");
	if (entry == NULL) return refuse(HY_NOT_FOUND, HY_SCOPE_CALL, "throttle: cannot load " HY_CPU_PLUGIN);
	state.own_host = *host;
	state.own_host.ctx = NULL;
	state.own_host.log = host_log;
	state.own_host.error = host_error;
	state.own_host.complete = complete;
	state.own_host.now_ns = host_now_ns;
	state.cpu.size = sizeof(state.cpu);
	const hy_status status = entry(&state.own_host, &state.cpu);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < DEVICES; i++)
		atomic_init(&state.speed[i], 1);
	hy_plugin own = state.cpu;
	own.size = sizeof(own);
	own.name = "throttle";
	own.ctx = NULL;
	own.shutdown = shut_down;
	own.device_count = device_count;
	own.device_info = device_info;
	own.device_open = device_open;
	own.device_close = device_close;
	own.queue_open = queue_open;
	own.queue_close = queue_close;
	own.submit = submit;
	own.ext = ext;
	HY_PUT(table, &own);
	return HY_OK;
}
