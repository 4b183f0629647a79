/* List schedules: the published example, and what must hold for any problem. */
#include "test.h"

#include "dag.h"
#include "list_schedule.h"
#include "makespan.h"

static hy_error error;

/* The example of Topcuoglu, Hariri, Wu 2002: ten tasks on three processors, every link alike. */
static void published(hy_sched__task_graph *graph)
{
	static const double times[10][3] = {{14, 16, 9}, {13, 19, 18}, {11, 13, 19}, {13, 8, 17},  {12, 13, 10},
	                                    {13, 16, 9}, {7, 15, 11},  {5, 11, 14},  {18, 12, 20}, {21, 7, 16}};
	static const uint32_t arcs[15][3] = {{0, 1, 18}, {0, 2, 12}, {0, 3, 9},  {0, 4, 11}, {0, 5, 14},
	                                     {1, 7, 19}, {1, 8, 16}, {2, 6, 23}, {3, 7, 27}, {3, 8, 23},
	                                     {4, 8, 13}, {5, 7, 15}, {6, 9, 17}, {7, 9, 11}, {8, 9, 13}};
	EXPECT_OK(hy_sched__task_graph_init(10, 15, 3, graph, &error));
	for (uint32_t i = 0; i < 30; i++)
		graph->time_ns[i] = times[i / 3][i % 3];
	for (uint32_t i = 0; i < 9; i++) {
		graph->ns_per_byte[i] = 1;
		graph->link[i] = HY_SCHED__LINK_WIDE;
	}
	for (uint32_t i = 0; i < 15; i++) {
		const hy_sched__edge edge = {arcs[i][0], arcs[i][1], i, arcs[i][2]};
		graph->edges[i] = edge;
	}
	EXPECT_OK(hy_sched__task_graph_index(graph, &error));
}

static void heft_and_cpop_place_the_published_example_as_published(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	published(&graph);
	EXPECT_OK(hy_sched__placement_init(10, &placement, &error));
	EXPECT_OK(hy_sched__list_schedule(&graph, HY_SCHED__LIST_HEFT, &placement, &error));
	assert_true(placement.makespan_ns == 80);
	EXPECT_OK(hy_sched__list_schedule(&graph, HY_SCHED__LIST_CPOP, &placement, &error));
	assert_true(placement.makespan_ns == 86);
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&graph);
}

static double best_of_all(const hy_sched__task_graph *graph)
{
	hy_sched__placement placement;
	double best = INFINITY;
	EXPECT_OK(hy_sched__placement_init(graph->task_count, &placement, &error));
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++) {
		EXPECT_OK(hy_sched__list_schedule(graph, (hy_sched__list_rule)rule, &placement, &error));
		if (placement.makespan_ns < best) best = placement.makespan_ns;
	}
	hy_sched__placement_finish(&placement);
	return best;
}

/* What is often proposed: each term divided by its largest, weighted 0.5 load, 0.2 memory, 0.3 link, and summed. */
static double weighted_sum(const hy_sched__task_graph *graph)
{
	const uint32_t devices = graph->device_count;
	hy_sched__placement placement;
	EXPECT_OK(hy_sched__placement_init(graph->task_count, &placement, &error));
	double load[16] = {0}, tasks[16] = {0};
	for (uint32_t t = 0; t < graph->task_count; t++) {
		double link[16] = {0}, most_load = 1, most_link = 1, least = INFINITY;
		uint32_t best = 0;
		for (uint32_t d = 0; d < devices; d++) {
			for (uint32_t i = graph->in_first[t]; i < graph->in_first[t + 1]; i++) {
				const hy_sched__edge *edge = &graph->edges[graph->in[i]];
				link[d] += hy_sched__task_graph_transfer_ns(graph, placement.device[edge->from], d,
				                                            edge->bytes);
			}
			if (link[d] > most_link) most_link = link[d];
			if (load[d] > most_load) most_load = load[d];
		}
		for (uint32_t d = 0; d < devices; d++) {
			const double sum = 0.5 * load[d] / most_load + 0.3 * link[d] / most_link +
			                   0.2 * tasks[d] * devices / 2 / graph->task_count;
			if (sum >= least) continue;
			least = sum;
			best = d;
		}
		placement.device[t] = best;
		placement.order[t] = t;
		load[best] += graph->time_ns[(size_t)t * devices + best];
		tasks[best] += 1;
	}
	EXPECT_OK(hy_sched__makespan_of(graph, &placement, NULL, &error));
	const double ns = placement.makespan_ns;
	hy_sched__placement_finish(&placement);
	return ns;
}

static void a_normalised_weighted_sum_loses_by_far(void **state)
{
	(void)state;
	double ratio = 0;
	for (uint32_t seed = 0; seed < 20; seed++) {
		const dag_shape shape = {
			.tasks = 200, .devices = 8, .width = 6, .ccr = 0.3, .affinity = 0.7, .seed = seed};
		hy_sched__task_graph graph;
		EXPECT_OK(dag_create(&shape, &graph, &error));
		const double sum = weighted_sum(&graph), best = best_of_all(&graph);
		assert_true(sum > best);
		ratio += sum / best / 20;
		hy_sched__task_graph_finish(&graph);
	}
	assert_true(ratio > 2);
}

static void devices_without_room_get_nothing(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	published(&graph);
	for (uint32_t t = 0; t < 10; t++)
		graph.memory_bytes[t] = 100;
	graph.capacity_bytes[0] = 300;
	graph.capacity_bytes[1] = 99;
	EXPECT_OK(hy_sched__placement_init(10, &placement, &error));
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++) {
		EXPECT_OK(hy_sched__list_schedule(&graph, (hy_sched__list_rule)rule, &placement, &error));
		uint32_t on[3] = {0};
		for (uint32_t t = 0; t < 10; t++)
			on[placement.device[t]]++;
		assert_in_range(on[0], 0, 3);
		assert_int_equal(on[1], 0);
	}
	graph.capacity_bytes[2] = 600; /* nine tasks fit, ten do not */
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++) {
		EXPECT_OK(hy_sched__list_schedule(&graph, (hy_sched__list_rule)rule, &placement, &error));
		assert_true(placement.makespan_ns == INFINITY);
	}
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&graph);
}

static void tasks_stay_where_they_can_run(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	published(&graph);
	for (uint32_t t = 0; t < 10; t++) {
		graph.time_ns[3 * t] = t % 2 == 0 ? INFINITY : 10;
		graph.time_ns[3 * t + 1] = t % 2 == 1 ? INFINITY : 10;
		graph.time_ns[3 * t + 2] = INFINITY;
	}
	EXPECT_OK(hy_sched__placement_init(10, &placement, &error));
	for (int rule = HY_SCHED__LIST_DM; rule < HY_SCHED__LIST_COUNT; rule++) {
		EXPECT_OK(hy_sched__list_schedule(&graph, (hy_sched__list_rule)rule, &placement, &error));
		assert_true(isfinite(placement.makespan_ns));
		for (uint32_t t = 0; t < 10; t++)
			assert_int_equal(placement.device[t], t % 2 == 0 ? 1 : 0);
	}
	EXPECT_OK(hy_sched__list_schedule(&graph, HY_SCHED__LIST_SINGLE, &placement, &error));
	assert_true(placement.makespan_ns == INFINITY);
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&graph);
}

static void the_order_of_a_schedule_is_topological(void **state)
{
	(void)state;
	const dag_shape shape = {.tasks = 200, .devices = 5, .width = 6, .ccr = 0.3, .affinity = 0.7, .seed = 3};
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	EXPECT_OK(dag_create(&shape, &graph, &error));
	EXPECT_OK(hy_sched__placement_init(graph.task_count, &placement, &error));
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++) {
		EXPECT_OK(hy_sched__list_schedule(&graph, (hy_sched__list_rule)rule, &placement, &error));
		uint32_t place[200];
		for (uint32_t i = 0; i < graph.task_count; i++)
			place[placement.order[i]] = i;
		for (uint32_t e = 0; e < graph.edge_count; e++)
			assert_true(place[graph.edges[e].from] < place[graph.edges[e].to]);
	}
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(heft_and_cpop_place_the_published_example_as_published),
		CASE(a_normalised_weighted_sum_loses_by_far),
		CASE(devices_without_room_get_nothing),
		CASE(tasks_stay_where_they_can_run),
		CASE(the_order_of_a_schedule_is_topological),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
