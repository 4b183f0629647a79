/* One log line per call: "trace: name(arguments) STATUS result, time". */
#include "layer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct trace {
	hy_hal__calls calls;
	const hy_hal__log *log;
	const char *plugin;
} trace;

/* Writes the line of a call that began at begin_ns. status: negative for calls that return nothing. */
static void line(hy_hal__calls *self, uint64_t begin_ns, hy_status status, const char *format, ...) HY_PRINTF(4, 5);
static void line(hy_hal__calls *self, uint64_t begin_ns, hy_status status, const char *format, ...)
{
	const double us = (double)(hy_hal_now_ns() - begin_ns) / 1000;
	const trace *layer = (const trace *)self;
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	hy_hal__log_write(layer->log, HY_LOG_INFO, layer->plugin, "trace: %s %s%s%.1f us", text,
	                  status < 0 ? "" : hy_status_name(status), status < 0 ? "" : " ", us);
}

/* "a=1&b=2" */
static const char *list(char text[160], const hy_option *options, uint32_t option_count)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < option_count && used < 160; i++)
		used += (size_t)snprintf(text + used, 160 - used, "%s%s=%s", i > 0 ? "&" : "", options[i].key,
		                         options[i].value);
	return text;
}

static hy_status trace_device_count(hy_hal__calls *self, uint32_t *out_count)
{
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->device_count(self->next, out_count);
	line(self, begin, status, "device_count() %" PRIu32, *out_count);
	return status;
}

static hy_status trace_device_info(hy_hal__calls *self, uint32_t index, hy_device_info *out_info)
{
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->device_info(self->next, index, out_info);
	line(self, begin, status, "device_info(%" PRIu32 ")", index);
	return status;
}

static hy_status trace_device_open(hy_hal__calls *self, uint32_t index, const hy_option *options, uint32_t option_count,
                                   hy_device **out_device)
{
	char text[160];
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->device_open(self->next, index, options, option_count, out_device);
	line(self, begin, status, "device_open(%" PRIu32 ", %s) %p", index, list(text, options, option_count),
	     (void *)*out_device);
	return status;
}

static void trace_device_close(hy_hal__calls *self, hy_device *device)
{
	const uint64_t begin = hy_hal_now_ns();
	self->next->device_close(self->next, device);
	line(self, begin, -1, "device_close(%p)", (void *)device);
}

static hy_status trace_heap_info(hy_hal__calls *self, hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->heap_info(self->next, device, heap, out_info);
	line(self, begin, status, "heap_info(%p, %" PRIu32 ") %" PRIu64 " bytes", (void *)device, heap,
	     out_info->total_bytes);
	return status;
}

static hy_status trace_buffer_alloc(hy_hal__calls *self, hy_device *device, uint32_t heap, uint64_t length,
                                    hy_buffer **out_buffer)
{
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->buffer_alloc(self->next, device, heap, length, out_buffer);
	line(self, begin, status, "buffer_alloc(%p, %" PRIu32 ", %" PRIu64 ") %p", (void *)device, heap, length,
	     (void *)*out_buffer);
	return status;
}

static void trace_buffer_free(hy_hal__calls *self, hy_device *device, hy_buffer *buffer)
{
	const uint64_t begin = hy_hal_now_ns();
	self->next->buffer_free(self->next, device, buffer);
	line(self, begin, -1, "buffer_free(%p, %p)", (void *)device, (void *)buffer);
}

static hy_status trace_queue_open(hy_hal__calls *self, hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->queue_open(self->next, device, kind, out_queue);
	line(self, begin, status, "queue_open(%p, %" PRIu32 ") %p", (void *)device, kind, (void *)*out_queue);
	return status;
}

static void trace_queue_close(hy_hal__calls *self, hy_queue *queue)
{
	const uint64_t begin = hy_hal_now_ns();
	self->next->queue_close(self->next, queue);
	line(self, begin, -1, "queue_close(%p)", (void *)queue);
}

static hy_status trace_submit(hy_hal__calls *self, hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	uint32_t counts[4] = {0};
	for (uint32_t i = 0; i < batch->command_count; i++) {
		const uint32_t kind = hy_batch_at(batch, i)->kind;
		counts[kind < 4 ? kind : 0]++;
	}
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->submit(self->next, queue, batch, ticket);
	line(self, begin, status,
	     "submit(%p, %" PRIu32 " copies, %" PRIu32 " fills, %" PRIu32 " execs, ticket %#" PRIx64 ")", (void *)queue,
	     counts[HY_COMMAND_COPY], counts[HY_COMMAND_FILL], counts[HY_COMMAND_EXEC], ticket);
	return status;
}

static void trace_completed(hy_hal__calls *self, uint64_t ticket, const hy_done *done)
{
	const trace *layer = (const trace *)self;
	self->next->completed(self->next, ticket, done);
	hy_hal__log_write(layer->log, HY_LOG_INFO, layer->plugin, "trace: completed ticket %#" PRIx64 " %s %.1f us%s%s",
	                  ticket, hy_status_name(done->status), (double)(done->end_ns - done->begin_ns) / 1000,
	                  done->text != NULL ? ": " : "", done->text != NULL ? done->text : "");
}

static hy_status trace_query(hy_hal__calls *self, hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts,
                             uint32_t verdict_count)
{
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->query(self->next, device, graph, out_verdicts, verdict_count);
	uint32_t yes = 0;
	for (uint32_t i = 0; i < verdict_count && status == HY_OK; i++)
		yes += out_verdicts[i].answer == HY_YES;
	line(self, begin, status, "query(%p, %" PRIu32 " nodes) %" PRIu32 " yes", (void *)device, verdict_count, yes);
	return status;
}

static hy_status trace_compile(hy_hal__calls *self, hy_device *device, const hy_graph *graph,
                               const hy_constant *constants, uint32_t constant_count, const hy_option *options,
                               uint32_t option_count, hy_exe **out_exe)
{
	char text[160];
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->compile(self->next, device, graph, constants, constant_count, options,
	                                             option_count, out_exe);
	line(self, begin, status, "compile(%p, graph of %" PRIu32 " bytes, %" PRIu32 " constants, %s) %p",
	     (void *)device, graph->total_bytes, constant_count, list(text, options, option_count), (void *)*out_exe);
	return status;
}

static hy_status trace_exe_info(hy_hal__calls *self, hy_exe *exe, hy_exe_info *out_info)
{
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = self->next->exe_info(self->next, exe, out_info);
	line(self, begin, status, "exe_info(%p) %" PRIu32 " launches", (void *)exe, out_info->launches);
	return status;
}

static void trace_exe_free(hy_hal__calls *self, hy_exe *exe)
{
	const uint64_t begin = hy_hal_now_ns();
	self->next->exe_free(self->next, exe);
	line(self, begin, -1, "exe_free(%p)", (void *)exe);
}

static const void *trace_ext(hy_hal__calls *self, const char *name, uint32_t version)
{
	const uint64_t begin = hy_hal_now_ns();
	const void *table = self->next->ext(self->next, name, version);
	line(self, begin, -1, "ext(%s, %" PRIu32 ") %s", name, version, table != NULL ? "yes" : "no");
	return table;
}

static void trace_destroy(hy_hal__calls *self)
{
	free(self);
}

hy_hal__calls *hy_hal__layer_trace(hy_hal__calls *next, const hy_hal__log *log, const char *plugin)
{
	trace *layer = malloc(sizeof(*layer));
	if (layer == NULL) return NULL;
	layer->log = log;
	layer->plugin = plugin;
	hy_hal__calls *calls = &layer->calls;
	*calls = hy_hal__calls_forward;
	calls->next = next;
	calls->destroy = trace_destroy;
	calls->device_count = trace_device_count;
	calls->device_info = trace_device_info;
	calls->device_open = trace_device_open;
	calls->device_close = trace_device_close;
	calls->heap_info = trace_heap_info;
	calls->buffer_alloc = trace_buffer_alloc;
	calls->buffer_free = trace_buffer_free;
	calls->queue_open = trace_queue_open;
	calls->queue_close = trace_queue_close;
	calls->submit = trace_submit;
	calls->completed = trace_completed;
	calls->query = trace_query;
	calls->compile = trace_compile;
	calls->exe_info = trace_exe_info;
	calls->exe_free = trace_exe_free;
	calls->ext = trace_ext;
	return calls;
}
