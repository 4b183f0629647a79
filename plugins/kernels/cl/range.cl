/* start, start + delta, ..., one element per work-item. */
K_KERNEL void NAME(K_IN(start), K_IN(delta), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), start);
	K_READ(K_CAT(k_s_, X), delta);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const K_CAT(k_a_, X) value = K_CAT(k_load_, X)(start, 0) + at * K_CAT(k_load_, X)(delta, 0);
	K_CAT(k_store_, X)(y, at, value);
}
