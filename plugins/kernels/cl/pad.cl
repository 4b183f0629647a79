/* An input with more or less at its ends, one output element per work-item.
 * MODE: 0 one value, 1 mirrored without its edge, 2 the edge again, 3 around. */
K_KERNEL void NAME(K_IN(x), K_IN(value), K_OUT(y))
{
	K_READ(TYPE, x);
	K_READ(TYPE, value);
	K_WRITE(TYPE, y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int in_size[] = IN, out_size[] = OUT, before[] = BEFORE, stride[] = STRIDE;
	int rest = at, from = 0, inside = 1;
	for (int d = RANK - 1; d >= 0; d--) {
		int i = rest % out_size[d] - before[d];
		rest /= out_size[d];
		if (MODE == 1)
			while (in_size[d] > 1 && (i < 0 || i >= in_size[d]))
				i = i < 0 ? -i : 2 * (in_size[d] - 1) - i;
		if (MODE == 3) i = (i % in_size[d] + in_size[d]) % in_size[d];
		if (MODE == 1 || MODE == 2) i = clamp(i, 0, in_size[d] - 1);
		inside &= i >= 0 && i < in_size[d];
		from += i * stride[d];
	}
	y[at] = inside ? x[from] : HAS_VALUE ? value[0] : (TYPE)0;
}
