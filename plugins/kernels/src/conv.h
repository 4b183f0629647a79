/* Convolution: its numbers, and the tile that a work-item makes. */
#ifndef HY_KERNELS_CONV_H
#define HY_KERNELS_CONV_H

#include "lower.h"

typedef struct hy_kernels__conv {
	uint32_t rank; /* spatial */
	int64_t batch, channels, filters, group;
	int64_t in[HY_MAX_RANK], out[HY_MAX_RANK], kernel[HY_MAX_RANK];
	int64_t stride[HY_MAX_RANK], dilation[HY_MAX_RANK], begin[HY_MAX_RANK], end[HY_MAX_RANK]; /* pads */
} hy_kernels__conv;

/* Numbers of a Conv, ConvTranspose or pool (kernel from the attribute when weights is NULL), auto_pad resolved.
 * ceil: a pool's output may need more padding at its end than the attribute says. */
void hy_kernels__conv_read(const hy_kernels__lower *lower, const hy_kernels__node *node, hy_kernels__conv *out_conv);

/* RANK, CHANNELS, IN, OUT, KERNEL ... of conv.cl and pool.cl. */
void hy_kernels__conv_define(const hy_kernels__conv *conv, hy_kernels__text *defines);

/* The cheapest tile by counted FMA, load and weight traffic. steps: channels times taps of one output. */
hy_kernels__tile hy_kernels__tile_choose(hy_kernels__lower *lower, int64_t rows, int64_t columns, int64_t blocks,
                                         int64_t steps);

#endif
