/* Where the largest (SIGN >) or smallest element of each line is; one line per work-item. */
K_KERNEL void NAME(K_IN(x), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_WRITE(long, y);
	const int line = K_GID(0);
	if (line >= LINES) return;
	const int base = line / INNER * LENGTH * INNER + line % INNER;
	K_CAT(k_a_, X) best = K_CAT(k_load_, X)(x, base);
	int chosen = 0;
	for (int i = 1; i < LENGTH; i++) {
		const K_CAT(k_a_, X) value = K_CAT(k_load_, X)(x, base + i * INNER);
		if (value SIGN best || (LAST && value == best)) {
			best = value;
			chosen = i;
		}
	}
	y[line] = chosen;
}
