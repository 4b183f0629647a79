/* y = (x - mean) / sqrt(variance + EPSILON) * scale + bias with the numbers of channel c, or, where TRAINING, of the
 * batch itself; the running ones move towards those. One channel per work-item. */
#define ACC K_CAT(k_a_, X)
K_KERNEL void NAME(K_IN(x), K_IN(scale), K_IN(bias), K_IN(mean), K_IN(variance), K_OUT(y), K_OUT(new_mean),
                   K_OUT(new_variance))
{
	K_READ(K_CAT(k_s_, X), x);
	K_READ(K_CAT(k_s_, S), scale);
	K_READ(K_CAT(k_s_, S), bias);
	K_READ(K_CAT(k_s_, M), mean);
	K_READ(K_CAT(k_s_, M), variance);
	K_WRITE(K_CAT(k_s_, X), y);
	K_WRITE(K_CAT(k_s_, M), new_mean);
	K_WRITE(K_CAT(k_s_, M), new_variance);
	const int c = K_GID(0);
	if (c >= CHANNELS) return;
	ACC middle = K_CAT(k_load_, M)(mean, c), spread = K_CAT(k_load_, M)(variance, c);
	if (TRAINING) {
		const ACC old_mean = middle, old_variance = spread;
		middle = spread = 0;
		for (int i = 0; i < BATCH * INNER; i++)
			middle += K_CAT(k_load_, X)(x, (i / INNER * CHANNELS + c) * INNER + i % INNER);
		middle /= BATCH * INNER;
		for (int i = 0; i < BATCH * INNER; i++) {
			const ACC away = K_CAT(k_load_, X)(x, (i / INNER * CHANNELS + c) * INNER + i % INNER) - middle;
			spread += away * away;
		}
		spread /= BATCH * INNER;
		if (HAS_MEAN) K_CAT(k_store_, M)(new_mean, c, old_mean * (ACC)MOMENTUM + middle * (1 - (ACC)MOMENTUM));
		if (HAS_VARIANCE)
			K_CAT(k_store_, M)(new_variance, c, old_variance * (ACC)MOMENTUM + spread * (1 - (ACC)MOMENTUM));
	}
	const ACC factor = K_CAT(k_load_, S)(scale, c) / sqrt(spread + (ACC)EPSILON), shift = K_CAT(k_load_, S)(bias, c);
	for (int n = 0; n < BATCH; n++)
		for (int i = 0; i < INNER; i++) {
			const int at = (n * CHANNELS + c) * INNER + i;
			const ACC value = (K_CAT(k_load_, X)(x, at) - middle) * factor + shift;
			K_CAT(k_store_, X)(y, at, value);
		}
}
#undef ACC
