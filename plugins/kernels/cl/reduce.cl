/* Reduction over any set of axes, one output element per work-item. KEPT_SIZE and KEPT_STRIDE walk the output,
 * GONE_SIZE and GONE_STRIDE what is summed up. KIND: the operators in the order of reduce.c. Sixteen partial results
 * run beside each other when the innermost axis goes. */
#define ACC K_CAT(k_a_, X)
#define STEP(result, value)                                                               \
	(KIND == SUM || KIND == MEAN || KIND == LOG_SUM ? (result) + (value)              \
	 : KIND == PROD                                 ? (result) * (value)              \
	 : KIND == MAX                                  ? ((value) > (result) || (value) != (value) ? (value) : (result)) \
	 : KIND == MIN                                  ? ((value) < (result) || (value) != (value) ? (value) : (result)) \
	 : KIND == L1                                   ? (result) + ((value) < 0 ? 0 - (value) : (value)) \
							: (result) + (value) * (value))
#define JOIN(result, value)                                                               \
	(KIND == PROD  ? (result) * (value)                                               \
	 : KIND == MAX ? ((value) > (result) || (value) != (value) ? (value) : (result))  \
	 : KIND == MIN ? ((value) < (result) || (value) != (value) ? (value) : (result))  \
		       : (result) + (value))
K_KERNEL void NAME(K_IN(x), K_OUT(y))
{
	K_READ(K_CAT(k_s_, X), x);
	K_WRITE(K_CAT(k_s_, X), y);
	const int at = K_GID(0);
	if (at >= TOTAL) return;
	const int kept_size[] = KEPT_SIZE, kept_stride[] = KEPT_STRIDE, gone_size[] = GONE_SIZE, gone_stride[] = GONE_STRIDE;
	int rest = at, base = 0;
	for (int d = KEPT_RANK - 1; d >= 0; d--) {
		base += rest % kept_size[d] * kept_stride[d];
		rest /= kept_size[d];
	}
	ACC result = FIRST;
	if (GONE_RANK == 1 && gone_stride[0] == 1 && GONE >= 16) {
		ACC part[16];
		for (int lane = 0; lane < 16; lane++)
			part[lane] = FIRST;
		int i = 0;
		for (; i + 16 <= GONE; i += 16)
			for (int lane = 0; lane < 16; lane++) {
				const ACC value = K_CAT(k_load_, X)(x, base + i + lane);
				part[lane] = STEP(part[lane], value);
			}
		for (; i < GONE; i++) {
			const ACC value = K_CAT(k_load_, X)(x, base + i);
			result = STEP(result, value);
		}
		for (int lane = 0; lane < 16; lane++)
			result = JOIN(result, part[lane]);
	} else {
		for (int i = 0; i < GONE; i++) {
			int left = i, place = base;
			for (int d = GONE_RANK - 1; d >= 0; d--) {
				place += left % gone_size[d] * gone_stride[d];
				left /= gone_size[d];
			}
			const ACC value = K_CAT(k_load_, X)(x, place);
			result = STEP(result, value);
		}
	}
	if (KIND == MEAN) result = result / (ACC)GONE;
	FINISH
	K_CAT(k_store_, X)(y, at, result);
}
#undef ACC
#undef STEP
#undef JOIN
