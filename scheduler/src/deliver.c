/* Answers in the order of submission: whoever finds the oldest request done delivers, one thread at a time. */
#include "session.h"

#include <string.h>

bool hy_sched__deliver_due(const hy_sched_session *session)
{
	return !session->delivering && session->taken_out < session->accepted &&
	       session->ring[session->taken_out % session->ring_room].state == HY_SCHED__REQUEST_DONE;
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

void hy_sched__deliver(hy_sched_session *session, hy_sched__deliver_what what)
{
	if (session->delivering) return;
	session->delivering = true;
	for (;;) {
		hy_sched__request *request = &session->ring[session->taken_out % session->ring_room];
		if (session->taken_out == session->accepted || request->state != HY_SCHED__REQUEST_DONE) break;
		if (what == HY_SCHED__DELIVER_RUNS && request->on_done != hy_sched__run_done) break;
		if (session->passage_count > 0 && request->status == HY_OK) {
			pthread_mutex_unlock(&session->lock);
			pass_through(session, request);
			pthread_mutex_lock(&session->lock);
		}
		const hy_sched_done_fn on_done = request->on_done;
		void *payload = request->payload;
		const hy_status status = request->status;
		hy_error error;
		if (status != HY_OK) error = request->error;
		if (session->trace != NULL) hy_sched__record_request(session, request);
		session->taken_out++;
		pthread_cond_signal(&session->space);
		pthread_mutex_unlock(&session->lock);
		on_done(payload, status, status == HY_OK ? NULL : &error);
		pthread_mutex_lock(&session->lock);
		session->delivered++;
		if (session->drain_count > 0) pthread_cond_broadcast(&session->done);
	}
	session->delivering = false;
}
