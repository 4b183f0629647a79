/* Moving the borders between devices of a pipeline whose devices are not as fast as was planned. */
#ifndef HY_SCHED_REBALANCE_H
#define HY_SCHED_REBALANCE_H

#include <halyard/status.h>

#include <stdint.h>

/* Stages in their order, each on a device that keeps its place; nodes in theirs. Arrays are lent. */
typedef struct hy_sched__rebalance_problem {
	uint32_t stage_count, node_count;
	const double *const *node_ns; /* per stage and node; INFINITY: its device can't run the node */
	const double *const
		*enter_ns; /* per stage and border 0..node_count: of bringing values over it to the device */
	const double *const *leave_ns; /* and away from it */
} hy_sched__rebalance_problem;

/* The borders (stage_count + 1 of them, the first 0) that make the slowest stage fastest, with a node in each; its time,
 * or INFINITY when there are none. Fails: NO_MEMORY. */
hy_status hy_sched__rebalance(const hy_sched__rebalance_problem *problem, uint32_t *out_borders, double *out_ns,
                              hy_error *error);

#endif
