/* A queue: one worker that takes batches in order, and tells the host when each is done. */
#include "abacus.h"

#include <stdlib.h>

/* A batch as it was submitted: commands and bindings are copied, since commands are lent for the call only. */
typedef struct job {
	struct job *next;
	uint64_t ticket;
	uint32_t count;
	hy_command commands[];
} job;

struct hy_queue {
	hy_device *device;
	pthread_t worker;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	job *first, **last;
	bool closes;
};

void *abacus_at(hy_ref ref)
{
	return ref.buffer != NULL ? ref.buffer->beads + ref.offset : (void *)(uintptr_t)ref.offset;
}

/* NULL, or why a command cannot be done. */
static const char *do_command(const hy_command *command)
{
	const hy_ref target = command->target;
	switch (command->kind) {
	case HY_COMMAND_COPY:
		if (target.length != command->source.length) return "COPY: the lengths differ";
		if (target.length > 0) memcpy(abacus_at(target), abacus_at(command->source), target.length);
		return NULL;
	case HY_COMMAND_FILL:
		if (target.length > 0) memset(abacus_at(target), (int)(command->pattern & 0xff), target.length);
		return NULL;
	case HY_COMMAND_EXEC:
		if (command->exe == NULL) return "EXEC: no program is named";
		return abacus_execute(command->exe, command->binding_count, command->bindings, &command->workspace);
	default:
		return "unknown command";
	}
}

/* Does the job, or gives it up, and frees it. */
static void finish(const hy_queue *queue, job *j, bool give_up)
{
	const hy_host *host = queue->device->host;
	hy_done done = {.size = sizeof(done), .begin_ns = host->now_ns(host->ctx)};
	for (uint32_t i = 0; i < j->count && done.text == NULL && !give_up; i++)
		done.text = do_command(&j->commands[i]);
	if (done.text != NULL) done.status = HY_INVALID;
	if (give_up) {
		done.status = HY_CANCELLED;
		done.text = "the queue was closed before this began";
	}
	if (done.text != NULL) done.text_length = (uint32_t)strlen(done.text);
	done.end_ns = host->now_ns(host->ctx);
	const uint64_t ticket = j->ticket;
	free(j);
	host->complete(host->ctx, ticket, &done);
}

static void *work(void *argument)
{
	hy_queue *queue = argument;
	pthread_mutex_lock(&queue->lock);
	for (;;) {
		while (queue->first == NULL && !queue->closes)
			pthread_cond_wait(&queue->changed, &queue->lock);
		job *j = queue->first;
		if (j == NULL) break;
		queue->first = j->next;
		if (queue->first == NULL) queue->last = &queue->first;
		const bool give_up = queue->closes;
		pthread_mutex_unlock(&queue->lock); /* the host is never called with a lock held (P6) */
		finish(queue, j, give_up);
		pthread_mutex_lock(&queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

hy_status abacus_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	if (kind != HY_QUEUE_COMPUTE && kind != HY_QUEUE_COPY)
		return abacus_fail(device->host, HY_INVALID, "no such kind of queue");
	hy_queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL) return abacus_fail(device->host, HY_NO_MEMORY, "host memory exhausted");
	queue->device = device;
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->changed, NULL);
	if (pthread_create(&queue->worker, NULL, work, queue) != 0) {
		free(queue);
		return abacus_fail(device->host, HY_NO_MEMORY, "no thread for another queue");
	}
	*out_queue = queue;
	return HY_OK;
}

/* What the worker has begun ends; what waits is completed as CANCELLED (P10). */
void abacus_queue_close(hy_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closes = true;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	pthread_join(queue->worker, NULL);
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

hy_status abacus_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	job *j = malloc(sizeof(*j) + batch->command_count * sizeof(j->commands[0]));
	if (j == NULL) return abacus_fail(queue->device->host, HY_NO_MEMORY, "host memory exhausted");
	*j = (job){.ticket = ticket, .count = batch->command_count};
	for (uint32_t i = 0; i < batch->command_count; i++)
		j->commands[i] = *hy_batch_at(batch, i);
	pthread_mutex_lock(&queue->lock);
	*queue->last = j;
	queue->last = &j->next;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	return HY_OK;
}
