/* Step 5: the ways a model can run, each with its predicted time. Plain arrays in and out. */
#ifndef HY_SCHED_CANDIDATES_H
#define HY_SCHED_CANDIDATES_H

#include "plan.h"

/* What is known about devices and nodes. Arrays are lent. */
typedef struct hy_sched__problem {
	hy_sched_objective objective;
	uint32_t device_count, node_count, depth;
	const uint64_t *const *node_ns; /* per device and node; HY_SCHED__NEVER: it can't */
	const hy_sched__link *to, *from; /* per device */
	const bool *staged; /* per device: inputs and outputs are copied */
	const uint64_t *capacity_bytes; /* per device; 0: unknown */
	const hy_sched__lane *singles; /* per device; no segments when it can't run the model or lacks memory */
	const hy_sched__footprint *before,
		*behind; /* per border k in 0..node_count: of the nodes before it, and from it on */
} hy_sched__problem;

/* Adds what a lane's segments need of each device for one request, copies included, to load_ns (per device), and
 * answers the sum: the time of one request alone. borders: per segment. */
uint64_t hy_sched__candidates_load(const hy_sched__problem *problem, const hy_sched__lane *lane,
                                   const hy_sched__footprint *borders, uint64_t *load_ns);

/* How fast lanes run together when each device works all the time: sets rate of each lane and answers the time between
 * requests. loads_ns: per lane, device_count times. Fast lanes are served first where lanes share a device. */
uint64_t hy_sched__candidates_together(uint32_t lane_count, hy_sched__lane *lanes, uint32_t device_count,
                                       const uint64_t *loads_ns);

/* The best border between nodes for devices `first` and `second` within their memory, or `border` when that is not 0.
 * Answers the objective's time, HY_SCHED__NEVER when there is none. */
uint64_t hy_sched__candidates_cut(const hy_sched__problem *problem, uint32_t first, uint32_t second, uint32_t border,
                                  uint32_t *out_border);

#endif
