/* A binary heap of numbers by key. */
#include "heap.h"

static bool before(const hy_sched__heap_item *a, const hy_sched__heap_item *b)
{
	return a->key != b->key ? a->key < b->key : a->number < b->number;
}

void hy_sched__heap_push(hy_sched__heap *heap, double key, uint32_t number)
{
	const hy_sched__heap_item fresh = {key, number};
	uint32_t at = heap->count++;
	for (; at > 0 && before(&fresh, &heap->items[(at - 1) / 2]); at = (at - 1) / 2)
		heap->items[at] = heap->items[(at - 1) / 2];
	heap->items[at] = fresh;
}

hy_sched__heap_item hy_sched__heap_pop(hy_sched__heap *heap)
{
	const hy_sched__heap_item first = heap->items[0], last = heap->items[--heap->count];
	uint32_t at = 0;
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= heap->count) break;
		if (child + 1 < heap->count && before(&heap->items[child + 1], &heap->items[child])) child++;
		if (!before(&heap->items[child], &last)) break;
		heap->items[at] = heap->items[child];
		at = child;
	}
	if (heap->count > 0) heap->items[at] = last;
	return first;
}
