/* Windows of any rank over planes, one output element per work-item. KIND: 0 the largest, 1 the average of the
 * elements inside, 2 the average over the padded window. Where INDICES, also which element was the largest. */
K_KERNEL void NAME(K_IN(x), K_OUT(y), K_OUT(indices))
{
	K_READ(K_CAT(k_s_, X), x);
	K_WRITE(K_CAT(k_s_, X), y);
	K_WRITE(long, indices);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int in_size[] = IN, out_size[] = OUT, taps[] = KERNEL, stride[] = STRIDE, dilation[] = DILATION;
	const int pad[] = BEGIN, pad_end[] = END;
	int rest = at, start[RANK];
	for (int d = RANK - 1; d >= 0; d--) {
		start[d] = rest % out_size[d] * stride[d] - pad[d];
		rest /= out_size[d];
	}
	K_CAT(k_a_, X) result = 0;
	int count = 0, best = -1, best_column_order = 0;
	for (int t = 0; t < TAPS; t++) {
		int left = t, place = 0, step = 1, inside = 1, counted = 1, column_step = 1, column_place = 0;
		int coordinate[RANK];
		for (int d = RANK - 1; d >= 0; d--) {
			const int i = start[d] + left % taps[d] * dilation[d];
			coordinate[d] = i;
			inside &= i >= 0 && i < in_size[d];
			counted &= i >= -pad[d] && i < in_size[d] + pad_end[d];
			place += i * step;
			step *= in_size[d];
			left /= taps[d];
		}
		for (int d = 0; d < RANK; d++) {
			column_place += coordinate[d] * column_step;
			column_step *= in_size[d];
		}
		if (KIND == 2 && counted) count++;
		if (!inside) continue;
		const K_CAT(k_a_, X) value = K_CAT(k_load_, X)(x, rest * IN_TOTAL + place);
		if (KIND == 0) {
			if (best < 0 || value > result || value != value) {
				result = value;
				best = place;
				best_column_order = column_place;
			}
		} else {
			result += value;
			if (KIND == 1) count++;
		}
	}
	if (KIND != 0) result = result / (K_CAT(k_a_, X))(count > 0 ? count : 1);
	K_CAT(k_store_, X)(y, at, result);
	if (INDICES) indices[at] = rest * IN_TOTAL + (COLUMN_ORDER ? best_column_order : best);
}
