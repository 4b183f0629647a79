/* The planning problem: its rules, and which groups of tasks are programs. */
#include "test.h"

#include "task_graph.h"

#include <math.h>

static hy_error error;

/* A diamond 0 -> 1, 2 -> 3 on one device. */
static void diamond(hy_sched__task_graph *graph)
{
	EXPECT_OK(hy_sched__task_graph_init(4, 4, 1, graph, &error));
	const hy_sched__edge edges[] = {{2, 3, 2, 8}, {0, 2, 0, 8}, {1, 3, 1, 8}, {0, 1, 0, 8}};
	for (int i = 0; i < 4; i++)
		graph->edges[i] = edges[i];
}

static void edges_are_found_from_both_ends(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	diamond(&graph);
	EXPECT_OK(hy_sched__task_graph_index(&graph, &error));
	assert_int_equal(graph.out_first[1] - graph.out_first[0], 2);
	assert_int_equal(graph.edges[graph.out_first[0]].to, 1);
	assert_int_equal(graph.edges[graph.out_first[0] + 1].to, 2);
	assert_int_equal(graph.in_first[4] - graph.in_first[3], 2);
	assert_int_equal(graph.edges[graph.in[graph.in_first[3]]].from, 1);
	assert_int_equal(graph.edges[graph.in[graph.in_first[3] + 1]].from, 2);
	assert_int_equal(graph.in_first[1], 0);
	hy_sched__task_graph_finish(&graph);
}

static void an_edge_against_the_order_is_refused(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	diamond(&graph);
	graph.edges[1].to = 0;
	EXPECT_STATUS(HY_INVALID, hy_sched__task_graph_index(&graph, &error));
	assert_non_null(strstr(error.text, "edge 1 goes from task 0 to 0"));
	hy_sched__task_graph_finish(&graph);
}

static void a_task_that_runs_nowhere_is_refused(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	diamond(&graph);
	graph.time_ns[2] = INFINITY;
	EXPECT_STATUS(HY_INVALID, hy_sched__task_graph_index(&graph, &error));
	assert_non_null(strstr(error.text, "no device runs task 2"));
	graph.time_ns[2] = NAN;
	EXPECT_STATUS(HY_INVALID, hy_sched__task_graph_index(&graph, &error));
	hy_sched__task_graph_finish(&graph);
}

static void two_arms_of_a_diamond_are_two_programs(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	const uint32_t group[] = {0, 0, 1, 1};
	uint32_t cyclic;
	diamond(&graph);
	EXPECT_OK(hy_sched__task_graph_index(&graph, &error));
	/* 0 -> 2 and 1 -> 3 go from the first to the second only. */
	EXPECT_OK(hy_sched__task_graph_convex(&graph, 2, group, &cyclic, &error));
	assert_int_equal(cyclic, UINT32_MAX);
	hy_sched__task_graph_finish(&graph);
}

static void a_group_that_a_path_leaves_and_enters_again_is_no_program(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	const uint32_t around[] = {0, 0, 1, 0};
	uint32_t cyclic;
	diamond(&graph);
	EXPECT_OK(hy_sched__task_graph_index(&graph, &error));
	EXPECT_OK(hy_sched__task_graph_convex(&graph, 2, around, &cyclic, &error));
	assert_int_equal(cyclic, 0);
	hy_sched__task_graph_finish(&graph);
}

static void groups_that_wait_for_each_other_are_no_programs(void **state)
{
	(void)state;
	/* 0 -> 3 and 1 -> 2: {0, 2} needs {1, 3} and the other way round, though no single path returns. */
	hy_sched__task_graph graph;
	const uint32_t crossed[] = {0, 1, 0, 1};
	uint32_t cyclic;
	EXPECT_OK(hy_sched__task_graph_init(4, 2, 1, &graph, &error));
	const hy_sched__edge edges[] = {{0, 3, 0, 8}, {1, 2, 1, 8}};
	graph.edges[0] = edges[0];
	graph.edges[1] = edges[1];
	EXPECT_OK(hy_sched__task_graph_index(&graph, &error));
	EXPECT_OK(hy_sched__task_graph_convex(&graph, 2, crossed, &cyclic, &error));
	assert_true(cyclic < 2);
	hy_sched__task_graph_finish(&graph);
}

static void a_problem_without_tasks_is_refused(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	EXPECT_STATUS(HY_INVALID, hy_sched__task_graph_init(0, 0, 1, &graph, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched__task_graph_init(1, 0, 0, &graph, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(edges_are_found_from_both_ends),
		CASE(an_edge_against_the_order_is_refused),
		CASE(a_task_that_runs_nowhere_is_refused),
		CASE(two_arms_of_a_diamond_are_two_programs),
		CASE(a_group_that_a_path_leaves_and_enters_again_is_no_program),
		CASE(groups_that_wait_for_each_other_are_no_programs),
		CASE(a_problem_without_tasks_is_refused),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
