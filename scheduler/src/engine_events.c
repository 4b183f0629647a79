/* What happens next in virtual time: a heap ordered by time, then by order of making. */
#include "engine_state.h"

#include <stdlib.h>

static bool before(const event_slot *a, const event_slot *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void hy_sched__engine_events_add(engine *e, uint64_t at_ns, event_kind kind, uint32_t which, uint32_t version)
{
	if (e->event_count == e->event_room) {
		const uint32_t room = e->event_room * 2 + 64;
		event_slot *more = realloc(e->events, room * sizeof(*more));
		if (more == NULL) {
			e->no_memory = true;
			return;
		}
		e->events = more;
		e->event_room = room;
	}
	const event_slot new = {
		.at_ns = at_ns, .order = e->event_order++, .which = which, .version = version, .kind = kind};
	uint32_t place = e->event_count++;
	while (place > 0 && before(&new, &e->events[(place - 1) / 2])) {
		e->events[place] = e->events[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	e->events[place] = new;
}

bool hy_sched__engine_events_pop(engine *e, event_slot *out_event)
{
	if (e->event_count == 0) return false;
	*out_event = e->events[0];
	const event_slot last = e->events[--e->event_count];
	uint32_t place = 0;
	for (;;) {
		uint32_t child = 2 * place + 1;
		if (child >= e->event_count) break;
		if (child + 1 < e->event_count && before(&e->events[child + 1], &e->events[child])) child++;
		if (!before(&e->events[child], &last)) break;
		e->events[place] = e->events[child];
		place = child;
	}
	e->events[place] = last;
	return true;
}
