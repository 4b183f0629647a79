/* What a plan says about itself. */
#ifndef HY_SCHED_PLAN_INFO_H
#define HY_SCHED_PLAN_INFO_H

#include "plan.h"

/* Fills plan->info and plan->shown from the chosen candidate. bound_ns is there already. */
hy_status hy_sched__plan_info_fill(hy_sched_plan *plan, hy_error *error);

#endif
