/* The scheduler: where and when a model runs.
 *
 * A plan says which device runs which part of a prepared graph, with measured costs, a prediction, its bound, and the
 * reason of every refusal, copy and fallback. A session loads a plan and runs requests through it, one worker per
 * device, and gives the answers back in order. */
#ifndef HALYARD_SCHED_H
#define HALYARD_SCHED_H

#include <halyard/hal.h>
#include <halyard/ir.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hy_sched_plan hy_sched_plan;
typedef struct hy_sched_session hy_sched_session;

typedef enum hy_sched_objective {
	HY_SCHED_THROUGHPUT, /* most answers per second */
	HY_SCHED_LATENCY, /* shortest time of one answer */
	HY_SCHED_DEADLINE, /* most answers per second among ways that give one within deadline_ns */
} hy_sched_objective;

typedef enum hy_sched_strategy {
	HY_SCHED_AUTO, /* the best of those below that fit */
	HY_SCHED_SINGLE, /* the whole model on one device */
	HY_SCHED_REPLICAS, /* the whole model on every device, requests dealt out as devices get free */
	HY_SCHED_CUT, /* the first part on one device, the rest on another */
	HY_SCHED_SPATIAL, /* one request on several devices at a time, each with a strip of rows */
	HY_SCHED_PIPELINE, /* one part after the other on as many devices as that makes faster */
	HY_SCHED_GROUPS, /* pipelines and whole models side by side */
} hy_sched_strategy;

enum {
	HY_SCHED_FORBID_FALLBACK = 1u << 0, /* a node its device refuses is a failure, not a detour */
	HY_SCHED_NO_MEASURE = 1u << 1, /* predict from the roofline only: no device is opened by the planner */
	HY_SCHED_MEASURE_AGAIN = 1u << 2, /* every device, whatever the cost file knows */
};

/* Told about long work; fraction in 0..1. Threads: the caller's. */
typedef void (*hy_sched_progress_fn)(void *payload, const char *what, double fraction);

typedef struct hy_sched_options {
	uint32_t size, flags;
	const char *devices; /* selector of hy_hal_machine_select; NULL: every usable device */
	hy_sched_objective objective;
	hy_sched_strategy strategy;
	uint32_t cut_node; /* CUT: first node of the second part; 0: where it is best */
	uint32_t depth; /* requests in flight per device; 0: 2 */
	uint64_t measure_ns; /* time for measuring one program on one device; 0: 200 ms */
	const char *cost_file; /* measured costs are read from and added to it; NULL: none */
	hy_sched_progress_fn progress; /* NULL: silent */
	void *progress_payload;
	uint64_t deadline_ns; /* DEADLINE: of one answer */
	/* What candidates are compared by: time of work, of copies, and of bringing back what is likely to be pushed out of
	 * memory (what a device holds above nine tenths of it). 0: 1. Predictions are not changed by them. */
	double execution_weight, transfer_weight, memory_weight;
	/* An earlier plan's JSON: it is taken as it is, with its devices; devices, objective, strategy and measuring of this
	 * are not looked at. Then plan_create also fails: INVALID it is no such plan; INCOMPATIBLE the model or a device
	 * is another; NO_MEMORY what was loaded needs more than the plan allows. NULL: plan. */
	const char *plan_text;
} hy_sched_options;

/* Plans a prepared graph (hy_ir_prepare) on devices of machine. Both are lent until the plan is destroyed.
 * Fails: NOT_FOUND no usable device; NO_MEMORY with the shortfall in bytes per device when no candidate fits, before
 * anything is loaded; UNSUPPORTED a node that no device runs, or that its device refuses with FORBID_FALLBACK. */
hy_status hy_sched_plan_create(hy_hal_machine *machine, const hy_ir_graph *graph, const hy_sched_options *options,
                               hy_sched_plan **out_plan, hy_error *error);
void hy_sched_plan_destroy(hy_sched_plan *plan);

/* One device's part in a plan. */
typedef struct hy_sched_plan_device {
	const char *id; /* with options, as selected: "cpu:0?cores=0" */
	double share; /* of the requests (replicas) or of the time (cut), predicted; 0..1 */
	uint64_t item_ns; /* measured or predicted time of its part for one request */
	bool measured;
	uint32_t node_count, launches, reference_launches;
	uint64_t constant_bytes, activation_bytes; /* memory it needs */
	uint64_t capacity_bytes;
} hy_sched_plan_device;

/* A refusal, copy or fallback. */
typedef struct hy_sched_plan_note {
	uint32_t node; /* of the graph, or HY_IR_NONE */
	const char *device;
	hy_reason reason;
	const char *text; /* one line */
} hy_sched_plan_note;

typedef struct hy_sched_plan_info {
	hy_sched_strategy strategy;
	hy_sched_objective objective;
	uint64_t item_ns; /* predicted time between answers (THROUGHPUT) or of one answer (LATENCY) */
	uint64_t bound_ns; /* no plan on these devices can be faster than this */
	uint32_t device_count, note_count, candidate_count;
	const hy_sched_plan_device *devices;
	const hy_sched_plan_note *notes;
	uint64_t copy_bytes; /* between devices, per request */
} hy_sched_plan_info;

const hy_sched_plan_info *hy_sched_plan_describe(const hy_sched_plan *plan);
/* The plan for people (json false) or programs (schema halyard.plan/v1). The text is the caller's, free(). Threads: not
 * while a session of a pipeline runs, which may move its borders. */
hy_status hy_sched_plan_print(const hy_sched_plan *plan, bool json, char **out_text, hy_error *error);
/* The plan as a drawing (SVG, self-contained): the graph coloured by device, with the copies. The text is the caller's. */
hy_status hy_sched_plan_draw(const hy_sched_plan *plan, char **out_text, hy_error *error);
/* Where node `node` of the graph runs and why, for people. */
hy_status hy_sched_plan_explain(const hy_sched_plan *plan, uint32_t node, char **out_text, hy_error *error);

/* Loads a plan: compiles what planning did not, allocates, starts one worker per device. The plan is lent until the
 * session is destroyed. A plan has at most one session at a time. */
hy_status hy_sched_session_create(hy_sched_plan *plan, hy_sched_session **out_session, hy_error *error);
/* Waits for accepted requests, and for devices that hang. */
void hy_sched_session_destroy(hy_sched_session *session);

/* Called exactly once per accepted request, in the order of submission within its priority, from a worker. error is
 * NULL on success; CANCELLED, TIMEOUT (its deadline) and failures of the model tell their story in it. */
typedef void (*hy_sched_done_fn)(void *payload, hy_status status, const hy_error *error);

/* Runs the model on inputs (the graph's, in order; types must equal the graph's) into outputs (the caller's memory,
 * of the graph's output types). Data needs no alignment beyond its element's; 64-byte aligned data is used in place
 * where the device allows. All memory is lent until on_done. Blocks while too many requests are in flight; from within
 * on_done it answers BUSY instead. Work of a device that is lost or hangs starts again on the others.
 * Fails: INVALID a tensor of another type; DEVICE_LOST no device works; BUSY. Threads: any. */
hy_status hy_sched_session_submit(hy_sched_session *session, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                                  hy_sched_done_fn on_done, void *payload, hy_error *error);

/* Classes share the devices 8:4:2:1; what waits for 100 ms moves up one. */
typedef enum hy_sched_priority {
	HY_SCHED_NORMAL,
	HY_SCHED_URGENT,
	HY_SCHED_LOW,
	HY_SCHED_BACKGROUND,
} hy_sched_priority;

/* Work of a lost device always starts again elsewhere: it fails, and is over. A device that hangs may go on any time, so
 * its work can start again only when inputs and outputs are copies. */
typedef enum hy_sched_retry {
	HY_SCHED_RETRY_AUTO, /* as HUNG with a deadline, or where copying costs less than a hundredth of the work */
	HY_SCHED_RETRY_LOST, /* in place: a device that hangs keeps the request, and those after it wait */
	HY_SCHED_RETRY_HUNG,
} hy_sched_retry;

/* A request with all its choices. */
typedef struct hy_sched_request {
	uint32_t size;
	const hy_ir_tensor *inputs, *outputs;
	hy_sched_done_fn on_done;
	void *payload;
	hy_sched_priority priority;
	hy_sched_retry retry;
	uint64_t deadline_ns; /* of hy_hal_now_ns(): an answer after it is worth nothing; 0: none */
} hy_sched_request;

/* The same as submit. out_id (may be NULL): for cancel. Fails also: TIMEOUT it can't be expected to end before its
 * deadline. */
hy_status hy_sched_session_ask(hy_sched_session *session, const hy_sched_request *request, uint64_t *out_id,
                               hy_error *error);
/* False when that request ended, or its answer is being written; otherwise it ends as CANCELLED: at once, or, when it
 * runs in place, as soon as its device is done with it. Threads: any. */
bool hy_sched_session_cancel(hy_sched_session *session, uint64_t id);

/* The same and waits. BUSY from within on_done. */
hy_status hy_sched_session_run(hy_sched_session *session, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs,
                               hy_error *error);
/* Until every accepted request is done. BUSY from within on_done. */
hy_status hy_sched_session_drain(hy_sched_session *session, hy_error *error);

typedef struct hy_sched_device_stats {
	const char *id;
	const char *state; /* live, ramping, suspect, quarantined, probing, lost; of the first way through it */
	uint64_t items; /* requests, or parts of requests, it finished */
	uint64_t busy_ns; /* time it was computing, from its own tickets */
	double share, busy; /* of all items; of the wall time since the last reset */
	uint64_t item_ns, planned_ns; /* time of one request: as learned, and as the plan said */
	uint64_t dispatch_ns; /* median host time to hand one request to it */
	uint64_t peak_bytes;
	uint64_t replayed; /* requests that had to start again because it, or its queue, was lost or hung */
	uint64_t losses, overdue, drifts; /* times it was lost, was late beyond reason, changed its speed for good */
	uint32_t in_flight; /* submissions it has now */
	bool lost; /* now */
} hy_sched_device_stats;

/* The ledger: accepted = done_ok + done_error + cancelled + deadline + those on their way, since the last reset. */
typedef struct hy_sched_stats {
	uint64_t wall_ns; /* first submission to last completion since the last reset */
	uint64_t accepted, done_ok, done_error, cancelled, deadline;
	uint64_t refused; /* early: never accepted */
	uint64_t replans; /* times that borders between devices moved, since the session began */
	uint32_t waiting, running; /* now */
	uint32_t device_count;
	const hy_sched_device_stats *devices; /* lent until the next call */
} hy_sched_stats;
void hy_sched_session_stats(hy_sched_session *session, hy_sched_stats *out_stats);
void hy_sched_session_reset_stats(hy_sched_session *session);

/* Keeps the newest event_count events from now on (0: 65536, about 4 MB): requests, what each device did and when beside
 * what was predicted, losses and replays. While it does, a device that needs copies gets them as submissions of their
 * own. BUSY when it does already. */
hy_status hy_sched_session_trace(hy_sched_session *session, uint32_t event_count, hy_error *error);
/* Writes them as Chrome trace JSON (schema halyard.trace/v1; opens in Perfetto). Fails: INVALID tracing is off, or the
 * file can't be written. */
hy_status hy_sched_session_trace_write(hy_sched_session *session, const char *path, hy_error *error);

/* The programs of a session, for per-operator profiles; lent until their device is lost or borders move. */
uint32_t hy_sched_session_program_count(const hy_sched_session *session);
hy_hal_program *hy_sched_session_program(const hy_sched_session *session, uint32_t index, const char **out_device,
                                         uint32_t *out_first_node);

#ifdef __cplusplus
}
#endif
#endif
