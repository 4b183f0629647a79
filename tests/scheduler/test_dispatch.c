/* The rules of the run time, one decision at a time. */
#include "test.h"

#include "dispatch.h"

#include <stdlib.h>

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static hy_error error;

typedef struct world {
	hy_sched__dispatch *d;
	uint32_t request, attempts[64];
} world;

static const hy_sched__dispatch_ask plain = {.priority = 0}, idempotent = {.idempotent = true};

static void make(world *w, uint32_t count, const hy_sched__dispatch_lane *lanes)
{
	const hy_sched__dispatch_options options = {.room = 64, .lane_count = count, .lanes = lanes};
	EXPECT_OK(hy_sched__dispatch_create(&options, &w->d, &error));
}

static void finish(world *w)
{
	assert_null(hy_sched__dispatch_check(w->d));
	hy_sched__dispatch_destroy(w->d);
}

static uint32_t ask(world *w, uint64_t now_ns, const hy_sched__dispatch_ask *asks)
{
	assert_int_equal(hy_sched__dispatch_accept(w->d, now_ns, asks, &w->request, NULL), HY_SCHED__DISPATCH_ACCEPTED);
	return w->request;
}

/* The attempt that lane takes, or NONE. */
static uint32_t take(world *w, uint64_t now_ns, uint32_t lane)
{
	uint32_t attempt = HY_SCHED__DISPATCH_NONE;
	return hy_sched__dispatch_take(w->d, now_ns, lane, 1, &attempt) == 1 ? attempt : HY_SCHED__DISPATCH_NONE;
}

/* The end of the next delivery; ENDS when none is due. */
static hy_sched__dispatch_end deliver(world *w)
{
	hy_sched__dispatch_end end;
	return hy_sched__dispatch_deliver(w->d, &w->request, &end) ? end : HY_SCHED__DISPATCH_ENDS;
}

static hy_sched__dispatch_state state_of(const world *w, uint32_t lane)
{
	hy_sched__dispatch_lane_info info;
	hy_sched__dispatch_lane_describe(w->d, lane, &info);
	return info.state;
}

static const hy_sched__dispatch_lane two_equal[] = {{.item_ns = 10 * MS}, {.item_ns = 10 * MS}};
static const hy_sched__dispatch_lane fast_and_slow[] = {{.item_ns = 10 * MS}, {.item_ns = 1000 * MS}};

static void a_request_that_is_taken_and_done_is_delivered_ok(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	const uint32_t request = ask(&w, 0, &plain), attempt = take(&w, 0, 0);
	assert_int_equal(hy_sched__dispatch_request_of(w.d, attempt), request);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	assert_true(hy_sched__dispatch_done(w.d, 10 * MS, attempt, 10 * MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	assert_int_equal(w.request, request);
	finish(&w);
}

static void a_slow_lane_takes_none_of_the_last_requests(void **state)
{
	(void)state;
	world w;
	make(&w, 2, fast_and_slow);
	ask(&w, 0, &plain);
	assert_false(hy_sched__dispatch_wants(w.d, 0, 1));
	assert_int_equal(take(&w, 0, 1), HY_SCHED__DISPATCH_NONE);
	assert_int_not_equal(take(&w, 0, 0), HY_SCHED__DISPATCH_NONE);
	finish(&w);
}

static void deliveries_keep_the_order_of_acceptance_within_a_class(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	const uint32_t first = ask(&w, 0, &plain), second = ask(&w, 0, &plain);
	const uint32_t a = take(&w, 0, 0), b = take(&w, 0, 1);
	assert_true(hy_sched__dispatch_done(w.d, MS, b, MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	assert_true(hy_sched__dispatch_done(w.d, 2 * MS, a, MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	assert_int_equal(w.request, first);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	assert_int_equal(w.request, second);
	finish(&w);
}

static void classes_share_by_weight(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	uint32_t taken[4] = {0}, of_class[64];
	for (uint32_t c = 0; c < 4; c++)
		for (int i = 0; i < 15; i++)
			of_class[ask(&w, 0, &(hy_sched__dispatch_ask){.priority = c})] = c;
	for (uint64_t i = 0; i < 15; i++) {
		const uint32_t attempt = take(&w, i, 0);
		taken[of_class[hy_sched__dispatch_request_of(w.d, attempt)]]++;
		hy_sched__dispatch_done(w.d, i, attempt, MS);
	}
	assert_int_equal(taken[0], 8);
	assert_int_equal(taken[1], 4);
	assert_int_equal(taken[2], 2);
	assert_int_equal(taken[3], 1);
	finish(&w);
}

static void a_request_that_waited_long_moves_up(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	const uint32_t old = ask(&w, 0, &(hy_sched__dispatch_ask){.priority = 1});
	const uint32_t attempt = take(&w, 0, 0);
	hy_sched__dispatch_done(w.d, 0, attempt, MS);
	const uint32_t aged = ask(&w, 0, &(hy_sched__dispatch_ask){.priority = 1});
	const uint32_t young = ask(&w, 150 * MS, &plain);
	assert_int_not_equal(old, young);
	/* Both are in class 0 by now, the aged one behind: the third take finds class 1 empty. */
	assert_int_equal(hy_sched__dispatch_request_of(w.d, take(&w, 150 * MS, 0)), young);
	assert_int_equal(hy_sched__dispatch_request_of(w.d, take(&w, 150 * MS, 0)), aged);
	finish(&w);
}

static void a_deadline_that_cannot_be_met_is_refused(void **state)
{
	(void)state;
	world w;
	uint64_t predicted_ns;
	make(&w, 1, two_equal);
	const hy_sched__dispatch_ask soon = {.deadline_ns = 15 * MS};
	ask(&w, 0, &soon);
	assert_int_equal(hy_sched__dispatch_accept(w.d, 0, &soon, &w.request, &predicted_ns),
	                 HY_SCHED__DISPATCH_TOO_LATE);
	assert_in_range(predicted_ns, 19 * MS, 21 * MS);
	finish(&w);
}

static void a_request_ends_when_its_deadline_passes(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	ask(&w, 0, &(hy_sched__dispatch_ask){.deadline_ns = 15 * MS});
	assert_int_equal(hy_sched__dispatch_next_ns(w.d), 15 * MS + 1);
	hy_sched__dispatch_tick(w.d, 15 * MS);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	hy_sched__dispatch_tick(w.d, 15 * MS + 1);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_DEADLINE);
	finish(&w);
}

static void a_running_request_that_lends_memory_is_cancelled_when_it_comes_back(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	const uint32_t request = ask(&w, 0, &plain), attempt = take(&w, 0, 0);
	assert_true(hy_sched__dispatch_cancel(w.d, 0, request, hy_sched__dispatch_sequence(w.d, request)));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	assert_false(hy_sched__dispatch_done(w.d, MS, attempt, MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_CANCELLED);
	finish(&w);
}

static void a_cancel_of_an_earlier_use_of_the_number_does_nothing(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	const uint32_t first = ask(&w, 0, &plain);
	const uint64_t sequence = hy_sched__dispatch_sequence(w.d, first);
	hy_sched__dispatch_done(w.d, MS, take(&w, 0, 0), MS);
	deliver(&w);
	assert_int_equal(ask(&w, MS, &plain), first);
	assert_false(hy_sched__dispatch_cancel(w.d, MS, first, sequence));
	finish(&w);
}

static void a_lost_device_gives_its_request_to_the_others(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	const uint32_t request = ask(&w, 0, &plain), attempt = take(&w, 0, 0);
	hy_sched__dispatch_failed(w.d, MS, attempt, HY_SCOPE_DEVICE);
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_QUARANTINED);
	assert_int_equal(take(&w, MS, 0), HY_SCHED__DISPATCH_NONE);
	const uint32_t again = take(&w, MS, 1);
	assert_int_equal(hy_sched__dispatch_request_of(w.d, again), request);
	assert_true(hy_sched__dispatch_done(w.d, 2 * MS, again, MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	finish(&w);
}

static void a_failed_call_ends_its_request_alone(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	ask(&w, 0, &plain);
	hy_sched__dispatch_failed(w.d, MS, take(&w, 0, 0), HY_SCOPE_CALL);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ERROR);
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_LIVE);
	finish(&w);
}

static void without_any_lane_requests_end_and_new_ones_are_refused(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	ask(&w, 0, &plain);
	ask(&w, 0, &plain);
	hy_sched__dispatch_failed(w.d, MS, take(&w, 0, 0), HY_SCOPE_DEVICE);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ERROR);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ERROR);
	assert_int_equal(hy_sched__dispatch_accept(w.d, MS, &plain, &w.request, NULL), HY_SCHED__DISPATCH_NO_LANE);
	finish(&w);
}

static void probes_come_after_1_2_4_seconds_and_three_good_requests_make_a_lane_live(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	hy_sched__dispatch_lane_failed(w.d, 0, 0, HY_SCOPE_DEVICE);
	uint64_t now_ns = 0;
	for (uint64_t wait_s = 1; wait_s <= 4; wait_s *= 2) {
		now_ns += wait_s * SECOND;
		assert_int_equal(hy_sched__dispatch_next_ns(w.d), now_ns);
		hy_sched__dispatch_tick(w.d, now_ns);
		assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_PROBING);
		now_ns += 10 * SECOND; /* a probe that is dear */
		hy_sched__dispatch_lane_probed(w.d, now_ns, 0, wait_s == 4);
	}
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_RAMPING);
	for (int i = 0; i < 6; i++)
		ask(&w, now_ns, &plain);
	for (int i = 0; i < 3; i++) {
		const uint32_t attempt = take(&w, now_ns, 0);
		assert_int_not_equal(attempt, HY_SCHED__DISPATCH_NONE);
		assert_int_equal(take(&w, now_ns, 0), HY_SCHED__DISPATCH_NONE);
		hy_sched__dispatch_done(w.d, now_ns, attempt, 10 * MS);
	}
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_LIVE);
	finish(&w);
}

static void quick_probes_are_repeated_every_second_and_others_take_a_tenth_of_the_time(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	hy_sched__dispatch_lane_failed(w.d, 0, 0, HY_SCOPE_DEVICE);
	uint64_t now_ns = 0;
	for (int i = 0; i < 8; i++) {
		now_ns += SECOND;
		assert_int_equal(hy_sched__dispatch_next_ns(w.d), now_ns);
		hy_sched__dispatch_tick(w.d, now_ns);
		now_ns += MS;
		hy_sched__dispatch_lane_probed(w.d, now_ns, 0, false);
	}
	now_ns += SECOND;
	hy_sched__dispatch_tick(w.d, now_ns);
	now_ns += 500 * MS;
	hy_sched__dispatch_lane_probed(w.d, now_ns, 0, false);
	assert_int_equal(hy_sched__dispatch_next_ns(w.d), now_ns + 5 * SECOND);
	finish(&w);
}

static void an_overdue_idempotent_request_runs_elsewhere_and_its_late_result_is_dropped(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	ask(&w, 0, &idempotent);
	const uint32_t hangs = take(&w, 0, 0);
	hy_sched__dispatch_tick(w.d, hy_sched__dispatch_next_ns(w.d));
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_SUSPECT);
	const uint32_t again = take(&w, 200 * MS, 1);
	assert_true(hy_sched__dispatch_done(w.d, 210 * MS, again, 10 * MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	assert_false(hy_sched__dispatch_done(w.d, 300 * MS, hangs, 10 * MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_RAMPING);
	finish(&w);
}

static void an_overdue_request_that_lends_memory_starts_again_only_after_its_lane_is_abandoned(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	ask(&w, 0, &plain);
	take(&w, 0, 0);
	while (state_of(&w, 0) != HY_SCHED__DISPATCH_QUARANTINED)
		hy_sched__dispatch_tick(w.d, hy_sched__dispatch_next_ns(w.d));
	assert_int_equal(take(&w, 0, 1), HY_SCHED__DISPATCH_NONE);
	hy_sched__dispatch_lane_abandon(w.d, 0, 0);
	assert_true(hy_sched__dispatch_done(w.d, 0, take(&w, 0, 1), MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	finish(&w);
}

static void requests_wait_for_the_only_lane_when_it_is_late(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	ask(&w, 0, &plain);
	ask(&w, 0, &idempotent);
	const uint32_t late[] = {take(&w, 0, 0), take(&w, 0, 0)};
	while (state_of(&w, 0) != HY_SCHED__DISPATCH_QUARANTINED)
		hy_sched__dispatch_tick(w.d, hy_sched__dispatch_next_ns(w.d));
	ask(&w, 250 * MS, &plain);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	assert_true(hy_sched__dispatch_done(w.d, 300 * MS, late[0], 10 * MS));
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_RAMPING);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	hy_sched__dispatch_done(w.d, 310 * MS, late[1], 10 * MS);
	const uint32_t next = take(&w, 320 * MS, 0);
	assert_int_not_equal(next, HY_SCHED__DISPATCH_NONE);
	hy_sched__dispatch_tick(w.d, 320 * MS + 199 * MS); /* it was given 100 ms before */
	assert_true(state_of(&w, 0) != HY_SCHED__DISPATCH_SUSPECT);
	hy_sched__dispatch_tick(w.d, 320 * MS + 400 * MS);
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_SUSPECT);
	finish(&w);
}

static void a_lane_that_is_twice_as_slow_is_believed_after_a_few_requests(void **state)
{
	(void)state;
	world w;
	hy_sched__dispatch_event event;
	hy_sched__dispatch_lane_info info;
	uint64_t now_ns = 0;
	make(&w, 1, (const hy_sched__dispatch_lane[]){{.item_ns = 100 * MS}});
	for (int i = 0; i < 3; i++) {
		ask(&w, now_ns, &plain);
		const uint32_t attempt = take(&w, now_ns, 0);
		now_ns += 200 * MS;
		hy_sched__dispatch_done(w.d, now_ns, attempt, 200 * MS);
	}
	hy_sched__dispatch_lane_describe(w.d, 0, &info);
	assert_in_range(info.item_ns, 199 * MS, 201 * MS);
	assert_int_equal(info.drifts, 1);
	assert_true(hy_sched__dispatch_event_next(w.d, &event));
	assert_true(event.drifted && event.ratio > 1.9);
	assert_false(hy_sched__dispatch_event_next(w.d, &event));
	finish(&w);
}

static void a_new_plan_must_pay_back_and_comes_at_most_once_a_second(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	assert_false(hy_sched__dispatch_replan(w.d, 5 * SECOND, 0.5, 0)); /* nothing happened */
	hy_sched__dispatch_lane_failed(w.d, 5 * SECOND, 0, HY_SCOPE_DEVICE);
	assert_false(hy_sched__dispatch_replan(w.d, 5 * SECOND, 0.04, 0));
	assert_false(hy_sched__dispatch_replan(w.d, 5 * SECOND, 0.5, 6 * SECOND));
	assert_true(hy_sched__dispatch_replan(w.d, 5 * SECOND, 0.5, 4 * SECOND));
	hy_sched__dispatch_lane_lose(w.d, 5 * SECOND, 0);
	assert_false(hy_sched__dispatch_replan(w.d, 5 * SECOND + 1, 0.5, 0));
	assert_true(hy_sched__dispatch_replan(w.d, 6 * SECOND, 0.5, 0));
	finish(&w);
}

static void a_lane_with_a_dear_hand_over_takes_a_guided_chunk(void **state)
{
	(void)state;
	world w;
	make(&w, 2, (const hy_sched__dispatch_lane[]){{.item_ns = MS, .most = 32}, {.item_ns = MS}});
	for (int i = 0; i < 50; i++)
		ask(&w, 0, &plain);
	/* half of 50, over 2.5 */
	assert_int_equal(hy_sched__dispatch_take(w.d, 0, 0, 64, w.attempts), 10);
	assert_int_equal(hy_sched__dispatch_take(w.d, 0, 1, 64, w.attempts), 1);
	finish(&w);
}

static void an_idle_lane_steals_the_later_half_that_has_not_begun(void **state)
{
	(void)state;
	world w;
	uint32_t victim, stolen[8];
	make(&w, 2, (const hy_sched__dispatch_lane[]){{.item_ns = MS, .most = 32}, {.item_ns = MS}});
	hy_sched__dispatch_lane_lose(w.d, 0, 1);
	for (int i = 0; i < 5; i++)
		ask(&w, 0, &plain);
	while (hy_sched__dispatch_take(w.d, 0, 0, 5, w.attempts) > 0) {
	}
	hy_sched__dispatch_lane_join(w.d, 0, 1, 0);
	for (int i = 0; i < 3; i++) { /* until it is live */
		ask(&w, 0, &plain);
		hy_sched__dispatch_done(w.d, 0, take(&w, 0, 1), MS);
	}
	const uint32_t first = hy_sched__dispatch_first_attempt(w.d, 0);
	hy_sched__dispatch_begun(w.d, 0, first);
	assert_int_equal(hy_sched__dispatch_steal(w.d, 0, 1, 8, stolen, &victim), 2);
	assert_int_equal(victim, 0);
	uint32_t more[8];
	assert_int_equal(hy_sched__dispatch_steal(w.d, 0, 1, 8, more, &victim), 0); /* one at a time */
	hy_sched__dispatch_recalled(w.d, 0, stolen[0], false);
	hy_sched__dispatch_recalled(w.d, 0, stolen[1], true);
	assert_int_not_equal(take(&w, 0, 1), HY_SCHED__DISPATCH_NONE);
	finish(&w);
}

static void an_idle_fast_lane_runs_the_last_request_of_a_slow_one_again(void **state)
{
	(void)state;
	world w;
	const hy_sched__dispatch_options options = {
		.room = 64, .lane_count = 2, .lanes = fast_and_slow, .flags = HY_SCHED__DISPATCH_BACKUP};
	EXPECT_OK(hy_sched__dispatch_create(&options, &w.d, &error));
	hy_sched__dispatch_lane_failed(w.d, 0, 0, HY_SCOPE_QUEUE);
	ask(&w, 0, &idempotent);
	const uint32_t slow = take(&w, 0, 1);
	hy_sched__dispatch_lane_probed(w.d, 0, 0, true);
	for (int i = 0; i < 3; i++) {
		ask(&w, 0, &idempotent);
		hy_sched__dispatch_done(w.d, 0, take(&w, 0, 0), 10 * MS);
	}
	const uint32_t fast = take(&w, 0, 0);
	assert_int_equal(hy_sched__dispatch_request_of(w.d, fast), hy_sched__dispatch_request_of(w.d, slow));
	assert_true(hy_sched__dispatch_done(w.d, 10 * MS, fast, 10 * MS));
	assert_int_equal(hy_sched__dispatch_request_of(w.d, slow), HY_SCHED__DISPATCH_NONE);
	assert_false(hy_sched__dispatch_done(w.d, 1000 * MS, slow, 1000 * MS));
	finish(&w);
}

static void a_claimed_result_cannot_be_cancelled_or_beaten(void **state)
{
	(void)state;
	world w;
	make(&w, 2, two_equal);
	const uint32_t request = ask(&w, 0, &idempotent), hangs = take(&w, 0, 0);
	hy_sched__dispatch_tick(w.d, SECOND / 10);
	const uint32_t again = take(&w, SECOND / 5, 1);
	assert_int_not_equal(again, HY_SCHED__DISPATCH_NONE);
	assert_true(hy_sched__dispatch_claim(w.d, hangs));
	assert_false(hy_sched__dispatch_claim(w.d, again));
	assert_false(hy_sched__dispatch_cancel(w.d, 0, request, hy_sched__dispatch_sequence(w.d, request)));
	assert_false(hy_sched__dispatch_done(w.d, SECOND, again, MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	assert_true(hy_sched__dispatch_done(w.d, SECOND, hangs, MS));
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_OK);
	finish(&w);
}

static void a_deadline_at_the_end_of_time_is_none(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	ask(&w, 0, &(hy_sched__dispatch_ask){.deadline_ns = UINT64_MAX});
	ask(&w, 0, &(hy_sched__dispatch_ask){.deadline_ns = UINT64_MAX - 1});
	hy_sched__dispatch_tick(w.d, SECOND);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	assert_null(hy_sched__dispatch_check(w.d));
	finish(&w);
}

static void a_lane_that_answers_once_and_hangs_on_is_found_out_again(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	ask(&w, 0, &plain);
	ask(&w, 0, &plain);
	const uint32_t late = take(&w, 0, 0);
	take(&w, 0, 0);
	uint64_t now_ns = 0;
	while (state_of(&w, 0) != HY_SCHED__DISPATCH_QUARANTINED)
		hy_sched__dispatch_tick(w.d, now_ns = hy_sched__dispatch_next_ns(w.d));
	hy_sched__dispatch_tick(w.d, now_ns += SECOND / 10);
	assert_true(hy_sched__dispatch_done(w.d, now_ns, late, 10 * MS));
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_RAMPING);
	for (int i = 0; i < 8 && state_of(&w, 0) != HY_SCHED__DISPATCH_QUARANTINED; i++)
		hy_sched__dispatch_tick(w.d, hy_sched__dispatch_next_ns(w.d));
	assert_int_equal(state_of(&w, 0), HY_SCHED__DISPATCH_QUARANTINED);
	finish(&w);
}

static void a_claimed_result_outlives_the_end_of_patience(void **state)
{
	(void)state;
	world w;
	make(&w, 1, two_equal);
	ask(&w, 0, &idempotent);
	const uint32_t attempt = take(&w, 0, 0);
	hy_sched__dispatch_tick(w.d, hy_sched__dispatch_next_ns(w.d));
	assert_true(hy_sched__dispatch_claim(w.d, attempt));
	hy_sched__dispatch_lane_lose(w.d, SECOND, 0);
	assert_int_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	hy_sched__dispatch_done(w.d, SECOND, attempt, MS);
	assert_int_not_equal(deliver(&w), HY_SCHED__DISPATCH_ENDS);
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_request_that_is_taken_and_done_is_delivered_ok),
		CASE(a_slow_lane_takes_none_of_the_last_requests),
		CASE(deliveries_keep_the_order_of_acceptance_within_a_class),
		CASE(classes_share_by_weight),
		CASE(a_request_that_waited_long_moves_up),
		CASE(a_deadline_that_cannot_be_met_is_refused),
		CASE(a_request_ends_when_its_deadline_passes),
		CASE(a_running_request_that_lends_memory_is_cancelled_when_it_comes_back),
		CASE(a_cancel_of_an_earlier_use_of_the_number_does_nothing),
		CASE(a_lost_device_gives_its_request_to_the_others),
		CASE(a_failed_call_ends_its_request_alone),
		CASE(without_any_lane_requests_end_and_new_ones_are_refused),
		CASE(probes_come_after_1_2_4_seconds_and_three_good_requests_make_a_lane_live),
		CASE(quick_probes_are_repeated_every_second_and_others_take_a_tenth_of_the_time),
		CASE(an_overdue_idempotent_request_runs_elsewhere_and_its_late_result_is_dropped),
		CASE(an_overdue_request_that_lends_memory_starts_again_only_after_its_lane_is_abandoned),
		CASE(requests_wait_for_the_only_lane_when_it_is_late),
		CASE(a_lane_that_is_twice_as_slow_is_believed_after_a_few_requests),
		CASE(a_new_plan_must_pay_back_and_comes_at_most_once_a_second),
		CASE(a_lane_with_a_dear_hand_over_takes_a_guided_chunk),
		CASE(an_idle_lane_steals_the_later_half_that_has_not_begun),
		CASE(an_idle_fast_lane_runs_the_last_request_of_a_slow_one_again),
		CASE(a_claimed_result_cannot_be_cancelled_or_beaten),
		CASE(a_deadline_at_the_end_of_time_is_none),
		CASE(a_lane_that_answers_once_and_hangs_on_is_found_out_again),
		CASE(a_claimed_result_outlives_the_end_of_patience),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
