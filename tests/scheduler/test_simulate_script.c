/* Scripts of simulations: what is read, and what is said of wrong lines. */
#include "test.h"

#include <halyard/simulate.h>

static void lines_become_events_in_the_order_of_time(void **state)
{
	(void)state;
	hy_error error;
	hy_sched_script script;
	EXPECT_OK(hy_sched_script_parse("s",
	                                "# a comment\n\n2s dies node01  # and one behind\n1500ms speed cuda:0 0.25\n"
	                                "1.5min\tjoins\tb\n3 hangs c",
	                                &script, &error));
	assert_int_equal(script.count, 4);
	assert_int_equal(script.events[0].at_ns, 1500000000);
	assert_int_equal(script.events[0].kind, HY_SCHED_EVENT_SPEED);
	assert_string_equal(script.events[0].devices, "cuda:0");
	assert_float_equal(script.events[0].factor, 0.25, 0);
	assert_int_equal(script.events[1].kind, HY_SCHED_EVENT_DIES);
	assert_string_equal(script.events[1].devices, "node01");
	assert_int_equal(script.events[2].at_ns, 3000000000);
	assert_int_equal(script.events[3].at_ns, 90000000000);
	hy_sched_script_finish(&script);
}

static void all_wrong_lines_are_told_with_line_and_column(void **state)
{
	(void)state;
	hy_error error;
	hy_sched_script script;
	EXPECT_STATUS(HY_INVALID,
	              hy_sched_script_parse("s", "1x dies a\n  2s sped b\n3s dies\n4s speed c nan\n5s dies d e",
	                                    &script, &error));
	assert_string_equal(error.text, "s:1:1: not a time: write 5s, 300ms or 1.5min\n"
	                                "s:2:6: what happens? write speed, dies, hangs, returns or joins\n"
	                                "s:3:8: which devices? write a name or a pattern, as node01/cuda:*\n"
	                                "s:4:12: how fast? write a factor, 0.5 for half the speed\n"
	                                "s:5:11: nothing more is expected");
}

static void times_and_factors_out_of_bounds_are_wrong(void **state)
{
	(void)state;
	hy_error error;
	hy_sched_script script;
	EXPECT_STATUS(HY_INVALID, hy_sched_script_parse("s", "-1s dies a", &script, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_script_parse("s", "1e30s dies a", &script, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_script_parse("s", "inf dies a", &script, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_script_parse("s", "1s speed a -1", &script, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_script_parse("s", "1s speed a 1e9", &script, &error));
}

static void an_empty_script_has_no_events_and_a_missing_one_says_so(void **state)
{
	(void)state;
	hy_error error;
	hy_sched_script script;
	EXPECT_OK(hy_sched_script_parse("s", "", &script, &error));
	assert_int_equal(script.count, 0);
	EXPECT_STATUS(HY_NOT_FOUND, hy_sched_script_load("/nowhere/script", &script, &error));
	assert_string_equal(error.text, "/nowhere/script: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(lines_become_events_in_the_order_of_time),
		CASE(all_wrong_lines_are_told_with_line_and_column),
		CASE(times_and_factors_out_of_bounds_are_wrong),
		CASE(an_empty_script_has_no_events_and_a_missing_one_says_so),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
