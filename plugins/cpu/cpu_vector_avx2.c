/* The elementwise kernels for AVX2. */
#define HY_CPU_VECTOR_TABLE hy_cpu_vector_avx2
#include "cpu_vector_body.h"
