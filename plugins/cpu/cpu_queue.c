/* A queue: batches are checked and copied by submit(), then run one after the other on the device's worker. */
#include "cpu.h"

#include <stdlib.h>

struct hy_queue {
	hy_device *device;
};

typedef struct ticket_job {
	hy_cpu_job job;
	hy_device *device;
	uint64_t ticket;
	uint32_t command_count;
	hy_command commands[];
} ticket_job;

static void *ref_data(const hy_ref *ref)
{
	if (ref->buffer != NULL) return ref->buffer->data + ref->offset;
	return (void *)(uintptr_t)ref->offset;
}

static bool ref_is_inside(const hy_ref *ref)
{
	if (ref->buffer == NULL) return ref->offset != 0 || ref->length == 0;
	return ref->offset <= ref->buffer->length && ref->length <= ref->buffer->length - ref->offset;
}

static hy_status exec_check(const hy_command *command, uint32_t index, hy_error *error)
{
	if (command->exe == NULL) return hy_error_set(error, HY_INVALID, "cpu: command %u: EXEC without exe", index);
	const uint32_t count = hy_cpu_exe_binding_count(command->exe);
	if (command->binding_count != count) {
		return hy_error_set(error, HY_INVALID, "cpu: command %u: %u bindings given, %u wanted", index,
		                    command->binding_count, count);
	}
	for (uint32_t i = 0; i < count; i++) {
		const hy_ref *ref = &command->bindings[i];
		const uint64_t wanted = hy_cpu_exe_binding_bytes(command->exe, i);
		if (!ref_is_inside(ref) || ref->length < wanted || ref->offset % HY_CPU_ALIGN != 0) {
			return hy_error_set(error, HY_INVALID,
			                    "cpu: command %u: binding %u needs %llu bytes inside its buffer, aligned "
			                    "to %u",
			                    index, i, (unsigned long long)wanted, HY_CPU_ALIGN);
		}
	}
	const hy_ref *workspace = &command->workspace;
	const uint64_t wanted = hy_cpu_exe_workspace_bytes(command->exe);
	if (wanted > 0 &&
	    (!ref_is_inside(workspace) || workspace->length < wanted || workspace->offset % HY_CPU_ALIGN != 0)) {
		return hy_error_set(error, HY_INVALID,
		                    "cpu: command %u: the workspace needs %llu bytes inside its buffer, aligned to %u",
		                    index, (unsigned long long)wanted, HY_CPU_ALIGN);
	}
	return HY_OK;
}

static hy_status command_check(const hy_command *command, uint32_t index, hy_error *error)
{
	switch (command->kind) {
	case HY_COMMAND_COPY:
		if (!ref_is_inside(&command->target) || !ref_is_inside(&command->source) ||
		    command->target.length != command->source.length) {
			return hy_error_set(error, HY_INVALID,
			                    "cpu: command %u: COPY needs equal lengths inside the buffers", index);
		}
		return HY_OK;
	case HY_COMMAND_FILL:
		if (!ref_is_inside(&command->target)) {
			return hy_error_set(error, HY_INVALID, "cpu: command %u: FILL beyond the buffer", index);
		}
		return HY_OK;
	case HY_COMMAND_EXEC:
		return exec_check(command, index, error);
	default:
		return hy_error_set(error, HY_UNSUPPORTED, "cpu: command %u: unknown kind %u", index, command->kind);
	}
}

static hy_status command_run(const hy_command *command, hy_error *error)
{
	if (command->kind == HY_COMMAND_COPY) {
		if (command->source.length > 0)
			memcpy(ref_data(&command->target), ref_data(&command->source), command->source.length);
		return HY_OK;
	}
	if (command->kind == HY_COMMAND_FILL) {
		if (command->target.length > 0)
			memset(ref_data(&command->target), (int)(command->pattern & 0xff), command->target.length);
		return HY_OK;
	}
	void *few[16], **addresses = few;
	if (command->binding_count > 16) addresses = malloc(command->binding_count * sizeof(*addresses));
	if (addresses == NULL) return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory for bindings");
	for (uint32_t i = 0; i < command->binding_count; i++)
		addresses[i] = ref_data(&command->bindings[i]);
	const hy_status status = hy_cpu_exe_run(command->exe, ref_data(&command->workspace), addresses, error);
	if (addresses != few) free(addresses);
	return status;
}

static void ticket_run(hy_cpu_job *job)
{
	ticket_job *t = (ticket_job *)(void *)job;
	const hy_host *host = t->device->host;
	hy_error error = {0};
	hy_done done = {.size = sizeof(done), .begin_ns = host->now_ns(host->ctx)};
	for (uint32_t i = 0; i < t->command_count && done.status == HY_OK; i++)
		done.status = command_run(&t->commands[i], &error);
	done.end_ns = host->now_ns(host->ctx);
	if (done.status != HY_OK) {
		done.scope = error.scope;
		done.native = error.native;
		done.text = error.text;
		done.text_length = (uint32_t)strlen(error.text);
	}
	const uint64_t ticket = t->ticket;
	free(t);
	host->complete(host->ctx, ticket, &done);
}

static void ticket_cancel(hy_cpu_job *job)
{
	static const char text[] = "cpu: the queue was closed before this ran";
	ticket_job *t = (ticket_job *)(void *)job;
	const hy_host *host = t->device->host;
	const hy_done done = {.size = sizeof(done),
	                      .status = HY_CANCELLED,
	                      .scope = HY_SCOPE_CALL,
	                      .text = text,
	                      .text_length = (uint32_t)sizeof(text) - 1};
	const uint64_t ticket = t->ticket;
	free(t);
	host->complete(host->ctx, ticket, &done);
}

hy_status hy_cpu_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	hy_error error = {0};
	if (kind != HY_QUEUE_COMPUTE && kind != HY_QUEUE_COPY) {
		(void)hy_error_set(&error, HY_INVALID, "cpu: unknown queue kind %u", kind);
		return hy_cpu_fail(device->host, &error);
	}
	hy_queue *queue = malloc(sizeof(*queue));
	if (queue == NULL) {
		(void)hy_error_set(&error, HY_NO_MEMORY, "cpu: no memory for a queue");
		return hy_cpu_fail(device->host, &error);
	}
	queue->device = device;
	*out_queue = queue;
	return HY_OK;
}

void hy_cpu_queue_close(hy_queue *queue)
{
	if (queue == NULL) return;
	hy_cpu_worker_cancel(queue->device->worker, queue);
	free(queue);
}

hy_status hy_cpu_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	hy_error error = {0};
	const uint32_t count = batch->command_count;
	for (uint32_t i = 0; i < count; i++) {
		if (command_check(hy_batch_at(batch, i), i, &error) != HY_OK)
			return hy_cpu_fail(queue->device->host, &error);
	}
	ticket_job *t = malloc(sizeof(*t) + count * sizeof(hy_command));
	if (t == NULL) {
		(void)hy_error_set(&error, HY_NO_MEMORY, "cpu: no memory for a ticket");
		return hy_cpu_fail(queue->device->host, &error);
	}
	*t = (ticket_job){.job = {.owner = queue, .run = ticket_run, .cancel = ticket_cancel},
	                  .device = queue->device,
	                  .ticket = ticket,
	                  .command_count = count};
	for (uint32_t i = 0; i < count; i++)
		t->commands[i] = *hy_batch_at(batch, i);
	hy_cpu_worker_push(queue->device->worker, &t->job);
	return HY_OK;
}
