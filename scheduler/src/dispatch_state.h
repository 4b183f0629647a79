/* What a dispatch is made of. For dispatch*.c alone. */
#ifndef HY_SCHED_DISPATCH_STATE_H
#define HY_SCHED_DISPATCH_STATE_H

#include "dispatch.h"

#define NONE HY_SCHED__DISPATCH_NONE
#define NEVER HY_SCHED__DISPATCH_NEVER
#define CLASSES HY_SCHED__DISPATCH_CLASSES
#define MOST_OUT 4u /* attempts of one request */
#define MOST_FAILURES 8u
#define MOST_ITEM_NS (UINT64_C(1) << 50)

typedef enum request_state { FREE, WAITS, RUNS, ENDING, ENDED } request_state;

typedef struct request_slot {
	uint64_t sequence, waits_since_ns, deadline_ns;
	uint32_t before, next; /* in its queue */
	uint32_t next_accepted; /* of its class; of the free ones */
	uint8_t state, priority, queue, end; /* queue: where it waits now */
	uint8_t failures, out_count;
	bool idempotent;
	uint32_t claimed_by; /* attempt */
	uint32_t out[MOST_OUT]; /* attempts */
} request_slot;

typedef struct attempt_slot {
	uint32_t request; /* NONE: nobody waits for it */
	uint32_t lane, before, next; /* in the lane, in the order of taking; next: of the free ones */
	uint32_t thief; /* that wants it back */
	uint64_t due_ns, allowed_ns;
	bool used, begun, overdue;
} attempt_slot;

typedef struct lane_slot {
	hy_sched__dispatch_lane told;
	hy_sched__dispatch_state state, told_state; /* told: by the last event */
	uint32_t first, free, oldest, newest; /* attempts */
	uint32_t in_hand, begun_count, recalling; /* recalling: attempts on their way back to it, as a thief */
	uint32_t ramp_left, probe_count;
	uint64_t probing_since_ns;
	bool hung; /* quarantined for being late, not for a failure */
	uint8_t alarms; /* times it was suspected and came back */
	uint64_t since_ns; /* when the request it works on may have begun */
	double item_ns, deviation_ns, predicted_ns; /* learned; predicted: what drift is measured against */
	uint64_t samples;
	uint32_t streak; /* requests in a row outside of the band */
	int streak_side;
	uint64_t streak_since_ns;
	double streak_sum_ns;
	bool drifted, is_dirty;
	uint32_t next_dirty;
	uint64_t done, duplicates, failed, overdue, replayed, stolen, drifts;
} lane_slot;

typedef struct class_queue {
	uint32_t first, last, count; /* requests that wait */
	uint32_t accepted_first, accepted_last; /* all that are not delivered, in order */
	uint32_t weight;
	double pass; /* stride scheduling: the class with the least goes next */
} class_queue;

/* A binary heap of times; `at` finds a key's place. Keys: requests, then attempts, then lanes, then patience. */
typedef struct timer_heap {
	uint32_t count, key_count;
	uint32_t *keys, *at;
	uint64_t *times; /* per key */
} timer_heap;

struct hy_sched__dispatch {
	uint32_t room, lane_count, attempt_count, flags;
	uint64_t now_ns, age_ns, patience_ns;
	request_slot *requests;
	attempt_slot *attempts;
	lane_slot *lanes;
	timer_heap timers;
	class_queue classes[CLASSES];
	uint32_t free_request, first_dirty, last_dirty;
	uint32_t waiting, running, ending, out; /* out: attempts */
	double pass, rate; /* of the class served last; requests per ns of the usable lanes together */
	bool hopeless, changed; /* patience is over; something happened that a new plan could answer */
	uint64_t replanned_ns;
	uint64_t accepted, refused, delivered, backups, replays;
	uint64_t ended[HY_SCHED__DISPATCH_ENDS];
};

/* dispatch_timers.c */
hy_status hy_sched__dispatch_timers_init(timer_heap *timers, uint32_t key_count, hy_error *error);
void hy_sched__dispatch_timers_finish(timer_heap *timers);
void hy_sched__dispatch_timers_set(timer_heap *timers, uint32_t key, uint64_t time_ns); /* NEVER: removes it */
/* The first that is due by now_ns, taken out; NONE. */
uint32_t hy_sched__dispatch_timers_pop(timer_heap *timers, uint64_t now_ns);
bool hy_sched__dispatch_timers_ok(const timer_heap *timers);

/* Keys. */
static inline uint32_t attempt_key(const hy_sched__dispatch *d, uint32_t attempt)
{
	return d->room + attempt;
}
static inline uint32_t lane_key(const hy_sched__dispatch *d, uint32_t lane)
{
	return d->room + d->attempt_count + lane;
}
static inline uint32_t patience_key(const hy_sched__dispatch *d)
{
	return d->room + d->attempt_count + d->lane_count;
}

/* dispatch_queue.c: requests that wait, and how requests end. */
void hy_sched__dispatch_queue_add(hy_sched__dispatch *d, uint32_t request);
void hy_sched__dispatch_queue_again(hy_sched__dispatch *d, uint32_t request); /* in front of younger ones */
void hy_sched__dispatch_queue_remove(hy_sched__dispatch *d, uint32_t request);
/* Moves what waited long up one class. */
void hy_sched__dispatch_queue_age(hy_sched__dispatch *d);
/* The request that a lane should take next, out of its queue; NONE: none that it would end in time. May end requests
 * that no lane can end in time. */
uint32_t hy_sched__dispatch_queue_next(hy_sched__dispatch *d, uint32_t lane);
void hy_sched__dispatch_queue_end(hy_sched__dispatch *d, uint32_t request, hy_sched__dispatch_end end);
/* Ends it now, or when its attempts came back. */
void hy_sched__dispatch_queue_end_soon(hy_sched__dispatch *d, uint32_t request, hy_sched__dispatch_end end);

/* dispatch_attempt.c */
uint32_t hy_sched__dispatch_attempt_start(hy_sched__dispatch *d, uint32_t lane, uint32_t request);
/* Takes it off its lane and its request. Answers the request, or NONE. */
uint32_t hy_sched__dispatch_attempt_over(hy_sched__dispatch *d, uint32_t attempt);
/* A request lost an attempt: it waits again unless another is out, or it has failed too often. */
void hy_sched__dispatch_attempt_again(hy_sched__dispatch *d, uint32_t request, bool failed);
void hy_sched__dispatch_attempt_overdue(hy_sched__dispatch *d, uint32_t attempt);

/* dispatch_lane.c: states, predictions, learning. */
bool hy_sched__dispatch_lane_usable(const lane_slot *lane);
void hy_sched__dispatch_lane_set(hy_sched__dispatch *d, uint32_t lane, hy_sched__dispatch_state state);
void hy_sched__dispatch_lane_learn(hy_sched__dispatch *d, uint32_t lane, uint64_t work_ns);
/* A lane that was thought to hang does not. It is given twice the time from now on. */
void hy_sched__dispatch_lane_answers(hy_sched__dispatch *d, uint32_t lane);
/* Idempotent requests of a lane that is not trusted wait again. */
void hy_sched__dispatch_lane_release(hy_sched__dispatch *d, uint32_t lane);
void hy_sched__dispatch_lane_due(hy_sched__dispatch *d, uint32_t lane); /* its probe */
/* Starts or ends patience. */
void hy_sched__dispatch_lane_hope(hy_sched__dispatch *d);
void hy_sched__dispatch_lane_patience(hy_sched__dispatch *d); /* is over */
/* From now until it is free; of a request from end to end; from now until `more` more requests have ended on all. */
double hy_sched__dispatch_lane_free_ns(const hy_sched__dispatch *d, const lane_slot *lane);
double hy_sched__dispatch_lane_latency_ns(const lane_slot *lane);
double hy_sched__dispatch_lane_finish_ns(const hy_sched__dispatch *d, uint32_t more);

/* dispatch_share.c: how many requests a lane may take. */
uint32_t hy_sched__dispatch_share(const hy_sched__dispatch *d, uint32_t lane, uint32_t most);

#endif
