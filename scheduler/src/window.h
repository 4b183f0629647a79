/* How many requests a stream keeps in hand. */
#ifndef HY_SCHED_WINDOW_H
#define HY_SCHED_WINDOW_H

#include <stdint.h>

/* So many over lanes with these times of one request (above 0), that the slowest lane's tail rule is never the reason of
 * an idle lane: what all others do while the slowest does `depth` and one more. At least 4, or up to 64 short ones; at
 * most 4096. */
uint32_t hy_sched__window_of(uint32_t lane_count, const uint64_t *item_ns, uint32_t depth);

#endif
