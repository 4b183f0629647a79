/* Where the borders of a pipeline should be: against all possible ones, and where there are none. */
#include "test.h"

#include "rebalance.h"

#include <math.h>
#include <stdlib.h>

enum { STAGES = 3, NODES = 9 };

static double numbers[3][STAGES][NODES + 1];
static const double *rows[3][STAGES];
static hy_error error;

static hy_sched__rebalance_problem problem_of(uint32_t stages)
{
	for (int kind = 0; kind < 3; kind++)
		for (int s = 0; s < STAGES; s++)
			rows[kind][s] = numbers[kind][s];
	return (hy_sched__rebalance_problem){stages, NODES, rows[0], rows[1], rows[2]};
}

static void fill(uint32_t seed)
{
	for (int kind = 0; kind < 3; kind++)
		for (int s = 0; s < STAGES; s++)
			for (int n = 0; n <= NODES; n++) {
				seed = seed * 1664525u + 1013904223u;
				numbers[kind][s][n] = kind == 0 ? seed >> 24 : seed >> 27;
				if (kind == 0 && (seed >> 8) % 16 == 0) numbers[kind][s][n] = INFINITY;
			}
}

static double stage_ns(int s, uint32_t begin, uint32_t end)
{
	double ns = numbers[1][s][begin] + numbers[2][s][end];
	for (uint32_t n = begin; n < end; n++)
		ns += numbers[0][s][n];
	return ns;
}

static void borders_are_as_good_as_the_best_of_all(void **state)
{
	(void)state;
	const hy_sched__rebalance_problem problem = problem_of(STAGES);
	for (uint32_t seed = 1; seed <= 500; seed++) {
		double best = INFINITY, got;
		uint32_t borders[STAGES + 1];
		fill(seed);
		for (uint32_t a = 1; a < NODES - 1; a++)
			for (uint32_t b = a + 1; b < NODES; b++)
				best = fmin(best,
				            fmax(stage_ns(0, 0, a), fmax(stage_ns(1, a, b), stage_ns(2, b, NODES))));
		EXPECT_OK(hy_sched__rebalance(&problem, borders, &got, &error));
		assert_true(got == best);
		if (best == INFINITY) continue;
		assert_int_equal(borders[0], 0);
		assert_int_equal(borders[STAGES], NODES);
		double slowest = 0;
		for (int s = 0; s < STAGES; s++) {
			assert_true(borders[s] < borders[s + 1]);
			slowest = fmax(slowest, stage_ns(s, borders[s], borders[s + 1]));
		}
		assert_true(slowest == best);
	}
}

static void a_node_that_no_stage_can_run_leaves_no_borders(void **state)
{
	(void)state;
	const hy_sched__rebalance_problem problem = problem_of(2);
	uint32_t borders[3];
	double got;
	fill(7);
	for (int s = 0; s < STAGES; s++)
		numbers[0][s][4] = INFINITY;
	EXPECT_OK(hy_sched__rebalance(&problem, borders, &got, &error));
	assert_true(got == INFINITY);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(borders_are_as_good_as_the_best_of_all),
		CASE(a_node_that_no_stage_can_run_leaves_no_borders),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
