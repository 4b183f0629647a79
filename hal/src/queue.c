/* Queues: submit, completion, waiting, and closing with everything accounted for. */
#include "queue.h"

#include "device.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct hy_hal_queue {
	hy_hal_device *device;
	hy_queue *handle;
	atomic_uint pending_count; /* accepted, on_done not yet returned */
	atomic_bool is_lost; /* after a failure of scope QUEUE, or a run that timed out */
	pthread_mutex_t lock; /* with `changed`: a run that waits, or close */
	pthread_cond_t changed;
	bool is_done; /* of the run that waits */
	hy_done done;
	char text[HY_ERROR_TEXT_BYTES];
};

/* ---- completion ---- */

/* What the plugin says about a ticket, in bounds: a done of our size whose text is in `text`. */
static hy_done checked(const hy_done *done, char text[HY_ERROR_TEXT_BYTES])
{
	hy_done own = {.size = sizeof(own)};
	text[0] = '\0';
	if (done == NULL || done->size < offsetof(hy_done, begin_ns)) {
		own.status = HY_INTERNAL;
		own.scope = HY_SCOPE_QUEUE;
		own.text = "completed without a record of what happened (P1)";
		own.text_length = (uint32_t)strlen(own.text);
		return own;
	}
	memcpy(&own, done, done->size < sizeof(own) ? done->size : sizeof(own));
	own.size = sizeof(own);
	if (own.end_ns < own.begin_ns) own.begin_ns = own.end_ns = 0;
	if (own.status == HY_OK) {
		own.scope = HY_SCOPE_CALL;
		own.text = NULL;
		own.text_length = 0;
		return own;
	}
	if (hy_status_name(own.status)[0] == '?') own.status = HY_INTERNAL;
	if (own.scope > HY_SCOPE_PROCESS) own.scope = HY_SCOPE_DEVICE;
	if (own.status == HY_DEVICE_LOST && own.scope == HY_SCOPE_CALL) own.scope = HY_SCOPE_DEVICE;
	hy_hal__text_copy(text, HY_ERROR_TEXT_BYTES, own.text, own.text == NULL ? 0 : own.text_length);
	if (text[0] == '\0') hy_hal__text_copy(text, HY_ERROR_TEXT_BYTES, hy_status_text(own.status), SIZE_MAX);
	own.text = text;
	own.text_length = (uint32_t)strlen(text);
	return own;
}

/* The last touch of the queue by a completion: close may free it afterwards. */
static void release_pending(hy_hal_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	if (atomic_fetch_sub(&queue->pending_count, 1) == 1) pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

void hy_hal__queue_complete(const hy_hal__ticket *ticket, uint64_t number, const hy_done *done)
{
	hy_hal_queue *queue = ticket->queue;
	hy_hal_device *device = queue->device;
	char text[HY_ERROR_TEXT_BYTES];
	const hy_done own = checked(done, text);
	device->calls->completed(device->calls, number, &own);
	if (own.status != HY_OK && own.scope >= HY_SCOPE_QUEUE) atomic_store(&queue->is_lost, true);
	if (own.status != HY_OK) hy_hal__device_failed(device, own.scope, own.text);
	ticket->on_done(ticket->payload, &own);
	release_pending(queue);
}

/* ---- submit ---- */

static hy_status check(hy_hal_queue *queue, hy_error *error)
{
	const hy_status status = hy_hal__device_check(queue->device, "submit", error);
	if (status != HY_OK) return status;
	if (!atomic_load_explicit(&queue->is_lost, memory_order_relaxed)) return HY_OK;
	hy_error_set(error, HY_DEVICE_LOST, "%s: submit: the queue was lost: close it and open another",
	             queue->device->info->id);
	if (error != NULL) error->scope = HY_SCOPE_QUEUE;
	return HY_DEVICE_LOST;
}

hy_status hy_hal_queue_submit(hy_hal_queue *queue, uint32_t command_count, const hy_command *commands,
                              hy_hal_done_fn on_done, void *payload, hy_error *error)
{
	hy_status status = check(queue, error);
	if (status != HY_OK) return status;
	hy_hal_device *device = queue->device;
	hy_hal__ticket ticket = {queue, on_done, payload};
	const uint64_t number = hy_hal__tickets_give(&device->plugin->tickets, &ticket);
	if (number == 0)
		return hy_error_set(error, HY_BUSY, "%s: submit: %u submissions are in flight already",
		                    device->info->id, HY_HAL__TICKETS);
	atomic_fetch_add_explicit(&queue->pending_count, 1, memory_order_relaxed);
	const hy_batch batch = {
		.size = sizeof(batch),
		.command_count = command_count,
		.command_stride = sizeof(*commands),
		.commands = commands,
	};
	hy_hal__call call;
	hy_hal__call_begin(&call);
	status = device->calls->submit(device->calls, queue->handle, &batch, number);
	status = hy_hal__device_end(device, &call, status, "submit", error);
	if (status == HY_OK) return HY_OK;
	if (!hy_hal__tickets_take(&device->plugin->tickets, number, &ticket)) {
		hy_hal__plugin_log(device->plugin, HY_LOG_ERROR,
		                   "refused a submission whose ticket it had completed (P10): %s", call.text);
		return HY_OK; /* on_done was called: its answer counts */
	}
	if (call.scope >= HY_SCOPE_QUEUE) atomic_store(&queue->is_lost, true);
	release_pending(queue);
	return status;
}

/* ---- run ---- */

static void wake_run(void *payload, const hy_done *done)
{
	hy_hal_queue *queue = payload;
	pthread_mutex_lock(&queue->lock);
	queue->done = *done;
	if (done->text != NULL) {
		hy_hal__text_copy(queue->text, sizeof(queue->text), done->text, done->text_length);
		queue->done.text = queue->text;
	}
	queue->is_done = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

/* False when the limit passed first; 0: no limit. */
static bool wait_run(hy_hal_queue *queue, uint64_t timeout_ns)
{
	const uint64_t now = hy_hal_now_ns();
	const uint64_t limit = timeout_ns > UINT64_MAX / 4 - now ? UINT64_MAX / 4 : now + timeout_ns;
	const struct timespec until = {.tv_sec = (time_t)(limit / 1000000000u), .tv_nsec = (long)(limit % 1000000000u)};
	int failure = 0;
	pthread_mutex_lock(&queue->lock);
	while (!queue->is_done && failure == 0)
		failure = timeout_ns == 0 ? pthread_cond_wait(&queue->changed, &queue->lock)
		                          : pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
	const bool is_done = queue->is_done;
	pthread_mutex_unlock(&queue->lock);
	return is_done;
}

hy_status hy_hal_queue_run(hy_hal_queue *queue, uint32_t command_count, const hy_command *commands, uint64_t timeout_ns,
                           hy_done *out_done, hy_error *error)
{
	queue->is_done = false;
	const hy_status status = hy_hal_queue_submit(queue, command_count, commands, wake_run, queue, error);
	if (status != HY_OK) return status;
	const char *id = queue->device->info->id;
	if (!wait_run(queue, timeout_ns)) {
		atomic_store(&queue->is_lost, true);
		return hy_error_set(error, HY_TIMEOUT, "%s: not done after %" PRIu64 " ms: close the queue", id,
		                    timeout_ns / 1000000u);
	}
	if (out_done != NULL) *out_done = queue->done;
	if (queue->done.status == HY_OK) return HY_OK;
	if (error != NULL) {
		hy_error_set(error, queue->done.status, "%s: %s", id, queue->done.text);
		error->scope = queue->done.scope;
		error->native = queue->done.native;
	}
	return queue->done.status;
}

/* ---- open and close ---- */

hy_status hy_hal_queue_open(hy_hal_device *device, uint32_t kind, hy_hal_queue **out_queue, hy_error *error)
{
	hy_status status = hy_hal__device_check(device, "queue_open", error);
	if (status != HY_OK) return status;
	hy_hal_queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	hy_hal__call call;
	hy_hal__call_begin(&call);
	status = device->calls->queue_open(device->calls, device->handle, kind, &queue->handle);
	if (status == HY_OK && queue->handle == NULL) status = HY_INTERNAL;
	status = hy_hal__device_end(device, &call, status, "queue_open", error);
	if (status != HY_OK) {
		free(queue);
		return status;
	}
	queue->device = device;
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_init(&queue->lock, NULL);
	atomic_fetch_add(&device->child_count, 1);
	*out_queue = queue;
	return HY_OK;
}

/* What the plugin left open although its queue is closed is completed here: no submitter waits for ever. */
static void complete_rest(hy_hal_queue *queue)
{
	hy_hal__plugin *plugin = queue->device->plugin;
	const hy_done done = {
		.size = sizeof(done),
		.status = HY_INTERNAL,
		.scope = HY_SCOPE_QUEUE,
		.text = "the plugin closed the queue without completing this (P10)",
		.text_length = 57,
	};
	for (uint64_t number; (number = hy_hal__tickets_of(&plugin->tickets, queue)) != 0;) {
		hy_hal__ticket ticket;
		if (!hy_hal__tickets_take(&plugin->tickets, number, &ticket)) continue;
		hy_hal__plugin_log(plugin, HY_LOG_ERROR, "closed a queue without completing ticket %#" PRIx64 " (P10)",
		                   number);
		hy_hal__queue_complete(&ticket, number, &done);
	}
}

void hy_hal_queue_close(hy_hal_queue *queue)
{
	if (queue == NULL) return;
	hy_hal_device *device = queue->device;
	device->calls->queue_close(device->calls, queue->handle);
	if (atomic_load(&queue->pending_count) > 0) complete_rest(queue);
	pthread_mutex_lock(&queue->lock);
	while (atomic_load(&queue->pending_count) > 0)
		pthread_cond_wait(&queue->changed, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
	atomic_fetch_sub(&device->child_count, 1);
	free(queue);
}
