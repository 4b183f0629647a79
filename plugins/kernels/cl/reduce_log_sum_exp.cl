/* log(sum(exp(x))) over any set of axes, shifted by the largest element; see reduce.cl. */
#define ACC K_CAT(k_a_, X)
K_KERNEL void NAME(K_IN(x), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int kept_size[] = KEPT_SIZE, kept_stride[] = KEPT_STRIDE, gone_size[] = GONE_SIZE, gone_stride[] = GONE_STRIDE;
	int rest = at, base = 0;
	for (int d = KEPT_RANK - 1; d >= 0; d--) {
		base += rest % kept_size[d] * kept_stride[d];
		rest /= kept_size[d];
	}
	ACC largest = -INFINITY, sum = 0;
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < GONE; i++) {
			int left = i, place = base;
			for (int d = GONE_RANK - 1; d >= 0; d--) {
				place += left % gone_size[d] * gone_stride[d];
				left /= gone_size[d];
			}
			const ACC value = K_CAT(k_load_, X)(x, place);
			if (turn == 0)
				largest = value > largest || value != value ? value : largest;
			else
				sum += exp(value - largest);
		}
	const ACC result = isinf(largest) ? largest : largest + log(sum);
	K_CAT(k_store_, X)(y, at, result);
}
#undef ACC
