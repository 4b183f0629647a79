/* A running plan.
 *
 * The dispatch (dispatch.h) says which request goes where and how it ends; here is who does it. A worker per device
 * submits; a context carries one attempt of a request through its lane's stages, from device to device. One lock guards
 * all of it; no lock is held while a plugin or the application runs. Nothing is allocated between submit and on_done
 * but, once, staging for memory that a device can't take in place, and memory of their own for attempts that need it. */
#ifndef HY_SCHED_SESSION_H
#define HY_SCHED_SESSION_H

#include "dispatch.h"
#include "frame.h"
#include "plan.h"
#include "trace.h"

#include <pthread.h>

#define HY_SCHED__DISPATCH_SAMPLES 256u
#define HY_SCHED__MOST_TICKETS 3u

/* Where a binding's memory is for a given request. */
typedef enum hy_sched__place_kind {
	HY_SCHED__PLACE_INPUT, /* the request's, or the context's copy */
	HY_SCHED__PLACE_OUTPUT, /* the same */
	HY_SCHED__PLACE_BETWEEN, /* the context's */
} hy_sched__place_kind;

typedef struct hy_sched__place {
	hy_sched__place_kind kind;
	uint32_t index;
} hy_sched__place;

typedef struct hy_sched__request {
	struct hy_sched__request *next; /* in the free list */
	uint32_t number, priority; /* of the dispatch */
	uint64_t sequence; /* from 1, in the order of submission */
	bool own_memory; /* its attempts work on memory of their own */
	uint32_t copying; /* attempts that read its inputs at this moment */
	const void **inputs; /* the caller's memory; owned arrays */
	void **outputs;
	hy_sched_done_fn on_done;
	void *payload;
	hy_error error; /* of the last attempt that failed; status OK: none */
	uint64_t accepted_ns;
} hy_sched__request;

/* What a context is to be told by a submission. A stage is one, or, while it is traced and needs copies, up to three. */
typedef struct hy_sched__ticket {
	struct hy_sched__context *context;
	hy_sched__trace_kind kind; /* COPY_IN, EXEC (also for all in one), COPY_OUT */
} hy_sched__ticket;

/* Carries one attempt through a lane. It belongs to the attempt's number for good. */
typedef struct hy_sched__context {
	struct hy_sched__lane_run *lane;
	struct hy_sched__context *next; /* in a worker's ready list */
	uint32_t attempt, stage;
	uint64_t sequence; /* of its request */
	bool own_memory;
	uint64_t busy_ns, busy_before_ns; /* of the stages so far; of those before this one */
	uint64_t ready_ns, submitted_ns; /* of this stage */
	uint32_t tickets_left;
	hy_sched__ticket tickets[HY_SCHED__MOST_TICKETS];
	hy_error error; /* of the first of the stage's tickets that failed; status OK: none */
	hy_sched__frame *frames; /* per stage */
	void ***hosts; /* per stage and binding */
	void **between; /* values that only this lane sees */
	void **inputs, **outputs; /* of this attempt: the request's, or own_ */
	void **own_inputs, **own_outputs; /* made when first needed */
} hy_sched__context;

typedef struct hy_sched__stage {
	uint32_t part, worker;
	hy_sched__place *places; /* per binding */
	double busy_ns; /* of one request, as learned; 0: nothing yet */
} hy_sched__stage;

typedef struct hy_sched__lane_run {
	hy_sched_session *session;
	uint32_t number; /* of the dispatch */
	uint32_t stage_count, context_count, between_count;
	hy_sched__stage *stages;
	uint64_t *between_bytes;
	hy_sched__context *contexts; /* per attempt */
	bool simulated; /* its times are not those of our clock */
} hy_sched__lane_run;

typedef struct hy_sched__worker {
	hy_sched_session *session;
	uint32_t device; /* of the plan */
	pthread_t thread;
	bool has_thread;
	bool submitting; /* some thread is using the queue */
	bool queue_lost, lost; /* the queue; the device */
	bool renew, renewing; /* it is to be made to work again; it is being made */
	pthread_cond_t wake;
	hy_hal_queue *queue; /* NULL: takes nothing */
	hy_hal_buffer *workspace;
	hy_ref workspace_ref;
	uint32_t in_flight;
	hy_sched__context *ready, **ready_end; /* stages after the first, in order */
	uint64_t items, replayed, losses, busy_ns, last_end_ns, dispatch_count;
	uint64_t dispatch_ns[HY_SCHED__DISPATCH_SAMPLES];
} hy_sched__worker;

/* An output that no program writes: an input, a constant, or another output. */
typedef struct hy_sched__passage {
	uint32_t output, source; /* indices of the output, and of the input or output it equals */
	bool is_input;
	const void *constant; /* or NULL */
	uint64_t length;
} hy_sched__passage;

struct hy_sched_session {
	hy_sched_plan *plan;
	pthread_mutex_t lock;
	pthread_cond_t space, done, copied,
		timer; /* room; something was delivered; inputs were read; an earlier tick */
	pthread_cond_t quiet; /* something in hand ended, while planning again or stopping */
	bool drifted, replanning; /* the plan may not be the best any more; nothing new is started */
	uint64_t replans; /* times that it changed */
	pthread_t timer_thread;
	bool stopping, delivering, has_timer;
	uint64_t timer_until_ns; /* what the timer's thread waits for */
	uint32_t worker_count, lane_count, passage_count, program_count;
	hy_sched__worker *workers;
	hy_sched__lane_run *lanes;
	hy_sched__passage *passages;
	uint32_t *programs; /* parts */
	uint32_t input_count, output_count;
	uint64_t *input_bytes, *output_bytes;
	bool copies_are_cheap; /* next to the work of a request */

	hy_sched__dispatch *dispatch;
	uint32_t room; /* requests in the dispatch */
	hy_sched__request *requests, *free; /* room + 1 */
	hy_sched__request **by_number; /* of the dispatch */
	hy_sched__request *turn; /* taken out of the dispatch, to be delivered next */
	hy_sched__dispatch_end turn_end;
	uint64_t accepted[HY_SCHED__DISPATCH_CLASSES], delivered[HY_SCHED__DISPATCH_CLASSES];
	uint32_t drain_count; /* threads that wait for deliveries */

	uint64_t first_ns, last_ns; /* since the last reset, as the next */
	hy_sched__dispatch_counts before;
	hy_sched_device_stats *stats;
	uint64_t *sorted; /* for medians */
	hy_sched__trace *trace; /* NULL: off */
	struct hy_sched__strips *strips; /* the plan's, or NULL */
};

/* Everywhere below the lock is held, but where it says otherwise. */

/* worker.c */
hy_status hy_sched__worker_start(hy_sched__worker *worker, hy_error *error);
/* Takers: those that a new request may go to. */
void hy_sched__worker_wake_takers(hy_sched_session *session);
void hy_sched__worker_wake_all(hy_sched_session *session);
/* A thread that is going to wait submits one request by itself; lets go of the lock meanwhile. */
void hy_sched__worker_help(hy_sched_session *session);
/* Contexts that wait for a stage in a lane that does not work start again elsewhere. */
void hy_sched__worker_sweep(hy_sched_session *session);
bool hy_sched__worker_lane_works(const hy_sched__lane_run *lane);

/* revive.c: what becomes of lanes and devices that fail. */
void hy_sched__revive_lost(hy_sched__worker *worker);
/* Acts on what the dispatch has to tell; after every change of it. */
void hy_sched__revive_settle(hy_sched_session *session);
/* On the worker's thread, when it is to renew; lets go of the lock meanwhile. */
void hy_sched__revive_renew(hy_sched__worker *worker);

/* replan.c: better borders for a pipeline whose devices drifted. On the thread of its first stage's worker, which
 * nothing in hand waits for; lets go of the lock meanwhile. */
bool hy_sched__replan_possible(const hy_sched_session *session);
void hy_sched__replan(hy_sched_session *session);

/* timer.c: deadlines, time-outs and probes come due without anybody else at work. */
hy_status hy_sched__timer_start(hy_sched_session *session, hy_error *error);
void hy_sched__timer_check(hy_sched_session *session);

/* memory.c: attempts on memory of their own. The lock is not held. */
hy_status hy_sched__memory_take(hy_sched_session *session, hy_sched__context *context, const hy_sched__request *request,
                                hy_error *error);
void hy_sched__memory_give(const hy_sched_session *session, const hy_sched__context *context,
                           const hy_sched__request *request);
void hy_sched__memory_finish(const hy_sched_session *session, hy_sched__context *context);

/* deliver.c. Lets go of the lock around on_done. RUNS: only as long as it is the turn of requests that a thread waits for
 * in hy_sched_session_run, which may be told on any thread. */
typedef enum hy_sched__deliver_what { HY_SCHED__DELIVER_ALL, HY_SCHED__DELIVER_RUNS } hy_sched__deliver_what;
void hy_sched__deliver(hy_sched_session *session, hy_sched__deliver_what what);
bool hy_sched__deliver_due(const hy_sched_session *session);

/* One waiting hy_sched_session_run. */
typedef struct hy_sched__run {
	hy_sched_session *session;
	bool done;
	hy_status status;
	hy_error *error;
} hy_sched__run;
void hy_sched__run_done(void *payload, hy_status status, const hy_error *error);

/* record.c: what goes into the trace, which is on. */
void hy_sched__record_request(hy_sched_session *session, const hy_sched__request *request);
/* Taken by a worker for its next stage. */
void hy_sched__record_taken(const hy_sched__worker *worker, const hy_sched__context *context);
void hy_sched__record_ticket(const hy_sched__worker *worker, const hy_sched__ticket *ticket, const hy_done *done);
/* worker: NULL for what concerns the session; sequence: of a request, or 0. */
void hy_sched__record_instant(hy_sched_session *session, hy_sched__trace_kind kind, const hy_sched__worker *worker,
                              uint64_t sequence);

/* session_strips.c: one stage without a part, whose submission is a request in strips. */
hy_status hy_sched__session_strips_make(hy_sched_session *session, hy_error *error);
void hy_sched__session_strips_submit(hy_sched__context *context, hy_hal_done_fn on_done);
void hy_sched__session_strips_times(hy_sched_session *session);
/* Closes their queues, which waits for completions that are still on their way out. */
void hy_sched__session_strips_free(hy_sched_session *session);
hy_status hy_sched__session_strips_renew(hy_sched_session *session, hy_error *error);

/* session_make.c. No other thread is there yet, or any more. */
hy_status hy_sched__session_make(hy_sched_session *session, hy_error *error);
void hy_sched__session_free(hy_sched_session *session);
/* Makes the only lane anew, with workspaces for its programs; the old one stays when that fails. Nothing is in hand. */
hy_status hy_sched__session_remake_lane(hy_sched_session *session, const hy_sched__lane *from, hy_error *error);
/* The worker's workspace and queue, on its open device with its programs compiled. */
hy_status hy_sched__session_open_queue(hy_sched__worker *worker, hy_error *error);

#endif
