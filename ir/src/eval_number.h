/* Elements of every type as double or as 64-bit integers. */
#ifndef HY_IR_PRIVATE_EVAL_NUMBER_H
#define HY_IR_PRIVATE_EVAL_NUMBER_H

#include <halyard/dtype.h>

#include <stddef.h>

/* Element `index` of a dense array. Integers and bool are exact up to 2^53. */
double hy_ir__read_real(hy_dtype dtype, const void *data, int64_t index);
/* An integer or bool element; u64 beyond INT64_MAX is the same bits. */
int64_t hy_ir__read_whole(hy_dtype dtype, const void *data, int64_t index);

/* count elements from `index` on, `stride` elements apart. */
void hy_ir__read_reals(hy_dtype dtype, const void *data, int64_t index, int64_t stride, int64_t count, double *out);
void hy_ir__read_wholes(hy_dtype dtype, const void *data, int64_t index, int64_t stride, int64_t count, int64_t *out);

/* Floats are rounded once, to nearest even. Into an integer type a real is cut and held within its range, NaN is 0. */
void hy_ir__write_reals(hy_dtype dtype, void *data, int64_t index, int64_t count, const double *in);
/* Wraps to the width of the type. Into bool: not 0. Into a float type it rounds once; unsigned: `in` holds uint64_t. */
void hy_ir__write_wholes(hy_dtype dtype, void *data, int64_t index, int64_t count, const int64_t *in);
void hy_ir__write_wholes_unsigned(hy_dtype dtype, void *data, int64_t index, int64_t count, const int64_t *in);

#endif
