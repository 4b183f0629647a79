/* Plans over many devices: pipelines, groups of them, objectives and weights; and requests through them. */
#include "world.h"

#include "plan.h"

#define SMALL(name) "- {name: " name ", flops: 1e9, memory: 24000, bandwidth: 1e9}\n"
#define HALF(name) "- {name: " name ", flops: 1e9, memory: 26000, bandwidth: 1e9}\n"

typedef struct world {
	hy_hal_machine *machine;
	hy_ir_graph *graph;
	hy_sched_plan *plan;
	const hy_sched_plan_info *info;
	const hy_sched__candidate *chosen;
} world;

static void open_plan(world *w, const char *yaml, hy_ir_graph *graph, const hy_sched_options *options)
{
	hy_sched_options own = *options;
	own.size = sizeof(own);
	own.measure_ns = 100000;
	own.devices = "sim:*";
	w->machine = world_machine(yaml);
	w->graph = graph;
	EXPECT_OK(hy_sched_plan_create(w->machine, graph, &own, &w->plan, &error));
	w->info = hy_sched_plan_describe(w->plan);
	w->chosen = &w->plan->candidates[w->plan->chosen];
}

static void close_plan(world *w)
{
	hy_sched_plan_destroy(w->plan);
	hy_ir_graph_destroy(w->graph);
	hy_hal_machine_close(w->machine);
}

/* Twenty requests, each with the evaluator's answer. */
static void run_requests(world *w)
{
	hy_sched_session *session;
	world_request requests[20];
	EXPECT_OK(hy_sched_session_create(w->plan, &session, &error));
	for (uint32_t i = 0; i < 20; i++) {
		world_request_init(&requests[i], w->graph, i);
		EXPECT_OK(hy_sched_session_submit(session, &requests[i].input, &requests[i].output, world_done,
		                                  &requests[i], &error));
	}
	EXPECT_OK(hy_sched_session_drain(session, &error));
	for (uint32_t i = 0; i < 20; i++) {
		world_expect_right(&requests[i]);
		world_request_finish(&requests[i]);
	}
	hy_sched_session_destroy(session);
}

static void three_devices_hold_in_a_pipeline_what_two_cannot(void **state)
{
	(void)state;
	/* 16x64 and three 64x64 weights: 53248 bytes, at most one of the large ones on a device. */
	world w;
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	open_plan(&w, "devices:\n" SMALL("a") SMALL("b") SMALL("c"), world_model(4, 64), &options);
	assert_int_equal(w.info->strategy, HY_SCHED_PIPELINE);
	assert_int_equal(w.info->device_count, 3);
	assert_int_equal(w.chosen->lane_count, 1);
	assert_int_equal(w.chosen->lanes[0].segment_count, 3);
	for (uint32_t d = 0; d < 3; d++)
		assert_true(w.info->devices[d].constant_bytes + w.info->devices[d].activation_bytes <= 24000);
	run_requests(&w);
	close_plan(&w);
}

static void four_devices_of_half_the_memory_are_two_pipelines(void **state)
{
	(void)state;
	world w;
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	open_plan(&w, "devices:\n" HALF("a") HALF("b") HALF("c") HALF("d"), world_model(3, 64), &options);
	assert_int_equal(w.info->strategy, HY_SCHED_GROUPS);
	assert_int_equal(w.chosen->lane_count, 2);
	assert_int_equal(w.chosen->lanes[0].segment_count, 2);
	assert_int_equal(w.chosen->lanes[1].segment_count, 2);
	double shares = 0;
	for (uint32_t d = 0; d < w.info->device_count; d++)
		shares += w.info->devices[d].share;
	assert_int_equal(w.info->device_count, 4);
	assert_true(shares > 0.999 && shares < 1.001);
	run_requests(&w);
	close_plan(&w);
}

static void a_pipeline_that_is_asked_for_is_made_where_replicas_are_better(void **state)
{
	(void)state;
	world w;
	const hy_sched_options options = {.strategy = HY_SCHED_PIPELINE};
	open_plan(&w,
	          "devices:\n- {name: a, flops: 1e9, memory: 1MiB, bandwidth: 1e9}\n"
	          "- {name: b, flops: 1e9, memory: 1MiB, bandwidth: 1e9}\n"
	          "- {name: c, flops: 1e9, memory: 1MiB, bandwidth: 1e9}\n",
	          world_model(6, 64), &options);
	assert_int_equal(w.info->strategy, HY_SCHED_PIPELINE);
	assert_int_equal(w.chosen->lanes[0].segment_count, 3);
	run_requests(&w);
	close_plan(&w);
}

#define NEAR(name) "- {name: " name ", flops: 1e9, memory: 64MiB, bandwidth: 1e9}\n"
#define FAR(name) "- {name: " name ", flops: 1.5e9, memory: 64MiB, bandwidth: 1.5e9, link: {bandwidth: 1e8}}\n"

static void a_weight_on_transfers_keeps_work_where_no_copies_are(void **state)
{
	(void)state;
	world w;
	const hy_sched_options plain = {.objective = HY_SCHED_LATENCY, .strategy = HY_SCHED_SINGLE};
	open_plan(&w, "devices:\n" NEAR("a") FAR("b"), world_model(4, 64), &plain);
	assert_string_equal(w.info->devices[0].id, "sim:1");
	close_plan(&w);
	const hy_sched_options weighed = {
		.objective = HY_SCHED_LATENCY, .strategy = HY_SCHED_SINGLE, .transfer_weight = 100};
	open_plan(&w, "devices:\n" NEAR("a") FAR("b"), world_model(4, 64), &weighed);
	assert_string_equal(w.info->devices[0].id, "sim:0");
	close_plan(&w);
}

static void a_weight_does_not_change_what_is_predicted(void **state)
{
	(void)state;
	world w;
	const hy_sched_options plain = {.strategy = HY_SCHED_SINGLE, .flags = HY_SCHED_NO_MEASURE};
	open_plan(&w, "devices:\n" NEAR("a"), world_model(4, 64), &plain);
	const uint64_t item_ns = w.info->item_ns;
	close_plan(&w);
	const hy_sched_options weighed = {
		.strategy = HY_SCHED_SINGLE, .flags = HY_SCHED_NO_MEASURE, .execution_weight = 7};
	open_plan(&w, "devices:\n" NEAR("a"), world_model(4, 64), &weighed);
	assert_int_equal(w.info->item_ns, item_ns);
	close_plan(&w);
}

static void a_nearly_full_device_costs_what_it_must_bring_back(void **state)
{
	(void)state;
	/* The faster of two distant devices is full to the brim: above nine tenths costs 10 ns a byte. */
	world w;
	const char *yaml = "devices:\n"
			   "- {name: roomy, flops: 1e9, memory: 64MiB, bandwidth: 1e9, link: {bandwidth: 1e8}}\n"
			   "- {name: tight, flops: 1.1e9, memory: 55000, bandwidth: 1.1e9, link: {bandwidth: 1e8}}\n";
	const hy_sched_options light = {
		.objective = HY_SCHED_LATENCY, .strategy = HY_SCHED_AUTO, .memory_weight = 1e-6};
	const hy_sched_options heavy = {.objective = HY_SCHED_LATENCY, .strategy = HY_SCHED_AUTO};
	open_plan(&w, yaml, world_model(4, 64), &light);
	assert_string_equal(w.info->devices[0].id, "sim:1");
	close_plan(&w);
	open_plan(&w, yaml, world_model(4, 64), &heavy);
	assert_string_equal(w.info->devices[0].id, "sim:0");
	close_plan(&w);
}

static void a_deadline_leaves_slow_devices_out(void **state)
{
	(void)state;
	world w;
	const char *yaml = "devices:\n- {name: fast, flops: 4e9, memory: 64MiB, bandwidth: 4e9}\n"
			   "- {name: slow, flops: 1e8, memory: 64MiB, bandwidth: 1e8}\n";
	const hy_sched_options any = {.strategy = HY_SCHED_AUTO};
	open_plan(&w, yaml, world_model(4, 64), &any);
	assert_int_equal(w.info->device_count, 2);
	const uint64_t fast_ns = w.info->devices[0].item_ns;
	close_plan(&w);
	const hy_sched_options soon = {
		.objective = HY_SCHED_DEADLINE, .strategy = HY_SCHED_REPLICAS, .deadline_ns = 2 * fast_ns};
	open_plan(&w, yaml, world_model(4, 64), &soon);
	assert_int_equal(w.info->objective, HY_SCHED_DEADLINE);
	assert_int_equal(w.info->device_count, 1);
	assert_string_equal(w.info->devices[0].id, "sim:0");
	close_plan(&w);
	const hy_sched_options never = {.objective = HY_SCHED_DEADLINE, .deadline_ns = 1};
	open_plan(&w, yaml, world_model(4, 64), &never);
	assert_int_equal(w.info->objective, HY_SCHED_LATENCY);
	bool told = false;
	for (uint32_t i = 0; i < w.info->note_count; i++)
		told |= strstr(w.info->notes[i].text, "no way through these devices gives one answer within") != NULL;
	assert_true(told);
	close_plan(&w);
}

static void a_deadline_without_a_time_is_refused(void **state)
{
	(void)state;
	hy_hal_machine *machine = world_machine("devices:\n" NEAR("a"));
	hy_ir_graph *graph = world_model(2, 16);
	hy_sched_plan *plan;
	const hy_sched_options options = {.size = sizeof(options), .objective = HY_SCHED_DEADLINE};
	EXPECT_STATUS(HY_INVALID, hy_sched_plan_create(machine, graph, &options, &plan, &error));
	const hy_sched_options weight = {.size = sizeof(weight), .memory_weight = -1};
	EXPECT_STATUS(HY_INVALID, hy_sched_plan_create(machine, graph, &weight, &plan, &error));
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
}

/* x -> eight MatMuls side by side -> Sum-like chain of Adds. */
static hy_ir_graph *eight_branches(void)
{
	hy_ir_graph *graph;
	const hy_ir_type type = {HY_DTYPE_F32, 2, {64, 64}};
	uint32_t x, branch[8], last;
	EXPECT_OK(hy_ir_graph_create("branches", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &x, &error));
	for (int i = 0; i < 8; i++) {
		const uint32_t values[] = {x, x};
		EXPECT_OK(hy_ir_build_op(graph, "MatMul", "product", 2, values, 0, NULL, &branch[i], &error));
	}
	last = branch[0];
	for (int i = 1; i < 8; i++) {
		const uint32_t values[] = {last, branch[i]};
		EXPECT_OK(hy_ir_build_op(graph, "Add", "sum", 2, values, 0, NULL, &last, &error));
	}
	EXPECT_OK(hy_ir_build_output(graph, last, &error));
	EXPECT_OK(hy_ir_prepare(graph, HY_IR_PREPARE_NO_FUSE, &error));
	return graph;
}

static void branches_that_could_run_side_by_side_are_told(void **state)
{
	(void)state;
	world w;
	const hy_sched_options options = {.objective = HY_SCHED_LATENCY};
	open_plan(&w, "devices:\n" NEAR("a") NEAR("b") NEAR("c"), eight_branches(), &options);
	bool told = false;
	for (uint32_t i = 0; i < w.info->note_count; i++)
		told |= strstr(w.info->notes[i].text, "branches side by side would give one answer in") != NULL;
	assert_true(told);
	close_plan(&w);
	open_plan(&w, "devices:\n" NEAR("a") NEAR("b") NEAR("c"), world_model(4, 64), &options);
	for (uint32_t i = 0; i < w.info->note_count; i++)
		assert_null(strstr(w.info->notes[i].text, "branches side by side"));
	close_plan(&w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(three_devices_hold_in_a_pipeline_what_two_cannot),
		CASE(four_devices_of_half_the_memory_are_two_pipelines),
		CASE(a_pipeline_that_is_asked_for_is_made_where_replicas_are_better),
		CASE(a_weight_on_transfers_keeps_work_where_no_copies_are),
		CASE(a_weight_does_not_change_what_is_predicted),
		CASE(a_nearly_full_device_costs_what_it_must_bring_back),
		CASE(a_deadline_leaves_slow_devices_out),
		CASE(a_deadline_without_a_time_is_refused),
		CASE(branches_that_could_run_side_by_side_are_told),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
