/* Elements from one strided place to another: rows of INNER elements, one per work-item. */
K_KERNEL void NAME(K_IN(x), K_OUT(y))
{
	K_READ(TYPE, x);
	K_WRITE(TYPE, y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int size[] = SIZE, from_stride[] = FROM_STRIDE, to_stride[] = TO_STRIDE;
	int rest = at, from = FROM_BASE, to = TO_BASE;
	K_UNROLL for (int d = RANK - 1; d >= 0; d--)
	{
		const int i = d == 0 ? rest : rest % size[d];
		rest /= size[d];
		from += i * from_stride[d];
		to += i * to_stride[d];
	}
	for (int i = 0; i < INNER; i++)
		y[to + i * TO_INNER] = x[from + i * FROM_INNER];
}
