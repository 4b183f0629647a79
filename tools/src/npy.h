/* NumPy's .npy files, versions 1.0 to 3.0: little-endian, C order, numbers and booleans.
 * Format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef TOOL_NPY_H
#define TOOL_NPY_H

#include "array.h"

/* name is for messages. INVALID says what is wrong and what numpy call makes it right. */
hy_status tool_npy_parse(const char *name, const void *bytes, size_t length, hy_ir_tensor *out_array, hy_error *error);
hy_status tool_npy_read(const char *path, hy_ir_tensor *out_array, hy_error *error);

/* bf16, which NumPy does not have, is written as f32. */
hy_status tool_npy_write(const char *path, const hy_ir_tensor *array, hy_error *error);

#endif
