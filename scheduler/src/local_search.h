/* Makes a placement better by changing it at random and keeping what helps. */
#ifndef HY_SCHED_LOCAL_SEARCH_H
#define HY_SCHED_LOCAL_SEARCH_H

#include "task_graph.h"

typedef struct hy_sched__search_options {
	uint64_t budget_ns; /* of wall time; 0: none, steps alone limit it, and the result depends on the seed only */
	uint64_t most_steps; /* 0: no limit; one of the two is needed */
	double bound_ns; /* stops there: nothing is better */
	uint32_t seed;
} hy_sched__search_options;

/* Improves placement, which is complete; it never gets worse. *out_steps, when not NULL, is the number of placements
 * tried. */
hy_status hy_sched__local_search(const hy_sched__task_graph *graph, const hy_sched__search_options *options,
                                 hy_sched__placement *placement, uint64_t *out_steps, hy_error *error);

#endif
