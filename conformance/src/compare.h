/* Whether a plugin's output is what the oracle says. */
#ifndef HY_CONFORM_PRIVATE_COMPARE_H
#define HY_CONFORM_PRIVATE_COMPARE_H

#include "target.h"
#include "tensor.h"

typedef enum tolerance_id {
#define TOLERANCE(name, factor, root) TOLERANCE_##name,
#include "tolerances.def"
#undef TOLERANCE
	TOLERANCE_COUNT
} tolerance_id;

/* The least and the greatest number of the type that holds for element i; NaN: only NaN does. */
void conform__compare_range(const tensor *expected, int64_t i, tolerance_id tolerance, double *out_low,
                            double *out_high);

/* got: tensor_bytes of expected. True when every element is within bounds; else out_difference has those that are not. */
bool conform__compare(const tensor *expected, const void *got, tolerance_id tolerance,
                      hy_conform_difference *out_difference);

/* The same in a case, which fails unless the elements are within bounds: "<what>: element [..] is .., expected .. within
 * ..", with the difference as a record. what is made by printf. */
bool conform__compare_in(conform_run *run, const tensor *expected, const void *got, tolerance_id tolerance,
                         const char *what, ...) HY_PRINTF(5, 6);

/* The names of the HY_EXE_* arithmetic among flags: "tf32, denormals flushed"; "" for that of the element types. */
void conform__compare_arithmetic(uint32_t flags, char *out_text, size_t length);

/* One value just inside and one just outside of every tolerance, for the types in use; run at every start. NULL when the
 * comparator can be trusted, else what is wrong. */
const char *conform__compare_self_test(void);

#endif
