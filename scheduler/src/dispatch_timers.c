/* What is due when: a binary heap of times, one place per key. */
#include "dispatch_state.h"

#include <stdlib.h>

hy_status hy_sched__dispatch_timers_init(timer_heap *timers, uint32_t key_count, hy_error *error)
{
	timers->key_count = key_count;
	timers->keys = malloc(key_count * sizeof(*timers->keys));
	timers->at = malloc(key_count * sizeof(*timers->at));
	timers->times = malloc(key_count * sizeof(*timers->times));
	if (timers->keys == NULL || timers->at == NULL || timers->times == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for %u timers", key_count);
	for (uint32_t k = 0; k < key_count; k++) {
		timers->at[k] = NONE;
		timers->times[k] = NEVER;
	}
	return HY_OK;
}

void hy_sched__dispatch_timers_finish(timer_heap *timers)
{
	free(timers->keys);
	free(timers->at);
	free(timers->times);
}

static void put(timer_heap *timers, uint32_t place, uint32_t key)
{
	timers->keys[place] = key;
	timers->at[key] = place;
}

static void rise(timer_heap *timers, uint32_t place, uint32_t key)
{
	while (place > 0 && timers->times[timers->keys[(place - 1) / 2]] > timers->times[key]) {
		put(timers, place, timers->keys[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(timers, place, key);
}

static void sink(timer_heap *timers, uint32_t place, uint32_t key)
{
	for (;;) {
		uint32_t child = 2 * place + 1;
		if (child >= timers->count) break;
		if (child + 1 < timers->count &&
		    timers->times[timers->keys[child + 1]] < timers->times[timers->keys[child]])
			child++;
		if (timers->times[timers->keys[child]] >= timers->times[key]) break;
		put(timers, place, timers->keys[child]);
		place = child;
	}
	put(timers, place, key);
}

static void take_out(timer_heap *timers, uint32_t place)
{
	timers->at[timers->keys[place]] = NONE;
	const uint32_t last = timers->keys[--timers->count];
	if (place == timers->count) return;
	if (place > 0 && timers->times[timers->keys[(place - 1) / 2]] > timers->times[last])
		rise(timers, place, last);
	else
		sink(timers, place, last);
}

void hy_sched__dispatch_timers_set(timer_heap *timers, uint32_t key, uint64_t time_ns)
{
	if (timers->at[key] != NONE) take_out(timers, timers->at[key]);
	timers->times[key] = time_ns;
	if (time_ns != NEVER) rise(timers, timers->count++, key);
}

uint32_t hy_sched__dispatch_timers_pop(timer_heap *timers, uint64_t now_ns)
{
	if (timers->count == 0 || timers->times[timers->keys[0]] > now_ns) return NONE;
	const uint32_t key = timers->keys[0];
	hy_sched__dispatch_timers_set(timers, key, NEVER);
	return key;
}

bool hy_sched__dispatch_timers_ok(const timer_heap *timers)
{
	for (uint32_t i = 0; i < timers->count; i++) {
		if (timers->at[timers->keys[i]] != i) return false;
		if (i > 0 && timers->times[timers->keys[(i - 1) / 2]] > timers->times[timers->keys[i]]) return false;
	}
	return true;
}
