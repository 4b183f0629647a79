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
	hy_hal_device_memory(session->plan->devices[worker->device].hal, &memory);
	uint64_t bytes = memory.peak_used_bytes;
	for (uint32_t i = 0; i < session->program_count; i++) {
		const hy_sched__part *part = &session->plan->parts[session->programs[i]];
		if (part->segment.device == worker->device) bytes += part->cost.constant_bytes;
	}
	return bytes;
}

void hy_sched_session_stats(hy_sched_session *session, hy_sched_stats *out_stats)
{
	pthread_mutex_lock(&session->lock);
	const uint64_t wall_ns = session->last_ns > session->first_ns ? session->last_ns - session->first_ns : 0;
	uint64_t items = 0;
	for (uint32_t w = 0; w < session->worker_count; w++)
		items += session->workers[w].items;
	for (uint32_t w = 0; w < session->worker_count; w++) {
		const hy_sched__worker *worker = &session->workers[w];
		const hy_sched_device_stats stats = {
			.id = session->plan->devices[worker->device].id,
			.items = worker->items,
			.busy_ns = worker->busy_ns,
			.share = items > 0 ? (double)worker->items / (double)items : 0,
			.busy = wall_ns > 0 ? (double)worker->busy_ns / (double)wall_ns : 0,
			.dispatch_ns = dispatch_median(session, worker),
			.peak_bytes = peak_bytes(session, worker),
			.replayed = worker->replayed,
			.lost = worker->lost,
		};
		session->stats[w] = stats;
	}
	const hy_sched_stats all = {
		.wall_ns = wall_ns,
		.accepted = session->accepted - session->accepted_before,
		.done_ok = session->done_ok,
		.done_error = session->done_error,
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
		worker->items = worker->replayed = worker->busy_ns = worker->dispatch_count = 0;
	}
	session->accepted_before = session->accepted;
	session->done_ok = session->done_error = 0;
	session->first_ns = session->last_ns = hy_hal_now_ns();
	pthread_mutex_unlock(&session->lock);
}
