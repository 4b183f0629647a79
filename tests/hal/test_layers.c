#include "test.h"

#include "blob.h"
#include "fake.h"
#include "host.h"
#include "layer.h"

#include <pthread.h>

typedef struct place {
	fake_log log;
	hy_hal_machine *machine;
	hy_hal_device *device, *other;
	hy_hal_queue *queue;
	hy_hal_buffer *buffer, *foreign;
	hy_hal_program *program, *elsewhere;
	blob blob;
} place;

static void place_open(place *p, const char *layers)
{
	hy_error error;
	*p = (place){0};
	p->machine = fake_machine("good", layers, &p->log);
	p->device = fake_device(p->machine, NULL);
	p->other = fake_device(p->machine, NULL);
	p->queue = fake_queue(p->device);
	const hy_graph *graph = blob_make(&p->blob, "Relu", 4);
	EXPECT_OK(hy_hal_buffer_create(p->device, 4096, &p->buffer, &error));
	EXPECT_OK(hy_hal_buffer_create(p->other, 4096, &p->foreign, &error));
	EXPECT_OK(hy_hal_program_create(p->device, graph, NULL, 0, NULL, 0, &p->program, &error));
	EXPECT_OK(hy_hal_program_create(p->other, graph, NULL, 0, NULL, 0, &p->elsewhere, &error));
}

static void place_close(place *p)
{
	hy_hal_program_destroy(p->elsewhere);
	hy_hal_program_destroy(p->program);
	hy_hal_buffer_destroy(p->foreign);
	hy_hal_buffer_destroy(p->buffer);
	hy_hal_queue_close(p->queue);
	hy_hal_device_close(p->other);
	hy_hal_device_close(p->device);
	hy_hal_machine_close(p->machine);
}

static hy_ref part(const hy_hal_buffer *buffer, uint64_t offset, uint64_t length)
{
	hy_ref ref = hy_hal_buffer_ref(buffer);
	ref.offset += offset;
	ref.length = length;
	return ref;
}

/* What validate says about one command, behind "good:0: submit: validate: command 0: "; "" when it passes. */
static const char *verdict(place *p, hy_command command)
{
	static hy_error error;
	error.text[0] = '\0';
	const char *front = "good:0: submit: validate: command 0: ";
	if (hy_hal_queue_run(p->queue, 1, &command, 0, NULL, &error) == HY_OK) return "";
	assert_int_equal(error.status, HY_INVALID);
	assert_true(hy_hal_device_is_usable(p->device));
	return strncmp(error.text, front, strlen(front)) == 0 ? error.text + strlen(front) : error.text;
}

static void commands_that_break_the_rules_do_not_reach_the_plugin(void **state)
{
	(void)state;
	place p;
	char host[64] = "";
	place_open(&p, "validate");
	const hy_ref good = part(p.buffer, 0, 64), workspace = part(p.buffer, 1024, 512);
	const hy_ref binding = part(p.buffer, 256, 16), odd = part(p.buffer, 4, 16);
	const hy_ref in_host = hy_hal_host_ref(host, 64);
	const hy_ref beyond = {good.buffer, (UINT64_C(32) << 20) - 8, 64}, overflow = {good.buffer, UINT64_MAX - 8, 64};
	const hy_exe *exe = hy_hal_program_exe(p.program);
	const struct {
		hy_command command;
		const char *says;
	} rows[] = {
		{{.kind = HY_COMMAND_COPY, .target = good, .source = in_host}, ""},
		{{.kind = HY_COMMAND_COPY, .target = in_host, .source = good}, ""},
		{{.kind = HY_COMMAND_FILL, .target = good}, ""},
		{{.kind = 9}, "kind: is not COPY, FILL or EXEC"},
		{{.kind = HY_COMMAND_COPY, .target = good, .source = part(p.buffer, 256, 32)},
	         "COPY: the lengths differ"},
		{{.kind = HY_COMMAND_COPY, .target = good, .source = part(p.buffer, 32, 64)},
	         "COPY: target and source overlap"},
		{{.kind = HY_COMMAND_COPY, .target = part(p.foreign, 0, 64), .source = in_host},
	         "COPY target: the buffer belongs to another device"},
		{{.kind = HY_COMMAND_COPY, .target = good, .source = {0}}, "COPY: the lengths differ"},
		{{.kind = HY_COMMAND_COPY, .target = good, .source = {NULL, 0, 64}}, "COPY source: NULL"},
		{{.kind = HY_COMMAND_FILL, .target = overflow}, "FILL target: offset and length overflow"},
		{{.kind = HY_COMMAND_FILL, .target = beyond},
	         "FILL target: bytes 33554424 to 33554488 of a buffer of 33554432"},
		{{.kind = HY_COMMAND_FILL, .target = {(hy_buffer *)(void *)host, 0, 8}}, "FILL target: no such buffer"},
		{{.kind = HY_COMMAND_EXEC,
	          .exe = (hy_exe *)(uintptr_t)exe,
	          .bindings = &binding,
	          .binding_count = 1,
	          .workspace = workspace},
	         ""},
		{{.kind = HY_COMMAND_EXEC,
	          .exe = (hy_exe *)(uintptr_t)exe,
	          .bindings = &odd,
	          .binding_count = 1,
	          .workspace = workspace},
	         "EXEC binding 0: offset or address 0x4 is not aligned to 256"},
		{{.kind = HY_COMMAND_EXEC,
	          .exe = (hy_exe *)(uintptr_t)exe,
	          .bindings = &in_host,
	          .binding_count = 1,
	          .workspace = workspace},
	         "EXEC binding 0: host memory, which this device does not bind: copy it first"},
		{{.kind = HY_COMMAND_EXEC, .exe = (hy_exe *)(uintptr_t)exe},
	         "EXEC workspace: 0 bytes where the program needs 512"},
		{{.kind = HY_COMMAND_EXEC, .exe = hy_hal_program_exe(p.elsewhere), .workspace = workspace},
	         "EXEC: the program was compiled for another device"},
		{{.kind = HY_COMMAND_EXEC, .exe = (hy_exe *)(void *)host}, "EXEC: no such program"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *says = verdict(&p, rows[i].command);
		if (strcmp(says, rows[i].says) != 0) fail_msg("row %zu: '%s', not '%s'", i, says, rows[i].says);
	}
	place_close(&p);
	assert_null(strstr(p.log.text, "validate:"));
}

typedef struct again {
	hy_hal_queue *queue;
	hy_error error;
} again;

static void submit_to_same(void *payload, const hy_done *done)
{
	(void)done;
	again *a = payload;
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(a, 0)};
	assert_int_equal(hy_hal_queue_submit(a->queue, 1, &fill, submit_to_same, a, &a->error), HY_INVALID);
}

static void a_submission_inside_a_submission_to_the_same_queue_is_refused(void **state)
{
	(void)state;
	place p;
	hy_error error;
	place_open(&p, "validate");
	again a = {.queue = p.queue};
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(&a, 0)};
	EXPECT_OK(hy_hal_queue_submit(p.queue, 1, &fill, submit_to_same, &a, &error));
	assert_string_equal(a.error.text,
	                    "good:0: submit: validate: two submissions to one queue at the same time (P5)");
	place_close(&p);
}

static void graphs_and_counts_that_do_not_fit_are_invalid(void **state)
{
	(void)state;
	place p;
	hy_error error;
	hy_verdict verdicts[2];
	hy_hal_program *program;
	const hy_constant constant = {&p, 4};
	const hy_graph no_graph = {0};
	place_open(&p, "validate");
	EXPECT_STATUS(HY_INVALID, hy_hal_device_query(p.device, &p.blob.graph, 2, verdicts, &error));
	assert_string_equal(error.text, "good:0: query: validate: 2 verdicts for 1 nodes");
	EXPECT_STATUS(HY_INVALID, hy_hal_device_query(p.device, &no_graph, 1, verdicts, &error));
	EXPECT_STATUS(HY_INVALID,
	              hy_hal_program_create(p.device, &p.blob.graph, &constant, 1, NULL, 0, &program, &error));
	assert_string_equal(error.text, "good:0: compile: validate: 1 constants for 0 slots");
	hy_hal_queue *queue;
	EXPECT_STATUS(HY_INVALID, hy_hal_queue_open(p.device, 7, &queue, &error));
	place_close(&p);
}

static void verdicts_that_break_the_rule_are_logged(void **state)
{
	(void)state;
	fake_log log = {0};
	hy_error error;
	hy_verdict verdicts[1];
	blob b;
	hy_hal_machine *machine = fake_machine("good", "validate", &log);
	hy_hal_device *lazy = fake_device(machine, "lazy-query"), *odd = fake_device(machine, "odd-verdict");
	EXPECT_OK(hy_hal_device_query(lazy, blob_make(&b, "Relu", 4), 1, verdicts, &error));
	EXPECT_OK(hy_hal_device_query(odd, &b.graph, 1, verdicts, &error));
	assert_non_null(strstr(log.text, "validate: plugin good query gave no verdict on node 0 (P12)"));
	assert_non_null(strstr(log.text, "validate: plugin good query answered 9 on node 0: YES or NO (P12)"));
	hy_hal_device_close(lazy);
	hy_hal_device_close(odd);
	hy_hal_machine_close(machine);
}

/* ---- the layer alone, over a table made here ---- */

static int freed;
static hy_buffer *const one_buffer = (hy_buffer *)(uintptr_t)4096;

static hy_status mock_info(hy_hal__calls *self, uint32_t index, hy_device_info *out_info)
{
	(void)self;
	(void)index;
	(void)out_info;
	return HY_OK;
}

static hy_status mock_open(hy_hal__calls *self, uint32_t index, const hy_option *options, uint32_t count,
                           hy_device **out_device)
{
	(void)self;
	(void)options;
	(void)count;
	*out_device = (hy_device *)(uintptr_t)(64 + 64 * index);
	return HY_OK;
}

static void mock_close(hy_hal__calls *self, hy_device *device)
{
	(void)self;
	(void)device;
}

static hy_status mock_alloc(hy_hal__calls *self, hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out)
{
	(void)self;
	(void)device;
	(void)length;
	*out = one_buffer;
	return heap == 0 ? HY_OK : HY_NO_MEMORY;
}

static void mock_free(hy_hal__calls *self, hy_device *device, hy_buffer *buffer)
{
	(void)self;
	(void)device;
	(void)buffer;
	freed++;
}

static void mock_destroy(hy_hal__calls *self)
{
	(void)self;
}

static void handles_are_followed_from_open_to_close(void **state)
{
	(void)state;
	fake_log log = {0};
	const hy_hal__log sink = {fake_log_write, &log, HY_LOG_DEBUG};
	hy_hal__calls mock = {.destroy = mock_destroy,
	                      .device_info = mock_info,
	                      .device_open = mock_open,
	                      .device_close = mock_close,
	                      .buffer_alloc = mock_alloc,
	                      .buffer_free = mock_free};
	hy_hal__calls *layer = hy_hal__layer_validate(&mock, &sink, "mock");
	hy_device *device;
	hy_buffer *buffer;
	EXPECT_STATUS(HY_OK, layer->device_open(layer, 0, NULL, 0, &device));
	EXPECT_STATUS(HY_INVALID, layer->buffer_alloc(layer, (hy_device *)(void *)&mock, 0, 8, &buffer));
	EXPECT_STATUS(HY_OK, layer->buffer_alloc(layer, device, 0, 8, &buffer));
	EXPECT_STATUS(HY_OK, layer->buffer_alloc(layer, device, 0, 8, &buffer));
	assert_non_null(strstr(log.text, "buffer_alloc gave handle 0x1000, which is open already"));
	EXPECT_STATUS(HY_NO_MEMORY, layer->buffer_alloc(layer, device, 1, 8, &buffer));
	assert_non_null(strstr(log.text, "buffer_alloc failed and wrote its out-parameter (P3)"));
	layer->buffer_free(layer, device, buffer);
	layer->buffer_free(layer, device, buffer);
	assert_int_equal(freed, 1);
	assert_non_null(strstr(log.text, "buffer_free: the buffer is not there: freed twice?"));
	EXPECT_STATUS(HY_OK, layer->buffer_alloc(layer, device, 0, 8, &buffer));
	layer->device_close(layer, device);
	assert_non_null(strstr(log.text, "device_close: buffers, queues or programs of the device are open"));
	layer->device_close(layer, device);
	assert_non_null(strstr(log.text, "device_close: the device is not open"));
	hy_hal__calls_destroy(layer);
}

/* ---- trace ---- */

static void every_call_and_completion_is_one_line(void **state)
{
	(void)state;
	place p;
	place_open(&p, "trace,validate");
	assert_string_equal(verdict(&p, (hy_command){.kind = HY_COMMAND_FILL, .target = part(p.buffer, 0, 8)}), "");
	place_close(&p);
	static const char *const lines[] = {
		"1 good: trace: device_count() 2 OK ",
		"1 good: trace: device_info(1) OK ",
		"1 good: trace: device_open(0, ) 0x",
		"1 good: trace: heap_info(0x",
		"1 good: trace: buffer_alloc(0x",
		"1 good: trace: queue_open(0x",
		"1 good: trace: compile(0x",
		"1 good: trace: ext(halyard.steps, 1) yes ",
		", 0 copies, 1 fills, 0 execs, ticket 0x",
		"1 good: trace: completed ticket 0x",
		" OK 2.0 us",
		"1 good: trace: exe_free(0x",
		"1 good: trace: queue_close(0x",
		"1 good: trace: buffer_free(0x",
		"1 good: trace: device_close(0x",
	};
	const char *rest = p.log.text;
	for (size_t i = 0; i < 9; i++)
		if (strstr(p.log.text, lines[i]) == NULL) fail_msg("no line '%s' in:\n%s", lines[i], p.log.text);
	for (size_t i = 9; i < sizeof(lines) / sizeof(lines[0]); i++) {
		rest = strstr(rest, lines[i]);
		if (rest == NULL) fail_msg("no line '%s' in its place in:\n%s", lines[i], p.log.text);
	}
}

/* ---- one thread ---- */

static void *use_device(void *payload)
{
	hy_error error;
	hy_hal_device *device = payload;
	hy_hal_queue *queue = fake_queue(device);
	for (int i = 0; i < 100; i++) {
		char bytes[8];
		hy_hal_buffer *buffer;
		EXPECT_OK(hy_hal_buffer_create(device, 40u << 20, &buffer, &error));
		const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(bytes, 8), .pattern = 'x'};
		EXPECT_OK(hy_hal_queue_run(queue, 1, &fill, 0, NULL, &error));
		assert_memory_equal(bytes, "xxxxxxxx", 8);
		hy_hal_buffer_destroy(buffer);
	}
	hy_hal_queue_close(queue);
	return NULL;
}

static void a_device_of_one_thread_gets_its_calls_from_one_thread(void **state)
{
	(void)state;
	hy_hal_machine *machine = fake_machine("one-thread", "validate", NULL);
	hy_hal_device *device = fake_device(machine, NULL);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_device, device), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void submit_again(void *payload, const hy_done *done)
{
	(void)done;
	use_device(payload);
}

static void a_completion_on_that_thread_may_submit(void **state)
{
	(void)state;
	hy_error error;
	char byte;
	hy_hal_machine *machine = fake_machine("one-thread", NULL, NULL);
	hy_hal_device *device = fake_device(machine, NULL);
	hy_hal_queue *queue = fake_queue(device);
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(&byte, 1)};
	EXPECT_OK(hy_hal_queue_submit(queue, 1, &fill, submit_again, device, &error));
	hy_hal_queue_close(queue);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void words_of_a_failure_cross_the_thread(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_device *device;
	const hy_option option = {"fault", "open"};
	hy_hal_machine *machine = fake_machine("one-thread", NULL, NULL);
	EXPECT_STATUS(HY_DEVICE_LOST, hy_hal_device_open(machine, 0, &option, 1, &device, &error));
	assert_string_equal(error.text, "one-thread:0: device_open: fell off the bus");
	assert_int_equal(error.native, 42);
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(commands_that_break_the_rules_do_not_reach_the_plugin),
		CASE(a_submission_inside_a_submission_to_the_same_queue_is_refused),
		CASE(graphs_and_counts_that_do_not_fit_are_invalid),
		CASE(verdicts_that_break_the_rule_are_logged),
		CASE(handles_are_followed_from_open_to_close),
		CASE(every_call_and_completion_is_one_line),
		CASE(a_device_of_one_thread_gets_its_calls_from_one_thread),
		CASE(a_completion_on_that_thread_may_submit),
		CASE(words_of_a_failure_cross_the_thread),
	};
	return cmocka_run_group_tests_name("hal.layers", cases, NULL, NULL);
}
