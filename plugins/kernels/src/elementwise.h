/* Elementwise chains as kernels of their own. */
#ifndef HY_KERNELS_ELEMENTWISE_H
#define HY_KERNELS_ELEMENTWISE_H

#include "lower.h"

/* Whether all values that leave the chain have the shape of its last one. */
bool hy_kernels__elementwise_is_one(const hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count);
hy_status hy_kernels__elementwise(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count);

#endif
