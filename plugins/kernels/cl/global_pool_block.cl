/* The average (KIND 1) or largest (KIND 0) element of each plane, in channel blocks. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), const int x_batch, const int x_plane, const int x_row, const int height,
                   const int width, const int y_batch, const int y_plane)
{
	K_READ(float, x);
	K_WRITE(float, y);
	const int k = K_GID(0), n = K_GID(1);
	K_G const float *from = x + n * x_batch + k * x_plane;
	float16 result = (float16)(KIND == 0 ? -INFINITY : 0.0f);
	for (int h = 0; h < height; h++)
		for (int w = 0; w < width; w++) {
			const float16 value = vload16(0, from + h * x_row + w * 16);
			if (KIND == 0)
				result = result > value ? result : value;
			else
				result += value;
		}
	if (KIND != 0) result = result / (float16)(float)(height * width);
	vstore16(result, 0, y + n * y_batch + k * y_plane);
}
