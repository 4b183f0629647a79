#include "test.h"

#include "fake.h"

#include <stdlib.h>

#define MIB (UINT64_C(1) << 20)

static void good_device(const char *fault, hy_hal_machine **out_machine, hy_hal_device **out_device)
{
	*out_machine = fake_machine("good", NULL, NULL);
	*out_device = fake_device(*out_machine, fault);
}

static hy_hal_memory_stats stats(const hy_hal_device *device)
{
	hy_hal_memory_stats now;
	hy_hal_device_memory(device, &now);
	return now;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static bool overlap(hy_ref a, hy_ref b)
{
	return a.buffer == b.buffer && a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

static void buffers_that_live_together_never_overlap(void **state)
{
	(void)state;
	enum { LIVE = 60, STEPS = 4000 };
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_buffer *live[LIVE] = {0};
	hy_error error;
	uint32_t seed = 7;
	good_device(NULL, &machine, &device);
	for (int i = 0; i < STEPS; i++) {
		const uint32_t k = next_random(&seed) % LIVE;
		if (live[k] != NULL) {
			hy_hal_buffer_destroy(live[k]);
			live[k] = NULL;
			continue;
		}
		const uint64_t limit = next_random(&seed) % 4 == 0 ? 12 * MIB : 5000;
		const uint64_t length = next_random(&seed) % limit + 1;
		EXPECT_OK(hy_hal_buffer_create(device, length, &live[k], &error));
		const hy_ref ref = hy_hal_buffer_ref(live[k]);
		assert_int_equal(ref.offset % 256, 0);
		assert_true(ref.length == length);
		for (uint32_t other = 0; other < LIVE; other++)
			if (other != k && live[other] != NULL)
				assert_false(overlap(ref, hy_hal_buffer_ref(live[other])));
	}
	for (uint32_t k = 0; k < LIVE; k++)
		hy_hal_buffer_destroy(live[k]);
	assert_true(stats(device).used_bytes == 0);
	const uint64_t slab_bytes = stats(device).slab_bytes;
	for (uint64_t k = 0; k < slab_bytes / (8 * MIB); k++) /* what was cut up is whole again */
		EXPECT_OK(hy_hal_buffer_create(device, 8 * MIB, &live[k], &error));
	assert_true(stats(device).slab_bytes == slab_bytes && stats(device).used_bytes == slab_bytes);
	for (uint64_t k = 0; k < slab_bytes / (8 * MIB); k++)
		hy_hal_buffer_destroy(live[k]);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void freed_neighbours_join_whatever_the_order(void **state)
{
	(void)state;
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_error error;
	good_device(NULL, &machine, &device);
	for (int i = 0; i < 6; i++) {
		hy_hal_buffer *thirds[3], *all;
		for (int k = 0; k < 3; k++)
			EXPECT_OK(hy_hal_buffer_create(device, 8 * MIB, &thirds[k], &error));
		for (int k = 0; k < 3; k++)
			hy_hal_buffer_destroy(thirds[orders[i][k]]);
		assert_true(stats(device).slab_bytes == 32 * MIB);
		for (int k = 0; k < 3; k++)
			EXPECT_OK(hy_hal_buffer_create(device, 8 * MIB - 256, &thirds[k], &error));
		EXPECT_OK(hy_hal_buffer_create(device, 8 * MIB, &all, &error));
		assert_true(stats(device).slab_bytes == 32 * MIB); /* no hole is lost: four fit in one slab again */
		hy_hal_buffer_destroy(all);
		for (int k = 0; k < 3; k++)
			hy_hal_buffer_destroy(thirds[k]);
	}
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void statistics_follow_buffers_and_remember_the_peak(void **state)
{
	(void)state;
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_buffer *small, *large;
	hy_error error;
	good_device(NULL, &machine, &device);
	assert_true(stats(device).slab_bytes == 0);
	EXPECT_OK(hy_hal_buffer_create(device, 1, &small, &error));
	assert_true(stats(device).used_bytes == 256);
	EXPECT_OK(hy_hal_buffer_create(device, 40 * MIB, &large, &error));
	assert_true(stats(device).used_bytes == 40 * MIB + 256);
	assert_true(stats(device).slab_bytes == 72 * MIB);
	hy_hal_buffer_destroy(large);
	assert_true(stats(device).slab_bytes == 32 * MIB); /* a large buffer's slab goes back with it */
	hy_hal_buffer_destroy(small);
	assert_true(stats(device).used_bytes == 0);
	EXPECT_OK(hy_hal_buffer_create(device, 1, &small, &error));
	hy_hal_buffer_destroy(small);
	assert_true(stats(device).peak_used_bytes == 40 * MIB + 256);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void memory_that_runs_out_is_found_in_unused_slabs(void **state)
{
	(void)state;
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_buffer *first, *second, *third;
	hy_error error;
	good_device("oom", &machine, &device);
	EXPECT_OK(hy_hal_buffer_create(device, 100, &first, &error)); /* slab 1 */
	EXPECT_OK(hy_hal_buffer_create(device, 40 * MIB, &second, &error)); /* slab 2, of its own */
	hy_hal_buffer_destroy(first);
	EXPECT_OK(hy_hal_buffer_create(device, 50 * MIB, &third, &error)); /* fails once: slab 1 is given back */
	assert_true(stats(device).slab_bytes == 90 * MIB);
	hy_hal_buffer_destroy(second);
	hy_hal_buffer_destroy(third);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void no_memory_leaves_the_device_usable(void **state)
{
	(void)state;
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_buffer *buffer = NULL;
	hy_error error;
	good_device("always-oom", &machine, &device);
	EXPECT_STATUS(HY_NO_MEMORY, hy_hal_buffer_create(device, 100, &buffer, &error));
	assert_null(buffer);
	EXPECT_STATUS(HY_NO_MEMORY, hy_hal_buffer_create(device, 65 * MIB, &buffer, &error));
	assert_string_equal(error.text, "good:0: a buffer of 68157440 bytes is larger than the limit of 67108864");
	EXPECT_STATUS(HY_NO_MEMORY, hy_hal_buffer_create(device, UINT64_MAX, &buffer, &error));
	assert_true(hy_hal_device_is_usable(device));
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void a_buffer_of_no_bytes_is_a_buffer(void **state)
{
	(void)state;
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_buffer *buffer;
	hy_error error;
	good_device(NULL, &machine, &device);
	EXPECT_OK(hy_hal_buffer_create(device, 0, &buffer, &error));
	assert_int_equal(hy_hal_buffer_ref(buffer).length, 0);
	assert_non_null(hy_hal_buffer_ref(buffer).buffer);
	hy_hal_buffer_destroy(buffer);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(buffers_that_live_together_never_overlap),
		CASE(freed_neighbours_join_whatever_the_order),
		CASE(statistics_follow_buffers_and_remember_the_peak),
		CASE(memory_that_runs_out_is_found_in_unused_slabs),
		CASE(no_memory_leaves_the_device_usable),
		CASE(a_buffer_of_no_bytes_is_a_buffer),
	};
	return cmocka_run_group_tests_name("hal.pool", cases, NULL, NULL);
}
