/* Running sums along the axis that `axis` holds. One work-item per element; the first of a line makes the line. */
K_KERNEL void NAME(K_IN(x), K_IN(axis), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_READ(K_CAT(k_s_, I), axis);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int size[] = SIZE, strides[] = STRIDE;
	int along = (int)axis[0];
	along = clamp(along < 0 ? along + RANK : along, 0, RANK - 1);
	const int length = size[along], stride = strides[along];
	if (at / stride % length != 0) return;
	K_CAT(k_a_, X) sum = 0;
	for (int i = 0; i < length; i++) {
		const int place = at + (REVERSE ? length - 1 - i : i) * stride;
		const K_CAT(k_a_, X) value = K_CAT(k_load_, X)(x, place);
		if (EXCLUSIVE) K_CAT(k_store_, X)(y, place, sum);
		sum += value;
		if (!EXCLUSIVE) K_CAT(k_store_, X)(y, place, sum);
	}
}
