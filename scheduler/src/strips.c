/* From a split to steps and pieces. Groups are walked from the last to the first: by then it is known which pieces of a
 * group's values are wanted, so that nothing else is computed. */
#include "strips.h"

#include <stdlib.h>
#include <string.h>

typedef struct maker {
	hy_sched__strips *strips;
	uint32_t *group_of; /* per node */
	hy_ir_rows *rows; /* per value, of the step at hand */
	hy_error *error;
} maker;

static hy_status out_of_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "no memory for strips");
}

/* ---- pieces ---- */

static uint64_t piece_length(const hy_sched__strips *strips, const hy_ir_piece *piece)
{
	const hy_ir_type *type = &hy_ir_graph_value(strips->graph, piece->value)->type;
	const uint64_t height = (uint64_t)hy_ir_strip_height(strips->graph, piece->value, strips->axis);
	return hy_ir_type_bytes(type) / height * (uint64_t)(piece->rows.end - piece->rows.first);
}

/* The number of a piece, new or known. reader HY_IR_NONE: the application. */
static hy_status piece_place(maker *m, const hy_sched__strip_piece *wanted, uint32_t reader, uint32_t *out_piece)
{
	hy_sched__strips *strips = m->strips;
	const bool elsewhere = wanted->group != HY_IR_NONE && wanted->strip != reader;
	for (uint32_t i = 0; i < strips->piece_count; i++) {
		hy_sched__strip_piece *have = &strips->pieces[i];
		if (have->group != wanted->group || have->strip != wanted->strip ||
		    have->piece.value != wanted->piece.value || have->piece.rows.first != wanted->piece.rows.first ||
		    have->piece.rows.end != wanted->piece.rows.end)
			continue;
		have->to_host |= elsewhere;
		*out_piece = i;
		return HY_OK;
	}
	hy_sched__strip_piece *pieces = realloc(strips->pieces, (strips->piece_count + 1) * sizeof(*pieces));
	if (pieces == NULL) return out_of_memory(m->error);
	strips->pieces = pieces;
	pieces[strips->piece_count] = *wanted;
	pieces[strips->piece_count].to_host = elsewhere;
	pieces[strips->piece_count].length = piece_length(strips, &wanted->piece);
	*out_piece = strips->piece_count++;
	return HY_OK;
}

static hy_status add_input(maker *m, hy_sched__step *step, const hy_sched__strip_piece *piece)
{
	uint32_t number = 0;
	const hy_status status = piece_place(m, piece, step != NULL ? step->strip : HY_IR_NONE, &number);
	if (status != HY_OK || step == NULL) return status;
	uint32_t *inputs = realloc(step->inputs, (step->input_count + 1) * sizeof(*inputs));
	if (inputs == NULL) return out_of_memory(m->error);
	step->inputs = inputs;
	inputs[step->input_count++] = number;
	return HY_OK;
}

/* The pieces that hold rows of a value, for a step or, with step NULL, for the application. What a device made itself
 * it takes whole. */
static hy_status ask(maker *m, hy_sched__step *step, uint32_t value, hy_ir_rows rows)
{
	const hy_sched__strips *strips = m->strips;
	const uint32_t producer = hy_ir_graph_value(strips->graph, value)->producer, count = strips->split.device_count;
	hy_sched__strip_piece piece = {.piece = {value, rows}, .group = HY_IR_NONE};
	if (producer == HY_IR_NONE) return step != NULL ? add_input(m, step, &piece) : HY_OK;
	piece.group = m->group_of[producer];
	if (!strips->split.groups[piece.group].split) {
		const hy_ir_rows all = {0, hy_ir_strip_height(strips->graph, value, strips->axis)};
		if (step != NULL && step->strip == 0) piece.piece.rows = all;
		return add_input(m, step, &piece);
	}
	hy_status status = HY_OK;
	for (uint32_t d = 0; d < count && status == HY_OK; d++) {
		const int64_t *bounds = strips->split.bounds + (size_t)value * (count + 1) + d;
		const hy_ir_rows own = {bounds[0], bounds[1]};
		hy_ir_rows part = {own.first > rows.first ? own.first : rows.first,
		                   own.end < rows.end ? own.end : rows.end};
		if (part.end <= part.first) continue;
		piece.strip = d;
		piece.piece.rows = step != NULL && step->strip == d ? own : part;
		status = add_input(m, step, &piece);
	}
	return status;
}

/* ---- steps ---- */

static hy_status collect_outputs(maker *m, hy_sched__step *step)
{
	const hy_sched__strips *strips = m->strips;
	memset(m->rows, 0, hy_ir_graph_value_count(strips->graph) * sizeof(*m->rows));
	for (uint32_t p = 0; p < strips->piece_count; p++) {
		const hy_sched__strip_piece *piece = &strips->pieces[p];
		if (piece->group != step->group || piece->strip != step->strip) continue;
		uint32_t *outputs = realloc(step->outputs, (step->output_count + 1) * sizeof(*outputs));
		if (outputs == NULL) return out_of_memory(m->error);
		step->outputs = outputs;
		outputs[step->output_count++] = p;
		hy_ir_rows *rows = &m->rows[piece->piece.value];
		if (rows->end <= rows->first) *rows = piece->piece.rows;
		if (piece->piece.rows.first < rows->first) rows->first = piece->piece.rows.first;
		if (piece->piece.rows.end > rows->end) rows->end = piece->piece.rows.end;
	}
	return HY_OK;
}

static hy_status collect_inputs(maker *m, hy_sched__step *step)
{
	const hy_sched__strips *strips = m->strips;
	const hy_sched__group *group = &strips->split.groups[step->group];
	hy_status status = hy_ir_strip_need(strips->graph, group->first, group->count, strips->axis, m->rows, m->error);
	for (uint32_t v = 0; v < hy_ir_graph_value_count(strips->graph) && status == HY_OK; v++) {
		const hy_ir_value *value = hy_ir_graph_value(strips->graph, v);
		const bool outside = value->producer == HY_IR_NONE || value->producer < group->first;
		if (!outside || value->data != NULL || m->rows[v].end <= m->rows[v].first) continue;
		status = ask(m, step, v, m->rows[v]);
	}
	return status;
}

static hy_status make_graph(maker *m, hy_sched__step *step)
{
	const hy_sched__strips *strips = m->strips;
	const hy_sched__group *group = &strips->split.groups[step->group];
	hy_ir_piece *pieces = calloc(step->input_count + step->output_count + 1u, sizeof(*pieces));
	if (pieces == NULL) return out_of_memory(m->error);
	for (uint32_t i = 0; i < step->input_count; i++)
		pieces[i] = strips->pieces[step->inputs[i]].piece;
	for (uint32_t i = 0; i < step->output_count; i++)
		pieces[step->input_count + i] = strips->pieces[step->outputs[i]].piece;
	const hy_status status = hy_ir_strip_create(strips->graph, group->first, group->count, strips->axis,
	                                            step->input_count, pieces, step->output_count,
	                                            pieces + step->input_count, &step->graph, m->error);
	free(pieces);
	return status;
}

static void step_finish(hy_sched__step *step)
{
	free(step->inputs);
	free(step->outputs);
	free(step->behind);
	hy_ir_graph_destroy(step->graph);
}

static hy_status make_step(maker *m, uint32_t group, uint32_t strip)
{
	hy_sched__strips *strips = m->strips;
	hy_sched__step step = {.strips = strips, .group = group, .strip = strip};
	hy_status status = collect_outputs(m, &step);
	if (status == HY_OK && step.output_count > 0) status = collect_inputs(m, &step);
	if (status == HY_OK && step.output_count > 0) status = make_graph(m, &step);
	if (status != HY_OK || step.output_count == 0) {
		step_finish(&step);
		return status;
	}
	hy_sched__step *steps = realloc(strips->steps, (strips->step_count + 1) * sizeof(*steps));
	if (steps == NULL) {
		step_finish(&step);
		return out_of_memory(m->error);
	}
	strips->steps = steps;
	steps[strips->step_count++] = step;
	strips->strips[strip].step_count++;
	return HY_OK;
}

static bool makes_input_of(const hy_sched__strips *strips, const hy_sched__step *maker_step, const hy_sched__step *step)
{
	for (uint32_t i = 0; i < step->input_count; i++) {
		const hy_sched__strip_piece *piece = &strips->pieces[step->inputs[i]];
		if (piece->group == maker_step->group && piece->strip == maker_step->strip) return true;
	}
	return false;
}

/* Steps are stored from the last to the first. */
static hy_status link_steps(maker *m)
{
	hy_sched__strips *strips = m->strips;
	for (uint32_t a = 0; a < strips->step_count; a++) {
		hy_sched__step *step = &strips->steps[a];
		step->behind = calloc(strips->step_count, sizeof(*step->behind));
		if (step->behind == NULL) return out_of_memory(m->error);
		for (uint32_t b = 0; b < strips->step_count; b++) {
			if (!makes_input_of(strips, step, &strips->steps[b])) continue;
			step->behind[step->behind_count++] = b;
			strips->steps[b].before_count++;
		}
	}
	return HY_OK;
}

/* ---- all of it ---- */

static hy_status make(maker *m)
{
	hy_sched__strips *strips = m->strips;
	const hy_sched__spatial *split = &strips->split;
	m->group_of = calloc(hy_ir_graph_node_count(strips->graph) + 1u, sizeof(*m->group_of));
	m->rows = calloc(hy_ir_graph_value_count(strips->graph) + 1u, sizeof(*m->rows));
	if (m->group_of == NULL || m->rows == NULL) return out_of_memory(m->error);
	for (uint32_t g = 0; g < split->group_count; g++)
		for (uint32_t i = 0; i < split->groups[g].count; i++)
			m->group_of[split->groups[g].first + i] = g;
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < hy_ir_graph_output_count(strips->graph) && status == HY_OK; i++) {
		const uint32_t value = hy_ir_graph_outputs(strips->graph)[i];
		const hy_ir_rows all = {0, hy_ir_strip_height(strips->graph, value, strips->axis)};
		status = ask(m, NULL, value, all);
	}
	for (uint32_t g = split->group_count; g > 0; g--) {
		const uint32_t count = split->groups[g - 1].split ? split->device_count : 1;
		for (uint32_t d = 0; d < count && status == HY_OK; d++)
			status = make_step(m, g - 1, d);
	}
	return status == HY_OK ? link_steps(m) : status;
}

hy_status hy_sched__strips_create(hy_ir_graph *take_graph, uint32_t *take_origins, uint32_t axis,
                                  hy_sched__spatial *take_split, hy_sched__strips **out_strips, hy_error *error)
{
	hy_sched__strips *strips = calloc(1, sizeof(*strips));
	if (strips == NULL) return out_of_memory(error);
	pthread_mutex_init(&strips->lock, NULL);
	pthread_cond_init(&strips->idle, NULL);
	strips->graph = take_graph;
	strips->axis = axis;
	strips->split = *take_split;
	for (uint32_t d = 0; d < take_split->device_count; d++)
		strips->strips[d].device = take_split->devices[d];
	maker m = {.strips = strips, .error = error};
	const hy_status status = make(&m);
	free(m.group_of);
	free(m.rows);
	if (status != HY_OK) {
		const hy_sched__spatial none = {0};
		strips->split = none; /* still the caller's */
		hy_sched__strips_destroy(strips);
		return status;
	}
	strips->own_graph = take_graph;
	strips->origins = take_origins;
	const hy_sched__spatial none = {0};
	*take_split = none;
	*out_strips = strips;
	return HY_OK;
}

void hy_sched__strips_destroy(hy_sched__strips *strips)
{
	if (strips == NULL) return;
	hy_sched__strips_unload(strips);
	for (uint32_t s = 0; s < strips->step_count; s++)
		step_finish(&strips->steps[s]);
	free(strips->steps);
	free(strips->pieces);
	hy_sched__spatial_finish(&strips->split);
	hy_ir_graph_destroy(strips->own_graph);
	free(strips->origins);
	pthread_cond_destroy(&strips->idle);
	pthread_mutex_destroy(&strips->lock);
	free(strips);
}

bool hy_sched__strips_are_simulated(const hy_sched__strips *strips, const hy_sched_plan *plan)
{
	for (uint32_t d = 0; d < strips->split.device_count; d++)
		if ((plan->devices[strips->strips[d].device].description->info.flags & HY_DEVICE_SIMULATED) != 0)
			return true;
	return false;
}
