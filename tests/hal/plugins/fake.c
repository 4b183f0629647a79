/* A plugin that misbehaves on demand. What goes wrong while it is loaded is chosen when it is built (FAKE_FAULT); what
 * goes wrong later, by the device option fault=WORD. Without one it is a good plugin: host memory, work done on the
 * submitting thread. */
#include <halyard/plugin.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum fault {
	GOOD,
	CRASH_CONSTRUCTOR,
	CRASH_ENTRY,
	CRASH_INFO,
	HANG_ENTRY,
	EXIT_ENTRY,
	PRINTS_OUTPUT,
	PRINTS_ERRORS,
	NO_ENTRY,
	OTHER_ABI,
	EXTRA_EXPORT,
	OLD_MINOR,
	NEW_MINOR,
	OVERFILL,
	INCOHERENT,
	WRONG_NAME,
	REFUSES,
	NO_DRIVER,
	BAD_INFO,
	ONE_THREAD,
	ENDLESS_LOG,
	STAYS,
	WRITES_RECORDS,
};

typedef struct plugin {
	const hy_host *host;
} plugin;

struct hy_device {
	const hy_host *host;
	char fault[32];
	uint32_t alloc_count, submit_count;
	pthread_t thread;
};

struct hy_buffer {
	unsigned char *bytes;
};

struct hy_queue {
	hy_device *device;
	uint64_t held; /* a ticket that waits for queue_close */
	pthread_t threads[256]; /* fault=async: one per submission, joined by queue_close */
	uint32_t thread_count;
};

struct hy_exe {
	hy_device *device;
};

static bool is_fault(const hy_device *device, const char *fault)
{
	return strcmp(device->fault, fault) == 0;
}

static hy_status fail(const hy_host *host, hy_status status, hy_scope scope, const char *text)
{
	return host->error(host->ctx, status, scope, 42, text, strlen(text));
}

/* A device that is ONE_THREAD answers INTERNAL to the wrong thread. */
static bool is_wrong_thread(const hy_device *device)
{
	return FAKE_FAULT == ONE_THREAD && !pthread_equal(device->thread, pthread_self());
}

static void plugin_shutdown(void *ctx)
{
	free(ctx);
}

static hy_status device_count(void *ctx, uint32_t *out_count)
{
	const plugin *self = ctx;
	if (FAKE_FAULT == NO_DRIVER)
		return fail(self->host, HY_DEVICE_LOST, HY_SCOPE_PROCESS, "libdriver.so.1 is not there");
	*out_count = FAKE_FAULT == BAD_INFO ? 4 : 2;
	return HY_OK;
}

static hy_status device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	(void)ctx;
	if (FAKE_FAULT == CRASH_INFO && index == 1) abort();
	hy_device_info info = {
		.kind = HY_KIND_NPU,
		.flags = FAKE_FAULT == ONE_THREAD ? HY_DEVICE_ONE_THREAD : 0,
		.heap_count = 1,
		.numa_node = HY_GRAPH_NONE,
		.binding_align = 256,
		.name = "Fake\n device ",
	};
	if (FAKE_FAULT != OLD_MINOR) {
		info.uuid[0] = 0xfa;
		info.uuid[15] = (uint8_t)index;
	}
	snprintf(info.id, sizeof(info.id), "chip-%u", index);
	snprintf(info.pci_address, sizeof(info.pci_address), "0000:0%u:00.0", index + 1);
	if (FAKE_FAULT == BAD_INFO && index == 0) info.binding_align = 24;
	if (FAKE_FAULT == BAD_INFO && index == 1) snprintf(info.id, sizeof(info.id), "../chip");
	if (FAKE_FAULT == BAD_INFO && index == 2) memset(info.name, 'x', sizeof(info.name));
	HY_PUT(out_info, &info);
	if (FAKE_FAULT == BAD_INFO && index == 3) out_info->size = 100000;
	return HY_OK;
}

static hy_status device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device)
{
	const plugin *self = ctx;
	(void)index;
	hy_device *device = calloc(1, sizeof(*device));
	if (device == NULL) return HY_NO_MEMORY;
	device->host = self->host;
	device->thread = pthread_self();
	for (uint32_t i = 0; i < option_count; i++) {
		if (strcmp(options[i].key, "fault") != 0) {
			free(device);
			return fail(self->host, HY_INVALID, HY_SCOPE_CALL, "unknown option: use fault");
		}
		snprintf(device->fault, sizeof(device->fault), "%s", options[i].value);
	}
	if (is_fault(device, "open")) {
		free(device);
		return fail(self->host, HY_DEVICE_LOST, HY_SCOPE_DEVICE, "fell off the bus");
	}
	*out_device = device;
	return HY_OK;
}

static void device_close(hy_device *device)
{
	free(device);
}

static hy_status heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (heap != 0) return fail(device->host, HY_INVALID, HY_SCOPE_CALL, "there is one heap");
	const hy_heap_info info = {.flags = HY_HEAP_DEVICE, .align = 64, .max_buffer_bytes = 64u << 20};
	HY_PUT(out_info, &info);
	return HY_OK;
}

/* Asks for memory for which the third call fails once with fault=oom. */
static hy_status buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	if (is_wrong_thread(device)) return fail(device->host, HY_INTERNAL, HY_SCOPE_CALL, "wrong thread");
	if (heap != 0 || length == 0) return fail(device->host, HY_INVALID, HY_SCOPE_CALL, "bad heap or length");
	if (++device->alloc_count == 3 && is_fault(device, "oom"))
		return fail(device->host, HY_NO_MEMORY, HY_SCOPE_CALL, "device memory exhausted");
	if (is_fault(device, "always-oom")) return HY_NO_MEMORY;
	if (is_fault(device, "odd-status")) return 77;
	hy_buffer *buffer = malloc(sizeof(*buffer));
	if (buffer == NULL) return HY_NO_MEMORY;
	buffer->bytes = aligned_alloc(64, (length + 63) / 64 * 64);
	*out_buffer = buffer;
	return HY_OK;
}

static void buffer_free(hy_device *device, hy_buffer *buffer)
{
	if (is_wrong_thread(device)) abort();
	free(buffer->bytes);
	free(buffer);
}

static hy_status queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	(void)kind;
	hy_queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL) return HY_NO_MEMORY;
	queue->device = device;
	*out_queue = queue;
	return HY_OK;
}

static void complete(const hy_device *device, uint64_t ticket, hy_status status, hy_scope scope, const char *text)
{
	const hy_done done = {
		.size = sizeof(done),
		.status = status,
		.scope = scope,
		.native = status == HY_OK ? 0 : 42,
		.begin_ns = 1000,
		.end_ns = 3000,
		.text = text,
		.text_length = text == NULL ? 0 : (uint32_t)strlen(text),
	};
	device->host->complete(device->host->ctx, ticket, &done);
}

typedef struct late {
	const hy_device *device;
	uint64_t ticket;
} late;

static void *complete_late(void *payload)
{
	late *l = payload;
	complete(l->device, l->ticket, HY_OK, HY_SCOPE_CALL, NULL);
	free(l);
	return NULL;
}

/* Accepts, and completes on a thread of its own. */
static hy_status submit_async(hy_queue *queue, uint64_t ticket)
{
	late *l = malloc(sizeof(*l));
	if (l == NULL || queue->thread_count == 256) {
		free(l);
		return HY_BUSY;
	}
	*l = (late){queue->device, ticket};
	if (pthread_create(&queue->threads[queue->thread_count], NULL, complete_late, l) != 0) abort();
	queue->thread_count++;
	return HY_OK;
}

static void queue_close(hy_queue *queue)
{
	for (uint32_t i = 0; i < queue->thread_count; i++)
		pthread_join(queue->threads[i], NULL);
	if (queue->held != 0 && !is_fault(queue->device, "never"))
		complete(queue->device, queue->held, HY_CANCELLED, HY_SCOPE_CALL, "queue closed");
	free(queue);
}

static void *at(hy_ref ref)
{
	return ref.buffer != NULL ? ref.buffer->bytes + ref.offset : (void *)(uintptr_t)ref.offset;
}

static hy_status submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	hy_device *device = queue->device;
	if (is_wrong_thread(device)) return fail(device->host, HY_INTERNAL, HY_SCOPE_CALL, "wrong thread");
	const bool is_second = !is_fault(device, "async") && ++device->submit_count == 2;
	if (is_fault(device, "hold") || is_fault(device, "never")) {
		queue->held = ticket;
		return HY_OK;
	}
	if (is_fault(device, "async")) return submit_async(queue, ticket);
	if (is_second && is_fault(device, "lost-device")) {
		complete(device, ticket, HY_DEVICE_LOST, HY_SCOPE_DEVICE, "heartbeat lost");
		return HY_OK;
	}
	if (is_second && is_fault(device, "lost-queue")) {
		complete(device, ticket, HY_TIMEOUT, HY_SCOPE_QUEUE, "stream hung");
		return HY_OK;
	}
	if (is_second && is_fault(device, "lost-process"))
		return fail(device->host, HY_DEVICE_LOST, HY_SCOPE_PROCESS, "driver gone");
	if (is_fault(device, "lost-lightly"))
		return fail(device->host, HY_DEVICE_LOST, HY_SCOPE_CALL, "gone, but who cares");
	if (is_fault(device, "refuse")) return fail(device->host, HY_INVALID, HY_SCOPE_CALL, "not this");
	if (is_fault(device, "refuse-completed")) {
		complete(device, ticket, HY_OK, HY_SCOPE_CALL, NULL);
		return fail(device->host, HY_INVALID, HY_SCOPE_CALL, "done, but no");
	}
	for (uint32_t i = 0; i < batch->command_count; i++) {
		const hy_command *command = hy_batch_at(batch, i);
		if (command->kind == HY_COMMAND_COPY)
			memcpy(at(command->target), at(command->source), command->source.length);
		if (command->kind == HY_COMMAND_FILL)
			memset(at(command->target), (int)(command->pattern & 0xff), command->target.length);
	}
	if (is_fault(device, "bogus")) complete(device, UINT64_C(0xdeadbeefdeadbeef), HY_OK, HY_SCOPE_CALL, NULL);
	if (is_fault(device, "no-record")) {
		device->host->complete(device->host->ctx, ticket, NULL);
		return HY_OK;
	}
	complete(device, ticket, HY_OK, HY_SCOPE_CALL, NULL);
	if (is_fault(device, "twice")) complete(device, ticket, HY_OK, HY_SCOPE_CALL, NULL);
	return HY_OK;
}

static hy_status query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	(void)graph;
	for (uint32_t i = 0; i < verdict_count && !is_fault(device, "lazy-query"); i++)
		out_verdicts[i] = (hy_verdict){HY_YES, HY_REASON_NONE};
	if (is_fault(device, "odd-verdict")) out_verdicts[0] = (hy_verdict){9, 9};
	return HY_OK;
}

static hy_status compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	(void)graph;
	(void)constants;
	(void)constant_count;
	(void)options;
	(void)option_count;
	if (is_fault(device, "compile")) return HY_UNSUPPORTED;
	if (is_fault(device, "null-exe")) return HY_OK;
	*out_exe = calloc(1, sizeof(**out_exe));
	if (*out_exe == NULL) return HY_NO_MEMORY;
	(*out_exe)->device = device;
	return HY_OK;
}

static hy_status exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	if (is_fault(exe->device, "exe-info")) return HY_INTERNAL;
	const hy_exe_info info = {.launches = 3, .workspace_bytes = 512};
	HY_PUT(out_info, &info);
	return HY_OK;
}

static void exe_free(hy_exe *exe)
{
	free(exe);
}

static uint32_t step_count(hy_exe *exe)
{
	(void)exe;
	return 1;
}

static hy_status step(hy_exe *exe, uint32_t index, hy_step *out_step)
{
	(void)exe;
	const hy_step mine = {.node = index, .implementation = "fake:ref", .flags = HY_STEP_REFERENCE};
	HY_PUT(out_step, &mine);
	return HY_OK;
}

static void profile(hy_exe *exe, uint32_t on)
{
	(void)exe;
	(void)on;
}

static const void *ext(void *ctx, const char *name, uint32_t version)
{
	static const hy_ext_steps steps = {sizeof(steps), 0, step_count, step, profile};
	(void)ctx;
	return strcmp(name, HY_EXT_STEPS) == 0 && version == 1 ? &steps : NULL;
}

#ifdef FAKE_CRASH_CONSTRUCTOR
__attribute__((constructor)) static void crash(void)
{
	abort();
}
#endif

static void hang(void)
{
	for (;;)
		pause();
}

static void put_larger(hy_plugin *table, const hy_plugin *mine)
{
	struct {
		hy_plugin known;
		void (*future)(void);
	} larger = {.known = *mine, .future = hang};
	larger.known.abi_minor = 7;
	hy_put(table, &larger, sizeof(larger));
}

static hy_status enter(const hy_host *host, hy_plugin *table)
{
	if (FAKE_FAULT == CRASH_ENTRY) abort();
	if (FAKE_FAULT == HANG_ENTRY) hang();
	if (FAKE_FAULT == EXIT_ENTRY) exit(5);
	if (FAKE_FAULT == PRINTS_OUTPUT) puts("Fake SDK 1.0");
	if (FAKE_FAULT == PRINTS_ERRORS) fputs("fake: no config\n", stderr);
	while (FAKE_FAULT == ENDLESS_LOG)
		fputs("fake: still here\n", stderr);
	if (FAKE_FAULT == WRITES_RECORDS && write(3, "0123456789abcdefghijklmnop", 26) != 26) abort();
	static bool is_entered;
	if (FAKE_FAULT == STAYS && is_entered) return fail(host, HY_INTERNAL, HY_SCOPE_CALL, "entered twice");
	is_entered = true;
	if (FAKE_FAULT == REFUSES) return fail(host, HY_INCOMPATIBLE, HY_SCOPE_CALL, "needs a machine from the future");
	plugin *self = malloc(sizeof(*self));
	if (self == NULL) return HY_NO_MEMORY;
	self->host = host;
	hy_plugin mine = {
		.name = FAKE_NAME,
		.version = "1.2.3",
		.flags = FAKE_FAULT == STAYS ? 0 : HY_PLUGIN_UNLOADABLE,
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
		.ext = ext,
	};
	if (FAKE_FAULT == INCOHERENT) mine.buffer_free = NULL;
	if (FAKE_FAULT == WRONG_NAME) mine.name = "somebody-else";
	if (FAKE_FAULT == NEW_MINOR)
		put_larger(table, &mine);
	else if (FAKE_FAULT == OLD_MINOR)
		hy_put(table, &mine, offsetof(hy_plugin, exe_free));
	else
		HY_PUT(table, &mine);
	if (FAKE_FAULT == OLD_MINOR) table->size = offsetof(hy_plugin, query); /* what lies behind must not be used */
	if (FAKE_FAULT == OVERFILL) table->size = sizeof(*table) + 8;
	return HY_OK;
}

hy_status hy_plugin_entry_v2(const hy_host *host, hy_plugin *table);
hy_status fake_hidden(const hy_host *host, hy_plugin *table);
int fake_helper(void);

#if defined(FAKE_OTHER_ABI)
hy_status hy_plugin_entry_v2(const hy_host *host, hy_plugin *table)
#elif defined(FAKE_NO_ENTRY)
hy_status fake_hidden(const hy_host *host, hy_plugin *table)
#else
hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
#endif
{
	return enter(host, table);
}

#ifdef FAKE_EXTRA_EXPORT
int fake_helper(void)
{
	return 1;
}
#endif
