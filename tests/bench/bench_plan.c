/* Planning: time of each step, and how far plans are from what nothing can beat. */
#include "bound.h"
#include "dag.h"
#include "list_schedule.h"
#include "local_search.h"
#include "pipeline.h"

#include <stdio.h>
#include <string.h>

enum { TIMES = 5, INSTANCES = 10 };

static hy_error error;

static void must(hy_status status)
{
	if (status == HY_OK) return;
	fprintf(stderr, "bench_plan: %s\n", error.text);
	exit(1);
}

static double ms_since(uint64_t begin_ns)
{
	return (double)(hy_hal_now_ns() - begin_ns) / 1e6;
}

static double least(const double *ms)
{
	double best = ms[0];
	for (int i = 1; i < TIMES; i++)
		if (ms[i] < best) best = ms[i];
	return best;
}

/* ---- time ---- */

/* Three types of devices and host links, as a cluster has. */
static void pipeline_time(const hy_sched__task_graph *graph, double *out_ms)
{
	uint32_t type[64];
	const hy_sched__link link[3] = {{10000, 0.1}, {10000, 0.1}, {10000, 0.1}};
	for (uint32_t d = 0; d < graph->device_count; d++)
		type[d] = d % 3;
	const hy_sched__pipeline_problem problem = {
		.graph = graph, .type_count = 3, .type = type, .to = link, .from = link};
	for (int i = 0; i < TIMES; i++) {
		hy_sched__pipelines groups;
		const uint64_t begin_ns = hy_hal_now_ns();
		must(hy_sched__pipeline_cut(&problem, HY_SCHED__PIPELINE_GROUPS, NULL, &groups, &error));
		out_ms[i] = ms_since(begin_ns);
		hy_sched__pipelines_finish(&groups);
	}
}

static void planning_time(uint32_t tasks, uint32_t devices)
{
	const dag_shape shape = {tasks, devices, 6, 0.3, 0.5, tasks * 131 + devices};
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	double ms[HY_SCHED__LIST_COUNT][TIMES], bound_ms[TIMES], cut_ms[TIMES], all = 0;
	must(dag_create(&shape, &graph, &error));
	must(hy_sched__placement_init(graph.task_count, &placement, &error));
	for (int i = 0; i < TIMES; i++) {
		hy_sched__graph_bound bound;
		uint64_t begin_ns = hy_hal_now_ns();
		must(hy_sched__bound_graph(&graph, &bound, &error));
		bound_ms[i] = ms_since(begin_ns);
		for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++) {
			begin_ns = hy_hal_now_ns();
			must(hy_sched__list_schedule(&graph, (hy_sched__list_rule)rule, &placement, &error));
			ms[rule][i] = ms_since(begin_ns);
		}
	}
	pipeline_time(&graph, cut_ms);
	printf("{\"bench\": \"plan-time\", \"tasks\": %u, \"devices\": %u", graph.task_count, devices);
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++) {
		printf(", \"%s_ms\": %.3f", hy_sched__list_name((hy_sched__list_rule)rule), least(ms[rule]));
		all += least(ms[rule]);
	}
	printf(", \"bounds_ms\": %.3f, \"portfolio_ms\": %.3f, \"pipeline_groups_ms\": %.3f}\n", least(bound_ms),
	       all + least(bound_ms), least(cut_ms));
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&graph);
}

/* ---- quality ---- */

typedef struct quality {
	double ratio[HY_SCHED__LIST_COUNT], best, path_gap, gap,
		worst_gap; /* ratios to the best, the best to the bound */
	uint32_t worse_than_single;
} quality;

static void plan_one(const dag_shape *shape, uint64_t search_ns, quality *sum)
{
	hy_sched__task_graph graph;
	hy_sched__placement placement, best;
	hy_sched__graph_bound bound;
	double ns[HY_SCHED__LIST_COUNT];
	must(dag_create(shape, &graph, &error));
	must(hy_sched__placement_init(graph.task_count, &placement, &error));
	must(hy_sched__placement_init(graph.task_count, &best, &error));
	must(hy_sched__bound_graph(&graph, &bound, &error));
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++) {
		must(hy_sched__list_schedule(&graph, (hy_sched__list_rule)rule, &placement, &error));
		ns[rule] = placement.makespan_ns;
		if (placement.makespan_ns < best.makespan_ns)
			hy_sched__placement_copy(graph.task_count, &placement, &best);
	}
	const hy_sched__search_options options = {.budget_ns = search_ns, .bound_ns = bound.block_ns, .seed = 1};
	must(hy_sched__local_search(&graph, &options, &best, NULL, &error));
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++)
		sum->ratio[rule] += ns[rule] / best.makespan_ns / INSTANCES;
	const double gap = best.makespan_ns / bound.block_ns;
	sum->path_gap += best.makespan_ns / (bound.path_ns > bound.area_ns ? bound.path_ns : bound.area_ns) / INSTANCES;
	sum->gap += gap / INSTANCES;
	if (gap > sum->worst_gap) sum->worst_gap = gap;
	sum->worse_than_single += best.makespan_ns > ns[HY_SCHED__LIST_SINGLE] ? 1 : 0;
	hy_sched__placement_finish(&placement);
	hy_sched__placement_finish(&best);
	hy_sched__task_graph_finish(&graph);
}

static uint32_t planning_quality(double ccr, uint32_t width, uint32_t devices, uint64_t search_ns)
{
	quality sum = {0};
	for (uint32_t i = 0; i < INSTANCES; i++) {
		const dag_shape shape = {300, devices, width, ccr, 0.7, i * 7919 + width * 31 + devices};
		plan_one(&shape, search_ns, &sum);
	}
	printf("{\"bench\": \"plan-quality\", \"tasks\": 300, \"ccr\": %.2f, \"width\": %u, \"devices\": %u", ccr,
	       width, devices);
	for (int rule = 0; rule < HY_SCHED__LIST_COUNT; rule++)
		printf(", \"%s\": %.3f", hy_sched__list_name((hy_sched__list_rule)rule), sum.ratio[rule]);
	printf(", \"best_to_path_or_area\": %.3f, \"best_to_bound\": %.3f, \"worst_to_bound\": %.3f, "
	       "\"worse_than_single\": %u}\n",
	       sum.path_gap, sum.gap, sum.worst_gap, sum.worse_than_single);
	return sum.worse_than_single;
}

int main(int argc, char **argv)
{
	const uint64_t search_ns = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 5000000 : 100000000;
	static const double ccrs[] = {0.05, 0.3, 1};
	static const uint32_t widths[] = {2, 6, 16}, devices[] = {4, 16};
	uint32_t worse = 0;
	planning_time(100, 8);
	planning_time(500, 16);
	planning_time(2000, 16);
	planning_time(2000, 64);
	for (int c = 0; c < 3; c++)
		for (int w = 0; w < 3; w++)
			for (int d = 0; d < 2; d++)
				worse += planning_quality(ccrs[c], widths[w], devices[d], search_ns);
	if (worse > 0) fprintf(stderr, "bench_plan: %u plans are slower than the best single device\n", worse);
	return worse > 0 ? 1 : 0;
}
