/* What a dispatch says about itself: counts, lanes, and the ledger. */
#include "dispatch_state.h"

const char *hy_sched__dispatch_state_name(hy_sched__dispatch_state state)
{
	static const char *const names[] = {"live", "ramping", "suspect", "quarantined", "probing", "lost"};
	return (unsigned)state < HY_SCHED__DISPATCH_STATES ? names[state] : "unknown";
}

void hy_sched__dispatch_lane_describe(const hy_sched__dispatch *d, uint32_t l, hy_sched__dispatch_lane_info *out_info)
{
	const lane_slot *lane = &d->lanes[l];
	*out_info = (hy_sched__dispatch_lane_info){.state = lane->state,
	                                           .in_hand = lane->in_hand,
	                                           .item_ns = (uint64_t)lane->item_ns,
	                                           .deviation_ns = (uint64_t)lane->deviation_ns,
	                                           .planned_ns = lane->told.item_ns,
	                                           .done = lane->done,
	                                           .duplicates = lane->duplicates,
	                                           .failed = lane->failed,
	                                           .overdue = lane->overdue,
	                                           .replayed = lane->replayed,
	                                           .stolen = lane->stolen,
	                                           .drifts = lane->drifts};
}

void hy_sched__dispatch_count(const hy_sched__dispatch *d, hy_sched__dispatch_counts *out_counts)
{
	*out_counts = (hy_sched__dispatch_counts){.accepted = d->accepted,
	                                          .refused = d->refused,
	                                          .delivered = d->delivered,
	                                          .waiting = d->waiting,
	                                          .running = d->running,
	                                          .ending = d->ending,
	                                          .attempts = d->out,
	                                          .backups = d->backups,
	                                          .replays = d->replays};
	for (uint32_t e = 0; e < HY_SCHED__DISPATCH_ENDS; e++)
		out_counts->ended[e] = d->ended[e];
}

static const char *check_requests(const hy_sched__dispatch *d)
{
	uint64_t count[ENDED + 1] = {0}, out = 0, ended = 0;
	for (uint32_t r = 0; r < d->room; r++) {
		const request_slot *slot = &d->requests[r];
		if (slot->state > ENDED) return "a request is in no state";
		count[slot->state]++;
		if (slot->state == FREE) continue;
		out += slot->out_count;
		if (slot->state == ENDED && slot->out_count > 0) return "an ended request has an attempt";
		if ((slot->state == RUNS || slot->state == ENDING) && slot->out_count == 0)
			return "a running request has no attempt";
		if (slot->state == WAITS && slot->out_count > 0 && !slot->idempotent)
			return "a request that must run once at a time waits while an attempt is out";
		for (uint32_t i = 0; i < slot->out_count; i++)
			if (!d->attempts[slot->out[i]].used || d->attempts[slot->out[i]].request != r)
				return "a request names an attempt that isn't its own";
		const bool timed = slot->deadline_ns != 0 && slot->state != ENDED && slot->state != ENDING;
		if (timed && d->timers.at[r] == NONE) return "a deadline has no timer";
	}
	for (uint32_t e = 0; e < HY_SCHED__DISPATCH_ENDS; e++)
		ended += d->ended[e];
	for (uint32_t a = 0; a < d->attempt_count; a++)
		if (d->attempts[a].used && d->attempts[a].request != NONE) out--;
	if (out != 0) return "attempts and requests don't name each other";
	if (count[WAITS] != d->waiting || count[RUNS] != d->running || count[ENDING] != d->ending)
		return "requests are miscounted";
	if (d->accepted != ended + d->waiting + d->running + d->ending) return "accepted requests don't add up";
	return count[ENDED] == ended - d->delivered ? NULL : "ended requests don't add up";
}

static const char *check_classes(const hy_sched__dispatch *d)
{
	uint64_t waiting = 0, kept = 0;
	for (uint32_t c = 0; c < CLASSES; c++) {
		const class_queue *queue = &d->classes[c];
		uint32_t count = 0, before = NONE;
		for (uint32_t r = queue->first; r != NONE && count <= d->room; r = d->requests[r].next, count++) {
			if (d->requests[r].before != before || d->requests[r].queue != c ||
			    d->requests[r].state != WAITS)
				return "a queue is torn";
			before = r;
		}
		if (count != queue->count || before != queue->last) return "a queue is miscounted";
		waiting += count;
		uint64_t sequence = 0;
		for (uint32_t r = queue->accepted_first; r != NONE && kept <= d->room;
		     r = d->requests[r].next_accepted, kept++) {
			if (d->requests[r].sequence <= sequence || d->requests[r].state == FREE)
				return "deliveries are out of order";
			sequence = d->requests[r].sequence;
		}
	}
	if (waiting != d->waiting) return "a waiting request is in no queue";
	return kept == d->accepted - d->delivered ? NULL : "a request will never be delivered";
}

static const char *check_lanes(const hy_sched__dispatch *d)
{
	uint64_t out = 0;
	for (uint32_t l = 0; l < d->lane_count; l++) {
		const lane_slot *lane = &d->lanes[l];
		uint32_t count = 0, begun = 0, spare = 0;
		for (uint32_t a = lane->oldest; a != NONE && count <= lane->told.most;
		     a = d->attempts[a].next, count++) {
			if (!d->attempts[a].used || d->attempts[a].lane != l) return "a lane's list is torn";
			begun += d->attempts[a].begun;
		}
		for (uint32_t a = lane->free; a != NONE && spare <= lane->told.most; a = d->attempts[a].next, spare++)
			if (d->attempts[a].used) return "a free attempt is in use";
		if (count != lane->in_hand || begun != lane->begun_count || count + spare != lane->told.most)
			return "a lane is miscounted";
		if (lane->state == HY_SCHED__DISPATCH_QUARANTINED && d->timers.at[lane_key(d, l)] == NONE)
			return "a lane in quarantine will never be probed";
		out += count;
	}
	return out == d->out ? NULL : "attempts are miscounted";
}

const char *hy_sched__dispatch_check(const hy_sched__dispatch *d)
{
	const char *what = check_requests(d);
	if (what == NULL) what = check_classes(d);
	if (what == NULL) what = check_lanes(d);
	if (what == NULL && !hy_sched__dispatch_timers_ok(&d->timers)) what = "timers are out of order";
	return what;
}
