/* Step 0: which cores of the host each device computes on. */
#ifndef HY_SCHED_CORES_H
#define HY_SCHED_CORES_H

#include "plan.h"

/* Reads "0-3,8" into numbers. out_cores: room for `room`; NULL to count only. Answers how many there are, 0 for text
 * that is no such list. */
uint32_t hy_sched__cores_parse(const char *text, uint32_t room, uint32_t *out_cores);
/* The shortest list of that kind for `count` rising numbers. The text is the caller's, free(); NULL without memory. */
char *hy_sched__cores_print(uint32_t count, const uint32_t *cores);

/* Share `index` of `shares` equal ones of the cores, the first ones larger; with fewer cores than shares, one core that
 * several have. Answers its first position in cores; *out_count is its length. */
uint32_t hy_sched__cores_share(uint32_t core_count, uint32_t shares, uint32_t index, uint32_t *out_count);

#endif
