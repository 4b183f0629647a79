/* The measuring loop: requests through a ring of slots with output memory of their own, latencies in a list. */
#include "measure.h"
#include "array.h"
#include "inputs.h"
#include "model.h"
#include "outputs.h"
#include "planning.h"
#include "report.h"

#include <math.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

struct loop;

/* One request in flight. */
typedef struct slot {
	struct loop *loop;
	tool_outputs outputs;
	hy_ir_tensor *tensors; /* of outputs */
	uint64_t start_ns;
} slot;

typedef struct loop {
	const hy_ir_graph *graph;
	tool_inputs inputs;
	hy_ir_tensor *input_tensors;
	uint32_t slot_count;
	slot *slots;
	sem_t free_slots;
	/* Written by on_done, which the session calls one at a time and in order; read after a drain. */
	uint64_t done, capacity, last_ns;
	uint64_t *latencies_ns;
	_Atomic hy_status failed;
	hy_error error;
} loop;

static void on_done(void *payload, hy_status status, const hy_error *error)
{
	slot *const s = payload;
	loop *const l = s->loop;
	l->last_ns = hy_hal_now_ns();
	if (l->done == l->capacity) {
		const uint64_t capacity = 2 * l->capacity + 1024;
		uint64_t *const more = realloc(l->latencies_ns, capacity * sizeof(*more));
		if (more != NULL) {
			l->latencies_ns = more;
			l->capacity = capacity;
		}
	}
	if (l->done < l->capacity)
		l->latencies_ns[l->done++] = l->last_ns - s->start_ns;
	else if (status == HY_OK)
		status = hy_error_set(&l->error, HY_NO_MEMORY, "out of memory for latencies");
	if (status != HY_OK && atomic_load(&l->failed) == HY_OK) {
		if (error != NULL) l->error = *error;
		l->error.status = status;
		atomic_store(&l->failed, status);
	}
	sem_post(&l->free_slots);
}

static tool_exit loop_create(loop *l, const tool_options *options, const hy_ir_graph *graph, uint32_t slot_count)
{
	*l = (loop){.graph = graph, .slot_count = slot_count};
	sem_init(&l->free_slots, 0, slot_count);
	tool_options random = *options;
	random.input.count = 0;
	random.each = false;
	random.requests = 1;
	tool_exit code = tool_inputs_read(&random, graph, &l->inputs);
	if (code == TOOL_EXIT_OK) code = tool_inputs_complete(&random, graph, &l->inputs);
	if (code != TOOL_EXIT_OK) return code;
	l->input_tensors = calloc(l->inputs.count + 1, sizeof(*l->input_tensors));
	l->slots = calloc(slot_count, sizeof(*l->slots));
	if (l->input_tensors == NULL || l->slots == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	tool_inputs_of_request(&l->inputs, graph, 0, l->input_tensors);
	for (uint32_t i = 0; i < slot_count; i++) {
		slot *const s = &l->slots[i];
		s->loop = l;
		s->tensors = calloc(hy_ir_graph_output_count(graph) + 1, sizeof(*s->tensors));
		if (s->tensors == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
		code = tool_outputs_create(graph, 1, &s->outputs);
		if (code != TOOL_EXIT_OK) return code;
		tool_outputs_of_request(&s->outputs, graph, 0, s->tensors);
	}
	return TOOL_EXIT_OK;
}

static void loop_destroy(loop *l)
{
	for (uint32_t i = 0; l->slots != NULL && i < l->slot_count; i++) {
		tool_outputs_destroy(&l->slots[i].outputs);
		free(l->slots[i].tensors);
	}
	free(l->slots);
	free(l->input_tensors);
	free(l->latencies_ns);
	tool_inputs_destroy(&l->inputs);
	sem_destroy(&l->free_slots);
}

/* Submits until the time is over and at least `least` requests were made, then waits for the answers. Answers come in
 * the order of submission, so the slot of request i is free when i - slot_count is answered. */
static tool_exit loop_run(loop *l, hy_sched_session *session, bool offline, double seconds, uint64_t least)
{
	const uint64_t end = hy_hal_now_ns() + (uint64_t)(seconds * 1e9);
	hy_error error = {0};
	hy_status status = HY_OK;
	l->done = 0;
	for (uint64_t i = 0; status == HY_OK && (i < least || hy_hal_now_ns() < end); i++) {
		while (sem_wait(&l->free_slots) != 0)
			continue;
		slot *const s = &l->slots[i % l->slot_count];
		s->start_ns = hy_hal_now_ns();
		status = hy_sched_session_submit(session, l->input_tensors, s->tensors, on_done, s, &error);
		if (status != HY_OK)
			sem_post(&l->free_slots);
		else if (!offline)
			status = hy_sched_session_drain(session, &error);
		if (status == HY_OK) status = atomic_load(&l->failed);
	}
	const hy_status drained = hy_sched_session_drain(session, status == HY_OK ? &error : NULL);
	if (atomic_load(&l->failed) != HY_OK) return tool_planning_run_failed(&l->error);
	if (status == HY_OK) status = drained;
	return status == HY_OK ? TOOL_EXIT_OK : tool_planning_run_failed(&error);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

static double quantile_ms(const loop *l, double fraction)
{
	const double at = fraction * (double)(l->done - 1);
	const uint64_t low = (uint64_t)at, high = low + 1 < l->done ? low + 1 : low;
	const double a = (double)l->latencies_ns[low], b = (double)l->latencies_ns[high];
	return (a + (b - a) * (at - (double)low)) * 1e-6;
}

tool_exit tool_measure_session(const tool_options *options, hy_sched_session *session, const hy_ir_graph *graph,
                               bool offline, double seconds, tool_measure_result *out_result)
{
	hy_sched_stats stats;
	loop l;
	hy_sched_session_stats(session, &stats);
	const uint32_t in_flight = 2 * stats.device_count + 2; /* two for each device, and some on their way */
	tool_exit code = loop_create(&l, options, graph, in_flight);
	if (code == TOOL_EXIT_OK)
		code = loop_run(&l, session, offline, fmin(0.5, 0.1 * seconds), offline ? in_flight : 2);
	if (code == TOOL_EXIT_OK) {
		hy_sched_session_reset_stats(session);
		const uint64_t start = hy_hal_now_ns();
		code = loop_run(&l, session, offline, seconds, 5);
		out_result->seconds = (double)(l.last_ns - start) * 1e-9;
	}
	if (code == TOOL_EXIT_OK) {
		qsort(l.latencies_ns, l.done, sizeof(*l.latencies_ns), by_size);
		out_result->requests = l.done;
		out_result->throughput_per_s = (double)(l.done * tool_model_batch(graph)) / out_result->seconds;
		out_result->median_ms = quantile_ms(&l, 0.5);
		out_result->min_ms = quantile_ms(&l, 0);
		out_result->p90_ms = quantile_ms(&l, 0.9);
		out_result->p99_ms = quantile_ms(&l, 0.99);
	}
	loop_destroy(&l);
	return code;
}
