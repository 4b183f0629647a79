/* Whether the device still answers after a case that took its worker with it. */
#ifndef HY_CONFORM_PRIVATE_HEALTH_H
#define HY_CONFORM_PRIVATE_HEALTH_H

#include "supervisor.h"

enum { HEALTH_LOST_LIMIT = 3 };

typedef struct health {
	bool was_good; /* before the first case: else its silence says nothing */
	uint32_t lost_in_a_row;
} health;

/* Asks a fresh worker to open the device and move a few bytes. */
void conform__health_begin(health *self, supervisor *worker);
/* After a CRASH, a TIMEOUT or a DEVICE_LOST the device is asked again; that it is silent is added to the text. */
void conform__health_check(health *self, supervisor *worker, supervisor_result *result);
/* The device was gone after HEALTH_LOST_LIMIT cases in a row: the run is over. */
bool conform__health_is_lost(const health *self);

#endif
