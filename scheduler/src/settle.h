/* Knowing the cost of a part: from the file, or by compiling and measuring. */
#ifndef HY_SCHED_SETTLE_H
#define HY_SCHED_SETTLE_H

#include "cost.h"
#include "plan.h"

/* Places the part of each of the lane's segments and makes their costs known. Fails as compiling and running do. */
hy_status hy_sched__settle_lane(hy_sched_plan *plan, hy_sched__cost_file *costs, hy_sched__lane *lane, hy_error *error);
hy_status hy_sched__settle_link(hy_sched_plan *plan, hy_sched__cost_file *costs, uint32_t device, hy_error *error);

#endif
