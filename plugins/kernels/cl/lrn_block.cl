/* The same in channel blocks, one row of a plane per work-item: the channels beside a block lie in its neighbours. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), const int x_batch, const int x_plane, const int x_row, const int y_batch,
                   const int y_plane, const int y_row, const int y_pad, const int height, const int width,
                   const int blocks)
{
	K_READ(float, x);
	K_WRITE(float, y);
	const int h = K_GID(0), k = K_GID(1), n = K_GID(2);
	K_G const float *from = x + n * x_batch + k * x_plane + h * x_row;
	K_G float *base = y + n * y_batch + k * y_plane;
	K_G float *to = base + ((y_pad + h) * y_row + y_pad) * 16;
	for (int w = 0; w < width; w++, from += 16) {
		const float16 here = vload16(0, from);
		const float16 below = k > 0 ? vload16(0, from - x_plane) : (float16)0.0f;
		const float16 above = k + 1 < blocks ? vload16(0, from + x_plane) : (float16)0.0f;
		float squares[48];
		vstore16(below * below, 0, squares);
		vstore16(here * here, 1, squares);
		vstore16(above * above, 2, squares);
		float16 sum = (float16)0.0f;
		K_UNROLL for (int i = -BEFORE; i <= AFTER; i++) sum += vload16(0, squares + 16 + i);
		const float16 base_of = (float16)BIAS + (float16)ALPHA * sum;
		vstore16(here * exp((float16)-BETA * log(base_of)), w, to);
	}
	k_halo(base, h, height, width, y_row, y_pad, 16, 1, 1);
}
