#include "test.h"

#include "blob.h"

#include <halyard/hal.h>

/* The template plugin of the build tree, whatever else is installed. */
static const hy_hal_machine_options template_only = {
	.size = sizeof(template_only),
	.manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d",
	.disable = "[!t]*",
};

static void a_buffer_lives_from_machine_to_machine(void **state)
{
	(void)state;
	hy_error error;
	/* README: the life of a buffer, begin */
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_buffer *buffer;
	hy_hal_queue *queue;
	char hello[8] = "hello", back[8] = "";
	EXPECT_OK(hy_hal_machine_open(&template_only, &machine, &error));
	EXPECT_OK(hy_hal_device_open(machine, 0, NULL, 0, &device, &error));
	EXPECT_OK(hy_hal_buffer_create(device, sizeof(hello), &buffer, &error));
	EXPECT_OK(hy_hal_queue_open(device, HY_QUEUE_COPY, &queue, &error));
	const hy_ref there = hy_hal_buffer_ref(buffer);
	const hy_command commands[] = {
		{.kind = HY_COMMAND_COPY, .target = there, .source = hy_hal_host_ref(hello, sizeof(hello))},
		{.kind = HY_COMMAND_COPY, .target = hy_hal_host_ref(back, sizeof(back)), .source = there},
	};
	EXPECT_OK(hy_hal_queue_run(queue, 2, commands, 0, NULL, &error));
	assert_string_equal(back, "hello");
	hy_hal_queue_close(queue);
	hy_hal_buffer_destroy(buffer);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
	/* README: the life of a buffer, end */
}

static void the_template_is_used_only_when_it_is_named(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_machine *machine;
	hy_hal_selection selection;
	EXPECT_OK(hy_hal_machine_open(&template_only, &machine, &error));
	EXPECT_OK(hy_hal_machine_select(machine, NULL, &selection, &error));
	assert_int_equal(selection.count, 0);
	hy_hal_selection_finish(&selection);
	EXPECT_OK(hy_hal_machine_select(machine, "template:0", &selection, &error));
	assert_int_equal(selection.count, 1);
	hy_hal_selection_finish(&selection);
	hy_hal_machine_close(machine);
}

static void a_program_is_asked_for_compiled_and_run(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_queue *queue;
	hy_hal_program *program;
	hy_verdict verdict;
	blob b;
	_Alignas(64) float x[4] = {-1, 2, -3, 4}, y[4];
	EXPECT_OK(hy_hal_machine_open(&template_only, &machine, &error));
	EXPECT_OK(hy_hal_device_open(machine, 0, NULL, 0, &device, &error));
	EXPECT_OK(hy_hal_queue_open(device, HY_QUEUE_COMPUTE, &queue, &error));
	EXPECT_OK(hy_hal_device_query(device, blob_make(&b, "Tanh", 4), 1, &verdict, &error));
	assert_int_equal(verdict.answer, HY_NO);
	assert_int_equal(verdict.reason, HY_REASON_OP);
	EXPECT_OK(hy_hal_device_query(device, blob_make(&b, "Relu", 4), 1, &verdict, &error));
	assert_int_equal(verdict.answer, HY_YES);
	EXPECT_OK(hy_hal_program_create(device, &b.graph, NULL, 0, NULL, 0, &program, &error));
	assert_int_equal(hy_hal_program_info(program)->launches, 1);
	const hy_ref bindings[] = {hy_hal_host_ref(x, sizeof(x)), hy_hal_host_ref(y, sizeof(y))};
	const hy_command exec = {
		.kind = HY_COMMAND_EXEC, .exe = hy_hal_program_exe(program), .binding_count = 2, .bindings = bindings};
	hy_done done;
	EXPECT_OK(hy_hal_queue_run(queue, 1, &exec, 0, &done, &error));
	assert_memory_equal(y, ((float[]){0, 2, 0, 4}), sizeof(y));
	assert_true(done.end_ns >= done.begin_ns && done.begin_ns > 0);
	hy_hal_program_destroy(program);
	hy_hal_queue_close(queue);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_buffer_lives_from_machine_to_machine),
		CASE(the_template_is_used_only_when_it_is_named),
		CASE(a_program_is_asked_for_compiled_and_run),
	};
	return cmocka_run_group_tests_name("hal.life", cases, NULL, NULL);
}
