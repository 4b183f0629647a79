/* Element types. Values are those of ONNX's TensorProto.DataType. */
#ifndef HALYARD_DTYPE_H
#define HALYARD_DTYPE_H

#include <halyard/status.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, value, bits, text) */
#define HY_DTYPE_LIST(X)          \
	X(F32, 1, 32, "f32")      \
	X(U8, 2, 8, "u8")         \
	X(I8, 3, 8, "i8")         \
	X(U16, 4, 16, "u16")      \
	X(I16, 5, 16, "i16")      \
	X(I32, 6, 32, "i32")      \
	X(I64, 7, 64, "i64")      \
	X(STRING, 8, 0, "string") \
	X(BOOL, 9, 8, "bool")     \
	X(F16, 10, 16, "f16")     \
	X(F64, 11, 64, "f64")     \
	X(U32, 12, 32, "u32")     \
	X(U64, 13, 64, "u64")     \
	X(BF16, 16, 16, "bf16")

typedef uint32_t hy_dtype;
enum {
	HY_DTYPE_NONE = 0,
#define X(name, value, bits, text) HY_DTYPE_##name = (value),
	HY_DTYPE_LIST(X)
#undef X
};

/* Bits of one element; 0 for STRING and for values that do not exist. Threads: any. */
uint32_t hy_dtype_bits(hy_dtype dtype);

/* "f32", "i64", ...; "?" for values that do not exist. Threads: any. */
const char *hy_dtype_name(hy_dtype dtype);

/* The dtype of that name, or HY_DTYPE_NONE. Threads: any. */
hy_dtype hy_dtype_from_name(const char *name);

/* F16, BF16, F32, F64. */
bool hy_dtype_is_float(hy_dtype dtype);

/* IEEE binary16 and bfloat16, stored in 16 bits, to and from float; to 16 bits rounds to nearest, ties to even. */
float hy_f16_to_float(uint16_t half);
uint16_t hy_f16_from_float(float value);
float hy_bf16_to_float(uint16_t half);
uint16_t hy_bf16_from_float(float value);

#ifdef __cplusplus
}
#endif
#endif
