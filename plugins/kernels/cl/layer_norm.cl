/* Rows of LENGTH elements brought to mean 0 and variance 1, then scaled. One row per work-item. */
#define ACC K_CAT(k_a_, X)
K_KERNEL void NAME(K_IN(x), K_IN(scale), K_IN(bias), K_OUT(y), K_OUT(mean), K_OUT(deviation))
{
	K_READ(K_CAT(k_s_, X), x);
	K_READ(K_CAT(k_s_, X), scale);
	K_READ(K_CAT(k_s_, X), bias);
	K_WRITE(K_CAT(k_s_, X), y);
	K_WRITE(K_CAT(k_s_, S), mean);
	K_WRITE(K_CAT(k_s_, S), deviation);
	const int row = K_GID(0);
	if (row >= ROWS) return;
	const int base = row * LENGTH;
	ACC part[16];
	ACC middle = 0, spread = 0;
	for (int lane = 0; lane < 16; lane++)
		part[lane] = 0;
	for (int i = 0; i < LENGTH / 16 * 16; i += 16)
		for (int lane = 0; lane < 16; lane++)
			part[lane] += K_CAT(k_load_, X)(x, base + i + lane);
	for (int i = LENGTH / 16 * 16; i < LENGTH; i++)
		middle += K_CAT(k_load_, X)(x, base + i);
	for (int lane = 0; lane < 16; lane++) {
		middle += part[lane];
		part[lane] = 0;
	}
	middle /= LENGTH;
	for (int i = 0; i < LENGTH / 16 * 16; i += 16)
		for (int lane = 0; lane < 16; lane++) {
			const ACC away = K_CAT(k_load_, X)(x, base + i + lane) - middle;
			part[lane] += away * away;
		}
	for (int i = LENGTH / 16 * 16; i < LENGTH; i++) {
		const ACC away = K_CAT(k_load_, X)(x, base + i) - middle;
		spread += away * away;
	}
	for (int lane = 0; lane < 16; lane++)
		spread += part[lane];
	const ACC factor = 1 / sqrt(spread / LENGTH + (ACC)EPSILON);
	const int first = row % SCALE_ROWS * SCALE_STEP, bias_first = row % SCALE_ROWS * BIAS_STEP;
	for (int i = 0; i < LENGTH; i++) {
		ACC value = (K_CAT(k_load_, X)(x, base + i) - middle) * factor * K_CAT(k_load_, X)(scale, first + i * SCALE_INNER);
		if (HAS_BIAS) value += K_CAT(k_load_, X)(bias, bias_first + i * BIAS_INNER);
		K_CAT(k_store_, X)(y, base + i, value);
	}
	if (HAS_MEAN) K_CAT(k_store_, S)(mean, row, middle);
	if (HAS_DEVIATION) K_CAT(k_store_, S)(deviation, row, factor);
}
#undef ACC
