/* The plan's notes: refusals, copies, fallbacks, and what else a person should know. */
#ifndef HY_SCHED_NOTES_H
#define HY_SCHED_NOTES_H

#include "plan.h"

/* Adds a note; device may be NULL. device is lent by the plan. */
hy_status hy_sched__note(hy_sched_plan *plan, uint32_t node, const char *device, hy_reason reason, hy_error *error,
                         const char *format, ...) HY_PRINTF(6, 7);
void hy_sched__notes_finish(hy_sched_plan *plan);

/* "operator not implemented"; never NULL. */
const char *hy_sched__reason_text(hy_reason reason);
const char *hy_sched__reason_name(hy_reason reason);

#endif
