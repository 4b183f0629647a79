/* Chooses the elementwise kernels. The AVX2 and AVX-512 files are compiled for x86 only. */
#include "cpu_vector.h"

const hy_cpu_vector_fn *hy_cpu_vector(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		return hy_cpu_vector_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return hy_cpu_vector_avx2;
#endif
	return hy_cpu_vector_plain;
}
