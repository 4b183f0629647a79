/* Softmax or its logarithm along contiguous rows in f32, one row per work-item, 16 elements at a time. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), const int length)
{
	K_READ(float, x);
	K_WRITE(float, y);
	K_G const float *from = x + K_GID(0) * length;
	K_G float *to = y + K_GID(0) * length;
	const int whole = length / 16 * 16;
	float16 many = (float16)-INFINITY;
	float largest = -INFINITY, sum = 0.0f;
	for (int i = 0; i < whole; i += 16) {
		const float16 value = vload16(0, from + i);
		many = value > many || isnan(value) ? value : many;
	}
	float lanes[16];
	vstore16(many, 0, lanes);
	for (int i = 0; i < 16; i++)
		largest = lanes[i] > largest || isnan(lanes[i]) ? lanes[i] : largest;
	for (int i = whole; i < length; i++)
		largest = from[i] > largest || isnan(from[i]) ? from[i] : largest;
	many = (float16)0.0f;
	for (int i = 0; i < whole; i += 16) {
		const float16 power = exp(vload16(0, from + i) - (float16)largest);
		many += power;
		if (!LOGARITHM) vstore16(power, 0, to + i);
	}
	for (int i = whole; i < length; i++) {
		const float power = exp(from[i] - largest);
		sum += power;
		if (!LOGARITHM) to[i] = power;
	}
	vstore16(many, 0, lanes);
	for (int i = 0; i < 16; i++)
		sum += lanes[i];
	const float scale = 1.0f / sum, log_sum = log(sum);
	for (int i = 0; i < whole; i += 16)
		vstore16(LOGARITHM ? vload16(0, from + i) - (float16)largest - (float16)log_sum : vload16(0, to + i) * (float16)scale, 0, to + i);
	for (int i = whole; i < length; i++)
		to[i] = LOGARITHM ? from[i] - largest - log_sum : to[i] * scale;
}
