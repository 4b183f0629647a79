/* Loops over the compute threads of the worker: the same OpenMP threads that oneDNN uses, so that they don't compete. */
#ifndef HY_CPU_PARALLEL_H
#define HY_CPU_PARALLEL_H

#include <stdint.h>

/* Fixes how many threads the calling thread's loops, and oneDNN's primitives made on it, use. */
void hy_cpu_parallel_begin(uint32_t thread_count);

/* Calls function(payload, index, count) for each index < count, each on a thread of its own; returns after all. */
void hy_cpu_parallel(uint32_t count, void (*function)(void *payload, uint32_t index, uint32_t count), void *payload);

#endif
