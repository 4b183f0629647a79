/* Step 4: what a part costs on its device, and what a byte costs on the way there. */
#ifndef HY_SCHED_MEASURE_H
#define HY_SCHED_MEASURE_H

#include "plan.h"

/* Runs a compiled part: two warm-ups, then at least seven times and for budget_ns; slow ones for five budgets at most.
 * Copies of inputs and outputs are inside the time. Fills the part's median, spread, samples and times per node. */
hy_status hy_sched__measure_part(hy_sched_plan *plan, uint32_t part, uint64_t budget_ns, hy_error *error);

/* Small numbers between 0 and 1 for floats, 0 for the rest: an integer may be an index. */
void hy_sched__measure_fill(const hy_ir_type *type, void *data);

/* Copies of 4 KiB to 4 MiB between the host and the device, smaller ones where its memory is small. */
hy_status hy_sched__measure_link(hy_sched__device *device, hy_error *error);

#endif
