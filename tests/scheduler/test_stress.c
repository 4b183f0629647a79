/* Many threads on one session while a clock thread ends tickets and one device is lost: every answer is right and comes
 * exactly once. */
#include "world.h"

#include <stdatomic.h>

#define MACHINE                                                                                                  \
	"clock: manual\ndevices:\n"                                                                              \
	"- {name: fast, flops: 1e12, memory: 64MiB, bandwidth: 1e12, launch_ns: 1000}\n"                         \
	"- {name: far, flops: 1e12, memory: 64MiB, bandwidth: 1e12, launch_ns: 1500, link: {bandwidth: 1e10}}\n" \
	"- {name: frail, flops: 1e12, memory: 64MiB, bandwidth: 1e12, launch_ns: 1000, faults: {lost_after: 60}}\n"

/* The second is four times slower than it says. */
#define TIRED                                                                            \
	"clock: manual\ndevices:\n"                                                      \
	"- {name: fast, flops: 1e12, memory: 64MiB, bandwidth: 1e12, launch_ns: 1000}\n" \
	"- {name: tired, flops: 1e12, memory: 64MiB, bandwidth: 1e12, launch_ns: 1000, faults: {slow: 4}}\n"

enum { THREADS = 4, ROUNDS = 60, BURST = 8 };

typedef struct world {
	hy_ir_graph *graph;
	hy_sched_session *session;
	const hy_sim_clock *clock;
	atomic_bool over;
	atomic_int wrong;
} world;

static void *move_clock(void *payload)
{
	world *w = payload;
	while (!atomic_load(&w->over)) {
		w->clock->advance(w->clock->ctx, 700);
		sched_yield();
	}
	return NULL;
}

typedef struct asked {
	world_request request;
	atomic_int calls;
} asked;

static void count(void *payload, hy_status status, const hy_error *why)
{
	asked *a = payload;
	a->request.status = status;
	if (why != NULL) a->request.error = *why;
	atomic_fetch_add(&a->calls, 1);
}

static bool is_right(const asked *a)
{
	return a->request.status == HY_OK &&
	       memcmp(a->request.output.data, a->request.wanted.data, hy_ir_type_bytes(&a->request.wanted.type)) == 0;
}

/* Bursts of submissions with a waited request between them. */
static void *ask(void *payload)
{
	world *w = payload;
	asked asks[BURST];
	hy_error why;
	for (uint32_t i = 0; i < BURST; i++)
		world_request_init(&asks[i].request, w->graph, i);
	for (int round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < BURST; i++) {
			asked *a = &asks[i];
			atomic_store(&a->calls, 0);
			memset(a->request.output.data, 0xff, hy_ir_type_bytes(&a->request.output.type));
			hy_status status;
			if (i == BURST - 1) {
				status = hy_sched_session_run(w->session, &a->request.input, &a->request.output, &why);
				count(a, status, &why);
			} else {
				status = hy_sched_session_submit(w->session, &a->request.input, &a->request.output,
				                                 count, a, &why);
				if (status != HY_OK) atomic_fetch_add(&w->wrong, 1);
			}
		}
		if (hy_sched_session_drain(w->session, &why) != HY_OK) atomic_fetch_add(&w->wrong, 1);
		for (uint32_t i = 0; i < BURST; i++)
			if (atomic_load(&asks[i].calls) != 1 || !is_right(&asks[i])) atomic_fetch_add(&w->wrong, 1);
	}
	for (uint32_t i = 0; i < BURST; i++)
		world_request_finish(&asks[i].request);
	return NULL;
}

/* Bursts of requests of all kinds, some cancelled, some with deadlines that pass. */
static void *ask_of_all_kinds(void *payload)
{
	world *w = payload;
	asked asks[BURST];
	uint64_t ids[BURST];
	hy_error why;
	uint32_t dice = (uint32_t)(uintptr_t)&asks / 64 + 1;
	for (uint32_t i = 0; i < BURST; i++)
		world_request_init(&asks[i].request, w->graph, i);
	for (int round = 0; round < ROUNDS; round++) {
		bool accepted[BURST];
		for (uint32_t i = 0; i < BURST; i++) {
			asked *a = &asks[i];
			dice = dice * 1664525u + 1013904223u;
			atomic_store(&a->calls, 0);
			memset(a->request.output.data, 0xff, hy_ir_type_bytes(&a->request.output.type));
			const hy_sched_request request = {
				.size = sizeof(request),
				.inputs = &a->request.input,
				.outputs = &a->request.output,
				.on_done = count,
				.payload = a,
				.priority = (hy_sched_priority)(dice >> 30),
				.retry = (hy_sched_retry)((dice >> 20) % 3),
				.deadline_ns = (dice >> 16) % 4 == 0 ? hy_hal_now_ns() + (dice >> 8) % 4096 * 256 : 0,
			};
			const hy_status status = hy_sched_session_ask(w->session, &request, &ids[i], &why);
			accepted[i] = status == HY_OK;
			if (status != HY_OK && status != HY_TIMEOUT) atomic_fetch_add(&w->wrong, 1);
			if (accepted[i] && i > 0 && accepted[i - 1] && (dice >> 12) % 4 == 0)
				(void)hy_sched_session_cancel(w->session, ids[i - 1]);
		}
		if (hy_sched_session_drain(w->session, &why) != HY_OK) atomic_fetch_add(&w->wrong, 1);
		for (uint32_t i = 0; i < BURST; i++) {
			const hy_status status = asks[i].request.status;
			if (atomic_load(&asks[i].calls) != (accepted[i] ? 1 : 0)) atomic_fetch_add(&w->wrong, 1);
			if (accepted[i] && status != HY_CANCELLED && status != HY_TIMEOUT && !is_right(&asks[i]))
				atomic_fetch_add(&w->wrong, 1);
		}
	}
	for (uint32_t i = 0; i < BURST; i++)
		world_request_finish(&asks[i].request);
	return NULL;
}

/* asks: what each thread does; all: every request is one that ends well; moves: the border of the cut will. */
static void expect_right(hy_sched_strategy strategy, void *(*asks)(void *), bool all, bool moves)
{
	world *w = calloc(1, sizeof(*w));
	hy_hal_machine *machine = world_machine(moves ? TIRED : MACHINE);
	hy_hal_device *device;
	hy_sched_plan *plan;
	pthread_t clock, threads[THREADS];
	EXPECT_OK(hy_hal_device_open(machine, 0, NULL, 0, &device, &error));
	w->clock = hy_hal_device_extension(device, HY_EXT_SIM_CLOCK, 1);
	w->graph = world_model(moves ? 6 : 2, 16);
	w->clock->set_auto(w->clock->ctx, 1);
	const hy_sched_options options = {.size = sizeof(options),
	                                  .devices = strategy == HY_SCHED_CUT ? "sim:0,sim:1" : "sim:*",
	                                  .strategy = strategy,
	                                  .flags = moves ? HY_SCHED_NO_MEASURE : 0,
	                                  .measure_ns = 1};
	EXPECT_OK(hy_sched_plan_create(machine, w->graph, &options, &plan, &error));
	w->clock->set_auto(w->clock->ctx, 0);
	EXPECT_OK(hy_sched_session_create(plan, &w->session, &error));
	assert_int_equal(pthread_create(&clock, NULL, move_clock, w), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, asks, w), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&w->wrong), 0);
	hy_sched_stats stats;
	hy_sched_session_stats(w->session, &stats);
	assert_int_equal(stats.accepted, stats.done_ok + stats.done_error + stats.cancelled + stats.deadline);
	assert_int_equal(stats.accepted + stats.refused, THREADS * ROUNDS * BURST);
	assert_int_equal(stats.done_error, 0);
	if (all) assert_int_equal(stats.done_ok, THREADS * ROUNDS * BURST);
	assert_int_equal(stats.replans, moves ? 1 : 0);
	if (strategy == HY_SCHED_REPLICAS) assert_true(stats.devices[2].losses > 0);
	hy_sched_session_destroy(w->session);
	atomic_store(&w->over, true);
	pthread_join(clock, NULL);
	hy_sched_plan_destroy(plan);
	hy_hal_device_close(device);
	hy_ir_graph_destroy(w->graph);
	hy_hal_machine_close(machine);
	free(w);
}

static void replicas_survive_many_threads_and_a_loss(void **state)
{
	(void)state;
	expect_right(HY_SCHED_REPLICAS, ask, true, false);
}

static void a_cut_survives_many_threads(void **state)
{
	(void)state;
	expect_right(HY_SCHED_CUT, ask, true, false);
}

static void requests_of_all_kinds_end_exactly_once_on_replicas(void **state)
{
	(void)state;
	expect_right(HY_SCHED_REPLICAS, ask_of_all_kinds, false, false);
}

static void requests_of_all_kinds_end_exactly_once_on_a_cut(void **state)
{
	(void)state;
	expect_right(HY_SCHED_CUT, ask_of_all_kinds, false, false);
}

static void a_cut_moves_its_border_under_many_threads(void **state)
{
	(void)state;
	expect_right(HY_SCHED_CUT, ask_of_all_kinds, false, true);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(replicas_survive_many_threads_and_a_loss),
		CASE(a_cut_survives_many_threads),
		CASE(requests_of_all_kinds_end_exactly_once_on_replicas),
		CASE(requests_of_all_kinds_end_exactly_once_on_a_cut),
		CASE(a_cut_moves_its_border_under_many_threads),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
