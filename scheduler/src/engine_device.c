/* Devices and links in virtual time. A device works on one stage at a time, at the speed that it has at each moment;
 * what it can't work on yet waits in its queue. */
#include "engine_state.h"

static const hy_sched__engine_stage *stage_of(const engine *e, const travel_slot *travel)
{
	return &e->options->lanes[travel->lane].stages[travel->stage];
}

void hy_sched__engine_device_trace(engine *e, hy_sched__trace_kind kind, uint32_t d, const travel_slot *travel,
                                   uint64_t begin_ns, uint64_t predicted_ns)
{
	if (e->options->trace == NULL) return;
	hy_sched__trace_add(
		e->options->trace,
		&(hy_sched__trace_event){.begin_ns = begin_ns,
	                                 .end_ns = e->now_ns,
	                                 .predicted_ns = predicted_ns,
	                                 .request = travel != NULL ? travel->sequence : HY_SCHED__TRACE_NO_REQUEST,
	                                 .device = d == NONE ? HY_SCHED__TRACE_NONE : d,
	                                 .stage = travel != NULL ? travel->stage : HY_SCHED__TRACE_NONE,
	                                 .kind = kind});
}

/* When a transfer that could begin at from_ns is over; takes its channels. */
static uint64_t moved_at(engine *e, const hy_sched__engine_move *move, uint64_t from_ns)
{
	uint64_t end_ns = from_ns;
	for (uint32_t i = 0; i < move->channel_count; i++) {
		uint64_t *free_ns = &e->channel_free_ns[move->channels[i]];
		if (*free_ns > from_ns) from_ns = *free_ns;
		*free_ns = from_ns + move->holds_ns[i];
		if (*free_ns > end_ns) end_ns = *free_ns;
		e->channel_used_ns[move->channels[i]] += move->holds_ns[i];
	}
	return end_ns + move->latency_ns;
}

void hy_sched__engine_device_account(engine *e, uint32_t d)
{
	device_slot *device = &e->devices[d];
	const double passed = device->up && !device->hung ? (double)(e->now_ns - device->updated_ns) * device->speed
	                                                  : 0;
	device->available_ns += passed;
	if (device->running != NONE) device->left_ns -= passed;
	device->updated_ns = e->now_ns;
}

static void expect_end(engine *e, uint32_t d)
{
	device_slot *device = &e->devices[d];
	device->version++;
	if (device->running == NONE || !device->up || device->hung || !(device->speed > 0)) return;
	const double ns = device->left_ns > 0 ? device->left_ns / device->speed : 0;
	hy_sched__engine_events_add(e, e->now_ns + (uint64_t)(ns + 0.5), EVENT_STAGE_DONE, d, device->version);
}

static void begin(engine *e, uint32_t d, uint32_t attempt)
{
	device_slot *device = &e->devices[d];
	travel_slot *travel = &e->travels[attempt];
	hy_sched__engine_device_account(e, d);
	device->running = attempt;
	device->left_ns = (double)stage_of(e, travel)->work_ns * travel->factor;
	travel->waits = false;
	travel->begun_ns = e->now_ns;
	if (travel->stage == 0) hy_sched__dispatch_begun(e->dispatch, e->now_ns, attempt);
	if (e->now_ns > travel->queued_ns)
		hy_sched__engine_device_trace(e, HY_SCHED__TRACE_QUEUE, d, travel, travel->queued_ns, 0);
	expect_end(e, d);
}

static void begin_next(engine *e, uint32_t d)
{
	device_slot *device = &e->devices[d];
	if (device->running != NONE || device->first == NONE) return;
	const uint32_t attempt = device->first;
	device->first = e->travels[attempt].next;
	if (device->first == NONE) device->last = NONE;
	begin(e, d, attempt);
}

void hy_sched__engine_device_arrived(engine *e, uint32_t attempt)
{
	travel_slot *travel = &e->travels[attempt];
	const uint32_t d = stage_of(e, travel)->device;
	device_slot *device = &e->devices[d];
	travel->queued_ns = e->now_ns;
	travel->waits = true;
	travel->next = NONE;
	if (device->last == NONE)
		device->first = attempt;
	else
		e->travels[device->last].next = attempt;
	device->last = attempt;
	begin_next(e, d);
}

static void bring(engine *e, uint32_t attempt, uint64_t overhead_ns)
{
	travel_slot *travel = &e->travels[attempt];
	const uint64_t at_ns = moved_at(e, &stage_of(e, travel)->before, e->now_ns + overhead_ns);
	if (at_ns > e->now_ns)
		hy_sched__engine_events_add(e, at_ns, EVENT_AT_DEVICE, attempt, travel->version);
	else
		hy_sched__engine_device_arrived(e, attempt);
}

void hy_sched__engine_device_start(engine *e, uint32_t attempt, uint64_t overhead_ns)
{
	bring(e, attempt, overhead_ns);
}

uint32_t hy_sched__engine_device_ended(engine *e, uint32_t d)
{
	device_slot *device = &e->devices[d];
	const uint32_t attempt = device->running;
	travel_slot *travel = &e->travels[attempt];
	hy_sched__engine_device_account(e, d);
	device->running = NONE;
	travel->work_ns += e->now_ns - travel->begun_ns;
	hy_sched__engine_device_trace(e, HY_SCHED__TRACE_EXEC, d, travel, travel->begun_ns,
	                              stage_of(e, travel)->work_ns);
	begin_next(e, d);
	return attempt;
}

void hy_sched__engine_device_next(engine *e, uint32_t attempt)
{
	travel_slot *travel = &e->travels[attempt];
	const hy_sched__engine_lane *lane = &e->options->lanes[travel->lane];
	if (travel->stage + 1 < lane->stage_count) {
		travel->stage++;
		bring(e, attempt, 0);
		return;
	}
	hy_sched__engine_events_add(e, moved_at(e, &lane->after, e->now_ns), EVENT_COMPLETE, attempt, travel->version);
}

void hy_sched__engine_device_change(engine *e, uint32_t d, double speed, bool up, bool hung)
{
	device_slot *device = &e->devices[d];
	hy_sched__engine_device_account(e, d);
	device->speed = speed;
	device->up = up;
	device->hung = hung;
	expect_end(e, d);
}

void hy_sched__engine_device_drop(engine *e, uint32_t attempt)
{
	travel_slot *travel = &e->travels[attempt];
	const uint32_t d = stage_of(e, travel)->device;
	device_slot *device = &e->devices[d];
	travel->used = false;
	travel->version++;
	if (device->running == attempt) {
		hy_sched__engine_device_account(e, d);
		const double work = (double)stage_of(e, travel)->work_ns * travel->factor;
		if (work > device->left_ns) device->wasted_ns += work - device->left_ns;
		device->running = NONE;
		device->version++;
		begin_next(e, d);
		return;
	}
	if (!travel->waits) return;
	travel->waits = false;
	uint32_t before = NONE;
	for (uint32_t a = device->first; a != attempt; a = e->travels[a].next)
		before = a;
	if (before == NONE)
		device->first = travel->next;
	else
		e->travels[before].next = travel->next;
	if (device->last == attempt) device->last = before;
}

void hy_sched__engine_device_credit(engine *e, uint32_t attempt, bool counted)
{
	const travel_slot *travel = &e->travels[attempt];
	const hy_sched__engine_lane *lane = &e->options->lanes[travel->lane];
	for (uint32_t s = 0; s < lane->stage_count; s++) {
		device_slot *device = &e->devices[lane->stages[s].device];
		const double work = (double)lane->stages[s].work_ns * travel->factor;
		if (counted) {
			device->useful_ns += work;
			device->items++;
		} else {
			device->wasted_ns += work;
		}
	}
}
