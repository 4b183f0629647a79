/* Sessions over simulated devices whose clock runs by itself: right answers, in order, exactly once, also after loss. */
#include "world.h"

#define FAST "- {name: fast, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000}\n"
#define SLOW "- {name: slow, flops: 1e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000}\n"
#define FAR                                                                                                 \
	"- {name: far, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000, link: {bandwidth: 1e9, " \
	"latency_ns: 100}}\n"

typedef struct world {
	hy_hal_machine *machine;
	hy_ir_graph *graph;
	hy_sched_plan *plan;
	hy_sched_session *session;
} world;

static world open_world(const char *yaml, const char *devices, hy_sched_strategy strategy)
{
	world w = {.machine = world_machine(yaml), .graph = world_model(3, 24)};
	const hy_sched_options options = {
		.size = sizeof(options), .devices = devices, .strategy = strategy, .measure_ns = 1};
	EXPECT_OK(hy_sched_plan_create(w.machine, w.graph, &options, &w.plan, &error));
	EXPECT_OK(hy_sched_session_create(w.plan, &w.session, &error));
	return w;
}

static void close_world(world *w)
{
	hy_sched_session_destroy(w->session);
	hy_sched_plan_destroy(w->plan);
	hy_ir_graph_destroy(w->graph);
	hy_hal_machine_close(w->machine);
}

static void one_device_answers_right_and_in_order(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, "sim:0", HY_SCHED_SINGLE);
	world_expect_run(w.session, w.graph, 50);
	close_world(&w);
}

static void run_waits_for_its_own_answer(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, "sim:0", HY_SCHED_AUTO);
	world_request request;
	world_request_init(&request, w.graph, 3);
	EXPECT_OK(hy_sched_session_run(w.session, &request.input, &request.output, &error));
	request.called = 1;
	world_expect_right(&request);
	world_request_finish(&request);
	close_world(&w);
}

static void a_device_behind_a_link_gets_copies(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAR, "sim:0", HY_SCHED_SINGLE);
	world_expect_run(w.session, w.graph, 20);
	close_world(&w);
}

static void memory_that_is_not_aligned_is_staged(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, "sim:0", HY_SCHED_SINGLE);
	world_request request;
	world_request_init(&request, w.graph, 3);
	const size_t bytes = hy_ir_type_bytes(&request.input.type), out = hy_ir_type_bytes(&request.output.type);
	float *memory = aligned_alloc(64, 4096);
	memcpy(memory + 1, request.input.data, bytes);
	const hy_ir_tensor input = {request.input.type, memory + 1}, output = {request.output.type, memory + 513};
	EXPECT_OK(hy_sched_session_run(w.session, &input, &output, &error));
	assert_memory_equal(output.data, request.wanted.data, out);
	free(memory);
	world_request_finish(&request);
	close_world(&w);
}

static void replicas_answer_right_and_in_order(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST SLOW FAR, "sim:*", HY_SCHED_REPLICAS);
	world_expect_run(w.session, w.graph, 200);
	hy_sched_stats stats;
	hy_sched_session_stats(w.session, &stats);
	assert_int_equal(stats.done_ok, 200);
	assert_int_equal(stats.device_count, 3);
	assert_int_equal(stats.devices[0].items + stats.devices[1].items + stats.devices[2].items, 200);
	close_world(&w);
}

static void a_cut_hands_values_from_device_to_device(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST FAR, "sim:*", HY_SCHED_CUT);
	world_expect_run(w.session, w.graph, 60);
	hy_sched_stats stats;
	hy_sched_session_stats(w.session, &stats);
	assert_int_equal(stats.devices[0].items, 60);
	assert_int_equal(stats.devices[1].items, 60);
	assert_int_equal(hy_sched_session_program_count(w.session), 2);
	close_world(&w);
}

/* The second device is four times slower than it says. */
static void a_cut_moves_its_border_when_a_device_is_slower_than_planned(void **state)
{
	(void)state;
	world w = {.machine = world_machine("devices:\n" FAST
	                                    "- {name: tired, flops: 2e9, memory: 64MiB, bandwidth: 1e9, "
	                                    "launch_ns: 1000, faults: {slow: 4}}\n"),
	           .graph = world_model(6, 24)};
	const hy_sched_options options = {
		.size = sizeof(options), .devices = "sim:*", .strategy = HY_SCHED_CUT, .flags = HY_SCHED_NO_MEASURE};
	EXPECT_OK(hy_sched_plan_create(w.machine, w.graph, &options, &w.plan, &error));
	EXPECT_OK(hy_sched_session_create(w.plan, &w.session, &error));
	uint32_t planned = 0, now = 0;
	assert_non_null(hy_sched_session_program(w.session, 1, NULL, &planned));
	hy_sched_stats stats;
	for (int round = 0; round < 3; round++)
		world_expect_run(w.session, w.graph, 50);
	hy_sched_session_stats(w.session, &stats);
	assert_int_equal(stats.replans, 1);
	assert_int_equal(stats.done_ok, 150);
	assert_int_equal(hy_sched_session_program_count(w.session), 2);
	assert_non_null(hy_sched_session_program(w.session, 1, NULL, &now));
	/* 12 nodes of the same size, 4:1, were 6 and 6, and are 10 and 2 or so. */
	assert_int_equal(planned, 6);
	assert_in_range(now, 9, 10);
	close_world(&w);
}

static void refused_nodes_take_a_detour(void **state)
{
	(void)state;
	world w = open_world("devices:\n"
	                     "- {name: picky, flops: 2e9, memory: 64MiB, bandwidth: 1e9, refuse: [Relu]}\n" SLOW,
	                     "sim:*", HY_SCHED_REPLICAS);
	world_expect_run(w.session, w.graph, 60);
	close_world(&w);
}

static void requests_of_a_lost_device_start_again_elsewhere(void **state)
{
	(void)state;
	/* Planning takes a dozen of its tickets, the session the rest. */
	world w = open_world("devices:\n" FAST
	                     "- {name: frail, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000, "
	                     "faults: {lost_after: 50}}\n",
	                     "sim:*", HY_SCHED_REPLICAS);
	hy_sched_stats stats;
	uint32_t rounds = 0;
	do { /* how many of a round's requests the frail device gets is the scheduler's to say */
		world_expect_run(w.session, w.graph, 60);
		hy_sched_session_stats(w.session, &stats);
		rounds++;
	} while (stats.devices[1].losses == 0 && rounds < 100);
	assert_int_equal(stats.done_ok, rounds * 60);
	assert_int_equal(stats.done_error, 0);
	assert_int_equal(stats.devices[1].losses, 1);
	assert_true(stats.devices[1].replayed > 0);
	close_world(&w);
}

static void without_any_device_left_requests_end_with_the_loss(void **state)
{
	(void)state;
	world w = open_world("devices:\n- {name: frail, flops: 2e9, memory: 64MiB, bandwidth: 1e9, "
	                     "faults: {lost_after: 50}}\n",
	                     "sim:0", HY_SCHED_SINGLE);
	world_request request;
	world_request_init(&request, w.graph, 3);
	hy_status status = HY_OK;
	for (int i = 0; i < 200 && status == HY_OK; i++)
		status = hy_sched_session_run(w.session, &request.input, &request.output, &error);
	EXPECT_STATUS(HY_DEVICE_LOST, status);
	EXPECT_STATUS(HY_DEVICE_LOST, hy_sched_session_submit(w.session, &request.input, &request.output, world_done,
	                                                      &request, &error));
	assert_int_equal(request.called, 0);
	world_request_finish(&request);
	close_world(&w);
}

static void tensors_of_another_type_are_refused(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, "sim:0", HY_SCHED_SINGLE);
	world_request request;
	world_request_init(&request, w.graph, 3);
	hy_ir_tensor wrong = request.input;
	wrong.type.dim[1] = 17;
	EXPECT_STATUS(HY_INVALID, hy_sched_session_run(w.session, &wrong, &request.output, &error));
	assert_string_equal(error.text, "input 'x' is f32[1,17], the model's is f32[1,16]");
	world_request_finish(&request);
	close_world(&w);
}

static void a_plan_has_one_session_at_a_time(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, "sim:0", HY_SCHED_SINGLE);
	hy_sched_session *second;
	EXPECT_STATUS(HY_BUSY, hy_sched_session_create(w.plan, &second, &error));
	hy_sched_session_destroy(w.session);
	EXPECT_OK(hy_sched_session_create(w.plan, &w.session, &error));
	world_expect_run(w.session, w.graph, 5);
	close_world(&w);
}

static hy_status from_within;

static void run_within(void *payload, hy_status status, const hy_error *why)
{
	const world *w = payload;
	(void)status;
	(void)why;
	from_within = hy_sched_session_drain(w->session, NULL);
}

static void waiting_from_within_on_done_is_refused(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, "sim:0", HY_SCHED_SINGLE);
	world_request request;
	world_request_init(&request, w.graph, 3);
	EXPECT_OK(hy_sched_session_submit(w.session, &request.input, &request.output, run_within, &w, &error));
	EXPECT_OK(hy_sched_session_drain(w.session, &error));
	EXPECT_STATUS(HY_BUSY, from_within);
	world_request_finish(&request);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(one_device_answers_right_and_in_order),
		CASE(run_waits_for_its_own_answer),
		CASE(a_device_behind_a_link_gets_copies),
		CASE(memory_that_is_not_aligned_is_staged),
		CASE(replicas_answer_right_and_in_order),
		CASE(a_cut_hands_values_from_device_to_device),
		CASE(a_cut_moves_its_border_when_a_device_is_slower_than_planned),
		CASE(refused_nodes_take_a_detour),
		CASE(requests_of_a_lost_device_start_again_elsewhere),
		CASE(without_any_device_left_requests_end_with_the_loss),
		CASE(tensors_of_another_type_are_refused),
		CASE(a_plan_has_one_session_at_a_time),
		CASE(waiting_from_within_on_done_is_refused),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
