/* x: NCHW. y: NCHW16c planes with a halo. One row of a plane; channels that aren't there become 0. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), const int channels, const int height, const int width, const int row,
                   const int plane, const int pad, const int planes)
{
	K_READ(float, x);
	K_WRITE(float, y);
	const int h = K_GID(0), b = K_GID(1), n = K_GID(2);
	const int size = height * width, lanes = min(16, channels - b * 16);
	K_G const float *from = x + (n * channels + b * 16) * size + h * width;
	K_G float *base = y + (n * planes + b) * plane * 16;
	K_G float *to = base + ((pad + h) * row + pad) * 16;
	for (int w = 0; w < width; w++, from++, to += 16) {
		for (int lane = 0; lane < lanes; lane++)
			to[lane] = from[lane * size];
		for (int lane = lanes; lane < 16; lane++)
			to[lane] = 0.0f;
	}
	k_halo(base, h, height, width, row, pad, 16, 1, 1);
}
