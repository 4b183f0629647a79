/* One thread per device: takes attempts, submits them, and deals with how they end. */
#include "session.h"

/* ---- waking; the lock is held ---- */

void hy_sched__worker_wake_takers(hy_sched_session *session)
{
	const uint64_t now_ns = hy_hal_now_ns();
	for (uint32_t l = 0; l < session->lane_count; l++)
		if (hy_sched__dispatch_wants(session->dispatch, now_ns, l))
			pthread_cond_signal(&session->workers[session->lanes[l].stages[0].worker].wake);
}

void hy_sched__worker_wake_all(hy_sched_session *session)
{
	for (uint32_t w = 0; w < session->worker_count; w++)
		pthread_cond_signal(&session->workers[w].wake);
}

/* ---- stages after the first; the lock is held ---- */

static void ready_add(hy_sched__worker *worker, hy_sched__context *context)
{
	context->next = NULL;
	context->ready_ns = worker->session->trace != NULL ? hy_hal_now_ns() : 0;
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

bool hy_sched__worker_lane_works(const hy_sched__lane_run *lane)
{
	hy_sched__dispatch_lane_info info;
	hy_sched__dispatch_lane_describe(lane->session->dispatch, lane->number, &info);
	return info.state != HY_SCHED__DISPATCH_QUARANTINED && info.state != HY_SCHED__DISPATCH_PROBING &&
	       info.state != HY_SCHED__DISPATCH_LOST;
}

/* ---- ends of attempts; the lock is held ---- */

/* The request that waits for the context's result, or NULL. */
static hy_sched__request *request_of(const hy_sched__context *context)
{
	const hy_sched_session *session = context->lane->session;
	const uint32_t number = hy_sched__dispatch_request_of(session->dispatch, context->attempt);
	return number != HY_SCHED__DISPATCH_NONE ? session->by_number[number] : NULL;
}

static void attempt_failed(hy_sched__worker *worker, hy_sched__context *context, hy_scope scope, const hy_error *error)
{
	hy_sched_session *session = worker->session;
	hy_sched__request *request = request_of(context);
	if (request != NULL) request->error = *error;
	if (scope >= HY_SCOPE_QUEUE) {
		worker->replayed++;
		if (session->trace != NULL)
			hy_sched__record_instant(session, HY_SCHED__TRACE_REPLAY, NULL, context->sequence);
	}
	hy_sched__dispatch_failed(session->dispatch, hy_hal_now_ns(), context->attempt, scope);
	session->last_ns = hy_hal_now_ns();
}

static void way_failed(hy_sched__worker *worker, hy_sched__context *context)
{
	hy_error error = {0};
	hy_error_set(&error, HY_DEVICE_LOST, "a device on its way through the plan was lost");
	attempt_failed(worker, context, HY_SCOPE_QUEUE, &error);
}

void hy_sched__worker_sweep(hy_sched_session *session)
{
	for (uint32_t w = 0; w < session->worker_count; w++) {
		hy_sched__worker *worker = &session->workers[w];
		hy_sched__context *waiting = worker->ready;
		worker->ready = NULL;
		worker->ready_end = &worker->ready;
		while (waiting != NULL) {
			hy_sched__context *context = waiting;
			waiting = context->next;
			if (hy_sched__worker_lane_works(context->lane))
				ready_add(worker, context);
			else
				way_failed(worker, context);
		}
	}
}

static void stage_failed(hy_sched__worker *worker, hy_sched__context *context, const hy_error *error)
{
	const bool lost = error->scope >= HY_SCOPE_DEVICE ||
	                  (error->status == HY_DEVICE_LOST && error->scope != HY_SCOPE_QUEUE);
	hy_scope scope = lost ? (hy_scope)HY_SCOPE_DEVICE : error->scope;
	/* What was in a queue that is closed or lost did nothing wrong. */
	if (scope < HY_SCOPE_QUEUE && (worker->lost || worker->queue_lost || worker->queue == NULL))
		scope = HY_SCOPE_QUEUE;
	if (scope == HY_SCOPE_QUEUE) worker->queue_lost = true;
	attempt_failed(worker, context, scope, error);
	if (lost) hy_sched__revive_lost(worker);
}

/* The result goes where the caller wants it, unless another attempt was first. */
static void give_result(hy_sched__context *context)
{
	hy_sched_session *session = context->lane->session;
	if (!context->own_memory || !hy_sched__dispatch_claim(session->dispatch, context->attempt)) return;
	const hy_sched__request *request = request_of(context);
	pthread_mutex_unlock(&session->lock);
	hy_sched__memory_give(session, context, request);
	pthread_mutex_lock(&session->lock);
}

/* An eighth of each new sample. */
static void stage_learn(hy_sched__stage *stage, uint64_t busy_ns)
{
	if (busy_ns == 0) return;
	stage->busy_ns += ((double)busy_ns - stage->busy_ns) / (stage->busy_ns > 0 ? 8 : 1);
}

static void stage_done(hy_sched__worker *worker, hy_sched__context *context)
{
	hy_sched_session *session = worker->session;
	const hy_sched__lane_run *lane = context->lane;
	worker->items++;
	stage_learn(&lane->stages[context->stage], context->busy_ns - context->busy_before_ns);
	context->busy_before_ns = context->busy_ns;
	if (++context->stage < lane->stage_count) {
		if (hy_sched__worker_lane_works(lane))
			ready_add(&session->workers[lane->stages[context->stage].worker], context);
		else
			way_failed(&session->workers[lane->stages[context->stage].worker], context);
		return;
	}
	give_result(context);
	session->last_ns = hy_hal_now_ns();
	(void)hy_sched__dispatch_done(session->dispatch, session->last_ns, context->attempt, context->busy_ns);
}

/* Its last ticket came. */
static void stage_end(hy_sched__worker *worker, hy_sched__context *context)
{
	worker->in_flight--;
	if (context->error.status == HY_OK)
		stage_done(worker, context);
	else
		stage_failed(worker, context, &context->error);
	if (worker->session->replanning) pthread_cond_broadcast(&worker->session->quiet);
	hy_sched__revive_settle(worker->session);
}

static void ticket_done(void *payload, const hy_done *done);

/* ---- taking work; the lock is held ---- */

static hy_sched__context *lane_take(hy_sched__worker *worker, uint64_t now_ns)
{
	hy_sched_session *session = worker->session;
	for (uint32_t l = 0; l < session->lane_count; l++) {
		hy_sched__lane_run *lane = &session->lanes[l];
		uint32_t attempt;
		if (&session->workers[lane->stages[0].worker] != worker) continue;
		if (hy_sched__dispatch_take(session->dispatch, now_ns, l, 1, &attempt) == 0) continue;
		hy_sched__context
			*context = &lane->contexts[attempt - hy_sched__dispatch_first_attempt(session->dispatch, l)];
		const hy_sched__request *request = request_of(context);
		context->sequence = request->sequence;
		context->own_memory = request->own_memory;
		context->ready_ns = request->accepted_ns;
		context->stage = 0;
		context->busy_ns = context->busy_before_ns = 0;
		for (uint32_t i = 0; !context->own_memory && i < session->input_count; i++)
			context->inputs[i] = (void *)(uintptr_t)request->inputs[i];
		for (uint32_t i = 0; !context->own_memory && i < session->output_count; i++)
			context->outputs[i] = request->outputs[i];
		return context;
	}
	return NULL;
}

static hy_sched__context *take(hy_sched__worker *worker, uint64_t now_ns)
{
	if (worker->session->stopping) return NULL;
	if (worker->queue == NULL || worker->renew || worker->lost || worker->queue_lost || worker->submitting)
		return NULL;
	if (worker->in_flight >= worker->session->plan->options.depth) return NULL;
	if (worker->ready != NULL) return ready_take(worker);
	return worker->session->replanning ? NULL : lane_take(worker, now_ns);
}

/* ---- submission; the lock is not held ---- */

static void *host_of(const hy_sched__context *context, const hy_sched__place *place)
{
	switch (place->kind) {
	case HY_SCHED__PLACE_INPUT:
		return context->inputs[place->index];
	case HY_SCHED__PLACE_OUTPUT:
		return context->outputs[place->index];
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

/* The request may end, and its inputs with it, as soon as they are copied. */
static hy_status copy_inputs(hy_sched_session *session, hy_sched__context *context, hy_sched__request *request,
                             hy_error *error)
{
	const hy_status status = hy_sched__memory_take(session, context, request, error);
	pthread_mutex_lock(&session->lock);
	if (--request->copying == 0) pthread_cond_broadcast(&session->copied);
	pthread_mutex_unlock(&session->lock);
	return status;
}

/* Answers how many of the stage's tickets will not come, with the error. copied: the request whose inputs are to be
 * copied, or NULL. */
static uint32_t submit(hy_sched__worker *worker, hy_sched__context *context, bool traced, hy_sched__request *copied,
                       hy_error *error)
{
	const hy_sched__stage *stage = &context->lane->stages[context->stage];
	hy_sched__frame *frame = &context->frames[context->stage];
	void **hosts = context->hosts[context->stage];
	hy_status status = HY_OK;
	context->tickets_left = 1;
	if (copied != NULL) status = copy_inputs(worker->session, context, copied, error);
	if (status != HY_OK) return 1;
	if (worker->session->strips != NULL) {
		context->tickets[0].kind = HY_SCHED__TRACE_EXEC;
		hy_sched__session_strips_submit(context, ticket_done);
		return 0;
	}
	for (uint32_t i = 0; i < frame->binding_count; i++)
		hosts[i] = host_of(context, &stage->places[i]);
	uint32_t command_count, counts[HY_SCHED__MOST_TICKETS];
	const hy_command *commands = frame->commands;
	status = hy_sched__frame_bind(frame, hosts, worker->session->plan->parts[stage->part].program,
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

/* ---- the lock is held again ---- */

static void dispatch(hy_sched__worker *worker, hy_sched__context *context, uint64_t start_ns)
{
	hy_sched_session *session = worker->session;
	const bool traced = session->trace != NULL;
	hy_sched__request *copied = NULL;
	hy_error error = {0};
	worker->in_flight++;
	worker->submitting = true;
	context->error.status = HY_OK;
	context->submitted_ns = start_ns;
	if (traced) hy_sched__record_taken(worker, context);
	if (context->own_memory && context->stage == 0) {
		copied = request_of(context);
		copied->copying++;
	}
	pthread_mutex_unlock(&session->lock);
	const uint32_t missing = submit(worker, context, traced, copied, &error);
	const uint64_t spent_ns = hy_hal_now_ns() - start_ns;
	pthread_mutex_lock(&session->lock);
	worker->submitting = false;
	if (session->replanning || session->stopping) pthread_cond_broadcast(&session->quiet);
	worker->dispatch_ns[worker->dispatch_count++ % HY_SCHED__DISPATCH_SAMPLES] = spent_ns;
	if (worker->renew) pthread_cond_signal(&worker->wake);
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
	if (worker->session->strips != NULL) {
		hy_sched__session_strips_times(worker->session);
		context->busy_ns = done->end_ns - done->begin_ns;
		return;
	}
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
	if (hy_sched__deliver_due(session) || worker->renew) pthread_cond_signal(&worker->wake);
	hy_sched__worker_wake_takers(session);
	hy_sched__timer_check(session);
	pthread_mutex_unlock(&session->lock);
}

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
		if (worker->renew && !worker->submitting && !session->replanning) {
			hy_sched__revive_renew(worker);
			continue;
		}
		if (session->drifted && worker == &session->workers[session->lanes[0].stages[0].worker]) {
			hy_sched__replan(session);
			continue;
		}
		hy_sched__timer_check(session);
		pthread_cond_wait(&worker->wake, &session->lock);
	}
	pthread_mutex_unlock(&session->lock);
	return NULL;
}

hy_status hy_sched__worker_start(hy_sched__worker *worker, hy_error *error)
{
	pthread_mutex_lock(&worker->session->lock);
	worker->has_thread = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
	const bool started = worker->has_thread;
	pthread_mutex_unlock(&worker->session->lock);
	return started ? HY_OK : hy_error_set(error, HY_NO_MEMORY, "cannot start a thread for a device");
}
