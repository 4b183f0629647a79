/* y[b] = ALPHA * A[b] x B[b] + BETA * C in f32. A work-item makes ROWS rows of VECTORS * 16 columns in registers.
 * PACKED: B lies in panels [panel][k][VECTORS * 16]; else in rows of b_row floats. The last panel is moved back to
 * end at column n, so that only matrices of fewer than 16 columns have a rest (TAIL of them; 0: none). */
K_KERNEL void NAME(K_IN(a), K_IN(b), K_IN(c), K_OUT(y), const int m, const int n, const int depth, const int a_row,
                   const int a_column, const int b_row, const int c_row FUSED_PARAMS)
{
	K_READ(float, a);
	K_READ(float, b);
	K_READ(float, c);
	K_WRITE(float, y);
	FUSED_READ
	const int i0 = min(K_GID(0) * ROWS, m - ROWS), panel = K_GID(1);
	const int j0 = TAIL > 0 ? 0 : min(panel * VECTORS * 16, n - VECTORS * 16);
	const int size[] = BATCH, a_step[] = A_BATCH, b_step[] = B_BATCH, c_step[] = C_BATCH;
	int rest = K_GID(2), a_at = i0 * a_row, b_at = 0, c_at = i0 * c_row;
	for (int d = BATCH_RANK - 1; d >= 0; d--) {
		a_at += rest % size[d] * a_step[d];
		b_at += rest % size[d] * b_step[d];
		c_at += rest % size[d] * c_step[d];
		rest /= size[d];
	}
	K_G const float *ap = a + a_at;
	K_G const float *bp = PACKED ? b + (long)panel * depth * VECTORS * 16 : b + b_at + j0;
	const int step = PACKED ? VECTORS * 16 : b_row;

	float16 sum[ROWS][VECTORS];
	K_UNROLL for (int i = 0; i < ROWS; i++)
	{
		K_UNROLL for (int j = 0; j < VECTORS; j++) sum[i][j] = (float16)0.0f;
	}
	_Pragma("unroll 1") for (int k = 0; k < depth; k++, ap += a_column, bp += step)
	{
		float16 row[VECTORS];
		K_UNROLL for (int j = 0; j < VECTORS; j++) row[j] = vload16(j, bp);
		K_UNROLL for (int i = 0; i < ROWS; i++)
		{
			const float16 scale = (float16)ap[i * a_row];
			K_UNROLL for (int j = 0; j < VECTORS; j++) sum[i][j] = fma(scale, row[j], sum[i][j]);
		}
	}
	K_UNROLL for (int i = 0; i < ROWS; i++)
	{
		K_UNROLL for (int j = 0; j < VECTORS; j++)
		{
			const int line = K_GID(2) * m + i0 + i, column = j0 + j * 16;
			K_G float *to = y + line * n + column;
			float16 value = sum[i][j];
			if (SCALED) value *= ALPHA;
			if (TAIL == 0) {
				if (HAS_C == 1) value += BETA * (float16)c[c_at + i * c_row];
				if (HAS_C == 2) value += BETA * vload16(0, c + c_at + i * c_row + column);
				vstore16(FUSED(value, line, column FUSED_ARGS), 0, to);
			} else {
				float lanes[16];
				vstore16(value, 0, lanes);
				for (int lane = 0; lane < TAIL; lane++) {
					float one = lanes[lane];
					if (HAS_C == 1) one += BETA * c[c_at + i * c_row];
					if (HAS_C == 2) one += BETA * c[c_at + i * c_row + lane];
					to[lane] = FUSED_ONE(one, line, lane FUSED_ARGS);
				}
			}
		}
	}
}
