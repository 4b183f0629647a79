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

static double tile_cycles(hy_kernels__tile tile, int64_t rows, int64_t columns, int64_t blocks, int64_t steps)
{
	const int64_t tiles = ((rows + tile.rows - 1) / tile.rows) * ((columns + tile.columns - 1) / tile.columns) *
	                      ((blocks + tile.blocks - 1) / tile.blocks);
	const double step = step_cycles(tile.rows * tile.columns, tile.blocks, steps);
	/* 40 cycles for the ends of a tile, and a little for each row of code */
	return (double)tiles * (step * (double)steps + 40 + tile.rows);
}

static bool fits(hy_kernels__tile tile, int64_t rows, int64_t columns, int64_t blocks)
{
	return tile.rows <= rows && tile.columns <= columns && tile.blocks <= blocks;
}

hy_kernels__tile hy_kernels__tile_choose(hy_kernels__lower *lower, int64_t rows, int64_t columns, int64_t blocks,
                                         int64_t steps)
{
	hy_kernels__tile best = {1, 1, 1};
	double best_cycles = tile_cycles(best, rows, columns, blocks, steps);
	for (uint32_t b = 1; b <= 4 && b <= blocks; b++)
		for (uint32_t r = 1; r <= 4 && r <= rows; r++)
			for (uint32_t c = 1; c <= columns && r * c * b <= ACCUMULATORS; c++) {
				const hy_kernels__tile tile = {r, c, b};
				const double cycles = tile_cycles(tile, rows, columns, blocks, steps);
				if (cycles >= best_cycles) continue;
				best_cycles = cycles;
				best = tile;
			}
	/* a tile that another kernel has, if it is nearly as good: compiling one more takes a quarter of a second */
	for (uint32_t i = 0; i < lower->tile_count; i++) {
		const hy_kernels__tile tile = lower->tiles[i];
		if (tile.rows == 1 && fits(tile, rows, columns, blocks) &&
		    tile_cycles(tile, rows, columns, blocks, steps) < best_cycles * 1.06)
			return tile;
	}
	if (lower->tile_count < LOWER_TILES) lower->tiles[lower->tile_count++] = best;
	return best;
}
