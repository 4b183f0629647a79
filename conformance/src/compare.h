/* Whether a plugin's output is what the oracle says. */
#ifndef HY_CONFORM_PRIVATE_COMPARE_H
#define HY_CONFORM_PRIVATE_COMPARE_H

#include "tensor.h"

typedef enum tolerance_id {
#define TOLERANCE(name, factor, root) TOLERANCE_##name,
#include "tolerances.def"
#undef TOLERANCE
	TOLERANCE_COUNT
} tolerance_id;

/* got: tensor_bytes of expected. True when every element is within bounds; else text says the first that is not: index,
 * got, expected, bound and how it came about, and how many of how many differ. */
bool conform__compare(const tensor *expected, const void *got, tolerance_id tolerance, char *text, size_t length);

/* One value just inside and one just outside of every tolerance, for the types in use; run at every start. NULL when the
 * comparator can be trusted, else what is wrong. */
const char *conform__compare_self_test(void);

#endif
