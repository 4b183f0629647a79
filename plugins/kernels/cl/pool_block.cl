/* Windows over channel blocks: one row of a plane. KIND as in pool.cl. Strides are in floats. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), const int x_batch, const int x_plane, const int x_row, const int in_height,
                   const int in_width, const int y_batch, const int y_plane, const int y_row, const int y_pad,
                   const int height, const int width)
{
	K_READ(float, x);
	K_WRITE(float, y);
	const int h = K_GID(0), k = K_GID(1), n = K_GID(2);
	K_G const float *from = x + n * x_batch + k * x_plane;
	K_G float *base = y + n * y_batch + k * y_plane;
	K_G float *to = base + ((y_pad + h) * y_row + y_pad) * 16;
	const int top = h * STRIDE_H - BEGIN_H;
	for (int w = 0; w < width; w++) {
		const int left = w * STRIDE_W - BEGIN_W;
		float16 result = (float16)(KIND == 0 ? -INFINITY : 0.0f);
		int count = 0;
		for (int r = 0; r < TAPS_H; r++) {
			const int i = top + r * DILATION_H;
			for (int s = 0; s < TAPS_W; s++) {
				const int j = left + s * DILATION_W;
				const int inside = i >= 0 && i < in_height && j >= 0 && j < in_width;
				if (KIND == 2) count += i < in_height + END_H && j < in_width + END_W;
				if (!inside) continue;
				const float16 value = vload16(0, from + i * x_row + j * 16);
				if (KIND == 0)
					result = result > value ? result : value;
				else
					result += value;
				if (KIND == 1) count++;
			}
		}
		if (KIND != 0) result = result / (float16)(float)max(count, 1);
		vstore16(result, w, to);
	}
	k_halo(base, h, height, width, y_row, y_pad, 16, 1, 1);
}
