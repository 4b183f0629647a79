/* The doors of a session: submit, run, drain, and what it says about itself. */
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

hy_status hy_sched_session_create(hy_sched_plan *plan, hy_sched_session **out_session, hy_error *error)
{
	if (plan == NULL || out_session == NULL)
		return hy_error_set(error, HY_INVALID, "session: plan and out_session are needed");
	if (plan->has_session)
		return hy_error_set(error, HY_BUSY, "the plan has a session: destroy it, or make another plan");
	hy_sched_session *session = calloc(1, sizeof(*session));
	if (session == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for the session");
	session->plan = plan;
	plan->has_session = true;
	pthread_mutex_init(&session->lock, NULL);
	pthread_cond_init(&session->space, NULL);
	pthread_cond_init(&session->done, NULL);
	pthread_cond_init(&session->copied, NULL);
	pthread_cond_init(&session->quiet, NULL);
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&session->timer, &clock);
	pthread_condattr_destroy(&clock);
	const hy_status status = hy_sched__session_make(session, error);
	if (status != HY_OK) {
		hy_sched_session_destroy(session);
		return status;
	}
	*out_session = session;
	return HY_OK;
}

/* Of what was accepted by now; the lock is held. */
static void wait_for_delivery(hy_sched_session *session)
{
	uint64_t until[HY_SCHED__DISPATCH_CLASSES];
	memcpy(until, session->accepted, sizeof(until));
	session->drain_count++;
	for (uint32_t c = 0; c < HY_SCHED__DISPATCH_CLASSES; c++)
		while (session->delivered[c] < until[c])
			pthread_cond_wait(&session->done, &session->lock);
	session->drain_count--;
}

void hy_sched_session_destroy(hy_sched_session *session)
{
	if (session == NULL) return;
	pthread_mutex_lock(&session->lock);
	wait_for_delivery(session);
	session->stopping = true;
	hy_sched__worker_wake_all(session);
	pthread_cond_signal(&session->timer);
	pthread_cond_broadcast(&session->quiet);
	pthread_mutex_unlock(&session->lock);
	hy_sched__session_free(session);
	pthread_cond_destroy(&session->timer);
	pthread_cond_destroy(&session->quiet);
	pthread_cond_destroy(&session->copied);
	pthread_cond_destroy(&session->done);
	pthread_cond_destroy(&session->space);
	pthread_mutex_destroy(&session->lock);
	session->plan->has_session = false;
	free(session);
}

/* A worker that waits for the session would wait for itself. */
static bool is_worker(const hy_sched_session *session)
{
	for (uint32_t w = 0; w < session->worker_count; w++)
		if (pthread_equal(session->workers[w].thread, pthread_self())) return true;
	return false;
}

static hy_status check_tensors(const hy_ir_graph *graph, const char *what, uint32_t count, const uint32_t *values,
                               const hy_ir_tensor *tensors, hy_error *error)
{
	for (uint32_t i = 0; i < count; i++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, values[i]);
		char wanted[128], given[128];
		if (!hy_ir_type_equal(&tensors[i].type, &value->type))
			return hy_error_set(error, HY_INVALID, "%s '%s' is %s, the model's is %s", what, value->name,
			                    hy_ir_type_print(&tensors[i].type, given, sizeof(given)),
			                    hy_ir_type_print(&value->type, wanted, sizeof(wanted)));
		if (tensors[i].data == NULL && hy_ir_type_bytes(&value->type) > 0)
			return hy_error_set(error, HY_INVALID, "%s '%s' has no data", what, value->name);
		if ((uintptr_t)tensors[i].data % (hy_dtype_bits(value->type.dtype) / 8u) != 0)
			return hy_error_set(error, HY_INVALID, "%s '%s' is not aligned to its elements", what,
			                    value->name);
	}
	return HY_OK;
}

static const uint32_t class_of[] = {
	[HY_SCHED_NORMAL] = 1, [HY_SCHED_URGENT] = 0, [HY_SCHED_LOW] = 2, [HY_SCHED_BACKGROUND] = 3};
enum { PRIORITIES = sizeof(class_of) / sizeof(class_of[0]) };

static hy_status refused(hy_sched_session *session, hy_sched__dispatch_answer answer, uint64_t late_ns, hy_error *error)
{
	if (session->trace != NULL) hy_sched__record_instant(session, HY_SCHED__TRACE_REFUSED, NULL, 0);
	if (answer == HY_SCHED__DISPATCH_TOO_LATE)
		return hy_error_set(error, HY_TIMEOUT,
		                    "the request would end %" PRIu64 " us after its deadline: give it more time, or a "
		                    "more urgent class",
		                    late_ns / 1000);
	return hy_error_set(error, HY_DEVICE_LOST,
	                    "no device of the session works: try again later, or destroy it and plan again");
}

/* Into the dispatch; waits for room. The lock is held. */
static hy_status enter(hy_sched_session *session, const hy_sched__dispatch_ask *ask, uint32_t *out_number,
                       hy_error *error)
{
	for (;;) {
		uint64_t predicted_ns = 0;
		const hy_sched__dispatch_answer answer = hy_sched__dispatch_accept(session->dispatch, hy_hal_now_ns(),
		                                                                   ask, out_number, &predicted_ns);
		if (answer == HY_SCHED__DISPATCH_ACCEPTED) return HY_OK;
		if (answer != HY_SCHED__DISPATCH_FULL) {
			pthread_cond_signal(&session->space); /* the room is the next one's */
			return refused(session, answer,
			               predicted_ns > ask->deadline_ns ? predicted_ns - ask->deadline_ns : 0, error);
		}
		if (is_worker(session))
			return hy_error_set(error, HY_BUSY,
			                    "submit from on_done while %u requests are in flight: "
			                    "try again from another thread",
			                    session->room);
		pthread_cond_wait(&session->space, &session->lock);
	}
}

/* A device that hangs holds what works in place. With a deadline nothing may be held, and where copying costs little
 * next to the work, nothing needs to be. */
static bool wants_own_memory(const hy_sched_session *session, const hy_sched_request *asked)
{
	if (asked->retry == HY_SCHED_RETRY_HUNG || asked->deadline_ns != 0) return true;
	return asked->retry == HY_SCHED_RETRY_AUTO && session->copies_are_cheap;
}

static hy_status accept(hy_sched_session *session, const hy_sched_request *asked, uint64_t *out_id, hy_error *error)
{
	const bool own = wants_own_memory(session, asked);
	const hy_sched__dispatch_ask ask = {
		.priority = class_of[asked->priority], .deadline_ns = asked->deadline_ns, .idempotent = own};
	uint32_t number;
	pthread_mutex_lock(&session->lock);
	const hy_status status = enter(session, &ask, &number, error);
	if (status == HY_OK) {
		hy_sched__request *request = session->free;
		session->free = request->next;
		session->by_number[number] = request;
		for (uint32_t i = 0; i < session->input_count; i++)
			request->inputs[i] = asked->inputs[i].data;
		for (uint32_t i = 0; i < session->output_count; i++)
			request->outputs[i] = asked->outputs[i].data;
		request->number = number;
		request->sequence = hy_sched__dispatch_sequence(session->dispatch, number);
		request->priority = ask.priority;
		request->own_memory = own;
		request->copying = 0;
		request->on_done = asked->on_done;
		request->payload = asked->payload;
		request->error.status = HY_OK;
		request->accepted_ns = hy_hal_now_ns();
		if (session->first_ns == 0) session->first_ns = request->accepted_ns;
		session->accepted[ask.priority]++;
		if (out_id != NULL) *out_id = request->sequence * session->room + number;
		if (asked->on_done == hy_sched__run_done) hy_sched__worker_help(session);
		hy_sched__worker_wake_takers(session);
		hy_sched__timer_check(session);
	}
	pthread_mutex_unlock(&session->lock);
	return status;
}

hy_status hy_sched_session_ask(hy_sched_session *session, const hy_sched_request *asked, uint64_t *out_id,
                               hy_error *error)
{
	hy_sched_request request = {0};
	if (session == NULL || asked == NULL || asked->size < offsetof(hy_sched_request, priority))
		return hy_error_set(error, HY_INVALID, "submit: session and request are needed");
	memcpy(&request, asked, asked->size < sizeof(request) ? asked->size : sizeof(request));
	if (request.on_done == NULL || (request.inputs == NULL && session->input_count > 0) || request.outputs == NULL)
		return hy_error_set(error, HY_INVALID, "submit: inputs, outputs and on_done are needed");
	if ((uint32_t)request.priority >= PRIORITIES || (uint32_t)request.retry > HY_SCHED_RETRY_HUNG)
		return hy_error_set(error, HY_INVALID, "submit: unknown priority or retry");
	const hy_ir_graph *graph = session->plan->graph;
	hy_status status = check_tensors(graph, "input", session->input_count, hy_ir_graph_inputs(graph),
	                                 request.inputs, error);
	if (status == HY_OK)
		status = check_tensors(graph, "output", session->output_count, hy_ir_graph_outputs(graph),
		                       request.outputs, error);
	return status == HY_OK ? accept(session, &request, out_id, error) : status;
}

bool hy_sched_session_cancel(hy_sched_session *session, uint64_t id)
{
	pthread_mutex_lock(&session->lock);
	const bool ended = hy_sched__dispatch_cancel(session->dispatch, hy_hal_now_ns(), (uint32_t)(id % session->room),
	                                             id / session->room);
	if (hy_sched__deliver_due(session)) hy_sched__worker_wake_all(session);
	pthread_mutex_unlock(&session->lock);
	return ended;
}

hy_status hy_sched_session_submit(hy_sched_session *session, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                                  hy_sched_done_fn on_done, void *payload, hy_error *error)
{
	const hy_sched_request asked = {
		.size = sizeof(asked), .inputs = inputs, .outputs = outputs, .on_done = on_done, .payload = payload};
	return hy_sched_session_ask(session, &asked, NULL, error);
}

hy_status hy_sched_session_run(hy_sched_session *session, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                               hy_error *error)
{
	if (session != NULL && is_worker(session))
		return hy_error_set(error, HY_BUSY, "run from on_done would wait for itself: submit instead");
	hy_sched__run run = {.session = session, .error = error};
	const hy_status status = hy_sched_session_submit(session, inputs, outputs, hy_sched__run_done, &run, error);
	if (status != HY_OK) return status;
	pthread_mutex_lock(&session->lock);
	while (!run.done)
		pthread_cond_wait(&session->done, &session->lock);
	pthread_mutex_unlock(&session->lock);
	return run.status;
}

hy_status hy_sched_session_drain(hy_sched_session *session, hy_error *error)
{
	if (is_worker(session))
		return hy_error_set(error, HY_BUSY,
		                    "drain from on_done would wait for itself: call it from another thread");
	pthread_mutex_lock(&session->lock);
	wait_for_delivery(session);
	pthread_mutex_unlock(&session->lock);
	return HY_OK;
}

uint32_t hy_sched_session_program_count(const hy_sched_session *session)
{
	return session->program_count;
}

hy_hal_program *hy_sched_session_program(const hy_sched_session *session, uint32_t index, const char **out_device,
                                         uint32_t *out_first_node)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&session->lock; /* planning again moves parts */
	hy_hal_program *program = NULL;
	pthread_mutex_lock(lock);
	if (index < session->program_count) {
		const hy_sched__part *part = &session->plan->parts[session->programs[index]];
		if (out_device != NULL) *out_device = session->plan->devices[part->segment.device].id;
		if (out_first_node != NULL) *out_first_node = part->segment.first;
		program = part->program;
	}
	pthread_mutex_unlock(lock);
	return program;
}
