/* Every output element is a weighted sum over a few input elements along each axis; which, and their weights, stand in
 * tables: for axis d, TAPS[d] entries per output coordinate from TABLE[d] on. A place of -1 is beside the crop. */
K_KERNEL void NAME(K_IN(x), K_IN(places), K_IN(weights), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_READ(int, places);
	K_READ(float, weights);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int size[] = OUT, stride[] = STRIDE, taps[] = TAPS, table[] = TABLE;
	int rest = at, row[RANK], beside = 0;
	for (int d = RANK - 1; d >= 0; d--) {
		row[d] = table[d] + rest % size[d] * taps[d];
		beside |= places[row[d]] < 0;
		rest /= size[d];
	}
	if (beside) {
		K_CAT(k_store_, X)(y, at, (K_CAT(k_c_, X))BESIDE);
		return;
	}
	if (ALL_TAPS == 1) {
		int from = 0;
		for (int d = 0; d < RANK; d++)
			from += places[row[d]] * stride[d];
		K_CAT(k_store_, X)(y, at, K_CAT(k_load_, X)(x, from));
		return;
	}
	REAL sum = 0;
	for (int t = 0; t < ALL_TAPS; t++) {
		int left = t, from = 0;
		REAL weight = 1;
		for (int d = RANK - 1; d >= 0; d--) {
			const int i = row[d] + left % taps[d];
			left /= taps[d];
			from += places[i] * stride[d];
			weight *= weights[i];
		}
		sum += weight * (REAL)K_CAT(k_load_, X)(x, from);
	}
	K_CAT(k_store_, X)(y, at, FINISH(sum));
}
