/* The elementwise kernels for any machine. */
#define HY_CPU_VECTOR_TABLE hy_cpu_vector_plain
#include "cpu_vector_body.h"
