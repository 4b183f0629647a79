/* Virtual time: what a run adds up to where the answer is known, and how much of a mixed cluster is at work. */
#include "test.h"

#include "engine.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static hy_error error;

static const hy_sched__engine_device two_devices[] = {{.name = "a", .rate = 1e-7}, {.name = "b", .rate = 1e-7}};
static const hy_sched__engine_stage on_a[] = {{.device = 0, .work_ns = 10 * MS}};
static const hy_sched__engine_stage on_b[] = {{.device = 1, .work_ns = 10 * MS}};
static const hy_sched__engine_stage a_then_b[] = {{.device = 0, .work_ns = 10 * MS}, {.device = 1, .work_ns = 10 * MS}};
static const hy_sched__engine_lane both[] = {{.stage_count = 1, .stages = on_a}, {.stage_count = 1, .stages = on_b}};
static const hy_sched__engine_lane line[] = {{.stage_count = 2, .stages = a_then_b, .told.depth = 3}};

static const hy_sched__engine_options pair = {
	.device_count = 2, .lane_count = 2, .devices = two_devices, .lanes = both, .load.count = 100};

static hy_sched__engine_result run(const hy_sched__engine_options *options)
{
	hy_sched__engine_result result;
	EXPECT_OK(hy_sched__engine_run(options, &result, &error));
	assert_null(result.broken);
	return result;
}

static void two_equal_devices_halve_a_job(void **state)
{
	(void)state;
	hy_sched__engine_result result = run(&pair);
	assert_int_equal(result.end_ns, 500 * MS);
	assert_float_equal(result.u_cap, 1, 1e-9);
	assert_int_equal(result.counts.ended[HY_SCHED__DISPATCH_OK], 100);
	hy_sched__engine_result_finish(&result);
}

static void stages_on_two_devices_overlap_after_the_first(void **state)
{
	(void)state;
	hy_sched__engine_options options = pair;
	options.lane_count = 1;
	options.lanes = line;
	hy_sched__engine_result result = run(&options);
	assert_int_equal(result.end_ns, 1010 * MS);
	hy_sched__engine_result_finish(&result);
}

static void a_shared_link_is_the_bottleneck_that_it_is(void **state)
{
	(void)state;
	static const uint32_t channel[] = {0};
	static const uint64_t hold[] = {20 * MS};
	const hy_sched__engine_move move = {
		.latency_ns = MS, .channel_count = 1, .channels = channel, .holds_ns = hold};
	const hy_sched__engine_stage far_a[] = {{.device = 0, .work_ns = 10 * MS, .before = move}};
	const hy_sched__engine_stage far_b[] = {{.device = 1, .work_ns = 10 * MS, .before = move}};
	const hy_sched__engine_lane lanes[] = {{.stage_count = 1, .stages = far_a},
	                                       {.stage_count = 1, .stages = far_b}};
	hy_sched__engine_options options = pair;
	options.lanes = lanes;
	options.channel_count = 1;
	hy_sched__engine_result result = run(&options);
	/* 100 transfers of 20 ms one after the other; the last request ends its latency and work later */
	assert_int_equal(result.end_ns, 2000 * MS + MS + 10 * MS);
	hy_sched__engine_result_finish(&result);
}

static void a_device_at_half_speed_counts_as_half_a_device(void **state)
{
	(void)state;
	const hy_sched__engine_script half = {.at_ns = 0, .fault = HY_SCHED__ENGINE_SPEED, .device = 1, .factor = 0.5};
	hy_sched__engine_options options = pair;
	options.script_count = 1;
	options.script = &half;
	options.load.count = 300;
	hy_sched__engine_result result = run(&options);
	assert_float_equal(result.devices[1].available_ns, (double)result.end_ns / 2, 1);
	assert_in_range(result.end_ns, 2000 * MS, 2020 * MS);
	assert_true(result.u_cap > 0.99);
	hy_sched__engine_result_finish(&result);
}

static void a_device_that_dies_and_returns_is_found_by_a_probe(void **state)
{
	(void)state;
	const hy_sched__engine_script script[] = {{.at_ns = 105 * MS, .fault = HY_SCHED__ENGINE_DIES, .device = 1},
	                                          {.at_ns = 500 * MS, .fault = HY_SCHED__ENGINE_RETURNS, .device = 1}};
	hy_sched__engine_options options = pair;
	options.script_count = 2;
	options.script = script;
	options.load.count = 400;
	hy_sched__engine_result result = run(&options);
	assert_int_equal(result.counts.ended[HY_SCHED__DISPATCH_OK], 400);
	assert_int_equal(result.devices[0].items + result.devices[1].items, 400);
	/* 10 until it dies, and from its probe at 1.105 s on about as many as the other */
	assert_in_range(result.devices[1].items, 140, 150);
	hy_sched__engine_result_finish(&result);
}

static void what_hangs_runs_elsewhere(void **state)
{
	(void)state;
	const hy_sched__engine_script hangs = {.at_ns = 105 * MS, .fault = HY_SCHED__ENGINE_HANGS, .device = 1};
	hy_sched__engine_options options = pair;
	options.script_count = 1;
	options.script = &hangs;
	for (int lends = 0; lends < 2; lends++) {
		options.load.lends_memory = lends;
		hy_sched__engine_result result = run(&options);
		assert_int_equal(result.counts.ended[HY_SCHED__DISPATCH_OK], 100);
		assert_int_equal(result.devices[1].items, 10);
		hy_sched__engine_result_finish(&result);
	}
}

static void requests_that_would_be_late_are_refused_and_the_others_are_in_time(void **state)
{
	(void)state;
	hy_sched__engine_options options = pair;
	options.load = (hy_sched__engine_load){.duration_ns = 10 * SECOND, .rate = 4e-7, .deadline_ns = 50 * MS};
	options.room = 1000;
	hy_sched__engine_result result = run(&options);
	assert_true(result.refused > 1000); /* twice as many come as can be served */
	assert_true(result.worst_ns <= 50 * MS);
	assert_true(result.counts.ended[HY_SCHED__DISPATCH_OK] > 1900);
	assert_true(result.u_cap > 0.97);
	hy_sched__engine_result_finish(&result);
}

static void unstarted_requests_of_a_far_lane_are_stolen(void **state)
{
	(void)state;
	hy_sched__engine_lane lanes[] = {both[0], both[1]};
	lanes[1].told.most = 32;
	lanes[1].told.overhead_ns = 10 * MS; /* twenty of these are the least chunk */
	hy_sched__engine_options options = pair;
	options.lanes = lanes;
	options.load.count = 60;
	const hy_sched__engine_script slow = {
		.at_ns = 20 * MS, .fault = HY_SCHED__ENGINE_SPEED, .device = 1, .factor = 0.4};
	options.script_count = 1;
	options.script = &slow;
	hy_sched__engine_result result = run(&options);
	assert_true(result.steals > 0);
	assert_true(result.u_cap > 0.93);
	hy_sched__engine_result_finish(&result);
}

/* ---- a mixed cluster: 16 hosts of speed 1, 8 devices of speed 30, 8 of speed 20, 4 of speed 15 ---- */

enum { DEVICES = 36, BIG = 16 };

static hy_sched__engine_result cluster(double seconds, uint64_t seed, const hy_sched__engine_script *script)
{
	static hy_sched__engine_device devices[DEVICES];
	static hy_sched__engine_stage stages[DEVICES];
	static hy_sched__engine_lane lanes[DEVICES];
	double all = 0;
	memset(lanes, 0, sizeof(lanes));
	for (uint32_t d = 0; d < DEVICES; d++) {
		const double speed = d < 16 ? 1 : d < 24 ? 30 : d < 32 ? 20 : 15;
		devices[d] = (hy_sched__engine_device){.name = "device", .rate = speed / 1e9};
		stages[d] = (hy_sched__engine_stage){.device = d, .work_ns = (uint64_t)(1e9 / speed)};
		lanes[d].stage_count = 1;
		lanes[d].stages = &stages[d];
		lanes[d].told.overhead_ns = 50000;
		all += speed;
	}
	devices[BIG].absent = script != NULL && script->fault == HY_SCHED__ENGINE_JOINS;
	return run(&(hy_sched__engine_options){.device_count = DEVICES,
	                                       .lane_count = DEVICES,
	                                       .devices = devices,
	                                       .lanes = lanes,
	                                       .noise = 0.2,
	                                       .calibration_error = 0.2,
	                                       .seed = seed,
	                                       .flags = HY_SCHED__DISPATCH_BACKUP,
	                                       .script_count = script != NULL,
	                                       .script = script,
	                                       .load.count = (uint64_t)(all * seconds)});
}

static void more_than_99_percent_of_a_mixed_cluster_is_at_work_in_20_seconds(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		hy_sched__engine_result result = cluster(20, seed, NULL);
		assert_true(result.u_cap > 0.994);
		assert_true(result.u_min > 0.93); /* one request is a twentieth of the slowest device's time */
		hy_sched__engine_result_finish(&result);
	}
}

static void more_than_96_percent_of_it_is_at_work_in_2_seconds(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		hy_sched__engine_result result = cluster(2, seed, NULL);
		assert_true(result.u_cap > 0.96);
		hy_sched__engine_result_finish(&result);
	}
}

static void a_big_device_that_slows_dies_hangs_or_joins_costs_less_than_one_and_a_half_percent(void **state)
{
	(void)state;
	for (int fault = HY_SCHED__ENGINE_SPEED; fault <= HY_SCHED__ENGINE_JOINS; fault++) {
		const hy_sched__engine_script script = {
			.at_ns = 7 * SECOND, .fault = (hy_sched__engine_fault)fault, .device = BIG, .factor = 0.5};
		if (fault == HY_SCHED__ENGINE_RETURNS) continue;
		hy_sched__engine_result result = cluster(20, 1, &script);
		assert_true(result.u_cap > 0.985);
		hy_sched__engine_result_finish(&result);
	}
}

static void the_same_seed_gives_the_same_run_and_another_gives_another(void **state)
{
	(void)state;
	hy_sched__engine_result first = cluster(2, 7, NULL), again = cluster(2, 7, NULL), other = cluster(2, 8, NULL);
	assert_int_equal(first.end_ns, again.end_ns);
	assert_memory_equal(first.devices, again.devices, DEVICES * sizeof(*first.devices));
	assert_int_not_equal(first.end_ns, other.end_ns);
	hy_sched__engine_result_finish(&first);
	hy_sched__engine_result_finish(&again);
	hy_sched__engine_result_finish(&other);
}

static void a_run_that_never_ends_is_refused(void **state)
{
	(void)state;
	hy_sched__engine_result result;
	hy_sched__engine_options options = pair;
	options.load.count = 0;
	EXPECT_STATUS(HY_INVALID, hy_sched__engine_run(&options, &result, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(two_equal_devices_halve_a_job),
		CASE(stages_on_two_devices_overlap_after_the_first),
		CASE(a_shared_link_is_the_bottleneck_that_it_is),
		CASE(a_device_at_half_speed_counts_as_half_a_device),
		CASE(a_device_that_dies_and_returns_is_found_by_a_probe),
		CASE(what_hangs_runs_elsewhere),
		CASE(requests_that_would_be_late_are_refused_and_the_others_are_in_time),
		CASE(unstarted_requests_of_a_far_lane_are_stolen),
		CASE(more_than_99_percent_of_a_mixed_cluster_is_at_work_in_20_seconds),
		CASE(more_than_96_percent_of_it_is_at_work_in_2_seconds),
		CASE(a_big_device_that_slows_dies_hangs_or_joins_costs_less_than_one_and_a_half_percent),
		CASE(the_same_seed_gives_the_same_run_and_another_gives_another),
		CASE(a_run_that_never_ends_is_refused),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
