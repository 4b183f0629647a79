/* Which processing units a device computes on, and what the machine says about them. */
#ifndef HY_CPU_CORES_H
#define HY_CPU_CORES_H

#include <halyard/status.h>

#include <sched.h>

typedef struct hy_cpu_cores {
	cpu_set_t set;
	uint32_t unit_count; /* processing units in the set */
	uint32_t core_count; /* physical cores they belong to */
	uint32_t thread_count; /* compute threads: one per core, less under a cgroup's cpu.max, or as asked */
} hy_cpu_cores;

/* All units this process may run on. */
void hy_cpu_cores_allowed(hy_cpu_cores *out_cores);

/* The units of a list such as "0-1,3" (OS numbers). INVALID: no list, empty, or a unit this process may not use. */
hy_status hy_cpu_cores_parse(const char *list, hy_cpu_cores *out_cores, hy_error *error);

/* "AMD EPYC 9B45", from /proc/cpuinfo, or "CPU". */
void hy_cpu_cores_model(char *text, size_t length);

/* The memory node all units of the set belong to, or UINT32_MAX. */
uint32_t hy_cpu_cores_numa(const hy_cpu_cores *cores);

/* Bytes of memory this process may use, and that are free now: the machine's, or the cgroup's when lower. */
void hy_cpu_memory(uint64_t *out_total, uint64_t *out_free);

#endif
