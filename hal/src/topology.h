/* What this process may use of the machine; with topology_map.c the only user of hwloc. */
#ifndef HY_HAL_TOPOLOGY_H
#define HY_HAL_TOPOLOGY_H

#include "log.h"

#include <pthread.h>

struct hwloc_topology;

/* Asked lazily, since looking at a large machine takes tens of milliseconds. */
typedef struct hy_hal__topology {
	const hy_hal__log *log;
	const char *root; /* what stands before /proc and /sys; "" but in tests */
	pthread_mutex_t lock; /* guards all below */
	bool is_known;
	struct hwloc_topology *hwloc; /* NULL when it could not be loaded */
	char *cpu_model;
	uint32_t *allowed;
	hy_hal_topology_info info;
} hy_hal__topology;

void hy_hal__topology_init(hy_hal__topology *topology, const hy_hal__log *log);
void hy_hal__topology_finish(hy_hal__topology *topology);

#endif
