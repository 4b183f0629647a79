/* What no plan can beat. */
#ifndef HY_SCHED_BOUND_H
#define HY_SCHED_BOUND_H

#include "plan.h"

/* Least time between answers, all devices together. node_ns: device_count rows of node_count times, HY_SCHED__NEVER
 * where a device can't. HY_SCHED__NEVER when a node runs nowhere. */
uint64_t hy_sched__bound_throughput(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns);
/* Least time of one answer when nodes run one after another: each where it is fastest, copies free. */
uint64_t hy_sched__bound_latency(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns);

#endif
