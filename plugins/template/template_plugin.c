/* The smallest plugin that does something: copy me (plugins/README.md).
 *
 * One device, which is this process: buffers are host memory, a queue works on the thread that submits, and programs
 * are Identity and Relu of f32. What a real device does otherwise is said where it would. */
#include <halyard/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The world of one plugin, one device, one buffer, one queue, one program. No globals: two hosts may share a process. */
typedef struct plugin {
	const hy_host *host;
} plugin;

struct hy_device {
	const hy_host *host;
};

struct hy_buffer {
	unsigned char *bytes;
};

struct hy_queue {
	hy_device *device;
};

struct hy_exe {
	bool is_relu;
	uint64_t length; /* of input and output, bytes */
};

/* Tells the host why a call fails: `return fail(host, HY_INVALID, "...")`. */
static hy_status fail(const hy_host *host, hy_status status, const char *text)
{
	return host->error(host->ctx, status, HY_SCOPE_CALL, 0, text, strlen(text));
}

/* Memory of this device: a real one asks its driver. */
static uint64_t memory_bytes(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- L0: devices ---- */

static void plugin_shutdown(void *ctx)
{
	free(ctx);
}

static hy_status device_count(void *ctx, uint32_t *out_count)
{
	(void)ctx;
	*out_count = 1;
	return HY_OK;
}

static hy_status device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	const plugin *self = ctx;
	if (index != 0) return fail(self->host, HY_INVALID, "there is one device, number 0");
	const hy_device_info info = {
		.kind = HY_KIND_OTHER,
		.flags = HY_DEVICE_HOST_BINDINGS,
		.heap_count = 1,
		.numa_node = HY_GRAPH_NONE,
		.binding_align = sizeof(float),
		.id = "host",
		.name = "Template device",
		.memory_bytes = memory_bytes(),
	};
	HY_PUT(out_info, &info);
	return HY_OK;
}

static hy_status device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device)
{
	const plugin *self = ctx;
	if (index != 0) return fail(self->host, HY_INVALID, "there is one device, number 0");
	if (option_count > 0) {
		char text[160];
		snprintf(text, sizeof(text), "unknown option '%.80s': this device takes none", options[0].key);
		return fail(self->host, HY_INVALID, text);
	}
	hy_device *device = malloc(sizeof(*device));
	if (device == NULL) return fail(self->host, HY_NO_MEMORY, "host memory exhausted");
	device->host = self->host;
	*out_device = device;
	return HY_OK;
}

static void device_close(hy_device *device)
{
	free(device);
}

/* ---- L1: memory and queues ---- */

static hy_status heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (heap != 0) return fail(device->host, HY_INVALID, "there is one heap, number 0");
	const hy_heap_info info = {
		.flags = HY_HEAP_DEVICE | HY_HEAP_HOST_VISIBLE | HY_HEAP_COHERENT,
		.align = 64,
		.total_bytes = memory_bytes(),
		.free_bytes = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
		.max_buffer_bytes = memory_bytes(),
	};
	HY_PUT(out_info, &info);
	return HY_OK;
}

static hy_status buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	if (heap != 0 || length == 0) return fail(device->host, HY_INVALID, "no such heap, or a length of 0");
	if (length > memory_bytes()) return fail(device->host, HY_NO_MEMORY, "more than this machine has");
	hy_buffer *buffer = malloc(sizeof(*buffer));
	if (buffer != NULL) buffer->bytes = aligned_alloc(64, (length + 63) / 64 * 64);
	if (buffer == NULL || buffer->bytes == NULL) {
		free(buffer);
		return fail(device->host, HY_NO_MEMORY, "host memory exhausted");
	}
	*out_buffer = buffer;
	return HY_OK;
}

static void buffer_free(hy_device *device, hy_buffer *buffer)
{
	(void)device;
	if (buffer == NULL) return;
	free(buffer->bytes);
	free(buffer);
}

static hy_status queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	if (kind != HY_QUEUE_COMPUTE && kind != HY_QUEUE_COPY) return fail(device->host, HY_INVALID, "no such kind");
	hy_queue *queue = malloc(sizeof(*queue));
	if (queue == NULL) return fail(device->host, HY_NO_MEMORY, "host memory exhausted");
	queue->device = device;
	*out_queue = queue;
	return HY_OK;
}

/* A device that works by itself completes here, as CANCELLED, what it has not begun. */
static void queue_close(hy_queue *queue)
{
	free(queue);
}

/* Where a range begins. A device with memory of its own copies host ranges in and out. */
static void *at(hy_ref ref)
{
	return ref.buffer != NULL ? ref.buffer->bytes + ref.offset : (void *)(uintptr_t)ref.offset;
}

static void execute(const hy_exe *exe, const hy_ref *bindings)
{
	const float *input = at(bindings[0]);
	float *output = at(bindings[1]);
	for (uint64_t i = 0; i < exe->length / sizeof(float); i++)
		output[i] = exe->is_relu && input[i] < 0 ? 0 : input[i];
}

/* NULL, or why a command cannot be done. Lengths come from the host, which keeps them inside buffers. */
static const char *do_command(const hy_command *command)
{
	switch (command->kind) {
	case HY_COMMAND_COPY:
		if (command->target.length != command->source.length) return "COPY: the lengths differ";
		if (command->target.length > 0)
			memcpy(at(command->target), at(command->source), command->target.length);
		return NULL;
	case HY_COMMAND_FILL:
		if (command->target.length > 0)
			memset(at(command->target), (int)(command->pattern & 0xff), command->target.length);
		return NULL;
	case HY_COMMAND_EXEC:
		if (command->binding_count != 2) return "EXEC: one input and one output are bound";
		if (command->bindings[0].length != command->exe->length ||
		    command->bindings[1].length != command->exe->length)
			return "EXEC: a binding has another length than the graph says";
		execute(command->exe, command->bindings);
		return NULL;
	default:
		return "unknown command";
	}
}

/* A real device starts the work and returns; its completion thread or callback calls complete() later. */
static hy_status submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	const hy_host *host = queue->device->host;
	hy_done done = {.size = sizeof(done), .begin_ns = host->now_ns(host->ctx)};
	for (uint32_t i = 0; i < batch->command_count && done.text == NULL; i++)
		done.text = do_command(hy_batch_at(batch, i));
	if (done.text != NULL) {
		done.status = HY_INVALID;
		done.text_length = (uint32_t)strlen(done.text);
	}
	done.end_ns = host->now_ns(host->ctx);
	host->complete(host->ctx, ticket, &done);
	return HY_OK;
}

/* ---- L1: programs ---- */

static bool is_op(const hy_graph *graph, const hy_graph_node *node, const char *op)
{
	return hy_graph_string(graph, node->domain)[0] == '\0' && strcmp(hy_graph_string(graph, node->op), op) == 0;
}

/* YES is a promise: say it only for what compile() takes and submit() computes. */
static hy_reason judge(const hy_graph *graph, const hy_graph_node *node)
{
	if (!is_op(graph, node, "Identity") && !is_op(graph, node, "Relu")) return HY_REASON_OP;
	const hy_graph_tensor *input = hy_graph_tensor_at(graph, hy_graph_index_at(graph, node->inputs));
	return input->dtype == HY_DTYPE_F32 ? HY_REASON_NONE : HY_REASON_DTYPE;
}

static hy_status query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	if (verdict_count != model->node_count) return fail(device->host, HY_INVALID, "one verdict per node is needed");
	for (uint32_t i = 0; i < verdict_count; i++) {
		const hy_reason reason = judge(graph, hy_graph_node_at(graph, model->first_node + i));
		out_verdicts[i] = (hy_verdict){reason == HY_REASON_NONE ? HY_YES : HY_NO, (uint16_t)reason};
	}
	return HY_OK;
}

/* Everything that takes long and can be done once is done here: packing constants, generating code. */
static hy_status compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	(void)constants;
	(void)constant_count;
	(void)options;
	if (option_count > 0) return fail(device->host, HY_INVALID, "unknown option: compile takes none");
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	const hy_graph_node *node = hy_graph_node_at(graph, model->first_node);
	if (model->node_count != 1 || judge(graph, node) != HY_REASON_NONE)
		return fail(device->host, HY_UNSUPPORTED, "a graph of one node that query() said YES to is needed");
	hy_exe *exe = malloc(sizeof(*exe));
	if (exe == NULL) return fail(device->host, HY_NO_MEMORY, "host memory exhausted");
	exe->is_relu = is_op(graph, node, "Relu");
	exe->length = hy_graph_tensor_at(graph, hy_graph_index_at(graph, node->inputs))->length;
	*out_exe = exe;
	return HY_OK;
}

static hy_status exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	(void)exe;
	const hy_exe_info info = {.launches = 1};
	HY_PUT(out_info, &info);
	return HY_OK;
}

static void exe_free(hy_exe *exe)
{
	free(exe);
}

/* ---- the one exported symbol ---- */

hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	plugin *self = malloc(sizeof(*self));
	if (self == NULL) return fail(host, HY_NO_MEMORY, "host memory exhausted");
	self->host = host;
	const hy_plugin mine = {
		.abi_minor = HY_ABI_MINOR,
		.name = "template",
		.version = "0.1.0",
		.flags = HY_PLUGIN_UNLOADABLE,
		.ctx = self,
		.shutdown = plugin_shutdown,
		.device_count = device_count,
		.device_info = device_info,
		.device_open = device_open,
		.device_close = device_close,
		.heap_info = heap_info,
		.buffer_alloc = buffer_alloc,
		.buffer_free = buffer_free,
		.queue_open = queue_open,
		.queue_close = queue_close,
		.submit = submit,
		.query = query,
		.compile = compile,
		.exe_info = exe_info,
		.exe_free = exe_free,
	};
	HY_PUT(table, &mine);
	return HY_OK;
}
