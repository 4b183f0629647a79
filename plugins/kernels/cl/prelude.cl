/* The dialect of the kernels, for OpenCL C 1.2. Element type X has a storage type k_s_X, a compute type k_c_X, an
 * accumulator type k_a_X, k_load_X(pointer, index) and k_store_X(pointer, index, value). */
#define K_KERNEL __kernel
#define K_FN static inline
#define K_G __global
#define K_GID(d) ((int)get_global_id(d))
#define K_UNROLL _Pragma("unroll")
#define K_CAT_(a, b) a##b
#define K_CAT(a, b) K_CAT_(a, b)

/* A pointer parameter is a buffer and an offset in bytes; K_READ and K_WRITE make the typed pointer of it. */
#define K_IN(name) K_G const uchar *restrict name##_buffer, const ulong name##_offset
#define K_OUT(name) K_G uchar *restrict name##_buffer, const ulong name##_offset
#define K_READ(type, name) K_G const type *restrict name = (K_G const type *)(name##_buffer + name##_offset)
#define K_WRITE(type, name) K_G type *restrict name = (K_G type *)(name##_buffer + name##_offset)

typedef int k_i;

#define k_s_f32 float
#define k_s_f16 ushort
#define k_s_bf16 ushort
#define k_s_i8 char
#define k_s_u8 uchar
#define k_s_i16 short
#define k_s_u16 ushort
#define k_s_i32 int
#define k_s_u32 uint
#define k_s_i64 long
#define k_s_u64 ulong
#define k_s_bool uchar

#define k_c_f32 float
#define k_c_f16 float
#define k_c_bf16 float
#define k_c_i8 char
#define k_c_u8 uchar
#define k_c_i16 short
#define k_c_u16 ushort
#define k_c_i32 int
#define k_c_u32 uint
#define k_c_i64 long
#define k_c_u64 ulong
#define k_c_bool uchar

#define k_a_f32 float
#define k_a_f16 float
#define k_a_bf16 float
#define k_a_i8 char
#define k_a_u8 uchar
#define k_a_i16 short
#define k_a_u16 ushort
#define k_a_i32 int
#define k_a_u32 uint
#define k_a_i64 long
#define k_a_u64 ulong
#define k_a_bool uchar

#define k_load_f32(p, i) ((p)[i])
#define k_load_f16(p, i) vload_half(i, (K_G const half *)(p))
#define k_load_bf16(p, i) as_float((uint)(p)[i] << 16)
#define k_load_i8(p, i) ((p)[i])
#define k_load_u8(p, i) ((p)[i])
#define k_load_i16(p, i) ((p)[i])
#define k_load_u16(p, i) ((p)[i])
#define k_load_i32(p, i) ((p)[i])
#define k_load_u32(p, i) ((p)[i])
#define k_load_i64(p, i) ((p)[i])
#define k_load_u64(p, i) ((p)[i])
#define k_load_bool(p, i) ((uchar)((p)[i] != 0))

#define k_store_f32(p, i, v) ((p)[i] = (v))
#define k_store_f16(p, i, v) vstore_half_rte(v, i, (K_G half *)(p))
#define k_store_bf16(p, i, v) ((p)[i] = k_bf16_bits(v))
#define k_store_i8(p, i, v) ((p)[i] = (v))
#define k_store_u8(p, i, v) ((p)[i] = (v))
#define k_store_i16(p, i, v) ((p)[i] = (v))
#define k_store_u16(p, i, v) ((p)[i] = (v))
#define k_store_i32(p, i, v) ((p)[i] = (v))
#define k_store_u32(p, i, v) ((p)[i] = (v))
#define k_store_i64(p, i, v) ((p)[i] = (v))
#define k_store_u64(p, i, v) ((p)[i] = (v))
#define k_store_bool(p, i, v) ((p)[i] = (v) != 0)

#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define k_s_f64 double
#define k_c_f64 double
#define k_a_f64 double
#define k_load_f64(p, i) ((p)[i])
#define k_store_f64(p, i, v) ((p)[i] = (v))
#endif

K_FN ushort k_bf16_bits(float value)
{
	const uint bits = as_uint(value);
	if ((bits & 0x7fffffffu) > 0x7f800000u) return (ushort)(bits >> 16 | 0x40u);
	return (ushort)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/* What is left of a value once it was stored. */
K_FN float k_round_f16(float value)
{
	ushort bits;
	vstore_half_rte(value, 0, (half *)&bits);
	return vload_half(0, (const half *)&bits);
}

K_FN float k_round_bf16(float value)
{
	return as_float((uint)k_bf16_bits(value) << 16);
}

/* A real number cut to an integer, kept in range; NaN becomes 0. */
#define k_whole_i8(x) convert_char_sat(x)
#define k_whole_u8(x) convert_uchar_sat(x)
#define k_whole_i16(x) convert_short_sat(x)
#define k_whole_u16(x) convert_ushort_sat(x)
#define k_whole_i32(x) convert_int_sat(x)
#define k_whole_u32(x) convert_uint_sat(x)
#define k_whole_i64(x) convert_long_sat(x)
#define k_whole_u64(x) convert_ulong_sat(x)

/* Integers: division by 0 gives 0; the quotient that does not fit is left alone; Mod takes the divisor's sign. */
#define K_SIGNED(x, type)                                                                         \
	K_FN type k_div_##x(type a, type b)                                                       \
	{                                                                                         \
		return b == 0 ? (type)0 : b == (type)-1 ? (type)(0 - a) : (type)(a / b);          \
	}                                                                                         \
	K_FN type k_rem_##x(type a, type b)                                                       \
	{                                                                                         \
		return b == 0 || b == (type)-1 ? (type)0 : (type)(a % b);                         \
	}                                                                                         \
	K_FN type k_mod_##x(type a, type b)                                                       \
	{                                                                                         \
		const type rest = k_rem_##x(a, b);                                                \
		return rest != 0 && (rest < 0) != (b < 0) ? (type)(rest + b) : rest;              \
	}
#define K_UNSIGNED(x, type)                                                                       \
	K_FN type k_div_##x(type a, type b)                                                       \
	{                                                                                         \
		return b == 0 ? (type)0 : (type)(a / b);                                          \
	}                                                                                         \
	K_FN type k_rem_##x(type a, type b)                                                       \
	{                                                                                         \
		return b == 0 ? (type)0 : (type)(a % b);                                          \
	}                                                                                         \
	K_FN type k_mod_##x(type a, type b)                                                       \
	{                                                                                         \
		return k_rem_##x(a, b);                                                           \
	}
K_SIGNED(i8, char)
K_SIGNED(i16, short)
K_SIGNED(i32, int)
K_SIGNED(i64, long)
K_UNSIGNED(u8, uchar)
K_UNSIGNED(u16, ushort)
K_UNSIGNED(u32, uint)
K_UNSIGNED(u64, ulong)

/* Whole powers by squaring, as the integer type wraps. */
K_FN long k_pow_integer(long base, long exponent)
{
	if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
	ulong result = 1, factor = (ulong)base;
	for (; exponent > 0; exponent >>= 1, factor *= factor)
		if (exponent & 1) result *= factor;
	return (long)result;
}

/* Clears the halo of a plane beside row p: what lies before the first row when `first`, and what follows the row
 * when `last`. Counts are in floats. */
K_FN void k_halo(K_G float *plane, int p, int rows, int width, int row, int pad, int lanes, int first, int last)
{
	if (first && p == 0)
		for (int i = 0; i < (pad * row + pad) * lanes; i++)
			plane[i] = 0.0f;
	if (!last) return;
	K_G float *end = plane + ((pad + p) * row + pad + width) * lanes;
	const int count = (p == rows - 1 ? pad * row + pad : pad) * lanes;
	for (int i = 0; i < count; i++)
		end[i] = 0.0f;
}

/* The first `count` lanes; the others 0. */
K_FN float16 k_keep(float16 value, int count)
{
	const int16 lane = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	return lane < (int16)count ? value : (float16)0.0f;
}
