/* Who takes the next request. */
#ifndef HY_SCHED_TAIL_H
#define HY_SCHED_TAIL_H

#include <stdbool.h>
#include <stdint.h>

/* A lane as the rule sees it: when it is free (from now), and its time of one request. */
typedef struct hy_sched__tail_lane {
	uint64_t free_ns, item_ns; /* item_ns > 0 */
} hy_sched__tail_lane;

/* Whether lane `self` should take one of `waiting` requests: false when the others would have finished all of them
 * before self had finished one. */
bool hy_sched__tail_takes(uint32_t lane_count, const hy_sched__tail_lane *lanes, uint32_t self, uint64_t waiting);

/* How many requests a stream over these lanes should keep in hand, so that the slowest lane's rule is never the reason
 * of an idle lane: what all others do while the slowest does `depth` and one more. At least 4, or up to 64 short ones;
 * at most 4096. */
uint32_t hy_sched__tail_window(uint32_t lane_count, const hy_sched__tail_lane *lanes, uint32_t depth);

#endif
