/* From plan to session: programs, queues, contexts with their memory, and the ring. */
#include "devices.h"
#include "part.h"
#include "session.h"
#include "strips.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

static hy_status out_of_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "no memory for the session");
}

static const hy_sched__candidate *chosen(const hy_sched_session *session)
{
	return &session->plan->candidates[session->plan->chosen];
}

static uint32_t position(uint32_t count, const uint32_t *values, uint32_t value)
{
	for (uint32_t i = 0; i < count; i++)
		if (values[i] == value) return i;
	return HY_IR_NONE;
}

/* ---- workers ---- */

static uint32_t worker_of(const hy_sched_session *session, uint32_t device)
{
	for (uint32_t w = 0; w < session->worker_count; w++)
		if (session->workers[w].device == device) return w;
	return HY_IR_NONE;
}

/* Devices, programs, and who works with them. */
static hy_status make_workers(hy_sched_session *session, hy_error *error)
{
	hy_sched_plan *plan = session->plan;
	session->workers = calloc(plan->device_count, sizeof(*session->workers));
	session->programs = calloc(plan->part_count, sizeof(*session->programs));
	session->stats = calloc(plan->device_count, sizeof(*session->stats));
	session->sorted = calloc(HY_SCHED__DISPATCH_SAMPLES, sizeof(*session->sorted));
	if (session->workers == NULL || session->programs == NULL || session->stats == NULL || session->sorted == NULL)
		return out_of_memory(error);
	if (chosen(session)->strips != NULL) return hy_sched__session_strips_make(session, error);
	for (uint32_t l = 0; l < chosen(session)->lane_count; l++)
		for (uint32_t s = 0; s < chosen(session)->lanes[l].segment_count; s++) {
			const uint32_t part = chosen(session)->lanes[l].parts[s];
			const uint32_t device = plan->parts[part].segment.device;
			hy_status status = hy_sched__devices_open(plan, device, error);
			if (status == HY_OK) status = hy_sched__part_compile(plan, part, error);
			if (status != HY_OK) return status;
			if (position(session->program_count, session->programs, part) == HY_IR_NONE)
				session->programs[session->program_count++] = part;
			if (worker_of(session, device) != HY_IR_NONE) continue;
			hy_sched__worker *worker = &session->workers[session->worker_count++];
			worker->session = session;
			worker->device = device;
			worker->ready_end = &worker->ready;
			pthread_cond_init(&worker->wake, NULL);
		}
	return HY_OK;
}

/* Commands of a queue run in order, so one workspace does for all programs of a device. */
hy_status hy_sched__session_open_queue(hy_sched__worker *worker, hy_error *error)
{
	const hy_sched_session *session = worker->session;
	hy_hal_device *device = session->plan->devices[worker->device].hal;
	uint64_t most = 0;
	for (uint32_t i = 0; i < session->program_count; i++) {
		const hy_sched__part *part = &session->plan->parts[session->programs[i]];
		if (part->segment.device == worker->device && part->cost.workspace_bytes > most)
			most = part->cost.workspace_bytes;
	}
	if (most > 0 && worker->workspace == NULL) {
		const hy_status status = hy_hal_buffer_create(device, most, &worker->workspace, error);
		if (status != HY_OK) return status;
		worker->workspace_ref = hy_hal_buffer_ref(worker->workspace);
	}
	return hy_hal_queue_open(device, HY_QUEUE_COMPUTE, &worker->queue, error);
}

static hy_status open_queues(hy_sched_session *session, hy_error *error)
{
	const uint32_t count = session->strips != NULL ? 1
	                                               : session->worker_count; /* strips have queues of their own */
	hy_status status = HY_OK;
	for (uint32_t w = 0; w < count && status == HY_OK; w++)
		status = hy_sched__session_open_queue(&session->workers[w], error);
	return status;
}

/* ---- lanes ---- */

/* Where the binding of a value is. Values between stages get a number of their own. */
static hy_sched__place place_of(const hy_ir_graph *graph, uint32_t value, uint32_t *between, uint32_t *between_count)
{
	hy_sched__place place = {HY_SCHED__PLACE_INPUT, 0};
	place.index = position(hy_ir_graph_input_count(graph), hy_ir_graph_inputs(graph), value);
	if (place.index != HY_IR_NONE) return place;
	place.kind = HY_SCHED__PLACE_OUTPUT;
	place.index = position(hy_ir_graph_output_count(graph), hy_ir_graph_outputs(graph), value);
	if (place.index != HY_IR_NONE) return place;
	place.kind = HY_SCHED__PLACE_BETWEEN;
	place.index = position(*between_count, between, value);
	if (place.index == HY_IR_NONE) {
		place.index = *between_count;
		between[(*between_count)++] = value;
	}
	return place;
}

static hy_status make_stage(hy_sched_session *session, hy_sched__stage *stage, uint32_t part_index, uint32_t *between,
                            uint32_t *between_count, hy_error *error)
{
	const hy_sched__part *part = &session->plan->parts[part_index];
	stage->part = part_index;
	stage->worker = worker_of(session, part->segment.device);
	stage->places = calloc(part->input_count + part->output_count + 1, sizeof(*stage->places));
	if (stage->places == NULL) return out_of_memory(error);
	for (uint32_t i = 0; i < part->input_count + part->output_count; i++) {
		const bool is_input = i < part->input_count;
		const uint32_t at = is_input ? i : i - part->input_count;
		if (part->whole) {
			/* By position: a value may be an output twice, or input and output. */
			stage->places[i].kind = is_input ? HY_SCHED__PLACE_INPUT : HY_SCHED__PLACE_OUTPUT;
			stage->places[i].index = at;
			continue;
		}
		stage->places[i] = place_of(session->plan->graph, is_input ? part->inputs[at] : part->outputs[at],
		                            between, between_count);
	}
	return HY_OK;
}

static hy_status make_context(const hy_sched_session *session, hy_sched__lane_run *lane, hy_sched__context *context,
                              hy_error *error)
{
	context->lane = lane;
	for (uint32_t t = 0; t < HY_SCHED__MOST_TICKETS; t++)
		context->tickets[t].context = context;
	context->frames = calloc(lane->stage_count, sizeof(*context->frames));
	context->hosts = calloc(lane->stage_count, sizeof(*context->hosts));
	context->between = calloc(lane->between_count + 1, sizeof(*context->between));
	context->inputs = calloc(session->input_count + 1, sizeof(*context->inputs));
	context->outputs = calloc(session->output_count + 1, sizeof(*context->outputs));
	if (context->frames == NULL || context->hosts == NULL || context->between == NULL || context->inputs == NULL ||
	    context->outputs == NULL)
		return out_of_memory(error);
	for (uint32_t b = 0; b < lane->between_count; b++) {
		/* A page, so that every device can take it in place. */
		context->between[b] = aligned_alloc(4096, (lane->between_bytes[b] + 4096) / 4096 * 4096);
		if (context->between[b] == NULL) return out_of_memory(error);
	}
	for (uint32_t s = 0; s < lane->stage_count && session->strips == NULL; s++) {
		const hy_sched__part *part = &session->plan->parts[lane->stages[s].part];
		const hy_status status = hy_sched__frame_init(&context->frames[s],
		                                              &session->plan->devices[part->segment.device],
		                                              session->plan->graph, part, error);
		if (status != HY_OK) return status;
		context->hosts[s] = calloc(context->frames[s].binding_count + 1, sizeof(void *));
		if (context->hosts[s] == NULL) return out_of_memory(error);
	}
	return HY_OK;
}

static hy_status make_lane(hy_sched_session *session, const hy_sched__lane *from, hy_sched__lane_run *lane,
                           hy_error *error)
{
	const hy_sched_plan *plan = session->plan;
	lane->session = session;
	lane->number = (uint32_t)(lane - session->lanes);
	lane->context_count = session->strips != NULL ? 1 : plan->options.depth * from->segment_count;
	lane->stages = calloc(from->segment_count + 1u, sizeof(*lane->stages));
	lane->contexts = calloc(lane->context_count, sizeof(*lane->contexts));
	uint32_t *between = calloc(hy_ir_graph_value_count(plan->graph) + 1, sizeof(*between));
	hy_status status = HY_OK;
	if (lane->stages == NULL || lane->contexts == NULL || between == NULL) {
		status = out_of_memory(error);
		goto done;
	}
	if (session->strips != NULL) {
		lane->stages[lane->stage_count++].part = HY_IR_NONE;
		lane->simulated = hy_sched__strips_are_simulated(session->strips, plan);
	}
	for (uint32_t s = 0; s < from->segment_count && status == HY_OK; s++) {
		lane->stage_count++;
		status = make_stage(session, &lane->stages[s], from->parts[s], between, &lane->between_count, error);
		lane->simulated |= (plan->devices[from->segments[s].device].description->info.flags &
		                    HY_DEVICE_SIMULATED) != 0;
	}
	lane->between_bytes = calloc(lane->between_count + 1, sizeof(*lane->between_bytes));
	if (status == HY_OK && lane->between_bytes == NULL) status = out_of_memory(error);
	if (status != HY_OK) goto done;
	for (uint32_t b = 0; b < lane->between_count; b++)
		lane->between_bytes[b] = hy_ir_type_bytes(&hy_ir_graph_value(plan->graph, between[b])->type);
	for (uint32_t c = 0; c < lane->context_count && status == HY_OK; c++)
		status = make_context(session, lane, &lane->contexts[c], error);
done:
	free(between);
	return status;
}

static void free_lane(const hy_sched_session *session, hy_sched__lane_run *lane)
{
	for (uint32_t c = 0; lane->contexts != NULL && c < lane->context_count; c++) {
		hy_sched__context *context = &lane->contexts[c];
		for (uint32_t s = 0; s < lane->stage_count; s++) {
			if (context->frames != NULL) hy_sched__frame_finish(&context->frames[s]);
			if (context->hosts != NULL) free(context->hosts[s]);
		}
		for (uint32_t b = 0; context->between != NULL && b < lane->between_count; b++)
			free(context->between[b]);
		free(context->frames);
		free(context->hosts);
		free(context->between);
		hy_sched__memory_finish(session, context);
		free(context->inputs);
		free(context->outputs);
	}
	for (uint32_t s = 0; lane->stages != NULL && s < lane->stage_count; s++)
		free(lane->stages[s].places);
	free(lane->contexts);
	free(lane->stages);
	free(lane->between_bytes);
}

static void number_contexts(hy_sched_session *session)
{
	for (uint32_t l = 0; l < session->lane_count; l++)
		for (uint32_t c = 0; c < session->lanes[l].context_count; c++)
			session->lanes[l].contexts[c].attempt = hy_sched__dispatch_first_attempt(session->dispatch, l) +
			                                        c;
}

hy_status hy_sched__session_remake_lane(hy_sched_session *session, const hy_sched__lane *from, hy_error *error)
{
	hy_sched__lane_run *lane = &session->lanes[0], old = *lane;
	*lane = (hy_sched__lane_run){0};
	hy_status status = make_lane(session, from, lane, error);
	for (uint32_t s = 0; s < lane->stage_count && status == HY_OK; s++) {
		hy_sched__worker *worker = &session->workers[lane->stages[s].worker];
		const uint64_t wanted = session->plan->parts[lane->stages[s].part].cost.workspace_bytes;
		hy_hal_buffer *workspace = NULL;
		if (wanted == 0 || (worker->workspace != NULL && worker->workspace_ref.length >= wanted)) continue;
		status = hy_hal_buffer_create(session->plan->devices[worker->device].hal, wanted, &workspace, error);
		if (status != HY_OK) break;
		hy_hal_buffer_destroy(worker->workspace);
		worker->workspace = workspace;
		worker->workspace_ref = hy_hal_buffer_ref(workspace);
	}
	free_lane(session, status == HY_OK ? &old : lane);
	if (status != HY_OK) *lane = old;
	number_contexts(session);
	return status;
}

/* ---- outputs that no program writes ---- */

static void make_passage(hy_sched_session *session, uint32_t output, hy_sched__passage *passages)
{
	const hy_ir_graph *graph = session->plan->graph;
	const uint32_t *inputs = hy_ir_graph_inputs(graph), *outputs = hy_ir_graph_outputs(graph);
	const hy_ir_value *value = hy_ir_graph_value(graph, outputs[output]);
	hy_sched__passage passage = {.output = output, .length = hy_ir_type_bytes(&value->type)};
	passage.source = position(output, outputs, outputs[output]);
	if (value->producer == HY_IR_NONE) {
		passage.constant = value->data;
		passage.is_input = value->data == NULL;
		passage.source = position(session->input_count, inputs, outputs[output]);
	} else if (passage.source == HY_IR_NONE) {
		return;
	}
	passages[session->passage_count++] = passage;
}

static hy_status make_passages(hy_sched_session *session, hy_error *error)
{
	session->passages = calloc(session->output_count + 1, sizeof(*session->passages));
	if (session->passages == NULL) return out_of_memory(error);
	for (uint32_t i = 0; i < session->output_count; i++)
		make_passage(session, i, session->passages);
	return HY_OK;
}

/* ---- the dispatch and its requests ---- */

static hy_status make_dispatch(hy_sched_session *session, hy_error *error)
{
	hy_sched__dispatch_lane lanes[HY_SCHED__MOST_DEVICES];
	uint64_t item_ns[HY_SCHED__MOST_DEVICES];
	for (uint32_t l = 0; l < session->lane_count; l++) {
		const hy_sched__lane *from = &chosen(session)->lanes[l];
		const double busiest = from->rate > 0 ? 1 / from->rate : (double)from->item_ns;
		lanes[l] = (hy_sched__dispatch_lane){
			.item_ns = busiest > 1 ? (uint64_t)busiest : 1,
			.bottleneck = from->item_ns > 0 ? busiest / (double)from->item_ns : 1,
			.depth = session->lanes[l].context_count,
			.foreign_clock = session->lanes[l].simulated,
		};
		item_ns[l] = lanes[l].item_ns;
	}
	session->room = hy_sched__window_of(session->lane_count, item_ns, session->plan->options.depth);
	const hy_sched__dispatch_options options = {
		.room = session->room, .lane_count = session->lane_count, .lanes = lanes};
	const hy_status status = hy_sched__dispatch_create(&options, &session->dispatch, error);
	if (status != HY_OK) return status;
	number_contexts(session);
	return HY_OK;
}

static hy_status make_requests(hy_sched_session *session, hy_error *error)
{
	session->requests = calloc(session->room + 1, sizeof(*session->requests));
	session->by_number = calloc(session->room, sizeof(hy_sched__request *));
	if (session->requests == NULL || session->by_number == NULL) return out_of_memory(error);
	for (uint32_t i = 0; i <= session->room; i++) {
		hy_sched__request *request = &session->requests[i];
		request->inputs = calloc(session->input_count + 1, sizeof(*request->inputs));
		request->outputs = calloc(session->output_count + 1, sizeof(*request->outputs));
		if (request->inputs == NULL || request->outputs == NULL) return out_of_memory(error);
		request->next = session->free;
		session->free = request;
	}
	return HY_OK;
}

/* Copying inputs and outputs at COPY_RATE takes less than a hundredth of the time of the fastest lane. */
#define COPY_RATE 4 /* bytes per ns */

static hy_status measure_memory(hy_sched_session *session, hy_error *error)
{
	const hy_ir_graph *graph = session->plan->graph;
	uint64_t bytes = 0, least_ns = UINT64_MAX;
	session->input_bytes = calloc(session->input_count + 1, sizeof(*session->input_bytes));
	session->output_bytes = calloc(session->output_count + 1, sizeof(*session->output_bytes));
	if (session->input_bytes == NULL || session->output_bytes == NULL) return out_of_memory(error);
	for (uint32_t i = 0; i < session->input_count; i++)
		bytes += session->input_bytes[i] = hy_ir_type_bytes(
			&hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->type);
	for (uint32_t i = 0; i < session->output_count; i++)
		bytes += session->output_bytes[i] = hy_ir_type_bytes(
			&hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[i])->type);
	for (uint32_t l = 0; l < session->lane_count; l++)
		if (chosen(session)->lanes[l].item_ns < least_ns) least_ns = chosen(session)->lanes[l].item_ns;
	session->copies_are_cheap = bytes / COPY_RATE < least_ns / 100;
	return HY_OK;
}

hy_status hy_sched__session_make(hy_sched_session *session, hy_error *error)
{
	const hy_sched__candidate *candidate = chosen(session);
	session->input_count = hy_ir_graph_input_count(session->plan->graph);
	session->output_count = hy_ir_graph_output_count(session->plan->graph);
	session->lanes = calloc(candidate->lane_count, sizeof(*session->lanes));
	if (session->lanes == NULL) return out_of_memory(error);
	hy_status status = make_workers(session, error);
	if (status == HY_OK) status = open_queues(session, error);
	for (uint32_t l = 0; l < candidate->lane_count && status == HY_OK; l++) {
		session->lane_count++;
		status = make_lane(session, &candidate->lanes[l], &session->lanes[l], error);
	}
	if (status == HY_OK) status = make_passages(session, error);
	if (status == HY_OK) status = make_dispatch(session, error);
	if (status == HY_OK) status = make_requests(session, error);
	if (status == HY_OK) status = measure_memory(session, error);
	if (status == HY_OK) status = hy_sched__timer_start(session, error);
	for (uint32_t w = 0; w < session->worker_count && status == HY_OK; w++)
		status = hy_sched__worker_start(&session->workers[w], error);
	return status;
}

/* ---- the end ---- */

/* A plugin's thread may still be in one, for a request that has ended. */
static void wait_for_submissions(hy_sched_session *session)
{
	pthread_mutex_lock(&session->lock);
	for (uint32_t w = 0; w < session->worker_count; w++)
		while (session->workers[w].submitting)
			pthread_cond_wait(&session->quiet, &session->lock);
	pthread_mutex_unlock(&session->lock);
}

void hy_sched__session_free(hy_sched_session *session)
{
	if (session->has_timer) pthread_join(session->timer_thread, NULL);
	for (uint32_t w = 0; w < session->worker_count; w++)
		if (session->workers[w].has_thread) pthread_join(session->workers[w].thread, NULL);
	wait_for_submissions(session);
	hy_sched__session_strips_free(session);
	for (uint32_t w = 0; w < session->worker_count; w++)
		hy_hal_queue_close(
			session->workers[w].queue); /* waits for completions that are still on their way out */
	for (uint32_t w = 0; w < session->worker_count; w++)
		pthread_cond_destroy(&session->workers[w].wake);
	for (uint32_t l = 0; l < session->lane_count; l++)
		free_lane(session, &session->lanes[l]);
	for (uint32_t w = 0; w < session->worker_count; w++)
		hy_hal_buffer_destroy(session->workers[w].workspace);
	for (uint32_t i = 0; session->requests != NULL && i <= session->room; i++) {
		free(session->requests[i].inputs);
		free(session->requests[i].outputs);
	}
	hy_sched__dispatch_destroy(session->dispatch);
	free(session->requests);
	free(session->by_number);
	free(session->input_bytes);
	free(session->output_bytes);
	free(session->lanes);
	free(session->workers);
	free(session->passages);
	free(session->programs);
	free(session->stats);
	free(session->sorted);
	hy_sched__trace_destroy(session->trace);
}
