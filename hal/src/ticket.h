/* Tickets: who waits for a submission. A fixed table; a ticket is slot number and generation, so that a ticket that was
 * never given out, or was completed before, is recognised and never touches memory it should not. */
#ifndef HY_HAL_TICKET_H
#define HY_HAL_TICKET_H

#include <halyard/hal.h>

#include <stdatomic.h>

#define HY_HAL__TICKETS 4096u /* submissions in flight per plugin */

typedef struct hy_hal__ticket {
	hy_hal_queue *queue;
	hy_hal_done_fn on_done;
	void *payload;
} hy_hal__ticket;

typedef struct hy_hal__ticket_slot {
	_Atomic uint64_t state; /* generation * 2, + 1 while a completion is awaited */
	_Atomic uint32_t next; /* slot number + 1 of the next free slot; 0: none */
	_Atomic(hy_hal_queue *) queue;
	hy_hal_done_fn on_done;
	void *payload;
} hy_hal__ticket_slot;

typedef struct hy_hal__tickets {
	_Atomic uint64_t free; /* slot number + 1 of the first free slot (low half), a count against ABA (high half) */
	hy_hal__ticket_slot *slots;
} hy_hal__tickets;

hy_status hy_hal__tickets_init(hy_hal__tickets *tickets);
void hy_hal__tickets_finish(hy_hal__tickets *tickets);

/* A ticket that awaits its completion; 0 when all are in use. Threads: any. */
uint64_t hy_hal__tickets_give(hy_hal__tickets *tickets, const hy_hal__ticket *ticket);

/* True once per given ticket: the caller must now tell who waits. False for everything else. Threads: any. */
bool hy_hal__tickets_take(hy_hal__tickets *tickets, uint64_t number, hy_hal__ticket *out_ticket);

/* The number of one ticket of queue that awaits its completion; 0: none. Threads: any, no submission meanwhile. */
uint64_t hy_hal__tickets_of(hy_hal__tickets *tickets, const hy_hal_queue *queue);

#endif
