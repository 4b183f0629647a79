/* y = x / (BIAS + ALPHA / SIZE * sum of squares over SIZE channels) ^ BETA, one element per work-item. */
#define ACC K_CAT(k_a_, X)
K_KERNEL void NAME(K_IN(x), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int c = at / INNER % CHANNELS;
	ACC sum = 0;
	for (int k = max(c - BEFORE, 0); k <= min(c + AFTER, CHANNELS - 1); k++) {
		const ACC value = K_CAT(k_load_, X)(x, at + (k - c) * INNER);
		sum += value * value;
	}
	K_CAT(k_store_, X)(y, at, K_CAT(k_load_, X)(x, at) * pow((ACC)BIAS + (ACC)ALPHA * sum, -(ACC)BETA));
}
#undef ACC
