/* x: NCHW16c planes with a halo. y: NCHW. One row of a plane. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), const int channels, const int height, const int width, const int row,
                   const int plane, const int pad, const int planes)
{
	K_READ(float, x);
	K_WRITE(float, y);
	const int h = K_GID(0), b = K_GID(1), n = K_GID(2);
	const int size = height * width, lanes = min(16, channels - b * 16);
	K_G const float *from = x + ((n * planes + b) * plane + (pad + h) * row + pad) * 16;
	K_G float *to = y + (n * channels + b * 16) * size + h * width;
	for (int lane = 0; lane < lanes; lane++)
		for (int w = 0; w < width; w++)
			to[lane * size + w] = from[w * 16 + lane];
}
