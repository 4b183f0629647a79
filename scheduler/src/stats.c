/* What a session did so far. */
#include "cost.h"
#include "session.h"

#include <string.h>

static uint64_t dispatch_median(hy_sched_session *session, const hy_sched__worker *worker)
{
	if (worker->dispatch_count == 0) return 0;
	const uint32_t count = worker->dispatch_count < HY_SCHED__DISPATCH_SAMPLES ? (uint32_t)worker->dispatch_count
	                                                                           : HY_SCHED__DISPATCH_SAMPLES;
	memcpy(session->sorted, worker->dispatch_ns, count * sizeof(*session->sorted));
	hy_sched__cost cost;
	hy_sched__cost_summarise(count, session->sorted, &cost);
	return cost.median_ns;
}

/* Buffers at their most, and what the programs keep. */
static uint64_t peak_bytes(const hy_sched_session *session, const hy_sched__worker *worker)
{
	hy_hal_memory_stats memory = {0};
	if (session->plan->devices[worker->device].hal != NULL)
		hy_hal_device_memory(session->plan->devices[worker->device].hal, &memory);
	uint64_t bytes = memory.peak_used_bytes;
	for (uint32_t i = 0; i < session->program_count; i++) {
		const hy_sched__part *part = &session->plan->parts[session->programs[i]];
		if (part->segment.device == worker->device) bytes += part->cost.constant_bytes;
	}
	return bytes;
}

/* The first lane through the worker. */
static uint32_t lane_through(const hy_sched_session *session, uint32_t worker)
{
	for (uint32_t l = 0; l < session->lane_count; l++)
		for (uint32_t s = 0; s < session->lanes[l].stage_count; s++)
			if (session->lanes[l].stages[s].worker == worker) return l;
	return 0;
}

static hy_sched_device_stats of_worker(hy_sched_session *session, uint32_t w, uint64_t items, uint64_t wall_ns)
{
	const hy_sched__worker *worker = &session->workers[w];
	const bool renewing = session->workers[session->strips != NULL ? 0 : w].renewing;
	hy_sched__dispatch_lane_info info;
	hy_sched__dispatch_lane_describe(session->dispatch, lane_through(session, w), &info);
	const hy_sched_device_stats stats = {
		.id = session->plan->devices[worker->device].id,
		.state = hy_sched__dispatch_state_name(info.state),
		.items = worker->items,
		.busy_ns = worker->busy_ns,
		.share = items > 0 ? (double)worker->items / (double)items : 0,
		.busy = wall_ns > 0 ? (double)worker->busy_ns / (double)wall_ns : 0,
		.item_ns = info.item_ns,
		.planned_ns = info.planned_ns,
		.dispatch_ns = dispatch_median(session, worker),
		.peak_bytes = renewing ? 0 : peak_bytes(session, worker),
		.replayed = worker->replayed,
		.losses = worker->losses,
		.overdue = info.overdue,
		.drifts = info.drifts,
		.in_flight = worker->in_flight,
		.lost = worker->lost,
	};
	return stats;
}

void hy_sched_session_stats(hy_sched_session *session, hy_sched_stats *out_stats)
{
	hy_sched__dispatch_counts now;
	pthread_mutex_lock(&session->lock);
	const uint64_t wall_ns = session->first_ns > 0 && session->last_ns > session->first_ns
	                                 ? session->last_ns - session->first_ns
	                                 : 0;
	const hy_sched__dispatch_counts *before = &session->before;
	uint64_t items = 0;
	hy_sched__dispatch_count(session->dispatch, &now);
	for (uint32_t w = 0; w < session->worker_count; w++)
		items += session->workers[w].items;
	for (uint32_t w = 0; w < session->worker_count; w++)
		session->stats[w] = of_worker(session, w, items, wall_ns);
	const hy_sched_stats all = {
		.wall_ns = wall_ns,
		.accepted = now.accepted - before->accepted,
		.done_ok = now.ended[HY_SCHED__DISPATCH_OK] - before->ended[HY_SCHED__DISPATCH_OK],
		.done_error = now.ended[HY_SCHED__DISPATCH_ERROR] - before->ended[HY_SCHED__DISPATCH_ERROR],
		.cancelled = now.ended[HY_SCHED__DISPATCH_CANCELLED] - before->ended[HY_SCHED__DISPATCH_CANCELLED],
		.deadline = now.ended[HY_SCHED__DISPATCH_DEADLINE] - before->ended[HY_SCHED__DISPATCH_DEADLINE],
		.refused = now.refused - before->refused,
		.replans = session->replans,
		.waiting = now.waiting,
		.running = now.running + now.ending,
		.device_count = session->worker_count,
		.devices = session->stats,
	};
	*out_stats = all;
	pthread_mutex_unlock(&session->lock);
}

void hy_sched_session_reset_stats(hy_sched_session *session)
{
	pthread_mutex_lock(&session->lock);
	for (uint32_t w = 0; w < session->worker_count; w++) {
		hy_sched__worker *worker = &session->workers[w];
		worker->items = worker->replayed = worker->losses = worker->busy_ns = worker->dispatch_count = 0;
	}
	hy_sched__dispatch_count(session->dispatch, &session->before);
	/* what is in hand ends after the reset: it counts as accepted after it */
	session->before.accepted -= session->before.waiting + session->before.running + session->before.ending;
	session->first_ns = session->last_ns = 0;
	pthread_mutex_unlock(&session->lock);
}
