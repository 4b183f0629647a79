/* Register tiles of blocked convolutions. */
#include "conv.h"

/* Vector registers for accumulators: 32 less the weights and one input. */
#define ACCUMULATORS 28u

/* Cycles of one channel step of a tile on a core with two 16-wide FMA and two loads a cycle; weights come from the
 * second-level cache at a vector a cycle, and from beyond it at a quarter of that. */
static double step_cycles(uint32_t pixels, uint32_t blocks, int64_t steps)
{
	const double fma = pixels * blocks / 2.0;
	const double load = (pixels + blocks) / 2.0;
	const double beyond = (double)steps * blocks * BLOCK * sizeof(float) > 512.0 * 1024 ? 4.0 : 1.0;
	const double weights = blocks * beyond;
	const double latency = 4.0; /* of a chain of FMAs into one accumulator */
	double most = fma > load ? fma : load;
	if (weights > most) most = weights;
	return most > latency ? most : latency;
}

hy_kernels__tile hy_kernels__tile_choose(int64_t rows, int64_t columns, int64_t blocks, int64_t steps)
{
	hy_kernels__tile best = {1, 1, 1};
	double best_cycles = 0;
	for (uint32_t b = 1; b <= 4 && b <= blocks; b++)
		for (uint32_t r = 1; r <= 4 && r <= rows; r++)
			for (uint32_t c = 1; c <= columns && r * c * b <= ACCUMULATORS; c++) {
				const int64_t tiles = ((rows + r - 1) / r) * ((columns + c - 1) / c) *
				                      ((blocks + b - 1) / b);
				/* 40 cycles for the ends of a tile, and a little for each row of code */
				const double cycles = (double)tiles *
				                      (step_cycles(r * c, b, steps) * (double)steps + 40 + r);
				if (best_cycles == 0 || cycles < best_cycles) {
					best_cycles = cycles;
					best = (hy_kernels__tile){r, c, b};
				}
			}
	return best;
}
