/* Convolution of any rank, one output element per work-item. x: [N][C][IN...], w: [K][C/group][KERNEL...]. */
K_KERNEL void NAME(K_IN(x), K_IN(w), K_IN(b), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_READ(K_CAT(k_s_, X), w);
	K_READ(K_CAT(k_s_, X), b);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int in_size[] = IN, out_size[] = OUT, taps[] = KERNEL, stride[] = STRIDE, dilation[] = DILATION;
	const int pad[] = BEGIN;
	int rest = at, start[RANK];
	for (int d = RANK - 1; d >= 0; d--) {
		start[d] = rest % out_size[d] * stride[d] - pad[d];
		rest /= out_size[d];
	}
	const int k = rest % FILTERS, n = rest / FILTERS, group = k / (FILTERS / GROUP);
	K_CAT(k_a_, X) sum = HAS_BIAS ? K_CAT(k_load_, X)(b, k) : (K_CAT(k_a_, X))0;
	for (int c = 0; c < CHANNELS / GROUP; c++) {
		const int plane = (n * CHANNELS + group * (CHANNELS / GROUP) + c) * IN_TOTAL;
		const int weights = (k * (CHANNELS / GROUP) + c) * TAPS;
		for (int t = 0; t < TAPS; t++) {
			int left = t, place = 0, step = 1, inside = 1;
			for (int d = RANK - 1; d >= 0; d--) {
				const int i = start[d] + left % taps[d] * dilation[d];
				inside &= i >= 0 && i < in_size[d];
				place += i * step;
				step *= in_size[d];
				left /= taps[d];
			}
			if (inside) sum += K_CAT(k_load_, X)(x, plane + place) * K_CAT(k_load_, X)(w, weights + t);
		}
	}
	K_CAT(k_store_, X)(y, at, sum);
}
