#include "test.h"

#include "plugins/cpu_case.h"

#include <dirent.h>
#include <sched.h>

/* ---- options ---- */

static uint32_t first_allowed(void)
{
	cpu_set_t set;
	uint32_t unit = 0;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (!CPU_ISSET(unit, &set))
		unit++;
	return unit;
}

static void a_device_s_thread_stays_on_its_cores(void **state)
{
	(void)state;
	cpu_place place;
	char cores[16];
	const uint32_t unit = first_allowed(), before = threads_on(unit);
	snprintf(cores, sizeof(cores), "%u", unit);
	EXPECT_OK(cpu_open(&place, "cores", cores));
	assert_int_equal(threads_on(unit), before + 1);
	cpu_close(&place);
	assert_int_equal(threads_on(unit), before);
}

static void refused(const char *key, const char *value, const char *says)
{
	cpu_place place;
	EXPECT_STATUS(HY_INVALID, cpu_open(&place, key, value));
	if (strstr(error.text, says) == NULL) fail_msg("%s=%s: %s", key, value, error.text);
	cpu_close(&place);
}

static void options_that_make_no_sense_are_refused_with_the_reason(void **state)
{
	(void)state;
	refused("cores", "", "write 0-1,3");
	refused("cores", "x", "write 0-1,3");
	refused("cores", "1-", "write 0-1,3");
	refused("cores", "3-1", "write 0-1,3");
	refused("cores", "0,", "write 0-1,3");
	refused("cores", "99999999", "write 0-1,3");
	refused("cores", "1000", "may not run on unit 1000");
	refused("threads", "0", "must be 1 to");
	refused("threads", "two", "must be 1 to");
	refused("threads", "100000", "must be 1 to");
	refused("winograd", "maybe", "must be measure, always or never");
	refused("speed", "high", "unknown option speed");
}

/* ---- what a device says ---- */

static void the_device_is_the_host_s_cores_and_memory(void **state)
{
	(void)state;
	cpu_place place;
	EXPECT_OK(cpu_open(&place, NULL, NULL));
	const hy_device_info *info = &hy_hal_machine_device(place.machine, place.index)->info;
	assert_int_equal(info->kind, HY_KIND_CPU);
	assert_int_equal(info->flags, HY_DEVICE_HOST_BINDINGS | HY_DEVICE_HOST_CORES);
	assert_true(info->memory_bytes > 0);
	assert_true(info->name[0] != '\0' && info->id[0] != '\0');
	hy_heap_info heap = {.size = sizeof(heap)};
	EXPECT_OK(hy_hal_device_heap(place.device, 0, &heap, &error));
	assert_true(heap.free_bytes <= heap.total_bytes);
	EXPECT_STATUS(HY_INVALID, hy_hal_device_heap(place.device, 1, &heap, &error));
	cpu_close(&place);
}

/* ---- queues ---- */

typedef struct tally {
	_Atomic uint32_t done, ok, cancelled;
} tally;

static void on_done(void *payload, const hy_done *done)
{
	tally *t = payload;
	t->ok += done->status == HY_OK;
	t->cancelled += done->status == HY_CANCELLED;
	t->done++;
}

static void each_ticket_ends_once_and_those_that_ran_ran_in_order(void **state)
{
	(void)state;
	enum { COUNT = 200 };
	cpu_place place;
	tally t = {0};
	static unsigned char memory[65536], copy[65536];
	EXPECT_OK(cpu_open(&place, NULL, NULL));
	for (uint32_t i = 0; i < COUNT; i++) {
		const hy_command commands[2] = {
			{.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(memory, sizeof(memory)), .pattern = i + 1},
			{.kind = HY_COMMAND_COPY,
		         .target = hy_hal_host_ref(copy, sizeof(copy)),
		         .source = hy_hal_host_ref(memory, sizeof(memory))},
		};
		EXPECT_OK(hy_hal_queue_submit(place.queue, 2, commands, on_done, &t, &error));
	}
	hy_hal_queue_close(place.queue);
	place.queue = NULL;
	assert_int_equal(t.done, COUNT);
	assert_int_equal(t.ok + t.cancelled, COUNT);
	assert_int_equal(copy[0], t.ok);
	assert_int_equal(copy[65535], t.ok);
	cpu_close(&place);
}

static void commands_that_reach_outside_their_memory_are_refused(void **state)
{
	(void)state;
	cpu_place place;
	unsigned char memory[64];
	EXPECT_OK(cpu_open(&place, NULL, NULL));
	hy_hal_buffer *buffer;
	EXPECT_OK(hy_hal_buffer_create(place.device, 64, &buffer, &error));
	hy_ref outside = hy_hal_buffer_ref(buffer);
	outside.offset = UINT64_MAX - 8;
	const hy_command rows[] = {
		{.kind = HY_COMMAND_FILL, .target = outside},
		{.kind = HY_COMMAND_COPY, .target = outside, .source = hy_hal_host_ref(memory, outside.length)},
		{.kind = HY_COMMAND_COPY,
	         .target = hy_hal_buffer_ref(buffer),
	         .source = hy_hal_host_ref(memory, outside.length - 1)},
		{.kind = HY_COMMAND_EXEC},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_STATUS(HY_INVALID, hy_hal_queue_run(place.queue, 1, &rows[i], 0, NULL, &error));
	const hy_command unknown = {.kind = 99};
	EXPECT_STATUS(HY_UNSUPPORTED, hy_hal_queue_run(place.queue, 1, &unknown, 0, NULL, &error));
	hy_hal_buffer_destroy(buffer);
	cpu_close(&place);
}

static void a_program_refuses_bindings_that_do_not_fit(void **state)
{
	(void)state;
	cpu_place place;
	EXPECT_OK(cpu_open(&place, NULL, NULL));
	hy_ir_graph *graph = case_graph("graph \"g\" { input %x: f32[16] %y = Relu (%x) output %y }");
	hy_ir_blob blob;
	hy_hal_program *program;
	EXPECT_OK(hy_ir_blob_create(graph, 0, 1, &blob, NULL, NULL, NULL, NULL, &error));
	EXPECT_OK(hy_hal_program_create(place.device, blob.graph, NULL, 0, NULL, 0, &program, &error));
	float *in = aligned_alloc(64, 128), *out = aligned_alloc(64, 128);
	hy_hal_buffer *workspace;
	EXPECT_OK(hy_hal_buffer_create(place.device, hy_hal_program_info(program)->workspace_bytes + 64, &workspace,
	                               &error));
	hy_ref refs[2] = {hy_hal_host_ref(in, 64), hy_hal_host_ref(out, 64)};
	hy_command exec = {.kind = HY_COMMAND_EXEC,
	                   .exe = hy_hal_program_exe(program),
	                   .binding_count = 2,
	                   .bindings = refs,
	                   .workspace = hy_hal_buffer_ref(workspace)};
	memset(in, 0, 128);
	EXPECT_OK(hy_hal_queue_run(place.queue, 1, &exec, 0, NULL, &error));
	refs[1].length = 60;
	EXPECT_STATUS(HY_INVALID, hy_hal_queue_run(place.queue, 1, &exec, 0, NULL, &error));
	refs[1].length = 64;
	refs[0].offset += 4;
	EXPECT_STATUS(HY_INVALID, hy_hal_queue_run(place.queue, 1, &exec, 0, NULL, &error));
	refs[0].offset -= 4;
	exec.binding_count = 1;
	EXPECT_STATUS(HY_INVALID, hy_hal_queue_run(place.queue, 1, &exec, 0, NULL, &error));
	hy_hal_program_destroy(program);
	hy_hal_buffer_destroy(workspace);
	free(in);
	free(out);
	hy_ir_blob_finish(&blob);
	hy_ir_graph_destroy(graph);
	cpu_close(&place);
}

static void two_devices_of_one_process_compute_alike(void **state)
{
	(void)state;
	cpu_place places[2];
	static const char text[] = "graph \"g\" { input %x: f32[1,16,20,20] input %w: f32[16,16,3,3]"
				   "%y = Conv (%x, %w) pads=[1, 1, 1, 1] %z = Sigmoid (%y) output %z }";
	for (uint32_t i = 0; i < 2; i++)
		EXPECT_OK(cpu_open(&places[i], "threads", "1"));
	for (uint32_t i = 0; i < 2; i++)
		cpu_check(&places[i], text, 3e-6);
	for (uint32_t i = 0; i < 2; i++)
		cpu_close(&places[i]);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_device_s_thread_stays_on_its_cores),
		CASE(options_that_make_no_sense_are_refused_with_the_reason),
		CASE(the_device_is_the_host_s_cores_and_memory),
		CASE(each_ticket_ends_once_and_those_that_ran_ran_in_order),
		CASE(commands_that_reach_outside_their_memory_are_refused),
		CASE(a_program_refuses_bindings_that_do_not_fit),
		CASE(two_devices_of_one_process_compute_alike),
	};
	return cmocka_run_group_tests_name("plugins.cpu_device", cases, NULL, NULL);
}
