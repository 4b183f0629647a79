/* The thread that ticks the dispatch: deadlines, time-outs of attempts, probes. While there is work it looks every
 * 50 ms, so that nobody wakes it for time-outs that are further away; with none it sleeps until it is woken. */
#include "session.h"

#include <time.h>

#define LOOK_NS 50000000u

/* Of whoever made the next tick earlier. */
void hy_sched__timer_check(hy_sched_session *session)
{
	if (hy_sched__dispatch_next_ns(session->dispatch) < session->timer_until_ns)
		pthread_cond_signal(&session->timer);
}

static void wait_until(hy_sched_session *session, uint64_t ns)
{
	session->timer_until_ns = ns;
	if (ns == HY_SCHED__DISPATCH_NEVER) {
		pthread_cond_wait(&session->timer, &session->lock);
		return;
	}
	const struct timespec until = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
	pthread_cond_timedwait(&session->timer, &session->lock, &until);
}

static void *timer_main(void *payload)
{
	hy_sched_session *session = payload;
	bool was_idle = false;
	pthread_mutex_lock(&session->lock);
	while (!session->stopping) {
		const uint64_t now_ns = hy_hal_now_ns();
		hy_sched__dispatch_tick(session->dispatch, now_ns);
		hy_sched__revive_settle(session);
		hy_sched__worker_wake_takers(session);
		if (hy_sched__deliver_due(session)) hy_sched__worker_wake_all(session);
		uint64_t next_ns = hy_sched__dispatch_next_ns(session->dispatch);
		const bool idle = next_ns == HY_SCHED__DISPATCH_NEVER;
		if (!(idle && was_idle) && next_ns > now_ns + LOOK_NS) next_ns = now_ns + LOOK_NS;
		was_idle = idle;
		wait_until(session, next_ns);
	}
	pthread_mutex_unlock(&session->lock);
	return NULL;
}

hy_status hy_sched__timer_start(hy_sched_session *session, hy_error *error)
{
	pthread_mutex_lock(&session->lock);
	session->has_timer = pthread_create(&session->timer_thread, NULL, timer_main, session) == 0;
	const bool started = session->has_timer;
	pthread_mutex_unlock(&session->lock);
	return started ? HY_OK : hy_error_set(error, HY_NO_MEMORY, "cannot start a thread for deadlines");
}
