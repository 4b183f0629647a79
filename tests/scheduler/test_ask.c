/* Requests with a class, a deadline, a way back: on devices of the plugin throttle, which hang, go and return. */
#include "world.h"

#include <stdatomic.h>

#include "../bench/throttle.h"

typedef struct world {
	hy_hal_machine *machine;
	hy_hal_device *opened;
	const hy_ext_throttle *throttle;
	hy_ir_graph *graph;
	hy_sched_plan *plan;
	hy_sched_session *session;
} world;

static world open_world_as(const char *devices, hy_sched_strategy strategy)
{
	world w = {.graph = world_model(3, 256)};
	const hy_hal_machine_options machine_options = {.size = sizeof(machine_options),
	                                                .manifest_path = HY_BINARY_DIR "/bench/plugins.d",
	                                                .flags = HY_HAL_NO_PROBE};
	const hy_sched_options options = {
		.size = sizeof(options), .devices = devices, .strategy = strategy, .measure_ns = 1};
	EXPECT_OK(hy_hal_machine_open(&machine_options, &w.machine, &error));
	if (hy_hal_machine_device_count(w.machine) == 0) {
		print_message("skipped: the plugin cpu is not built\n");
		exit(77);
	}
	EXPECT_OK(hy_hal_device_open(w.machine, 0, NULL, 0, &w.opened, &error));
	w.throttle = hy_hal_device_extension(w.opened, HY_EXT_THROTTLE, 1);
	assert_non_null(w.throttle);
	EXPECT_OK(hy_sched_plan_create(w.machine, w.graph, &options, &w.plan, &error));
	EXPECT_OK(hy_sched_session_create(w.plan, &w.session, &error));
	return w;
}

static world open_world(const char *devices)
{
	return open_world_as(devices, HY_SCHED_REPLICAS);
}

static void close_world(world *w)
{
	hy_sched_session_destroy(w->session);
	hy_sched_plan_destroy(w->plan);
	hy_hal_device_close(w->opened);
	hy_ir_graph_destroy(w->graph);
	hy_hal_machine_close(w->machine);
}

typedef struct asked {
	world_request request;
	atomic_int calls;
	uint64_t id;
} asked;

static void count(void *payload, hy_status status, const hy_error *why)
{
	asked *a = payload;
	a->request.status = status;
	if (why != NULL) a->request.error = *why;
	if (a->request.order != NULL) a->request.place = (*a->request.order)++;
	atomic_fetch_add(&a->calls, 1);
}

static hy_status ask(const world *w, asked *a, hy_sched_priority priority, hy_sched_retry retry, uint64_t deadline_ns)
{
	const hy_sched_request request = {.size = sizeof(request),
	                                  .inputs = &a->request.input,
	                                  .outputs = &a->request.output,
	                                  .on_done = count,
	                                  .payload = a,
	                                  .priority = priority,
	                                  .retry = retry,
	                                  .deadline_ns = deadline_ns};
	return hy_sched_session_ask(w->session, &request, &a->id, &error);
}

static asked *make_asked(const world *w, uint32_t count_of)
{
	asked *all = calloc(count_of, sizeof(*all));
	for (uint32_t i = 0; i < count_of; i++)
		world_request_init(&all[i].request, w->graph, i);
	return all;
}

static void free_asked(asked *all, uint32_t count_of)
{
	for (uint32_t i = 0; i < count_of; i++)
		world_request_finish(&all[i].request);
	free(all);
}

/* The plugin cpu sums in another order than the evaluator. */
static void expect_right(asked *a)
{
	assert_int_equal(atomic_load(&a->calls), 1);
	if (a->request.status != HY_OK) fail_msg("request failed: %s", a->request.error.text);
	const float *got = a->request.output.data, *wanted = a->request.wanted.data;
	for (int64_t i = 0; i < hy_ir_type_elements(&a->request.wanted.type); i++)
		assert_true(got[i] - wanted[i] < 1e-3f * (1 + wanted[i]) &&
		            wanted[i] - got[i] < 1e-3f * (1 + wanted[i]));
}

static void wait_for(asked *a)
{
	for (int i = 0; i < 20000 && atomic_load(&a->calls) == 0; i++)
		usleep(1000);
	assert_int_equal(atomic_load(&a->calls), 1);
}

static hy_sched_stats stats_of(const world *w)
{
	hy_sched_stats stats;
	hy_sched_session_stats(w->session, &stats);
	assert_int_equal(stats.accepted, stats.done_ok + stats.done_error + stats.cancelled + stats.deadline +
	                                         stats.waiting + stats.running);
	return stats;
}

static void nothing_written_by_a_hung_device_reaches_the_caller(void **state)
{
	(void)state;
	world w = open_world("throttle:0?cores=0,throttle:1?cores=0&duty=0.5");
	asked *all = make_asked(&w, 8);
	w.throttle->set_hanging(0, 1);
	for (uint32_t i = 0; i < 8; i++)
		EXPECT_OK(ask(&w, &all[i], HY_SCHED_NORMAL, HY_SCHED_RETRY_HUNG, 0));
	for (uint32_t i = 0; i < 8; i++)
		wait_for(&all[i]);
	for (uint32_t i = 0; i < 8; i++) {
		expect_right(&all[i]);
		memset(all[i].request.output.data, 0x77, hy_ir_type_bytes(&all[i].request.output.type));
	}
	assert_true(stats_of(&w).devices[0].overdue > 0);
	w.throttle->set_hanging(0, 0);
	for (int i = 0; i < 20000 && stats_of(&w).devices[0].in_flight > 0; i++)
		usleep(1000);
	for (uint32_t i = 0; i < 8; i++)
		for (uint64_t byte = 0; byte < hy_ir_type_bytes(&all[i].request.output.type); byte++)
			assert_int_equal(((unsigned char *)all[i].request.output.data)[byte], 0x77);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(atomic_load(&all[i].calls), 1);
	assert_int_equal(stats_of(&w).done_ok, 8);
	free_asked(all, 8);
	close_world(&w);
}

static void a_deadline_ends_a_request_whose_device_hangs(void **state)
{
	(void)state;
	world w = open_world("throttle:0?cores=0");
	asked *all = make_asked(&w, 2);
	EXPECT_OK(ask(&w, &all[0], HY_SCHED_NORMAL, HY_SCHED_RETRY_AUTO, 0));
	wait_for(&all[0]);
	w.throttle->set_hanging(0, 1);
	EXPECT_OK(ask(&w, &all[1], HY_SCHED_NORMAL, HY_SCHED_RETRY_AUTO, hy_hal_now_ns() + 50000000));
	wait_for(&all[1]);
	EXPECT_STATUS(HY_TIMEOUT, all[1].request.status);
	assert_string_equal(all[1].request.error.text, "the request did not end before its deadline");
	assert_int_equal(stats_of(&w).deadline, 1);
	w.throttle->set_hanging(0, 0);
	free_asked(all, 2);
	close_world(&w);
}

static void a_deadline_that_cannot_be_met_is_refused(void **state)
{
	(void)state;
	world w = open_world("throttle:0?cores=0");
	asked *a = make_asked(&w, 1);
	EXPECT_STATUS(HY_TIMEOUT, ask(&w, a, HY_SCHED_URGENT, HY_SCHED_RETRY_AUTO, hy_hal_now_ns()));
	assert_non_null(strstr(error.text, "after its deadline: give it more time, or a more urgent class"));
	assert_int_equal(atomic_load(&a->calls), 0);
	const hy_sched_stats stats = stats_of(&w);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(stats.accepted, 0);
	free_asked(a, 1);
	close_world(&w);
}

static void an_urgent_request_overtakes_those_that_wait(void **state)
{
	(void)state;
	int order = 0;
	world w = open_world("throttle:0?cores=0");
	asked *all = make_asked(&w, 5);
	w.throttle->set_hanging(0, 1);
	for (uint32_t i = 0; i < 5; i++) {
		all[i].request.order = &order;
		EXPECT_OK(ask(&w, &all[i], i == 4 ? HY_SCHED_URGENT : HY_SCHED_BACKGROUND, HY_SCHED_RETRY_LOST, 0));
	}
	w.throttle->set_hanging(0, 0);
	EXPECT_OK(hy_sched_session_drain(w.session, &error));
	for (uint32_t i = 0; i < 5; i++)
		expect_right(&all[i]);
	/* Two were with the device already. */
	assert_true(all[4].request.place <= 2);
	for (uint32_t i = 1; i < 4; i++)
		assert_true(all[i].request.place > all[i - 1].request.place);
	free_asked(all, 5);
	close_world(&w);
}

static void a_cancelled_request_ends_once_and_never_runs_late(void **state)
{
	(void)state;
	world w = open_world("throttle:0?cores=0");
	asked *all = make_asked(&w, 4);
	w.throttle->set_hanging(0, 1);
	for (uint32_t i = 0; i < 4; i++)
		EXPECT_OK(ask(&w, &all[i], HY_SCHED_NORMAL, HY_SCHED_RETRY_HUNG, 0));
	assert_true(hy_sched_session_cancel(w.session, all[0].id)); /* with the device */
	assert_true(hy_sched_session_cancel(w.session, all[3].id)); /* waits */
	assert_false(hy_sched_session_cancel(w.session, all[3].id));
	wait_for(&all[0]);
	EXPECT_STATUS(HY_CANCELLED, all[0].request.status);
	w.throttle->set_hanging(0, 0);
	EXPECT_OK(hy_sched_session_drain(w.session, &error));
	EXPECT_STATUS(HY_CANCELLED, all[3].request.status);
	expect_right(&all[1]);
	expect_right(&all[2]);
	assert_false(hy_sched_session_cancel(w.session, all[1].id));
	assert_int_equal(atomic_load(&all[0].calls), 1);
	assert_int_equal(atomic_load(&all[3].calls), 1);
	assert_int_equal(stats_of(&w).cancelled, 2);
	free_asked(all, 4);
	close_world(&w);
}

/* Submits one by one until the device has done something, or for 20 s. */
static bool returns(const world *w, asked *a, uint32_t device)
{
	const uint64_t before = stats_of(w).devices[device].items;
	for (int i = 0; i < 20000; i++) {
		atomic_store(&a->calls, 0);
		const hy_status status = ask(w, a, HY_SCHED_NORMAL, HY_SCHED_RETRY_AUTO, 0);
		if (status == HY_OK) {
			wait_for(a);
			expect_right(a);
		} else {
			EXPECT_STATUS(HY_DEVICE_LOST, status);
		}
		if (stats_of(w).devices[device].items > before) return true;
		usleep(1000);
	}
	return false;
}

static void a_device_that_was_lost_is_opened_again_and_works(void **state)
{
	(void)state;
	world w = open_world("throttle:0?cores=0");
	asked *a = make_asked(&w, 1);
	EXPECT_OK(ask(&w, a, HY_SCHED_NORMAL, HY_SCHED_RETRY_AUTO, 0));
	wait_for(a);
	expect_right(a);
	w.throttle->set_gone(0, 1);
	atomic_store(&a->calls, 0);
	EXPECT_OK(ask(&w, a, HY_SCHED_NORMAL, HY_SCHED_RETRY_AUTO, 0));
	wait_for(a);
	EXPECT_STATUS(HY_DEVICE_LOST, a->request.status);
	assert_true(stats_of(&w).devices[0].lost);
	EXPECT_STATUS(HY_DEVICE_LOST, ask(&w, a, HY_SCHED_NORMAL, HY_SCHED_RETRY_AUTO, 0));
	w.throttle->set_gone(0, 0);
	assert_true(returns(&w, a, 0));
	const hy_sched_stats stats = stats_of(&w);
	assert_false(stats.devices[0].lost);
	assert_int_equal(stats.devices[0].losses, 1);
	free_asked(a, 1);
	close_world(&w);
}

static void a_cut_works_again_when_its_second_device_returns(void **state)
{
	(void)state;
	world w = open_world_as("throttle:0?cores=0,throttle:1?cores=0", HY_SCHED_CUT);
	asked *a = make_asked(&w, 1);
	EXPECT_OK(ask(&w, a, HY_SCHED_NORMAL, HY_SCHED_RETRY_LOST, 0));
	wait_for(a);
	expect_right(a);
	w.throttle->set_gone(1, 1);
	atomic_store(&a->calls, 0);
	EXPECT_OK(ask(&w, a, HY_SCHED_NORMAL, HY_SCHED_RETRY_LOST, 0));
	wait_for(a);
	EXPECT_STATUS(HY_DEVICE_LOST, a->request.status);
	w.throttle->set_gone(1, 0);
	assert_true(returns(&w, a, 1));
	assert_int_equal(stats_of(&w).devices[0].losses, 0);
	free_asked(a, 1);
	close_world(&w);
}

static void a_request_in_place_waits_for_its_device_that_hangs(void **state)
{
	(void)state;
	int order = 0;
	world w = open_world("throttle:0?cores=0");
	asked *all = make_asked(&w, 3);
	w.throttle->set_hanging(0, 1);
	for (uint32_t i = 0; i < 3; i++) {
		all[i].request.order = &order;
		EXPECT_OK(ask(&w, &all[i], HY_SCHED_NORMAL, HY_SCHED_RETRY_LOST, 0));
	}
	for (int i = 0; i < 20000 && strcmp(stats_of(&w).devices[0].state, "quarantined") != 0; i++)
		usleep(1000);
	assert_int_equal(atomic_load(&all[0].calls), 0);
	w.throttle->set_hanging(0, 0);
	EXPECT_OK(hy_sched_session_drain(w.session, &error));
	for (uint32_t i = 0; i < 3; i++) {
		expect_right(&all[i]);
		assert_int_equal(all[i].request.place, (int)i);
	}
	free_asked(all, 3);
	close_world(&w);
}

static void unknown_choices_are_refused(void **state)
{
	(void)state;
	world w = open_world("throttle:0?cores=0");
	asked *a = make_asked(&w, 1);
	EXPECT_STATUS(HY_INVALID, ask(&w, a, (hy_sched_priority)4, HY_SCHED_RETRY_AUTO, 0));
	EXPECT_STATUS(HY_INVALID, ask(&w, a, HY_SCHED_NORMAL, (hy_sched_retry)3, 0));
	EXPECT_STATUS(HY_INVALID, hy_sched_session_ask(w.session, NULL, NULL, &error));
	free_asked(a, 1);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(nothing_written_by_a_hung_device_reaches_the_caller),
		CASE(a_deadline_ends_a_request_whose_device_hangs),
		CASE(a_deadline_that_cannot_be_met_is_refused),
		CASE(an_urgent_request_overtakes_those_that_wait),
		CASE(a_cancelled_request_ends_once_and_never_runs_late),
		CASE(a_device_that_was_lost_is_opened_again_and_works),
		CASE(a_cut_works_again_when_its_second_device_returns),
		CASE(a_request_in_place_waits_for_its_device_that_hangs),
		CASE(unknown_choices_are_refused),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
