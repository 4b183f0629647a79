/* The COUNT largest or smallest elements of each line in order, equal ones by place; one line per work-item. */
K_KERNEL void NAME(K_IN(x), K_OUT(values), K_OUT(indices))
{
	K_READ(K_CAT(k_s_, X), x);
	K_WRITE(K_CAT(k_s_, X), values);
	K_WRITE(long, indices);
	const int line = K_GID(0);
	if (line >= LINES) return;
	const int base = line / INNER * LENGTH * INNER + line % INNER;
	const int out = line / INNER * COUNT * INNER + line % INNER;
	K_CAT(k_a_, X) before = 0;
	int before_at = -1;
	for (int k = 0; k < COUNT; k++) {
		K_CAT(k_a_, X) best = 0;
		int chosen = -1;
		for (int i = 0; i < LENGTH; i++) {
			const K_CAT(k_a_, X) value = K_CAT(k_load_, X)(x, base + i * INNER);
			/* taken in an earlier turn, or not after the last one taken */
			if (k > 0 && (value SIGN before || (value == before && i <= before_at))) continue;
			if (chosen < 0 || value SIGN best) {
				best = value;
				chosen = i;
			}
		}
		if (HAS_VALUES) K_CAT(k_store_, X)(values, out + k * INNER, best);
		if (HAS_INDICES) indices[out + k * INNER] = chosen;
		before = best;
		before_at = chosen;
	}
}
