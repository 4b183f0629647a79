/* How many requests a lane may take now.
 *
 * The tail rule, exact for equal requests: giving each request to the lane that would finish it first gives the least
 * finish of all (list scheduling on uniform machines). In that order a lane gets one of the waiting requests exactly
 * when the others, before it would finish its first, finish fewer than there are. A slow lane leaves itself a margin,
 * since one late request of its own costs all others that time, unless another may run that request again. The lane that
 * would finish one first always takes, so that nothing waits for ever. */
#include "dispatch_state.h"

#define OVERHEADS 20.0 /* a chunk lasts at least so many hand-overs, */
#define LEAST_CHUNK_NS 5e6 /* or so long */
#define GUIDE 2.5

/* From now until a lane would end the first of `count` more. */
static double first_ns(const hy_sched__dispatch *d, const lane_slot *lane, double count)
{
	return hy_sched__dispatch_lane_free_ns(d, lane) + (double)lane->told.overhead_ns +
	       count * (double)lane->told.transfer_ns + hy_sched__dispatch_lane_latency_ns(lane);
}

/* Requests that all usable lanes but `self` finish in less than finish_ns from now; counted no further than `enough`. */
static double others_finish(const hy_sched__dispatch *d, const lane_slot *self, double finish_ns, double enough)
{
	double count = 0;
	for (uint32_t l = 0; l < d->lane_count && count < enough; l++) {
		const lane_slot *lane = &d->lanes[l];
		if (lane == self || !hy_sched__dispatch_lane_usable(lane)) continue;
		const double first = first_ns(d, lane, 1);
		if (finish_ns > first)
			count += 1 + (double)(uint64_t)((finish_ns - first) * (1 - 1e-12) / lane->item_ns);
	}
	return count;
}

static double fastest_item_ns(const hy_sched__dispatch *d)
{
	double fastest = (double)MOST_ITEM_NS;
	for (uint32_t l = 0; l < d->lane_count; l++)
		if (hy_sched__dispatch_lane_usable(&d->lanes[l]) && d->lanes[l].item_ns < fastest)
			fastest = d->lanes[l].item_ns;
	return fastest;
}

static bool takes(const hy_sched__dispatch *d, const lane_slot *lane, uint32_t count)
{
	const double own = first_ns(d, lane, count) + (count - 1) * lane->item_ns;
	const double waiting = (double)d->waiting - (count - 1);
	if ((own + lane->item_ns / 4) * d->rate < waiting) return true; /* most often: there is plenty */
	if (others_finish(d, lane, own, 1) < 1) return true; /* nobody ends one sooner: somebody always takes */
	const bool rescued = (d->flags & HY_SCHED__DISPATCH_BACKUP) != 0;
	const double margin = rescued ? 0 : (lane->item_ns - fastest_item_ns(d)) / 4;
	return others_finish(d, lane, own + margin, waiting) < waiting;
}

static double chunk_floor(const lane_slot *lane)
{
	double floor = OVERHEADS * (double)lane->told.overhead_ns / lane->item_ns;
	if (floor < LEAST_CHUNK_NS / lane->item_ns) floor = LEAST_CHUNK_NS / lane->item_ns;
	return floor < 1 ? 1 : floor;
}

uint32_t hy_sched__dispatch_share(const hy_sched__dispatch *d, uint32_t l, uint32_t most)
{
	const lane_slot *lane = &d->lanes[l];
	const bool ramping = lane->state == HY_SCHED__DISPATCH_RAMPING, chunks = lane->told.most > lane->told.depth;
	if (d->waiting == 0 || most == 0 || lane->free == NONE || !hy_sched__dispatch_lane_usable(lane)) return 0;
	if (ramping && lane->in_hand > 0) return 0;
	if (!chunks && lane->in_hand >= lane->told.depth) return 0;
	const double floor = chunks ? chunk_floor(lane) : 1;
	if (chunks && lane->in_hand > lane->told.depth + (double)lane->told.overhead_ns / lane->item_ns) return 0;
	if (!takes(d, lane, 1)) return 0;
	if (ramping || !chunks) return 1;
	double chunk = d->waiting / lane->item_ns / d->rate / GUIDE;
	if (chunk < floor) chunk = floor;
	if (chunk > lane->told.most - lane->in_hand) chunk = lane->told.most - lane->in_hand;
	if (chunk > most) chunk = most;
	if (chunk > d->waiting) chunk = d->waiting;
	uint32_t count = (uint32_t)chunk;
	while (count > 1 && !takes(d, lane, count))
		count -= (count + 3) / 4;
	return count;
}
