/* Whether the device still answers. */
#include "health.h"

#include <stdio.h>
#include <string.h>

static bool is_good(supervisor *worker)
{
	static supervisor_result result;
	const conform_case order = {.info = {.id = WORKER_PROBE}, .alone = true};
	conform__supervisor_stop(worker);
	conform__supervisor_run(worker, &order, &result);
	return result.status == HY_CONFORM_PASS;
}

void conform__health_begin(health *self, supervisor *worker)
{
	*self = (health){.was_good = is_good(worker)};
}

void conform__health_check(health *self, supervisor *worker, supervisor_result *result)
{
	const hy_conform_status status = result->status;
	const bool is_doubtful = status == HY_CONFORM_CRASH || status == HY_CONFORM_TIMEOUT ||
	                         status == HY_CONFORM_DEVICE_LOST || status == HY_CONFORM_FLAKY;
	if (!self->was_good) return;
	if (!is_doubtful || is_good(worker)) {
		self->lost_in_a_row = 0;
		return;
	}
	self->lost_in_a_row++;
	const size_t used = strlen(result->text);
	snprintf(result->text + used, sizeof(result->text) - used, "; the device does not answer a fresh worker");
}

bool conform__health_is_lost(const health *self)
{
	return self->lost_in_a_row >= HEALTH_LOST_LIMIT;
}
