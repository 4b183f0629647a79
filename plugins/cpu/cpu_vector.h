/* Elementwise kernels over runs of floats, compiled once per instruction set and chosen at run time. */
#ifndef HY_CPU_VECTOR_H
#define HY_CPU_VECTOR_H

#include <stddef.h>

/* V(NAME, value from x, y, z (elements of up to three operands) and p, q (constants)) */
typedef enum hy_cpu_vector_op {
#define V(name, value) HY_CPU_VECTOR_##name,
#include "cpu_vector.def"
#undef V
	HY_CPU_VECTOR_COUNT
} hy_cpu_vector_op;

/* out may be one of the operands; beyond that they don't overlap. Operands that the op does not name may be NULL. */
typedef void (*hy_cpu_vector_fn)(float *out, const float *a, const float *b, const float *c, const float *constants,
                                 size_t count);

/* The kernels for this machine: HY_CPU_VECTOR_COUNT of them. Threads: any. */
const hy_cpu_vector_fn *hy_cpu_vector(void);

extern const hy_cpu_vector_fn hy_cpu_vector_plain[HY_CPU_VECTOR_COUNT];
extern const hy_cpu_vector_fn hy_cpu_vector_avx2[HY_CPU_VECTOR_COUNT];
extern const hy_cpu_vector_fn hy_cpu_vector_avx512[HY_CPU_VECTOR_COUNT];

#endif
