/* Moving elements without looking at them. */
#include "eval.h"

#include <string.h>

void hy_ir__copy_row(size_t width, void *target, int64_t target_at, int64_t target_step, const void *source,
                     int64_t source_at, int64_t source_step, int64_t count)
{
	if (count == 0) return;
	if (target_step == 1 && source_step == 1) {
		memcpy((char *)target + (size_t)target_at * width, (const char *)source + (size_t)source_at * width,
		       (size_t)count * width);
		return;
	}
	switch (width) {
#define COPY(bytes, type)                                                          \
	case bytes:                                                                \
		for (int64_t i = 0; i < count; i++)                                \
			((type *)target)[target_at + i * target_step] = ((         \
				const type *)source)[source_at + i * source_step]; \
		return;
		COPY(1, uint8_t)
		COPY(2, uint16_t)
		COPY(4, uint32_t)
		COPY(8, uint64_t)
#undef COPY
	}
}

void hy_ir__copy_walk(hy_ir__walk *walk, size_t width, void *target, const void *source)
{
	for (; walk->more; hy_ir__walk_next(walk))
		hy_ir__copy_row(width, target, walk->offset[0], walk->step[0], source, walk->offset[1], walk->step[1],
		                walk->length);
}

void hy_ir__fill(const hy_ir_tensor *out, const void *element)
{
	hy_ir__copy_row(hy_ir__width(&out->type), out->data, 0, 1, element, 0, 0, hy_ir_type_elements(&out->type));
}

/* The last axis of one row: from source_at on through its map, or fill alone where source_at is -1. */
static void copy_mapped_row(size_t width, char *target, const char *source, int64_t source_at, const int64_t *map,
                            int64_t count, const void *fill)
{
	for (int64_t i = 0; i < count; i++, target += width) {
		const bool inside = source_at >= 0 && map[i] >= 0;
		memcpy(target, inside ? source + (size_t)(source_at + map[i]) * width : fill, width);
	}
}

void hy_ir__copy_mapped(const hy_ir_tensor *in, const hy_ir_tensor *out, int64_t *const *map, const void *fill)
{
	const uint32_t rank = out->type.rank;
	const size_t width = hy_ir__width(&out->type);
	const int64_t zero = 0;
	int64_t stride[HY_MAX_RANK], at[HY_MAX_RANK] = {0};
	hy_ir__strides(rank, in->type.dim, stride);
	const int64_t length = rank > 0 ? out->type.dim[rank - 1] : 1;
	const int64_t rows = length > 0 ? hy_ir_type_elements(&out->type) / length : 0;
	char *target = out->data;
	for (int64_t row = 0; row < rows; row++, target += (size_t)length * width) {
		int64_t source_at = 0;
		for (uint32_t i = 0; i + 1 < rank && source_at >= 0; i++)
			source_at = map[i][at[i]] < 0 ? -1 : source_at + map[i][at[i]] * stride[i];
		copy_mapped_row(width, target, in->data, source_at, rank > 0 ? map[rank - 1] : &zero, length, fill);
		for (uint32_t i = rank > 0 ? rank - 1 : 0; i-- > 0;) {
			if (++at[i] < out->type.dim[i]) break;
			at[i] = 0;
		}
	}
}
