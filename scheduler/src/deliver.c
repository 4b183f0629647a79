/* Answers in the order of submission within their class: whoever finds one due delivers, one thread at a time. */
#include "session.h"

#include <string.h>

bool hy_sched__deliver_due(const hy_sched_session *session)
{
	if (session->delivering) return false;
	return session->turn != NULL || hy_sched__dispatch_deliver_due(session->dispatch);
}

static void pass_through(const hy_sched_session *session, const hy_sched__request *request)
{
	for (uint32_t i = 0; i < session->passage_count; i++) {
		const hy_sched__passage *passage = &session->passages[i];
		const void *source = passage->constant;
		if (source == NULL && passage->is_input) source = request->inputs[passage->source];
		if (source == NULL) source = request->outputs[passage->source];
		memcpy(request->outputs[passage->output], source, passage->length);
	}
}

void hy_sched__run_done(void *payload, hy_status status, const hy_error *error)
{
	hy_sched__run *run = payload;
	hy_sched_session *session = run->session;
	pthread_mutex_lock(&session->lock);
	run->status = status;
	if (status != HY_OK && run->error != NULL) *run->error = *error;
	run->done = true;
	pthread_cond_broadcast(&session->done);
	pthread_mutex_unlock(&session->lock);
}

static hy_status status_of(hy_sched__dispatch_end end, hy_error *error)
{
	switch (end) {
	case HY_SCHED__DISPATCH_OK:
		return HY_OK;
	case HY_SCHED__DISPATCH_CANCELLED:
		return hy_error_set(error, HY_CANCELLED, "the request was cancelled");
	case HY_SCHED__DISPATCH_DEADLINE:
		return hy_error_set(error, HY_TIMEOUT, "the request did not end before its deadline");
	case HY_SCHED__DISPATCH_ERROR:
	case HY_SCHED__DISPATCH_ENDS:
		break;
	}
	if (error->status != HY_OK) return error->status;
	return hy_error_set(error, HY_DEVICE_LOST, "no device of the session works any more");
}

static void record_end(hy_sched_session *session, const hy_sched__request *request, hy_sched__dispatch_end end)
{
	hy_sched__record_request(session, request);
	if (end == HY_SCHED__DISPATCH_CANCELLED)
		hy_sched__record_instant(session, HY_SCHED__TRACE_CANCELLED, NULL, request->sequence);
	if (end == HY_SCHED__DISPATCH_DEADLINE)
		hy_sched__record_instant(session, HY_SCHED__TRACE_DEADLINE, NULL, request->sequence);
}

/* Takes the next out of the dispatch; false: none is due. */
static bool next_turn(hy_sched_session *session)
{
	uint32_t number;
	if (session->turn != NULL) return true;
	if (!hy_sched__dispatch_deliver(session->dispatch, &number, &session->turn_end)) return false;
	session->turn = session->by_number[number];
	session->by_number[number] = NULL;
	pthread_cond_signal(&session->space);
	return true;
}

void hy_sched__deliver(hy_sched_session *session, hy_sched__deliver_what what)
{
	if (session->delivering) return;
	session->delivering = true;
	while (next_turn(session)) {
		hy_sched__request *request = session->turn;
		const hy_sched__dispatch_end end = session->turn_end;
		if (what == HY_SCHED__DELIVER_RUNS && request->on_done != hy_sched__run_done) break;
		session->turn = NULL;
		while (request->copying > 0)
			pthread_cond_wait(&session->copied, &session->lock);
		if (session->trace != NULL) record_end(session, request, end);
		const uint32_t priority = request->priority;
		const hy_status status = status_of(end, &request->error);
		pthread_mutex_unlock(&session->lock);
		if (status == HY_OK && session->passage_count > 0) pass_through(session, request);
		request->on_done(request->payload, status, status == HY_OK ? NULL : &request->error);
		pthread_mutex_lock(&session->lock);
		request->next = session->free;
		session->free = request;
		session->delivered[priority]++;
		if (session->drain_count > 0) pthread_cond_broadcast(&session->done);
	}
	session->delivering = false;
}
