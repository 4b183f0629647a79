/* Local search against all placements of small problems. */
#include "test.h"

#include "bound.h"
#include "dag.h"
#include "list_schedule.h"
#include "local_search.h"
#include "makespan.h"

static hy_error error;

static void heft(const hy_sched__task_graph *graph, hy_sched__placement *placement)
{
	EXPECT_OK(hy_sched__placement_init(graph->task_count, placement, &error));
	EXPECT_OK(hy_sched__list_schedule(graph, HY_SCHED__LIST_HEFT, placement, &error));
}

/* All placements in the order of placement. */
static double least_of_all(const hy_sched__task_graph *graph, const hy_sched__placement *placement)
{
	uint32_t device[8] = {0};
	double least = INFINITY;
	for (;;) {
		hy_sched__placement one = {device, placement->order, 0};
		EXPECT_OK(hy_sched__makespan_of(graph, &one, NULL, &error));
		if (one.makespan_ns < least) least = one.makespan_ns;
		uint32_t t = 0;
		while (t < graph->task_count && ++device[t] == graph->device_count)
			device[t++] = 0;
		if (t == graph->task_count) return least;
	}
}

static void the_search_finds_the_best_of_all_placements(void **state)
{
	(void)state;
	uint32_t found = 0;
	for (uint32_t seed = 0; seed < 30; seed++) {
		const dag_shape shape = {
			.tasks = 7, .devices = 3, .width = 3, .ccr = 0.3, .affinity = 0.7, .seed = seed};
		const hy_sched__search_options options = {.most_steps = 40000, .seed = 1};
		hy_sched__task_graph graph;
		hy_sched__placement placement;
		EXPECT_OK(dag_create(&shape, &graph, &error));
		heft(&graph, &placement);
		const double least = least_of_all(&graph, &placement);
		EXPECT_OK(hy_sched__local_search(&graph, &options, &placement, NULL, &error));
		assert_true(placement.makespan_ns >= least * (1 - 1e-12));
		assert_true(placement.makespan_ns <= least * 1.1);
		found += placement.makespan_ns <= least * 1.02 ? 1 : 0;
		hy_sched__placement_finish(&placement);
		hy_sched__task_graph_finish(&graph);
	}
	assert_in_range(found, 27, 30); /* steps are judged without queues, which differ a little */
}

static void the_search_never_makes_it_worse_and_repeats_itself(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 10; seed++) {
		const dag_shape shape = {
			.tasks = 120, .devices = 6, .width = 6, .ccr = 1, .affinity = 0.7, .seed = seed};
		const hy_sched__search_options options = {.most_steps = 3000, .seed = seed};
		hy_sched__task_graph graph;
		hy_sched__placement first, again;
		EXPECT_OK(dag_create(&shape, &graph, &error));
		heft(&graph, &first);
		heft(&graph, &again);
		const double before = first.makespan_ns;
		EXPECT_OK(hy_sched__local_search(&graph, &options, &first, NULL, &error));
		EXPECT_OK(hy_sched__local_search(&graph, &options, &again, NULL, &error));
		assert_true(first.makespan_ns < before);
		assert_memory_equal(first.device, again.device, graph.task_count * sizeof(uint32_t));
		hy_sched__placement_finish(&first);
		hy_sched__placement_finish(&again);
		hy_sched__task_graph_finish(&graph);
	}
}

static void the_search_stops_at_the_bound(void **state)
{
	(void)state;
	const dag_shape shape = {.tasks = 50, .devices = 1, .width = 3, .ccr = 0.3, .seed = 4};
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	hy_sched__graph_bound bound;
	uint64_t steps = 7;
	EXPECT_OK(dag_create(&shape, &graph, &error));
	heft(&graph, &placement);
	EXPECT_OK(hy_sched__bound_graph(&graph, &bound, &error));
	const hy_sched__search_options options = {.most_steps = 100, .bound_ns = bound.block_ns * 1.00001};
	EXPECT_OK(hy_sched__local_search(&graph, &options, &placement, &steps, &error));
	assert_int_equal(steps, 0);
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&graph);
}

static void the_search_keeps_to_the_memory(void **state)
{
	(void)state;
	const dag_shape shape = {.tasks = 60, .devices = 3, .width = 4, .ccr = 0.1, .affinity = 0.7, .seed = 5};
	const hy_sched__search_options options = {.most_steps = 5000};
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	EXPECT_OK(dag_create(&shape, &graph, &error));
	for (uint32_t t = 0; t < graph.task_count; t++)
		graph.memory_bytes[t] = 1 + t;
	for (uint32_t d = 0; d < 3; d++)
		graph.capacity_bytes[d] = 700;
	heft(&graph, &placement);
	EXPECT_OK(hy_sched__local_search(&graph, &options, &placement, NULL, &error));
	uint64_t used[3] = {0};
	for (uint32_t t = 0; t < graph.task_count; t++)
		used[placement.device[t]] += graph.memory_bytes[t];
	assert_in_range(used[0], 0, 700);
	assert_in_range(used[1], 0, 700);
	assert_in_range(used[2], 0, 700);
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&graph);
}

static void a_search_without_end_is_refused(void **state)
{
	(void)state;
	const hy_sched__search_options options = {.seed = 1};
	const hy_sched__task_graph graph = {.task_count = 1};
	hy_sched__placement placement = {0};
	EXPECT_STATUS(HY_INVALID, hy_sched__local_search(&graph, &options, &placement, NULL, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_search_finds_the_best_of_all_placements),
		CASE(the_search_never_makes_it_worse_and_repeats_itself),
		CASE(the_search_stops_at_the_bound),
		CASE(the_search_keeps_to_the_memory),
		CASE(a_search_without_end_is_refused),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
