/* Lower bounds against plans found by trying all of them. */
#include "test.h"

#include "bound.h"

static void devices_that_rank_alike_add_their_speeds(void **state)
{
	(void)state;
	const uint64_t fast[] = {100, 200, 300}, slow[] = {200, 400, 600};
	const uint64_t *const node_ns[] = {fast, slow};
	/* 1 / (1/600 + 1/1200) */
	assert_in_range(hy_sched__bound_throughput(2, 3, node_ns), 399, 400);
}

static void a_single_device_is_bound_by_its_own_time(void **state)
{
	(void)state;
	const uint64_t only[] = {100, 200, 300};
	const uint64_t *const node_ns[] = {only};
	assert_in_range(hy_sched__bound_throughput(1, 3, node_ns), 599, 600);
	assert_int_equal(hy_sched__bound_latency(1, 3, node_ns), 600);
}

static void latency_is_bound_by_each_node_where_it_is_fastest(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 900, 50}, b[] = {300, 200, HY_SCHED__NEVER};
	const uint64_t *const node_ns[] = {a, b};
	assert_int_equal(hy_sched__bound_latency(2, 3, node_ns), 100 + 200 + 50);
}

static void a_node_that_runs_nowhere_has_no_bound(void **state)
{
	(void)state;
	const uint64_t a[] = {100, HY_SCHED__NEVER};
	const uint64_t *const node_ns[] = {a};
	assert_true(hy_sched__bound_throughput(1, 2, node_ns) == HY_SCHED__NEVER);
	assert_true(hy_sched__bound_latency(1, 2, node_ns) == HY_SCHED__NEVER);
}

/* Each of six nodes on one of two devices, all 64 ways: the least of the larger loads. */
static uint64_t best_whole(const uint64_t *a, const uint64_t *b)
{
	uint64_t best = UINT64_MAX;
	for (uint32_t ways = 0; ways < 64; ways++) {
		uint64_t on_a = 0, on_b = 0;
		for (uint32_t n = 0; n < 6; n++)
			if ((ways >> n & 1u) != 0)
				on_a += a[n];
			else
				on_b += b[n];
		const uint64_t larger = on_a > on_b ? on_a : on_b;
		if (larger < best) best = larger;
	}
	return best;
}

static void no_placement_beats_the_throughput_bound_and_the_bound_is_near(void **state)
{
	(void)state;
	uint32_t seed = 7;
	for (int round = 0; round < 200; round++) {
		uint64_t a[6], b[6];
		for (int n = 0; n < 6; n++) {
			seed = seed * 1664525u + 1013904223u;
			a[n] = 100 + (seed >> 20);
			seed = seed * 1664525u + 1013904223u;
			b[n] = 100 + (seed >> 20);
		}
		const uint64_t *const node_ns[] = {a, b};
		const uint64_t bound = hy_sched__bound_throughput(2, 6, node_ns), best = best_whole(a, b);
		assert_true(bound <= best);
		/* Nodes are whole and the bound may split one: it is off by less than the largest. */
		assert_true(bound + 4200 > best);
	}
}

static void two_specialists_are_bound_by_their_own_work(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 10000}, b[] = {10000, 100};
	const uint64_t *const node_ns[] = {a, b};
	/* Each takes what it is good at: 100 ns between answers. */
	assert_in_range(hy_sched__bound_throughput(2, 2, node_ns), 90, 100);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(devices_that_rank_alike_add_their_speeds),
		CASE(a_single_device_is_bound_by_its_own_time),
		CASE(latency_is_bound_by_each_node_where_it_is_fastest),
		CASE(a_node_that_runs_nowhere_has_no_bound),
		CASE(no_placement_beats_the_throughput_bound_and_the_bound_is_near),
		CASE(two_specialists_are_bound_by_their_own_work),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
