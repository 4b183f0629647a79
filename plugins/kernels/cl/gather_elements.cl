/* Elements along one axis, each with an index of its own; one per work-item. */
K_KERNEL void NAME(K_IN(x), K_IN(indices), K_OUT(y))
{
	K_READ(TYPE, x);
	K_READ(K_CAT(k_s_, I), indices);
	K_WRITE(TYPE, y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int size[] = SIZE, stride[] = STRIDE;
	int rest = at, from = 0;
	int chosen = (int)indices[at];
	chosen = clamp(chosen < 0 ? chosen + LENGTH : chosen, 0, LENGTH - 1);
	for (int d = RANK - 1; d >= 0; d--) {
		from += (d == AXIS ? chosen : rest % size[d]) * stride[d];
		rest /= size[d];
	}
	y[at] = x[from];
}
