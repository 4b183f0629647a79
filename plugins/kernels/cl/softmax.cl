/* Softmax or its logarithm along one axis, one line per work-item. */
#define ACC K_CAT(k_a_, X)
K_KERNEL void NAME(K_IN(x), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_WRITE(K_CAT(k_s_, X), y);
	const int line = K_GID(0);
	if (line >= LINES) return;
	const int base = line / INNER * LENGTH * INNER + line % INNER;
	ACC largest = -INFINITY, sum = 0;
	for (int i = 0; i < LENGTH; i++) {
		const ACC value = K_CAT(k_load_, X)(x, base + i * INNER);
		largest = value > largest || value != value ? value : largest;
	}
	for (int i = 0; i < LENGTH; i++) {
		const ACC power = exp(K_CAT(k_load_, X)(x, base + i * INNER) - largest);
		sum += power;
		if (!LOGARITHM && KEEP) K_CAT(k_store_, X)(y, base + i * INNER, power);
	}
	const ACC log_sum = log(sum);
	for (int i = 0; i < LENGTH; i++) {
		ACC value;
		if (LOGARITHM)
			value = K_CAT(k_load_, X)(x, base + i * INNER) - largest - log_sum;
		else if (KEEP)
			value = K_CAT(k_load_, X)(y, base + i * INNER) / sum;
		else
			value = exp(K_CAT(k_load_, X)(x, base + i * INNER) - largest) / sum;
		K_CAT(k_store_, X)(y, base + i * INNER, value);
	}
}
#undef ACC
