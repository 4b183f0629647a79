/* Pipelines against every way to give tasks to devices. */
#include "test.h"

#include "cost.h"
#include "dag.h"
#include "pipeline.h"

static hy_error error;
static const hy_sched__link links[] = {{20000, 0.1}, {1000, 0.5}, {5000, 0.2}};

enum { MOST_DEVICES = 4 };

/* Devices of one type cost what the first of them does. */
static void same_types(hy_sched__task_graph *graph, const uint32_t *type)
{
	for (uint32_t d = 0; d < graph->device_count; d++) {
		uint32_t first = 0;
		while (type[first] != type[d])
			first++;
		for (uint32_t t = 0; t < graph->task_count; t++)
			graph->time_ns[t * graph->device_count + d] = graph->time_ns[t * graph->device_count + first];
	}
}

/* The slowest device when tasks run where `device` says, INFINITY when that is no pipeline. Computed from the
 * definition, tensor by tensor. */
static double slowest(const hy_sched__pipeline_problem *problem, const uint32_t *device)
{
	const hy_sched__task_graph *graph = problem->graph;
	uint32_t cyclic;
	double most = 0;
	EXPECT_OK(hy_sched__task_graph_convex(graph, graph->device_count, device, &cyclic, &error));
	if (cyclic != UINT32_MAX) return INFINITY;
	for (uint32_t d = 0; d < graph->device_count; d++) {
		double ns = 0;
		uint64_t in = 0, out = 0, memory = 0;
		for (uint32_t t = 0; t < graph->task_count; t++) {
			bool leaves = false, needed = false;
			uint64_t bytes = 0;
			if (device[t] == d) {
				ns += graph->time_ns[t * graph->device_count + d];
				memory += graph->memory_bytes[t];
			}
			for (uint32_t e = graph->out_first[t]; e < graph->out_first[t + 1]; e++) {
				bytes = graph->edges[e].bytes;
				leaves |= device[t] == d && device[graph->edges[e].to] != d;
				needed |= device[t] != d && device[graph->edges[e].to] == d;
			}
			in += needed ? bytes : 0;
			out += leaves ? bytes : 0;
		}
		ns += (double)hy_sched__cost_link_ns(&problem->to[problem->type[d]], in);
		ns += (double)hy_sched__cost_link_ns(&problem->from[problem->type[d]], out);
		if (graph->capacity_bytes[d] > 0 && memory > graph->capacity_bytes[d]) return INFINITY;
		if (ns > most) most = ns;
	}
	return most;
}

/* The best stream of each set of devices (bits), over all 4^n ways. */
static void all_ways(const hy_sched__pipeline_problem *problem, double best[1 << MOST_DEVICES])
{
	const hy_sched__task_graph *graph = problem->graph;
	uint32_t device[8] = {0};
	for (uint32_t set = 0; set < 1u << MOST_DEVICES; set++)
		best[set] = INFINITY;
	for (;;) {
		uint32_t set = 0, t = 0;
		for (uint32_t i = 0; i < graph->task_count; i++)
			set |= 1u << device[i];
		const double ns = slowest(problem, device);
		if (ns < best[set]) best[set] = ns;
		while (t < graph->task_count && ++device[t] == graph->device_count)
			device[t++] = 0;
		if (t == graph->task_count) return;
	}
}

/* The best rate of streams on disjoint sets. */
static double best_rate(const double *best, uint32_t free_set)
{
	double most = 0;
	for (uint32_t set = free_set; set > 0; set = (set - 1) & free_set) {
		if (!isfinite(best[set])) continue;
		const double rate = 1 / best[set] + best_rate(best, free_set & ~set);
		if (rate > most) most = rate;
	}
	return most;
}

static const uint32_t types[][MOST_DEVICES] = {{0, 0, 1, 1}, {0, 1, 2, 2}, {0, 0, 0, 0}};
static const uint32_t type_counts[] = {2, 3, 1};

static hy_sched__pipeline_problem problem_of(hy_sched__task_graph *graph, uint32_t kind, uint32_t seed)
{
	const dag_shape shape = {.tasks = 6, .devices = 4, .width = 3, .affinity = 0.7, .seed = seed};
	EXPECT_OK(dag_create(&shape, graph, &error));
	same_types(graph, types[kind]);
	const hy_sched__pipeline_problem problem = {.graph = graph,
	                                            .type_count = type_counts[kind],
	                                            .type = types[kind],
	                                            .to = links,
	                                            .from = links,
	                                            .depth = 0};
	return problem;
}

/* Whether what is answered is a plan: every task in one stage of each stream, every device in one stage of all. */
static void check(const hy_sched__pipeline_problem *problem, const hy_sched__pipelines *found)
{
	uint32_t used = 0;
	double rate = 0;
	for (uint32_t s = 0; s < found->stream_count; s++) {
		uint32_t next = 0, device[1000];
		for (uint32_t i = found->stream_first[s]; i < found->stream_first[s + 1]; i++) {
			const hy_sched__segment *stage = &found->stages[i];
			assert_int_equal(stage->first, next);
			assert_int_equal(used >> stage->device & 1, 0);
			used |= 1u << stage->device;
			for (; next < stage->first + stage->count; next++)
				device[found->order[next]] = stage->device;
		}
		assert_int_equal(next, problem->graph->task_count);
		assert_true(fabs(slowest(problem, device) / found->stream_ns[s] - 1) < 1e-9);
		rate += 1 / found->stream_ns[s];
	}
	assert_true(found->stream_count == 0 || fabs(found->item_ns * rate - 1) < 1e-9);
}

static void pipelines_are_within_a_twentieth_of_all_ways(void **state)
{
	(void)state;
	uint32_t exact = 0;
	for (uint32_t i = 0; i < 30; i++) {
		hy_sched__task_graph graph;
		hy_sched__pipelines one, groups;
		double best[1 << MOST_DEVICES], least = INFINITY;
		const hy_sched__pipeline_problem problem = problem_of(&graph, i % 3, i);
		all_ways(&problem, best);
		for (uint32_t set = 1; set < 1u << MOST_DEVICES; set++)
			least = best[set] < least ? best[set] : least;
		EXPECT_OK(hy_sched__pipeline_search(&problem, HY_SCHED__PIPELINE_ONE, 20, 0, &one, &error));
		EXPECT_OK(hy_sched__pipeline_search(&problem, HY_SCHED__PIPELINE_GROUPS, 20, 0, &groups, &error));
		check(&problem, &one);
		check(&problem, &groups);
		assert_int_equal(one.stream_count, 1);
		assert_true(one.item_ns >= least * (1 - 1e-9));
		assert_true(one.item_ns <= 1.05 * least);
		assert_true(groups.item_ns >= (1 - 1e-9) / best_rate(best, 15));
		assert_true(groups.item_ns <= 1.05 / best_rate(best, 15));
		exact += one.item_ns <= least * (1 + 1e-9) ? 1 : 0;
		hy_sched__pipelines_finish(&one);
		hy_sched__pipelines_finish(&groups);
		hy_sched__task_graph_finish(&graph);
	}
	assert_in_range(exact, 29, 30);
}

static void memory_forces_a_stream_over_several_devices(void **state)
{
	(void)state;
	hy_sched__task_graph graph;
	hy_sched__pipelines groups;
	const hy_sched__pipeline_problem problem = problem_of(&graph, 2, 3);
	for (uint32_t t = 0; t < graph.task_count; t++)
		graph.memory_bytes[t] = 100;
	for (uint32_t d = 0; d < 4; d++)
		graph.capacity_bytes[d] = 300;
	EXPECT_OK(hy_sched__pipeline_cut(&problem, HY_SCHED__PIPELINE_GROUPS, NULL, &groups, &error));
	check(&problem, &groups);
	assert_int_equal(groups.stream_first[groups.stream_count], 4);
	assert_in_range(groups.stream_count, 1, 2); /* no stream of one device */
	hy_sched__pipelines_finish(&groups);
	for (uint32_t d = 0; d < 4; d++)
		graph.capacity_bytes[d] = 99;
	EXPECT_OK(hy_sched__pipeline_cut(&problem, HY_SCHED__PIPELINE_GROUPS, NULL, &groups, &error));
	assert_int_equal(groups.stream_count, 0);
	assert_true(groups.item_ns == INFINITY);
	hy_sched__pipelines_finish(&groups);
	hy_sched__task_graph_finish(&graph);
}

static void where_the_model_fits_everywhere_groups_are_replicas(void **state)
{
	(void)state;
	const dag_shape shape = {.tasks = 300, .devices = 12, .width = 3, .seed = 5};
	uint32_t type[12];
	hy_sched__task_graph graph;
	hy_sched__pipelines groups;
	EXPECT_OK(dag_create(&shape, &graph, &error));
	for (uint32_t d = 0; d < 12; d++)
		type[d] = d; /* all different: streams must do without some, which run alone */
	const hy_sched__pipeline_problem problem = {.graph = &graph, .type_count = 12, .type = type};
	EXPECT_OK(hy_sched__pipeline_cut(&problem, HY_SCHED__PIPELINE_GROUPS, NULL, &groups, &error));
	double rate = 0;
	for (uint32_t d = 0; d < 12; d++) {
		double all = 0;
		for (uint32_t t = 0; t < graph.task_count; t++)
			all += graph.time_ns[t * 12 + d];
		rate += 1 / all;
	}
	assert_true(groups.item_ns <= 1.0001 / rate);
	hy_sched__pipelines_finish(&groups);
	hy_sched__task_graph_finish(&graph);
}

static void a_long_line_is_cut_at_cheap_borders(void **state)
{
	(void)state;
	/* 1000 tasks alike, every tenth value small: a cut costs 1000 ns there and 100 us elsewhere. */
	hy_sched__task_graph graph;
	hy_sched__pipelines one;
	const hy_sched__link link = {0, 1};
	const uint32_t type[4] = {0, 0, 0, 0};
	EXPECT_OK(hy_sched__task_graph_init(1000, 999, 4, &graph, &error));
	for (uint32_t i = 0; i < 4000; i++)
		graph.time_ns[i] = 1000;
	for (uint32_t e = 0; e < 999; e++) {
		const hy_sched__edge edge = {e, e + 1, e, e % 10 == 9 ? 1000 : 100000};
		graph.edges[e] = edge;
	}
	EXPECT_OK(hy_sched__task_graph_index(&graph, &error));
	const hy_sched__pipeline_problem problem = {
		.graph = &graph, .type_count = 1, .type = type, .to = &link, .from = &link};
	EXPECT_OK(hy_sched__pipeline_cut(&problem, HY_SCHED__PIPELINE_ONE, NULL, &one, &error));
	check(&problem, &one);
	assert_int_equal(one.stream_first[1], 4);
	assert_true(one.item_ns <= 252000);
	hy_sched__pipelines_finish(&one);
	hy_sched__task_graph_finish(&graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(pipelines_are_within_a_twentieth_of_all_ways),
		CASE(memory_forces_a_stream_over_several_devices),
		CASE(where_the_model_fits_everywhere_groups_are_replicas),
		CASE(a_long_line_is_cut_at_cheap_borders),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
