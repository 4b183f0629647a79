/* Tensors that the program owns: 64-byte aligned, so that devices may use them in place. */
#ifndef TOOL_ARRAY_H
#define TOOL_ARRAY_H

#include <halyard/ir.h>

#define TOOL_ARRAY_ALIGN 64

/* Zeroed memory for a static type. INVALID: a type without fixed element size. */
hy_status tool_array_create(const hy_ir_type *type, hy_ir_tensor *out_array, hy_error *error);
void tool_array_destroy(hy_ir_tensor *array);

/* Standard normal numbers for floats, 0 or 1 for the rest; the same seed gives the same numbers. */
void tool_array_randomise(hy_ir_tensor *array, uint64_t seed);

/* Element i as a number; 0 for types that are none. */
double tool_array_number(const hy_ir_tensor *array, int64_t i);

#endif
