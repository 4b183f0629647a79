/* The tail rule, exact for equal requests: giving each request to the lane that would finish it first gives the least
 * finish of all (list scheduling on uniform machines). In that order lane `self` gets one of the waiting requests
 * exactly when the others, before self would finish its first, finish fewer than there are. A slow lane leaves itself a
 * margin, since one late request of its own costs all others that time; the fastest has none, so that one always takes. */
#include "tail.h"

#define MOST 4096u
/* Short requests: a millisecond of them, so that submitter and worker need not wake each other for each. */
#define WHILE_NS 1000000u
#define LEAST 4u
#define LEAST_SHORT 64u

bool hy_sched__tail_takes(uint32_t lane_count, const hy_sched__tail_lane *lanes, uint32_t self, uint64_t waiting)
{
	uint64_t fastest = lanes[self].item_ns, others = 0;
	for (uint32_t i = 0; i < lane_count; i++)
		if (lanes[i].item_ns < fastest) fastest = lanes[i].item_ns;
	const uint64_t margin = (lanes[self].item_ns - fastest) / 4;
	const uint64_t finish = lanes[self].free_ns + lanes[self].item_ns + margin;
	for (uint32_t i = 0; i < lane_count && others < waiting; i++)
		if (i != self && finish > lanes[i].free_ns + 1)
			others += (finish - 1 - lanes[i].free_ns) / lanes[i].item_ns;
	return others < waiting;
}

uint32_t hy_sched__tail_window(uint32_t lane_count, const hy_sched__tail_lane *lanes, uint32_t depth)
{
	uint64_t slowest = 0, window = 0, in_a_while = 0;
	for (uint32_t i = 0; i < lane_count; i++)
		if (lanes[i].item_ns > slowest) slowest = lanes[i].item_ns;
	for (uint32_t i = 0; i < lane_count && window < MOST; i++) {
		window += (depth + 1) * ((slowest + lanes[i].item_ns - 1) / lanes[i].item_ns);
		in_a_while += WHILE_NS / lanes[i].item_ns;
	}
	const uint64_t least = in_a_while < LEAST ? LEAST : in_a_while > LEAST_SHORT ? LEAST_SHORT : in_a_while;
	if (window < least) window = least;
	return window < MOST ? (uint32_t)window : MOST;
}
