/* One graph of tasks on StarPU's dmda and on Halyard, in turns: 4,000 tasks that read one of sixteen values and change
 * another, half of them four times as fast on one worker, half on the other; two workers with a core each; a task is
 * busy waiting of known length. Each side gets the tasks in order with what they read and write, finds the dependencies,
 * places and runs them; all of that is in its time.
 *
 * Halyard's side: the planner's list schedules and their choice (hy_sched__list_schedule, HEFT or expected completion),
 * one thread per device with the most urgent ready task first (the rule of hy_sched__makespan_of), each task handed over
 * by hy_hal_queue_submit to a device of the template plugin. Prints one JSON line per grain: overhead per task is the
 * time beyond the ideal (half of the work, each task where it is fast) divided by the tasks. */
#include "heap.h"
#include "list_schedule.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <starpu.h>

enum { TASKS = 4000, VALUES = 16, ROUNDS = 5, WORKERS = 2, SPINS = 20000 };

static hy_error error;
static double fast_ns, slow_ns;

static void must(hy_status status)
{
	if (status == HY_OK) return;
	fprintf(stderr, "bench_starpu: %s\n", error.text);
	exit(1);
}

/* ---- the graph ---- */

static uint32_t written(uint32_t task)
{
	return task % VALUES;
}

static uint32_t read_by(uint32_t task)
{
	const uint32_t value = (task * 7 + 3) % VALUES;
	return value == written(task) ? (task + 5) % VALUES : value;
}

static double task_ns(uint32_t task, uint32_t worker)
{
	return task % 2 == worker ? fast_ns : slow_ns;
}

static void busy_wait(double ns)
{
	const uint64_t end_ns = hy_hal_now_ns() + (uint64_t)ns;
	while (hy_hal_now_ns() < end_ns)
		;
}

/* ---- StarPU ---- */

static void starpu_body(void **buffers, void *arg)
{
	(void)buffers;
	busy_wait(task_ns(*(const uint32_t *)arg, (uint32_t)starpu_worker_get_id()));
}

static double starpu_cost(struct starpu_task *task, struct starpu_perfmodel_arch *arch, unsigned number)
{
	(void)number;
	return task_ns(*(const uint32_t *)task->cl_arg, (uint32_t)arch->devices[0].devid) / 1e3;
}

static struct starpu_perfmodel starpu_model = {
	.type = STARPU_PER_ARCH, .arch_cost_function = starpu_cost, .symbol = "halyard_bench"};
static struct starpu_codelet starpu_code = {.cpu_funcs = {starpu_body},
                                            .nbuffers = 2,
                                            .modes = {STARPU_R, STARPU_RW},
                                            .model = &starpu_model,
                                            .name = "halyard_bench"};

/* Time of the tasks; starting and stopping StarPU is not in it. */
static double run_starpu(void)
{
	static uint32_t numbers[TASKS];
	static char values[VALUES][1024];
	starpu_data_handle_t handles[VALUES];
	struct starpu_conf conf;
	setenv("STARPU_PERF_MODEL_HOMOGENEOUS_CPU", "0", 1);
	setenv("STARPU_SILENT", "1", 1);
	starpu_conf_init(&conf);
	conf.sched_policy_name = "dmda";
	conf.ncpus = WORKERS;
	conf.ncuda = conf.nopencl = 0;
	if (starpu_init(&conf) != 0 || starpu_worker_get_count() != WORKERS) return -1;
	for (int v = 0; v < VALUES; v++)
		starpu_vector_data_register(&handles[v], STARPU_MAIN_RAM, (uintptr_t)values[v], sizeof(values[v]), 1);
	const uint64_t begin_ns = hy_hal_now_ns();
	for (uint32_t i = 0; i < TASKS; i++) {
		numbers[i] = i;
		if (starpu_task_insert(&starpu_code, STARPU_CL_ARGS_NFREE, &numbers[i], sizeof(numbers[i]), STARPU_R,
		                       handles[read_by(i)], STARPU_RW, handles[written(i)], 0) != 0)
			return -1;
	}
	starpu_task_wait_for_all();
	const double ns = (double)(hy_hal_now_ns() - begin_ns);
	for (int v = 0; v < VALUES; v++)
		starpu_data_unregister(handles[v]);
	starpu_shutdown();
	return ns;
}

/* ---- Halyard ---- */

typedef struct executor {
	hy_sched__task_graph graph;
	hy_sched__placement placement;
	uint32_t rank[TASKS], missing[TASKS];
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t wake;
	hy_sched__heap ready[WORKERS];
	hy_sched__heap_item items[WORKERS][TASKS];
	uint32_t left;
} executor;

typedef struct worker {
	executor *owner;
	hy_hal_queue *queue;
	uint32_t device, done_count;
	char byte;
} worker;

/* What a task waits for: the last to write what it reads or writes, and those that read what it writes. */
static uint32_t find_edges(hy_sched__edge *edges)
{
	static uint32_t readers[VALUES][TASKS], reader_count[VALUES];
	uint32_t writer[VALUES], count = 0;
	memset(writer, 0xff, sizeof(writer));
	memset(reader_count, 0, sizeof(reader_count));
	for (uint32_t i = 0; i < TASKS; i++) {
		const uint32_t from = read_by(i), to = written(i);
		if (writer[from] != UINT32_MAX) edges[count++] = (hy_sched__edge){writer[from], i, 0, 0};
		if (writer[to] != UINT32_MAX) edges[count++] = (hy_sched__edge){writer[to], i, 0, 0};
		for (uint32_t r = 0; r < reader_count[to]; r++)
			edges[count++] = (hy_sched__edge){readers[to][r], i, 0, 0};
		reader_count[to] = 0;
		writer[to] = i;
		readers[from][reader_count[from]++] = i;
	}
	return count;
}

static void make_plan(executor *x)
{
	static hy_sched__edge edges[4 * TASKS];
	hy_sched__placement other;
	const uint32_t count = find_edges(edges);
	must(hy_sched__task_graph_init(TASKS, count, WORKERS, &x->graph, &error));
	memcpy(x->graph.edges, edges, count * sizeof(*edges));
	for (uint32_t i = 0; i < TASKS * WORKERS; i++)
		x->graph.time_ns[i] = task_ns(i / WORKERS, i % WORKERS);
	must(hy_sched__task_graph_index(&x->graph, &error));
	must(hy_sched__placement_init(TASKS, &x->placement, &error));
	must(hy_sched__placement_init(TASKS, &other, &error));
	must(hy_sched__list_schedule(&x->graph, HY_SCHED__LIST_HEFT, &x->placement, &error));
	must(hy_sched__list_schedule(&x->graph, HY_SCHED__LIST_DM, &other, &error));
	if (other.makespan_ns < x->placement.makespan_ns) hy_sched__placement_copy(TASKS, &other, &x->placement);
	hy_sched__placement_finish(&other);
	for (uint32_t i = 0; i < TASKS; i++) {
		x->rank[x->placement.order[i]] = i;
		x->missing[i] = x->graph.in_first[i + 1] - x->graph.in_first[i];
	}
}

/* The lock is held. */
static void make_ready(executor *x, uint32_t task)
{
	hy_sched__heap_push(&x->ready[x->placement.device[task]], x->rank[task], task);
}

static void end_task(executor *x, uint32_t task)
{
	for (uint32_t e = x->graph.out_first[task]; e < x->graph.out_first[task + 1]; e++)
		if (--x->missing[x->graph.edges[e].to] == 0) make_ready(x, x->graph.edges[e].to);
	x->left--;
}

static void submitted(void *payload, const hy_done *done)
{
	(void)done;
	((worker *)payload)->done_count++;
}

static void run_task(worker *w, uint32_t task)
{
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(&w->byte, 1), .pattern = 'x'};
	if (hy_hal_queue_submit(w->queue, 1, &fill, submitted, w, NULL) != HY_OK) abort();
	busy_wait(task_ns(task, w->device));
}

/* Looks for a task for a while before it sleeps, as StarPU's workers do. */
static void *work(void *arg)
{
	worker *w = arg;
	executor *x = w->owner;
	hy_sched__heap *ready = &x->ready[w->device];
	cpu_set_t core;
	CPU_ZERO(&core);
	CPU_SET(w->device, &core);
	pthread_setaffinity_np(pthread_self(), sizeof(core), &core);
	pthread_mutex_lock(&x->lock);
	for (uint32_t spins = 0; x->left > 0;) {
		if (ready->count == 0) {
			if (++spins > SPINS) {
				pthread_cond_wait(&x->wake, &x->lock);
				continue;
			}
			pthread_mutex_unlock(&x->lock);
			for (volatile int i = 0; i < 50; i++)
				;
			pthread_mutex_lock(&x->lock);
			continue;
		}
		const uint32_t task = hy_sched__heap_pop(ready).number;
		spins = 0;
		pthread_mutex_unlock(&x->lock);
		run_task(w, task);
		pthread_mutex_lock(&x->lock);
		end_task(x, task);
		pthread_cond_broadcast(&x->wake);
	}
	pthread_cond_broadcast(&x->wake);
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

static double plan_ns; /* of the last run */

static double run_halyard(void)
{
	static executor x;
	worker workers[WORKERS] = {{.owner = &x, .device = 0}, {.owner = &x, .device = 1}};
	pthread_t threads[WORKERS];
	hy_hal_machine *machine = NULL;
	const hy_hal_machine_options options = {
		.size = sizeof(options), .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d", .disable = "[!t]*"};
	must(hy_hal_machine_open(&options, &machine, &error));
	pthread_mutex_init(&x.lock, NULL);
	pthread_cond_init(&x.wake, NULL);
	for (uint32_t d = 0; d < WORKERS; d++) {
		hy_hal_device *device;
		x.ready[d].items = x.items[d];
		must(hy_hal_device_open(machine, 0, NULL, 0, &device, &error));
		must(hy_hal_queue_open(device, HY_QUEUE_COMPUTE, &workers[d].queue, &error));
	}
	const uint64_t begin_ns = hy_hal_now_ns();
	make_plan(&x);
	plan_ns = (double)(hy_hal_now_ns() - begin_ns);
	x.left = TASKS;
	for (uint32_t t = 0; t < TASKS; t++)
		if (x.missing[t] == 0) make_ready(&x, t);
	for (uint32_t d = 0; d < WORKERS; d++)
		if (pthread_create(&threads[d], NULL, work, &workers[d]) != 0) return -1;
	for (uint32_t d = 0; d < WORKERS; d++)
		pthread_join(threads[d], NULL);
	return (double)(hy_hal_now_ns() - begin_ns);
}

/* ---- both ---- */

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

typedef struct answer {
	double ns, plan_ns;
} answer;

/* In a process of its own, so that neither's threads wait for work while the other's work. */
static answer apart(double (*run)(void))
{
	int ends[2];
	answer got = {-1, 0};
	if (pipe(ends) != 0) exit(1);
	const pid_t child = fork();
	if (child == 0) {
		got.ns = run();
		got.plan_ns = plan_ns;
		_exit(write(ends[1], &got, sizeof(got)) == sizeof(got) ? 0 : 1);
	}
	close(ends[1]);
	if (read(ends[0], &got, sizeof(got)) != sizeof(got)) got.ns = -1;
	close(ends[0]);
	waitpid(child, NULL, 0);
	return got;
}

/* The fast time of a task in microseconds: 0 is the cost of the runtimes alone. Answers whether ours is no slower. */
static bool compare(double grain_us)
{
	double theirs[ROUNDS], ours[ROUNDS], plan[ROUNDS];
	fast_ns = grain_us * 1e3;
	slow_ns = 4 * fast_ns;
	for (int i = 0; i < ROUNDS; i++) {
		const answer one = apart(run_starpu), other = apart(run_halyard);
		if (one.ns < 0 || other.ns < 0) {
			fprintf(stderr, "bench_starpu: %s does not start with two workers: two cores are needed\n",
			        one.ns < 0 ? "StarPU" : "Halyard");
			exit(77);
		}
		theirs[i] = one.ns;
		ours[i] = other.ns;
		plan[i] = other.plan_ns;
	}
	const double ideal = TASKS * fast_ns / WORKERS, dmda = median(theirs), mine = median(ours);
	printf("{\"bench\": \"starpu\", \"tasks\": %d, \"task_us\": %.1f, \"ideal_ms\": %.3f, \"dmda_ms\": %.3f, "
	       "\"halyard_ms\": %.3f, \"halyard_plan_ms\": %.3f, \"dmda_overhead_us\": %.3f, "
	       "\"halyard_overhead_us\": %.3f",
	       TASKS, grain_us, ideal / 1e6, dmda / 1e6, mine / 1e6, median(plan) / 1e6, (dmda - ideal) / 1e3 / TASKS,
	       (mine - ideal) / 1e3 / TASKS);
	if (ideal > 0)
		printf(", \"dmda_above_ideal_percent\": %.2f, \"halyard_above_ideal_percent\": %.2f",
		       100 * (dmda / ideal - 1), 100 * (mine / ideal - 1));
	printf("}\n");
	fflush(stdout);
	return mine <= dmda;
}

int main(void)
{
	bool good = compare(0);
	good = compare(10) && good;
	good = compare(50) && good;
	return good ? 0 : 1;
}
