/* Queues of the reference plugin: a thread each, commands in order, tickets once. */
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 4096 };

typedef struct job {
	uint64_t ticket;
	uint32_t count;
	hy_command *commands;
	const hy_command *lent; /* what was submitted; gone when submit() returned */
} job;

struct hy_queue {
	hy_device *device;
	uint32_t number;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	job jobs[JOBS];
	uint32_t first, waiting;
	bool closing;
};

static unsigned char *address(const hy_ref *ref)
{
	if (ref->buffer == NULL) return (unsigned char *)(uintptr_t)ref->offset; /* NOLINT: host memory by contract */
	return ref->buffer->bytes + ref->offset;
}

/* ---- commands ---- */

static const char *copy(const hy_device *device, const hy_command *c)
{
	const plugin *self = device->plugin;
	unsigned char *target = address(&c->target), *source = address(&c->source);
	uint64_t length = c->target.length;
	if (length != c->source.length) return "COPY: the lengths differ";
	if (IS(self, copy_drops_the_last_byte) && length > 0) length--;
	if (IS(self, large_copies_are_cut_at_1_mib) && length > 1 << 20) length = 1 << 20;
	if (IS(self, copy_wrong_at_odd_target) && (c->target.offset & 1) && c->target.buffer != NULL && length > 1) {
		target++;
		length--;
	}
	if (IS(self, copy_wrong_at_odd_source) && (c->source.offset & 1) && c->source.buffer != NULL) source--;
	memmove(target, source, length);
	if (IS(self, copy_clears_its_source) && c->source.buffer != NULL && c->target.buffer != NULL)
		memset(source, 0, length);
	if (IS(self, writes_4_bytes_past_the_end) && c->target.buffer != NULL &&
	    c->target.offset + length + 4 <= c->target.buffer->length)
		memset(target + length, 0, 4);
	return NULL;
}

static const char *fill(const hy_device *device, const hy_command *c)
{
	const plugin *self = device->plugin;
	unsigned char *target = address(&c->target);
	const uint64_t length = c->target.length;
	const unsigned char value = (unsigned char)(IS(self, fill_takes_the_second_byte) ? c->pattern >> 8
	                                                                                 : c->pattern);
	memset(target, value, length);
	if (IS(self, empty_fill_writes_a_byte) && length == 0) *target = value;
	for (uint64_t i = 0; IS(self, fill_counts_up) && i < length; i++)
		target[i] = (unsigned char)(value + i % 3);
	return NULL;
}

static const char *exec(const hy_device *device, const hy_command *c)
{
	unsigned char *memory[64];
	if (c->exe == NULL && IS(device->plugin, exec_of_nothing_ends_ok)) return NULL;
	if (c->exe == NULL || c->binding_count > 64) return "EXEC: no exe, or more than 64 bindings";
	for (uint32_t i = 0; i < c->binding_count; i++)
		memory[i] = address(&c->bindings[i]);
	if (IS(device->plugin, workspace_overrun) && c->workspace.length >= 64) memset(address(&c->workspace), 0, 68);
	return reference_execute(c->exe, c->binding_count, memory, c->bindings);
}

static const char *run_command(const hy_device *device, const hy_command *c)
{
	switch (c->kind) {
	case HY_COMMAND_COPY:
		return copy(device, c);
	case HY_COMMAND_FILL:
		return fill(device, c);
	case HY_COMMAND_EXEC:
		return exec(device, c);
	default:
		return IS(device->plugin, unknown_command_ends_ok) ? NULL : "a command of unknown kind";
	}
}

/* ---- tickets ---- */

static void complete(hy_device *device, uint64_t ticket, hy_status status, const char *text, uint64_t begin)
{
	const plugin *self = device->plugin;
	hy_done done = {.size = sizeof(done),
	                .status = status,
	                .scope = status == HY_DEVICE_LOST ? HY_SCOPE_DEVICE : HY_SCOPE_CALL,
	                .begin_ns = begin,
	                .end_ns = device->host->now_ns(device->host->ctx)};
	if (text != NULL && !IS(self, failed_ticket_without_text)) {
		done.text = text;
		done.text_length = (uint32_t)strlen(text);
	}
	if (IS(self, ends_before_it_begins)) {
		done.end_ns = begin;
		done.begin_ns = begin + 1000000;
	}
	if (IS(self, times_of_another_clock)) {
		done.begin_ns /= 2;
		done.end_ns /= 2;
	}
	device->host->complete(device->host->ctx, ticket, &done);
}

static void run_job(hy_queue *queue, const job *work)
{
	hy_device *device = queue->device;
	const plugin *self = device->plugin;
	const uint64_t begin = device->host->now_ns(device->host->ctx);
	const uint32_t number = __atomic_add_fetch(&device->ticket_count, 1, __ATOMIC_RELAXED);
	if (IS(self, third_queue_never_works) && queue->number >= 3) return;
	if (IS(self, one_of_150_tickets_never_completes) && number % 150 == 0) return;
	if (IS(self, empty_batch_never_completes) && work->count == 0) return;
	if (reference_is_lost(device)) {
		if (IS(self, in_flight_is_forgotten_in_a_loss)) return;
		complete(device, work->ticket, HY_DEVICE_LOST, "the device was taken away", begin);
		return;
	}
	if (IS(self, completes_before_the_work)) {
		complete(device, work->ticket, HY_OK, NULL, begin);
		usleep(2000);
	}
	const char *fault = NULL;
	for (uint32_t i = 0; i < work->count && fault == NULL; i++) {
		if (IS(self, commands_read_after_submit)) work->commands[i].pattern = work->lent[i].pattern;
		fault = run_command(device, &work->commands[IS(self, batch_runs_backwards) ? work->count - 1 - i : i]);
		if (IS(self, failure_in_a_batch_is_swallowed) && i + 1 < work->count) fault = NULL;
	}
	if (IS(self, queues_share_scratch_memory) && work->count == 2 && work->commands[1].target.buffer == NULL) {
		static unsigned char scratch[512];
		const uint64_t length = work->commands[1].target.length;
		if (length <= sizeof(scratch)) {
			memcpy(scratch, address(&work->commands[1].target), length);
			usleep(50);
			memcpy(address(&work->commands[1].target), scratch, length);
		}
	}
	if (!IS(self, completes_before_the_work))
		complete(device, work->ticket, fault == NULL ? HY_OK : HY_INVALID, fault, begin);
	if (IS(self, one_of_100_tickets_completes_twice) && number % 100 == 0)
		complete(device, work->ticket, HY_OK, NULL, begin);
	if (IS(self, completes_a_ticket_nobody_submitted) && number == 5)
		complete(device, 987654321, HY_OK, NULL, begin);
}

static void *queue_main(void *payload)
{
	hy_queue *queue = payload;
	pthread_mutex_lock(&queue->lock);
	while (!queue->closing || queue->waiting > 0) {
		if (queue->waiting == 0) {
			pthread_cond_wait(&queue->changed, &queue->lock);
			continue;
		}
		const job work = queue->jobs[queue->first % JOBS];
		pthread_mutex_unlock(&queue->lock);
		if (!queue->closing || !IS(queue->device->plugin, close_forgets_what_waits)) run_job(queue, &work);
		free(work.commands);
		pthread_mutex_lock(&queue->lock);
		queue->first++;
		queue->waiting--;
		pthread_cond_broadcast(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

hy_status reference_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	const plugin *self = device->plugin;
	if (reference_is_lost(device) && !IS(self, calls_after_a_loss_succeed)) return reference_lost(device);
	const bool known = kind == HY_QUEUE_COMPUTE || (kind == HY_QUEUE_COPY && !IS(self, copy_queue_refused));
	if (!known && !IS(self, unknown_queue_kind_accepted))
		return reference_fail(device->host, HY_INVALID, "no such kind");
	hy_queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL && IS(self, exhaustion_in_queue_open_gives_half)) *out_queue = (hy_queue *)device;
	if (queue == NULL) return reference_exhausted(device);
	queue->device = device;
	queue->number = __atomic_add_fetch(&device->queue_count, 1, __ATOMIC_RELAXED);
	if (IS(self, fiftieth_queue_refused) && queue->number >= 50) {
		free(queue);
		return reference_fail(device->host, HY_NO_MEMORY, "fifty queues are enough");
	}
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->changed, NULL);
	if (pthread_create(&queue->thread, NULL, queue_main, queue) != 0) {
		free(queue);
		return reference_fail(device->host, HY_NO_MEMORY, "no thread could be started");
	}
	*out_queue = queue;
	return HY_OK;
}

static void *idle_main(void *payload)
{
	for (;;)
		pause();
	return payload;
}

void reference_queue_close(hy_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closing = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	pthread_join(queue->thread, NULL);
	pthread_t thread;
	if (IS(queue->device->plugin, thread_lost_per_queue)) pthread_create(&thread, NULL, idle_main, NULL);
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

static const char *batch_fault(const hy_device *device, const hy_batch *batch)
{
	for (uint32_t i = 0; i < batch->command_count; i++) {
		const hy_command *c = IS(device->plugin, command_stride_ignored) ? &batch->commands[i]
		                                                                 : hy_batch_at(batch, i);
		const bool known = c->kind >= HY_COMMAND_COPY && c->kind <= HY_COMMAND_EXEC;
		if (known || IS(device->plugin, unknown_command_ends_ok) ||
		    IS(device->plugin, failed_ticket_without_text))
			continue;
		return "a command of unknown kind";
	}
	return device->refuses_all ? "refused before" : NULL;
}

hy_status reference_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	hy_device *device = queue->device;
	const plugin *self = device->plugin;
	if (reference_is_lost(device)) {
		if (!IS(self, work_after_a_loss_ends_ok)) return reference_lost(device);
		complete(device, ticket, HY_OK, NULL, 0);
		return HY_OK;
	}
	const char *fault = batch_fault(device, batch);
	if (fault != NULL) {
		device->refuses_all = IS(self, device_unusable_after_a_refusal);
		if (IS(self, refused_ticket_is_completed)) complete(device, ticket, HY_INVALID, fault, 0);
		return reference_fail(device->host, HY_INVALID, fault);
	}
	job work = {.ticket = ticket, .count = batch->command_count, .lent = batch->commands};
	work.commands = malloc((work.count + 1) * sizeof(work.commands[0]));
	if (work.commands == NULL) {
		device->refuses_all = IS(self, exhaustion_in_submit_breaks_the_device);
		return reference_exhausted(device);
	}
	for (uint32_t i = 0; i < work.count; i++)
		work.commands[i] = IS(self, command_stride_ignored) ? batch->commands[i] : *hy_batch_at(batch, i);
	pthread_mutex_lock(&queue->lock);
	while (queue->waiting == JOBS)
		pthread_cond_wait(&queue->changed, &queue->lock);
	queue->jobs[(queue->first + queue->waiting++) % JOBS] = work;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	return HY_OK;
}
