/* Lanes: how fast they are, whether they are trusted, and when a lost one is tried again. */
#include "dispatch_state.h"

#define SECOND_NS UINT64_C(1000000000)
#define LONGEST_BACK_OFF_S 60u
#define RAMP 3u /* good requests until a lane is LIVE */
#define LEAST_WEIGHT (1.0 / 16) /* of a new sample */
#define BAND_LOW 0.85
#define BAND_HIGH 1.18
#define STREAK 3u
#define MOST_ALARMS 6u
#define SAMPLES_OF_A_DEVIATION 8u
#define STREAK_NS 200000000u

bool hy_sched__dispatch_lane_usable(const lane_slot *lane)
{
	return lane->state == HY_SCHED__DISPATCH_LIVE || lane->state == HY_SCHED__DISPATCH_RAMPING;
}

static void tell(hy_sched__dispatch *d, uint32_t l)
{
	lane_slot *lane = &d->lanes[l];
	d->changed = true;
	if (lane->is_dirty) return;
	lane->is_dirty = true;
	lane->next_dirty = NONE;
	if (d->first_dirty == NONE)
		d->first_dirty = l;
	else
		d->lanes[d->last_dirty].next_dirty = l;
	d->last_dirty = l;
}

static void find_rate(hy_sched__dispatch *d)
{
	d->rate = 0;
	for (uint32_t l = 0; l < d->lane_count; l++)
		if (hy_sched__dispatch_lane_usable(&d->lanes[l])) d->rate += 1 / d->lanes[l].item_ns;
}

/* ---- hope ---- */

static bool hopeful(const hy_sched__dispatch *d)
{
	for (uint32_t l = 0; l < d->lane_count; l++) {
		const hy_sched__dispatch_state state = d->lanes[l].state;
		if (hy_sched__dispatch_lane_usable(&d->lanes[l]) || state == HY_SCHED__DISPATCH_SUSPECT ||
		    state == HY_SCHED__DISPATCH_PROBING || d->lanes[l].hung)
			return true;
	}
	return false;
}

void hy_sched__dispatch_lane_patience(hy_sched__dispatch *d)
{
	d->hopeless = true;
	for (uint32_t r = 0; r < d->room; r++) {
		const request_slot *slot = &d->requests[r];
		const bool stuck = slot->state == RUNS && slot->idempotent && slot->claimed_by == NONE;
		if (slot->state == WAITS || stuck) hy_sched__dispatch_queue_end_soon(d, r, HY_SCHED__DISPATCH_ERROR);
	}
}

void hy_sched__dispatch_lane_hope(hy_sched__dispatch *d)
{
	if (hopeful(d)) {
		const bool was_hopeless = d->hopeless;
		d->hopeless = false;
		hy_sched__dispatch_timers_set(&d->timers, patience_key(d), NEVER);
		for (uint32_t l = 0; was_hopeless && l < d->lane_count; l++)
			if (!hy_sched__dispatch_lane_usable(&d->lanes[l])) hy_sched__dispatch_lane_release(d, l);
		return;
	}
	if (d->hopeless) return;
	if (d->patience_ns == 0)
		hy_sched__dispatch_lane_patience(d);
	else if (d->timers.at[patience_key(d)] == NONE)
		hy_sched__dispatch_timers_set(&d->timers, patience_key(d), d->now_ns + d->patience_ns);
}

/* ---- states ---- */

void hy_sched__dispatch_lane_release(hy_sched__dispatch *d, uint32_t l)
{
	for (uint32_t a = d->lanes[l].oldest; a != NONE; a = d->attempts[a].next) {
		const uint32_t request = d->attempts[a].request;
		if (request == NONE || d->requests[request].state != RUNS) continue;
		const uint64_t replays = d->replays;
		hy_sched__dispatch_attempt_again(d, request, false);
		d->lanes[l].replayed += d->replays - replays;
	}
}

/* After 1, 2, 4 .. 60 s; but a probe that failed quickly is worth repeating every second: probing takes a tenth of the
 * time at most. */
static uint64_t back_off_ns(hy_sched__dispatch *d, lane_slot *lane, bool probed)
{
	const uint32_t seconds = lane->probe_count < 6 ? 1u << lane->probe_count : LONGEST_BACK_OFF_S;
	const uint64_t cheap_ns = 10 * (d->now_ns - lane->probing_since_ns), ns = seconds * SECOND_NS;
	lane->probe_count++;
	if (!probed || cheap_ns >= ns) return ns;
	return cheap_ns > SECOND_NS ? cheap_ns : SECOND_NS;
}

void hy_sched__dispatch_lane_set(hy_sched__dispatch *d, uint32_t l, hy_sched__dispatch_state state)
{
	lane_slot *lane = &d->lanes[l];
	uint64_t due_ns = NEVER;
	const bool probed = lane->state == HY_SCHED__DISPATCH_PROBING;
	lane->state = state;
	lane->hung = lane->hung && state == HY_SCHED__DISPATCH_QUARANTINED;
	tell(d, l);
	if (state == HY_SCHED__DISPATCH_PROBING) lane->probing_since_ns = d->now_ns;
	if (state == HY_SCHED__DISPATCH_QUARANTINED) due_ns = d->now_ns + back_off_ns(d, lane, probed);
	if (state == HY_SCHED__DISPATCH_LIVE) lane->probe_count = 0;
	if (state == HY_SCHED__DISPATCH_RAMPING) lane->ramp_left = RAMP;
	lane->streak = 0;
	hy_sched__dispatch_timers_set(&d->timers, lane_key(d, l), due_ns);
	find_rate(d);
	hy_sched__dispatch_lane_hope(d);
	if (!hy_sched__dispatch_lane_usable(lane)) hy_sched__dispatch_lane_release(d, l);
}

/* What else it has in hand may hang for good: it gets its time once more. */
static void watch_again(hy_sched__dispatch *d, const lane_slot *lane)
{
	for (uint32_t a = lane->oldest; a != NONE; a = d->attempts[a].next) {
		attempt_slot *attempt = &d->attempts[a];
		if (!attempt->overdue) continue;
		attempt->overdue = false;
		attempt->due_ns = d->now_ns + attempt->allowed_ns;
		hy_sched__dispatch_timers_set(&d->timers, attempt_key(d, a), attempt->due_ns);
	}
}

void hy_sched__dispatch_lane_answers(hy_sched__dispatch *d, uint32_t l)
{
	lane_slot *lane = &d->lanes[l];
	if (lane->state != HY_SCHED__DISPATCH_SUSPECT && !lane->hung) return;
	if (lane->alarms < MOST_ALARMS) lane->alarms++;
	watch_again(d, lane);
	hy_sched__dispatch_lane_set(d, l, HY_SCHED__DISPATCH_RAMPING);
}

void hy_sched__dispatch_lane_due(hy_sched__dispatch *d, uint32_t l)
{
	if (d->lanes[l].state == HY_SCHED__DISPATCH_QUARANTINED)
		hy_sched__dispatch_lane_set(d, l, HY_SCHED__DISPATCH_PROBING);
}

void hy_sched__dispatch_lane_failed(hy_sched__dispatch *d, uint64_t now_ns, uint32_t l, hy_scope scope)
{
	lane_slot *lane = &d->lanes[l];
	if (now_ns > d->now_ns) d->now_ns = now_ns;
	if (!hy_sched__dispatch_lane_usable(lane) && lane->state != HY_SCHED__DISPATCH_SUSPECT) return;
	if (scope <= HY_SCOPE_QUEUE && lane->probe_count == 0) {
		lane->probe_count = 1;
		hy_sched__dispatch_lane_set(d, l, HY_SCHED__DISPATCH_PROBING);
		return;
	}
	hy_sched__dispatch_lane_set(d, l, HY_SCHED__DISPATCH_QUARANTINED);
}

void hy_sched__dispatch_lane_abandon(hy_sched__dispatch *d, uint64_t now_ns, uint32_t l)
{
	lane_slot *lane = &d->lanes[l];
	if (now_ns > d->now_ns) d->now_ns = now_ns;
	while (lane->oldest != NONE) {
		const uint64_t replays = d->replays;
		const uint32_t request = hy_sched__dispatch_attempt_over(d, lane->oldest);
		lane->failed++;
		if (request != NONE) hy_sched__dispatch_attempt_again(d, request, true);
		lane->replayed += d->replays - replays;
	}
	if (lane->state == HY_SCHED__DISPATCH_SUSPECT) hy_sched__dispatch_lane_set(d, l, HY_SCHED__DISPATCH_PROBING);
}

void hy_sched__dispatch_lane_probed(hy_sched__dispatch *d, uint64_t now_ns, uint32_t l, bool works)
{
	if (now_ns > d->now_ns) d->now_ns = now_ns;
	if (d->lanes[l].state != HY_SCHED__DISPATCH_PROBING) return;
	const bool free = works && d->lanes[l].in_hand == 0;
	hy_sched__dispatch_lane_set(d, l, free ? HY_SCHED__DISPATCH_RAMPING : HY_SCHED__DISPATCH_QUARANTINED);
}

void hy_sched__dispatch_lane_lose(hy_sched__dispatch *d, uint64_t now_ns, uint32_t l)
{
	if (now_ns > d->now_ns) d->now_ns = now_ns;
	if (d->lanes[l].state != HY_SCHED__DISPATCH_LOST) hy_sched__dispatch_lane_set(d, l, HY_SCHED__DISPATCH_LOST);
}

void hy_sched__dispatch_lane_join(hy_sched__dispatch *d, uint64_t now_ns, uint32_t l, uint64_t item_ns)
{
	lane_slot *lane = &d->lanes[l];
	if (now_ns > d->now_ns) d->now_ns = now_ns;
	if (hy_sched__dispatch_lane_usable(lane) || lane->state == HY_SCHED__DISPATCH_SUSPECT) return;
	if (item_ns > 0) hy_sched__dispatch_lane_predict(d, l, item_ns);
	lane->probe_count = 0;
	hy_sched__dispatch_lane_set(d, l,
	                            lane->in_hand == 0 ? HY_SCHED__DISPATCH_RAMPING : HY_SCHED__DISPATCH_QUARANTINED);
}

/* ---- predictions ---- */

void hy_sched__dispatch_lane_predict(hy_sched__dispatch *d, uint32_t l, uint64_t item_ns)
{
	lane_slot *lane = &d->lanes[l];
	if (item_ns > MOST_ITEM_NS) item_ns = MOST_ITEM_NS;
	lane->told.item_ns = item_ns > 0 ? item_ns : 1;
	lane->item_ns = lane->predicted_ns = (double)lane->told.item_ns;
	lane->deviation_ns = lane->item_ns / 10;
	lane->samples = 0;
	lane->streak = 0;
	find_rate(d);
}

double hy_sched__dispatch_lane_latency_ns(const lane_slot *lane)
{
	return lane->item_ns / lane->told.bottleneck;
}

double hy_sched__dispatch_lane_free_ns(const hy_sched__dispatch *d, const lane_slot *lane)
{
	if (lane->in_hand == 0) return 0;
	double first = lane->item_ns;
	if (!lane->told.foreign_clock) {
		/* One that is late already is expected to need its usual deviation more. */
		const double least = lane->deviation_ns < first ? lane->deviation_ns : first;
		first -= (double)(d->now_ns - lane->since_ns);
		if (first < least) first = least;
	}
	return first + (lane->in_hand - 1) * lane->item_ns;
}

double hy_sched__dispatch_lane_finish_ns(const hy_sched__dispatch *d, uint32_t more)
{
	double low = 0, high = -1;
	for (uint32_t l = 0; l < d->lane_count; l++) {
		const lane_slot *lane = &d->lanes[l];
		if (!hy_sched__dispatch_lane_usable(lane)) continue;
		const double alone = hy_sched__dispatch_lane_free_ns(d, lane) +
		                     hy_sched__dispatch_lane_latency_ns(lane) + (more - 1) * lane->item_ns;
		if (high < 0 || alone < high) high = alone;
	}
	if (high < 0) return -1;
	while (high - low > high / 1000) {
		const double middle = (low + high) / 2;
		double count = 0;
		for (uint32_t l = 0; l < d->lane_count && count < more; l++) {
			const lane_slot *lane = &d->lanes[l];
			const double first = hy_sched__dispatch_lane_free_ns(d, lane) +
			                     hy_sched__dispatch_lane_latency_ns(lane);
			if (hy_sched__dispatch_lane_usable(lane) && middle >= first)
				count += 1 + (double)(uint64_t)((middle - first) / lane->item_ns);
		}
		if (count < more)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* ---- learning ---- */

/* A change that lasts is believed at once; noise of the usual size isn't one. */
static void watch(hy_sched__dispatch *d, uint32_t l, double sample)
{
	lane_slot *lane = &d->lanes[l];
	const double ratio = sample / lane->predicted_ns, off = sample - lane->predicted_ns;
	const bool usual = lane->samples >= SAMPLES_OF_A_DEVIATION && (off < 0 ? -off : off) < 2 * lane->deviation_ns;
	const int side = usual ? 0 : ratio > BAND_HIGH ? 1 : ratio < BAND_LOW ? -1 : 0;
	if (side == 0 || side != lane->streak_side) {
		lane->streak = 0;
		lane->streak_side = side;
		lane->streak_sum_ns = 0;
		lane->streak_since_ns = d->now_ns > (uint64_t)sample ? d->now_ns - (uint64_t)sample : 0;
		if (side == 0) return;
	}
	lane->streak++;
	lane->streak_sum_ns += sample;
	const bool lasts = lane->told.foreign_clock || d->now_ns - lane->streak_since_ns >= STREAK_NS;
	if (lane->streak < STREAK || !lasts) return;
	lane->item_ns = lane->predicted_ns = lane->streak_sum_ns / lane->streak;
	lane->samples = 2;
	lane->streak = 0;
	lane->streak_side = 0;
	lane->drifts++;
	lane->drifted = true;
	tell(d, l);
}

void hy_sched__dispatch_lane_learn(hy_sched__dispatch *d, uint32_t l, uint64_t work_ns)
{
	lane_slot *lane = &d->lanes[l];
	const uint64_t waited = d->now_ns - lane->since_ns;
	if (work_ns > MOST_ITEM_NS) work_ns = MOST_ITEM_NS;
	lane->since_ns = d->now_ns;
	if (work_ns == 0 && lane->told.foreign_clock) return;
	double sample = work_ns > 0 ? (double)work_ns * lane->told.bottleneck : (double)waited;
	/* The way to a lane with chunks may be what it waits for. */
	if (lane->told.most > lane->told.depth && sample < (double)waited) sample = (double)waited;
	if (sample < 1) sample = 1;
	const double before = 1 / lane->item_ns, off = sample - lane->item_ns;
	double weight = 1.0 / (double)(lane->samples + 2);
	if (weight < LEAST_WEIGHT) weight = LEAST_WEIGHT;
	lane->item_ns += (sample - lane->item_ns) * weight;
	lane->samples++;
	watch(d, l, sample);
	if (lane->item_ns < 1) lane->item_ns = 1;
	lane->deviation_ns += ((off < 0 ? -off : off) - lane->deviation_ns) * weight;
	if (hy_sched__dispatch_lane_usable(lane)) d->rate += 1 / lane->item_ns - before;
}

bool hy_sched__dispatch_event_next(hy_sched__dispatch *d, hy_sched__dispatch_event *out_event)
{
	const uint32_t l = d->first_dirty;
	if (l == NONE) return false;
	lane_slot *lane = &d->lanes[l];
	*out_event = (hy_sched__dispatch_event){.lane = l,
	                                        .state = lane->state,
	                                        .from = lane->told_state,
	                                        .drifted = lane->drifted,
	                                        .ratio = lane->item_ns / (double)lane->told.item_ns};
	d->first_dirty = lane->next_dirty;
	lane->is_dirty = false;
	lane->drifted = false;
	lane->told_state = lane->state;
	return true;
}
