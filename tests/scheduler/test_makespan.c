/* Placements run by hand. */
#include "test.h"

#include "makespan.h"

static hy_error error;

/* Two devices, 10 ns a task on both, 1 ns a byte and 2 ns latency between them. */
static void problem(hy_sched__task_graph *graph, uint32_t tasks, uint32_t edge_count, const hy_sched__edge *edges)
{
	EXPECT_OK(hy_sched__task_graph_init(tasks, edge_count, 2, graph, &error));
	for (uint32_t i = 0; i < 2 * tasks; i++)
		graph->time_ns[i] = 10;
	for (uint32_t i = 0; i < 4; i++) {
		graph->latency_ns[i] = 2;
		graph->ns_per_byte[i] = 1;
	}
	memcpy(graph->edges, edges, edge_count * sizeof(*edges));
	EXPECT_OK(hy_sched__task_graph_index(graph, &error));
}

static double makespan(const hy_sched__task_graph *graph, uint32_t *device, uint32_t *order)
{
	hy_sched__placement placement = {device, order, 0};
	EXPECT_OK(hy_sched__makespan_of(graph, &placement, NULL, &error));
	return placement.makespan_ns;
}

static void a_chain_on_two_devices_waits_for_its_value(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	const hy_sched__edge edges[] = {{0, 1, 0, 5}};
	uint32_t device[] = {0, 1}, same[] = {0, 0}, order[] = {0, 1};
	problem(&graph, 2, 1, edges);
	assert_true(makespan(&graph, device, order) == 10 + 2 + 5 + 10);
	assert_true(makespan(&graph, same, order) == 20);
	hy_sched__task_graph_finish(&graph);
}

static void a_value_goes_to_a_device_once(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	const hy_sched__edge one[] = {{0, 1, 0, 30}, {0, 2, 0, 30}}, two[] = {{0, 1, 0, 30}, {0, 2, 1, 30}};
	uint32_t device[] = {0, 1, 1}, order[] = {0, 1, 2};
	problem(&graph, 3, 2, one);
	assert_true(makespan(&graph, device, order) == 10 + 32 + 20);
	hy_sched__task_graph_finish(&graph);
	problem(&graph, 3, 2, two); /* the second value waits for the link */
	assert_true(makespan(&graph, device, order) == 10 + 32 + 32 + 10);
	hy_sched__task_graph_finish(&graph);
}

static void pairs_that_share_a_link_wait_for_each_other(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	/* 0 on the first sends to 2 on the second, and 1 on the second to 3 on the first, both from 10 on. */
	const hy_sched__edge edges[] = {{0, 2, 0, 8}, {1, 3, 1, 8}};
	uint32_t device[] = {0, 1, 1, 0}, order[] = {0, 1, 2, 3};
	problem(&graph, 4, 2, edges);
	assert_true(makespan(&graph, device, order) == 10 + 10 + 10);
	graph.link[1] = graph.link[2];
	assert_true(makespan(&graph, device, order) == 10 + 10 + 10 + 10);
	hy_sched__task_graph_finish(&graph);
}

static void transfers_of_a_wide_link_do_not_wait(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	const hy_sched__edge edges[] = {{0, 1, 0, 30}, {0, 2, 1, 30}};
	uint32_t device[] = {0, 1, 1}, order[] = {0, 1, 2};
	problem(&graph, 3, 2, edges);
	graph.link[1] = HY_SCHED__LINK_WIDE;
	assert_true(makespan(&graph, device, order) == 10 + 32 + 20);
	hy_sched__task_graph_finish(&graph);
}

static void the_most_urgent_of_what_is_ready_goes_first(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	/* 2 on the second device needs 1: it starts at 22 when 1 goes first, at 32 when 0 does. */
	const hy_sched__edge edges[] = {{1, 2, 0, 0}};
	uint32_t device[] = {0, 0, 1}, urgent[] = {1, 2, 0}, late[] = {0, 1, 2};
	problem(&graph, 3, 1, edges);
	assert_true(makespan(&graph, device, urgent) == 20);
	assert_true(makespan(&graph, device, late) == 30);
	hy_sched__task_graph_finish(&graph);
}

static void a_device_does_not_wait_for_the_urgent_while_another_is_ready(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	/* 1 is first on the second device but its value comes at 10 + 2 + 20; 2 runs in between. */
	const hy_sched__edge edges[] = {{0, 1, 0, 20}};
	uint32_t device[] = {0, 1, 1}, order[] = {0, 1, 2};
	double finish_ns[3];
	problem(&graph, 3, 1, edges);
	hy_sched__placement placement = {device, order, 0};
	EXPECT_OK(hy_sched__makespan_of(&graph, &placement, finish_ns, &error));
	assert_true(finish_ns[2] == 10 && finish_ns[1] == 42 && placement.makespan_ns == 42);
	hy_sched__task_graph_finish(&graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_chain_on_two_devices_waits_for_its_value),
		CASE(a_value_goes_to_a_device_once),
		CASE(pairs_that_share_a_link_wait_for_each_other),
		CASE(transfers_of_a_wide_link_do_not_wait),
		CASE(the_most_urgent_of_what_is_ready_goes_first),
		CASE(a_device_does_not_wait_for_the_urgent_while_another_is_ready),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
