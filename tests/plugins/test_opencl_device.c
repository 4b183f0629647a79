#include "test.h"

#include "plugins/opencl_case.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

static opencl_place place; /* the machine is open, no device is */

static const char conv[] = "graph \"g\" { input %x: f32[1,16,9,9] input %w: f32[16,16,3,3]"
			   "%y = Conv (%x, %w) pads=[1, 1, 1, 1] output %y }";

#define CLOSE 3e-6

static hy_status open_with(opencl_place *at, const char *key, const char *value)
{
	const hy_option option = {key, value};
	*at = (opencl_place){.machine = place.machine, .index = place.index};
	const hy_status status = hy_hal_device_open(place.machine, place.index, &option, key == NULL ? 0 : 1,
	                                            &at->device, &error);
	if (status == HY_OK) EXPECT_OK(hy_hal_queue_open(at->device, HY_QUEUE_COMPUTE, &at->queue, &error));
	return status;
}

static void close_device(opencl_place *at)
{
	hy_hal_queue_close(at->queue);
	hy_hal_device_close(at->device);
}

/* ---- cores ---- */

static uint32_t allowed_unit(uint32_t rank)
{
	cpu_set_t set;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	if (CPU_COUNT(&set) <= (int)rank) skip();
	uint32_t unit = 0;
	for (;; unit++)
		if (CPU_ISSET(unit, &set) && rank-- == 0) return unit;
}

static hy_status open_on(opencl_place *at, uint32_t unit)
{
	char cores[16];
	snprintf(cores, sizeof(cores), "%u", unit);
	return open_with(at, "cores", cores);
}

static void a_worker_stays_on_its_core_until_the_device_is_closed(void **state)
{
	(void)state;
	const uint32_t unit = allowed_unit(1), before = threads_on(unit);
	opencl_place at;
	EXPECT_OK(open_on(&at, unit));
	assert_int_equal(threads_on(unit), before + 1);
	opencl_check(&at, conv, CLOSE);
	close_device(&at);
	assert_int_equal(threads_on(unit), before);
}

static void devices_on_different_cores_work_side_by_side(void **state)
{
	(void)state;
	opencl_place at[2];
	EXPECT_OK(open_on(&at[0], allowed_unit(0)));
	EXPECT_OK(open_on(&at[1], allowed_unit(1)));
	for (uint32_t turn = 0; turn < 2; turn++)
		for (uint32_t i = 0; i < 2; i++)
			opencl_check(&at[i], conv, CLOSE);
	close_device(&at[0]);
	opencl_check(&at[1], conv, CLOSE);
	close_device(&at[1]);
}

static void a_device_without_free_workers_says_so(void **state)
{
	(void)state;
	const uint32_t unit = allowed_unit(0);
	opencl_place at[64], more;
	uint32_t open = 0;
	while (open < 64 && open_on(&at[open], unit) == HY_OK)
		open++;
	assert_true(open >= 1 && open <= 64);
	if (open < 64) EXPECT_STATUS(HY_BUSY, open_on(&more, unit));
	if (open < 64) assert_non_null(strstr(error.text, "close another device"));
	for (uint32_t i = 0; i < open; i++)
		close_device(&at[i]);
	EXPECT_OK(open_on(&more, unit));
	close_device(&more);
}

static void refused(hy_status status, const char *key, const char *value, const char *says)
{
	opencl_place at;
	EXPECT_STATUS(status, open_with(&at, key, value));
	if (strstr(error.text, says) == NULL) fail_msg("%s=%s: %s", key, value, error.text);
}

static void options_that_make_no_sense_are_refused_with_the_reason(void **state)
{
	(void)state;
	refused(HY_INVALID, "cores", "", "like 0-1,3");
	refused(HY_INVALID, "cores", "x", "like 0-1,3");
	refused(HY_INVALID, "cores", "1-", "like 0-1,3");
	refused(HY_INVALID, "cores", "3-1", "like 0-1,3");
	refused(HY_INVALID, "cores", "0,", "like 0-1,3");
	refused(HY_INVALID, "cores", "0,0", "like 0-1,3");
	refused(HY_INVALID, "cores", "1000", "core 1000");
	refused(HY_INVALID, "shape", "round", "shape=cpu|gpu");
	refused(HY_INVALID, "speed", "high", "the options are");
}

/* ---- shapes of kernels ---- */

static void the_gpu_shape_computes_the_same_without_blocks(void **state)
{
	(void)state;
	opencl_place at;
	EXPECT_OK(open_with(&at, "shape", "gpu"));
	const opencl_result r = opencl_check(&at, conv, CLOSE);
	assert_null(strstr(r.kernels, "block"));
	assert_int_equal(r.layouts, 0);
	close_device(&at);
}

/* ---- memory ---- */

static void a_buffer_that_does_not_fit_is_refused_and_nothing_breaks(void **state)
{
	(void)state;
	opencl_place at;
	EXPECT_OK(open_with(&at, NULL, NULL));
	hy_hal_buffer *buffer = NULL;
	EXPECT_STATUS(HY_NO_MEMORY, hy_hal_buffer_create(at.device, UINT64_C(1) << 50, &buffer, &error));
	opencl_check(&at, conv, CLOSE);
	close_device(&at);
}

/* ---- what the driver must not leave behind ---- */

static void signal_handlers_are_those_of_the_host(void **state)
{
	(void)state;
	opencl_place at;
	EXPECT_OK(open_with(&at, NULL, NULL));
	opencl_check(&at, conv, CLOSE);
	for (int i = 1; i < 32; i++) {
		struct sigaction action;
		if (i != SIGFPE && i != SIGILL && i != SIGSEGV && i != SIGBUS && i != SIGSYS && i != SIGABRT &&
		    sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
			fail_msg("signal %d has a handler", i);
	}
	close_device(&at);
}

/* ---- the cache on the disk ---- */

static const char folder[] = HY_BINARY_DIR "/tests/cache/opencl";

/* Calls `of` for each program of the cache; answers how many there are. */
static uint32_t each_program(void (*of)(const char *path))
{
	uint32_t count = 0;
	DIR *dir = opendir(folder);
	if (dir == NULL) return 0;
	for (struct dirent *file = readdir(dir); file != NULL; file = readdir(dir)) {
		char path[4096];
		if (strstr(file->d_name, ".clbin") == NULL) continue;
		snprintf(path, sizeof(path), "%s/%s", folder, file->d_name);
		count++;
		if (of != NULL) of(path);
	}
	closedir(dir);
	return count;
}

static void forget(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void change_a_byte(const char *path)
{
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 200, SEEK_SET), 0);
	const int byte = fgetc(file);
	assert_int_equal(fseek(file, 200, SEEK_SET), 0);
	fputc(byte ^ 0xff, file);
	fclose(file);
}

static void cut_short(const char *path)
{
	assert_int_equal(truncate(path, 20), 0);
}

static long total_bytes;

static void add_bytes(const char *path)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	total_bytes += (long)status.st_size;
}

static long bytes_of_cache(void)
{
	total_bytes = 0;
	each_program(add_bytes);
	return total_bytes;
}

static void compile_again(void)
{
	opencl_place at;
	EXPECT_OK(open_with(&at, "cache", "on"));
	opencl_check(&at, "graph \"g\" { input %x: f32[3,4] %y = Exp (%x) output %y }", CLOSE);
	close_device(&at);
}

static void a_spoiled_program_is_made_again(void **state)
{
	(void)state;
	each_program(forget);
	compile_again();
	assert_int_equal(each_program(NULL), 1);
	const long whole = bytes_of_cache();
	each_program(change_a_byte);
	compile_again();
	each_program(cut_short);
	compile_again();
	assert_int_equal(each_program(NULL), 1);
	/* the driver may add to what it gave at first */
	assert_true(bytes_of_cache() >= whole);
}

/* ---- measuring ---- */

static void steps_are_counted_while_they_are_measured(void **state)
{
	(void)state;
	opencl_place at;
	EXPECT_OK(open_with(&at, NULL, NULL));
	hy_ir_graph *graph = case_graph("graph \"g\" { input %x: f32[64,64] %y = Exp (%x) output %y }");
	hy_ir_blob blob;
	EXPECT_OK(hy_ir_blob_create(graph, 0, 1, &blob, NULL, NULL, NULL, NULL, &error));
	hy_hal_program *program;
	EXPECT_OK(hy_hal_program_create(at.device, blob.graph, NULL, 0, NULL, 0, &program, &error));
	static _Alignas(64) float data[2][64 * 64];
	const hy_ref bindings[2] = {hy_hal_host_ref(data[0], sizeof(data[0])),
	                            hy_hal_host_ref(data[1], sizeof(data[1]))};
	const hy_command exec = {
		.kind = HY_COMMAND_EXEC, .exe = hy_hal_program_exe(program), .binding_count = 2, .bindings = bindings};
	EXPECT_OK(hy_hal_queue_run(at.queue, 1, &exec, 0, NULL, &error));
	hy_hal_program_profile(program, true);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_OK(hy_hal_queue_run(at.queue, 1, &exec, 0, NULL, &error));
	hy_hal_program_profile(program, false);
	EXPECT_OK(hy_hal_queue_run(at.queue, 1, &exec, 0, NULL, &error));
	hy_step step = {.size = sizeof(step)};
	EXPECT_OK(hy_hal_program_step(program, 0, &step));
	assert_int_equal(step.calls, 3);
	assert_true(step.total_ns > 0);
	hy_hal_program_destroy(program);
	hy_ir_blob_finish(&blob);
	hy_ir_graph_destroy(graph);
	close_device(&at);
}

static int open_place(void **state)
{
	(void)state;
	opencl_open_machine(&place);
	return 0;
}

static int close_place(void **state)
{
	(void)state;
	hy_hal_machine_close(place.machine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_worker_stays_on_its_core_until_the_device_is_closed),
		CASE(devices_on_different_cores_work_side_by_side),
		CASE(a_device_without_free_workers_says_so),
		CASE(options_that_make_no_sense_are_refused_with_the_reason),
		CASE(the_gpu_shape_computes_the_same_without_blocks),
		CASE(a_buffer_that_does_not_fit_is_refused_and_nothing_breaks),
		CASE(signal_handlers_are_those_of_the_host),
		CASE(a_spoiled_program_is_made_again),
		CASE(steps_are_counted_while_they_are_measured),
	};
	return cmocka_run_group_tests_name("plugins.opencl_device", cases, open_place, close_place);
}
