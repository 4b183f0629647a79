/* One filter per channel, in channel blocks. A work-item makes ROWS x COLUMNS pixels of one block.
 * w: [block][tap][16]. Strides of x and y are in floats. */
K_KERNEL void NAME(K_IN(x), K_IN(w), K_IN(b), K_OUT(y), const int taps_h, const int taps_w, const int x_batch,
                   const int x_plane, const int x_row, const int x_tap_h, const int x_tap_w, const int y_batch,
                   const int y_plane, const int y_row, const int y_pad, const int height, const int width,
                   const int blocks FUSED_PARAMS)
{
	K_READ(float, x);
	K_READ(float, w);
	K_READ(float, b);
	K_WRITE(float, y);
	FUSED_READ
	const int q = min(K_GID(0) * COLUMNS, width - COLUMNS), p = min(K_GID(1) * ROWS, height - ROWS);
	const int n = K_GID(2) / blocks, k = K_GID(2) % blocks;
	K_G const float *wp = w + k * taps_h * taps_w * 16;
	K_G const float *xp = x + n * x_batch + k * x_plane + p * STRIDE_H * x_row + q * STRIDE_W * 16;

	float16 sum[ROWS * COLUMNS];
	const float16 bias = vload16(k, b);
	K_UNROLL for (int i = 0; i < ROWS * COLUMNS; i++) sum[i] = bias;
	for (int r = 0; r < taps_h; r++)
		for (int s = 0; s < taps_w; s++, wp += 16) {
			const float16 wv = vload16(0, wp);
			K_G const float *tap = xp + r * x_tap_h + s * x_tap_w;
			K_UNROLL for (int i = 0; i < ROWS * COLUMNS; i++) sum[i] =
				fma(vload16(0, tap + i / COLUMNS * STRIDE_H * X_ROW + i % COLUMNS * STRIDE_W * 16), wv, sum[i]);
		}
	K_G float *base = y + n * y_batch + k * y_plane;
	K_UNROLL for (int i = 0; i < ROWS * COLUMNS; i++)
	{
		const int h = p + i / COLUMNS, v = q + i % COLUMNS;
		const float16 value = FUSED(sum[i], n, k, h, v FUSED_ARGS);
		vstore16(K_KEEP(value, k), 0, base + ((y_pad + h) * y_row + y_pad + v) * 16);
	}
	if (y_pad > 0)
		for (int i = 0; i < ROWS; i++)
			k_halo(base, p + i, height, width, y_row, y_pad, 16, q == 0, q + COLUMNS == width);
}
