/* Statistics of measured costs. */
#include "test.h"

#include "cost.h"

static void the_median_ignores_one_bad_sample(void **state)
{
	(void)state;
	uint64_t samples[] = {190, 191, 70000, 189, 190};
	hy_sched__cost cost = {0};
	hy_sched__cost_summarise(5, samples, &cost);
	assert_int_equal(cost.median_ns, 190);
	assert_int_equal(cost.mad_ns, 1);
	assert_int_equal(cost.count, 5);
}

static void an_even_number_of_samples_has_the_middle_of_two(void **state)
{
	(void)state;
	uint64_t samples[] = {10, 40, 20, 30};
	hy_sched__cost cost = {0};
	hy_sched__cost_summarise(4, samples, &cost);
	assert_int_equal(cost.median_ns, 25);
}

static void a_straight_link_is_found_again(void **state)
{
	(void)state;
	const hy_sched__transfer transfers[] = {{4096, 12048}, {65536, 42768}, {1 << 20, 534288}, {4 << 20, 2107152}};
	const hy_sched__link link = hy_sched__cost_fit_link(4, transfers); /* 10 us + bytes / 2 */
	assert_in_range(link.latency_ns, 9990, 10010);
	assert_in_range(hy_sched__cost_link_ns(&link, 2 << 20), 1057000, 1060000);
}

static void a_fit_never_goes_below_zero(void **state)
{
	(void)state;
	const hy_sched__transfer falling[] = {{1000, 500}, {2000, 400}}, steep[] = {{1000, 100}, {2000, 400}};
	assert_true(hy_sched__cost_fit_link(2, falling).ns_per_byte >= 0);
	const hy_sched__link link = hy_sched__cost_fit_link(2, steep);
	assert_int_equal(link.latency_ns, 0);
	assert_true(link.ns_per_byte > 0);
}

static void no_bytes_cost_nothing(void **state)
{
	(void)state;
	const hy_sched__link link = {1000, 1};
	assert_int_equal(hy_sched__cost_link_ns(&link, 0), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_median_ignores_one_bad_sample),
		CASE(an_even_number_of_samples_has_the_middle_of_two),
		CASE(a_straight_link_is_found_again),
		CASE(a_fit_never_goes_below_zero),
		CASE(no_bytes_cost_nothing),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
