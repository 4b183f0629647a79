/* Steps 5 and 6: make candidates, measure what the best one still needs, choose. */
#ifndef HY_SCHED_CHOOSE_H
#define HY_SCHED_CHOOSE_H

#include "cost.h"
#include "plan.h"

/* Takes a plan whose devices have verdicts, node times and single lanes; fills candidates, chosen and the bound.
 * shortfall: a line about memory for the failure when nothing fits, or "". */
hy_status hy_sched__choose(hy_sched_plan *plan, hy_sched__cost_file *costs, const char *shortfall, hy_error *error);

void hy_sched__lane_finish(hy_sched__lane *lane);
void hy_sched__candidate_finish(hy_sched__candidate *candidate);

#endif
