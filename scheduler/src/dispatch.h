/* Who runs what, and when: the rules of the run time as a pure state machine.
 *
 * Requests are accepted or refused, wait in four classes, are handed to lanes (ways of a request through devices) as
 * attempts, and end exactly once. The caller brings the time, does the work and says how it went:
 *
 *     accept --> waits --> take --> attempt --> done ------------------> ends --> deliver
 *                  ^                     `----> failed, overdue, recalled --.
 *                  `--------------------------------------------------------'
 *
 * There is no clock, no thread, no plugin, and no memory is taken after create: a session keeps one under its lock, the
 * engine runs the same code in virtual time.
 *
 * Time:     nanoseconds from any origin; a time before the latest that was told counts as that one.
 * Requests: numbers 0..room-1, for the caller's own arrays; free again when deliver has given one away.
 * Attempts: numbers; those of lane l are the `most` numbers from hy_sched__dispatch_first_attempt(l) on, so that a
 *           caller's contexts per lane can stand in an array. Free again after done, failed, recalled or abandon.
 * After any call: lanes that have room may have got something to take (wants), requests may have ended (deliver),
 *           lanes may have changed (event), and the next tick may be due earlier (next_ns).
 * Threads:  one at a time. Costs: constant, or one pass over the lanes; about 0.1 us per request with eight lanes. */
#ifndef HY_SCHED_DISPATCH_H
#define HY_SCHED_DISPATCH_H

#include <halyard/hal.h>

#define HY_SCHED__DISPATCH_CLASSES 4u
#define HY_SCHED__DISPATCH_NONE UINT32_MAX /* no request, attempt or lane */
#define HY_SCHED__DISPATCH_NEVER UINT64_MAX

typedef struct hy_sched__dispatch hy_sched__dispatch;

/* A lane as it is told to create. */
typedef struct hy_sched__dispatch_lane {
	uint64_t item_ns; /* between its requests when it works alone, predicted; what it does is learned from it on */
	double bottleneck; /* item_ns over the time of one request from end to end; 1 for one stage; 0 means 1 */
	uint32_t depth; /* requests in hand that hide the hand-over from the device; 0 means 2 */
	/* Most requests in hand; 0 means depth. More than depth: handing over is dear (another node), so the lane takes
	 * guided chunks, tells begun, and gives unstarted requests back when they are recalled. */
	uint32_t most;
	uint64_t overhead_ns; /* of handing one chunk over */
	uint64_t transfer_ns; /* of moving one request to it, not hidden behind work */
	bool foreign_clock; /* its device lives in a time of its own (simulated): no time-outs, nothing learned from waits */
	bool absent; /* not there yet: it may join */
} hy_sched__dispatch_lane;

enum {
	/* A lane with nothing to do starts a running idempotent request of a slower lane again, when it would end it
	 * sooner by a fifth: the first result counts. Shortens tails and costs double work on otherwise idle devices. For
	 * loads of idempotent requests: slow lanes take late requests more boldly with it. */
	HY_SCHED__DISPATCH_BACKUP = 1u << 0,
};

/* Zero is a good value for all but room, lane_count and lanes. */
typedef struct hy_sched__dispatch_options {
	uint32_t room; /* requests accepted and not yet delivered, at most */
	uint32_t lane_count, flags;
	const hy_sched__dispatch_lane *lanes; /* lent to create */
	uint64_t age_ns; /* a request that waits so long moves up one class; 0 means 100 ms */
	uint32_t weights[HY_SCHED__DISPATCH_CLASSES]; /* shares of classes that compete; 0 means 8, 4, 2, 1 */
	/* How long accepted requests wait while no lane can be hoped for (all quarantined or lost); 0: they end at once. */
	uint64_t patience_ns;
} hy_sched__dispatch_options;

/* Fails: INVALID options; NO_MEMORY. */
hy_status hy_sched__dispatch_create(const hy_sched__dispatch_options *options, hy_sched__dispatch **out_dispatch,
                                    hy_error *error);
void hy_sched__dispatch_destroy(hy_sched__dispatch *dispatch);
uint32_t hy_sched__dispatch_first_attempt(const hy_sched__dispatch *dispatch, uint32_t lane);

/* ---- requests ---- */

typedef struct hy_sched__dispatch_ask {
	uint32_t priority; /* class 0 (first) .. 3 */
	uint64_t deadline_ns; /* an answer after it is worth nothing; 0: none */
	/* Its attempts write memory of their own, so that it may be started again, or end, while one is still out. Other
	 * requests start again only when the attempt came back or its lane was abandoned. */
	bool idempotent;
} hy_sched__dispatch_ask;

typedef enum hy_sched__dispatch_answer {
	HY_SCHED__DISPATCH_ACCEPTED,
	HY_SCHED__DISPATCH_FULL, /* no room: wait for deliver */
	HY_SCHED__DISPATCH_TOO_LATE, /* its predicted end is after its deadline */
	HY_SCHED__DISPATCH_NO_LANE, /* no lane can be hoped for */
} hy_sched__dispatch_answer;

/* Takes a request in, or refuses it early. out_predicted_ns (may be NULL) is written when a deadline was given: when it
 * would end. */
hy_sched__dispatch_answer hy_sched__dispatch_accept(hy_sched__dispatch *dispatch, uint64_t now_ns,
                                                    const hy_sched__dispatch_ask *ask, uint32_t *out_request,
                                                    uint64_t *out_predicted_ns);
/* Position among all accepted, from 1; tells a number's uses apart. */
uint64_t hy_sched__dispatch_sequence(const hy_sched__dispatch *dispatch, uint32_t request);
/* False when that request has ended, or its result is being written: it ends as it would have. Otherwise it ends
 * CANCELLED: now, or, unless it is idempotent, when its attempt comes back. */
bool hy_sched__dispatch_cancel(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t request, uint64_t sequence);

typedef enum hy_sched__dispatch_end {
	HY_SCHED__DISPATCH_OK,
	HY_SCHED__DISPATCH_ERROR, /* of the last failed attempt, which the caller keeps; or no lane was left */
	HY_SCHED__DISPATCH_CANCELLED,
	HY_SCHED__DISPATCH_DEADLINE,
	HY_SCHED__DISPATCH_ENDS,
} hy_sched__dispatch_end;

/* The next ended request, in the order of acceptance within its class. No attempt writes its memory any more. False:
 * none is due. */
bool hy_sched__dispatch_deliver(hy_sched__dispatch *dispatch, uint32_t *out_request, hy_sched__dispatch_end *out_end);
bool hy_sched__dispatch_deliver_due(const hy_sched__dispatch *dispatch);

/* ---- attempts ---- */

/* Hands requests to a lane: the oldest of the class whose turn it is, as many as its state, its room and the tail rule
 * allow; one for a lane whose hand-over is cheap. Answers how many attempts it wrote, at most `most`. */
uint32_t hy_sched__dispatch_take(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t lane, uint32_t most,
                                 uint32_t *out_attempts);
/* Whether take would give it something. */
bool hy_sched__dispatch_wants(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t lane);
/* The request of an attempt; NONE when nobody waits for its result any more. */
uint32_t hy_sched__dispatch_request_of(const hy_sched__dispatch *dispatch, uint32_t attempt);

/* An attempt of a lane with chunks is at work and can't be recalled any more. */
void hy_sched__dispatch_begun(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t attempt);
/* Optional, for results that take time to write where they belong: true gives the request to this attempt alone until
 * done or failed; false: nobody waits for the result (call done all the same). */
bool hy_sched__dispatch_claim(hy_sched__dispatch *dispatch, uint32_t attempt);
/* It ended well. work_ns: time of its stages together, as devices measured it; 0: unknown, taken from the time since
 * the lane's last completion. False: its result was a duplicate or too late, and was dropped. */
bool hy_sched__dispatch_done(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t attempt, uint64_t work_ns);
/* It failed. CALL: the request ends ERROR unless another attempt of it is out. QUEUE and above: the lane is put into
 * quarantine (a queue is probed at once, the first time) and the request starts again, eight times at most. */
void hy_sched__dispatch_failed(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t attempt, hy_scope scope);

/* For a lane that has nothing to do: the unstarted requests (the later half) of the lane with chunks that would end
 * last, when that gains more than their transfer and a fifth. Answers how many attempts it wrote; the caller asks
 * *out_victim to give them back and says how that went: recalled. One steal per thief at a time. */
uint32_t hy_sched__dispatch_steal(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t thief, uint32_t most,
                                  uint32_t *out_attempts, uint32_t *out_victim);
/* returned false: it had begun, and goes on. */
void hy_sched__dispatch_recalled(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t attempt, bool returned);

/* ---- time ---- */

/* Does what is due: deadlines, time-outs of attempts, probes, the end of patience. */
void hy_sched__dispatch_tick(hy_sched__dispatch *dispatch, uint64_t now_ns);
/* When the next tick has something to do; NEVER: nothing is pending. */
uint64_t hy_sched__dispatch_next_ns(const hy_sched__dispatch *dispatch);

/* ---- lanes ---- */

/* An attempt is overdue after max(100 ms, 5 x (work in hand + p99 of its own)); its lane is SUSPECT, takes nothing, and
 * its idempotent requests wait again. The same time once more makes it QUARANTINED. A completion makes it RAMPING, and
 * doubles its 100 ms, up to 6.4 s: on a busy machine all are late. While no lane works but one that is only late, requests
 * wait for it. */
typedef enum hy_sched__dispatch_state {
	HY_SCHED__DISPATCH_LIVE,
	HY_SCHED__DISPATCH_RAMPING, /* works on one request at a time; three good ones make it LIVE */
	HY_SCHED__DISPATCH_SUSPECT,
	HY_SCHED__DISPATCH_QUARANTINED, /* until its next probe: after 1, 2, 4 .. 60 s, sooner if probes are quick */
	HY_SCHED__DISPATCH_PROBING, /* the caller is finding out whether it works again: probed */
	HY_SCHED__DISPATCH_LOST, /* for good, or not there yet: only join brings it back */
	HY_SCHED__DISPATCH_STATES,
} hy_sched__dispatch_state;

const char *hy_sched__dispatch_state_name(hy_sched__dispatch_state state);
/* The lane failed outside of an attempt: a sibling through the same device. */
void hy_sched__dispatch_lane_failed(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t lane, hy_scope scope);
/* Nothing of its attempts runs or writes any more (its queues are closed): all end as failed, and its requests start
 * again elsewhere. A SUSPECT lane becomes PROBING. */
void hy_sched__dispatch_lane_abandon(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t lane);
/* The answer to an event with state PROBING: works (queue renewed, device reopened) makes it RAMPING; otherwise, or while
 * attempts of it are still out, the next probe comes twice as late, or, if that is earlier, after ten times what this
 * one took, at least a second. */
void hy_sched__dispatch_lane_probed(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t lane, bool works);
/* It is gone and won't be probed. Its attempts are still out: abandon them when that is true. */
void hy_sched__dispatch_lane_lose(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t lane);
/* A lane that was LOST or absent, or waits for its probe, is there now: RAMPING, or probed a
 * second later while attempts of it are still out. item_ns 0: as before. */
void hy_sched__dispatch_lane_join(hy_sched__dispatch *dispatch, uint64_t now_ns, uint32_t lane, uint64_t item_ns);
/* What a better source says about its time (a new plan). */
void hy_sched__dispatch_lane_predict(hy_sched__dispatch *dispatch, uint32_t lane, uint64_t item_ns);

typedef struct hy_sched__dispatch_lane_info {
	hy_sched__dispatch_state state;
	uint32_t in_hand; /* attempts out */
	uint64_t item_ns, deviation_ns; /* learned; mean absolute deviation */
	uint64_t planned_ns; /* item_ns as it was told */
	uint64_t done, duplicates, failed, overdue, replayed, stolen,
		drifts; /* attempts; requests that started again */
} hy_sched__dispatch_lane_info;
void hy_sched__dispatch_lane_describe(const hy_sched__dispatch *dispatch, uint32_t lane,
                                      hy_sched__dispatch_lane_info *out_info);

/* What happened to a lane since it was asked last. */
typedef struct hy_sched__dispatch_event {
	uint32_t lane;
	hy_sched__dispatch_state state, from;
	/* The lane's time left what was predicted: outside 0.85..1.18 for three requests in a row and 200 ms. */
	bool drifted;
	double ratio; /* measured over planned */
} hy_sched__dispatch_event;
/* False: nothing more. */
bool hy_sched__dispatch_event_next(hy_sched__dispatch *dispatch, hy_sched__dispatch_event *out_event);

/* Whether changing the plan is worth it now: a lane drifted or changed its state since the last change, which is at
 * least a second ago, the gain (part of the time, 0..1) is above a twentieth, and it pays cost_ns back within ten
 * seconds. True counts as the change. */
bool hy_sched__dispatch_replan(hy_sched__dispatch *dispatch, uint64_t now_ns, double gain, uint64_t cost_ns);

/* ---- what it says about itself ---- */

typedef struct hy_sched__dispatch_counts {
	uint64_t accepted, refused, delivered;
	uint64_t ended[HY_SCHED__DISPATCH_ENDS];
	uint32_t waiting, running, ending; /* requests; ending: their verdict is known, an attempt is still out */
	uint32_t attempts; /* out */
	uint64_t backups, replays;
} hy_sched__dispatch_counts;
void hy_sched__dispatch_count(const hy_sched__dispatch *dispatch, hy_sched__dispatch_counts *out_counts);

/* The ledger: accepted = ended + waiting + running + ending, every request is in exactly one state and list, attempts and
 * requests name each other, and timers are in order. NULL, or what is broken. Costs a pass over all. */
const char *hy_sched__dispatch_check(const hy_sched__dispatch *dispatch);

#endif
