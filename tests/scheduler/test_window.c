/* How many requests a stream keeps in hand. */
#include "test.h"

#include "window.h"

static void the_window_keeps_the_fast_busy_while_the_slow_works(void **state)
{
	(void)state;
	const uint64_t lanes[] = {10000000, 100000000}, far[] = {1, 1000000000};
	assert_int_equal(hy_sched__window_of(2, lanes, 2), 3 * 10 + 3 * 1);
	assert_int_equal(hy_sched__window_of(2, far, 2), 4096);
}

static void the_window_is_small_for_long_requests_and_holds_a_millisecond_of_short_ones(void **state)
{
	(void)state;
	const uint64_t slow = 50000000, quick = 50000, tiny = 10;
	assert_int_equal(hy_sched__window_of(1, &slow, 2), 4);
	assert_int_equal(hy_sched__window_of(1, &quick, 2), 20);
	assert_int_equal(hy_sched__window_of(1, &tiny, 2), 64);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_window_keeps_the_fast_busy_while_the_slow_works),
		CASE(the_window_is_small_for_long_requests_and_holds_a_millisecond_of_short_ones),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
