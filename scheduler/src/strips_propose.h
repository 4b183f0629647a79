/* Step 5 and 6 for one request in strips: the candidate, and what it really takes. */
#ifndef HY_SCHED_STRIPS_PROPOSE_H
#define HY_SCHED_STRIPS_PROPOSE_H

#include "strips.h"

/* Strips for the plan's devices: NULL, with a note that says why, when none are predicted faster than best_ns and the plan
 * did not ask for them. */
hy_status hy_sched__strips_propose(hy_sched_plan *plan, uint64_t best_ns, hy_sched__strips **out_strips,
                                   hy_error *error);

/* Loads the strips and answers the median time of a request. */
hy_status hy_sched__strips_measure(hy_sched__strips *strips, hy_sched_plan *plan, uint64_t *out_ns, hy_error *error);

/* The lowest time that nodes split over all devices could take. */
uint64_t hy_sched__strips_bound(const hy_sched_plan *plan);

#endif
