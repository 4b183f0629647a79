/* An elementwise chain on a value in channel blocks: one row of a plane. */
K_KERNEL void NAME(K_OUT(y), const int width, const int height, const int row, const int plane, const int pad,
                   const int batch FUSED_PARAMS)
{
	K_WRITE(float, y);
	FUSED_READ
	const int h = K_GID(0), k = K_GID(1), n = K_GID(2);
	K_G float *base = y + n * batch + k * plane;
	K_G float *to = base + ((pad + h) * row + pad) * 16;
	for (int w = 0; w < width; w++) {
		const float16 value = FUSED((float16)0.0f, n, k, h, w FUSED_ARGS);
		vstore16(K_KEEP(value, k), w, to);
	}
	k_halo(base, h, height, width, row, pad, 16, 1, 1);
}
