/* The doors of a dispatch: accept, take, done, failed, tick, deliver. */
#include "dispatch_state.h"

#include <stdlib.h>

#define MOST_ROOM (1u << 24)
#define MOST_LANES (1u << 16)
#define STEAL_GAIN 1.2
#define SECOND_NS UINT64_C(1000000000)
#define LEAST_GAIN 0.05
#define PAY_BACK_NS 10e9

static void at(hy_sched__dispatch *d, uint64_t now_ns)
{
	if (now_ns > d->now_ns) d->now_ns = now_ns;
}

/* ---- making ---- */

static hy_status make_lanes(hy_sched__dispatch *d, const hy_sched__dispatch_options *options, hy_error *error)
{
	uint64_t attempts = 0;
	for (uint32_t l = 0; l < d->lane_count; l++) {
		lane_slot *lane = &d->lanes[l];
		lane->told = options->lanes[l];
		if (lane->told.depth == 0) lane->told.depth = 2;
		if (lane->told.most < lane->told.depth) lane->told.most = lane->told.depth;
		if (!(lane->told.bottleneck > 0 && lane->told.bottleneck <= 1)) lane->told.bottleneck = 1;
		lane->state = lane->told_state = lane->told.absent ? HY_SCHED__DISPATCH_LOST : HY_SCHED__DISPATCH_LIVE;
		lane->first = (uint32_t)attempts;
		lane->oldest = lane->newest = NONE;
		attempts += lane->told.most;
		if (attempts > MOST_ROOM)
			return hy_error_set(error, HY_INVALID, "dispatch: more than %u attempts in hand", MOST_ROOM);
	}
	d->attempt_count = (uint32_t)attempts;
	d->attempts = calloc(attempts, sizeof(*d->attempts));
	if (d->attempts == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for attempts");
	for (uint32_t l = 0; l < d->lane_count; l++) {
		lane_slot *lane = &d->lanes[l];
		lane->free = lane->first;
		for (uint32_t k = 0; k < lane->told.most; k++)
			d->attempts[lane->first + k] = (attempt_slot){
				.request = NONE,
				.lane = l,
				.thief = NONE,
				.due_ns = NEVER,
				.next = k + 1 < lane->told.most ? lane->first + k + 1 : NONE};
		hy_sched__dispatch_lane_predict(d, l, lane->told.item_ns);
	}
	return HY_OK;
}

static void make_classes(hy_sched__dispatch *d, const hy_sched__dispatch_options *options)
{
	for (uint32_t c = 0; c < CLASSES; c++) {
		class_queue *queue = &d->classes[c];
		queue->first = queue->last = queue->accepted_first = queue->accepted_last = NONE;
		queue->weight = options->weights[c] > 0 ? options->weights[c] : 8u >> c;
	}
	for (uint32_t r = 0; r < d->room; r++)
		d->requests[r] = (request_slot){.next_accepted = r + 1 < d->room ? r + 1 : NONE, .claimed_by = NONE};
}

hy_status hy_sched__dispatch_create(const hy_sched__dispatch_options *options, hy_sched__dispatch **out_dispatch,
                                    hy_error *error)
{
	if (options->room == 0 || options->room > MOST_ROOM || options->lane_count == 0 ||
	    options->lane_count > MOST_LANES)
		return hy_error_set(error, HY_INVALID, "dispatch: room for %u requests on %u lanes", options->room,
		                    options->lane_count);
	hy_sched__dispatch *d = calloc(1, sizeof(*d));
	if (d == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a dispatch");
	d->room = options->room;
	d->lane_count = options->lane_count;
	d->flags = options->flags;
	d->age_ns = options->age_ns > 0 ? options->age_ns : 100000000;
	d->patience_ns = options->patience_ns;
	d->first_dirty = d->last_dirty = NONE;
	d->requests = calloc(d->room, sizeof(*d->requests));
	d->lanes = calloc(d->lane_count, sizeof(*d->lanes));
	hy_status status = HY_OK;
	if (d->requests == NULL || d->lanes == NULL)
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for %u requests and %u lanes", d->room,
		                      d->lane_count);
	if (status == HY_OK) status = make_lanes(d, options, error);
	if (status == HY_OK) status = hy_sched__dispatch_timers_init(&d->timers, patience_key(d) + 1, error);
	if (status != HY_OK) {
		hy_sched__dispatch_destroy(d);
		return status;
	}
	make_classes(d, options);
	hy_sched__dispatch_lane_hope(d);
	*out_dispatch = d;
	return HY_OK;
}

void hy_sched__dispatch_destroy(hy_sched__dispatch *d)
{
	if (d == NULL) return;
	hy_sched__dispatch_timers_finish(&d->timers);
	free(d->requests);
	free(d->attempts);
	free(d->lanes);
	free(d);
}

uint32_t hy_sched__dispatch_first_attempt(const hy_sched__dispatch *d, uint32_t lane)
{
	return d->lanes[lane].first;
}

/* ---- requests ---- */

/* Requests that come before a new one of this class, by the classes' weights. */
static double before_new(const hy_sched__dispatch *d, uint32_t priority)
{
	double ahead = 0;
	for (uint32_t c = 0; c <= priority; c++)
		ahead += d->classes[c].count;
	const double mine = (double)d->classes[priority].count + 1;
	double others = 0;
	for (uint32_t c = priority + 1; c < CLASSES; c++) {
		const double share = mine * d->classes[c].weight / d->classes[priority].weight;
		others += share < d->classes[c].count ? share : d->classes[c].count;
	}
	return ahead + others;
}

hy_sched__dispatch_answer hy_sched__dispatch_accept(hy_sched__dispatch *d, uint64_t now_ns,
                                                    const hy_sched__dispatch_ask *ask, uint32_t *out_request,
                                                    uint64_t *out_predicted_ns)
{
	const uint32_t request = d->free_request, priority = ask->priority < CLASSES ? ask->priority : CLASSES - 1;
	const uint64_t deadline_ns = ask->deadline_ns < NEVER - 1 ? ask->deadline_ns : 0;
	at(d, now_ns);
	if (d->hopeless) {
		d->refused++;
		return HY_SCHED__DISPATCH_NO_LANE;
	}
	if (request == NONE) return HY_SCHED__DISPATCH_FULL;
	if (deadline_ns != 0) {
		const double ns = hy_sched__dispatch_lane_finish_ns(d, (uint32_t)before_new(d, priority) + 1);
		const uint64_t predicted = d->now_ns + (ns > 0 ? (uint64_t)ns : 0);
		if (out_predicted_ns != NULL) *out_predicted_ns = ns < 0 ? NEVER : predicted;
		if (predicted > deadline_ns) {
			d->refused++;
			return HY_SCHED__DISPATCH_TOO_LATE;
		}
	}
	request_slot *slot = &d->requests[request];
	class_queue *queue = &d->classes[priority];
	d->free_request = slot->next_accepted;
	*slot = (request_slot){.sequence = ++d->accepted,
	                       .deadline_ns = deadline_ns,
	                       .priority = (uint8_t)priority,
	                       .idempotent = ask->idempotent,
	                       .next_accepted = NONE,
	                       .claimed_by = NONE};
	if (queue->accepted_first == NONE)
		queue->accepted_first = request;
	else
		d->requests[queue->accepted_last].next_accepted = request;
	queue->accepted_last = request;
	hy_sched__dispatch_queue_add(d, request);
	if (deadline_ns != 0) hy_sched__dispatch_timers_set(&d->timers, request, deadline_ns + 1);
	*out_request = request;
	return HY_SCHED__DISPATCH_ACCEPTED;
}

uint64_t hy_sched__dispatch_sequence(const hy_sched__dispatch *d, uint32_t request)
{
	return d->requests[request].sequence;
}

bool hy_sched__dispatch_cancel(hy_sched__dispatch *d, uint64_t now_ns, uint32_t request, uint64_t sequence)
{
	at(d, now_ns);
	if (request >= d->room) return false;
	const request_slot *slot = &d->requests[request];
	if (slot->sequence != sequence || slot->claimed_by != NONE) return false;
	if (slot->state != WAITS && slot->state != RUNS) return false;
	hy_sched__dispatch_queue_end_soon(d, request, HY_SCHED__DISPATCH_CANCELLED);
	return true;
}

bool hy_sched__dispatch_deliver_due(const hy_sched__dispatch *d)
{
	for (uint32_t c = 0; c < CLASSES; c++) {
		const uint32_t head = d->classes[c].accepted_first;
		if (head != NONE && d->requests[head].state == ENDED) return true;
	}
	return false;
}

bool hy_sched__dispatch_deliver(hy_sched__dispatch *d, uint32_t *out_request, hy_sched__dispatch_end *out_end)
{
	for (uint32_t c = 0; c < CLASSES; c++) {
		class_queue *queue = &d->classes[c];
		const uint32_t head = queue->accepted_first;
		if (head == NONE || d->requests[head].state != ENDED) continue;
		queue->accepted_first = d->requests[head].next_accepted;
		d->requests[head].state = FREE;
		d->requests[head].next_accepted = d->free_request;
		d->free_request = head;
		d->delivered++;
		*out_request = head;
		*out_end = (hy_sched__dispatch_end)d->requests[head].end;
		return true;
	}
	return false;
}

/* ---- attempts ---- */

/* Whether an attempt's request may have one more. What has not begun is stolen instead. */
static bool can_back_up(const hy_sched__dispatch *d, uint32_t attempt)
{
	const uint32_t request = d->attempts[attempt].request;
	if (request == NONE || !d->attempts[attempt].begun) return false;
	const request_slot *slot = &d->requests[request];
	return slot->idempotent && slot->state == RUNS && slot->claimed_by == NONE && slot->out_count < MOST_OUT;
}

/* When the first of a request's attempts would be over, if one of them is over after end_ns. */
static double first_end(const hy_sched__dispatch *d, uint32_t request, double end_ns)
{
	const request_slot *slot = &d->requests[request];
	for (uint32_t i = 0; slot->out_count > 1 && i < slot->out_count; i++) {
		const double other = hy_sched__dispatch_lane_free_ns(d, &d->lanes[d->attempts[slot->out[i]].lane]);
		if (other < end_ns) end_ns = other;
	}
	return end_ns;
}

/* The running request that gains most when an idle lane starts it too. */
static uint32_t backup_for(const hy_sched__dispatch *d, uint32_t thief)
{
	const lane_slot *self = &d->lanes[thief];
	if ((d->flags & HY_SCHED__DISPATCH_BACKUP) == 0 || self->in_hand > 0 || self->state != HY_SCHED__DISPATCH_LIVE)
		return NONE;
	double latest = hy_sched__dispatch_lane_latency_ns(self) * STEAL_GAIN + (double)self->told.transfer_ns;
	uint32_t best = NONE;
	for (uint32_t l = 0; l < d->lane_count; l++) {
		const lane_slot *lane = &d->lanes[l];
		if (l == thief || lane->newest == NONE || !hy_sched__dispatch_lane_usable(lane)) continue;
		double end = hy_sched__dispatch_lane_free_ns(d, lane);
		for (uint32_t a = lane->newest; a != NONE && end > latest; a = d->attempts[a].before) {
			const double first = can_back_up(d, a) ? first_end(d, d->attempts[a].request, end) : 0;
			if (first > latest) {
				latest = first;
				best = d->attempts[a].request;
			}
			end -= lane->item_ns;
		}
	}
	return best;
}

bool hy_sched__dispatch_wants(hy_sched__dispatch *d, uint64_t now_ns, uint32_t lane)
{
	at(d, now_ns);
	if (d->waiting > 0) return hy_sched__dispatch_share(d, lane, 1) > 0;
	return backup_for(d, lane) != NONE;
}

uint32_t hy_sched__dispatch_take(hy_sched__dispatch *d, uint64_t now_ns, uint32_t lane, uint32_t most,
                                 uint32_t *out_attempts)
{
	at(d, now_ns);
	if (d->waiting == 0) {
		const uint32_t request = most > 0 ? backup_for(d, lane) : NONE;
		if (request == NONE) return 0;
		d->backups++;
		out_attempts[0] = hy_sched__dispatch_attempt_start(d, lane, request);
		return 1;
	}
	hy_sched__dispatch_queue_age(d);
	const uint32_t share = hy_sched__dispatch_share(d, lane, most);
	uint32_t count = 0;
	while (count < share) {
		const uint32_t request = hy_sched__dispatch_queue_next(d, lane);
		if (request == NONE) break;
		out_attempts[count++] = hy_sched__dispatch_attempt_start(d, lane, request);
	}
	return count;
}

uint32_t hy_sched__dispatch_request_of(const hy_sched__dispatch *d, uint32_t attempt)
{
	return d->attempts[attempt].request;
}

void hy_sched__dispatch_begun(hy_sched__dispatch *d, uint64_t now_ns, uint32_t attempt)
{
	at(d, now_ns);
	attempt_slot *slot = &d->attempts[attempt];
	if (!slot->used || slot->begun) return;
	slot->begun = true;
	d->lanes[slot->lane].begun_count++;
}

bool hy_sched__dispatch_claim(hy_sched__dispatch *d, uint32_t attempt)
{
	const uint32_t request = d->attempts[attempt].request;
	if (request == NONE) return false;
	request_slot *slot = &d->requests[request];
	if (slot->state == ENDING || (slot->claimed_by != NONE && slot->claimed_by != attempt)) return false;
	slot->claimed_by = attempt;
	return true;
}

bool hy_sched__dispatch_done(hy_sched__dispatch *d, uint64_t now_ns, uint32_t attempt, uint64_t work_ns)
{
	at(d, now_ns);
	if (!d->attempts[attempt].used) return false;
	const uint32_t l = d->attempts[attempt].lane, wanted = d->attempts[attempt].request;
	const bool others = wanted != NONE && d->requests[wanted].claimed_by != NONE &&
	                    d->requests[wanted].claimed_by != attempt;
	lane_slot *lane = &d->lanes[l];
	const uint32_t request = hy_sched__dispatch_attempt_over(d, attempt);
	hy_sched__dispatch_lane_learn(d, l, work_ns);
	lane->done++;
	if (lane->state == HY_SCHED__DISPATCH_RAMPING && --lane->ramp_left == 0)
		hy_sched__dispatch_lane_set(d, l, HY_SCHED__DISPATCH_LIVE);
	hy_sched__dispatch_lane_answers(d, l);
	if (request == NONE || others) {
		lane->duplicates++;
		return false;
	}
	request_slot *slot = &d->requests[request];
	if (slot->state == ENDING) {
		hy_sched__dispatch_attempt_again(d, request, false);
		return false;
	}
	const bool late = slot->deadline_ns != 0 && d->now_ns > slot->deadline_ns;
	hy_sched__dispatch_queue_end(d, request, late ? HY_SCHED__DISPATCH_DEADLINE : HY_SCHED__DISPATCH_OK);
	return !late;
}

void hy_sched__dispatch_failed(hy_sched__dispatch *d, uint64_t now_ns, uint32_t attempt, hy_scope scope)
{
	at(d, now_ns);
	if (!d->attempts[attempt].used) return;
	const uint32_t l = d->attempts[attempt].lane;
	lane_slot *lane = &d->lanes[l];
	const uint32_t request = hy_sched__dispatch_attempt_over(d, attempt);
	lane->failed++;
	if (scope >= HY_SCOPE_QUEUE)
		hy_sched__dispatch_lane_failed(d, now_ns, l, scope);
	else
		hy_sched__dispatch_lane_answers(d, l);
	if (request == NONE) return;
	request_slot *slot = &d->requests[request];
	/* patience may have ended it meanwhile */
	if (slot->state == ENDED || slot->state == FREE) return;
	if (scope < HY_SCOPE_QUEUE && slot->state == RUNS && slot->out_count == 0) {
		hy_sched__dispatch_queue_end(d, request, HY_SCHED__DISPATCH_ERROR);
		return;
	}
	const uint64_t replays = d->replays;
	hy_sched__dispatch_attempt_again(d, request, scope >= HY_SCOPE_QUEUE);
	lane->replayed += d->replays - replays;
}

static uint32_t victim_of(const hy_sched__dispatch *d, uint32_t thief)
{
	const lane_slot *self = &d->lanes[thief];
	const double own = hy_sched__dispatch_lane_latency_ns(self) + (double)self->told.transfer_ns +
	                   (double)self->told.overhead_ns;
	double latest = own * STEAL_GAIN;
	uint32_t victim = NONE;
	for (uint32_t l = 0; l < d->lane_count; l++) {
		const lane_slot *lane = &d->lanes[l];
		if (l == thief || lane->in_hand == lane->begun_count || !hy_sched__dispatch_lane_usable(lane)) continue;
		const double end = hy_sched__dispatch_lane_free_ns(d, lane);
		if (end <= latest) continue;
		latest = end;
		victim = l;
	}
	return victim;
}

uint32_t hy_sched__dispatch_steal(hy_sched__dispatch *d, uint64_t now_ns, uint32_t thief, uint32_t most,
                                  uint32_t *out_attempts, uint32_t *out_victim)
{
	at(d, now_ns);
	lane_slot *self = &d->lanes[thief];
	if (d->waiting > 0 || self->recalling > 0 || self->in_hand > 0 || self->state != HY_SCHED__DISPATCH_LIVE)
		return 0;
	const uint32_t victim = victim_of(d, thief);
	if (victim == NONE) return 0;
	const lane_slot *lane = &d->lanes[victim];
	uint32_t count = 0, wanted = (lane->in_hand - lane->begun_count + 1) / 2;
	if (wanted > most) wanted = most;
	for (uint32_t a = lane->newest; a != NONE && count < wanted; a = d->attempts[a].before) {
		if (d->attempts[a].begun || d->attempts[a].thief != NONE) continue;
		d->attempts[a].thief = thief;
		out_attempts[count++] = a;
	}
	self->recalling = count;
	*out_victim = victim;
	return count;
}

void hy_sched__dispatch_recalled(hy_sched__dispatch *d, uint64_t now_ns, uint32_t attempt, bool returned)
{
	at(d, now_ns);
	attempt_slot *slot = &d->attempts[attempt];
	if (!slot->used || slot->thief == NONE) return;
	lane_slot *thief = &d->lanes[slot->thief];
	if (!returned) {
		thief->recalling--;
		slot->thief = NONE;
		return;
	}
	thief->stolen++;
	const uint32_t victim = slot->lane, request = hy_sched__dispatch_attempt_over(d, attempt);
	hy_sched__dispatch_lane_answers(d, victim);
	if (request != NONE) hy_sched__dispatch_attempt_again(d, request, false);
}

/* ---- time ---- */

void hy_sched__dispatch_tick(hy_sched__dispatch *d, uint64_t now_ns)
{
	uint32_t key;
	at(d, now_ns);
	while ((key = hy_sched__dispatch_timers_pop(&d->timers, d->now_ns)) != NONE) {
		if (key < d->room)
			hy_sched__dispatch_queue_end_soon(d, key, HY_SCHED__DISPATCH_DEADLINE);
		else if (key < lane_key(d, 0))
			hy_sched__dispatch_attempt_overdue(d, key - d->room);
		else if (key < patience_key(d))
			hy_sched__dispatch_lane_due(d, key - lane_key(d, 0));
		else
			hy_sched__dispatch_lane_patience(d);
	}
}

uint64_t hy_sched__dispatch_next_ns(const hy_sched__dispatch *d)
{
	return d->timers.count > 0 ? d->timers.times[d->timers.keys[0]] : NEVER;
}

bool hy_sched__dispatch_replan(hy_sched__dispatch *d, uint64_t now_ns, double gain, uint64_t cost_ns)
{
	at(d, now_ns);
	if (!d->changed || d->now_ns - d->replanned_ns < SECOND_NS) return false;
	if (!(gain > LEAST_GAIN) || (double)cost_ns > gain * PAY_BACK_NS) return false;
	d->changed = false;
	d->replanned_ns = d->now_ns;
	return true;
}
