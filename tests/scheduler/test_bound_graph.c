/* Bounds of one request against every placement in every order. */
#include "test.h"

#include "bound.h"
#include "dag.h"
#include "makespan.h"

enum { MOST_TASKS = 8 };

static hy_error error;

/* All placements of the order. */
static double least_in_order(const hy_sched__task_graph *graph, uint32_t *order)
{
	uint32_t device[8] = {0};
	double least = INFINITY;
	for (;;) {
		hy_sched__placement one = {device, order, 0};
		EXPECT_OK(hy_sched__makespan_of(graph, &one, NULL, &error));
		if (one.makespan_ns < least) least = one.makespan_ns;
		uint32_t t = 0;
		while (t < graph->task_count && ++device[t] == graph->device_count)
			device[t++] = 0;
		if (t == graph->task_count) return least;
	}
}

/* Tries the topological orders that begin with order[0..fixed-1]. */
static double least_of_all(const hy_sched__task_graph *graph, uint32_t *order, uint32_t fixed)
{
	if (fixed == graph->task_count || fixed == MOST_TASKS) return least_in_order(graph, order);
	double least = INFINITY;
	for (uint32_t t = 0; t < graph->task_count; t++) {
		bool ready = true;
		for (uint32_t i = 0; i < fixed; i++)
			ready = ready && order[i] != t;
		for (uint32_t k = graph->in_first[t]; k < graph->in_first[t + 1]; k++) {
			bool done = false;
			for (uint32_t i = 0; i < fixed; i++)
				done = done || order[i] == graph->edges[graph->in[k]].from;
			ready = ready && done;
		}
		if (!ready) continue;
		order[fixed] = t;
		const double ns = least_of_all(graph, order, fixed + 1);
		if (ns < least) least = ns;
	}
	return least;
}

static void no_placement_beats_the_bound_and_the_bound_is_near(void **state)
{
	(void)state;
	double gap = 0;
	for (uint32_t seed = 0; seed < 60; seed++) {
		const dag_shape shape = {
			.tasks = 6, .devices = 2, .width = 4, .ccr = 0.3, .affinity = 0.7, .seed = seed};
		hy_sched__task_graph graph;
		hy_sched__graph_bound bound;
		uint32_t order[MOST_TASKS];
		EXPECT_OK(dag_create(&shape, &graph, &error));
		EXPECT_OK(hy_sched__bound_graph(&graph, &bound, &error));
		const double least = least_of_all(&graph, order, 0);
		assert_true(bound.path_ns <= least * (1 + 1e-9));
		assert_true(bound.area_ns <= least);
		assert_true(bound.block_ns <= least * (1 + 1e-9));
		assert_true(bound.block_ns >= bound.path_ns && bound.block_ns >= bound.area_ns);
		gap += least / bound.block_ns / 60;
		hy_sched__task_graph_finish(&graph);
	}
	assert_true(gap < 1.15);
}

static void the_bound_of_a_chain_is_its_best_placement(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 20; seed++) {
		const dag_shape shape = {.tasks = 7, .devices = 3, .width = 1, .ccr = 1, .affinity = 1, .seed = seed};
		uint32_t order[] = {0, 1, 2, 3, 4, 5, 6};
		hy_sched__task_graph graph;
		hy_sched__graph_bound bound;
		EXPECT_OK(dag_create(&shape, &graph, &error));
		EXPECT_OK(hy_sched__bound_graph(&graph, &bound, &error));
		assert_true(fabs(bound.path_ns / least_in_order(&graph, order) - 1) < 1e-9);
		assert_int_equal(bound.cut_count, 7);
		hy_sched__task_graph_finish(&graph);
	}
}

/* Two blocks of three tasks of 100 ns between cuts of 10 ns, on two devices alike, free links: paths take 230, the area
 * 315; by blocks, 10 + 150 + 10 + 150 + 10. */
static void blocks_add_up_where_neither_path_nor_area_sees_it(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	hy_sched__graph_bound bound;
	EXPECT_OK(hy_sched__task_graph_init(9, 12, 2, &graph, &error));
	for (uint32_t i = 0; i < 12; i++) {
		const uint32_t block = i / 6, arm = 4 * block + 1 + i % 3;
		const hy_sched__edge in = {4 * block, arm, 4 * block, 0}, out = {arm, 4 * block + 4, arm, 0};
		graph.edges[i] = i % 6 < 3 ? in : out;
	}
	for (uint32_t t = 0; t < 9; t++)
		graph.time_ns[2 * t] = graph.time_ns[2 * t + 1] = t % 4 == 0 ? 10 : 100;
	EXPECT_OK(hy_sched__task_graph_index(&graph, &error));
	EXPECT_OK(hy_sched__bound_graph(&graph, &bound, &error));
	assert_true(bound.path_ns == 230);
	assert_in_range((int)bound.area_ns, 314, 315);
	assert_in_range((int)bound.block_ns, 328, 330);
	assert_int_equal(bound.cut_count, 3);
	hy_sched__task_graph_finish(&graph);
}

static void memory_that_is_lacking_is_told_in_bytes(void **state)
{
	(void)state;
	const dag_shape shape = {.tasks = 7, .devices = 2, .width = 1, .seed = 1};
	hy_sched__task_graph graph;
	hy_sched__graph_bound bound;
	EXPECT_OK(dag_create(&shape, &graph, &error));
	graph.memory_bytes[3] = 1000;
	graph.capacity_bytes[0] = 400;
	EXPECT_OK(hy_sched__bound_graph(&graph, &bound, &error));
	assert_int_equal(bound.lacking_bytes, 0); /* the other's is not known */
	graph.capacity_bytes[1] = 500;
	EXPECT_OK(hy_sched__bound_graph(&graph, &bound, &error));
	assert_int_equal(bound.lacking_bytes, 100);
	hy_sched__task_graph_finish(&graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(no_placement_beats_the_bound_and_the_bound_is_near),
		CASE(the_bound_of_a_chain_is_its_best_placement),
		CASE(blocks_add_up_where_neither_path_nor_area_sees_it),
		CASE(memory_that_is_lacking_is_told_in_bytes),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
