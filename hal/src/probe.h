/* Probing: each plugin is tried in a process of its own before this process loads it. */
#ifndef HY_HAL_PROBE_H
#define HY_HAL_PROBE_H

#include "manifest.h"

#define HY_HAL__PROBE_FD 3 /* where the probing program writes its records */
#define HY_HAL__PROBE_RECORD_BYTES 600u

/* What the probing program writes: this head, then length bytes of text without NUL. */
enum { HY_HAL__PROBE_STAGE = 1, HY_HAL__PROBE_EXPORT = 2, HY_HAL__PROBE_RESULT = 3 };
typedef struct hy_hal__probe_record {
	uint32_t kind, length;
	hy_status status; /* RESULT */
} hy_hal__probe_record;

typedef struct hy_hal__probe_job {
	const char *library;
	const hy_hal__manifest_list *requires;
	hy_status status; /* how it went */
	char *reason; /* free(); one line when status is not OK */
	char *warning; /* free(); NULL, or what is not as it should be although status is OK */
	uint64_t probe_ns;
} hy_hal__probe_job;

/* Runs `program` once per job, all at the same time, each for at most timeout_ns. */
void hy_hal__probe_run(const char *program, uint64_t timeout_ns, hy_hal__probe_job *jobs, uint32_t job_count);

#endif
