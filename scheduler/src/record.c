/* What a session puts into its trace. */
#include "cost.h"
#include "session.h"

static uint32_t index_of(const hy_sched__worker *worker)
{
	return (uint32_t)(worker - worker->session->workers);
}

static void add(hy_sched_session *session, hy_sched__trace_event event)
{
	if (event.end_ns < event.begin_ns) event.end_ns = event.begin_ns;
	hy_sched__trace_add(session->trace, &event);
}

void hy_sched__record_request(hy_sched_session *session, const hy_sched__request *request)
{
	const hy_sched_plan_info *info = &session->plan->info;
	if (request->accepted_ns == 0) return;
	const hy_sched__trace_event event = {
		.kind = HY_SCHED__TRACE_REQUEST,
		.begin_ns = request->accepted_ns,
		.end_ns = hy_hal_now_ns(),
		.predicted_ns = info->objective == HY_SCHED_LATENCY ? info->item_ns : 0,
		.request = request->sequence - 1,
		.device = HY_SCHED__TRACE_NONE,
		.stage = HY_SCHED__TRACE_NONE,
	};
	add(session, event);
}

void hy_sched__record_taken(const hy_sched__worker *worker, const hy_sched__context *context)
{
	if (context->ready_ns == 0) return;
	const hy_sched__trace_event event = {
		.kind = HY_SCHED__TRACE_WAITS,
		.begin_ns = context->ready_ns,
		.end_ns = context->submitted_ns,
		.request = context->sequence - 1,
		.device = index_of(worker),
		.stage = context->stage,
	};
	add(worker->session, event);
}

/* What the plan expects of the stage's copies, or of its run: what was measured, less the copies. */
static uint64_t predicted_ns(const hy_sched__worker *worker, const hy_sched__context *context,
                             hy_sched__trace_kind kind)
{
	const hy_sched_plan *plan = worker->session->plan;
	if (worker->session->strips != NULL) return plan->info.item_ns;
	const hy_sched__frame *frame = &context->frames[context->stage];
	const hy_sched__part *part = &plan->parts[context->lane->stages[context->stage].part];
	const hy_sched__device *device = &plan->devices[worker->device];
	const uint64_t in = hy_sched__cost_link_ns(&device->to, part->footprint.input_bytes);
	const uint64_t out = hy_sched__cost_link_ns(&device->from, part->footprint.output_bytes);
	if (kind == HY_SCHED__TRACE_COPY_IN) return in;
	if (kind == HY_SCHED__TRACE_COPY_OUT) return out;
	uint64_t copies = 0;
	if (frame->copy_in_count > 0) copies += in;
	if (frame->copy_out_count > 0) copies += out;
	return part->cost.median_ns > copies ? part->cost.median_ns - copies : part->cost.median_ns;
}

void hy_sched__record_ticket(const hy_sched__worker *worker, const hy_sched__ticket *ticket, const hy_done *done)
{
	const hy_sched__context *context = ticket->context;
	if (done->end_ns < done->begin_ns || done->end_ns == 0) return;
	hy_sched__trace_event event = {
		.kind = HY_SCHED__TRACE_QUEUE,
		.begin_ns = context->submitted_ns,
		.end_ns = done->begin_ns,
		.request = context->sequence - 1,
		.device = index_of(worker),
		.stage = context->stage,
	};
	if (ticket == context->tickets && !context->lane->simulated) add(worker->session, event);
	event.kind = ticket->kind;
	event.begin_ns = done->begin_ns;
	event.end_ns = done->end_ns;
	event.predicted_ns = predicted_ns(worker, context, ticket->kind);
	add(worker->session, event);
}

void hy_sched__record_instant(hy_sched_session *session, hy_sched__trace_kind kind, const hy_sched__worker *worker,
                              uint64_t sequence)
{
	const uint64_t now_ns = hy_hal_now_ns();
	const hy_sched__trace_event event = {
		.kind = kind,
		.begin_ns = now_ns,
		.end_ns = now_ns,
		.request = sequence > 0 ? sequence - 1 : HY_SCHED__TRACE_NO_REQUEST,
		.device = worker != NULL ? index_of(worker) : HY_SCHED__TRACE_NONE,
		.stage = HY_SCHED__TRACE_NONE,
	};
	add(session, event);
}

hy_status hy_sched_session_trace(hy_sched_session *session, uint32_t event_count, hy_error *error)
{
	hy_sched__trace *trace;
	const hy_status status = hy_sched__trace_create(event_count, &trace, error);
	if (status != HY_OK) return status;
	pthread_mutex_lock(&session->lock);
	const bool busy = session->trace != NULL;
	if (!busy) session->trace = trace;
	pthread_mutex_unlock(&session->lock);
	if (!busy) return HY_OK;
	hy_sched__trace_destroy(trace);
	return hy_error_set(error, HY_BUSY, "the session is traced already");
}

hy_status hy_sched_session_trace_write(hy_sched_session *session, const char *path, hy_error *error)
{
	hy_sched__trace_track tracks[HY_SCHED__MOST_DEVICES];
	hy_sched__trace *copy = NULL;
	hy_status status;
	pthread_mutex_lock(&session->lock);
	if (session->trace != NULL)
		status = hy_sched__trace_copy(session->trace, &copy, error);
	else
		status = hy_error_set(error, HY_INVALID,
		                      "the session is not traced: call hy_sched_session_trace first");
	pthread_mutex_unlock(&session->lock);
	for (uint32_t w = 0; w < session->worker_count; w++) {
		const hy_sched__device *device = &session->plan->devices[session->workers[w].device];
		tracks[w].name = device->id;
		tracks[w].own_clock = (device->description->info.flags & HY_DEVICE_SIMULATED) != 0;
	}
	if (status == HY_OK) status = hy_sched__trace_write(copy, session->worker_count, tracks, path, error);
	hy_sched__trace_destroy(copy);
	return status;
}
