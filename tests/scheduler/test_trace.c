/* Traces: the file, byte for byte, of events that were made by hand; and what sessions put into theirs. */
#include "world.h"

#include <jansson.h>

#include "trace.h"

static char path[64];

static const char *a_path(void)
{
	snprintf(path, sizeof(path), "/tmp/halyard_trace_%d.json", (int)getpid());
	return path;
}

static char *read_text(const char *file)
{
	FILE *stream = fopen(file, "r");
	assert_non_null(stream);
	char *text = calloc(1, 1 << 16);
	assert_true(fread(text, 1, (1 << 16) - 1, stream) > 0);
	fclose(stream);
	return text;
}

#define NO_DEVICE HY_SCHED__TRACE_NONE
#define NO_STAGE HY_SCHED__TRACE_NONE
#define NO_REQUEST HY_SCHED__TRACE_NO_REQUEST

static const hy_sched__trace_event events[] = {
	{9000, 9000, 0, NO_REQUEST, NO_DEVICE, NO_STAGE, HY_SCHED__TRACE_REPLAN},
	{1500, 2500, 0, 0, 0, 0, HY_SCHED__TRACE_WAITS},
	{2500, 2600, 0, 0, 0, 0, HY_SCHED__TRACE_QUEUE},
	{2600, 2700, 125, 0, 0, 0, HY_SCHED__TRACE_COPY_IN},
	{2700, 5700, 2000, 0, 0, 0, HY_SCHED__TRACE_EXEC},
	{5700, 5701, 0, 0, 0, 0, HY_SCHED__TRACE_COPY_OUT},
	{1500, 6000, 0, 0, NO_DEVICE, NO_STAGE, HY_SCHED__TRACE_REQUEST},
	{70, 1070, 1000, 1, 1, 0, HY_SCHED__TRACE_EXEC},
	{7000, 7000, 0, NO_REQUEST, 0, NO_STAGE, HY_SCHED__TRACE_LOST},
};
enum { EVENTS = sizeof(events) / sizeof(events[0]) };

static const hy_sched__trace_track tracks[] = {{"opencl:0?cores=1", false}, {"sim:\"0\"", true}};

static void a_trace_is_written_as_its_golden_file(void **state)
{
	(void)state;
	hy_sched__trace *trace;
	EXPECT_OK(hy_sched__trace_create(16, &trace, &error));
	for (int i = 0; i < EVENTS; i++)
		hy_sched__trace_add(trace, &events[i]);
	EXPECT_OK(hy_sched__trace_write(trace, 2, tracks, a_path(), &error));
	char *wanted = read_text(HY_SOURCE_DIR "/tests/scheduler/golden/trace.json"), *text = read_text(path);
	assert_string_equal(text, wanted);
	free(wanted);
	free(text);
	hy_sched__trace_destroy(trace);
	unlink(path);
}

static json_t *written(void)
{
	json_error_t why;
	json_t *answer = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (answer == NULL) fail_msg("%s:%d: %s", path, why.line, why.text);
	unlink(path);
	return answer;
}

static void a_full_trace_keeps_the_newest_and_counts_the_rest(void **state)
{
	(void)state;
	hy_sched__trace *trace;
	EXPECT_OK(hy_sched__trace_create(3, &trace, &error));
	for (int i = 0; i < EVENTS; i++)
		hy_sched__trace_add(trace, &events[i]);
	assert_int_equal(hy_sched__trace_dropped(trace), EVENTS - 3);
	EXPECT_OK(hy_sched__trace_write(trace, 2, tracks, a_path(), &error));
	json_t *answer = written(), *other = json_object_get(answer, "otherData");
	assert_int_equal(json_integer_value(json_object_get(other, "dropped")), EVENTS - 3);
	assert_int_equal(json_integer_value(json_object_get(other, "events")), 3);
	assert_int_equal(json_array_size(json_object_get(answer, "traceEvents")), 5 + 4);
	json_decref(answer);
	hy_sched__trace_destroy(trace);
}

static void a_trace_that_cannot_be_written_says_where(void **state)
{
	(void)state;
	hy_sched__trace *trace;
	EXPECT_OK(hy_sched__trace_create(3, &trace, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched__trace_write(trace, 0, NULL, "/no/such/folder/t.json", &error));
	assert_non_null(strstr(error.text, "/no/such/folder/t.json: cannot write the trace: No such file"));
	hy_sched__trace_destroy(trace);
}

/* ---- of a session ---- */

#define FAST "- {name: fast, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000}\n"
#define FAR                                                                                                 \
	"- {name: far, flops: 2e9, memory: 64MiB, bandwidth: 1e9, launch_ns: 1000, link: {bandwidth: 1e9, " \
	"latency_ns: 100}}\n"

/* Runs `count` requests, traced. */
static json_t *trace_of(const char *yaml, hy_sched_strategy strategy, uint32_t count)
{
	hy_hal_machine *machine = world_machine(yaml);
	hy_ir_graph *graph = world_model(3, 24);
	hy_sched_plan *plan;
	hy_sched_session *session;
	world_request request;
	const hy_sched_options options = {
		.size = sizeof(options), .devices = "sim:*", .strategy = strategy, .measure_ns = 1};
	EXPECT_OK(hy_sched_plan_create(machine, graph, &options, &plan, &error));
	EXPECT_OK(hy_sched_session_create(plan, &session, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_session_trace_write(session, a_path(), &error));
	EXPECT_OK(hy_sched_session_trace(session, 0, &error));
	EXPECT_STATUS(HY_BUSY, hy_sched_session_trace(session, 0, &error));
	world_request_init(&request, graph, 1);
	for (uint32_t i = 0; i < count; i++)
		EXPECT_OK(hy_sched_session_run(session, &request.input, &request.output, &error));
	request.called = 1;
	world_expect_right(&request);
	EXPECT_OK(hy_sched_session_trace_write(session, a_path(), &error));
	world_request_finish(&request);
	hy_sched_session_destroy(session);
	hy_sched_plan_destroy(plan);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
	return written();
}

static uint32_t count_of(const json_t *answer, const char *name, const char *phase)
{
	uint32_t count = 0;
	size_t i;
	json_t *event;
	json_array_foreach(json_object_get(answer, "traceEvents"), i, event)
		count += strcmp(json_string_value(json_object_get(event, "name")), name) == 0 &&
	                 strcmp(json_string_value(json_object_get(event, "ph")), phase) == 0;
	return count;
}

static void a_session_traces_every_request_on_its_device(void **state)
{
	(void)state;
	json_t *answer = trace_of("devices:\n" FAST, HY_SCHED_SINGLE, 10);
	assert_int_equal(count_of(answer, "request", "b"), 10);
	assert_int_equal(count_of(answer, "request", "e"), 10);
	assert_int_equal(count_of(answer, "waits", "b"), 10);
	assert_int_equal(count_of(answer, "exec", "X"), 10);
	assert_int_equal(count_of(answer, "copy in", "X"), 0);
	json_decref(answer);
}

static void copies_are_slices_of_their_own(void **state)
{
	(void)state;
	json_t *answer = trace_of("devices:\n" FAR, HY_SCHED_SINGLE, 10);
	assert_int_equal(count_of(answer, "copy in", "X"), 10);
	assert_int_equal(count_of(answer, "exec", "X"), 10);
	assert_int_equal(count_of(answer, "copy out", "X"), 10);
	json_decref(answer);
}

static void a_simulated_device_takes_as_long_as_was_predicted(void **state)
{
	(void)state;
	json_t *answer = trace_of("devices:\n" FAST, HY_SCHED_SINGLE, 10), *event;
	size_t i;
	json_array_foreach(json_object_get(answer, "traceEvents"), i, event)
	{
		if (strcmp(json_string_value(json_object_get(event, "name")), "exec") != 0) continue;
		const json_t *args = json_object_get(event, "args");
		assert_true(json_number_value(json_object_get(args, "actual_over_predicted")) == 1);
	}
	json_decref(answer);
}

static void a_loss_and_its_replays_are_in_the_trace(void **state)
{
	(void)state;
	json_t *answer = trace_of("devices:\n" FAST
	                          "- {name: frail, flops: 4e9, memory: 64MiB, bandwidth: 4e9, launch_ns: 500, "
	                          "faults: {lost_after: 50}}\n",
	                          HY_SCHED_REPLICAS, 100);
	assert_int_equal(count_of(answer, "lost", "i"), 1);
	assert_true(count_of(answer, "replay", "i") > 0);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_trace_is_written_as_its_golden_file),
		CASE(a_full_trace_keeps_the_newest_and_counts_the_rest),
		CASE(a_trace_that_cannot_be_written_says_where),
		CASE(a_session_traces_every_request_on_its_device),
		CASE(copies_are_slices_of_their_own),
		CASE(a_simulated_device_takes_as_long_as_was_predicted),
		CASE(a_loss_and_its_replays_are_in_the_trace),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
