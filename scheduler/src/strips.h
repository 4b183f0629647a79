/* One request in strips, for real: a program per group and device, the pieces of values that go between them, and runs.
 *
 * A step is one program on one device. It waits for the steps that make its pieces, not for all of the group before.
 * Pieces are dense; joining and slicing happen inside programs, so that only graph inputs and outputs need copies with
 * strides, by the host. One request at a time; nothing is allocated while it runs. */
#ifndef HY_SCHED_STRIPS_H
#define HY_SCHED_STRIPS_H

#include "spatial.h"

#include <pthread.h>

typedef struct hy_sched__strips hy_sched__strips;

/* Rows of a value, made by one step and read by others. */
typedef struct hy_sched__strip_piece {
	hy_ir_piece piece;
	uint32_t group, strip; /* who makes it; group HY_IR_NONE: an input of the model */
	bool to_host; /* somebody else than its maker reads it */
	uint64_t length;
	void *host; /* a page or more; owned */
	hy_hal_buffer **at; /* owned; per strip, NULL where host memory does */
} hy_sched__strip_piece;

typedef struct hy_sched__step {
	hy_sched__strips *strips;
	uint32_t group, strip;
	uint32_t input_count, output_count, before_count, behind_count, command_count;
	uint32_t *inputs, *outputs; /* owned; pieces */
	uint32_t *behind; /* owned; steps that wait for it */
	hy_ir_graph *graph; /* owned */
	hy_ir_blob blob;
	hy_hal_program *program;
	hy_ref *bindings; /* owned */
	hy_command *commands; /* owned */
	uint32_t waits_for; /* of this request */
} hy_sched__step;

/* One device of the split, from the top strip down. */
typedef struct hy_sched__strip {
	uint32_t device; /* of the plan */
	hy_hal_queue *queue;
	hy_hal_buffer *workspace;
	uint32_t *ready, ready_first, ready_count; /* steps that may run, in a ring of step_count; owned */
	bool submitting;
	uint32_t step_count, launches, reference_launches;
	uint64_t constant_bytes, activation_bytes; /* known once loaded */
	uint64_t item_ns; /* of a request, measured; 0: not */
	uint64_t busy_ns, items; /* of requests so far; items are steps */
} hy_sched__strip;

struct hy_sched__strips {
	const hy_ir_graph *graph; /* with global pools taken apart */
	hy_ir_graph *own_graph;
	uint32_t axis, *origins; /* owned; node of the plan's graph for each of graph */
	hy_sched__spatial split;
	uint32_t piece_count, step_count;
	hy_sched__strip_piece *pieces;
	hy_sched__step *steps;
	hy_sched__strip strips[HY_SCHED__MOST_DEVICES];
	bool loaded, broken; /* broken: a queue or device was lost */
	pthread_mutex_t lock;
	pthread_cond_t idle; /* a submission was made */
	uint32_t left, in_flight; /* of this request, as the rest */
	hy_error error;
	void *const *outputs;
	uint64_t begin_ns;
	hy_hal_done_fn on_done; /* NULL: no request is in it */
	void *payload;
};

/* The programs' graphs for a split; no device is touched. take_graph, take_origins and take_split are taken on success.
 * Fails: UNSUPPORTED strips that can't be made. */
hy_status hy_sched__strips_create(hy_ir_graph *take_graph, uint32_t *take_origins, uint32_t axis,
                                  hy_sched__spatial *take_split, hy_sched__strips **out_strips, hy_error *error);
void hy_sched__strips_destroy(hy_sched__strips *strips);

/* Some device of theirs is simulated: they have a clock of their own, on which devices take turns. */
bool hy_sched__strips_are_simulated(const hy_sched__strips *strips, const hy_sched_plan *plan);

/* strips_load.c: compiles and allocates, once. Fails: UNSUPPORTED a node that its device refuses; as compiling does. */
hy_status hy_sched__strips_load(hy_sched__strips *strips, hy_sched_plan *plan, hy_error *error);
void hy_sched__strips_unload(hy_sched__strips *strips);
/* After a failure: loads anew, on devices that are opened again where they were lost. Nothing is running. */
hy_status hy_sched__strips_renew(hy_sched__strips *strips, hy_sched_plan *plan, hy_error *error);

/* strips_run.c */

/* Starts a request; inputs and outputs are the model's, dense. Inputs are read before it returns; outputs, the list too,
 * are lent until on_done, which comes exactly once, perhaps before it returns, from a device's thread. */
void hy_sched__strips_submit(hy_sched__strips *strips, const void *const *inputs, void *const *outputs,
                             hy_hal_done_fn on_done, void *payload);
/* The same and waits. */
hy_status hy_sched__strips_run(hy_sched__strips *strips, const void *const *inputs, void *const *outputs,
                               hy_error *error);

#endif
