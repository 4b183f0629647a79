/* One request through its steps: a step is submitted when the last of its pieces is there, on the thread that brought
 * it. The lock is not held while a plugin runs. */
#include "strips.h"

#include <string.h>

/* ---- rows of the model's inputs and outputs ---- */

/* Between a dense piece and its place in the whole value. */
static void move_rows(const hy_sched__strips *strips, const hy_sched__strip_piece *piece, char *whole, bool to_piece)
{
	const hy_ir_type *type = &hy_ir_graph_value(strips->graph, piece->piece.value)->type;
	uint64_t inner = hy_dtype_bits(type->dtype) / 8u, outer = 1, height = 1;
	for (uint32_t d = 0; d < type->rank; d++) {
		if (d < strips->axis) outer *= (uint64_t)type->dim[d];
		if (d == strips->axis) height = (uint64_t)type->dim[d];
		if (d > strips->axis) inner *= (uint64_t)type->dim[d];
	}
	if (type->rank <= strips->axis) { /* one row: all of it */
		inner *= outer;
		outer = 1;
	}
	const uint64_t length = piece->length / outer;
	char *dense = piece->host;
	for (uint64_t o = 0; o < outer; o++) {
		char *place = whole + (o * height + (uint64_t)piece->piece.rows.first) * inner;
		memcpy(to_piece ? dense + o * length : place, to_piece ? place : dense + o * length, length);
	}
}

static void take_inputs(hy_sched__strips *strips, const void *const *inputs)
{
	for (uint32_t p = 0; p < strips->piece_count; p++) {
		const hy_sched__strip_piece *piece = &strips->pieces[p];
		if (piece->group != HY_IR_NONE) continue;
		uint32_t i = 0;
		while (hy_ir_graph_inputs(strips->graph)[i] != piece->piece.value)
			i++;
		move_rows(strips, piece, (char *)(uintptr_t)inputs[i], true);
	}
}

/* Every piece of an output that the application was promised; pieces for neighbours fall inside of those. */
static void give_outputs(hy_sched__strips *strips, void *const *outputs)
{
	for (uint32_t i = 0; i < hy_ir_graph_output_count(strips->graph); i++)
		for (uint32_t p = 0; p < strips->piece_count; p++) {
			const hy_sched__strip_piece *piece = &strips->pieces[p];
			if (piece->group == HY_IR_NONE || !piece->to_host) continue;
			if (piece->piece.value != hy_ir_graph_outputs(strips->graph)[i]) continue;
			move_rows(strips, piece, outputs[i], false);
		}
}

/* ---- steps; the lock is held ---- */

static void make_ready(hy_sched__strips *strips, uint32_t step)
{
	hy_sched__strip *strip = &strips->strips[strips->steps[step].strip];
	strip->ready[(strip->ready_first + strip->ready_count++) % (strips->step_count + 1)] = step;
}

static void fail(hy_sched__strips *strips, const hy_error *error)
{
	if (strips->error.status == HY_OK) strips->error = *error;
	if (error->scope >= HY_SCOPE_QUEUE || error->status == HY_DEVICE_LOST) strips->broken = true;
}

static void step_done(void *payload, const hy_done *done);

static void submit_ready(hy_sched__strips *strips, hy_sched__strip *strip)
{
	while (!strip->submitting && strip->ready_count > 0 && strips->error.status == HY_OK) {
		hy_sched__step *step = &strips->steps[strip->ready[strip->ready_first]];
		strip->ready_first = (strip->ready_first + 1) % (strips->step_count + 1);
		strip->ready_count--;
		strip->submitting = true;
		strips->in_flight++;
		pthread_mutex_unlock(&strips->lock);
		hy_error error = {0};
		const hy_status status = hy_hal_queue_submit(strip->queue, step->command_count, step->commands,
		                                             step_done, step, &error);
		pthread_mutex_lock(&strips->lock);
		strip->submitting = false;
		pthread_cond_broadcast(&strips->idle);
		if (status == HY_OK) continue;
		strips->in_flight--;
		fail(strips, &error);
	}
}

/* The lock is not held; nobody else touches the request any more. */
static void finish(hy_sched__strips *strips, hy_hal_done_fn on_done)
{
	hy_done done = {.size = sizeof(done), .begin_ns = strips->begin_ns};
	void *payload = strips->payload;
	const hy_error error = strips->error;
	if (error.status == HY_OK) {
		give_outputs(strips, strips->outputs);
	} else {
		done.status = error.status;
		done.scope = error.scope;
		done.native = error.native;
		done.text = error.text;
		done.text_length = strlen(error.text);
	}
	done.end_ns = hy_hal_now_ns();
	on_done(payload, &done);
}

/* Lets go of the lock. Whoever finds the request over, which is one thread, finishes it. */
static void submit_all(hy_sched__strips *strips)
{
	for (uint32_t d = 0; d < strips->split.device_count; d++)
		submit_ready(strips, &strips->strips[d]);
	const bool over = strips->on_done != NULL && strips->in_flight == 0 &&
	                  (strips->left == 0 || strips->error.status != HY_OK);
	const hy_hal_done_fn on_done = strips->on_done;
	if (over) strips->on_done = NULL;
	pthread_mutex_unlock(&strips->lock);
	if (over) finish(strips, on_done);
}

static void step_done(void *payload, const hy_done *done)
{
	hy_sched__step *step = payload;
	hy_sched__strips *strips = step->strips;
	hy_sched__strip *strip = &strips->strips[step->strip];
	pthread_mutex_lock(&strips->lock);
	strips->in_flight--;
	if (done->end_ns > done->begin_ns) strip->busy_ns += done->end_ns - done->begin_ns;
	if (done->status == HY_OK) {
		strip->items++;
		strips->left--;
		for (uint32_t i = 0; i < step->behind_count; i++)
			if (--strips->steps[step->behind[i]].waits_for == 0) make_ready(strips, step->behind[i]);
	} else {
		hy_error error = {0};
		hy_error_set(&error, done->status, "a strip failed: %.*s", (int)done->text_length,
		             done->text != NULL ? done->text : "");
		error.scope = done->scope;
		error.native = done->native;
		fail(strips, &error);
	}
	submit_all(strips);
}

void hy_sched__strips_submit(hy_sched__strips *strips, const void *const *inputs, void *const *outputs,
                             hy_hal_done_fn on_done, void *payload)
{
	const hy_error none = {0};
	strips->begin_ns = hy_hal_now_ns();
	if (!strips->broken) take_inputs(strips, inputs);
	pthread_mutex_lock(&strips->lock);
	strips->error = none;
	strips->left = strips->step_count;
	strips->outputs = outputs;
	strips->on_done = on_done;
	strips->payload = payload;
	for (uint32_t d = 0; d < strips->split.device_count; d++)
		strips->strips[d].ready_first = strips->strips[d].ready_count = 0;
	if (strips->broken) {
		hy_error_set(&strips->error, HY_DEVICE_LOST, "a device of the strips was lost");
		strips->error.scope = HY_SCOPE_QUEUE;
	}
	for (uint32_t s = strips->step_count; s > 0 && !strips->broken; s--) {
		hy_sched__step *step = &strips->steps[s - 1];
		step->waits_for = step->before_count;
		if (step->before_count == 0) make_ready(strips, s - 1);
	}
	submit_all(strips);
}

/* ---- waiting ---- */

typedef struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool over;
	hy_error error;
} waiter;

static void wake(void *payload, const hy_done *done)
{
	waiter *w = payload;
	pthread_mutex_lock(&w->lock);
	w->over = true;
	if (done->status != HY_OK) {
		hy_error_set(&w->error, done->status, "%.*s", (int)done->text_length, done->text);
		w->error.scope = done->scope;
	}
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
}

hy_status hy_sched__strips_run(hy_sched__strips *strips, const void *const *inputs, void *const *outputs,
                               hy_error *error)
{
	waiter w = {.over = false};
	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.done, NULL);
	hy_sched__strips_submit(strips, inputs, outputs, wake, &w);
	pthread_mutex_lock(&w.lock);
	while (!w.over)
		pthread_cond_wait(&w.done, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_cond_destroy(&w.done);
	pthread_mutex_destroy(&w.lock);
	if (w.error.status != HY_OK && error != NULL) *error = w.error;
	return w.error.status;
}
