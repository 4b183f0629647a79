/* The stream of requests: a ring of slots, each with output memory of its own. */
#include "load.h"

#include <float.h>
#include <math.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Largest difference from the reference, as a part of its largest number. */
#define TOLERANCE 1e-3f

static atomic_uint_least64_t answers;

/* ---- the model ---- */

static bool alloc_tensor(const hy_ir_type *type, hy_ir_tensor *tensor)
{
	tensor->type = *type;
	tensor->data = aligned_alloc(4096, (hy_ir_type_bytes(type) + 4095) / 4096 * 4096);
	return tensor->data != NULL;
}

/* Numbers in 0..1 whose mean differs from input to input. */
static void fill(hy_ir_tensor *tensor, uint32_t number)
{
	uint32_t seed = number + 1;
	memset(tensor->data, 0, hy_ir_type_bytes(&tensor->type));
	if (tensor->type.dtype != HY_DTYPE_F32) return;
	for (int64_t i = 0; i < hy_ir_type_elements(&tensor->type); i++) {
		seed = seed * 1664525u + 1013904223u;
		((float *)tensor->data)[i] = powf((float)(seed >> 8) / 16777216.0f, (float)(1u << 2 * number));
	}
}

/* Largest difference as a part of the largest number of `wanted`; of f32 outputs. Infinite when a number is none. */
static float distance(uint32_t count, const hy_ir_tensor *got, const hy_ir_tensor *wanted)
{
	float worst = 0;
	for (uint32_t o = 0; o < count; o++) {
		const float *a = got[o].data, *b = wanted[o].data;
		float largest = 1e-30f, difference = 0;
		if (wanted[o].type.dtype != HY_DTYPE_F32) continue;
		for (int64_t i = 0; i < hy_ir_type_elements(&wanted[o].type); i++) {
			const float size = fabsf(b[i]), off = fabsf(a[i] - b[i]);
			if (!(off <= FLT_MAX)) return INFINITY;
			largest = size > largest ? size : largest;
			difference = off > difference ? off : difference;
		}
		worst = difference / largest > worst ? difference / largest : worst;
	}
	return worst;
}

static hy_status read_graph(const char *path, load_model *model, hy_error *error)
{
	hy_status status = hy_ir_onnx_load(path, &model->graph, error);
	for (uint32_t i = 0; status == HY_OK && i < hy_ir_graph_input_count(model->graph); i++) {
		const hy_ir_value *value = hy_ir_graph_value(model->graph, hy_ir_graph_inputs(model->graph)[i]);
		for (uint32_t d = 0; d < value->type.rank && status == HY_OK; d++) {
			char name[256];
			if (value->dim_names[d] == NULL) continue;
			snprintf(name, sizeof(name), "%s", value->dim_names[d]);
			status = hy_ir_graph_bind_dim(model->graph, name, 1, error);
			if (status == HY_NOT_FOUND) status = HY_OK; /* bound with another input */
		}
	}
	return status == HY_OK ? hy_ir_prepare(model->graph, 0, error) : status;
}

static hy_status make_input(load_model *model, uint32_t number, hy_error *error)
{
	const hy_ir_graph *graph = model->graph;
	model->inputs[number] = calloc(model->input_count + 1, sizeof(hy_ir_tensor));
	model->wanted[number] = calloc(model->output_count + 1, sizeof(hy_ir_tensor));
	if (model->inputs[number] == NULL || model->wanted[number] == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for inputs");
	for (uint32_t i = 0; i < model->input_count; i++) {
		if (!alloc_tensor(&hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->type,
		                  &model->inputs[number][i]))
			return hy_error_set(error, HY_NO_MEMORY, "no memory for inputs");
		fill(&model->inputs[number][i], number);
	}
	return hy_ir_eval_graph(graph, model->inputs[number], model->wanted[number], error);
}

hy_status load_model_open(const char *path, load_model *out_model, hy_error *error)
{
	load_model model = {0};
	hy_status status = read_graph(path, &model, error);
	if (status == HY_OK) {
		model.input_count = hy_ir_graph_input_count(model.graph);
		model.output_count = hy_ir_graph_output_count(model.graph);
	}
	for (uint32_t n = 0; n < LOAD_INPUTS && status == HY_OK; n++) {
		status = make_input(&model, n, error);
		for (uint32_t other = 0; other < n && status == HY_OK; other++)
			if (distance(model.output_count, model.wanted[n], model.wanted[other]) < 4 * TOLERANCE)
				status = hy_error_set(error, HY_INVALID,
				                      "%s: answers to inputs %u and %u are too alike", path, other, n);
	}
	*out_model = model;
	return status;
}

void load_model_close(load_model *model)
{
	for (uint32_t n = 0; n < LOAD_INPUTS; n++) {
		for (uint32_t i = 0; model->inputs[n] != NULL && i < model->input_count; i++)
			free(model->inputs[n][i].data);
		if (model->wanted[n] != NULL) hy_ir_eval_release(model->output_count, model->wanted[n]);
		free(model->inputs[n]);
		free(model->wanted[n]);
	}
	hy_ir_graph_destroy(model->graph);
}

/* ---- the stream ---- */

struct stream;

typedef struct slot {
	struct stream *stream;
	uint32_t number; /* of the input */
	hy_ir_tensor *outputs;
} slot;

typedef struct stream {
	const load_model *model;
	uint32_t slot_count;
	slot *slots;
	sem_t free_slots;
	load_result result; /* written by on_done, one at a time */
	uint64_t last_ns;
} stream;

static void on_done(void *payload, hy_status status, const hy_error *error)
{
	slot *s = payload;
	stream *all = s->stream;
	all->last_ns = hy_hal_now_ns();
	atomic_fetch_add(&answers, 1);
	if (status != HY_OK && all->result.failed++ == 0)
		all->result.error = *error;
	else if (status == HY_OK) {
		const load_model *model = all->model;
		if (distance(model->output_count, s->outputs, model->wanted[s->number]) < TOLERANCE)
			all->result.right++;
		else
			all->result.wrong++;
	}
	for (uint32_t o = 0; o < all->model->output_count; o++) /* an answer that never comes must not look right */
		memset(s->outputs[o].data, 0xff, hy_ir_type_bytes(&s->outputs[o].type));
	sem_post(&all->free_slots);
}

static hy_status stream_init(stream *s, const load_model *model, uint32_t slot_count, hy_error *error)
{
	*s = (stream){.model = model, .slots = calloc(slot_count, sizeof(*s->slots))};
	if (s->slots == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for outputs");
	sem_init(&s->free_slots, 0, slot_count);
	s->slot_count = slot_count;
	for (uint32_t i = 0; i < slot_count; i++) {
		s->slots[i].stream = s;
		s->slots[i].outputs = calloc(model->output_count + 1, sizeof(hy_ir_tensor));
		if (s->slots[i].outputs == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for outputs");
		for (uint32_t o = 0; o < model->output_count; o++)
			if (!alloc_tensor(&model->wanted[0][o].type, &s->slots[i].outputs[o]))
				return hy_error_set(error, HY_NO_MEMORY, "no memory for outputs");
	}
	return HY_OK;
}

static void stream_finish(stream *s)
{
	for (uint32_t i = 0; i < s->slot_count; i++) {
		for (uint32_t o = 0; s->slots[i].outputs != NULL && o < s->model->output_count; o++)
			free(s->slots[i].outputs[o].data);
		free(s->slots[i].outputs);
	}
	if (s->slots != NULL) sem_destroy(&s->free_slots);
	free(s->slots);
}

hy_status load_run(const load_model *model, hy_sched_session *session, double seconds, load_result *out_result,
                   hy_error *error)
{
	hy_sched_stats stats;
	stream s;
	hy_sched_session_stats(session, &stats);
	hy_status status = stream_init(&s, model, 16 * stats.device_count, error);
	const uint64_t start = hy_hal_now_ns(), end = start + (uint64_t)(seconds * 1e9);
	for (uint64_t i = 0; status == HY_OK && (hy_hal_now_ns() < end || i < 2); i++) {
		while (sem_wait(&s.free_slots) != 0)
			continue;
		slot *at = &s.slots[i % s.slot_count]; /* answers come in order */
		at->number = (uint32_t)(i % LOAD_INPUTS);
		status = hy_sched_session_submit(session, model->inputs[at->number], at->outputs, on_done, at, error);
		s.result.asked += status == HY_OK;
	}
	const hy_status drained = hy_sched_session_drain(session, status == HY_OK ? error : NULL);
	s.result.seconds = s.last_ns > start ? (double)(s.last_ns - start) * 1e-9 : 0;
	*out_result = s.result;
	stream_finish(&s);
	return status == HY_OK ? drained : status;
}

uint64_t load_answers(void)
{
	return atomic_load(&answers);
}
