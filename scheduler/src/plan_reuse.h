/* A plan that was made before, as a contract: the same model on the same devices, and no more memory. */
#ifndef HY_SCHED_PLAN_REUSE_H
#define HY_SCHED_PLAN_REUSE_H

#include "plan.h"

typedef struct hy_sched__reuse hy_sched__reuse;

/* Reads the contract of a plan's JSON (schema halyard.plan/v1). *out_selector, the reuse's, selects its devices.
 * Fails: INVALID, saying what is wrong where. */
hy_status hy_sched__reuse_create(const char *text, hy_sched__reuse **out_reuse, const char **out_selector,
                                 hy_error *error);
void hy_sched__reuse_destroy(hy_sched__reuse *reuse);
/* Makes its lanes the plan's only candidate, and compiles them. Devices are open and have verdicts. Fails:
 * INCOMPATIBLE another model, or a device is another than it was. */
hy_status hy_sched__reuse_apply(const hy_sched__reuse *reuse, hy_sched_plan *plan, hy_error *error);
/* Once plan->info is filled. Fails: NO_MEMORY a device needs more than the contract allows. */
hy_status hy_sched__reuse_check(const hy_sched__reuse *reuse, const hy_sched_plan *plan, hy_error *error);

#endif
