/* y[b] = ALPHA * A[b] x B[b] + BETA * C, any type, one element per work-item. Strides are in elements. */
K_KERNEL void NAME(K_IN(a), K_IN(b), K_IN(c), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), a);
	K_READ(K_CAT(k_s_, X), b);
	K_READ(K_CAT(k_s_, X), c);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int j = at % N, i = at / N % M;
	const int size[] = BATCH, a_step[] = A_BATCH, b_step[] = B_BATCH;
	int rest = at / N / M, a_at = i * A_ROW, b_at = j * B_COLUMN;
	for (int d = BATCH_RANK - 1; d >= 0; d--) {
		a_at += rest % size[d] * a_step[d];
		b_at += rest % size[d] * b_step[d];
		rest /= size[d];
	}
	K_CAT(k_a_, X) sum = 0;
	for (int k = 0; k < K; k++)
		sum += K_CAT(k_load_, X)(a, a_at + k * A_COLUMN) * K_CAT(k_load_, X)(b, b_at + k * B_ROW);
	if (SCALED) sum *= (K_CAT(k_a_, X))ALPHA;
	if (HAS_C) sum += K_CAT(k_load_, X)(c, i * C_ROW + j * C_COLUMN) * (K_CAT(k_a_, X))BETA;
	K_CAT(k_store_, X)(y, at, sum);
}
