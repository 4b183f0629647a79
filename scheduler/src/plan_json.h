/* The plan for programs. */
#ifndef HY_SCHED_PLAN_JSON_H
#define HY_SCHED_PLAN_JSON_H

#include "plan.h"

/* Schema halyard.plan/v1 (scheduler/schema). The text is the caller's, free(). */
hy_status hy_sched__plan_json(const hy_sched_plan *plan, char **out_text, hy_error *error);

/* "single", "replicas", ... */
const char *hy_sched__strategy_name(hy_sched_strategy strategy);
const char *hy_sched__objective_name(hy_sched_objective objective);

#endif
