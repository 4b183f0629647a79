/* A queue: an in-order queue of OpenCL's, filled by submit, and a thread that waits for what was submitted, in order,
 * and completes it. Commands of the next batch are already there when one ends; no driver callback is needed. */
#include "opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pending {
	struct pending *next;
	uint64_t ticket;
	cl_event first, last; /* first may be NULL */
	hy_opencl_run *runs; /* of exes that are being measured */
} pending;

struct hy_queue {
	hy_device *device;
	cl_command_queue queue;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t more;
	pending *head, **tail;
	bool closing;
	int32_t lost; /* code of a failure of scope QUEUE or DEVICE */
};

static void finish_pending(const hy_opencl_api *api, pending *item)
{
	if (item->first != NULL) api->clReleaseEvent(item->first);
	if (item->last != NULL && item->last != item->first) api->clReleaseEvent(item->last);
	while (item->runs != NULL) {
		hy_opencl_run *run = item->runs;
		item->runs = run->next;
		hy_opencl_exe_measured(api, run);
	}
	free(item);
}

/* Device time of the batch, laid before the moment at which its end was seen. */
static void set_times(const hy_queue *queue, const pending *item, hy_done *done)
{
	const hy_opencl_api *api = queue->device->api;
	const hy_host *host = queue->device->plugin->host;
	uint64_t begin = 0, end = 0;
	done->end_ns = host->now_ns(host->ctx);
	if (item->first != NULL &&
	    api->clGetEventProfilingInfo(item->first, OCL_PROFILING_COMMAND_START, sizeof(begin), &begin, NULL) == 0 &&
	    api->clGetEventProfilingInfo(item->last, OCL_PROFILING_COMMAND_END, sizeof(end), &end, NULL) == 0 &&
	    end >= begin && end - begin <= done->end_ns)
		done->begin_ns = done->end_ns - (end - begin);
	else
		done->begin_ns = done->end_ns;
}

static void complete(hy_queue *queue, pending *item)
{
	const hy_opencl_api *api = queue->device->api;
	const hy_host *host = queue->device->plugin->host;
	int32_t code = api->clWaitForEvents(1, &item->last), state = 0;
	/* the state tells which failure; waiting only that there was one */
	if (api->clGetEventInfo(item->last, OCL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state, NULL) == 0 &&
	    state < 0)
		code = state;
	hy_done done = {.size = sizeof(done), .status = hy_opencl_status(code), .native = code};
	char text[128];
	if (code == OCL_SUCCESS) {
		set_times(queue, item, &done);
	} else {
		done.scope = hy_opencl_scope(code);
		if (done.scope < HY_SCOPE_QUEUE) done.scope = HY_SCOPE_QUEUE; /* later commands may have been dropped */
		snprintf(text, sizeof(text), "%s: work failed: %s (%d)", queue->device->found->name,
		         hy_opencl_api_name(code), (int)code);
		done.text = text;
		done.text_length = (uint32_t)strlen(text);
		pthread_mutex_lock(&queue->lock);
		queue->lost = code;
		pthread_mutex_unlock(&queue->lock);
	}
	const uint64_t ticket = item->ticket;
	finish_pending(api, item);
	host->complete(host->ctx, ticket, &done);
}

static void *wait_loop(void *argument)
{
	hy_queue *queue = argument;
	pthread_mutex_lock(&queue->lock);
	for (;;) {
		while (queue->head == NULL && !queue->closing)
			pthread_cond_wait(&queue->more, &queue->lock);
		pending *item = queue->head;
		if (item == NULL) break;
		queue->head = item->next;
		if (queue->head == NULL) queue->tail = &queue->head;
		pthread_mutex_unlock(&queue->lock);
		complete(queue, item);
		pthread_mutex_lock(&queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

hy_status hy_opencl_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	if (kind != HY_QUEUE_COMPUTE && kind != HY_QUEUE_COPY)
		return hy_opencl_refuse(device->plugin, HY_INVALID, "no queue of kind %u", kind);
	hy_queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL) return hy_opencl_refuse(device->plugin, HY_NO_MEMORY, "out of memory");
	queue->device = device;
	queue->tail = &queue->head;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->more, NULL);
	int32_t code = OCL_SUCCESS;
	hy_status status = HY_OK;
	queue->queue = device->api->clCreateCommandQueue(device->context, device->id, OCL_QUEUE_PROFILING_ENABLE,
	                                                 &code);
	if (code != OCL_SUCCESS) {
		status = hy_opencl_fail(device->plugin, code, "no command queue");
	} else if (pthread_create(&queue->thread, NULL, wait_loop, queue) != 0) {
		status = hy_opencl_refuse(device->plugin, HY_NO_MEMORY, "no thread for a queue");
	} else {
		queue->has_thread = true;
		*out_queue = queue;
		return HY_OK;
	}
	hy_opencl_queue_close(queue);
	return status;
}

void hy_opencl_queue_close(hy_queue *queue)
{
	if (queue == NULL) return;
	pthread_mutex_lock(&queue->lock);
	queue->closing = true;
	pthread_cond_signal(&queue->more);
	pthread_mutex_unlock(&queue->lock);
	if (queue->has_thread) pthread_join(queue->thread, NULL);
	if (queue->queue != NULL) queue->device->api->clReleaseCommandQueue(queue->queue);
	pthread_cond_destroy(&queue->more);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

/* ---- submit ---- */

/* The batch's first event is kept, and the last; those between are given back. */
static void keep_event(const hy_opencl_api *api, pending *item, cl_event event)
{
	if (item->last != NULL && item->last != item->first) api->clReleaseEvent(item->last);
	if (item->first == NULL) item->first = event;
	item->last = event;
}

static hy_status start_copy(hy_queue *queue, const hy_command *command, pending *item)
{
	const hy_opencl_api *api = queue->device->api;
	const hy_ref *to = &command->target, *from = &command->source;
	void *const host_to = (void *)(uintptr_t)to->offset;
	const void *const host_from = (const void *)(uintptr_t)from->offset;
	if (to->length != from->length)
		return hy_opencl_refuse(queue->device->plugin, HY_INVALID, "a copy between lengths %llu and %llu",
		                        (unsigned long long)from->length, (unsigned long long)to->length);
	if (to->length == 0) return HY_OK;
	cl_event event = NULL;
	int32_t code = OCL_SUCCESS;
	if (to->buffer != NULL && from->buffer != NULL) {
		code = api->clEnqueueCopyBuffer(queue->queue, from->buffer->memory, to->buffer->memory, from->offset,
		                                to->offset, to->length, 0, NULL, &event);
	} else if (to->buffer != NULL) {
		code = api->clEnqueueWriteBuffer(queue->queue, to->buffer->memory, 0, to->offset, to->length, host_from,
		                                 0, NULL, &event);
	} else if (from->buffer != NULL) {
		code = api->clEnqueueReadBuffer(queue->queue, from->buffer->memory, 0, from->offset, to->length,
		                                host_to, 0, NULL, &event);
	} else {
		/* between host addresses nothing of OpenCL's is involved, but the order of the queue holds */
		code = api->clFinish(queue->queue);
		if (code == OCL_SUCCESS) memcpy(host_to, host_from, to->length);
	}
	if (code != OCL_SUCCESS) return hy_opencl_fail(queue->device->plugin, code, "a copy");
	if (event != NULL) keep_event(api, item, event);
	return HY_OK;
}

static hy_status start_fill(hy_queue *queue, const hy_command *command, pending *item)
{
	const hy_opencl_api *api = queue->device->api;
	const hy_ref *to = &command->target;
	const uint8_t pattern = (uint8_t)command->pattern;
	if (to->length == 0) return HY_OK;
	cl_event event = NULL;
	int32_t code = OCL_SUCCESS;
	if (to->buffer != NULL) {
		code = api->clEnqueueFillBuffer(queue->queue, to->buffer->memory, &pattern, 1, to->offset, to->length,
		                                0, NULL, &event);
	} else {
		code = api->clFinish(queue->queue);
		if (code == OCL_SUCCESS) memset((void *)(uintptr_t)to->offset, pattern, to->length);
	}
	if (code != OCL_SUCCESS) return hy_opencl_fail(queue->device->plugin, code, "a fill");
	if (event != NULL) keep_event(api, item, event);
	return HY_OK;
}

static hy_status start_exec(hy_queue *queue, const hy_command *command, pending *item)
{
	cl_event first = NULL, last = NULL;
	if (command->exe == NULL) return hy_opencl_refuse(queue->device->plugin, HY_INVALID, "EXEC without a program");
	const hy_status status = hy_opencl_exe_start(command->exe, queue->queue, command, &item->runs, &first, &last);
	if (first != NULL) keep_event(queue->device->api, item, first);
	if (last != NULL && last != first) keep_event(queue->device->api, item, last);
	return status;
}

static hy_status start(hy_queue *queue, const hy_command *command, pending *item)
{
	switch (command->kind) {
	case HY_COMMAND_COPY:
		return start_copy(queue, command, item);
	case HY_COMMAND_FILL:
		return start_fill(queue, command, item);
	case HY_COMMAND_EXEC:
		return start_exec(queue, command, item);
	default:
		return hy_opencl_refuse(queue->device->plugin, HY_INVALID, "no command of kind %u", command->kind);
	}
}

hy_status hy_opencl_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	const hy_opencl_api *api = queue->device->api;
	pthread_mutex_lock(&queue->lock);
	const int32_t lost = queue->lost;
	pthread_mutex_unlock(&queue->lock);
	if (lost != OCL_SUCCESS) return hy_opencl_fail(queue->device->plugin, lost, "the queue failed before");
	pending *item = calloc(1, sizeof(*item));
	if (item == NULL) return hy_opencl_refuse(queue->device->plugin, HY_NO_MEMORY, "out of memory");
	item->ticket = ticket;
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < batch->command_count && status == HY_OK; i++)
		status = start(queue, hy_batch_at(batch, i), item);
	if (status == HY_OK && item->last == NULL) {
		const int32_t code = api->clEnqueueMarkerWithWaitList(queue->queue, 0, NULL, &item->last);
		if (code != OCL_SUCCESS) status = hy_opencl_fail(queue->device->plugin, code, "a marker");
	}
	if (status != HY_OK) {
		/* what was started lends memory that the host takes back now */
		(void)api->clFinish(queue->queue);
		finish_pending(api, item);
		return status;
	}
	(void)api->clFlush(queue->queue);
	pthread_mutex_lock(&queue->lock);
	*queue->tail = item;
	queue->tail = &item->next;
	pthread_cond_signal(&queue->more);
	pthread_mutex_unlock(&queue->lock);
	return HY_OK;
}
