/* Our prediction of a placement against SimGrid's: random problems, platforms and placements, each run in a SimGrid of
 * its own (one per process). The rule of the runtime (per device and per link the most urgent of what is ready, one at
 * a time) is written again here, with actors and semaphores; time comes from SimGrid's models of hosts and links.
 * Once more without the rule for links, as flows that share them fairly: what queueing of transfers itself predicts.
 * Network settings: network/model CM02, TCP-gamma -1, bandwidth-factor 1, latency-factor 1, weight-S 0, no
 * cross-traffic. */
#include "dag.h"
#include "list_schedule.h"
#include "makespan.h"

#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/semaphore.h>
#include <xbt/config.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLANS = 100, MOST_TASKS = 300 };

static hy_error error;

static void must(hy_status status)
{
	if (status == HY_OK) return;
	fprintf(stderr, "bench_simgrid: %s\n", error.text);
	exit(1);
}

/* ---- the platform ---- */

/* Makes links shared: kind 0 one per pair, 1 one per pair of groups of four devices, 2 one for all. Pairs of a link are
 * alike. */
static void share_links(hy_sched__task_graph *graph, uint32_t kind, double ns_per_byte, uint64_t *random)
{
	const uint32_t devices = graph->device_count, groups = (devices + 3) / 4;
	for (uint32_t a = 0; a < devices; a++)
		for (uint32_t b = 0; b < devices; b++) {
			const uint32_t pair = a * devices + b;
			graph->link[pair] = kind == 0 ? pair : kind == 1 ? a / 4 * groups + b / 4 : 0;
		}
	for (uint32_t link = 0; link < graph->link_count; link++) {
		const double slope = ns_per_byte * (0.3 + 1.4 * dag_drawn(random)), latency = 20000 * dag_drawn(random);
		for (uint32_t pair = 0; pair < devices * devices; pair++) {
			if (graph->link[pair] != link || pair / devices == pair % devices) continue;
			graph->ns_per_byte[pair] = slope;
			graph->latency_ns[pair] = latency;
		}
	}
}

static void write_platform(const hy_sched__task_graph *graph, const char *path)
{
	const uint32_t devices = graph->device_count;
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	fputs("<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
	      "<platform version=\"4.1\">\n<zone id=\"all\" routing=\"Full\">\n",
	      file);
	for (uint32_t d = 0; d < devices; d++)
		fprintf(file, "<host id=\"d%u\" speed=\"1000000000f\"/>\n", d);
	for (uint32_t link = 0; link < graph->link_count; link++)
		for (uint32_t pair = 0; pair < devices * devices; pair++) {
			if (graph->link[pair] != link || pair / devices == pair % devices) continue;
			fprintf(file, "<link id=\"l%u\" bandwidth=\"%.17gBps\" latency=\"%.17gs\"/>\n", link,
			        1e9 / graph->ns_per_byte[pair], graph->latency_ns[pair] / 1e9);
			break;
		}
	for (uint32_t pair = 0; pair < devices * devices; pair++)
		if (pair / devices != pair % devices)
			fprintf(file,
			        "<route src=\"d%u\" dst=\"d%u\" symmetrical=\"NO\"><link_ctn id=\"l%u\"/></route>\n",
			        pair / devices, pair % devices, graph->link[pair]);
	fputs("</zone>\n</platform>\n", file);
	fclose(file);
}

/* ---- the rule, in actors ---- */

static const hy_sched__task_graph *graph;
static const hy_sched__placement *plan;
static uint32_t rank_of[MOST_TASKS], missing[MOST_TASKS];
static bool *waiting; /* per task, then per edge: in the queue of its device or link */
static uint32_t *job_count; /* per device, then per link */
static sg_sem_t *jobs; /* the same */
static double last_s;

static uint32_t queue_of(uint32_t job)
{
	if (job < graph->task_count) return plan->device[job];
	const hy_sched__edge *edge = &graph->edges[job - graph->task_count];
	return graph->device_count +
	       graph->link[plan->device[edge->from] * graph->device_count + plan->device[edge->to]];
}

static bool is_carried(uint32_t e)
{
	const hy_sched__edge *edge = &graph->edges[e];
	if (plan->device[edge->from] == plan->device[edge->to]) return false;
	for (uint32_t k = graph->out_first[edge->from]; k < e; k++)
		if (plan->device[graph->edges[k].to] == plan->device[edge->to]) return false;
	return true;
}

/* What became ready in one instant. A release lets other actors run, so all are in their queues before the first. */
typedef struct instant {
	uint32_t count, jobs[2 * MOST_TASKS];
} instant;

static void put(instant *now, uint32_t job)
{
	waiting[job] = true;
	now->jobs[now->count++] = job;
}

static void give(instant *now, uint32_t task)
{
	if (--missing[task] == 0) put(now, task);
}

static void release(const instant *now)
{
	for (uint32_t i = 0; i < now->count; i++)
		sg_sem_release(jobs[queue_of(now->jobs[i])]);
}

/* The most urgent job of a queue, taken from it. */
static uint32_t take(uint32_t queue)
{
	uint32_t best = UINT32_MAX, best_rank = UINT32_MAX;
	sg_sem_acquire(jobs[queue]);
	for (uint32_t job = 0; job < graph->task_count + graph->edge_count; job++) {
		if (!waiting[job] || queue_of(job) != queue) continue;
		const uint32_t task = job < graph->task_count ? job : graph->edges[job - graph->task_count].to;
		if (rank_of[task] >= best_rank) continue;
		best_rank = rank_of[task];
		best = job;
	}
	waiting[best] = false;
	return best;
}

static void run_task(uint32_t task)
{
	const uint32_t device = plan->device[task];
	sg_actor_execute(graph->time_ns[task * graph->device_count + device]);
	if (simgrid_get_clock() > last_s) last_s = simgrid_get_clock();
	instant now = {0};
	for (uint32_t e = graph->out_first[task]; e < graph->out_first[task + 1]; e++) {
		if (plan->device[graph->edges[e].to] == device)
			give(&now, graph->edges[e].to);
		else if (is_carried(e))
			put(&now, graph->task_count + e);
	}
	release(&now);
}

static void run_transfer(uint32_t e)
{
	const hy_sched__edge *edge = &graph->edges[e];
	const uint32_t from = plan->device[edge->from], to = plan->device[edge->to];
	char source[16], target[16];
	snprintf(source, sizeof(source), "d%u", from);
	snprintf(target, sizeof(target), "d%u", to);
	sg_host_sendto(sg_host_by_name(source), sg_host_by_name(target), (double)edge->bytes);
	instant now = {0};
	for (uint32_t k = graph->out_first[edge->from]; k < graph->out_first[edge->from + 1]; k++)
		if (plan->device[graph->edges[k].to] == to) give(&now, graph->edges[k].to);
	release(&now);
}

/* argv: the queue, and how many jobs to take from it. */
static void server(int argc, char **argv)
{
	(void)argc;
	const uint32_t queue = (uint32_t)strtoul(argv[1], NULL, 10);
	for (uint32_t left = (uint32_t)strtoul(argv[2], NULL, 10); left > 0; left--) {
		const uint32_t job = take(queue);
		if (job < graph->task_count)
			run_task(job);
		else
			run_transfer(job - graph->task_count);
	}
}

/* An actor computes on the host that it is on. */
static void start_server(uint32_t queue, uint32_t count)
{
	char name[] = "server", number[16], many[16], host[16];
	char *argv[] = {name, number, many, NULL};
	snprintf(number, sizeof(number), "%u", queue);
	snprintf(many, sizeof(many), "%u", count);
	snprintf(host, sizeof(host), "d%u", queue < graph->device_count ? queue : 0);
	sg_actor_start(sg_actor_init(name, sg_host_by_name(host)), server, 3, argv);
}

/* Runs in a process of its own. */
static double simulate(const char *platform, bool fair)
{
	char name[] = "bench_simgrid", quiet[] = "--log=root.thresh:error", *args[] = {name, quiet, NULL};
	int count = 2;
	simgrid_init(&count, args);
	sg_cfg_set_string("network/model", "CM02");
	sg_cfg_set_double("network/TCP-gamma", -1);
	sg_cfg_set_double("network/bandwidth-factor", 1);
	sg_cfg_set_double("network/latency-factor", 1);
	sg_cfg_set_double("network/weight-S", 0);
	sg_cfg_set_boolean("network/crosstraffic", "no");
	simgrid_load_platform(platform);
	const uint32_t queues = graph->device_count + graph->link_count, all = graph->task_count + graph->edge_count;
	waiting = calloc(all, sizeof(*waiting));
	job_count = calloc(queues, sizeof(*job_count));
	jobs = calloc(queues, sizeof(sg_sem_t));
	for (uint32_t q = 0; q < queues; q++)
		jobs[q] = sg_sem_init(0);
	for (uint32_t job = 0; job < all; job++)
		if (job < graph->task_count || is_carried(job - graph->task_count)) job_count[queue_of(job)]++;
	for (uint32_t i = 0; i < graph->task_count; i++) {
		rank_of[plan->order[i]] = i;
		missing[i] = graph->in_first[i + 1] - graph->in_first[i];
	}
	instant now = {0};
	for (uint32_t t = 0; t < graph->task_count; t++)
		if (missing[t] == 0) put(&now, t);
	release(&now);
	for (uint32_t q = 0; q < queues; q++) {
		const bool apart = fair && q >= graph->device_count;
		for (uint32_t i = 0; i < (apart ? job_count[q] : 1); i++)
			start_server(q, apart ? 1 : job_count[q]);
	}
	simgrid_run();
	return last_s * 1e9;
}

/* ---- all of it ---- */

static double simulated_apart(const char *platform, bool fair)
{
	int ends[2];
	double ns = 0;
	if (pipe(ends) != 0) return 0;
	const pid_t child = fork();
	if (child == 0) {
		ns = simulate(platform, fair);
		_exit(write(ends[1], &ns, sizeof(ns)) == sizeof(ns) ? 0 : 1);
	}
	close(ends[1]);
	if (read(ends[0], &ns, sizeof(ns)) != sizeof(ns)) {
		fprintf(stderr, "bench_simgrid: SimGrid gave no answer\n");
		exit(1);
	}
	close(ends[0]);
	waitpid(child, NULL, 0);
	return ns;
}

/* Placements: one in three by HEFT, one by PEFT, one at random in a random order. */
static void place(const hy_sched__task_graph *problem, uint32_t number, uint64_t *random,
                  hy_sched__placement *placement)
{
	double key[MOST_TASKS];
	if (number % 3 < 2) {
		must(hy_sched__list_schedule(problem, number % 3 == 0 ? HY_SCHED__LIST_HEFT : HY_SCHED__LIST_PEFT,
		                             placement, &error));
		return;
	}
	for (uint32_t t = 0; t < problem->task_count; t++) {
		placement->device[t] = dag_below(random, problem->device_count);
		key[t] = dag_drawn(random);
	}
	must(hy_sched__task_graph_line(problem, key, placement->order, &error));
	must(hy_sched__makespan_of(problem, placement, NULL, &error));
}

static void compare_plan(uint32_t number, double *out_serial, double *out_fair)
{
	static const uint32_t widths[] = {2, 6, 16};
	uint64_t random = 1000 + number;
	const dag_shape shape = {.tasks = 20 + dag_below(&random, MOST_TASKS - 20),
	                         .devices = 2 + dag_below(&random, 11),
	                         .width = widths[dag_below(&random, 3)],
	                         .ccr = 0.05 + dag_drawn(&random),
	                         .affinity = 0.7,
	                         .seed = number};
	hy_sched__task_graph problem;
	hy_sched__placement placement;
	must(dag_create(&shape, &problem, &error));
	share_links(&problem, number % 4 == 3 ? dag_below(&random, 3) : number % 2, shape.ccr * 0.5, &random);
	must(hy_sched__placement_init(problem.task_count, &placement, &error));
	place(&problem, number, &random, &placement);
	char path[] = "/tmp/bench_simgrid.XXXXXX";
	const int file = mkstemp(path);
	if (file >= 0) close(file);
	write_platform(&problem, path);
	graph = &problem;
	plan = &placement;
	*out_serial = placement.makespan_ns / simulated_apart(path, false) - 1;
	*out_fair = placement.makespan_ns / simulated_apart(path, true) - 1;
	unlink(path);
	hy_sched__placement_finish(&placement);
	hy_sched__task_graph_finish(&problem);
}

static int by_size(const void *a, const void *b)
{
	const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
	return x < y ? -1 : x > y;
}

int main(void)
{
	double serial[PLANS], fair[PLANS];
	for (uint32_t i = 0; i < PLANS; i++)
		compare_plan(i, &serial[i], &fair[i]);
	qsort(serial, PLANS, sizeof(double), by_size);
	qsort(fair, PLANS, sizeof(double), by_size);
	printf("{\"bench\": \"simgrid\", \"plans\": %d, \"serial_links_median_percent\": %.4f, "
	       "\"serial_links_p90_percent\": %.4f, \"serial_links_worst_percent\": %.4f, "
	       "\"fair_links_median_percent\": %.3f, \"fair_links_p90_percent\": %.3f, "
	       "\"fair_links_worst_percent\": %.3f}\n",
	       PLANS, 100 * fabs(serial[PLANS / 2]), 100 * fabs(serial[PLANS * 9 / 10]), 100 * fabs(serial[PLANS - 1]),
	       100 * fabs(fair[PLANS / 2]), 100 * fabs(fair[PLANS * 9 / 10]), 100 * fabs(fair[PLANS - 1]));
	return 100 * fabs(serial[PLANS / 2]) <= 5 ? 0 : 1;
}
