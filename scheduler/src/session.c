/* The doors of a session: submit, run, drain, and what it says about itself. */
#include "session.h"

#include <stdlib.h>

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
	const uint64_t until = session->accepted;
	session->drain_count++;
	while (session->delivered < until)
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
	pthread_mutex_unlock(&session->lock);
	hy_sched__session_free(session);
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

/* Waits for room; the lock is held. */
static hy_status wait_for_room(hy_sched_session *session, hy_error *error)
{
	while (session->accepted - session->taken_out == session->ring_room && session->live_lanes > 0) {
		if (is_worker(session))
			return hy_error_set(error, HY_BUSY,
			                    "submit from on_done while %u requests are in flight: "
			                    "try again from another thread",
			                    session->ring_room);
		pthread_cond_wait(&session->space, &session->lock);
	}
	if (session->live_lanes > 0) return HY_OK;
	return hy_error_set(error, HY_DEVICE_LOST, "all devices of the session are lost: destroy it and plan again");
}

static hy_status accept(hy_sched_session *session, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                        hy_sched_done_fn on_done, void *payload, hy_error *error)
{
	if (session == NULL || on_done == NULL || (inputs == NULL && session->input_count > 0) || outputs == NULL)
		return hy_error_set(error, HY_INVALID, "submit: session, inputs, outputs and on_done are needed");
	const hy_ir_graph *graph = session->plan->graph;
	hy_status status = check_tensors(graph, "input", session->input_count, hy_ir_graph_inputs(graph), inputs,
	                                 error);
	if (status == HY_OK)
		status = check_tensors(graph, "output", session->output_count, hy_ir_graph_outputs(graph), outputs,
		                       error);
	if (status != HY_OK) return status;
	pthread_mutex_lock(&session->lock);
	status = wait_for_room(session, error);
	if (status == HY_OK) {
		hy_sched__request *request = &session->ring[session->accepted % session->ring_room];
		for (uint32_t i = 0; i < session->input_count; i++)
			request->inputs[i] = inputs[i].data;
		for (uint32_t i = 0; i < session->output_count; i++)
			request->outputs[i] = outputs[i].data;
		request->on_done = on_done;
		request->payload = payload;
		request->attempts = 0;
		request->number = session->accepted;
		request->accepted_ns = session->trace != NULL ? hy_hal_now_ns() : 0;
		request->state = HY_SCHED__REQUEST_WAITS;
		if (session->accepted++ == session->accepted_before) session->first_ns = hy_hal_now_ns();
		if (on_done == hy_sched__run_done) hy_sched__worker_help(session);
		hy_sched__worker_wake_takers(session);
	}
	pthread_mutex_unlock(&session->lock);
	return status;
}

hy_status hy_sched_session_submit(hy_sched_session *session, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                                  hy_sched_done_fn on_done, void *payload, hy_error *error)
{
	return accept(session, inputs, outputs, on_done, payload, error);
}

hy_status hy_sched_session_run(hy_sched_session *session, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                               hy_error *error)
{
	if (session != NULL && is_worker(session))
		return hy_error_set(error, HY_BUSY, "run from on_done would wait for itself: submit instead");
	hy_sched__run run = {.session = session, .error = error};
	const hy_status status = accept(session, inputs, outputs, hy_sched__run_done, &run, error);
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
	if (index >= session->program_count) return NULL;
	const hy_sched__part *part = &session->plan->parts[session->programs[index]];
	if (out_device != NULL) *out_device = session->plan->devices[part->segment.device].id;
	if (out_first_node != NULL) *out_first_node = part->segment.first;
	return part->program;
}
