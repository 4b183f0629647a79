/* Which of two kernels is faster here: measured once per shape and device. */
#ifndef HY_CPU_TUNE_H
#define HY_CPU_TUNE_H

#include "cpu_dnnl.h"

typedef struct hy_cpu_tune hy_cpu_tune;

typedef enum hy_cpu_choice { HY_CPU_MEASURE, HY_CPU_ALWAYS, HY_CPU_NEVER } hy_cpu_choice;

/* thread_count: of the worker. winograd: where it is possible. NULL: no memory. */
hy_cpu_tune *hy_cpu_tune_create(uint32_t thread_count, hy_cpu_choice winograd);
void hy_cpu_tune_destroy(hy_cpu_tune *tune);

/* True when the layer, a convolution, is clearly faster by Winograd's algorithm than `direct`, which is the layer
 * without it; the time to put source and target into other places and to read larger weights counts. On the worker. */
bool hy_cpu_tune_winograd(hy_cpu_tune *tune, hy_cpu_dnnl *dnnl, const hy_cpu_layer *layer, hy_cpu_prim *direct);

#endif
