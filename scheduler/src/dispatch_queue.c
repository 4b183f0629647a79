/* Requests that wait, and how requests end. Four queues in the order of acceptance; classes share by stride scheduling,
 * and a request that waited long moves up one class. Deliveries keep the order of acceptance within the class. */
#include "dispatch_state.h"

#define LOOK_AHEAD 4u /* requests of one class that a slow lane may pass by, since it would end them too late */

static void insert(hy_sched__dispatch *d, class_queue *queue, uint32_t request, uint32_t behind)
{
	request_slot *slot = &d->requests[request];
	const uint32_t next = behind == NONE ? queue->first : d->requests[behind].next;
	slot->before = behind;
	slot->next = next;
	if (behind == NONE)
		queue->first = request;
	else
		d->requests[behind].next = request;
	if (next == NONE)
		queue->last = request;
	else
		d->requests[next].before = request;
	if (queue->count++ == 0 && queue->pass < d->pass) queue->pass = d->pass;
	slot->queue = (uint8_t)(queue - d->classes);
}

static void waits(hy_sched__dispatch *d, uint32_t request)
{
	d->requests[request].state = WAITS;
	d->requests[request].waits_since_ns = d->now_ns;
	d->waiting++;
}

void hy_sched__dispatch_queue_add(hy_sched__dispatch *d, uint32_t request)
{
	class_queue *queue = &d->classes[d->requests[request].priority];
	waits(d, request);
	insert(d, queue, request, queue->last);
}

void hy_sched__dispatch_queue_again(hy_sched__dispatch *d, uint32_t request)
{
	class_queue *queue = &d->classes[d->requests[request].priority];
	uint32_t behind = NONE;
	waits(d, request);
	for (uint32_t r = queue->first; r != NONE && d->requests[r].sequence < d->requests[request].sequence;
	     r = d->requests[r].next)
		behind = r;
	insert(d, queue, request, behind);
}

static void unlink_waiting(hy_sched__dispatch *d, uint32_t request)
{
	const request_slot *slot = &d->requests[request];
	class_queue *queue = &d->classes[slot->queue];
	if (slot->before == NONE)
		queue->first = slot->next;
	else
		d->requests[slot->before].next = slot->next;
	if (slot->next == NONE)
		queue->last = slot->before;
	else
		d->requests[slot->next].before = slot->before;
	queue->count--;
}

void hy_sched__dispatch_queue_remove(hy_sched__dispatch *d, uint32_t request)
{
	unlink_waiting(d, request);
	d->waiting--;
}

void hy_sched__dispatch_queue_age(hy_sched__dispatch *d)
{
	for (uint32_t c = 1; c < CLASSES; c++) {
		const uint32_t head = d->classes[c].first;
		if (head == NONE || d->now_ns - d->requests[head].waits_since_ns < d->age_ns) continue;
		unlink_waiting(d, head);
		d->requests[head].waits_since_ns = d->now_ns;
		insert(d, &d->classes[c - 1], head, d->classes[c - 1].last);
	}
}

/* The least time from now in which any lane could end one. */
static double least_latency(const hy_sched__dispatch *d)
{
	double least = -1;
	for (uint32_t l = 0; l < d->lane_count; l++) {
		const double ns = hy_sched__dispatch_lane_latency_ns(&d->lanes[l]);
		if (hy_sched__dispatch_lane_usable(&d->lanes[l]) && (least < 0 || ns < least)) least = ns;
	}
	return least;
}

static uint32_t next_of(hy_sched__dispatch *d, const class_queue *queue, uint32_t lane)
{
	uint32_t next = NONE, seen = 0;
	for (uint32_t r = queue->first; r != NONE && seen < LOOK_AHEAD; r = next, seen++) {
		const uint64_t deadline_ns = d->requests[r].deadline_ns;
		next = d->requests[r].next;
		if (deadline_ns == 0) return r;
		const lane_slot *self = &d->lanes[lane];
		const double left = deadline_ns > d->now_ns ? (double)(deadline_ns - d->now_ns) : 0;
		if (hy_sched__dispatch_lane_free_ns(d, self) + hy_sched__dispatch_lane_latency_ns(self) <= left)
			return r;
		if (d->requests[r].out_count > 0 || least_latency(d) <= left) continue;
		hy_sched__dispatch_queue_end_soon(d, r, HY_SCHED__DISPATCH_DEADLINE);
	}
	return NONE;
}

uint32_t hy_sched__dispatch_queue_next(hy_sched__dispatch *d, uint32_t lane)
{
	bool tried[CLASSES] = {false};
	for (;;) {
		class_queue *best = NULL;
		for (uint32_t c = 0; c < CLASSES; c++) {
			class_queue *queue = &d->classes[c];
			if (!tried[c] && queue->count > 0 && (best == NULL || queue->pass < best->pass)) best = queue;
		}
		if (best == NULL) return NONE;
		const uint32_t request = next_of(d, best, lane);
		if (request != NONE) {
			hy_sched__dispatch_queue_remove(d, request);
			d->pass = best->pass;
			best->pass += 1.0 / best->weight;
			return request;
		}
		tried[best - d->classes] = true;
	}
}

void hy_sched__dispatch_queue_end(hy_sched__dispatch *d, uint32_t request, hy_sched__dispatch_end end)
{
	request_slot *slot = &d->requests[request];
	if (slot->state == WAITS) hy_sched__dispatch_queue_remove(d, request);
	if (slot->state == RUNS) d->running--;
	if (slot->state == ENDING) d->ending--;
	for (uint32_t i = 0; i < slot->out_count; i++)
		d->attempts[slot->out[i]].request = NONE;
	slot->out_count = 0;
	slot->claimed_by = NONE;
	slot->state = ENDED;
	slot->end = (uint8_t)end;
	d->ended[end]++;
	if (slot->deadline_ns != 0) hy_sched__dispatch_timers_set(&d->timers, request, NEVER);
}

void hy_sched__dispatch_queue_end_soon(hy_sched__dispatch *d, uint32_t request, hy_sched__dispatch_end end)
{
	request_slot *slot = &d->requests[request];
	if (slot->state == ENDING) return;
	if (slot->out_count == 0 || (slot->idempotent && slot->claimed_by == NONE)) {
		hy_sched__dispatch_queue_end(d, request, end);
		return;
	}
	if (slot->state == WAITS) hy_sched__dispatch_queue_remove(d, request);
	if (slot->state == RUNS) d->running--;
	d->ending++;
	slot->state = ENDING;
	slot->end = (uint8_t)end;
}
