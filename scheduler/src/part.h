/* A run of nodes as a program of a device. */
#ifndef HY_SCHED_PART_H
#define HY_SCHED_PART_H

#include "plan.h"

/* Adds the part of that segment to the plan, or finds it. */
hy_status hy_sched__part_place(hy_sched_plan *plan, const hy_sched__segment *segment, uint32_t *out_part,
                               hy_error *error);
/* Compiles it on its device, which is open, if that was not done. */
hy_status hy_sched__part_compile(hy_sched_plan *plan, uint32_t part, hy_error *error);
void hy_sched__part_finish(hy_sched__part *part);

#endif
