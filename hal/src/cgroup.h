/* What the control groups of this process allow. */
#ifndef HY_HAL_CGROUP_H
#define HY_HAL_CGROUP_H

#include <stdint.h>

typedef struct hy_hal__cgroup {
	double cpu_quota; /* cores' worth of time; 0: no limit */
	uint64_t memory_bytes; /* UINT64_MAX: no limit */
} hy_hal__cgroup;

/* root: what stands before /proc/self/cgroup and /sys/fs/cgroup; "" but in tests. Never fails: what can't be read does
 * not limit. */
void hy_hal__cgroup_read(const char *root, hy_hal__cgroup *out_cgroup);

#endif
