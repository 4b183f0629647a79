/* Step 0: the devices of a plan: selected, with cores of their own, and opened. */
#ifndef HY_SCHED_DEVICES_H
#define HY_SCHED_DEVICES_H

#include "plan.h"

/* Fills plan->devices from the selector; the machine is lent. Divides the host's cores among devices that compute on
 * them and did not ask for certain ones. */
hy_status hy_sched__devices_select(hy_sched_plan *plan, const char *selector, hy_error *error);
/* Opens what is not open yet and asks for its memory. */
hy_status hy_sched__devices_open(hy_sched_plan *plan, uint32_t device, hy_error *error);
/* Takes a device out; all are closed then, and the cores divided anew. */
hy_status hy_sched__devices_drop(hy_sched_plan *plan, uint32_t device, hy_error *error);
/* Notes who computes on which cores. */
hy_status hy_sched__devices_note(hy_sched_plan *plan, hy_error *error);
void hy_sched__devices_finish(hy_sched_plan *plan);

/* Whether the device takes host memory as bindings. */
bool hy_sched__device_binds_host(const hy_sched__device *device);

#endif
