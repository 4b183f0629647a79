/* What an engine is made of. For engine*.c alone. */
#ifndef HY_SCHED_ENGINE_STATE_H
#define HY_SCHED_ENGINE_STATE_H

#include "engine.h"

#define NONE HY_SCHED__ENGINE_NONE
#define NEVER HY_SCHED__DISPATCH_NEVER

typedef enum event_kind {
	EVENT_ARRIVAL,
	EVENT_SCRIPT, /* which: of the script */
	EVENT_AT_DEVICE, /* which: an attempt whose inputs have come */
	EVENT_STAGE_DONE, /* which: a device_slot */
	EVENT_COMPLETE, /* which: an attempt whose outputs have come */
	EVENT_PROBED, /* which: a lane */
} event_kind;

typedef struct event_slot {
	uint64_t at_ns, order; /* order: of making, among equal times */
	uint32_t which, version; /* of the attempt or device when it was made; stale when that moved on */
	event_kind kind;
} event_slot;

/* An attempt of the dispatch under way. */
typedef struct travel_slot {
	bool used, waits; /* waits: in the queue of its device_slot */
	uint32_t lane, stage, version, next;
	uint64_t sequence, taken_ns, queued_ns, begun_ns, work_ns; /* work_ns: measured so far */
	double factor; /* of its work */
} travel_slot;

typedef struct device_slot {
	double speed; /* of the script */
	bool up, hung;
	uint32_t running, first, last; /* attempts; the queue */
	uint32_t version;
	double left_ns; /* work of the running one */
	uint64_t updated_ns; /* when left_ns and available_ns were true */
	double available_ns, useful_ns, wasted_ns;
	uint64_t items;
} device_slot;

typedef struct engine {
	const hy_sched__engine_options *options;
	hy_sched__dispatch *dispatch;
	uint64_t now_ns, end_ns, random, arrived, next_arrival_ns, dropped;
	device_slot *devices;
	uint64_t *channel_free_ns, *channel_used_ns;
	travel_slot *travels; /* per attempt */
	uint32_t travel_count;
	uint64_t *arrived_ns; /* per request number of the dispatch */
	uint64_t *latencies;
	size_t latency_count, latency_room;
	event_slot *events;
	uint32_t event_count, event_room;
	uint64_t event_order;
	uint32_t *taken; /* room for what take and steal write */
	uint64_t turn, *asked_at; /* hand-outs; per lane: when it last wanted nothing */
	uint64_t steals, drifts;
	bool no_memory;
} engine;

/* engine_events.c */
void hy_sched__engine_events_add(engine *e, uint64_t at_ns, event_kind kind, uint32_t which, uint32_t version);
bool hy_sched__engine_events_pop(engine *e, event_slot *out_event);

/* engine_device.c */
void hy_sched__engine_device_start(engine *e, uint32_t attempt, uint64_t overhead_ns); /* its first stage */
void hy_sched__engine_device_arrived(engine *e, uint32_t attempt);
/* The attempt whose stage ended. Begins the next of the queue. */
uint32_t hy_sched__engine_device_ended(engine *e, uint32_t device);
/* When the outputs are where they belong, or the next stage's inputs are: an event is made. */
void hy_sched__engine_device_next(engine *e, uint32_t attempt);
void hy_sched__engine_device_account(engine *e, uint32_t device); /* up to now */
void hy_sched__engine_device_change(engine *e, uint32_t device, double speed, bool up, bool hung);
/* Takes an attempt off wherever it is. */
void hy_sched__engine_device_drop(engine *e, uint32_t attempt);
/* Counts the work of an attempt that is over. */
void hy_sched__engine_device_credit(engine *e, uint32_t attempt, bool counted);
void hy_sched__engine_device_trace(engine *e, hy_sched__trace_kind kind, uint32_t device, const travel_slot *travel,
                                   uint64_t begin_ns, uint64_t predicted_ns);

/* engine_result.c */
hy_status hy_sched__engine_result_fill(engine *e, hy_sched__engine_result *result, hy_error *error);

#endif
