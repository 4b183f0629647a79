/* Elements that only change places: every such operator is a walk with two sets of strides. */
#include "handler.h"

#include <string.h>

void hy_kernels__strides(const hy_ir_type *type, int64_t strides[HY_MAX_RANK])
{
	int64_t step = 1;
	for (uint32_t d = type->rank; d-- > 0;) {
		strides[d] = step;
		step *= type->dim[d];
	}
}

/* Drops dimensions of 1 and merges neighbours that both sides walk through in one step. */
static void merge(hy_kernels__walk *walk)
{
	uint32_t rank = 0;
	for (uint32_t d = 0; d < walk->rank; d++) {
		if (walk->dim[d] == 1) continue;
		if (rank > 0 && walk->from_stride[rank - 1] == walk->from_stride[d] * walk->dim[d] &&
		    walk->to_stride[rank - 1] == walk->to_stride[d] * walk->dim[d]) {
			walk->dim[rank - 1] *= walk->dim[d];
			walk->from_stride[rank - 1] = walk->from_stride[d];
			walk->to_stride[rank - 1] = walk->to_stride[d];
			continue;
		}
		walk->dim[rank] = walk->dim[d];
		walk->from_stride[rank] = walk->from_stride[d];
		walk->to_stride[rank] = walk->to_stride[d];
		rank++;
	}
	if (rank == 0) {
		walk->dim[0] = 1;
		walk->from_stride[0] = walk->to_stride[0] = 1;
		rank = 1;
	}
	walk->rank = rank;
}

/* The last dimension is a row of one work-item on the CPU shape; a long one is cut first. */
static int64_t take_inner(hy_kernels__walk *walk, bool is_cpu)
{
	const uint32_t last = walk->rank - 1;
	int64_t inner = is_cpu ? walk->dim[last] : 1;
	const int64_t longest = 4096;
	while (inner > longest) {
		int64_t part = longest;
		while (inner % part != 0)
			part--;
		inner = part;
	}
	if (inner == walk->dim[last] && walk->rank > 1) {
		walk->rank--;
		return inner;
	}
	walk->dim[last] /= inner;
	walk->from_stride[last] *= inner;
	walk->to_stride[last] *= inner;
	return inner;
}

void hy_kernels__walk_emit(hy_kernels__lower *lower, uint32_t row, hy_kernels__walk *walk, hy_kernels__place from,
                           hy_kernels__place to)
{
	int64_t total = 1;
	for (uint32_t d = 0; d < walk->rank; d++)
		total *= walk->dim[d];
	if (total == 0) return;
	merge(walk);
	const bool is_cpu = lower->options->shape == HY_KERNELS_CPU;
	const int64_t from_inner = walk->from_stride[walk->rank - 1], to_inner = walk->to_stride[walk->rank - 1];
	const int64_t inner = take_inner(walk, is_cpu);
	const char *type = walk->element_bytes == 8   ? "ulong"
	                   : walk->element_bytes == 4 ? "uint"
	                   : walk->element_bytes == 2 ? "ushort"
	                                              : "uchar";
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "TYPE", "%s", type);
	hy_kernels__text_define(&defines, "TOTAL", "%lld", (long long)(total / inner));
	hy_kernels__text_define(&defines, "RANK", "%u", walk->rank);
	hy_kernels__text_define(&defines, "INNER", "%lld", (long long)inner);
	hy_kernels__text_define(&defines, "FROM_INNER", "%lld", (long long)from_inner);
	hy_kernels__text_define(&defines, "TO_INNER", "%lld", (long long)to_inner);
	hy_kernels__text_define(&defines, "FROM_BASE", "%lld", (long long)walk->from_base);
	hy_kernels__text_define(&defines, "TO_BASE", "%lld", (long long)walk->to_base);
	hy_kernels__define_list(&defines, "SIZE", walk->dim, walk->rank);
	hy_kernels__define_list(&defines, "FROM_STRIDE", walk->from_stride, walk->rank);
	hy_kernels__define_list(&defines, "TO_STRIDE", walk->to_stride, walk->rank);
	const uint32_t kernel = hy_kernels__kernel(lower, "walk", &defines, NULL);
	hy_kernels__launch(lower, kernel, row, (uint64_t)(total / inner), 1, 1,
	                   is_cpu ? 1 : lower->options->local_size);
	hy_kernels__pass(lower, from);
	hy_kernels__pass(lower, to);
}

void hy_kernels__copy(hy_kernels__lower *lower, hy_kernels__place from, hy_kernels__place to, uint64_t bytes)
{
	uint32_t width = 8;
	while (bytes % width != 0 || (from.offset | to.offset) % width != 0)
		width /= 2;
	hy_kernels__walk walk = {.rank = 1, .element_bytes = width, .dim = {(int64_t)(bytes / width)}};
	walk.from_stride[0] = walk.to_stride[0] = 1;
	hy_kernels__walk_emit(lower, HY_GRAPH_NONE, &walk, from, to);
}
