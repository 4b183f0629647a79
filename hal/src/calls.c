/* The bottom layer, which calls the plugin, and the forwards that other layers start from. */
#include "calls.h"

#include <stdlib.h>

typedef struct direct {
	hy_hal__calls calls;
	const hy_plugin *table;
} direct;

static const hy_plugin *table_of(hy_hal__calls *self)
{
	return ((direct *)self)->table;
}

static void direct_destroy(hy_hal__calls *self)
{
	free(self);
}

static void direct_completed(hy_hal__calls *self, uint64_t ticket, const hy_done *done)
{
	(void)self;
	(void)ticket;
	(void)done;
}

static hy_status direct_device_count(hy_hal__calls *self, uint32_t *out_count)
{
	const hy_plugin *table = table_of(self);
	return table->device_count(table->ctx, out_count);
}

static hy_status direct_device_info(hy_hal__calls *self, uint32_t index, hy_device_info *out_info)
{
	const hy_plugin *table = table_of(self);
	return table->device_info(table->ctx, index, out_info);
}

static hy_status direct_device_open(hy_hal__calls *self, uint32_t index, const hy_option *options,
                                    uint32_t option_count, hy_device **out_device)
{
	const hy_plugin *table = table_of(self);
	return table->device_open(table->ctx, index, options, option_count, out_device);
}

static void direct_device_close(hy_hal__calls *self, hy_device *device)
{
	table_of(self)->device_close(device);
}

static hy_status direct_heap_info(hy_hal__calls *self, hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	return table_of(self)->heap_info(device, heap, out_info);
}

static hy_status direct_buffer_alloc(hy_hal__calls *self, hy_device *device, uint32_t heap, uint64_t length,
                                     hy_buffer **out_buffer)
{
	return table_of(self)->buffer_alloc(device, heap, length, out_buffer);
}

static void direct_buffer_free(hy_hal__calls *self, hy_device *device, hy_buffer *buffer)
{
	table_of(self)->buffer_free(device, buffer);
}

static hy_status direct_queue_open(hy_hal__calls *self, hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	return table_of(self)->queue_open(device, kind, out_queue);
}

static void direct_queue_close(hy_hal__calls *self, hy_queue *queue)
{
	table_of(self)->queue_close(queue);
}

static hy_status direct_submit(hy_hal__calls *self, hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	return table_of(self)->submit(queue, batch, ticket);
}

static hy_status direct_query(hy_hal__calls *self, hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts,
                              uint32_t verdict_count)
{
	return table_of(self)->query(device, graph, out_verdicts, verdict_count);
}

static hy_status direct_compile(hy_hal__calls *self, hy_device *device, const hy_graph *graph,
                                const hy_constant *constants, uint32_t constant_count, const hy_option *options,
                                uint32_t option_count, hy_exe **out_exe)
{
	return table_of(self)->compile(device, graph, constants, constant_count, options, option_count, out_exe);
}

static hy_status direct_exe_info(hy_hal__calls *self, hy_exe *exe, hy_exe_info *out_info)
{
	return table_of(self)->exe_info(exe, out_info);
}

static void direct_exe_free(hy_hal__calls *self, hy_exe *exe)
{
	table_of(self)->exe_free(exe);
}

static const void *direct_ext(hy_hal__calls *self, const char *name, uint32_t version)
{
	const hy_plugin *table = table_of(self);
	return table->ext(table->ctx, name, version);
}

static hy_status forward_device_count(hy_hal__calls *self, uint32_t *out_count)
{
	return self->next->device_count(self->next, out_count);
}

static hy_status forward_device_info(hy_hal__calls *self, uint32_t index, hy_device_info *out_info)
{
	return self->next->device_info(self->next, index, out_info);
}

static hy_status forward_device_open(hy_hal__calls *self, uint32_t index, const hy_option *options,
                                     uint32_t option_count, hy_device **out_device)
{
	return self->next->device_open(self->next, index, options, option_count, out_device);
}

static void forward_device_close(hy_hal__calls *self, hy_device *device)
{
	self->next->device_close(self->next, device);
}

static hy_status forward_heap_info(hy_hal__calls *self, hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	return self->next->heap_info(self->next, device, heap, out_info);
}

static hy_status forward_buffer_alloc(hy_hal__calls *self, hy_device *device, uint32_t heap, uint64_t length,
                                      hy_buffer **out_buffer)
{
	return self->next->buffer_alloc(self->next, device, heap, length, out_buffer);
}

static void forward_buffer_free(hy_hal__calls *self, hy_device *device, hy_buffer *buffer)
{
	self->next->buffer_free(self->next, device, buffer);
}

static hy_status forward_queue_open(hy_hal__calls *self, hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	return self->next->queue_open(self->next, device, kind, out_queue);
}

static void forward_queue_close(hy_hal__calls *self, hy_queue *queue)
{
	self->next->queue_close(self->next, queue);
}

static hy_status forward_submit(hy_hal__calls *self, hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	return self->next->submit(self->next, queue, batch, ticket);
}

static hy_status forward_query(hy_hal__calls *self, hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts,
                               uint32_t verdict_count)
{
	return self->next->query(self->next, device, graph, out_verdicts, verdict_count);
}

static hy_status forward_compile(hy_hal__calls *self, hy_device *device, const hy_graph *graph,
                                 const hy_constant *constants, uint32_t constant_count, const hy_option *options,
                                 uint32_t option_count, hy_exe **out_exe)
{
	return self->next->compile(self->next, device, graph, constants, constant_count, options, option_count,
	                           out_exe);
}

static hy_status forward_exe_info(hy_hal__calls *self, hy_exe *exe, hy_exe_info *out_info)
{
	return self->next->exe_info(self->next, exe, out_info);
}

static void forward_exe_free(hy_hal__calls *self, hy_exe *exe)
{
	self->next->exe_free(self->next, exe);
}

static const void *forward_ext(hy_hal__calls *self, const char *name, uint32_t version)
{
	return self->next->ext(self->next, name, version);
}

static void direct_run(hy_hal__calls *self, hy_device *device, void (*fn)(void *payload), void *payload)
{
	(void)self;
	(void)device;
	fn(payload);
}

static void forward_run(hy_hal__calls *self, hy_device *device, void (*fn)(void *payload), void *payload)
{
	self->next->run(self->next, device, fn, payload);
}

static void forward_completed(hy_hal__calls *self, uint64_t ticket, const hy_done *done)
{
	self->next->completed(self->next, ticket, done);
}

const hy_hal__calls hy_hal__calls_forward = {
	.device_count = forward_device_count,
	.device_info = forward_device_info,
	.device_open = forward_device_open,
	.device_close = forward_device_close,
	.heap_info = forward_heap_info,
	.buffer_alloc = forward_buffer_alloc,
	.buffer_free = forward_buffer_free,
	.queue_open = forward_queue_open,
	.queue_close = forward_queue_close,
	.submit = forward_submit,
	.completed = forward_completed,
	.query = forward_query,
	.compile = forward_compile,
	.exe_info = forward_exe_info,
	.exe_free = forward_exe_free,
	.ext = forward_ext,
	.run = forward_run,
};

static const hy_hal__calls direct_calls = {
	.destroy = direct_destroy,
	.device_count = direct_device_count,
	.device_info = direct_device_info,
	.device_open = direct_device_open,
	.device_close = direct_device_close,
	.heap_info = direct_heap_info,
	.buffer_alloc = direct_buffer_alloc,
	.buffer_free = direct_buffer_free,
	.queue_open = direct_queue_open,
	.queue_close = direct_queue_close,
	.submit = direct_submit,
	.completed = direct_completed,
	.query = direct_query,
	.compile = direct_compile,
	.exe_info = direct_exe_info,
	.exe_free = direct_exe_free,
	.ext = direct_ext,
	.run = direct_run,
};

hy_hal__calls *hy_hal__calls_direct(const hy_plugin *table)
{
	direct *self = malloc(sizeof(*self));
	if (self == NULL) return NULL;
	*self = (direct){.calls = direct_calls, .table = table};
	return &self->calls;
}

void hy_hal__calls_destroy(hy_hal__calls *top)
{
	while (top != NULL) {
		hy_hal__calls *next = top->next;
		top->destroy(top);
		top = next;
	}
}
