/* A session whose requests run in strips: one lane of one stage, which is the strips. Its worker is the first device's;
 * the others' only say what their devices do. */
#include "session.h"
#include "strips.h"

static hy_sched__strips *strips_of(const hy_sched_session *session)
{
	return session->plan->candidates[session->plan->chosen].strips;
}

hy_status hy_sched__session_strips_make(hy_sched_session *session, hy_error *error)
{
	hy_sched__strips *strips = session->strips = strips_of(session);
	const hy_status status = hy_sched__strips_load(strips, session->plan, error);
	if (status != HY_OK) return status;
	for (uint32_t d = 0; d < strips->split.device_count; d++) {
		hy_sched__worker *worker = &session->workers[session->worker_count++];
		worker->session = session;
		worker->device = strips->strips[d].device;
		worker->ready_end = &worker->ready;
		pthread_cond_init(&worker->wake, NULL);
		strips->strips[d].busy_ns = strips->strips[d].items = 0;
	}
	return HY_OK;
}

void hy_sched__session_strips_submit(hy_sched__context *context, hy_hal_done_fn on_done)
{
	hy_sched__strips_submit(context->lane->session->strips, (const void *const *)context->inputs, context->outputs,
	                        on_done, &context->tickets[0]);
}

/* No step is running. */
void hy_sched__session_strips_times(hy_sched_session *session)
{
	for (uint32_t d = 0; d < session->strips->split.device_count; d++) {
		hy_sched__strip *strip = &session->strips->strips[d];
		session->workers[d].busy_ns += strip->busy_ns;
		if (d > 0) session->workers[d].items++;
		strip->busy_ns = 0;
	}
}

hy_status hy_sched__session_strips_renew(hy_sched_session *session, hy_error *error)
{
	return hy_sched__strips_renew(session->strips, session->plan, error);
}

void hy_sched__session_strips_free(hy_sched_session *session)
{
	if (session->strips != NULL) hy_sched__strips_unload(session->strips);
}
