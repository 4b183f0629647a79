/* The ticket table: a lock-free stack of free slots, and a generation per slot. */
#include "ticket.h"

#include <stdlib.h>

#define SLOT_BITS 16u
#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)

static uint64_t number_of(uint64_t state, uint32_t slot)
{
	return state >> 1 << SLOT_BITS | slot;
}

hy_status hy_hal__tickets_init(hy_hal__tickets *tickets)
{
	tickets->slots = calloc(HY_HAL__TICKETS, sizeof(*tickets->slots));
	if (tickets->slots == NULL) return HY_NO_MEMORY;
	for (uint32_t i = 0; i < HY_HAL__TICKETS; i++) {
		atomic_init(&tickets->slots[i].state, 2); /* generation 1: no ticket is 0 */
		atomic_init(&tickets->slots[i].next, i + 1 < HY_HAL__TICKETS ? i + 2 : 0);
	}
	atomic_init(&tickets->free, 1);
	return HY_OK;
}

void hy_hal__tickets_finish(hy_hal__tickets *tickets)
{
	free(tickets->slots);
	tickets->slots = NULL;
}

uint64_t hy_hal__tickets_give(hy_hal__tickets *tickets, const hy_hal__ticket *ticket)
{
	uint64_t head = atomic_load_explicit(&tickets->free, memory_order_acquire), rest;
	hy_hal__ticket_slot *slot;
	do {
		if ((uint32_t)head == 0) return 0;
		slot = &tickets->slots[(uint32_t)head - 1];
		rest = ((head >> 32) + 1) << 32 | atomic_load_explicit(&slot->next, memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(&tickets->free, &head, rest, memory_order_acquire,
	                                                memory_order_acquire));
	atomic_store_explicit(&slot->queue, ticket->queue, memory_order_relaxed);
	slot->on_done = ticket->on_done;
	slot->payload = ticket->payload;
	const uint64_t state = atomic_load_explicit(&slot->state, memory_order_relaxed);
	atomic_store_explicit(&slot->state, state | 1, memory_order_release);
	return number_of(state, (uint32_t)(slot - tickets->slots));
}

bool hy_hal__tickets_take(hy_hal__tickets *tickets, uint64_t number, hy_hal__ticket *out_ticket)
{
	const uint64_t index = number & SLOT_MASK;
	if (index >= HY_HAL__TICKETS) return false;
	hy_hal__ticket_slot *slot = &tickets->slots[index];
	uint64_t expected = number >> SLOT_BITS << 1 | 1;
	if (!atomic_compare_exchange_strong_explicit(&slot->state, &expected, expected + 1, memory_order_acquire,
	                                             memory_order_relaxed))
		return false;
	out_ticket->queue = atomic_load_explicit(&slot->queue, memory_order_relaxed);
	out_ticket->on_done = slot->on_done;
	out_ticket->payload = slot->payload;
	uint64_t head = atomic_load_explicit(&tickets->free, memory_order_relaxed), top;
	do {
		atomic_store_explicit(&slot->next, (uint32_t)head, memory_order_relaxed);
		top = ((head >> 32) + 1) << 32 | (uint32_t)(index + 1);
	} while (!atomic_compare_exchange_weak_explicit(&tickets->free, &head, top, memory_order_release,
	                                                memory_order_relaxed));
	return true;
}

uint64_t hy_hal__tickets_of(hy_hal__tickets *tickets, const hy_hal_queue *queue)
{
	for (uint32_t i = 0; i < HY_HAL__TICKETS; i++) {
		const uint64_t state = atomic_load_explicit(&tickets->slots[i].state, memory_order_acquire);
		if ((state & 1) != 0 && atomic_load_explicit(&tickets->slots[i].queue, memory_order_relaxed) == queue)
			return number_of(state, i);
	}
	return 0;
}
