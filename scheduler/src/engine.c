/* The run: arrivals, completions, faults and the dispatch's own timers in the order of virtual time. */
#include "engine_state.h"
#include "window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_NS 1000000u /* until a probe is answered */
#define MOST_ROOM (1u << 22)
#define LANES_PER_TURN 64u

static uint64_t mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* In (0, 1). */
static double unit(uint64_t bits)
{
	return ((double)(bits >> 11) + 0.5) / 9007199254740992.0;
}

/* Normal, by Box and Muller. */
static double normal(uint64_t seed, uint64_t number)
{
	const uint64_t bits = mix(seed ^ mix(number));
	return sqrt(-2 * log(unit(bits))) * cos(6.283185307179586 * unit(mix(bits)));
}

double hy_sched__engine_noise(uint64_t seed, uint64_t number, double spread)
{
	const double factor = 1 + spread * normal(seed, number);
	return factor > 0.3 ? factor : 0.3;
}

/* ---- attempts ---- */

static void start(engine *e, uint32_t lane, uint32_t attempt)
{
	travel_slot *travel = &e->travels[attempt];
	const uint32_t request = hy_sched__dispatch_request_of(e->dispatch, attempt);
	const uint64_t sequence = hy_sched__dispatch_sequence(e->dispatch, request);
	*travel = (travel_slot){.used = true,
	                        .lane = lane,
	                        .version = travel->version + 1,
	                        .next = NONE,
	                        .sequence = sequence - 1,
	                        .taken_ns = e->now_ns,
	                        .factor = hy_sched__engine_noise(e->options->seed, sequence, e->options->noise)};
	hy_sched__engine_device_start(e, attempt, e->options->lanes[lane].told.overhead_ns);
}

static void recall(engine *e, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		hy_sched__engine_device_drop(e, e->taken[i]);
		hy_sched__dispatch_recalled(e->dispatch, e->now_ns, e->taken[i], true);
	}
	e->steals += count > 0;
}

/* Of many lanes, those that wanted nothing are asked again after a few turns, or when something of theirs ends. */
static bool rests(const engine *e, uint32_t l)
{
	return e->turn - e->asked_at[l] < e->options->lane_count / LANES_PER_TURN;
}

static void wake_all(engine *e)
{
	e->turn += e->options->lane_count;
}

/* Gives every lane what it may take. */
static void hand_out(engine *e)
{
	bool again = true;
	e->turn++;
	while (again) {
		again = false;
		for (uint32_t l = 0; l < e->options->lane_count; l++) {
			uint32_t count, victim;
			if (rests(e, l)) continue;
			while ((count = hy_sched__dispatch_take(e->dispatch, e->now_ns, l, e->travel_count, e->taken)) >
			       0)
				for (uint32_t i = 0; i < count; i++)
					start(e, l, e->taken[i]);
			count = hy_sched__dispatch_steal(e->dispatch, e->now_ns, l, e->travel_count, e->taken, &victim);
			recall(e, count);
			again |= count > 0;
			if (count == 0) e->asked_at[l] = e->turn;
		}
	}
}

static void complete(engine *e, uint32_t attempt)
{
	travel_slot *travel = &e->travels[attempt];
	const bool won = hy_sched__dispatch_done(e->dispatch, e->now_ns, attempt, travel->work_ns);
	hy_sched__engine_device_credit(e, attempt, won);
	e->asked_at[travel->lane] = 0;
	if (won) e->end_ns = e->now_ns;
	travel->used = false;
	travel->version++;
}

/* ---- requests ---- */

static void remember_latency(engine *e, uint64_t ns)
{
	if (e->latency_count == e->latency_room) {
		const size_t room = e->latency_room * 2 + 1024;
		uint64_t *more = realloc(e->latencies, room * sizeof(*more));
		if (more == NULL) {
			e->no_memory = true;
			return;
		}
		e->latencies = more;
		e->latency_room = room;
	}
	e->latencies[e->latency_count++] = ns;
}

static void deliver(engine *e)
{
	uint32_t request;
	hy_sched__dispatch_end end;
	while (hy_sched__dispatch_deliver(e->dispatch, &request, &end)) {
		if (end == HY_SCHED__DISPATCH_OK) remember_latency(e, e->now_ns - e->arrived_ns[request]);
		const travel_slot ghost = {.sequence = hy_sched__dispatch_sequence(e->dispatch, request) - 1,
		                           .stage = HY_SCHED__TRACE_NONE};
		hy_sched__engine_device_trace(e, HY_SCHED__TRACE_REQUEST, NONE, &ghost, e->arrived_ns[request], 0);
	}
}

/* False: no room. */
static bool arrive(engine *e)
{
	const hy_sched__engine_load *load = &e->options->load;
	const uint32_t classes = load->classes > 0 ? load->classes : 1;
	const hy_sched__dispatch_ask ask = {.priority = (uint32_t)(e->arrived % classes),
	                                    .deadline_ns = load->deadline_ns > 0 ? e->now_ns + load->deadline_ns : 0,
	                                    .idempotent = !load->lends_memory};
	uint32_t request;
	switch (hy_sched__dispatch_accept(e->dispatch, e->now_ns, &ask, &request, NULL)) {
	case HY_SCHED__DISPATCH_ACCEPTED:
		e->arrived_ns[request] = e->now_ns;
		break;
	case HY_SCHED__DISPATCH_FULL:
		return false;
	case HY_SCHED__DISPATCH_TOO_LATE:
	case HY_SCHED__DISPATCH_NO_LANE:
		break;
	}
	e->arrived++;
	return true;
}

static bool more_arrive(const engine *e)
{
	const hy_sched__engine_load *load = &e->options->load;
	return (load->count == 0 || e->arrived < load->count) &&
	       (load->duration_ns == 0 || e->now_ns < load->duration_ns);
}

static void arrive_all(engine *e)
{
	const hy_sched__dispatch_counts none = {0};
	hy_sched__dispatch_counts counts = none;
	if (e->options->load.rate > 0) return;
	while (more_arrive(e)) {
		hy_sched__dispatch_count(e->dispatch, &counts);
		const uint64_t refused = counts.refused;
		if (!arrive(e)) return;
		hy_sched__dispatch_count(e->dispatch, &counts);
		if (counts.refused > refused && e->options->load.count == 0) return; /* try again when something ends */
	}
}

static void expect_arrival(engine *e)
{
	const double rate = e->options->load.rate;
	if (!(rate > 0) || !more_arrive(e)) return;
	const double gap = -log(unit(mix(e->options->seed ^ mix(e->arrived + e->dropped + (UINT64_C(1) << 60))))) /
	                   rate;
	const double most = 1e18;
	hy_sched__engine_events_add(e, e->now_ns + (uint64_t)(gap < most ? gap : most), EVENT_ARRIVAL, 0, 0);
}

/* ---- faults ---- */

static bool lane_uses(const engine *e, uint32_t l, uint32_t d)
{
	const hy_sched__engine_lane *lane = &e->options->lanes[l];
	for (uint32_t s = 0; s < lane->stage_count; s++)
		if (lane->stages[s].device == d) return true;
	return false;
}

static bool lane_works(const engine *e, uint32_t l)
{
	const hy_sched__engine_lane *lane = &e->options->lanes[l];
	for (uint32_t s = 0; s < lane->stage_count; s++)
		if (!e->devices[lane->stages[s].device].up || e->devices[lane->stages[s].device].hung) return false;
	return true;
}

static void empty_lane(engine *e, uint32_t l)
{
	const uint32_t first = hy_sched__dispatch_first_attempt(e->dispatch, l);
	const uint32_t end = l + 1 < e->options->lane_count ? hy_sched__dispatch_first_attempt(e->dispatch, l + 1)
	                                                    : e->travel_count;
	for (uint32_t a = first; a < end; a++)
		if (e->travels[a].used) hy_sched__engine_device_drop(e, a);
	hy_sched__dispatch_lane_abandon(e->dispatch, e->now_ns, l);
}

static void play(engine *e, const hy_sched__engine_script *script)
{
	device_slot *device = &e->devices[script->device];
	const bool up = script->fault == HY_SCHED__ENGINE_SPEED || script->fault == HY_SCHED__ENGINE_HANGS
	                        ? device->up
	                        : script->fault != HY_SCHED__ENGINE_DIES;
	const bool hung = script->fault == HY_SCHED__ENGINE_HANGS ||
	                  (script->fault == HY_SCHED__ENGINE_SPEED && device->hung);
	const double speed = script->fault == HY_SCHED__ENGINE_SPEED ? script->factor : device->speed;
	hy_sched__engine_device_change(e, script->device, speed, up, hung);
	for (uint32_t l = 0; l < e->options->lane_count; l++) {
		if (!lane_uses(e, l, script->device)) continue;
		if (script->fault == HY_SCHED__ENGINE_DIES) {
			hy_sched__dispatch_lane_failed(e->dispatch, e->now_ns, l, HY_SCOPE_DEVICE);
			empty_lane(e, l);
		}
		if (script->fault == HY_SCHED__ENGINE_JOINS && lane_works(e, l))
			hy_sched__dispatch_lane_join(e->dispatch, e->now_ns, l, 0);
	}
}

static void watch_lanes(engine *e)
{
	static const hy_sched__trace_kind kinds[HY_SCHED__DISPATCH_STATES] = {
		[HY_SCHED__DISPATCH_LIVE] = HY_SCHED__TRACE_RETURNED,
		[HY_SCHED__DISPATCH_RAMPING] = HY_SCHED__TRACE_RETURNED,
		[HY_SCHED__DISPATCH_SUSPECT] = HY_SCHED__TRACE_HANG,
		[HY_SCHED__DISPATCH_QUARANTINED] = HY_SCHED__TRACE_LOST,
		[HY_SCHED__DISPATCH_PROBING] = HY_SCHED__TRACE_PROBE,
		[HY_SCHED__DISPATCH_LOST] = HY_SCHED__TRACE_LOST,
	};
	hy_sched__dispatch_event happened;
	while (hy_sched__dispatch_event_next(e->dispatch, &happened)) {
		e->drifts += happened.drifted;
		if (happened.state == happened.from) continue;
		if (happened.state != HY_SCHED__DISPATCH_LIVE)
			hy_sched__engine_device_trace(e, kinds[happened.state],
			                              e->options->lanes[happened.lane].stages[0].device, NULL,
			                              e->now_ns, 0);
		if (happened.state == HY_SCHED__DISPATCH_PROBING)
			hy_sched__engine_events_add(e, e->now_ns + PROBE_NS, EVENT_PROBED, happened.lane, 0);
		if (happened.state == HY_SCHED__DISPATCH_QUARANTINED) empty_lane(e, happened.lane);
	}
}

/* ---- the run ---- */

static void happen(engine *e, const event_slot *event)
{
	switch (event->kind) {
	case EVENT_ARRIVAL:
		wake_all(e);
		if (!more_arrive(e)) return;
		if (!arrive(e)) e->dropped++;
		expect_arrival(e);
		return;
	case EVENT_SCRIPT:
		wake_all(e);
		play(e, &e->options->script[event->which]);
		return;
	case EVENT_AT_DEVICE:
		if (e->travels[event->which].version == event->version)
			hy_sched__engine_device_arrived(e, event->which);
		return;
	case EVENT_STAGE_DONE:
		if (e->devices[event->which].version != event->version) return;
		hy_sched__engine_device_next(e, hy_sched__engine_device_ended(e, event->which));
		return;
	case EVENT_COMPLETE:
		if (e->travels[event->which].version == event->version) complete(e, event->which);
		return;
	case EVENT_PROBED:
		wake_all(e);
		hy_sched__dispatch_lane_probed(e->dispatch, e->now_ns, event->which, lane_works(e, event->which));
		return;
	}
}

static bool is_over(const engine *e)
{
	hy_sched__dispatch_counts counts;
	if (more_arrive(e)) return false;
	hy_sched__dispatch_count(e->dispatch, &counts);
	return counts.delivered == counts.accepted;
}

static void run(engine *e)
{
	for (uint32_t i = 0; i < e->options->script_count; i++)
		hy_sched__engine_events_add(e, e->options->script[i].at_ns, EVENT_SCRIPT, i, 0);
	bool all_asked = false;
	expect_arrival(e);
	for (;;) {
		arrive_all(e);
		hand_out(e);
		watch_lanes(e);
		deliver(e);
		if (e->no_memory || is_over(e)) return;
		const uint64_t tick_ns = hy_sched__dispatch_next_ns(e->dispatch);
		if (e->event_count > 0 && e->events[0].at_ns <= tick_ns) {
			event_slot event;
			hy_sched__engine_events_pop(e, &event);
			e->now_ns = event.at_ns;
			happen(e, &event);
		} else if (tick_ns != NEVER) {
			e->now_ns = tick_ns > e->now_ns ? tick_ns : e->now_ns;
			hy_sched__dispatch_tick(e->dispatch, e->now_ns);
			wake_all(e);
		} else if (all_asked) {
			return; /* nothing will happen: the ledger says what is left */
		} else {
			wake_all(e);
			all_asked = true;
			continue;
		}
		all_asked = false;
	}
}

/* ---- making ---- */

static hy_sched__dispatch_lane told(const hy_sched__engine_options *options, uint32_t l)
{
	const hy_sched__engine_lane *lane = &options->lanes[l];
	hy_sched__dispatch_lane one = lane->told;
	uint64_t all = 0, most = 0;
	for (uint32_t s = 0; s < lane->stage_count; s++) {
		uint64_t load = 0;
		for (uint32_t t = 0; t < lane->stage_count; t++)
			if (lane->stages[t].device == lane->stages[s].device) load += lane->stages[t].work_ns;
		if (load > most) most = load;
		all += lane->stages[s].work_ns;
		one.absent |= options->devices[lane->stages[s].device].absent;
	}
	if (one.item_ns > 0) return one;
	one.item_ns = (uint64_t)((double)most *
	                         exp(options->calibration_error * normal(options->seed, UINT64_MAX - l)));
	one.bottleneck = all > 0 ? (double)most / (double)all : 1;
	return one;
}

static uint32_t room_of(const hy_sched__engine_options *options, const hy_sched__dispatch_lane *lanes)
{
	if (options->room > 0) return options->room;
	if (options->load.count > 0) return options->load.count < MOST_ROOM ? (uint32_t)options->load.count : MOST_ROOM;
	uint64_t *item_ns = calloc(options->lane_count, sizeof(*item_ns));
	if (item_ns == NULL) return 64;
	uint32_t depth = 2;
	for (uint32_t l = 0; l < options->lane_count; l++) {
		item_ns[l] = lanes[l].item_ns > 0 ? lanes[l].item_ns : 1;
		if (lanes[l].depth > depth) depth = lanes[l].depth;
		if (lanes[l].most > depth) depth = lanes[l].most;
	}
	const uint32_t window = hy_sched__window_of(options->lane_count, item_ns, depth);
	free(item_ns);
	return window;
}

static hy_status make(engine *e, hy_error *error)
{
	const hy_sched__engine_options *options = e->options;
	hy_sched__dispatch_lane *lanes = calloc(options->lane_count + 1, sizeof(*lanes));
	if (lanes == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for %u lanes", options->lane_count);
	for (uint32_t l = 0; l < options->lane_count; l++)
		lanes[l] = told(options, l);
	const hy_sched__dispatch_options dispatch = {.room = room_of(options, lanes),
	                                             .lane_count = options->lane_count,
	                                             .flags = options->flags,
	                                             .lanes = lanes,
	                                             .patience_ns = options->patience_ns};
	hy_status status = hy_sched__dispatch_create(&dispatch, &e->dispatch, error);
	for (uint32_t l = 0; l < options->lane_count; l++) {
		const uint32_t depth = lanes[l].depth > 0 ? lanes[l].depth : 2;
		e->travel_count += lanes[l].most > depth ? lanes[l].most : depth;
	}
	free(lanes);
	if (status != HY_OK) return status;
	e->devices = calloc(options->device_count + 1, sizeof(*e->devices));
	e->channel_free_ns = calloc(options->channel_count + 1, sizeof(*e->channel_free_ns));
	e->channel_used_ns = calloc(options->channel_count + 1, sizeof(*e->channel_used_ns));
	e->travels = calloc(e->travel_count, sizeof(*e->travels));
	e->asked_at = calloc(options->lane_count, sizeof(*e->asked_at));
	e->turn = options->lane_count;
	e->taken = calloc(e->travel_count, sizeof(*e->taken));
	e->arrived_ns = calloc(dispatch.room, sizeof(*e->arrived_ns));
	if (e->devices == NULL || e->channel_free_ns == NULL || e->channel_used_ns == NULL || e->travels == NULL ||
	    e->taken == NULL || e->asked_at == NULL || e->arrived_ns == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a simulation of %u devices",
		                    options->device_count);
	for (uint32_t d = 0; d < options->device_count; d++)
		e->devices[d] = (device_slot){
			.speed = 1, .up = !options->devices[d].absent, .running = NONE, .first = NONE, .last = NONE};
	return HY_OK;
}

static hy_status check(const hy_sched__engine_options *options, hy_error *error)
{
	const hy_sched__engine_load *load = &options->load;
	if (options->lane_count == 0 || (load->count == 0 && load->duration_ns == 0))
		return hy_error_set(error, HY_INVALID, "a simulation needs a lane, and a count or a duration");
	for (uint32_t l = 0; l < options->lane_count; l++)
		for (uint32_t s = 0; s < options->lanes[l].stage_count; s++)
			if (options->lanes[l].stages[s].device >= options->device_count)
				return hy_error_set(error, HY_INVALID, "lane %u goes through device %u of %u", l,
				                    options->lanes[l].stages[s].device, options->device_count);
	for (uint32_t i = 0; i < options->script_count; i++)
		if (options->script[i].device >= options->device_count || !(options->script[i].factor >= 0))
			return hy_error_set(error, HY_INVALID, "line %u of the script: no such device or speed", i + 1);
	return HY_OK;
}

hy_status hy_sched__engine_run(const hy_sched__engine_options *options, hy_sched__engine_result *out_result,
                               hy_error *error)
{
	engine e = {.options = options};
	hy_sched__engine_result result = {0};
	hy_status status = check(options, error);
	if (status == HY_OK) status = make(&e, error);
	if (status == HY_OK) {
		run(&e);
		/* Availability counts until the last result, not until the last timer. */
		for (uint32_t d = 0; d < options->device_count; d++)
			hy_sched__engine_device_account(&e, d);
		status = hy_sched__engine_result_fill(&e, &result, error);
	}
	hy_sched__dispatch_destroy(e.dispatch);
	free(e.devices);
	free(e.channel_free_ns);
	free(e.channel_used_ns);
	free(e.travels);
	free(e.taken);
	free(e.asked_at);
	free(e.arrived_ns);
	free(e.latencies);
	free(e.events);
	if (status == HY_OK)
		*out_result = result;
	else
		hy_sched__engine_result_finish(&result);
	return status;
}
