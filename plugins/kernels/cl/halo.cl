/* x: NCHW. y: the same planes with a halo. One row of a plane. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), const int channels, const int height, const int width, const int row,
                   const int plane, const int pad, const int planes)
{
	K_READ(float, x);
	K_WRITE(float, y);
	const int h = K_GID(0), c = K_GID(1), n = K_GID(2);
	K_G const float *from = x + ((n * channels + c) * height + h) * width;
	K_G float *base = y + (n * planes + c) * plane;
	K_G float *to = base + (pad + h) * row + pad;
	for (int w = 0; w < width; w++)
		to[w] = from[w];
	k_halo(base, h, height, width, row, pad, 1, 1, 1);
}
