/* One request in strips over simulated devices: the same bits as whole, whatever the devices. */
#include "world.h"

#define FAST(name) "- {name: " name ", flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000}\n"
#define SLOW "- {name: slow, flops: 1e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000}\n"
#define FAR(name)        \
	"- {name: " name \
	", flops: 2e9, memory: 64MiB, bandwidth: 10e9, launch_ns: 1000, link: {bandwidth: 10e9, latency_ns: 100}}\n"
#define DEAR                                                                                                  \
	"- {name: dear, flops: 2e9, memory: 64MiB, bandwidth: 10e9, launch_ns: 1000, link: {bandwidth: 1e6, " \
	"latency_ns: 1000000}}\n"
#define PLAIN "- {name: plain, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000, regions: no}\n"
#define NARROW "- {name: narrow, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000, refuse: [Conv]}\n"

typedef struct world {
	hy_hal_machine *machine;
	hy_ir_graph *graph;
	hy_sched_plan *plan;
	hy_sched_session *session;
} world;

/* ---- a small residual network with an end that is not local ---- */

/* Any number of spatial axes: rank 3 is a sound, 4 an image, 5 a clip. */
static uint32_t conv_of(hy_ir_graph *graph, uint32_t x, uint32_t rank, int64_t from, int64_t to)
{
	hy_ir_type type = {HY_DTYPE_F32, rank, {to, from, 3, 3, 3}};
	const int64_t pads[] = {1, 1, 1, 1, 1, 1};
	const hy_ir_attr attr = hy_ir_attr_ints("pads", 2 * (rank - 2), pads);
	for (uint32_t d = rank; d < HY_MAX_RANK; d++)
		type.dim[d] = 0;
	float data[4 * 4 * 27];
	for (int64_t i = 0; i < hy_ir_type_elements(&type); i++)
		data[i] = (float)((i * 37 + from) % 5 - 2);
	uint32_t inputs[] = {x, 0}, y;
	EXPECT_OK(hy_ir_build_constant(graph, "w", &type, data, &inputs[1], &error));
	EXPECT_OK(hy_ir_build_op(graph, "Conv", "conv", 2, inputs, 1, &attr, &y, &error));
	return y;
}

static uint32_t conv(hy_ir_graph *graph, uint32_t x, int64_t from, int64_t to, int64_t kernel, int64_t stride)
{
	const int64_t p = kernel / 2, pads[] = {p, p, p, p}, strides[] = {stride, stride};
	const hy_ir_type type = {HY_DTYPE_F32, 4, {to, from, kernel, kernel}};
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("pads", 4, pads), hy_ir_attr_ints("strides", 2, strides)};
	float *data = malloc(hy_ir_type_bytes(&type));
	for (int64_t i = 0; i < hy_ir_type_elements(&type); i++)
		data[i] = (float)((i * 37 + from) % 5 - 2);
	uint32_t inputs[] = {x, 0}, y;
	EXPECT_OK(hy_ir_build_constant(graph, "w", &type, data, &inputs[1], &error));
	EXPECT_OK(hy_ir_build_op(graph, "Conv", "conv", 2, inputs, 2, attrs, &y, &error));
	free(data);
	return y;
}

static uint32_t op(hy_ir_graph *graph, const char *type, uint32_t count, const uint32_t *inputs)
{
	uint32_t y;
	EXPECT_OK(hy_ir_build_op(graph, type, type, count, inputs, 0, NULL, &y, &error));
	return y;
}

static hy_ir_graph *network(bool classifies)
{
	hy_ir_graph *graph;
	const hy_ir_type type = {HY_DTYPE_F32, 4, {1, 3, 37, 20}};
	uint32_t x;
	EXPECT_OK(hy_ir_graph_create("strips", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "image", &type, NULL, &x, &error));
	x = op(graph, "Relu", 1, (uint32_t[]){conv(graph, x, 3, 8, 5, 2)});
	for (int i = 0; i < 2; i++) {
		const uint32_t y = op(graph, "Relu", 1, (uint32_t[]){conv(graph, x, 8, 8, 3, 1)});
		x = op(graph, "Relu", 1,
		       (uint32_t[]){op(graph, "Add", 2, (uint32_t[]){conv(graph, y, 8, 8, 3, 1), x})});
	}
	if (classifies) x = op(graph, "Flatten", 1, (uint32_t[]){op(graph, "GlobalMaxPool", 1, &x)});
	EXPECT_OK(hy_ir_build_output(graph, x, &error));
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	return graph;
}

static world open_world(const char *yaml, bool classifies, const hy_sched_options *options)
{
	world w = {.machine = world_machine(yaml), .graph = network(classifies)};
	EXPECT_OK(hy_sched_plan_create(w.machine, w.graph, options, &w.plan, &error));
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

static const hy_sched_options in_strips = {
	.size = sizeof(in_strips), .devices = "sim:*", .strategy = HY_SCHED_SPATIAL, .measure_ns = 1};

static void expect_strips(const char *yaml, bool classifies, uint32_t devices)
{
	world w = open_world(yaml, classifies, &in_strips);
	const hy_sched_plan_info *info = hy_sched_plan_describe(w.plan);
	assert_int_equal(info->strategy, HY_SCHED_SPATIAL);
	assert_int_equal(info->device_count, devices);
	world_expect_run(w.session, w.graph, 20);
	hy_sched_stats stats;
	hy_sched_session_stats(w.session, &stats);
	assert_int_equal(stats.done_ok, 20);
	assert_int_equal(stats.device_count, devices);
	for (uint32_t d = 0; d < devices; d++)
		assert_true(stats.devices[d].items >= 20 && stats.devices[d].busy_ns > 0);
	close_world(&w);
}

static void two_devices_answer_as_one(void **state)
{
	(void)state;
	expect_strips("devices:\n" FAST("a") SLOW, true, 2);
}

static void outputs_with_rows_are_put_together(void **state)
{
	(void)state;
	expect_strips("devices:\n" FAST("a") SLOW FAST("b"), false, 3);
}

static void devices_behind_links_send_halos(void **state)
{
	(void)state;
	expect_strips("devices:\n" FAR("a") FAST("b") FAR("c"), true, 3);
}

/* The first spatial axis is time in a clip and in a sound: chunks of time with what overlaps. */
static void expect_chunks(uint32_t rank)
{
	hy_ir_graph *graph;
	hy_ir_type type = {HY_DTYPE_F32, rank, {1, 2, 17, 5, 4}};
	for (uint32_t d = rank; d < HY_MAX_RANK; d++)
		type.dim[d] = 0;
	uint32_t x;
	EXPECT_OK(hy_ir_graph_create("clip", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &x, &error));
	x = conv_of(graph, x, rank, 2, 4);
	for (int i = 0; i < 3; i++) {
		EXPECT_OK(hy_ir_build_op(graph, "Relu", "relu", 1, &x, 0, NULL, &x, &error));
		x = conv_of(graph, x, rank, 4, 4);
	}
	EXPECT_OK(hy_ir_build_output(graph, x, &error));
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	world w = {.machine = world_machine("devices:\n" FAST("a") FAST("b") FAST("c")), .graph = graph};
	EXPECT_OK(hy_sched_plan_create(w.machine, w.graph, &in_strips, &w.plan, &error));
	EXPECT_OK(hy_sched_session_create(w.plan, &w.session, &error));
	assert_int_equal(hy_sched_plan_describe(w.plan)->strategy, HY_SCHED_SPATIAL);
	world_expect_run(w.session, w.graph, 3);
	close_world(&w);
}

static void clips_and_sounds_are_cut_along_time(void **state)
{
	(void)state;
	expect_chunks(3);
	expect_chunks(5);
}

static void regions_that_a_device_refuses_come_apart(void **state)
{
	(void)state;
	expect_strips("devices:\n" FAST("a") PLAIN, true, 2);
}

static void strips_of_a_row_or_two_are_right_too(void **state)
{
	(void)state;
	expect_strips("devices:\n" FAST("a") FAST("b") FAST("c") FAST("d") FAST("e") FAST("f") FAST("g") FAST("h")
	                      FAST("i") FAST("j") FAST("k") FAST("l"),
	              false, 12);
}

static void strips_that_were_never_measured_run_too(void **state)
{
	(void)state;
	hy_sched_options options = in_strips;
	options.flags = HY_SCHED_NO_MEASURE;
	world w = open_world("devices:\n" FAST("a") FAR("b"), true, &options);
	assert_false(hy_sched_plan_describe(w.plan)->devices[0].measured);
	world_expect_run(w.session, w.graph, 3);
	close_world(&w);
}

static void a_plan_serves_one_session_after_the_other(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST("a") SLOW, true, &in_strips);
	world_expect_run(w.session, w.graph, 2);
	hy_sched_session_destroy(w.session);
	EXPECT_OK(hy_sched_session_create(w.plan, &w.session, &error));
	world_expect_run(w.session, w.graph, 2);
	close_world(&w);
}

static void a_plan_says_its_strips(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST("a") SLOW, true, &in_strips);
	char *text;
	EXPECT_OK(hy_sched_plan_print(w.plan, false, &text, &error));
	assert_non_null(strstr(text, "plan: spatial on 2 devices"));
	assert_non_null(strstr(text, "% of the rows sim:0"));
	free(text);
	EXPECT_OK(hy_sched_plan_print(w.plan, true, &text, &error));
	assert_non_null(strstr(text, "\"halo_bytes\""));
	free(text);
	EXPECT_OK(hy_sched_plan_explain(w.plan, 0, &text, &error));
	assert_non_null(strstr(text, "in strips on sim:0 + sim:1"));
	free(text);
	close_world(&w);
}

static void strips_win_where_they_are_predicted_faster(void **state)
{
	(void)state;
	const hy_sched_options options = {
		.size = sizeof(options), .devices = "sim:*", .objective = HY_SCHED_LATENCY, .measure_ns = 1};
	world w = open_world("devices:\n- {name: a, flops: 1e8, memory: 64MiB, bandwidth: 100e9, launch_ns: 1000}\n"
	                     "- {name: b, flops: 1e8, memory: 64MiB, bandwidth: 100e9, launch_ns: 1000}\n",
	                     true, &options);
	const hy_sched_plan_info *info = hy_sched_plan_describe(w.plan);
	assert_int_equal(info->strategy, HY_SCHED_SPATIAL);
	assert_true(info->item_ns >= info->bound_ns);
	world_expect_run(w.session, w.graph, 4);
	close_world(&w);
}

static void strips_win_only_where_they_are_faster(void **state)
{
	(void)state;
	const hy_sched_options options = {
		.size = sizeof(options), .devices = "sim:*", .objective = HY_SCHED_LATENCY, .measure_ns = 1};
	world w = open_world("devices:\n" FAST("a") DEAR, true, &options);
	const hy_sched_plan_info *info = hy_sched_plan_describe(w.plan);
	assert_int_equal(info->strategy, HY_SCHED_SINGLE);
	bool said = false;
	for (uint32_t i = 0; i < info->note_count; i++)
		said |= strncmp(info->notes[i].text, "no strips: ", 11) == 0;
	assert_true(said);
	close_world(&w);
}

static void a_device_that_refuses_convolutions_takes_no_strip(void **state)
{
	(void)state;
	world w = {.machine = world_machine("devices:\n" FAST("a") NARROW), .graph = network(true)};
	EXPECT_STATUS(HY_INVALID, hy_sched_plan_create(w.machine, w.graph, &in_strips, &w.plan, &error));
	assert_non_null(strstr(error.text, "no strips"));
	hy_ir_graph_destroy(w.graph);
	hy_hal_machine_close(w.machine);
}

/* lost_after: submissions, of which measuring the device takes ten or so. */
static void a_lost_device_ends_what_was_accepted_and_refuses_the_rest(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST("a") "- {name: dies, flops: 2e9, memory: 64MiB, bandwidth: 1e9, "
	                                            "launch_ns: 1000, faults: {lost_after: 18}}\n",
	                     true, &in_strips);
	uint32_t right = 0, lost = 0;
	for (uint32_t i = 0; i < 20; i++) {
		world_request request;
		world_request_init(&request, w.graph, i);
		const hy_status status = hy_sched_session_run(w.session, &request.input, &request.output, &error);
		if (status == HY_OK) {
			assert_memory_equal(request.output.data, request.wanted.data,
			                    hy_ir_type_bytes(&request.wanted.type));
			right++;
		} else {
			EXPECT_STATUS(HY_DEVICE_LOST, status);
			lost++;
		}
		world_request_finish(&request);
	}
	assert_true(right > 0 && lost > 0);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(two_devices_answer_as_one),
		CASE(outputs_with_rows_are_put_together),
		CASE(devices_behind_links_send_halos),
		CASE(clips_and_sounds_are_cut_along_time),
		CASE(regions_that_a_device_refuses_come_apart),
		CASE(strips_of_a_row_or_two_are_right_too),
		CASE(strips_that_were_never_measured_run_too),
		CASE(a_plan_serves_one_session_after_the_other),
		CASE(a_plan_says_its_strips),
		CASE(strips_win_where_they_are_predicted_faster),
		CASE(strips_win_only_where_they_are_faster),
		CASE(a_device_that_refuses_convolutions_takes_no_strip),
		CASE(a_lost_device_ends_what_was_accepted_and_refuses_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
