/* Whether a plan is one. */
#ifndef HY_SCHED_PLAN_CHECK_H
#define HY_SCHED_PLAN_CHECK_H

#include "plan.h"

/* Every lane runs all nodes once and in order on devices that said yes; no prediction beats the bound; shares sum to
 * one. Fails: INTERNAL, naming the first rule that is broken. */
hy_status hy_sched__plan_check(const hy_sched_plan *plan, hy_error *error);

/* The same for one lane: INVALID. */
hy_status hy_sched__plan_check_lane(const hy_sched_plan *plan, const hy_sched__lane *lane, hy_error *error);

#endif
