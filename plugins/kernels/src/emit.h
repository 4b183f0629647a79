/* What emit.c keeps of each kernel. */
#ifndef HY_KERNELS_EMIT_H
#define HY_KERNELS_EMIT_H

#include "lower.h"

struct hy_kernels__kernel {
	hy_kernels__text text; /* without its name: equal texts are one kernel */
};

#endif
