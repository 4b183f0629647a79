/* Predicted times of lanes, lanes together and cuts. */
#include "test.h"

#include "candidates.h"

static const hy_sched__link free_links[2], dear_links[2] = {{1000, 1}, {1000, 1}};
static const bool staged[2] = {false, false};
static const uint64_t plenty[2] = {0, 0};
static const hy_sched__footprint small[5] = {
	{10, 10, 10, 10}, {10, 10, 10, 10}, {10, 10, 10, 10}, {10, 10, 10, 10}, {10, 10, 10, 10}};

static hy_sched__problem problem_of(hy_sched_objective objective, const uint64_t *const *node_ns)
{
	const hy_sched__problem problem = {.objective = objective,
	                                   .device_count = 2,
	                                   .node_count = 4,
	                                   .depth = 2,
	                                   .node_ns = node_ns,
	                                   .to = free_links,
	                                   .from = free_links,
	                                   .staged = staged,
	                                   .capacity_bytes = plenty,
	                                   .before = small,
	                                   .behind = small};
	return problem;
}

static void a_cut_gives_each_specialist_its_half(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 100, 900, 900}, b[] = {900, 900, 100, 100};
	const uint64_t *const node_ns[] = {a, b};
	const hy_sched__problem problem = problem_of(HY_SCHED_THROUGHPUT, node_ns);
	uint32_t border;
	assert_int_equal(hy_sched__candidates_cut(&problem, 0, 1, 0, &border), 200);
	assert_int_equal(border, 2);
}

static void latency_of_a_cut_is_the_sum(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 100, 900, 900}, b[] = {900, 900, 100, 100};
	const uint64_t *const node_ns[] = {a, b};
	const hy_sched__problem problem = problem_of(HY_SCHED_LATENCY, node_ns);
	uint32_t border;
	assert_int_equal(hy_sched__candidates_cut(&problem, 0, 1, 0, &border), 400);
}

static void links_cost_on_both_sides(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 100, 900, 900}, b[] = {900, 900, 100, 100};
	const uint64_t *const node_ns[] = {a, b};
	hy_sched__problem problem = problem_of(HY_SCHED_LATENCY, node_ns);
	problem.to = problem.from = dear_links;
	uint32_t border;
	assert_int_equal(hy_sched__candidates_cut(&problem, 0, 1, 0, &border), 400 + 4 * 1010);
}

static void a_wanted_border_is_kept(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 100, 900, 900}, b[] = {900, 900, 100, 100};
	const uint64_t *const node_ns[] = {a, b};
	const hy_sched__problem problem = problem_of(HY_SCHED_THROUGHPUT, node_ns);
	uint32_t border;
	assert_int_equal(hy_sched__candidates_cut(&problem, 0, 1, 3, &border), 1100);
	assert_int_equal(border, 3);
}

static void refused_nodes_limit_the_border(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 100, 100, HY_SCHED__NEVER}, b[] = {HY_SCHED__NEVER, 500, 500, 500};
	const uint64_t *const node_ns[] = {a, b};
	const hy_sched__problem problem = problem_of(HY_SCHED_THROUGHPUT, node_ns);
	uint32_t border;
	assert_int_equal(hy_sched__candidates_cut(&problem, 0, 1, 0, &border), 500);
	assert_int_equal(border, 3);
	assert_true(hy_sched__candidates_cut(&problem, 1, 0, 0, &border) == HY_SCHED__NEVER);
}

static void a_part_must_fit_its_device(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 100, 100, 100};
	const uint64_t *const node_ns[] = {a, a};
	const hy_sched__footprint before[5] = {
		{0, 0, 0, 0}, {100, 0, 0, 0}, {200, 0, 0, 0}, {300, 0, 0, 0}, {400, 0, 0, 0}};
	const uint64_t capacity[2] = {100, 0};
	hy_sched__problem problem = problem_of(HY_SCHED_THROUGHPUT, node_ns);
	problem.before = before;
	problem.capacity_bytes = capacity;
	uint32_t border;
	assert_int_equal(hy_sched__candidates_cut(&problem, 0, 1, 0, &border), 300);
	assert_int_equal(border, 1);
}

static void lanes_of_their_own_devices_add_up(void **state)
{
	(void)state;
	hy_sched__lane lanes[] = {{.item_ns = 100}, {.item_ns = 300}};
	const uint64_t loads_ns[] = {100, 0, 0, 300};
	assert_int_equal(hy_sched__candidates_together(2, lanes, 2, loads_ns), 75);
	assert_true(lanes[0].rate > 0.0099 && lanes[0].rate < 0.0101);
}

static void a_shared_device_is_not_counted_twice(void **state)
{
	(void)state;
	hy_sched__lane lanes[] = {{.item_ns = 100}, {.item_ns = 150}};
	const uint64_t loads_ns[] = {100, 0, 50, 100}; /* the second lane falls back to the first one's device */
	assert_int_equal(hy_sched__candidates_together(2, lanes, 2, loads_ns), 100);
	assert_true(lanes[1].rate == 0);
}

static void a_lane_loads_its_devices_with_nodes_and_copies(void **state)
{
	(void)state;
	const uint64_t a[] = {100, 100, 900, 900}, b[] = {900, 900, 100, 100};
	const uint64_t *const node_ns[] = {a, b};
	hy_sched__problem problem = problem_of(HY_SCHED_LATENCY, node_ns);
	problem.to = dear_links;
	hy_sched__segment segments[] = {{0, 3, 0}, {3, 1, 1}};
	const hy_sched__lane lane = {.segment_count = 2, .segments = segments};
	uint64_t load_ns[2] = {0, 0};
	assert_int_equal(hy_sched__candidates_load(&problem, &lane, small, load_ns), 1100 + 100 + 2 * 1010);
	assert_int_equal(load_ns[0], 1100 + 1010);
	assert_int_equal(load_ns[1], 100 + 1010);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_cut_gives_each_specialist_its_half),
		CASE(latency_of_a_cut_is_the_sum),
		CASE(links_cost_on_both_sides),
		CASE(a_wanted_border_is_kept),
		CASE(refused_nodes_limit_the_border),
		CASE(a_part_must_fit_its_device),
		CASE(lanes_of_their_own_devices_add_up),
		CASE(a_shared_device_is_not_counted_twice),
		CASE(a_lane_loads_its_devices_with_nodes_and_copies),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
