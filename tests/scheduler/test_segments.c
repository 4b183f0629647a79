/* Who runs which node. */
#include "test.h"

#include "segments.h"

#define Y                        \
	{                        \
		HY_SCHED__YES, 0 \
	}
#define N                                  \
	{                                  \
		HY_SCHED__NO, HY_REASON_OP \
	}

static void refused_nodes_go_to_the_first_in_order_that_takes_them(void **state)
{
	(void)state;
	const hy_sched__verdict first[] = {Y, N, N, Y}, second[] = {Y, N, Y, Y}, third[] = {Y, Y, Y, Y};
	const hy_sched__verdict *const verdicts[] = {first, second, third};
	const uint32_t order[] = {1, 2, 0}, wanted[] = {0, 0, 0, 0};
	uint32_t device[4];
	assert_int_equal(hy_sched__segments_assign(4, 3, verdicts, order, wanted, device), HY_IR_NONE);
	const uint32_t expected[] = {0, 2, 1, 0};
	assert_memory_equal(device, expected, sizeof(expected));
}

static void a_node_that_nobody_takes_is_named(void **state)
{
	(void)state;
	const hy_sched__verdict first[] = {Y, N}, second[] = {Y, N};
	const hy_sched__verdict *const verdicts[] = {first, second};
	const uint32_t order[] = {0, 1}, wanted[] = {0, 0};
	uint32_t device[2];
	assert_int_equal(hy_sched__segments_assign(2, 2, verdicts, order, wanted, device), 1);
}

static void neighbours_on_one_device_are_one_segment(void **state)
{
	(void)state;
	const uint32_t device[] = {0, 0, 1, 0, 0, 0};
	hy_sched__segment segments[6];
	assert_int_equal(hy_sched__segments_cut(6, device, segments), 3);
	const hy_sched__segment expected[] = {{0, 2, 0}, {2, 1, 1}, {3, 3, 0}};
	assert_memory_equal(segments, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(refused_nodes_go_to_the_first_in_order_that_takes_them),
		CASE(a_node_that_nobody_takes_is_named),
		CASE(neighbours_on_one_device_are_one_segment),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
