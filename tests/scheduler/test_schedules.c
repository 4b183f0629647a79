/* Random schedules with faults in virtual time, judged by a ledger of their own: every accepted request is delivered
 * once, in the order of its class, for a reason that was seen, and there is always a next step.
 *
 *     test_schedules [--schedules N] [--seed S]    schedule i has seed S + i; a failure prints the seed that replays it */
#include "test.h"

#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define NEVER UINT64_MAX
#define NONE UINT32_MAX

enum { LANES = 5, REQUESTS = 48, ROOM = 24, ATTEMPTS = LANES * 16, STEPS = 100000 };

typedef enum fate { GOES_WELL, FAILS_CALL, FAILS_QUEUE, FAILS_DEVICE, HANGS, FATES } fate;

typedef struct seen {
	uint64_t sequence, deadline_ns;
	uint32_t priority, out; /* attempts in our hands */
	bool idempotent, cancelled, won, failed, delivered;
} seen;

typedef struct work {
	bool used, recalled;
	uint64_t end_ns;
	fate fate;
	uint32_t lane, who; /* index of seen */
} work;

typedef struct lane_world {
	uint32_t first, most, depth;
	uint64_t item_ns, probe_ns, abandon_ns, join_ns, lose_ns;
	bool dead; /* probes fail until it joins */
} lane_world;

typedef struct schedule {
	hy_sched__dispatch *d;
	uint64_t random, now_ns, next_ask_ns;
	uint32_t lane_count, asked, wanted, delivered, refused, fault_percent, faults_left;
	lane_world lanes[LANES];
	work works[ATTEMPTS];
	uint32_t attempt_count;
	seen requests[REQUESTS];
	uint32_t who_has[ROOM]; /* request number to index of seen */
	uint64_t last_of_class[HY_SCHED__DISPATCH_CLASSES];
	bool lane_was_missing, steals;
	const char *broken;
} schedule;

static uint64_t draw(schedule *s)
{
	uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t below(schedule *s, uint64_t limit)
{
	return draw(s) % limit;
}

static bool chance(schedule *s, uint32_t percent)
{
	return below(s, 100) < percent;
}

static void broken(schedule *s, const char *what)
{
	if (s->broken == NULL) s->broken = what;
}

/* ---- what the world does ---- */

static void make(schedule *s, uint64_t seed)
{
	hy_error error;
	hy_sched__dispatch_lane lanes[LANES] = {{0}};
	memset(s, 0, sizeof(*s));
	s->random = seed;
	s->lane_count = 1 + (uint32_t)below(s, LANES);
	s->wanted = 1 + (uint32_t)below(s, REQUESTS);
	s->fault_percent = chance(s, 20) ? 0 : (uint32_t)below(s, 40);
	s->faults_left = 20;
	s->steals = chance(s, 70);
	for (uint32_t l = 0; l < s->lane_count; l++) {
		lane_world *lane = &s->lanes[l];
		lane->item_ns = 1 + below(s, chance(s, 50) ? 5 * MS : 300 * MS);
		lane->depth = 1 + (uint32_t)below(s, 3);
		lane->most = chance(s, 30) ? lane->depth + 1 + (uint32_t)below(s, 12) : lane->depth;
		lane->probe_ns = lane->abandon_ns = NEVER;
		lane->lose_ns = chance(s, 10) ? below(s, 1000 * MS) : NEVER;
		lane->join_ns = lane->lose_ns == NEVER ? NEVER : lane->lose_ns + below(s, 1000 * MS);
		lanes[l] = (hy_sched__dispatch_lane){.item_ns = lane->item_ns * (70 + below(s, 60)) / 100,
		                                     .bottleneck = chance(s, 80) ? 1 : 0.5,
		                                     .depth = lane->depth,
		                                     .most = lane->most,
		                                     .overhead_ns = below(s, MS),
		                                     .transfer_ns = below(s, MS),
		                                     .absent = chance(s, 5)};
		if (lanes[l].absent) lane->join_ns = below(s, 500 * MS);
		s->lane_was_missing |= lanes[l].absent;
	}
	const hy_sched__dispatch_options options = {.room = 1 + (uint32_t)below(s, ROOM),
	                                            .lane_count = s->lane_count,
	                                            .lanes = lanes,
	                                            .flags = chance(s, 50) ? HY_SCHED__DISPATCH_BACKUP : 0,
	                                            .age_ns = chance(s, 50) ? below(s, 50 * MS) : 0,
	                                            .patience_ns = chance(s, 50) ? below(s, 5000 * MS) : 0};
	EXPECT_OK(hy_sched__dispatch_create(&options, &s->d, &error));
	for (uint32_t l = 0; l < s->lane_count; l++) {
		s->lanes[l].first = hy_sched__dispatch_first_attempt(s->d, l);
		s->attempt_count += s->lanes[l].most;
	}
}

static void ask(schedule *s)
{
	uint32_t request = NONE;
	seen *new = &s->requests[s->asked];
	const hy_sched__dispatch_ask what = {.priority = (uint32_t)below(s, HY_SCHED__DISPATCH_CLASSES),
	                                     .deadline_ns = chance(s, 25) ? s->now_ns + 1 + below(s, 2000 * MS) : 0,
	                                     .idempotent = chance(s, 60)};
	s->next_ask_ns = s->now_ns + (chance(s, 50) ? 0 : below(s, 50 * MS));
	const hy_sched__dispatch_answer answer = hy_sched__dispatch_accept(s->d, s->now_ns, &what, &request, NULL);
	if (answer == HY_SCHED__DISPATCH_FULL) return;
	*new = (seen){.deadline_ns = what.deadline_ns, .priority = what.priority, .idempotent = what.idempotent};
	s->asked++;
	if (answer != HY_SCHED__DISPATCH_ACCEPTED) {
		if (answer == HY_SCHED__DISPATCH_TOO_LATE && what.deadline_ns == 0)
			broken(s, "refused without a deadline");
		if (answer == HY_SCHED__DISPATCH_NO_LANE && !s->lane_was_missing)
			broken(s, "refused with all lanes well");
		new->delivered = true;
		s->refused++;
		return;
	}
	new->sequence = hy_sched__dispatch_sequence(s->d, request);
	s->who_has[request] = s->asked - 1;
}

static void cancel_some(schedule *s)
{
	if (s->asked == 0) return;
	const uint32_t who = (uint32_t)below(s, s->asked);
	for (uint32_t r = 0; r < ROOM; r++) {
		if (s->who_has[r] != who || s->requests[who].sequence == 0) continue;
		if (!hy_sched__dispatch_cancel(s->d, s->now_ns, r, s->requests[who].sequence)) continue;
		if (s->requests[who].delivered) broken(s, "a delivered request was cancelled");
		s->requests[who].cancelled = true;
	}
}

static void started(schedule *s, uint32_t lane, uint32_t attempt)
{
	work *one = &s->works[attempt];
	const uint32_t request = hy_sched__dispatch_request_of(s->d, attempt);
	if (one->used) broken(s, "an attempt was handed out twice");
	if (attempt < s->lanes[lane].first || attempt >= s->lanes[lane].first + s->lanes[lane].most)
		broken(s, "an attempt of another lane");
	*one = (work){.used = true, .lane = lane, .who = s->who_has[request]};
	uint64_t ns = s->lanes[lane].item_ns * (50 + below(s, 100)) / 100;
	if (s->faults_left > 0 && chance(s, s->fault_percent)) {
		s->faults_left--;
		one->fate = (fate)below(s, FATES);
		if (one->fate == GOES_WELL) ns *= 1 + below(s, 50); /* late */
	}
	uint64_t free_ns = s->now_ns; /* lanes work on one at a time */
	for (uint32_t a = s->lanes[lane].first; a < s->lanes[lane].first + s->lanes[lane].most; a++)
		if (s->works[a].used && a != attempt && s->works[a].end_ns != NEVER && s->works[a].end_ns > free_ns)
			free_ns = s->works[a].end_ns;
	one->end_ns = one->fate == HANGS ? NEVER : free_ns + ns;
	seen *who = &s->requests[one->who];
	who->out++;
	if (who->out > 1 && !who->idempotent) broken(s, "a request that must run once at a time runs twice");
	if (who->delivered) broken(s, "a delivered request was started");
	if (s->lanes[lane].most > s->lanes[lane].depth && free_ns == s->now_ns)
		hy_sched__dispatch_begun(s->d, s->now_ns, attempt);
}

static void over(schedule *s, uint32_t attempt)
{
	static const hy_scope scopes[] = {
		[FAILS_CALL] = HY_SCOPE_CALL, [FAILS_QUEUE] = HY_SCOPE_QUEUE, [FAILS_DEVICE] = HY_SCOPE_DEVICE};
	work *one = &s->works[attempt];
	seen *who = &s->requests[one->who];
	const bool wanted = hy_sched__dispatch_request_of(s->d, attempt) != NONE;
	one->used = false;
	who->out--;
	if (one->fate == GOES_WELL) {
		if (chance(s, 30)) hy_sched__dispatch_claim(s->d, attempt);
		const bool won = hy_sched__dispatch_done(s->d, s->now_ns, attempt,
		                                         chance(s, 80) ? s->lanes[one->lane].item_ns : 0);
		if (won && (who->won || !wanted)) broken(s, "a request was won twice");
		if (won) who->won = true;
		if (chance(s, 10) && hy_sched__dispatch_done(s->d, s->now_ns, attempt, 0))
			broken(s, "a completion counted twice");
		return;
	}
	who->failed = true;
	if (one->fate == FAILS_DEVICE) s->lanes[one->lane].dead = chance(s, 50);
	if (one->fate != FAILS_CALL) s->lane_was_missing = true;
	hy_sched__dispatch_failed(s->d, s->now_ns, attempt, scopes[one->fate]);
}

static void abandon(schedule *s, uint32_t lane)
{
	for (uint32_t a = s->lanes[lane].first; a < s->lanes[lane].first + s->lanes[lane].most; a++) {
		if (!s->works[a].used) continue;
		s->works[a].used = false;
		s->requests[s->works[a].who].out--;
		s->requests[s->works[a].who].failed = true;
	}
	hy_sched__dispatch_lane_abandon(s->d, s->now_ns, lane);
}

static void watch_lanes(schedule *s)
{
	hy_sched__dispatch_event event;
	while (hy_sched__dispatch_event_next(s->d, &event)) {
		lane_world *lane = &s->lanes[event.lane];
		if (event.state > HY_SCHED__DISPATCH_RAMPING) s->lane_was_missing = true;
		if (event.state == HY_SCHED__DISPATCH_PROBING) lane->probe_ns = s->now_ns + below(s, 10 * MS);
		if (event.state == HY_SCHED__DISPATCH_QUARANTINED) lane->abandon_ns = s->now_ns + below(s, 3000 * MS);
		if (event.state == HY_SCHED__DISPATCH_LOST) lane->abandon_ns = s->now_ns + below(s, 100 * MS);
	}
}

static void fates_of_lanes(schedule *s)
{
	for (uint32_t l = 0; l < s->lane_count; l++) {
		lane_world *lane = &s->lanes[l];
		if (lane->probe_ns <= s->now_ns) {
			lane->probe_ns = NEVER;
			if (!lane->dead || chance(s, 30)) lane->dead = false;
			hy_sched__dispatch_lane_probed(s->d, s->now_ns, l, !lane->dead);
		}
		if (lane->abandon_ns <= s->now_ns) {
			lane->abandon_ns = NEVER;
			abandon(s, l);
		}
		if (lane->lose_ns <= s->now_ns) {
			lane->lose_ns = NEVER;
			s->lane_was_missing = true;
			hy_sched__dispatch_lane_lose(s->d, s->now_ns, l);
		}
		if (lane->join_ns <= s->now_ns && lane->lose_ns == NEVER) {
			lane->join_ns = NEVER;
			hy_sched__dispatch_lane_join(s->d, s->now_ns, l, chance(s, 50) ? lane->item_ns : 0);
		}
	}
}

static void hand_out(schedule *s)
{
	uint32_t attempts[16], victim, count;
	for (uint32_t l = 0; l < s->lane_count; l++) {
		if (chance(s, 5)) continue; /* a thread that is slow to wake: it asks at the next step */
		const bool wants = hy_sched__dispatch_wants(s->d, s->now_ns, l);
		count = hy_sched__dispatch_take(s->d, s->now_ns, l, 1 + (uint32_t)below(s, 16), attempts);
		if (!wants && count > 0) broken(s, "a lane took that wants nothing");
		for (uint32_t i = 0; i < count; i++)
			started(s, l, attempts[i]);
		if (count > 0 || !s->steals) continue;
		count = hy_sched__dispatch_steal(s->d, s->now_ns, l, 16, attempts, &victim);
		for (uint32_t i = 0; i < count; i++) {
			const bool returned = chance(s, 80);
			if (returned) {
				s->works[attempts[i]].used = false;
				s->requests[s->works[attempts[i]].who].out--;
			}
			hy_sched__dispatch_recalled(s->d, s->now_ns, attempts[i], returned);
		}
	}
}

static void deliver(schedule *s)
{
	uint32_t request;
	hy_sched__dispatch_end end;
	while (hy_sched__dispatch_deliver(s->d, &request, &end)) {
		seen *who = &s->requests[s->who_has[request]];
		if (who->delivered) broken(s, "a request was delivered twice");
		who->delivered = true;
		s->delivered++;
		if (who->sequence <= s->last_of_class[who->priority]) broken(s, "a class was delivered out of order");
		s->last_of_class[who->priority] = who->sequence;
		if (who->out > 0 && !who->idempotent) broken(s, "delivered while an attempt writes its memory");
		if ((end == HY_SCHED__DISPATCH_OK) != who->won) broken(s, "OK and the result don't agree");
		if ((end == HY_SCHED__DISPATCH_CANCELLED) != who->cancelled)
			broken(s, "cancelled without or in spite of it");
		if (end == HY_SCHED__DISPATCH_DEADLINE && who->deadline_ns == 0) broken(s, "a deadline that it hasn't");
		if (end == HY_SCHED__DISPATCH_ERROR && !who->failed && !s->lane_was_missing)
			broken(s, "an error that nobody saw");
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When something happens next; NEVER: nothing will. */
static uint64_t next_of(const schedule *s)
{
	uint64_t next = hy_sched__dispatch_next_ns(s->d);
	if (s->asked < s->wanted) next = sooner(next, s->next_ask_ns);
	for (uint32_t a = 0; a < s->attempt_count; a++)
		if (s->works[a].used) next = sooner(next, s->works[a].end_ns);
	for (uint32_t l = 0; l < s->lane_count; l++) {
		const lane_world *lane = &s->lanes[l];
		next = sooner(next, sooner(sooner(lane->probe_ns, lane->abandon_ns), lane->lose_ns));
		if (lane->lose_ns == NEVER) next = sooner(next, lane->join_ns);
	}
	return next;
}

static void step(schedule *s)
{
	for (uint32_t a = 0; a < s->attempt_count; a++)
		if (s->works[a].used && s->works[a].end_ns <= s->now_ns) over(s, a);
	hy_sched__dispatch_tick(s->d, s->now_ns);
	fates_of_lanes(s);
	while (s->asked < s->wanted && s->next_ask_ns <= s->now_ns) {
		const uint32_t before = s->asked;
		ask(s);
		if (s->asked == before) {
			s->next_ask_ns = s->now_ns + 20 * MS;
			break;
		}
	}
	if (chance(s, 3)) cancel_some(s);
	hand_out(s);
	watch_lanes(s);
	deliver(s);
	if (s->broken == NULL && chance(s, 10)) s->broken = hy_sched__dispatch_check(s->d);
}

/* NULL, or what was broken. */
static const char *play(uint64_t seed)
{
	static schedule s;
	make(&s, seed);
	for (uint32_t i = 0; s.broken == NULL && s.delivered + s.refused < s.wanted; i++) {
		uint64_t next = next_of(&s);
		if (next == NEVER && i > 0) {
			/* Lanes that were slow to wake get one more turn, then nothing moves for good. */
			for (uint32_t turns = 0; turns < 20; turns++)
				hand_out(&s);
			if (next_of(&s) == NEVER) broken(&s, "deadlock: requests are left and nothing will happen");
			continue;
		}
		if (i > STEPS) broken(&s, "endless: too many steps");
		if (next > s.now_ns) s.now_ns = chance(&s, 90) ? next : next + below(&s, 5 * MS);
		step(&s);
	}
	if (s.broken == NULL) s.broken = hy_sched__dispatch_check(s.d);
	hy_sched__dispatch_counts counts;
	hy_sched__dispatch_count(s.d, &counts);
	if (s.broken == NULL && counts.delivered != counts.accepted) s.broken = "accepted and delivered differ";
	hy_sched__dispatch_destroy(s.d);
	return s.broken;
}

static uint64_t schedules = 10000, first_seed = 1;

static void every_accepted_request_ends_exactly_once_in_random_schedules_with_faults(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < schedules; i++) {
		const char *what = play(first_seed + i);
		if (what != NULL)
			fail_msg("%s; replay with --schedules 1 --seed %llu", what,
			         (unsigned long long)(first_seed + i));
	}
	print_message("%llu schedules from seed %llu on\n", (unsigned long long)schedules,
	              (unsigned long long)first_seed);
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--schedules") == 0) schedules = strtoull(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--seed") == 0) first_seed = strtoull(argv[i + 1], NULL, 10);
	}
	const struct CMUnitTest cases[] = {
		CASE(every_accepted_request_ends_exactly_once_in_random_schedules_with_faults),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
