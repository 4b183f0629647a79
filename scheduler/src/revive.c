/* What becomes of lanes and devices that fail. A lane in quarantine is probed when the dispatch says so: the workers on
 * its way close their queues, which ends what still hung in them, open their devices again where these were lost, with
 * programs and memory, and the lane begins with one request at a time. */
#include "devices.h"
#include "part.h"
#include "session.h"

static bool goes_through(const hy_sched__lane_run *lane, const hy_sched__worker *worker)
{
	for (uint32_t s = 0; s < lane->stage_count; s++)
		if (&lane->session->workers[lane->stages[s].worker] == worker) return true;
	return false;
}

static hy_sched__dispatch_state state_of(const hy_sched__lane_run *lane)
{
	hy_sched__dispatch_lane_info info;
	hy_sched__dispatch_lane_describe(lane->session->dispatch, lane->number, &info);
	return info.state;
}

void hy_sched__revive_lost(hy_sched__worker *worker)
{
	hy_sched_session *session = worker->session;
	if (worker->lost) return;
	worker->lost = true;
	worker->losses++;
	if (session->trace != NULL) hy_sched__record_instant(session, HY_SCHED__TRACE_LOST, worker, 0);
	for (uint32_t l = 0; l < session->lane_count; l++)
		if (goes_through(&session->lanes[l], worker))
			hy_sched__dispatch_lane_failed(session->dispatch, hy_hal_now_ns(), l, HY_SCOPE_DEVICE);
}

/* ---- what the dispatch tells ---- */

static bool is_well(const hy_sched__worker *worker)
{
	return worker->queue != NULL && !worker->lost && !worker->queue_lost && !worker->renew && !worker->renewing;
}

static bool is_well_through(const hy_sched__lane_run *lane)
{
	for (uint32_t s = 0; s < lane->stage_count; s++)
		if (!is_well(&lane->session->workers[lane->stages[s].worker])) return false;
	return true;
}

/* Whoever on its way is lost, or has something in hand that does not come back. */
static void probe(hy_sched__lane_run *lane)
{
	hy_sched_session *session = lane->session;
	for (uint32_t s = 0; s < lane->stage_count; s++) {
		hy_sched__worker *worker = &session->workers[lane->stages[s].worker];
		if (is_well(worker) && worker->in_flight == 0) continue;
		worker->renew = true;
		pthread_cond_signal(&worker->wake);
	}
	if (is_well_through(lane))
		hy_sched__dispatch_lane_probed(session->dispatch, hy_hal_now_ns(), lane->number, true);
}

static void record(hy_sched_session *session, const hy_sched__dispatch_event *event)
{
	static const hy_sched__trace_kind kinds[HY_SCHED__DISPATCH_STATES] = {
		[HY_SCHED__DISPATCH_RAMPING] = HY_SCHED__TRACE_RETURNED,
		[HY_SCHED__DISPATCH_SUSPECT] = HY_SCHED__TRACE_HANG,
		[HY_SCHED__DISPATCH_PROBING] = HY_SCHED__TRACE_PROBE,
	};
	const hy_sched__worker *worker = &session->workers[session->lanes[event->lane].stages[0].worker];
	if (event->state != event->from && kinds[event->state] != HY_SCHED__TRACE_REQUEST)
		hy_sched__record_instant(session, kinds[event->state], worker, 0);
	if (event->drifted) hy_sched__record_instant(session, HY_SCHED__TRACE_DRIFT, worker, 0);
}

void hy_sched__revive_settle(hy_sched_session *session)
{
	hy_sched__dispatch_event event;
	while (hy_sched__dispatch_event_next(session->dispatch, &event)) {
		if (session->trace != NULL) record(session, &event);
		if (event.drifted && hy_sched__replan_possible(session)) {
			session->drifted = true;
			hy_sched__worker_wake_all(session);
		}
		if (event.state == event.from) continue;
		if (session->replanning) pthread_cond_broadcast(&session->quiet);
		if (event.state == HY_SCHED__DISPATCH_QUARANTINED) hy_sched__worker_sweep(session);
		if (event.state == HY_SCHED__DISPATCH_PROBING) probe(&session->lanes[event.lane]);
		hy_sched__worker_wake_all(session);
		pthread_cond_broadcast(&session->space);
	}
	hy_sched__timer_check(session);
}

/* ---- making a worker work again; the lock is not held, and nothing of the device is in use ---- */

static void close_device(hy_sched__worker *worker)
{
	hy_sched_session *session = worker->session;
	hy_sched_plan *plan = session->plan;
	for (uint32_t l = 0; l < session->lane_count; l++)
		for (uint32_t c = 0; c < session->lanes[l].context_count; c++)
			for (uint32_t s = 0; s < session->lanes[l].stage_count; s++)
				if (&session->workers[session->lanes[l].stages[s].worker] == worker)
					hy_sched__frame_finish(&session->lanes[l].contexts[c].frames[s]);
	hy_hal_buffer_destroy(worker->workspace);
	worker->workspace = NULL;
	for (uint32_t p = 0; p < plan->part_count; p++) {
		if (plan->parts[p].segment.device != worker->device) continue;
		hy_hal_program_destroy(plan->parts[p].program);
		plan->parts[p].program = NULL;
	}
	hy_hal_device_close(plan->devices[worker->device].hal);
	plan->devices[worker->device].hal = NULL;
}

static hy_status open_device(hy_sched__worker *worker, hy_error *error)
{
	hy_sched_session *session = worker->session;
	hy_sched_plan *plan = session->plan;
	hy_status status = hy_sched__devices_open(plan, worker->device, error);
	for (uint32_t i = 0; i < session->program_count && status == HY_OK; i++)
		if (plan->parts[session->programs[i]].segment.device == worker->device)
			status = hy_sched__part_compile(plan, session->programs[i], error);
	for (uint32_t l = 0; l < session->lane_count; l++)
		for (uint32_t c = 0; c < session->lanes[l].context_count; c++)
			for (uint32_t s = 0; s < session->lanes[l].stage_count && status == HY_OK; s++) {
				const hy_sched__stage *stage = &session->lanes[l].stages[s];
				if (&session->workers[stage->worker] != worker) continue;
				status = hy_sched__frame_init(&session->lanes[l].contexts[c].frames[s],
				                              &plan->devices[worker->device], plan->graph,
				                              &plan->parts[stage->part], error);
			}
	return status;
}

/* Answers whether it works. */
static bool renew_device(hy_sched__worker *worker, bool lost)
{
	hy_error error = {0};
	hy_status status = HY_OK;
	const bool strips = worker->session->strips != NULL;
	if (strips) status = hy_sched__session_strips_renew(worker->session, &error);
	if (lost && !strips) {
		close_device(worker);
		status = open_device(worker, &error);
	}
	if (status == HY_OK) status = hy_sched__session_open_queue(worker, &error);
	if (status != HY_OK && lost && !strips) close_device(worker);
	return status == HY_OK;
}

void hy_sched__revive_renew(hy_sched__worker *worker)
{
	hy_sched_session *session = worker->session;
	hy_hal_queue *old = worker->queue;
	hy_hal_device *device = session->plan->devices[worker->device].hal;
	worker->queue = NULL;
	worker->renew = false;
	worker->renewing = true;
	pthread_mutex_unlock(&session->lock);
	hy_hal_queue_close(old); /* as long as its plugin needs to end what is in it */
	const bool lost = device == NULL || !hy_hal_device_is_usable(device);
	const bool works = renew_device(worker, lost);
	pthread_mutex_lock(&session->lock);
	worker->renewing = false;
	if (works) {
		worker->queue_lost = worker->lost = false;
		worker->last_end_ns = 0;
	} else {
		hy_sched__revive_lost(worker);
	}
	for (uint32_t l = 0; l < session->lane_count; l++) {
		const hy_sched__lane_run *lane = &session->lanes[l];
		if (!goes_through(lane, worker) || state_of(lane) != HY_SCHED__DISPATCH_PROBING) continue;
		if (!works || is_well_through(lane))
			hy_sched__dispatch_lane_probed(session->dispatch, hy_hal_now_ns(), l, works);
	}
	hy_sched__revive_settle(session);
}
