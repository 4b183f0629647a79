/* Sessions on a clock that stands still until the test moves it: what is in flight, and who takes what. */
#include "world.h"

#define MACHINE                                                                          \
	"clock: manual\ndevices:\n"                                                      \
	"- {name: fast, flops: 1e17, memory: 64MiB, bandwidth: 1e17, launch_ns: 1000}\n" \
	"- {name: slow, flops: 1e17, memory: 64MiB, bandwidth: 1e17, launch_ns: 10000}\n"

/* Two nodes of one launch each: 2 us on the fast device, 20 us on the slow one. */
typedef struct world {
	hy_hal_machine *machine;
	hy_ir_graph *graph;
	hy_sched_plan *plan;
	hy_sched_session *session;
	const hy_sim_clock *clock;
	world_request requests[64];
	int order;
} world;

static world *open_world(const char *devices, hy_sched_strategy strategy)
{
	world *w = calloc(1, sizeof(*w));
	w->machine = world_machine(MACHINE);
	w->graph = world_model(1, 16);
	const hy_sched_options options = {.size = sizeof(options), .devices = devices, .strategy = strategy};
	/* The planner measures on an automatic clock. */
	hy_hal_device *device;
	EXPECT_OK(hy_hal_device_open(w->machine, 0, NULL, 0, &device, &error));
	w->clock = hy_hal_device_extension(device, HY_EXT_SIM_CLOCK, 1);
	assert_non_null(w->clock);
	w->clock->set_auto(w->clock->ctx, 1);
	EXPECT_OK(hy_sched_plan_create(w->machine, w->graph, &options, &w->plan, &error));
	w->clock->set_auto(w->clock->ctx, 0);
	hy_hal_device_close(device);
	EXPECT_OK(hy_sched_session_create(w->plan, &w->session, &error));
	for (uint32_t i = 0; i < 64; i++) {
		world_request_init(&w->requests[i], w->graph, i);
		w->requests[i].order = &w->order;
	}
	return w;
}

static void close_world(world *w)
{
	hy_sched_session_destroy(w->session);
	for (uint32_t i = 0; i < 64; i++)
		world_request_finish(&w->requests[i]);
	hy_sched_plan_destroy(w->plan);
	hy_ir_graph_destroy(w->graph);
	hy_hal_machine_close(w->machine);
	free(w);
}

static void submit(world *w, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		EXPECT_OK(hy_sched_session_submit(w->session, &w->requests[i].input, &w->requests[i].output, world_done,
		                                  &w->requests[i], &error));
}

static void wait_a_moment(void)
{
	usleep(1000);
}

/* Workers are threads: gives them time until so many tickets are with the devices. */
static void wait_for_pending(const world *w, uint32_t count)
{
	for (int i = 0; i < 10000 && w->clock->pending(w->clock->ctx) != count; i++)
		wait_a_moment();
	assert_int_equal(w->clock->pending(w->clock->ctx), count);
}

static uint64_t done_count(const world *w)
{
	hy_sched_stats stats;
	hy_sched_session_stats(w->session, &stats);
	return stats.done_ok;
}

/* Moves the clock until so many are done. */
static void finish(const world *w, uint64_t count)
{
	for (int i = 0; i < 10000 && done_count(w) < count; i++) {
		w->clock->advance(w->clock->ctx, 2000);
		wait_a_moment();
	}
	EXPECT_OK(hy_sched_session_drain(w->session, &error));
}

static void nothing_is_done_before_its_time(void **state)
{
	(void)state;
	world *w = open_world("sim:0", HY_SCHED_SINGLE);
	submit(w, 0, 1);
	wait_for_pending(w, 1);
	w->clock->advance(w->clock->ctx, 1999);
	assert_int_equal(done_count(w), 0);
	w->clock->advance(w->clock->ctx, 1);
	EXPECT_OK(hy_sched_session_drain(w->session, &error));
	world_expect_right(&w->requests[0]);
	close_world(w);
}

static void two_are_in_flight_per_device_and_no_more(void **state)
{
	(void)state;
	world *w = open_world("sim:0", HY_SCHED_SINGLE);
	submit(w, 0, 4);
	wait_for_pending(w, 2);
	wait_a_moment();
	wait_for_pending(w, 2);
	w->clock->advance(w->clock->ctx, 2000); /* the first ends, the third moves up */
	wait_for_pending(w, 2);
	assert_int_equal(done_count(w), 1);
	finish(w, 4);
	for (uint32_t i = 0; i < 4; i++)
		world_expect_right(&w->requests[i]);
	close_world(w);
}

static void a_lone_request_waits_for_no_slow_device(void **state)
{
	(void)state;
	world *w = open_world("sim:*", HY_SCHED_REPLICAS);
	submit(w, 0, 1);
	wait_for_pending(w, 1);
	w->clock->advance(w->clock->ctx, 2000);
	EXPECT_OK(hy_sched_session_drain(w->session, &error));
	hy_sched_stats stats;
	hy_sched_session_stats(w->session, &stats);
	assert_int_equal(stats.devices[0].items, 1);
	close_world(w);
}

static void an_early_answer_waits_for_the_ones_before_it(void **state)
{
	(void)state;
	world *w = open_world("sim:*", HY_SCHED_REPLICAS);
	/* Enough that the slow device takes part; who gets the first is the threads' choice. */
	submit(w, 0, 33);
	finish(w, 33);
	for (uint32_t i = 0; i < 33; i++) {
		world_expect_right(&w->requests[i]);
		assert_int_equal(w->requests[i].place, (int)i);
	}
	hy_sched_stats stats;
	hy_sched_session_stats(w->session, &stats);
	assert_true(stats.devices[0].items > stats.devices[1].items);
	close_world(w);
}

typedef struct late {
	world *w;
	bool submitted;
} late;

static void *submit_one_more(void *payload)
{
	late *it = payload;
	submit(it->w, 63, 1);
	__atomic_store_n(&it->submitted, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void submit_waits_for_room(void **state)
{
	(void)state;
	world *w = open_world("sim:0", HY_SCHED_SINGLE);
	/* 2 us each: the window holds 63 and one. */
	submit(w, 0, 63);
	world_request more;
	world_request_init(&more, w->graph, 7);
	EXPECT_OK(hy_sched_session_submit(w->session, &more.input, &more.output, world_done, &more, &error));
	late it = {.w = w};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, submit_one_more, &it), 0);
	wait_a_moment();
	assert_false(__atomic_load_n(&it.submitted, __ATOMIC_SEQ_CST));
	w->clock->set_auto(w->clock->ctx, 1);
	pthread_join(thread, NULL);
	EXPECT_OK(hy_sched_session_drain(w->session, &error));
	world_expect_right(&w->requests[63]);
	world_request_finish(&more);
	close_world(w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(nothing_is_done_before_its_time),
		CASE(two_are_in_flight_per_device_and_no_more),
		CASE(a_lone_request_waits_for_no_slow_device),
		CASE(an_early_answer_waits_for_the_ones_before_it),
		CASE(submit_waits_for_room),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
