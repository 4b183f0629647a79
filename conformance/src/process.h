/* What this process can say of itself: the time and its memory. */
#ifndef HY_CONFORM_PRIVATE_PROCESS_H
#define HY_CONFORM_PRIVATE_PROCESS_H

#include <stdint.h>

/* CLOCK_MONOTONIC. */
uint64_t conform__process_now_ns(void);
/* Memory of this process that is in RAM; 0 when the system does not say. */
uint64_t conform__process_resident_bytes(void);
/* Open file descriptors, and threads. */
uint32_t conform__process_descriptors(void);
uint32_t conform__process_threads(void);

#endif
