/* Direct convolution into channel blocks. A work-item makes ROWS x COLUMNS pixels of BLOCKS channel blocks; the sums
 * stay in registers. The input has a halo, so no tap needs a test. It lies in channel blocks (LANES 16, an outer step
 * is a block) or as NCHW planes (LANES 1, an outer step is a channel). Tiles at the end of a row, column or group are
 * moved back over their neighbour: both store the same numbers.
 *
 * w: [output block][outer step][tap][input lane][16]. Strides of x and y are in floats. */
K_KERNEL void NAME(K_IN(x), K_IN(w), K_IN(b), K_OUT(y), const int outer, const int taps_h, const int taps_w,
                   const int x_batch, const int x_plane, const int x_row, const int x_tap_h, const int x_tap_w,
                   const int y_batch, const int y_plane, const int y_row, const int y_pad, const int height,
                   const int width, const int group_blocks, const int block_tiles FUSED_PARAMS)
{
	K_READ(float, x);
	K_READ(float, w);
	K_READ(float, b);
	K_WRITE(float, y);
	FUSED_READ
	const int q = min(K_GID(0) * COLUMNS, width - COLUMNS), p = min(K_GID(1) * ROWS, height - ROWS);
	const int n = K_GID(2) / block_tiles, tile = K_GID(2) % block_tiles;
	const int tiles = (group_blocks + BLOCKS - 1) / BLOCKS, group = tile / tiles;
	const int k = group * group_blocks + min(tile % tiles * BLOCKS, group_blocks - BLOCKS);
	const int block = outer * taps_h * taps_w * LANES * 16;

	float16 sum[BLOCKS][ROWS * COLUMNS];
	K_UNROLL for (int j = 0; j < BLOCKS; j++)
	{
		const float16 bias = vload16(k + j, b);
		K_UNROLL for (int i = 0; i < ROWS * COLUMNS; i++) sum[j][i] = bias;
	}
	K_G const float *outer_x = x + n * x_batch + group * outer * x_plane + p * STRIDE_H * x_row + q * STRIDE_W * LANES;
	K_G const float *wp = w + (long)k * block;
	for (int c = 0; c < outer; c++, outer_x += x_plane)
		for (int r = 0; r < taps_h; r++)
			for (int s = 0; s < taps_w; s++, wp += LANES * 16) {
				K_G const float *xp = outer_x + r * x_tap_h + s * x_tap_w;
				_Pragma("unroll 1") for (int lane = 0; lane < LANES; lane++)
				{
					float16 wv[BLOCKS];
					K_UNROLL for (int j = 0; j < BLOCKS; j++) wv[j] = vload16(lane, wp + (long)j * block);
					K_UNROLL for (int i = 0; i < ROWS * COLUMNS; i++)
					{
						const float16 xv = (float16)(
							xp[i / COLUMNS * STRIDE_H * X_ROW + i % COLUMNS * STRIDE_W * LANES + lane]);
						K_UNROLL for (int j = 0; j < BLOCKS; j++) sum[j][i] = fma(xv, wv[j], sum[j][i]);
					}
				}
			}
	K_UNROLL for (int j = 0; j < BLOCKS; j++)
	{
		K_G float *base = y + n * y_batch + (k + j) * y_plane;
		K_UNROLL for (int i = 0; i < ROWS * COLUMNS; i++)
		{
			const int h = p + i / COLUMNS, v = q + i % COLUMNS;
			const float16 value = FUSED(sum[j][i], n, k + j, h, v FUSED_ARGS);
			vstore16(K_KEEP(value, k + j), 0, base + ((y_pad + h) * y_row + y_pad + v) * 16);
		}
		if (y_pad > 0)
			for (int i = 0; i < ROWS; i++)
				k_halo(base, p + i, height, width, y_row, y_pad, 16, q == 0, q + COLUMNS == width);
	}
}
