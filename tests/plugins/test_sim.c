/* Simulated devices through the HAL: memory, time, refusals and faults are those of the description. */
#include "test.h"

#include "../../plugins/sim/sim_clock.h"

#include <halyard/hal.h>
#include <halyard/ir.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hy_error error;

typedef struct world {
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_queue *queue;
	const hy_sim_clock *clock;
} world;

static hy_hal_machine *open_machine(const char *yaml)
{
	char path[] = "/tmp/halyard_sim_XXXXXX";
	hy_hal_machine *machine;
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d",
	                                        .disable = "[!s]*",
	                                        .flags = HY_HAL_NO_PROBE};
	if (yaml == NULL) {
		unsetenv("HALYARD_SIM");
	} else {
		const int file = mkstemp(path);
		assert_true(file >= 0);
		assert_int_equal(write(file, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
		close(file);
		setenv("HALYARD_SIM", path, 1);
	}
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	if (yaml != NULL) unlink(path);
	return machine;
}

static world open_world(const char *yaml)
{
	world w = {.machine = open_machine(yaml)};
	EXPECT_OK(hy_hal_device_open(w.machine, 0, NULL, 0, &w.device, &error));
	EXPECT_OK(hy_hal_queue_open(w.device, HY_QUEUE_COMPUTE, &w.queue, &error));
	w.clock = hy_hal_device_extension(w.device, HY_EXT_SIM_CLOCK, 1);
	assert_non_null(w.clock);
	return w;
}

static void close_world(world *w)
{
	hy_hal_queue_close(w->queue);
	hy_hal_device_close(w->device);
	hy_hal_machine_close(w->machine);
}

typedef struct ticket {
	int ends;
	hy_done done;
	int *order, place;
} ticket;

static void note_end(void *payload, const hy_done *done)
{
	ticket *t = payload;
	t->ends++;
	t->done = *done;
	if (t->order != NULL) t->place = (*t->order)++;
}

#define DEVICE "name: one, flops: 1e9, memory: 1MiB, bandwidth: 1e9"

static void without_a_file_there_is_no_device(void **state)
{
	(void)state;
	hy_hal_machine *machine = open_machine(NULL);
	assert_int_equal(hy_hal_machine_device_count(machine), 0);
	hy_hal_machine_close(machine);
}

static void a_bad_file_is_the_plugins_reason(void **state)
{
	(void)state;
	hy_hal_machine *machine = open_machine("devices:\n- {nam: x}\n");
	bool said = false;
	for (uint32_t i = 0; i < hy_hal_machine_plugin_count(machine); i++)
		said |= strstr(hy_hal_machine_plugin(machine, i)->reason, ":2:4: unknown key 'nam'") != NULL;
	assert_true(said);
	hy_hal_machine_close(machine);
}

static void a_device_is_as_described_and_says_that_it_is_not_real(void **state)
{
	(void)state;
	hy_hal_machine *machine = open_machine("devices:\n- {" DEVICE
	                                       ", kind: npu}\n- {name: far, flops: 1, memory: 1, "
	                                       "bandwidth: 1, link: {bandwidth: 1}}\n");
	const hy_hal_device_info *one = hy_hal_machine_device(machine, 0), *far = hy_hal_machine_device(machine, 1);
	assert_string_equal(one->id, "sim:0");
	assert_string_equal(one->uri, "sim://one");
	assert_int_equal(one->info.kind, HY_KIND_NPU);
	assert_int_equal(one->info.memory_bytes, 1048576);
	assert_int_equal(one->info.flags, HY_DEVICE_SIMULATED | HY_DEVICE_HOST_BINDINGS);
	assert_int_equal(far->info.flags, HY_DEVICE_SIMULATED);
	hy_hal_machine_close(machine);
}

static void a_ticket_ends_when_the_clock_says_so(void **state)
{
	(void)state;
	world w = open_world("clock: manual\ndevices:\n- {" DEVICE "}\n");
	char bytes[1000];
	const hy_command fill = {
		.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(bytes, sizeof(bytes)), .pattern = 7};
	ticket t = {0};
	EXPECT_OK(hy_hal_queue_submit(w.queue, 1, &fill, note_end, &t, &error));
	const uint64_t start_ns = w.clock->now(w.clock->ctx);
	w.clock->advance(w.clock->ctx, 999);
	assert_int_equal(t.ends, 0);
	assert_int_equal(w.clock->pending(w.clock->ctx), 1);
	w.clock->advance(w.clock->ctx, 1); /* 1000 bytes at 1 GB/s */
	assert_int_equal(t.ends, 1);
	assert_int_equal(t.done.end_ns, start_ns + 1000);
	assert_int_equal(bytes[999], 7);
	close_world(&w);
}

static void tickets_of_two_devices_end_in_the_order_of_their_times(void **state)
{
	(void)state;
	world w = open_world("clock: manual\ndevices:\n- {" DEVICE "}\n- {name: two, flops: 1e9, memory: 1MiB, "
	                     "bandwidth: 4e9}\n");
	hy_hal_device *second;
	hy_hal_queue *queue;
	EXPECT_OK(hy_hal_device_open(w.machine, 1, NULL, 0, &second, &error));
	EXPECT_OK(hy_hal_queue_open(second, HY_QUEUE_COMPUTE, &queue, &error));
	char bytes[3][1000];
	int order = 0;
	ticket slow = {.order = &order}, quick[2] = {{.order = &order}, {.order = &order}};
	hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(bytes[0], 1000)};
	EXPECT_OK(hy_hal_queue_submit(w.queue, 1, &fill, note_end, &slow, &error));
	for (int i = 0; i < 2; i++) {
		fill.target = hy_hal_host_ref(bytes[1 + i], 1000);
		EXPECT_OK(hy_hal_queue_submit(queue, 1, &fill, note_end, &quick[i], &error));
	}
	w.clock->advance(w.clock->ctx, 5000);
	assert_int_equal(quick[0].place, 0);
	assert_int_equal(quick[1].place, 1);
	assert_int_equal(slow.place, 2);
	assert_int_equal(quick[1].done.begin_ns, quick[0].done.end_ns);
	hy_hal_queue_close(queue);
	hy_hal_device_close(second);
	close_world(&w);
}

static void copies_over_a_link_take_its_latency_and_rate(void **state)
{
	(void)state;
	world w = open_world("devices:\n- {" DEVICE ", link: {bandwidth: 2e9, latency_ns: 300}}\n");
	hy_hal_buffer *buffer;
	char bytes[1000];
	EXPECT_OK(hy_hal_buffer_create(w.device, sizeof(bytes), &buffer, &error));
	const hy_command copy = {.kind = HY_COMMAND_COPY,
	                         .target = hy_hal_buffer_ref(buffer),
	                         .source = hy_hal_host_ref(bytes, sizeof(bytes))};
	hy_done done = {.size = sizeof(done)};
	EXPECT_OK(hy_hal_queue_run(w.queue, 1, &copy, 0, &done, &error));
	assert_int_equal(done.end_ns - done.begin_ns, 300 + 500);
	hy_hal_buffer_destroy(buffer);
	close_world(&w);
}

static void a_slow_device_takes_longer_than_described(void **state)
{
	(void)state;
	world w = open_world("devices:\n- {" DEVICE ", faults: {slow: 3}}\n");
	char bytes[1000];
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(bytes, sizeof(bytes))};
	hy_done done = {.size = sizeof(done)};
	EXPECT_OK(hy_hal_queue_run(w.queue, 1, &fill, 0, &done, &error));
	assert_int_equal(done.end_ns - done.begin_ns, 3000);
	close_world(&w);
}

static void the_ticket_after_the_last_loses_the_device(void **state)
{
	(void)state;
	world w = open_world("devices:\n- {" DEVICE ", faults: {lost_after: 2}}\n");
	char byte;
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(&byte, 1)};
	EXPECT_OK(hy_hal_queue_run(w.queue, 1, &fill, 0, NULL, &error));
	EXPECT_OK(hy_hal_queue_run(w.queue, 1, &fill, 0, NULL, &error));
	assert_true(hy_hal_device_is_usable(w.device));
	EXPECT_STATUS(HY_DEVICE_LOST, hy_hal_queue_run(w.queue, 1, &fill, 0, NULL, &error));
	assert_int_equal(error.scope, HY_SCOPE_DEVICE);
	assert_false(hy_hal_device_is_usable(w.device));
	close_world(&w);
}

static void closing_a_queue_cancels_what_is_left(void **state)
{
	(void)state;
	world w = open_world("clock: manual\ndevices:\n- {" DEVICE "}\n");
	hy_hal_queue *queue;
	char byte;
	ticket t[2] = {{0}};
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(&byte, 1)};
	EXPECT_OK(hy_hal_queue_open(w.device, HY_QUEUE_COMPUTE, &queue, &error));
	EXPECT_OK(hy_hal_queue_submit(queue, 1, &fill, note_end, &t[0], &error));
	EXPECT_OK(hy_hal_queue_submit(queue, 1, &fill, note_end, &t[1], &error));
	hy_hal_queue_close(queue);
	assert_int_equal(t[0].ends, 1);
	assert_int_equal(t[1].ends, 1);
	EXPECT_STATUS(HY_CANCELLED, t[1].done.status);
	close_world(&w);
}

static void memory_ends_where_the_description_ends(void **state)
{
	(void)state;
	world w = open_world("devices:\n- {" DEVICE "}\n");
	hy_hal_buffer *buffer;
	EXPECT_STATUS(HY_NO_MEMORY, hy_hal_buffer_create(w.device, 2 << 20, &buffer, &error));
	EXPECT_OK(hy_hal_buffer_create(w.device, 1 << 19, &buffer, &error));
	hy_hal_buffer_destroy(buffer);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(without_a_file_there_is_no_device),
		CASE(a_bad_file_is_the_plugins_reason),
		CASE(a_device_is_as_described_and_says_that_it_is_not_real),
		CASE(a_ticket_ends_when_the_clock_says_so),
		CASE(tickets_of_two_devices_end_in_the_order_of_their_times),
		CASE(copies_over_a_link_take_its_latency_and_rate),
		CASE(a_slow_device_takes_longer_than_described),
		CASE(the_ticket_after_the_last_loses_the_device),
		CASE(closing_a_queue_cancels_what_is_left),
		CASE(memory_ends_where_the_description_ends),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
