#include "test.h"

#include "fake.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct place {
	fake_log log;
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_queue *queue;
} place;

static void place_open(place *p, const char *fault)
{
	*p = (place){0};
	p->machine = fake_machine("good", NULL, &p->log);
	p->device = fake_device(p->machine, fault);
	p->queue = fake_queue(p->device);
}

static void place_close(place *p)
{
	hy_hal_queue_close(p->queue);
	hy_hal_device_close(p->device);
	hy_hal_machine_close(p->machine);
}

static char target[8];

static hy_status run(hy_hal_queue *queue, uint64_t timeout_ns, hy_error *error)
{
	const hy_command fill = {
		.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(target, sizeof(target)), .pattern = 'a'};
	return hy_hal_queue_run(queue, 1, &fill, timeout_ns, NULL, error);
}

typedef struct seen {
	uint32_t count;
	hy_status status;
	hy_scope scope;
	char text[80];
} seen;

static void see(void *payload, const hy_done *done)
{
	seen *s = payload;
	s->count++;
	s->status = done->status;
	s->scope = done->scope;
	snprintf(s->text, sizeof(s->text), "%s", done->text != NULL ? done->text : "");
}

static hy_status submit(place *p, seen *s, hy_error *error)
{
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(target, sizeof(target))};
	return hy_hal_queue_submit(p->queue, 1, &fill, see, s, error);
}

static void a_run_tells_the_times_of_its_ticket(void **state)
{
	(void)state;
	place p;
	hy_error error;
	hy_done done;
	place_open(&p, NULL);
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(target, 8), .pattern = 0x162};
	EXPECT_OK(hy_hal_queue_run(p.queue, 1, &fill, 0, &done, &error));
	assert_memory_equal(target, "bbbbbbbb", 8);
	assert_int_equal(done.end_ns - done.begin_ns, 2000);
	place_close(&p);
}

static void a_lost_device_answers_at_once_from_then_on(void **state)
{
	(void)state;
	place p;
	hy_error error;
	hy_hal_buffer *buffer, *before;
	hy_hal_queue *queue;
	place_open(&p, "lost-device");
	EXPECT_OK(hy_hal_buffer_create(p.device, 100, &before, &error));
	EXPECT_OK(run(p.queue, 0, &error));
	assert_true(hy_hal_device_is_usable(p.device));
	EXPECT_STATUS(HY_DEVICE_LOST, run(p.queue, 0, &error));
	assert_string_equal(error.text, "good:0: heartbeat lost");
	assert_int_equal(error.scope, HY_SCOPE_DEVICE);
	assert_int_equal(error.native, 42);
	assert_false(hy_hal_device_is_usable(p.device));
	EXPECT_STATUS(HY_DEVICE_LOST, run(p.queue, 0, &error));
	assert_string_equal(error.text, "good:0: submit: the device was lost: heartbeat lost");
	EXPECT_STATUS(HY_DEVICE_LOST, hy_hal_buffer_create(p.device, 8, &buffer, &error));
	EXPECT_STATUS(HY_DEVICE_LOST, hy_hal_queue_open(p.device, HY_QUEUE_COPY, &queue, &error));
	assert_non_null(strstr(p.log.text, "good:0: lost: heartbeat lost"));
	hy_hal_device *again = fake_device(p.machine, NULL);
	assert_true(hy_hal_device_is_usable(again));
	hy_hal_device_close(again);
	hy_hal_buffer_destroy(before);
	place_close(&p);
}

static void a_lost_queue_leaves_the_device_usable(void **state)
{
	(void)state;
	place p;
	hy_error error;
	place_open(&p, "lost-queue");
	EXPECT_OK(run(p.queue, 0, &error));
	EXPECT_STATUS(HY_TIMEOUT, run(p.queue, 0, &error));
	EXPECT_STATUS(HY_DEVICE_LOST, run(p.queue, 0, &error));
	assert_int_equal(error.scope, HY_SCOPE_QUEUE);
	assert_true(hy_hal_device_is_usable(p.device));
	hy_hal_queue *other = fake_queue(p.device);
	EXPECT_OK(run(other, 0, &error));
	hy_hal_queue_close(other);
	place_close(&p);
}

static void a_failure_of_the_process_loses_every_device_of_the_plugin(void **state)
{
	(void)state;
	place p;
	hy_error error;
	hy_hal_device *third;
	place_open(&p, "lost-process");
	hy_hal_device *other = fake_device(p.machine, NULL);
	EXPECT_OK(run(p.queue, 0, &error));
	EXPECT_STATUS(HY_DEVICE_LOST, run(p.queue, 0, &error));
	assert_int_equal(error.scope, HY_SCOPE_PROCESS);
	assert_false(hy_hal_device_is_usable(other));
	EXPECT_STATUS(HY_DEVICE_LOST, hy_hal_device_open(p.machine, 1, NULL, 0, &third, &error));
	assert_string_equal(error.text, "good:1: device_open: the device was lost: driver gone");
	hy_hal_device_close(other);
	place_close(&p);
}

static void a_device_lost_by_one_call_is_lost(void **state)
{
	(void)state;
	place p;
	hy_error error;
	place_open(&p, "lost-lightly");
	EXPECT_STATUS(HY_DEVICE_LOST, run(p.queue, 0, &error));
	assert_int_equal(error.scope, HY_SCOPE_DEVICE);
	assert_false(hy_hal_device_is_usable(p.device));
	place_close(&p);
}

static void a_second_completion_is_logged_and_not_delivered(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "twice");
	EXPECT_OK(submit(&p, &s, &error));
	assert_int_equal(s.count, 1);
	assert_non_null(strstr(p.log.text, "which is not waited for: twice, late or invented (P10)"));
	place_close(&p);
}

static void an_invented_ticket_is_logged_and_hurts_nobody(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "bogus");
	EXPECT_OK(submit(&p, &s, &error));
	assert_int_equal(s.count, 1);
	assert_int_equal(s.status, HY_OK);
	assert_non_null(strstr(p.log.text, "completed ticket 0xdeadbeefdeadbeef, which is not waited for"));
	place_close(&p);
}

static void a_refused_submission_is_never_completed(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "refuse");
	EXPECT_STATUS(HY_INVALID, submit(&p, &s, &error));
	assert_string_equal(error.text, "good:0: submit: not this");
	assert_int_equal(s.count, 0);
	place_close(&p);
	assert_int_equal(s.count, 0);
}

static void a_refusal_after_the_completion_counts_as_accepted(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "refuse-completed");
	EXPECT_OK(submit(&p, &s, &error));
	assert_int_equal(s.count, 1);
	assert_non_null(strstr(p.log.text, "refused a submission whose ticket it had completed (P10)"));
	place_close(&p);
}

static void a_completion_without_a_record_is_a_failure_of_the_queue(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "no-record");
	EXPECT_OK(submit(&p, &s, &error));
	assert_string_equal(hy_status_name(s.status), "INTERNAL");
	assert_int_equal(s.scope, HY_SCOPE_QUEUE);
	place_close(&p);
}

static void closing_a_queue_delivers_what_the_plugin_cancels(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "hold");
	EXPECT_OK(submit(&p, &s, &error));
	assert_int_equal(s.count, 0);
	place_close(&p);
	assert_int_equal(s.count, 1);
	assert_string_equal(hy_status_name(s.status), "CANCELLED");
}

static void closing_a_queue_completes_what_the_plugin_forgot(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "never");
	EXPECT_OK(submit(&p, &s, &error));
	place_close(&p);
	assert_int_equal(s.count, 1);
	assert_string_equal(hy_status_name(s.status), "INTERNAL");
	assert_non_null(strstr(s.text, "closed the queue without completing this (P10)"));
}

static void a_run_that_times_out_leaves_a_queue_that_can_only_be_closed(void **state)
{
	(void)state;
	place p;
	hy_error error;
	place_open(&p, "hold");
	EXPECT_STATUS(HY_TIMEOUT, run(p.queue, 1000000, &error));
	EXPECT_STATUS(HY_DEVICE_LOST, run(p.queue, 0, &error));
	assert_int_equal(error.scope, HY_SCOPE_QUEUE);
	place_close(&p);
}

static void too_many_in_flight_is_busy(void **state)
{
	(void)state;
	place p;
	seen s = {0};
	hy_error error;
	place_open(&p, "never");
	for (int i = 0; i < 4096; i++)
		EXPECT_OK(submit(&p, &s, &error));
	EXPECT_STATUS(HY_BUSY, submit(&p, &s, &error));
	p.log = (fake_log){.used = sizeof(p.log.text)};
	place_close(&p);
	assert_int_equal(s.count, 4096);
}

enum { PER_THREAD = 200 };

static void count_one(void *payload, const hy_done *done)
{
	if (done->status == HY_OK) atomic_fetch_add((atomic_uint *)payload, 1);
}

static void *submit_many(void *payload)
{
	place *p = payload;
	static atomic_uint counts[8];
	static atomic_uint next;
	atomic_uint *count = &counts[atomic_fetch_add(&next, 1) % 8];
	hy_hal_queue *queue = fake_queue(p->device);
	const hy_command nothing = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(target, 0)};
	uint32_t accepted = 0;
	for (int i = 0; i < PER_THREAD; i++)
		accepted += hy_hal_queue_submit(queue, 1, &nothing, count_one, count, NULL) == HY_OK;
	hy_hal_queue_close(queue);
	return (void *)(uintptr_t)(accepted == PER_THREAD && atomic_load(count) == PER_THREAD);
}

static void completions_on_other_threads_arrive_once_before_close_returns(void **state)
{
	(void)state;
	place p;
	hy_error error;
	pthread_t threads[4];
	place_open(&p, "async");
	EXPECT_OK(run(p.queue, 0, &error));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &p), 0);
	for (int i = 0; i < 4; i++) {
		void *all = NULL;
		pthread_join(threads[i], &all);
		assert_non_null(all);
	}
	place_close(&p);
}

static void see_and_submit_elsewhere(void *payload, const hy_done *done)
{
	(void)done;
	hy_error error;
	EXPECT_OK(run(payload, 0, &error));
}

static void a_completion_may_submit_to_another_queue(void **state)
{
	(void)state;
	place p;
	hy_error error;
	place_open(&p, NULL);
	hy_hal_queue *other = fake_queue(p.device);
	memset(target, 0, sizeof(target));
	const hy_command nothing = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(target, 0)};
	EXPECT_OK(hy_hal_queue_submit(p.queue, 1, &nothing, see_and_submit_elsewhere, other, &error));
	assert_memory_equal(target, "aaaaaaaa", 8);
	hy_hal_queue_close(other);
	place_close(&p);
}

static void statuses_and_verdicts_that_do_not_exist_are_not_passed_on(void **state)
{
	(void)state;
	place p;
	hy_error error;
	hy_hal_buffer *buffer;
	hy_verdict verdicts[2];
	const hy_graph graph = {.magic = HY_GRAPH_MAGIC};
	place_open(&p, "odd-status");
	EXPECT_STATUS(HY_INTERNAL, hy_hal_buffer_create(p.device, 8, &buffer, &error));
	place_close(&p);
	place_open(&p, "odd-verdict");
	EXPECT_OK(hy_hal_device_query(p.device, &graph, 2, verdicts, &error));
	assert_int_equal(verdicts[0].answer, HY_NO);
	assert_int_equal(verdicts[1].answer, HY_YES);
	place_close(&p);
	place_open(&p, "lazy-query");
	EXPECT_OK(hy_hal_device_query(p.device, &graph, 2, verdicts, &error));
	assert_int_equal(verdicts[1].answer, HY_NO);
	place_close(&p);
}

static void a_program_that_cannot_be_had_leaves_nothing_behind(void **state)
{
	(void)state;
	static const struct {
		const char *fault, *text;
	} rows[] = {
		{"compile", "good:0: compile: answered UNSUPPORTED"},
		{"null-exe", "good:0: compile: answered INTERNAL"},
		{"exe-info", "good:0: exe_info: answered INTERNAL"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		place p;
		hy_error error = {0};
		hy_hal_program *program = NULL;
		const hy_graph graph = {.magic = HY_GRAPH_MAGIC};
		place_open(&p, rows[i].fault);
		assert_int_not_equal(hy_hal_program_create(p.device, &graph, NULL, 0, NULL, 0, &program, &error),
		                     HY_OK);
		if (strstr(error.text, rows[i].text) == NULL) fail_msg("%s: '%s'", rows[i].fault, error.text);
		assert_null(program);
		place_close(&p);
		assert_null(strstr(p.log.text, "closed with"));
	}
}

static void the_steps_of_a_program_are_told(void **state)
{
	(void)state;
	place p;
	hy_error error;
	hy_step step;
	hy_hal_program *program;
	const hy_graph graph = {.magic = HY_GRAPH_MAGIC};
	place_open(&p, NULL);
	EXPECT_OK(hy_hal_program_create(p.device, &graph, NULL, 0, NULL, 0, &program, &error));
	assert_int_equal(hy_hal_program_info(program)->workspace_bytes, 512);
	assert_int_equal(hy_hal_program_step_count(program), 1);
	EXPECT_STATUS(HY_OK, hy_hal_program_step(program, 0, &step));
	assert_string_equal(step.implementation, "fake:ref");
	EXPECT_STATUS(HY_NOT_FOUND, hy_hal_program_step(program, 1, &step));
	hy_hal_program_profile(program, true);
	hy_hal_program_destroy(program);
	place_close(&p);
}

static void a_device_closed_too_early_is_logged(void **state)
{
	(void)state;
	fake_log log = {0};
	hy_error error;
	hy_hal_buffer *buffer;
	hy_hal_machine *machine = fake_machine("good", NULL, &log);
	hy_hal_device *device = fake_device(machine, NULL);
	EXPECT_OK(hy_hal_buffer_create(device, 8, &buffer, &error));
	hy_hal_device_close(device);
	assert_non_null(strstr(log.text, "good:0: closed with 1 buffers, queues or programs open"));
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_run_tells_the_times_of_its_ticket),
		CASE(a_lost_device_answers_at_once_from_then_on),
		CASE(a_lost_queue_leaves_the_device_usable),
		CASE(a_failure_of_the_process_loses_every_device_of_the_plugin),
		CASE(a_device_lost_by_one_call_is_lost),
		CASE(a_second_completion_is_logged_and_not_delivered),
		CASE(an_invented_ticket_is_logged_and_hurts_nobody),
		CASE(a_refused_submission_is_never_completed),
		CASE(a_refusal_after_the_completion_counts_as_accepted),
		CASE(a_completion_without_a_record_is_a_failure_of_the_queue),
		CASE(closing_a_queue_delivers_what_the_plugin_cancels),
		CASE(closing_a_queue_completes_what_the_plugin_forgot),
		CASE(a_run_that_times_out_leaves_a_queue_that_can_only_be_closed),
		CASE(too_many_in_flight_is_busy),
		CASE(completions_on_other_threads_arrive_once_before_close_returns),
		CASE(a_completion_may_submit_to_another_queue),
		CASE(statuses_and_verdicts_that_do_not_exist_are_not_passed_on),
		CASE(a_program_that_cannot_be_had_leaves_nothing_behind),
		CASE(the_steps_of_a_program_are_told),
		CASE(a_device_closed_too_early_is_logged),
	};
	return cmocka_run_group_tests_name("hal.queue", cases, NULL, NULL);
}
