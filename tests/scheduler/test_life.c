/* The README's example. */
#include "world.h"

static void a_request_lives_from_plan_to_answer(void **state)
{
	(void)state;
	hy_hal_machine *machine = world_machine("devices:\n"
	                                        "- {name: fast, flops: 2e9, memory: 64MiB, bandwidth: 1e9}\n"
	                                        "- {name: slow, flops: 1e9, memory: 64MiB, bandwidth: 1e9}\n");
	hy_ir_graph *graph = world_model(2, 16);
	world_request request;
	world_request_init(&request, graph, 5);
	const hy_ir_tensor input = request.input, output = request.output;
	/* README: the life of a request, begin */
	hy_sched_plan *plan;
	hy_sched_session *session;
	char *why;
	hy_sched_stats stats;
	const hy_sched_options options = {.size = sizeof(options), .devices = "sim:*", .measure_ns = 1000000};
	EXPECT_OK(hy_sched_plan_create(machine, graph, &options, &plan, &error));
	EXPECT_OK(hy_sched_plan_print(plan, false, &why, &error));
	assert_non_null(strstr(why, "plan: replicas on 2 devices, for throughput"));
	EXPECT_OK(hy_sched_session_create(plan, &session, &error));
	EXPECT_OK(hy_sched_session_submit(session, &input, &output, world_done, &request, &error));
	EXPECT_OK(hy_sched_session_drain(session, &error)); /* world_done was called, on a worker */
	EXPECT_OK(hy_sched_session_run(session, &input, &output, &error)); /* the same, waiting */
	hy_sched_session_stats(session, &stats);
	assert_int_equal(stats.done_ok, 2);
	hy_sched_session_destroy(session);
	hy_sched_plan_destroy(plan);
	free(why);
	/* README: the life of a request, end */
	world_expect_right(&request);
	world_request_finish(&request);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {CASE(a_request_lives_from_plan_to_answer)};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
