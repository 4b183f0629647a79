/* The thread of a device: pinned to the device's cores, it runs jobs in order of arrival. */
#ifndef HY_CPU_WORKER_H
#define HY_CPU_WORKER_H

#include "cpu_cores.h"

#include <stdbool.h>

typedef struct hy_cpu_worker hy_cpu_worker;

/* Owned by whoever pushes it until run or cancel is called; then by that function. */
typedef struct hy_cpu_job hy_cpu_job;
struct hy_cpu_job {
	hy_cpu_job *next;
	const void *owner; /* what hy_cpu_worker_cancel asks for */
	void (*run)(hy_cpu_job *job);
	void (*cancel)(hy_cpu_job *job);
};

hy_status hy_cpu_worker_start(const hy_cpu_cores *cores, hy_cpu_worker **out_worker, hy_error *error);
/* Nothing is left to run. NULL is fine. */
void hy_cpu_worker_stop(hy_cpu_worker *worker);

/* Threads: any. */
void hy_cpu_worker_push(hy_cpu_worker *worker, hy_cpu_job *job);

/* Runs function(payload) on the worker, before the jobs that wait, and returns when it has. Threads: any. */
void hy_cpu_worker_call(hy_cpu_worker *worker, void (*function)(void *payload), void *payload);

/* Cancels the owner's waiting jobs in order, on this thread, and returns when none of its jobs runs. */
void hy_cpu_worker_cancel(hy_cpu_worker *worker, const void *owner);

#endif
