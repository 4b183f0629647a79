/* Places in the arena: each storage, largest first, goes to the lowest gap between those that live at the same time.
 * In launch order a small one would settle where a large one must go later. */
#include "lower.h"

#include <stdlib.h>

static int larger_first(const void *left, const void *right)
{
	const hy_kernels__storage *a = *(hy_kernels__storage *const *)left;
	const hy_kernels__storage *b = *(hy_kernels__storage *const *)right;
	if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
	return a < b ? -1 : 1;
}

static int lower_first(const void *left, const void *right)
{
	const hy_kernels__storage *a = *(hy_kernels__storage *const *)left;
	const hy_kernels__storage *b = *(hy_kernels__storage *const *)right;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* busy: scratch for count pointers. */
static void settle(hy_kernels__storage *const *placed, uint32_t count, hy_kernels__storage *storage,
                   hy_kernels__storage **busy)
{
	uint32_t busy_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (placed[i]->first <= storage->last && storage->first <= placed[i]->last)
			busy[busy_count++] = placed[i];
	qsort(busy, busy_count, sizeof(*busy), lower_first);
	uint64_t at = 0;
	for (uint32_t i = 0; i < busy_count; i++) {
		if (busy[i]->offset >= at + storage->bytes) break;
		if (busy[i]->offset + busy[i]->bytes > at) at = busy[i]->offset + busy[i]->bytes;
	}
	storage->offset = at;
}

void hy_kernels__arena(hy_kernels__lower *lower)
{
	hy_kernels__storage **order = malloc(2 * ((size_t)lower->storage_count + 1) * sizeof(*order));
	if (order == NULL) {
		lower->failed = true;
		return;
	}
	uint32_t count = 0;
	for (uint32_t i = 0; i < lower->storage_count; i++) {
		hy_kernels__storage *storage = &lower->storages[i];
		if (storage->kind != HY_KERNELS_ARENA || storage->first > storage->last) continue;
		storage->bytes = (storage->bytes + 63) / 64 * 64;
		order[count++] = storage;
	}
	qsort(order, count, sizeof(*order), larger_first);
	uint64_t end = 0;
	for (uint32_t i = 0; i < count; i++) {
		settle(order, i, order[i], order + count);
		if (order[i]->offset + order[i]->bytes > end) end = order[i]->offset + order[i]->bytes;
	}
	lower->program->arena_bytes = end;
	free(order);
}
