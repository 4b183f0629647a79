/* A running plan.
 *
 * Requests stand in a ring in the order of submission. A worker per device takes them into a lane, as far as the tail
 * rule lets it; a context carries one request through the lane's stages, from device to device. One lock guards all of
 * it; no lock is held while a plugin or the application runs. Nothing is allocated between submit and on_done but
 * staging for memory that a device can't take in place, once. */
#ifndef HY_SCHED_SESSION_H
#define HY_SCHED_SESSION_H

#include "frame.h"
#include "plan.h"
#include "trace.h"

#include <pthread.h>

#define HY_SCHED__DISPATCH_SAMPLES 256u

/* Where a binding's memory is for a given request. */
typedef enum hy_sched__place_kind {
	HY_SCHED__PLACE_INPUT, /* the request's */
	HY_SCHED__PLACE_OUTPUT, /* the request's */
	HY_SCHED__PLACE_BETWEEN, /* the context's */
} hy_sched__place_kind;

typedef struct hy_sched__place {
	hy_sched__place_kind kind;
	uint32_t index;
} hy_sched__place;

typedef enum hy_sched__request_state {
	HY_SCHED__REQUEST_WAITS,
	HY_SCHED__REQUEST_RUNS,
	HY_SCHED__REQUEST_DONE,
} hy_sched__request_state;

typedef struct hy_sched__request {
	hy_sched__request_state state;
	uint32_t attempts; /* runs that ended with a lost device or queue */
	const void **inputs; /* the caller's memory; owned arrays */
	void **outputs;
	hy_sched_done_fn on_done;
	void *payload;
	hy_status status;
	hy_error error; /* when status is not OK */
	uint64_t number; /* in the order of submission */
	uint64_t accepted_ns; /* 0: not traced */
} hy_sched__request;

/* What a context is to be told by a submission. A stage is one, or, while it is traced and needs copies, up to three. */
typedef struct hy_sched__ticket {
	struct hy_sched__context *context;
	hy_sched__trace_kind kind; /* COPY_IN, EXEC (also for all in one), COPY_OUT */
} hy_sched__ticket;

#define HY_SCHED__MOST_TICKETS 3u

/* Carries one request through a lane. */
typedef struct hy_sched__context {
	struct hy_sched__lane_run *lane;
	struct hy_sched__context *next; /* in the lane's free list or a worker's ready list */
	hy_sched__request *request;
	uint32_t stage;
	uint64_t busy_ns; /* of the stages so far */
	uint64_t ready_ns, submitted_ns; /* of this stage; ready 0: not traced */
	uint32_t tickets_left;
	hy_sched__ticket tickets[HY_SCHED__MOST_TICKETS];
	hy_error error; /* of the first of the stage's tickets that failed; status OK: none */
	hy_sched__frame *frames; /* per stage */
	void ***hosts; /* per stage and binding */
	void **between; /* values that only this lane sees */
} hy_sched__context;

typedef struct hy_sched__stage {
	uint32_t part, worker;
	hy_sched__place *places; /* per binding */
} hy_sched__stage;

typedef struct hy_sched__lane_run {
	hy_sched_session *session;
	bool lost;
	uint32_t stage_count, context_count, between_count, active_count;
	hy_sched__stage *stages;
	uint64_t *between_bytes;
	hy_sched__context *contexts, *free;
	uint64_t item_ns; /* between requests when it works alone; follows what tickets say */
	double bottleneck; /* item_ns over the time of all stages together */
	uint64_t since_ns; /* when the request it works on may have begun */
	bool simulated; /* its times are not those of our clock */
} hy_sched__lane_run;

typedef struct hy_sched__worker {
	hy_sched_session *session;
	uint32_t device; /* of the plan */
	pthread_t thread;
	bool has_thread, lost, queue_lost;
	bool submitting; /* some thread is using the queue */
	pthread_cond_t wake;
	hy_hal_queue *queue;
	hy_hal_buffer *workspace;
	hy_ref workspace_ref;
	uint32_t in_flight;
	hy_sched__context *ready, **ready_end; /* stages after the first, in order */
	uint64_t items, replayed, busy_ns, last_end_ns, dispatch_count;
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
	pthread_cond_t space, done; /* room in the ring; something was delivered */
	bool stopping, delivering;
	uint32_t worker_count, lane_count, live_lanes, passage_count, program_count;
	hy_sched__worker *workers;
	hy_sched__lane_run *lanes;
	hy_sched__passage *passages;
	uint32_t *programs; /* parts */
	uint32_t input_count, output_count;

	/* The ring: [delivered_from, accepted) are in it; those before `started` were taken at least once. */
	uint32_t ring_room;
	hy_sched__request *ring;
	uint64_t taken_out, started, accepted, delivered;
	uint32_t replay_count; /* in the ring before `started`, waiting again */
	uint32_t drain_count; /* threads that wait for `delivered` */

	uint64_t first_ns, last_ns, done_ok, done_error, accepted_before; /* since the last reset */
	hy_sched_device_stats *stats;
	uint64_t *sorted; /* for medians */
	hy_sched__trace *trace; /* NULL: off */
};

/* worker.c */
hy_status hy_sched__worker_start(hy_sched__worker *worker, hy_error *error);
/* The lock is held. Takers: those that a new request may go to. */
void hy_sched__worker_wake_takers(hy_sched_session *session);
void hy_sched__worker_wake_all(hy_sched_session *session);

/* The lock is held, but during submission. */
void hy_sched__worker_help(hy_sched_session *session);

/* deliver.c. Called and returns with the lock held; lets go of it around on_done. RUNS: only as long as it is the turn of
 * requests that a thread waits for in hy_sched_session_run, which may be told on any thread. */
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

/* record.c: what goes into the trace. The lock is held and the trace is on. */
void hy_sched__record_request(hy_sched_session *session, const hy_sched__request *request);
/* Taken by a worker for its next stage. */
void hy_sched__record_taken(const hy_sched__worker *worker, const hy_sched__context *context);
void hy_sched__record_ticket(const hy_sched__worker *worker, const hy_sched__ticket *ticket, const hy_done *done);
/* worker: NULL for what concerns the session; number: of a request, or HY_SCHED__TRACE_NO_REQUEST. */
void hy_sched__record_instant(hy_sched_session *session, hy_sched__trace_kind kind, const hy_sched__worker *worker,
                              uint64_t number);

/* session_make.c */
hy_status hy_sched__session_make(hy_sched_session *session, hy_error *error);
void hy_sched__session_free(hy_sched_session *session);

#endif
