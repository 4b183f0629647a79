/* How many requests a stream keeps in hand. */
#include "window.h"

#define MOST 4096u
/* Short requests: a millisecond of them, so that submitter and worker need not wake each other for each. */
#define WHILE_NS 1000000u
#define LEAST 4u
#define LEAST_SHORT 64u

uint32_t hy_sched__window_of(uint32_t lane_count, const uint64_t *item_ns, uint32_t depth)
{
	uint64_t slowest = 0, window = 0, in_a_while = 0;
	for (uint32_t i = 0; i < lane_count; i++)
		if (item_ns[i] > slowest) slowest = item_ns[i];
	for (uint32_t i = 0; i < lane_count && window < MOST; i++) {
		window += (depth + 1) * ((slowest + item_ns[i] - 1) / item_ns[i]);
		in_a_while += WHILE_NS / item_ns[i];
	}
	const uint64_t least = in_a_while < LEAST ? LEAST : in_a_while > LEAST_SHORT ? LEAST_SHORT : in_a_while;
	if (window < least) window = least;
	return window < MOST ? (uint32_t)window : MOST;
}
