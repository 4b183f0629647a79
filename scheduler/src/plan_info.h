/* What a plan says about itself. */
#ifndef HY_SCHED_PLAN_INFO_H
#define HY_SCHED_PLAN_INFO_H

#include "plan.h"

/* Fills plan->info and plan->shown from the chosen candidate. bound_ns is there already. */
hy_status hy_sched__plan_info_fill(hy_sched_plan *plan, hy_error *error);

/* Time of a part for one request: as measured, or predicted from its nodes and copies. */
uint64_t hy_sched__plan_info_part_ns(const hy_sched_plan *plan, const hy_sched__part *part);

#endif
