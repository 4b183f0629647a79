/* The workspace: storages whose steps don't overlap in time share memory. The largest are placed first, each at the
 * lowest offset that is free while it lives. */
#include "cpu_build.h"

#include <stdlib.h>

typedef struct block {
	uint64_t bytes;
	int64_t offset;
	uint32_t storage, first, last;
} block;

static int by_falling_bytes(const void *a, const void *b)
{
	const block *x = a, *y = b;
	if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
	return x->storage < y->storage ? -1 : 1;
}

static int by_offset(const void *a, const void *b)
{
	const block *const *x = a, *const *y = b;
	if ((*x)->offset != (*y)->offset) return (*x)->offset < (*y)->offset ? -1 : 1;
	return 0;
}

/* The lowest gap between the neighbours (sorted by offset) that are alive at the same time. */
static int64_t lowest_gap(const block *one, uint32_t count, block *const *placed)
{
	int64_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (placed[i]->last < one->first || placed[i]->first > one->last) continue;
		if (placed[i]->offset >= at + (int64_t)one->bytes) break;
		const int64_t end = placed[i]->offset + (int64_t)placed[i]->bytes;
		if (end > at) at = end;
	}
	return at;
}

hy_status hy_cpu_build_plan(hy_cpu_build *build, uint64_t *out_workspace_bytes, hy_error *error)
{
	uint32_t count = 0;
	uint64_t total = 0;
	block *blocks = malloc((build->storage_count + 1) * sizeof(*blocks));
	block **placed = malloc((build->storage_count + 1) * sizeof(*placed));
	if (blocks == NULL || placed == NULL) {
		free(blocks);
		free(placed);
		return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
	}
	for (uint32_t i = 0; i < build->storage_count; i++) {
		const hy_cpu_storage *storage = &build->storages[i];
		if (storage->base != HY_CPU_BASE_WORKSPACE || storage->first == HY_CPU_NONE) continue;
		blocks[count++] = (block){.bytes = (storage->bytes + HY_CPU_ALIGN - 1) / HY_CPU_ALIGN * HY_CPU_ALIGN,
		                          .storage = i,
		                          .first = storage->first,
		                          .last = storage->last};
	}
	qsort(blocks, count, sizeof(*blocks), by_falling_bytes);
	for (uint32_t i = 0; i < count; i++) {
		blocks[i].offset = lowest_gap(&blocks[i], i, placed);
		build->storages[blocks[i].storage].offset = blocks[i].offset;
		const uint64_t end = (uint64_t)blocks[i].offset + blocks[i].bytes;
		if (end > total) total = end;
		placed[i] = &blocks[i];
		qsort(placed, i + 1, sizeof(block *), by_offset);
	}
	free(blocks);
	free(placed);
	*out_workspace_bytes = total;
	return HY_OK;
}
