/* One thread per device: takes requests, submits them, and deals with how they end. */
#include "session.h"
#include "tail.h"

#include <string.h>

#define MOST_ATTEMPTS 8u

/* ---- who may take; the lock is held ---- */

static uint64_t waiting_count(const hy_sched_session *session)
{
	return session->accepted - session->started + session->replay_count;
}

/* What a lane has in hand, less what it has surely done of it. */
static uint64_t free_in(const hy_sched__lane_run *lane, uint64_t now_ns)
{
	const uint64_t in_hand = lane->active_count * lane->item_ns;
	if (lane->active_count == 0 || lane->simulated || now_ns <= lane->since_ns) return in_hand;
	const uint64_t elapsed = now_ns - lane->since_ns;
	return in_hand - (elapsed < lane->item_ns ? elapsed : lane->item_ns);
}

static bool may_take(const hy_sched_session *session, const hy_sched__lane_run *self, uint64_t now_ns)
{
	hy_sched__tail_lane view[HY_SCHED__MOST_DEVICES];
	uint32_t count = 0, me = 0;
	for (uint32_t l = 0; l < session->lane_count; l++) {
		const hy_sched__lane_run *lane = &session->lanes[l];
		if (lane->lost) continue;
		if (lane == self) me = count;
		view[count].free_ns = free_in(lane, now_ns);
		view[count++].item_ns = lane->item_ns;
	}
	return count == 1 || hy_sched__tail_takes(count, view, me, waiting_count(session));
}

void hy_sched__worker_wake_takers(hy_sched_session *session)
{
	const uint64_t now_ns = hy_hal_now_ns();
	for (uint32_t l = 0; l < session->lane_count; l++) {
		const hy_sched__lane_run *lane = &session->lanes[l];
		if (!lane->lost && lane->free != NULL && may_take(session, lane, now_ns))
			pthread_cond_signal(&session->workers[lane->stages[0].worker].wake);
	}
}

/* ---- ends of requests; the lock is held ---- */

static void context_release(hy_sched__context *context)
{
	hy_sched__lane_run *lane = context->lane;
	context->request = NULL;
	context->next = lane->free;
	lane->free = context;
	lane->active_count--;
}

static void request_end(hy_sched_session *session, hy_sched__request *request, hy_status status, const hy_error *error)
{
	request->state = HY_SCHED__REQUEST_DONE;
	request->status = status;
	if (status != HY_OK) request->error = *error;
	session->last_ns = hy_hal_now_ns();
	if (status == HY_OK)
		session->done_ok++;
	else
		session->done_error++;
}

static void request_replay(hy_sched_session *session, hy_sched__context *context, const hy_error *error)
{
	hy_sched__request *request = context->request;
	context_release(context);
	if (session->live_lanes == 0 || ++request->attempts > MOST_ATTEMPTS) {
		request_end(session, request, error->status, error);
		return;
	}
	request->state = HY_SCHED__REQUEST_WAITS;
	session->replay_count++;
	if (session->trace != NULL) hy_sched__record_instant(session, HY_SCHED__TRACE_REPLAY, NULL, request->number);
}

static void ready_add(hy_sched__worker *worker, hy_sched__context *context)
{
	context->next = NULL;
	if (worker->session->trace != NULL) context->ready_ns = hy_hal_now_ns();
	*worker->ready_end = context;
	worker->ready_end = &context->next;
	pthread_cond_signal(&worker->wake);
}

static hy_sched__context *ready_take(hy_sched__worker *worker)
{
	hy_sched__context *context = worker->ready;
	worker->ready = context->next;
	if (worker->ready == NULL) worker->ready_end = &worker->ready;
	return context;
}

static bool goes_through(const hy_sched__lane_run *lane, uint32_t worker)
{
	for (uint32_t s = 0; s < lane->stage_count; s++)
		if (lane->stages[s].worker == worker) return true;
	return false;
}

/* Lanes through the device end; what waits in them starts again elsewhere, or ends when there is nowhere to go. */
static void device_lost(hy_sched__worker *worker, const hy_error *error)
{
	hy_sched_session *session = worker->session;
	if (worker->lost) return;
	worker->lost = true;
	if (session->trace != NULL)
		hy_sched__record_instant(session, HY_SCHED__TRACE_LOST, worker, HY_SCHED__TRACE_NO_REQUEST);
	for (uint32_t l = 0; l < session->lane_count; l++) {
		hy_sched__lane_run *lane = &session->lanes[l];
		if (lane->lost || !goes_through(lane, (uint32_t)(worker - session->workers))) continue;
		lane->lost = true;
		session->live_lanes--;
	}
	for (uint32_t w = 0; w < session->worker_count; w++) {
		hy_sched__context *waiting = session->workers[w].ready;
		session->workers[w].ready = NULL;
		session->workers[w].ready_end = &session->workers[w].ready;
		while (waiting != NULL) {
			hy_sched__context *context = waiting;
			waiting = context->next;
			if (!context->lane->lost) {
				ready_add(&session->workers[w], context);
				continue;
			}
			worker->replayed++;
			request_replay(session, context, error);
		}
	}
	for (uint64_t i = session->taken_out; session->live_lanes == 0 && i < session->accepted; i++) {
		hy_sched__request *request = &session->ring[i % session->ring_room];
		if (request->state == HY_SCHED__REQUEST_WAITS) request_end(session, request, error->status, error);
	}
	if (session->live_lanes == 0) {
		session->started = session->accepted;
		session->replay_count = 0;
	}
	hy_sched__worker_wake_all(session);
	pthread_cond_broadcast(&session->space);
}

static void stage_failed(hy_sched__worker *worker, hy_sched__context *context, const hy_error *error)
{
	hy_sched_session *session = worker->session;
	const bool lost = error->scope >= HY_SCOPE_DEVICE ||
	                  (error->status == HY_DEVICE_LOST && error->scope != HY_SCOPE_QUEUE);
	if (lost) device_lost(worker, error);
	if (error->scope == HY_SCOPE_QUEUE) worker->queue_lost = true;
	if (lost || worker->lost || worker->queue_lost) {
		worker->replayed++;
		request_replay(session, context, error);
		hy_sched__worker_wake_all(session);
		return;
	}
	hy_sched__request *request = context->request;
	context_release(context);
	request_end(session, request, error->status, error);
}

/* Follows clocks, heat and company: an eighth of each new sample. */
static void learn(hy_sched__lane_run *lane, uint64_t busy_ns)
{
	const double sample = (double)busy_ns * lane->bottleneck;
	const double item = (double)lane->item_ns + (sample - (double)lane->item_ns) / 8;
	lane->item_ns = item > 1 ? (uint64_t)item : 1;
}

static void stage_done(hy_sched__worker *worker, hy_sched__context *context)
{
	hy_sched_session *session = worker->session;
	hy_sched__lane_run *lane = context->lane;
	worker->items++;
	if (++context->stage < lane->stage_count) {
		hy_sched__worker *next = &session->workers[lane->stages[context->stage].worker];
		if (!lane->lost) {
			ready_add(next, context);
			return;
		}
		hy_error error = {0};
		hy_error_set(&error, HY_DEVICE_LOST, "a device of its way through the plan was lost");
		next->replayed++;
		request_replay(session, context, &error);
		hy_sched__worker_wake_all(session);
		return;
	}
	if (context->busy_ns > 0) learn(lane, context->busy_ns);
	lane->since_ns = session->last_ns = hy_hal_now_ns();
	hy_sched__request *request = context->request;
	context_release(context);
	request_end(session, request, HY_OK, NULL);
}

static void ticket_done(void *payload, const hy_done *done);

/* ---- taking work; the lock is held ---- */

/* The oldest that waits. */
static hy_sched__request *request_take(hy_sched_session *session)
{
	hy_sched__request *request = NULL;
	if (session->replay_count > 0) {
		uint64_t i = session->taken_out;
		while ((request = &session->ring[i % session->ring_room])->state != HY_SCHED__REQUEST_WAITS)
			i++;
		session->replay_count--;
	} else {
		request = &session->ring[session->started++ % session->ring_room];
	}
	request->state = HY_SCHED__REQUEST_RUNS;
	return request;
}

static hy_sched__context *lane_take(hy_sched__worker *worker, uint64_t now_ns)
{
	hy_sched_session *session = worker->session;
	for (uint32_t l = 0; l < session->lane_count; l++) {
		hy_sched__lane_run *lane = &session->lanes[l];
		if (lane->lost || lane->free == NULL) continue;
		if (&session->workers[lane->stages[0].worker] != worker) continue;
		if (!may_take(session, lane, now_ns)) continue;
		hy_sched__context *context = lane->free;
		lane->free = context->next;
		if (lane->active_count++ == 0) lane->since_ns = now_ns;
		context->request = request_take(session);
		context->ready_ns = context->request->accepted_ns;
		context->stage = 0;
		context->busy_ns = 0;
		return context;
	}
	return NULL;
}

static hy_sched__context *take(hy_sched__worker *worker, uint64_t now_ns)
{
	if (worker->lost || worker->queue_lost || worker->submitting) return NULL;
	if (worker->in_flight >= worker->session->plan->options.depth) return NULL;
	if (worker->ready != NULL) return ready_take(worker);
	if (waiting_count(worker->session) == 0) return NULL;
	return lane_take(worker, now_ns);
}

/* ---- the thread ---- */

static void *host_of(const hy_sched__context *context, const hy_sched__place *place)
{
	switch (place->kind) {
	case HY_SCHED__PLACE_INPUT:
		return (void *)(uintptr_t)context->request->inputs[place->index];
	case HY_SCHED__PLACE_OUTPUT:
		return context->request->outputs[place->index];
	case HY_SCHED__PLACE_BETWEEN:
		break;
	}
	return context->between[place->index];
}

/* The submissions of a stage: all in one, or each kind of work by itself while it is traced. */
static uint32_t make_tickets(hy_sched__context *context, bool traced, uint32_t command_count,
                             uint32_t counts[HY_SCHED__MOST_TICKETS])
{
	const hy_sched__frame *frame = &context->frames[context->stage];
	const uint32_t parts[] = {frame->copy_in_count, 1, frame->copy_out_count};
	static const hy_sched__trace_kind kinds[] = {HY_SCHED__TRACE_COPY_IN, HY_SCHED__TRACE_EXEC,
	                                             HY_SCHED__TRACE_COPY_OUT};
	uint32_t count = 0;
	for (uint32_t i = 0; traced && i < HY_SCHED__MOST_TICKETS; i++) {
		if (parts[i] == 0) continue;
		context->tickets[count].kind = kinds[i];
		counts[count++] = parts[i];
	}
	if (count > 0) return count;
	context->tickets[0].kind = HY_SCHED__TRACE_EXEC;
	counts[0] = command_count;
	return 1;
}

/* Answers how many of the stage's tickets will not come, with the error. The lock is not held. */
static uint32_t submit(hy_sched__worker *worker, hy_sched__context *context, bool traced, hy_error *error)
{
	const hy_sched__stage *stage = &context->lane->stages[context->stage];
	hy_sched__frame *frame = &context->frames[context->stage];
	void **hosts = context->hosts[context->stage];
	for (uint32_t i = 0; i < frame->binding_count; i++)
		hosts[i] = host_of(context, &stage->places[i]);
	uint32_t command_count, counts[HY_SCHED__MOST_TICKETS];
	const hy_command *commands = frame->commands;
	context->tickets_left = 1;
	hy_status status = hy_sched__frame_bind(frame, hosts, worker->session->plan->parts[stage->part].program,
	                                        &worker->workspace_ref, &command_count, error);
	if (status != HY_OK) return 1;
	const uint32_t count = make_tickets(context, traced, command_count, counts);
	context->tickets_left = count;
	for (uint32_t i = 0; i < count; i++) {
		status = hy_hal_queue_submit(worker->queue, counts[i], commands, ticket_done, &context->tickets[i],
		                             error);
		if (status != HY_OK) return count - i;
		commands += counts[i];
	}
	return 0;
}

/* After a failure that took the queue with it, once nothing is in it any more. */
static void queue_renew(hy_sched__worker *worker)
{
	hy_sched_session *session = worker->session;
	hy_hal_queue *old = worker->queue, *fresh = NULL;
	hy_error error = {0};
	worker->queue = NULL;
	pthread_mutex_unlock(&session->lock);
	hy_hal_queue_close(old);
	const hy_status status = hy_hal_queue_open(session->plan->devices[worker->device].hal, HY_QUEUE_COMPUTE, &fresh,
	                                           &error);
	pthread_mutex_lock(&session->lock);
	worker->queue = fresh;
	worker->queue_lost = false;
	if (status != HY_OK) device_lost(worker, &error);
}

/* Its last ticket came. */
static void stage_end(hy_sched__worker *worker, hy_sched__context *context)
{
	worker->in_flight--;
	if (context->error.status == HY_OK)
		stage_done(worker, context);
	else
		stage_failed(worker, context, &context->error);
}

static void dispatch(hy_sched__worker *worker, hy_sched__context *context, uint64_t start_ns)
{
	hy_sched_session *session = worker->session;
	const bool traced = session->trace != NULL;
	hy_error error;
	worker->in_flight++;
	worker->submitting = true;
	context->error.status = HY_OK;
	context->submitted_ns = start_ns;
	if (traced) hy_sched__record_taken(worker, context);
	pthread_mutex_unlock(&session->lock);
	const uint32_t missing = submit(worker, context, traced, &error);
	const uint64_t spent_ns = hy_hal_now_ns() - start_ns;
	pthread_mutex_lock(&session->lock);
	worker->submitting = false;
	worker->dispatch_ns[worker->dispatch_count++ % HY_SCHED__DISPATCH_SAMPLES] = spent_ns;
	if (missing == 0) return;
	if (context->error.status == HY_OK) context->error = error;
	context->tickets_left -= missing;
	if (context->tickets_left == 0) stage_end(worker, context);
}

/* On the thread that brought a completion: the device gets its next work without waiting for a thread to wake up. A
 * completion inside of a submission leaves this to whoever submits. */
static void refill(hy_sched__worker *worker)
{
	for (;;) {
		const uint64_t now_ns = hy_hal_now_ns();
		hy_sched__context *context = take(worker, now_ns);
		if (context == NULL) return;
		dispatch(worker, context, now_ns);
	}
}

static void ticket_times(hy_sched__worker *worker, hy_sched__context *context, const hy_done *done)
{
	if (done->end_ns <= done->begin_ns) return;
	const uint64_t begin = done->begin_ns > worker->last_end_ns ? done->begin_ns : worker->last_end_ns;
	if (done->end_ns > begin) worker->busy_ns += done->end_ns - begin;
	if (done->end_ns > worker->last_end_ns) worker->last_end_ns = done->end_ns;
	context->busy_ns += done->end_ns - done->begin_ns;
}

static void ticket_failed(const hy_sched__worker *worker, hy_sched__context *context, const hy_done *done)
{
	if (context->error.status != HY_OK) return;
	hy_error_set(&context->error, done->status, "%s: %.*s", worker->session->plan->devices[worker->device].id,
	             (int)done->text_length, done->text != NULL ? done->text : "");
	context->error.scope = done->scope;
	context->error.native = done->native;
}

static void ticket_done(void *payload, const hy_done *done)
{
	const hy_sched__ticket *ticket = payload;
	hy_sched__context *context = ticket->context;
	hy_sched_session *session = context->lane->session;
	hy_sched__worker *worker = &session->workers[context->lane->stages[context->stage].worker];
	pthread_mutex_lock(&session->lock);
	ticket_times(worker, context, done);
	if (session->trace != NULL) hy_sched__record_ticket(worker, ticket, done);
	if (done->status != HY_OK) ticket_failed(worker, context, done);
	if (--context->tickets_left == 0) stage_end(worker, context);
	refill(worker);
	hy_sched__deliver(session, HY_SCHED__DELIVER_RUNS);
	if (hy_sched__deliver_due(session) || worker->queue_lost) pthread_cond_signal(&worker->wake);
	if (waiting_count(session) > 0) hy_sched__worker_wake_takers(session);
	pthread_mutex_unlock(&session->lock);
}

/* A thread that is going to wait submits one request by itself. */
void hy_sched__worker_help(hy_sched_session *session)
{
	const uint64_t now_ns = hy_hal_now_ns();
	for (uint32_t w = 0; w < session->worker_count; w++) {
		hy_sched__worker *worker = &session->workers[w];
		hy_sched__context *context = take(worker, now_ns);
		if (context == NULL) continue;
		dispatch(worker, context, now_ns);
		pthread_cond_signal(&worker->wake); /* for what came meanwhile */
		return;
	}
}

static void *worker_main(void *payload)
{
	hy_sched__worker *worker = payload;
	hy_sched_session *session = worker->session;
	pthread_mutex_lock(&session->lock);
	while (!session->stopping) {
		const uint64_t now_ns = hy_hal_now_ns();
		hy_sched__context *context = take(worker, now_ns);
		if (context != NULL) {
			dispatch(worker, context, now_ns);
			continue;
		}
		if (hy_sched__deliver_due(session)) {
			hy_sched__deliver(session, HY_SCHED__DELIVER_ALL);
			continue;
		}
		if (worker->queue_lost && !worker->lost && worker->in_flight == 0 && !worker->submitting) {
			queue_renew(worker);
			continue;
		}
		pthread_cond_wait(&worker->wake, &session->lock);
	}
	pthread_mutex_unlock(&session->lock);
	return NULL;
}

void hy_sched__worker_wake_all(hy_sched_session *session)
{
	for (uint32_t w = 0; w < session->worker_count; w++)
		pthread_cond_signal(&session->workers[w].wake);
}

hy_status hy_sched__worker_start(hy_sched__worker *worker, hy_error *error)
{
	pthread_mutex_lock(&worker->session->lock);
	worker->has_thread = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
	const bool started = worker->has_thread;
	pthread_mutex_unlock(&worker->session->lock);
	return started ? HY_OK : hy_error_set(error, HY_NO_MEMORY, "cannot start a thread for a device");
}
