/* Slices along one axis, chosen by indices; one row of INNER elements per work-item. */
K_KERNEL void NAME(K_IN(x), K_IN(indices), K_OUT(y))
{
	K_READ(TYPE, x);
	K_READ(K_CAT(k_s_, I), indices);
	K_WRITE(TYPE, y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int row = at / PARTS, part = at % PARTS * LENGTH;
	int chosen = (int)indices[row % COUNT];
	chosen = clamp(chosen < 0 ? chosen + AXIS : chosen, 0, AXIS - 1);
	const int from = (row / COUNT * AXIS + chosen) * INNER + part, to = row * INNER + part;
	for (int i = 0; i < LENGTH; i++)
		y[to + i] = x[from + i];
}
