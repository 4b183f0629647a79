/* Queues and the way back of their completions. */
#ifndef HY_HAL_QUEUE_H
#define HY_HAL_QUEUE_H

#include "ticket.h"

/* Tells the submitter how a ticket that was just taken ended. done comes from the plugin. Threads: any. */
void hy_hal__queue_complete(const hy_hal__ticket *ticket, uint64_t number, const hy_done *done);

#endif
