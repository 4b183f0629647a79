/* The elementwise kernels for AVX512. */
#define HY_CPU_VECTOR_TABLE hy_cpu_vector_avx512
#include "cpu_vector_body.h"
