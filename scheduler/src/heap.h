/* A binary heap of numbers by key, in storage of the caller. Equal keys come out by number, so that nothing depends on
 * the order of insertion. */
#ifndef HY_SCHED_HEAP_H
#define HY_SCHED_HEAP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hy_sched__heap_item {
	double key;
	uint32_t number;
} hy_sched__heap_item;

typedef struct hy_sched__heap {
	hy_sched__heap_item *items; /* lent; room for what is pushed is the caller's to know */
	uint32_t count;
} hy_sched__heap;

void hy_sched__heap_push(hy_sched__heap *heap, double key, uint32_t number);
/* The item of the least key. The heap is not empty. */
hy_sched__heap_item hy_sched__heap_pop(hy_sched__heap *heap);

#endif
