/* Who takes the next request: single decisions, and whole runs in an event simulation of 36 mixed devices. */
#include "test.h"

#include "tail.h"

#include <string.h>

static void a_lone_lane_takes_what_there_is(void **state)
{
	(void)state;
	const hy_sched__tail_lane lane = {500, 100};
	assert_true(hy_sched__tail_takes(1, &lane, 0, 1));
}

static void a_single_request_goes_to_the_lane_that_ends_first(void **state)
{
	(void)state;
	const hy_sched__tail_lane lanes[] = {{0, 100}, {0, 130}};
	assert_true(hy_sched__tail_takes(2, lanes, 0, 1));
	assert_false(hy_sched__tail_takes(2, lanes, 1, 1));
}

static void a_busy_fast_lane_leaves_the_request_to_an_idle_slow_one(void **state)
{
	(void)state;
	const hy_sched__tail_lane lanes[] = {{100, 100}, {0, 130}};
	assert_true(hy_sched__tail_takes(2, lanes, 1, 1));
}

static void a_slow_lane_takes_none_of_the_last_requests(void **state)
{
	(void)state;
	const hy_sched__tail_lane lanes[] = {{0, 10}, {0, 1000}};
	/* The slow one plans to end at 1000 and leaves itself a quarter of the difference: 1247. */
	assert_false(hy_sched__tail_takes(2, lanes, 1, 124));
	assert_true(hy_sched__tail_takes(2, lanes, 1, 125));
}

static void equal_lanes_both_take(void **state)
{
	(void)state;
	const hy_sched__tail_lane lanes[] = {{0, 100}, {0, 100}};
	assert_true(hy_sched__tail_takes(2, lanes, 0, 1));
	assert_true(hy_sched__tail_takes(2, lanes, 1, 1));
}

static void the_window_keeps_the_fast_busy_while_the_slow_works(void **state)
{
	(void)state;
	const hy_sched__tail_lane lanes[] = {{0, 10000000}, {0, 100000000}};
	assert_int_equal(hy_sched__tail_window(2, lanes, 2), 3 * 10 + 3 * 1);
	const hy_sched__tail_lane far[] = {{0, 1}, {0, 1000000000}};
	assert_int_equal(hy_sched__tail_window(2, far, 2), 4096);
}

static void the_window_is_small_for_long_requests_and_holds_a_millisecond_of_short_ones(void **state)
{
	(void)state;
	const hy_sched__tail_lane slow = {0, 50000000}, quick = {0, 50000}, tiny = {0, 10};
	assert_int_equal(hy_sched__tail_window(1, &slow, 2), 4);
	assert_int_equal(hy_sched__tail_window(1, &quick, 2), 20);
	assert_int_equal(hy_sched__tail_window(1, &tiny, 2), 64);
}

/* ---- whole runs ---- */

enum { DEVICES = 36 };

/* 16 hosts of speed 1; with them 8 devices of speed 30, 8 of speed 20, 4 of speed 15. */
static double speed_of(int device)
{
	if (device < 16) return 1;
	if (device < 24) return 30;
	return device < 32 ? 20 : 15;
}

static uint32_t seed;

/* Around 1, with a standard deviation of about `spread`. */
static double noise(double spread)
{
	double sum = 0;
	for (int i = 0; i < 12; i++) {
		seed = seed * 1664525u + 1013904223u;
		sum += (double)(seed >> 8) / 16777216.0;
	}
	const double factor = 1 + spread * (sum - 6);
	return factor > 0.3 ? factor : 0.3;
}

/* Runs `items` requests over all devices, two in flight each, and answers the used part of their capacity until the
 * last one ends. Times the rule sees are off by `error`, constant per device; those of requests by `spread`. */
static double run(uint64_t items, bool with_rule, double spread, double error)
{
	hy_sched__tail_lane view[DEVICES];
	double free_at[DEVICES], end = 0, work = 0, capacity = 0;
	uint64_t left = items;
	seed = 12345;
	for (int d = 0; d < DEVICES; d++) {
		free_at[d] = 0;
		view[d].item_ns = (uint64_t)(1e9 / speed_of(d) * noise(error));
		capacity += speed_of(d);
	}
	double now = 0;
	bool resting[DEVICES] = {false};
	while (left > 0) {
		int next = -1;
		double first_free = 1e300;
		for (int d = 0; d < DEVICES; d++) {
			const double asks = free_at[d] - 1e9 / speed_of(d); /* with one more in hand */
			if (free_at[d] > now && free_at[d] < first_free) first_free = free_at[d];
			if (!resting[d] && (next < 0 || asks < free_at[next] - 1e9 / speed_of(next))) next = d;
		}
		if (next < 0) { /* all wait until one is free */
			now = first_free;
			memset(resting, 0, sizeof(resting));
			continue;
		}
		const double asks = free_at[next] - 1e9 / speed_of(next);
		if (asks > now) now = asks;
		for (int d = 0; d < DEVICES; d++)
			view[d].free_ns = free_at[d] > now ? (uint64_t)(free_at[d] - now) : 0;
		if (with_rule && !hy_sched__tail_takes(DEVICES, view, (uint32_t)next, left)) {
			resting[next] = true;
			continue;
		}
		free_at[next] = (free_at[next] > now ? free_at[next] : now) + 1e9 / speed_of(next) * noise(spread);
		work += 1e9;
		if (free_at[next] > end) end = free_at[next];
		left--;
		memset(resting, 0, sizeof(resting));
	}
	return work / (capacity * end);
}

static void the_rule_uses_a_mixed_cluster_to_99_percent_in_20_seconds(void **state)
{
	(void)state;
	const double with = run(476 * 20, true, 0.2, 0.2), without = run(476 * 20, false, 0.2, 0.2);
	print_message("20 s: %.1f %% with the rule, %.1f %% without\n", 100 * with, 100 * without);
	assert_true(with > 0.99);
	assert_true(without < 0.97);
}

static void the_rule_uses_a_mixed_cluster_to_93_percent_in_2_seconds(void **state)
{
	(void)state;
	const double with = run(476 * 2, true, 0.2, 0.2), without = run(476 * 2, false, 0.2, 0.2);
	print_message("2 s: %.1f %% with the rule, %.1f %% without\n", 100 * with, 100 * without);
	assert_true(with > 0.93);
	assert_true(without < 0.75);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_lone_lane_takes_what_there_is),
		CASE(a_single_request_goes_to_the_lane_that_ends_first),
		CASE(a_busy_fast_lane_leaves_the_request_to_an_idle_slow_one),
		CASE(a_slow_lane_takes_none_of_the_last_requests),
		CASE(equal_lanes_both_take),
		CASE(the_window_keeps_the_fast_busy_while_the_slow_works),
		CASE(the_window_is_small_for_long_requests_and_holds_a_millisecond_of_short_ones),
		CASE(the_rule_uses_a_mixed_cluster_to_99_percent_in_20_seconds),
		CASE(the_rule_uses_a_mixed_cluster_to_93_percent_in_2_seconds),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
