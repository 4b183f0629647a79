/* Attempts: requests in the hands of a lane, from taking to coming back. */
#include "dispatch_state.h"

#define LEAST_ALLOWED_NS 100000000.0
#define ALLOWED_TIMES 5

uint32_t hy_sched__dispatch_attempt_start(hy_sched__dispatch *d, uint32_t l, uint32_t request)
{
	lane_slot *lane = &d->lanes[l];
	request_slot *slot = &d->requests[request];
	const uint32_t number = lane->free;
	attempt_slot *attempt = &d->attempts[number];
	/* p99 of a normal distribution is 2.33 standard deviations away, which are 1.25 mean absolute ones each */
	const double own = lane->item_ns + 2.9 * lane->deviation_ns, latency = hy_sched__dispatch_lane_latency_ns(lane);
	const double all = hy_sched__dispatch_lane_free_ns(d, lane) + (latency > own ? latency : own);
	lane->free = attempt->next;
	*attempt = (attempt_slot){.request = request,
	                          .lane = l,
	                          .before = lane->newest,
	                          .next = NONE,
	                          .thief = NONE,
	                          .used = true,
	                          .due_ns = NEVER};
	attempt->begun = lane->told.most <= lane->told.depth;
	if (lane->newest == NONE)
		lane->oldest = number;
	else
		d->attempts[lane->newest].next = number;
	lane->newest = number;
	if (lane->in_hand++ == 0) lane->since_ns = d->now_ns;
	lane->begun_count += attempt->begun;
	d->out++;
	if (slot->state != RUNS) d->running++;
	slot->state = RUNS;
	slot->out[slot->out_count++] = number;
	if (lane->told.foreign_clock) return number;
	const double allowed = ALLOWED_TIMES * all + (double)lane->told.overhead_ns + (double)lane->told.transfer_ns;
	const double least = LEAST_ALLOWED_NS * (double)(1u << lane->alarms);
	attempt->allowed_ns = (uint64_t)(allowed > least ? allowed : least);
	attempt->due_ns = d->now_ns + attempt->allowed_ns;
	hy_sched__dispatch_timers_set(&d->timers, attempt_key(d, number), attempt->due_ns);
	return number;
}

static void steal_answered(hy_sched__dispatch *d, attempt_slot *attempt)
{
	if (attempt->thief == NONE) return;
	d->lanes[attempt->thief].recalling--;
	attempt->thief = NONE;
}

uint32_t hy_sched__dispatch_attempt_over(hy_sched__dispatch *d, uint32_t number)
{
	attempt_slot *attempt = &d->attempts[number];
	lane_slot *lane = &d->lanes[attempt->lane];
	const uint32_t request = attempt->request;
	steal_answered(d, attempt);
	if (attempt->before == NONE)
		lane->oldest = attempt->next;
	else
		d->attempts[attempt->before].next = attempt->next;
	if (attempt->next == NONE)
		lane->newest = attempt->before;
	else
		d->attempts[attempt->next].before = attempt->before;
	lane->in_hand--;
	lane->begun_count -= attempt->begun;
	d->out--;
	attempt->used = false;
	attempt->request = NONE;
	attempt->next = lane->free;
	lane->free = number;
	if (attempt->due_ns != NEVER) hy_sched__dispatch_timers_set(&d->timers, attempt_key(d, number), NEVER);
	if (request == NONE) return NONE;
	request_slot *slot = &d->requests[request];
	for (uint32_t i = 0; i < slot->out_count; i++)
		if (slot->out[i] == number) slot->out[i] = slot->out[--slot->out_count];
	if (slot->claimed_by == number) slot->claimed_by = NONE;
	return request;
}

static void replay(hy_sched__dispatch *d, uint32_t request)
{
	d->running--;
	d->replays++;
	hy_sched__dispatch_queue_again(d, request);
}

/* Attempts out that may still end well. */
static uint32_t trusted(const hy_sched__dispatch *d, const request_slot *slot)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < slot->out_count; i++)
		count += hy_sched__dispatch_lane_usable(&d->lanes[d->attempts[slot->out[i]].lane]);
	return count;
}

void hy_sched__dispatch_attempt_again(hy_sched__dispatch *d, uint32_t request, bool failed)
{
	request_slot *slot = &d->requests[request];
	if (slot->state == ENDING) {
		if (slot->out_count == 0) hy_sched__dispatch_queue_end(d, request, (hy_sched__dispatch_end)slot->end);
		return;
	}
	if (failed && slot->failures < UINT8_MAX) slot->failures++;
	if (slot->failures > MOST_FAILURES && slot->out_count == 0) {
		hy_sched__dispatch_queue_end(d, request, HY_SCHED__DISPATCH_ERROR);
		return;
	}
	if (slot->state != RUNS || trusted(d, slot) > 0) return;
	if (slot->out_count > 0 && (!slot->idempotent || slot->out_count == MOST_OUT || slot->claimed_by != NONE))
		return;
	if (d->hopeless)
		hy_sched__dispatch_queue_end(d, request, HY_SCHED__DISPATCH_ERROR);
	else
		replay(d, request);
}

void hy_sched__dispatch_attempt_overdue(hy_sched__dispatch *d, uint32_t number)
{
	attempt_slot *attempt = &d->attempts[number];
	lane_slot *lane = &d->lanes[attempt->lane];
	attempt->due_ns = NEVER;
	lane->overdue++;
	if (attempt->overdue) {
		if (lane->state != HY_SCHED__DISPATCH_SUSPECT && !hy_sched__dispatch_lane_usable(lane)) return;
		lane->hung = true;
		hy_sched__dispatch_lane_set(d, attempt->lane, HY_SCHED__DISPATCH_QUARANTINED);
		return;
	}
	attempt->overdue = true;
	attempt->due_ns = d->now_ns + attempt->allowed_ns;
	hy_sched__dispatch_timers_set(&d->timers, attempt_key(d, number), attempt->due_ns);
	if (hy_sched__dispatch_lane_usable(lane))
		hy_sched__dispatch_lane_set(d, attempt->lane, HY_SCHED__DISPATCH_SUSPECT);
}
