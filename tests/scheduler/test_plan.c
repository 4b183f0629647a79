/* Plans on described devices: what is chosen, what is refused, and what is said about it. */
#include "world.h"

#include "plan.h"
#include "plan_check.h"

#include <jansson.h>

#define FAST "- {name: fast, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000}\n"
#define SLOW "- {name: slow, flops: 1e9, memory: 64MiB, bandwidth: 0.5e9, launch_ns: 2000}\n"

typedef struct world {
	hy_hal_machine *machine;
	hy_ir_graph *graph;
	hy_sched_plan *plan;
	const hy_sched_plan_info *info;
} world;

static world open_world(const char *yaml, hy_ir_graph *graph)
{
	const world w = {.machine = world_machine(yaml), .graph = graph};
	return w;
}

static hy_status make_plan(world *w, const hy_sched_options *options)
{
	hy_sched_options own = *options;
	own.size = sizeof(own);
	own.measure_ns = 100000;
	if (own.devices == NULL) own.devices = "sim:*";
	const hy_status status = hy_sched_plan_create(w->machine, w->graph, &own, &w->plan, &error);
	w->info = status == HY_OK ? hy_sched_plan_describe(w->plan) : NULL;
	return status;
}

static void drop_plan(world *w)
{
	hy_sched_plan_destroy(w->plan);
	w->plan = NULL;
}

static void close_world(world *w)
{
	hy_sched_plan_destroy(w->plan);
	hy_ir_graph_destroy(w->graph);
	hy_hal_machine_close(w->machine);
}

/* x f32[64,64] -> four times MatMul with itself -> eight times Relu of a concatenation: first arithmetic, then bytes. */
static hy_ir_graph *two_natures(void)
{
	hy_ir_graph *graph;
	const hy_ir_type type = {HY_DTYPE_F32, 2, {64, 64}};
	uint32_t last, values[16];
	EXPECT_OK(hy_ir_graph_create("two natures", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &last, &error));
	for (int i = 0; i < 4; i++) {
		values[0] = values[1] = last;
		EXPECT_OK(hy_ir_build_op(graph, "MatMul", "product", 2, values, 0, NULL, &last, &error));
	}
	for (int i = 0; i < 16; i++)
		values[i] = last;
	const hy_ir_attr axis = hy_ir_attr_int("axis", 0);
	EXPECT_OK(hy_ir_build_op(graph, "Concat", "wide", 16, values, 1, &axis, &last, &error));
	for (int i = 0; i < 8; i++)
		EXPECT_OK(hy_ir_build_op(graph, i % 2 == 0 ? "Relu" : "Sigmoid", "touch", 1, &last, 0, NULL, &last,
		                         &error));
	EXPECT_OK(hy_ir_build_output(graph, last, &error));
	EXPECT_OK(hy_ir_prepare(graph, HY_IR_PREPARE_NO_FUSE, &error));
	return graph;
}

static bool has_note(const world *w, const char *device, hy_reason reason, const char *part)
{
	for (uint32_t i = 0; i < w->info->note_count; i++) {
		const hy_sched_plan_note *note = &w->info->notes[i];
		if (note->device != NULL && strcmp(note->device, device) == 0 && note->reason == reason &&
		    strstr(note->text, part) != NULL)
			return true;
	}
	return false;
}

/* ---- what is chosen ---- */

static void the_plan_is_never_worse_than_the_best_single_device(void **state)
{
	(void)state;
	static const char *const machines[] = {
		"devices:\n" FAST SLOW,
		"devices:\n" FAST "- {name: far, flops: 9e9, memory: 64MiB, bandwidth: 9e9, link: {bandwidth: 1e6, "
		"latency_ns: 100000}}\n",
		"devices:\n"
		"- {name: sums, flops: 1e12, memory: 64MiB, bandwidth: 1e9}\n"
		"- {name: bytes, flops: 1e9, memory: 64MiB, bandwidth: 1e12}\n",
	};
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		for (int objective = HY_SCHED_THROUGHPUT; objective <= HY_SCHED_LATENCY; objective++) {
			world w = open_world(machines[i], two_natures());
			hy_sched_options options = {.objective = (hy_sched_objective)objective,
			                            .strategy = HY_SCHED_SINGLE};
			EXPECT_OK(make_plan(&w, &options));
			const uint64_t single_ns = w.info->item_ns;
			drop_plan(&w);
			options.strategy = HY_SCHED_AUTO;
			EXPECT_OK(make_plan(&w, &options));
			assert_true(w.info->item_ns <= single_ns);
			assert_true(w.info->bound_ns <= w.info->item_ns);
			close_world(&w);
		}
}

static void throughput_over_two_devices_is_the_sum_of_their_rates(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST SLOW, world_model(4, 64));
	const hy_sched_options options = {.objective = HY_SCHED_THROUGHPUT};
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(w.info->strategy, HY_SCHED_REPLICAS);
	const double fast = (double)w.info->devices[0].item_ns, slow = (double)w.info->devices[1].item_ns;
	assert_true(slow > 1.9 * fast && slow < 2.1 * fast);
	assert_in_range(w.info->item_ns, (uint64_t)(1 / (1 / fast + 1 / slow)) - 1,
	                (uint64_t)(1 / (1 / fast + 1 / slow)) + 1);
	assert_true(w.info->devices[0].share > 0.65 && w.info->devices[0].share < 0.68);
	assert_true((double)w.info->item_ns < 1.01 * (double)w.info->bound_ns);
	close_world(&w);
}

static void latency_takes_the_fastest_device_alone(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST SLOW, world_model(4, 64));
	const hy_sched_options options = {.objective = HY_SCHED_LATENCY};
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(w.info->strategy, HY_SCHED_SINGLE);
	assert_int_equal(w.info->device_count, 1);
	assert_string_equal(w.info->devices[0].id, "sim:0");
	assert_true(has_note(&w, "sim:1", HY_REASON_NONE, "no faster with it"));
	close_world(&w);
}

static void specialists_are_cut_where_their_natures_change(void **state)
{
	(void)state;
	world w = open_world("devices:\n"
	                     "- {name: sums, flops: 1e12, memory: 64MiB, bandwidth: 1e9}\n"
	                     "- {name: bytes, flops: 1e9, memory: 64MiB, bandwidth: 1e12}\n",
	                     two_natures());
	const hy_sched_options options = {.objective = HY_SCHED_LATENCY};
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(w.info->strategy, HY_SCHED_CUT);
	const hy_sched__lane *lane = &w.plan->candidates[w.plan->chosen].lanes[0];
	assert_int_equal(lane->segment_count, 2);
	assert_int_equal(lane->segments[0].count, 4);
	assert_int_equal(lane->segments[0].device, 0);
	assert_int_equal(w.info->copy_bytes, 64 * 64 * 4);
	assert_true(has_note(&w, "sim:1", HY_REASON_NONE, "host memory that both use: no copy"));
	close_world(&w);
}

static void a_dear_link_keeps_specialists_apart(void **state)
{
	(void)state;
	world w = open_world("devices:\n"
	                     "- {name: sums, flops: 1e12, memory: 64MiB, bandwidth: 1e9}\n"
	                     "- {name: bytes, flops: 1e9, memory: 64MiB, bandwidth: 1e12, link: {bandwidth: 1e6}}\n",
	                     two_natures());
	const hy_sched_options options = {.objective = HY_SCHED_LATENCY};
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(w.info->strategy, HY_SCHED_SINGLE);
	close_world(&w);
}

static void a_wanted_cut_is_kept(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST SLOW, world_model(4, 64));
	const hy_sched_options options = {.strategy = HY_SCHED_CUT, .cut_node = 3};
	EXPECT_OK(make_plan(&w, &options));
	const hy_sched__lane *lane = &w.plan->candidates[w.plan->chosen].lanes[0];
	assert_int_equal(lane->segments[1].first, 3);
	close_world(&w);
}

/* ---- memory ---- */

static void a_model_that_fits_nowhere_is_refused_with_the_shortfall(void **state)
{
	(void)state;
	/* 16x64 and three 64x64 weights: 53248 bytes; activations: x, and two rows of 64. */
	world w = open_world("devices:\n- {name: tiny, flops: 1e9, memory: 50000, bandwidth: 1e9}\n"
	                     "- {name: small, flops: 1e9, memory: 53000, bandwidth: 1e9}\n",
	                     world_model(4, 64));
	const hy_sched_options options = {.strategy = HY_SCHED_REPLICAS};
	EXPECT_STATUS(HY_NO_MEMORY, make_plan(&w, &options));
	char wanted[160];
	const int need = 4 * (16 * 64 + 3 * 64 * 64) + 4 * (16 + 64 + 64);
	snprintf(wanted, sizeof(wanted), "sim:0 lacks %d bytes, sim:1 lacks %d bytes", need - 50000, need - 53000);
	assert_non_null(strstr(error.text, wanted));
	close_world(&w);
}

static void two_devices_hold_what_one_cannot(void **state)
{
	(void)state;
	world w = open_world("devices:\n- {name: one, flops: 1e9, memory: 40000, bandwidth: 1e9}\n"
	                     "- {name: two, flops: 1e9, memory: 40000, bandwidth: 1e9}\n",
	                     world_model(4, 64));
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(w.info->strategy, HY_SCHED_CUT);
	assert_true(has_note(&w, "sim:0", HY_REASON_MEMORY, "more than it has"));
	assert_true(w.info->devices[0].constant_bytes <= 40000 && w.info->devices[1].constant_bytes <= 40000);
	close_world(&w);
}

/* ---- refusals ---- */

#define PICKY "- {name: picky, flops: 9e9, memory: 64MiB, bandwidth: 9e9, refuse: [Relu]}\n"

static void a_refused_node_falls_back_with_a_note(void **state)
{
	(void)state;
	world w = open_world("devices:\n" PICKY SLOW, world_model(2, 64));
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	EXPECT_OK(make_plan(&w, &options));
	assert_true(has_note(&w, "sim:0", HY_REASON_OP, "falls back to sim:1: operator not implemented"));
	close_world(&w);
}

static void forbidden_fallback_is_unsupported_and_named(void **state)
{
	(void)state;
	world w = open_world("devices:\n" PICKY SLOW, world_model(2, 64));
	const hy_sched_options options = {.flags = HY_SCHED_FORBID_FALLBACK};
	EXPECT_STATUS(HY_UNSUPPORTED, make_plan(&w, &options));
	assert_non_null(strstr(error.text, "sim:0 does not run node 1"));
	assert_non_null(strstr(error.text, "(Relu): operator not implemented"));
	close_world(&w);
}

static void a_node_that_no_device_runs_is_unsupported(void **state)
{
	(void)state;
	world w = open_world("devices:\n" PICKY, world_model(2, 64));
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	EXPECT_STATUS(HY_UNSUPPORTED, make_plan(&w, &options));
	assert_non_null(strstr(error.text, "(Relu): operator not implemented; add a device that does"));
	close_world(&w);
}

static void a_device_that_refuses_regions_gets_their_bodies(void **state)
{
	(void)state;
	hy_ir_graph *graph = world_model(3, 24);
	EXPECT_OK(hy_ir_pass_fuse(graph, NULL, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 3);
	world w = open_world("devices:\n- {name: plain, flops: 2e9, memory: 64MiB, bandwidth: 1e9, regions: no}\n",
	                     graph);
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	EXPECT_OK(make_plan(&w, &options));
	assert_true(has_note(&w, "sim:0", HY_REASON_REGION, "un-fused"));
	assert_int_equal(w.info->devices[0].node_count, 3);
	assert_int_equal(w.info->devices[0].launches, 6);
	hy_sched_session *session;
	EXPECT_OK(hy_sched_session_create(w.plan, &session, &error));
	world_request request;
	world_request_init(&request, graph, 1);
	EXPECT_OK(hy_sched_session_run(session, &request.input, &request.output, &error));
	request.called = 1;
	world_expect_right(&request);
	world_request_finish(&request);
	hy_sched_session_destroy(session);
	close_world(&w);
}

/* ---- measuring ---- */

static int measured_count;

static void count_measured(void *payload, const char *what, double fraction)
{
	(void)payload;
	(void)fraction;
	if (strstr(what, "measure") != NULL) measured_count++;
}

static void costs_are_measured_once_and_then_read(void **state)
{
	(void)state;
	char path[] = "/tmp/halyard_costs_XXXXXX";
	const int file = mkstemp(path);
	assert_true(file >= 0);
	close(file);
	unlink(path);
	world w = open_world("devices:\n" FAST SLOW, world_model(2, 64));
	const hy_sched_options options = {.cost_file = path, .progress = count_measured};
	measured_count = 0;
	EXPECT_OK(make_plan(&w, &options));
	const uint64_t first_ns = w.info->item_ns;
	assert_int_equal(measured_count, 2);
	drop_plan(&w);
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(measured_count, 2);
	assert_int_equal(w.info->item_ns, first_ns);
	assert_true(w.info->devices[0].measured);
	close_world(&w);
	unlink(path);
}

static void a_plan_can_be_made_without_measuring(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, world_model(2, 64));
	const hy_sched_options options = {.flags = HY_SCHED_NO_MEASURE, .progress = count_measured};
	measured_count = 0;
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(measured_count, 0);
	assert_false(w.info->devices[0].measured);
	assert_true(w.info->item_ns > 0);
	assert_null(w.plan->devices[0].hal);
	close_world(&w);
}

static void a_device_that_is_slower_than_described_is_found_out(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST
	                     "- {name: liar, flops: 9e9, memory: 64MiB, bandwidth: 9e9, faults: {slow: 100}}\n",
	                     world_model(4, 64));
	const hy_sched_options options = {.objective = HY_SCHED_LATENCY};
	EXPECT_OK(make_plan(&w, &options));
	assert_string_equal(w.info->devices[0].id, "sim:0");
	close_world(&w);
}

/* ---- selection ---- */

static void an_unknown_device_is_not_found(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, world_model(2, 64));
	const hy_sched_options options = {.devices = "sim:7"};
	EXPECT_STATUS(HY_NOT_FOUND, make_plan(&w, &options));
	close_world(&w);
}

static void simulated_devices_must_be_asked_for(void **state)
{
	(void)state;
	world w = open_world("devices:\n" FAST, world_model(2, 64));
	const hy_sched_options options = {.size = sizeof(options), .devices = "!template:0"};
	EXPECT_STATUS(HY_NOT_FOUND, hy_sched_plan_create(w.machine, w.graph, &options, &w.plan, &error));
	close_world(&w);
}

static void a_device_that_does_not_open_is_left_out_unless_it_was_named(void **state)
{
	(void)state;
	world w = open_world("devices:\n- {name: broken, flops: 2e9, memory: 64MiB, bandwidth: 1e9, faults: "
	                     "{open_fails: yes}}\n" FAST,
	                     world_model(2, 64));
	hy_sched_options options = {.devices = "sim:*"};
	EXPECT_OK(make_plan(&w, &options));
	assert_int_equal(w.info->device_count, 1);
	assert_string_equal(w.info->devices[0].id, "sim:1");
	assert_true(has_note(&w, "sim:0", HY_REASON_NONE, "left out: "));
	drop_plan(&w);
	options.devices = "sim:0,sim:1";
	EXPECT_STATUS(HY_DEVICE_LOST, make_plan(&w, &options));
	assert_non_null(strstr(error.text, "does not open, as its description says"));
	close_world(&w);
}

/* ---- texts ---- */

static char *read_file(const char *path)
{
	static char text[16384];
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void the_text_of_a_plan_is_the_golden_one(void **state)
{
	(void)state;
	world w = open_world("devices:\n" PICKY SLOW, world_model(2, 64));
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	EXPECT_OK(make_plan(&w, &options));
	char *text;
	EXPECT_OK(hy_sched_plan_print(w.plan, false, &text, &error));
	if (getenv("HALYARD_UPDATE_GOLDEN") != NULL) {
		FILE *file = fopen(HY_SOURCE_DIR "/tests/scheduler/golden/plan.txt", "wb");
		fputs(text, file);
		fclose(file);
	}
	assert_string_equal(text, read_file(HY_SOURCE_DIR "/tests/scheduler/golden/plan.txt"));
	free(text);
	EXPECT_OK(hy_sched_plan_explain(w.plan, 1, &text, &error));
	assert_non_null(strstr(text, "node 1 '"));
	assert_non_null(strstr(text, "sim:0: no, operator not implemented"));
	assert_non_null(strstr(text, "sim:1: yes, about "));
	free(text);
	EXPECT_STATUS(HY_INVALID, hy_sched_plan_explain(w.plan, 4, &text, &error));
	close_world(&w);
}

/* Every key that the schema requires is there, and no other. */
static void expect_keys(json_t *schema, json_t *object)
{
	size_t i;
	json_t *key;
	json_array_foreach(json_object_get(schema, "required"), i, key)
		assert_non_null(json_object_get(object, json_string_value(key)));
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value)
		assert_non_null(json_object_get(json_object_get(schema, "properties"), name));
}

static void expect_rows(json_t *schema, json_t *plan, const char *key)
{
	size_t i;
	json_t *row, *property = json_object_get(json_object_get(schema, "properties"), key);
	assert_true(json_array_size(json_object_get(plan, key)) > 0);
	json_array_foreach(json_object_get(plan, key), i, row) expect_keys(json_object_get(property, "items"), row);
}

static void the_json_of_a_plan_has_the_keys_of_its_schema(void **state)
{
	(void)state;
	world w = open_world("devices:\n" PICKY SLOW, world_model(2, 64));
	const hy_sched_options options = {.strategy = HY_SCHED_AUTO};
	EXPECT_OK(make_plan(&w, &options));
	char *text;
	EXPECT_OK(hy_sched_plan_print(w.plan, true, &text, &error));
	json_t *plan = json_loads(text, 0, NULL);
	json_t *schema = json_load_file(HY_SOURCE_DIR "/scheduler/schema/halyard.plan.v1.json", 0, NULL);
	assert_non_null(plan);
	assert_non_null(schema);
	expect_keys(schema, plan);
	expect_rows(schema, plan, "devices");
	expect_rows(schema, plan, "candidates");
	expect_rows(schema, plan, "notes");
	assert_string_equal(json_string_value(json_object_get(plan, "schema")), "halyard.plan/v1");
	json_decref(schema);
	json_decref(plan);
	free(text);
	close_world(&w);
}

/* ---- the checker ---- */

static void a_broken_plan_is_found(void **state)
{
	(void)state;
	world w = open_world("devices:\n" PICKY SLOW, world_model(2, 64));
	const hy_sched_options options = {.devices = "sim:*", .strategy = HY_SCHED_SINGLE};
	EXPECT_OK(make_plan(&w, &options));
	hy_sched__lane *lane = &w.plan->candidates[w.plan->chosen].lanes[0];
	EXPECT_OK(hy_sched__plan_check(w.plan, &error));
	hy_sched__segment *segment = &lane->segments[lane->segment_count - 1];
	segment->count--;
	EXPECT_STATUS(HY_INTERNAL, hy_sched__plan_check(w.plan, &error));
	segment->count++;
	const uint32_t device = segment->device;
	segment->device = 0;
	EXPECT_STATUS(HY_INTERNAL, hy_sched__plan_check(w.plan, &error));
	segment->device = device;
	w.plan->info.bound_ns = w.plan->info.item_ns + 1;
	EXPECT_STATUS(HY_INTERNAL, hy_sched__plan_check(w.plan, &error));
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_plan_is_never_worse_than_the_best_single_device),
		CASE(throughput_over_two_devices_is_the_sum_of_their_rates),
		CASE(latency_takes_the_fastest_device_alone),
		CASE(specialists_are_cut_where_their_natures_change),
		CASE(a_dear_link_keeps_specialists_apart),
		CASE(a_wanted_cut_is_kept),
		CASE(a_model_that_fits_nowhere_is_refused_with_the_shortfall),
		CASE(two_devices_hold_what_one_cannot),
		CASE(a_refused_node_falls_back_with_a_note),
		CASE(forbidden_fallback_is_unsupported_and_named),
		CASE(a_node_that_no_device_runs_is_unsupported),
		CASE(a_device_that_refuses_regions_gets_their_bodies),
		CASE(costs_are_measured_once_and_then_read),
		CASE(a_plan_can_be_made_without_measuring),
		CASE(a_device_that_is_slower_than_described_is_found_out),
		CASE(an_unknown_device_is_not_found),
		CASE(simulated_devices_must_be_asked_for),
		CASE(a_device_that_does_not_open_is_left_out_unless_it_was_named),
		CASE(the_text_of_a_plan_is_the_golden_one),
		CASE(the_json_of_a_plan_has_the_keys_of_its_schema),
		CASE(a_broken_plan_is_found),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
