/* The upper or lower triangle of each matrix, one element per work-item. */
K_KERNEL void NAME(K_IN(x), K_IN(shift), K_OUT(y))
{
	K_READ(TYPE, x);
	K_READ(long, shift);
	K_WRITE(TYPE, y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const long k = HAS_SHIFT ? shift[0] : 0;
	const int j = at % COLUMNS, i = at / COLUMNS % ROWS;
	y[at] = (UPPER ? j - i >= k : j - i <= k) ? x[at] : (TYPE)0;
}
