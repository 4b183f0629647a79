/* Checks between host and plugin. A fault of the host's side answers INVALID; a fault of the plugin is logged with the
 * rule of plugin.h that it breaks. */
#include "handles.h"
#include "host.h"
#include "layer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct validate {
	hy_hal__calls calls;
	const hy_hal__log *log;
	const char *plugin;
	hy_hal__handles handles; /* extra of a queue: queue_state */
} validate;

typedef struct queue_state {
	atomic_flag is_used; /* by a submit that runs now */
} queue_state;

static validate *layer_of(hy_hal__calls *self)
{
	return (validate *)self;
}

/* A rule that the plugin broke. */
static void broke(hy_hal__calls *self, const char *format, ...) HY_PRINTF(2, 3);
static void broke(hy_hal__calls *self, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	const validate *layer = layer_of(self);
	hy_hal__log_write(layer->log, HY_LOG_ERROR, "hal", "validate: plugin %s %s", layer->plugin, text);
}

/* A call that must not be made and has no answer. */
static void misuse(hy_hal__calls *self, const char *text)
{
	const validate *layer = layer_of(self);
	hy_hal__log_write(layer->log, HY_LOG_ERROR, "hal", "validate: %s: %s", layer->plugin, text);
}

static bool find(hy_hal__calls *self, const void *handle, hy_hal__handle_kind kind, hy_hal__handle *out_handle)
{
	return hy_hal__handles_find(&layer_of(self)->handles, handle, kind, out_handle);
}

static bool is_open_device(hy_hal__calls *self, const hy_device *device)
{
	hy_hal__handle known;
	return find(self, device, HY_HAL__HANDLE_DEVICE, &known);
}

static hy_status no_device(void)
{
	return hy_hal__call_explain(HY_INVALID, "validate: the device is not open");
}

/* Notes a handle that the plugin gave for a call that succeeded. */
static void note(hy_hal__calls *self, const char *call, const hy_hal__handle *handle)
{
	if (handle->handle == NULL)
		broke(self, "%s answered OK and gave no handle", call);
	else if (!hy_hal__handles_add(&layer_of(self)->handles, handle))
		broke(self, "%s gave handle %p, which is open already", call, handle->handle);
}

/* A failed call must leave the handle that it would have given as it was: NULL. */
static void check_untouched(hy_hal__calls *self, const char *call, hy_status status, const void *handle)
{
	if (status != HY_OK && handle != NULL) broke(self, "%s failed and wrote its out-parameter (P3)", call);
}

/* ---- devices and memory ---- */

static hy_status validate_device_open(hy_hal__calls *self, uint32_t index, const hy_option *options,
                                      uint32_t option_count, hy_device **out_device)
{
	hy_device_info info = {.size = sizeof(info)};
	hy_device *device = NULL;
	hy_status status = self->next->device_info(self->next, index, &info);
	if (status != HY_OK) return status;
	status = self->next->device_open(self->next, index, options, option_count, &device);
	check_untouched(self, "device_open", status, device);
	if (status != HY_OK) return status;
	note(self, "device_open",
	     &(hy_hal__handle){.handle = device,
	                       .kind = HY_HAL__HANDLE_DEVICE,
	                       .device = device,
	                       .flags = info.flags,
	                       .align = info.binding_align != 0 ? info.binding_align : 1});
	*out_device = device;
	return HY_OK;
}

static void validate_device_close(hy_hal__calls *self, hy_device *device)
{
	hy_hal__handle known;
	const uint32_t count = hy_hal__handles_count_of(&layer_of(self)->handles, device);
	if (count > 0) misuse(self, "device_close: buffers, queues or programs of the device are open");
	if (hy_hal__handles_remove(&layer_of(self)->handles, device, HY_HAL__HANDLE_DEVICE, &known))
		self->next->device_close(self->next, device);
	else
		misuse(self, "device_close: the device is not open");
}

static hy_status validate_heap_info(hy_hal__calls *self, hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (!is_open_device(self, device)) return no_device();
	const hy_status status = self->next->heap_info(self->next, device, heap, out_info);
	if (status != HY_OK) return status;
	if (out_info->align == 0 || (out_info->align & (out_info->align - 1)) != 0)
		broke(self, "heap_info: align %" PRIu64 " is not a power of two", out_info->align);
	if (out_info->total_bytes != 0 && out_info->free_bytes > out_info->total_bytes)
		broke(self, "heap_info: more bytes are free than there are");
	return HY_OK;
}

static hy_status validate_buffer_alloc(hy_hal__calls *self, hy_device *device, uint32_t heap, uint64_t length,
                                       hy_buffer **out_buffer)
{
	if (!is_open_device(self, device)) return no_device();
	if (length == 0) return hy_hal__call_explain(HY_INVALID, "validate: a buffer of no bytes");
	hy_buffer *buffer = NULL;
	const hy_status status = self->next->buffer_alloc(self->next, device, heap, length, &buffer);
	check_untouched(self, "buffer_alloc", status, buffer);
	if (status != HY_OK) return status;
	note(self, "buffer_alloc",
	     &(hy_hal__handle){.handle = buffer, .kind = HY_HAL__HANDLE_BUFFER, .device = device, .length = length});
	*out_buffer = buffer;
	return HY_OK;
}

static void validate_buffer_free(hy_hal__calls *self, hy_device *device, hy_buffer *buffer)
{
	hy_hal__handle known;
	if (!hy_hal__handles_remove(&layer_of(self)->handles, buffer, HY_HAL__HANDLE_BUFFER, &known)) {
		misuse(self, "buffer_free: the buffer is not there: freed twice?");
		return;
	}
	if (known.device != device) misuse(self, "buffer_free: the buffer belongs to another device");
	self->next->buffer_free(self->next, (hy_device *)known.device, buffer);
}

/* ---- queues ---- */

static hy_status validate_queue_open(hy_hal__calls *self, hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	if (!is_open_device(self, device)) return no_device();
	if (kind != HY_QUEUE_COMPUTE && kind != HY_QUEUE_COPY)
		return hy_hal__call_explain(HY_INVALID, "validate: queues are of kind HY_QUEUE_COMPUTE or _COPY");
	queue_state *state = calloc(1, sizeof(*state));
	if (state == NULL) return HY_NO_MEMORY;
	hy_queue *queue = NULL;
	const hy_status status = self->next->queue_open(self->next, device, kind, &queue);
	check_untouched(self, "queue_open", status, queue);
	if (status != HY_OK) {
		free(state);
		return status;
	}
	atomic_flag_clear(&state->is_used);
	note(self, "queue_open",
	     &(hy_hal__handle){.handle = queue, .kind = HY_HAL__HANDLE_QUEUE, .device = device, .extra = state});
	*out_queue = queue;
	return HY_OK;
}

static void validate_queue_close(hy_hal__calls *self, hy_queue *queue)
{
	hy_hal__handle known;
	if (!hy_hal__handles_remove(&layer_of(self)->handles, queue, HY_HAL__HANDLE_QUEUE, &known)) {
		misuse(self, "queue_close: the queue is not open");
		return;
	}
	self->next->queue_close(self->next, queue);
	free(known.extra);
}

/* What a batch is checked against. */
typedef struct place {
	hy_hal__calls *self;
	hy_hal__handle queue, device;
	uint32_t command; /* number of the command that is checked */
} place;

static hy_status wrong(const place *p, const char *what, const char *text)
{
	return hy_hal__call_explain(HY_INVALID, "validate: command %" PRIu32 ": %s: %s", p->command, what, text);
}

/* align 0: any. */
static hy_status check_ref(const place *p, const char *what, hy_ref ref, uint32_t align)
{
	hy_hal__handle buffer;
	if (ref.offset + ref.length < ref.offset) return wrong(p, what, "offset and length overflow");
	if (align > 1 && ref.offset % align != 0) {
		char text[96];
		snprintf(text, sizeof(text), "offset or address %#" PRIx64 " is not aligned to %" PRIu32, ref.offset,
		         align);
		return wrong(p, what, text);
	}
	if (ref.buffer == NULL) return ref.offset == 0 && ref.length > 0 ? wrong(p, what, "NULL") : HY_OK;
	if (!find(p->self, ref.buffer, HY_HAL__HANDLE_BUFFER, &buffer)) return wrong(p, what, "no such buffer");
	if (buffer.device != p->queue.device) return wrong(p, what, "the buffer belongs to another device");
	if (ref.offset + ref.length > buffer.length) {
		char text[128];
		snprintf(text, sizeof(text), "bytes %" PRIu64 " to %" PRIu64 " of a buffer of %" PRIu64, ref.offset,
		         ref.offset + ref.length, buffer.length);
		return wrong(p, what, text);
	}
	return HY_OK;
}

static hy_status check_copy(const place *p, const hy_command *command)
{
	const hy_ref to = command->target, from = command->source;
	hy_status status = check_ref(p, "COPY target", to, 0);
	if (status == HY_OK) status = check_ref(p, "COPY source", from, 0);
	if (status != HY_OK) return status;
	if (to.length != from.length) return wrong(p, "COPY", "the lengths differ");
	if (to.buffer == from.buffer && to.offset < from.offset + from.length && from.offset < to.offset + to.length)
		return wrong(p, "COPY", "target and source overlap");
	return HY_OK;
}

static hy_status check_exec(const place *p, const hy_command *command)
{
	hy_hal__handle exe;
	if (!find(p->self, command->exe, HY_HAL__HANDLE_EXE, &exe)) return wrong(p, "EXEC", "no such program");
	if (exe.device != p->queue.device) return wrong(p, "EXEC", "the program was compiled for another device");
	if (command->binding_count > 0 && command->bindings == NULL) return wrong(p, "EXEC", "bindings are NULL");
	for (uint32_t i = 0; i < command->binding_count; i++) {
		char what[32];
		snprintf(what, sizeof(what), "EXEC binding %" PRIu32, i);
		const hy_ref ref = command->bindings[i];
		if (ref.buffer == NULL && (p->device.flags & HY_DEVICE_HOST_BINDINGS) == 0)
			return wrong(p, what, "host memory, which this device does not bind: copy it first");
		const hy_status status = check_ref(p, what, ref, p->device.align);
		if (status != HY_OK) return status;
	}
	if (command->workspace.length < exe.length) {
		char text[96];
		snprintf(text, sizeof(text), "%" PRIu64 " bytes where the program needs %" PRIu64,
		         command->workspace.length, exe.length);
		return wrong(p, "EXEC workspace", text);
	}
	return exe.length == 0 ? HY_OK : check_ref(p, "EXEC workspace", command->workspace, p->device.align);
}

static hy_status check_command(const place *p, const hy_command *command)
{
	switch (command->kind) {
	case HY_COMMAND_COPY:
		return check_copy(p, command);
	case HY_COMMAND_FILL:
		return check_ref(p, "FILL target", command->target, 0);
	case HY_COMMAND_EXEC:
		return check_exec(p, command);
	default:
		return wrong(p, "kind", "is not COPY, FILL or EXEC");
	}
}

static hy_status check_batch(hy_hal__calls *self, const hy_hal__handle *queue, const hy_batch *batch)
{
	place p = {.self = self, .queue = *queue};
	if (!find(self, queue->device, HY_HAL__HANDLE_DEVICE, &p.device)) return no_device();
	if (batch->command_count > 0 && batch->commands == NULL)
		return hy_hal__call_explain(HY_INVALID, "validate: commands are NULL");
	for (p.command = 0; p.command < batch->command_count; p.command++) {
		const hy_status status = check_command(&p, hy_batch_at(batch, p.command));
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

static hy_status validate_submit(hy_hal__calls *self, hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	hy_hal__handle known;
	if (!find(self, queue, HY_HAL__HANDLE_QUEUE, &known))
		return hy_hal__call_explain(HY_INVALID, "validate: the queue is not open");
	queue_state *state = known.extra;
	if (atomic_flag_test_and_set(&state->is_used))
		return hy_hal__call_explain(HY_INVALID, "validate: two submissions to one queue at the same time (P5)");
	hy_status status = check_batch(self, &known, batch);
	if (status == HY_OK) status = self->next->submit(self->next, queue, batch, ticket);
	atomic_flag_clear(&state->is_used);
	return status;
}

/* ---- programs ---- */

static hy_status validate_query(hy_hal__calls *self, hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts,
                                uint32_t verdict_count)
{
	if (!is_open_device(self, device)) return no_device();
	if (graph->magic != HY_GRAPH_MAGIC || graph->subgraph_count == 0)
		return hy_hal__call_explain(HY_INVALID, "validate: not a graph");
	const uint32_t node_count = hy_graph_subgraph_at(graph, 0)->node_count;
	if (verdict_count != node_count)
		return hy_hal__call_explain(HY_INVALID, "validate: %" PRIu32 " verdicts for %" PRIu32 " nodes",
		                            verdict_count, node_count);
	const hy_verdict unset = {UINT16_MAX, UINT16_MAX};
	for (uint32_t i = 0; i < verdict_count; i++)
		out_verdicts[i] = unset;
	const hy_status status = self->next->query(self->next, device, graph, out_verdicts, verdict_count);
	for (uint32_t i = 0; i < verdict_count && status == HY_OK; i++) {
		const hy_verdict verdict = out_verdicts[i];
		if (verdict.answer == UINT16_MAX)
			broke(self, "query gave no verdict on node %" PRIu32 " (P12)", i);
		else if (verdict.answer > HY_YES)
			broke(self, "query answered %u on node %" PRIu32 ": YES or NO (P12)", verdict.answer, i);
		else if (verdict.answer == HY_NO && verdict.reason == HY_REASON_NONE)
			broke(self, "query answered NO on node %" PRIu32 " without a reason (P12)", i);
	}
	return status;
}

static hy_status validate_compile(hy_hal__calls *self, hy_device *device, const hy_graph *graph,
                                  const hy_constant *constants, uint32_t constant_count, const hy_option *options,
                                  uint32_t option_count, hy_exe **out_exe)
{
	if (!is_open_device(self, device)) return no_device();
	if (graph->magic != HY_GRAPH_MAGIC) return hy_hal__call_explain(HY_INVALID, "validate: not a graph");
	if (constant_count != graph->constant_count)
		return hy_hal__call_explain(HY_INVALID, "validate: %" PRIu32 " constants for %" PRIu32 " slots",
		                            constant_count, graph->constant_count);
	hy_exe *exe = NULL;
	const hy_status status = self->next->compile(self->next, device, graph, constants, constant_count, options,
	                                             option_count, &exe);
	check_untouched(self, "compile", status, exe);
	if (status != HY_OK) return status;
	hy_exe_info info = {.size = sizeof(info)};
	if (self->next->exe_info(self->next, exe, &info) != HY_OK) info.workspace_bytes = 0;
	if (info.reference_launches > info.launches) broke(self, "exe_info: more reference launches than launches");
	note(self, "compile",
	     &(hy_hal__handle){
		     .handle = exe, .kind = HY_HAL__HANDLE_EXE, .device = device, .length = info.workspace_bytes});
	*out_exe = exe;
	return HY_OK;
}

static hy_status validate_exe_info(hy_hal__calls *self, hy_exe *exe, hy_exe_info *out_info)
{
	hy_hal__handle known;
	if (!find(self, exe, HY_HAL__HANDLE_EXE, &known))
		return hy_hal__call_explain(HY_INVALID, "validate: the program is not there");
	return self->next->exe_info(self->next, exe, out_info);
}

static void validate_exe_free(hy_hal__calls *self, hy_exe *exe)
{
	hy_hal__handle known;
	if (hy_hal__handles_remove(&layer_of(self)->handles, exe, HY_HAL__HANDLE_EXE, &known))
		self->next->exe_free(self->next, exe);
	else
		misuse(self, "exe_free: the program is not there: freed twice?");
}

static void validate_destroy(hy_hal__calls *self)
{
	hy_hal__handles_finish(&layer_of(self)->handles);
	free(self);
}

hy_hal__calls *hy_hal__layer_validate(hy_hal__calls *next, const hy_hal__log *log, const char *plugin)
{
	validate *layer = malloc(sizeof(*layer));
	if (layer == NULL) return NULL;
	layer->log = log;
	layer->plugin = plugin;
	hy_hal__handles_init(&layer->handles);
	hy_hal__calls *calls = &layer->calls;
	*calls = hy_hal__calls_forward;
	calls->next = next;
	calls->destroy = validate_destroy;
	calls->device_open = validate_device_open;
	calls->device_close = validate_device_close;
	calls->heap_info = validate_heap_info;
	calls->buffer_alloc = validate_buffer_alloc;
	calls->buffer_free = validate_buffer_free;
	calls->queue_open = validate_queue_open;
	calls->queue_close = validate_queue_close;
	calls->submit = validate_submit;
	calls->query = validate_query;
	calls->compile = validate_compile;
	calls->exe_info = validate_exe_info;
	calls->exe_free = validate_exe_free;
	return calls;
}
