/* Slices of INNER elements, each chosen by a row of DEPTH indices; one element per work-item. */
K_KERNEL void NAME(K_IN(x), K_IN(indices), K_OUT(y))
{
	K_READ(TYPE, x);
	K_READ(long, indices);
	K_WRITE(TYPE, y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int size[] = SIZE, stride[] = STRIDE;
	const int row = at / INNER;
	int from = row / ROWS * BATCH_STRIDE + at % INNER;
	for (int d = 0; d < DEPTH; d++) {
		int chosen = (int)indices[row * DEPTH + d];
		chosen = clamp(chosen < 0 ? chosen + size[d] : chosen, 0, size[d] - 1);
		from += chosen * stride[d];
	}
	y[at] = x[from];
}
