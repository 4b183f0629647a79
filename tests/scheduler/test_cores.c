/* Lists of cores and their division. */
#include "test.h"

#include "cores.h"

#include <stdlib.h>

static void a_list_is_ranges_and_numbers(void **state)
{
	(void)state;
	uint32_t cores[8];
	assert_int_equal(hy_sched__cores_parse("0-2,5", 8, cores), 4);
	const uint32_t expected[] = {0, 1, 2, 5};
	assert_memory_equal(cores, expected, sizeof(expected));
}

static void what_is_no_list_has_no_cores(void **state)
{
	(void)state;
	const char *const texts[] = {"", "a", "1-", "3-1", "1,,2", "1,", "-1", "1 2", "99999999999999999999"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(hy_sched__cores_parse(texts[i], 0, NULL), 0);
}

static void a_printed_list_is_the_shortest(void **state)
{
	(void)state;
	const uint32_t cores[] = {0, 1, 2, 5, 7, 8};
	char *text = hy_sched__cores_print(6, cores);
	assert_string_equal(text, "0-2,5,7-8");
	free(text);
}

static void shares_are_equal_and_the_first_ones_larger(void **state)
{
	(void)state;
	uint32_t count;
	assert_int_equal(hy_sched__cores_share(8, 3, 0, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(hy_sched__cores_share(8, 3, 1, &count), 3);
	assert_int_equal(count, 3);
	assert_int_equal(hy_sched__cores_share(8, 3, 2, &count), 6);
	assert_int_equal(count, 2);
}

static void with_fewer_cores_than_devices_some_share_one(void **state)
{
	(void)state;
	uint32_t count;
	assert_int_equal(hy_sched__cores_share(2, 3, 2, &count), 0);
	assert_int_equal(count, 1);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_list_is_ranges_and_numbers),
		CASE(what_is_no_list_has_no_cores),
		CASE(a_printed_list_is_the_shortest),
		CASE(shares_are_equal_and_the_first_ones_larger),
		CASE(with_fewer_cores_than_devices_some_share_one),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
