/* Second looks at a case that did not hold. */
#ifndef HY_CONFORM_PRIVATE_RETRY_H
#define HY_CONFORM_PRIVATE_RETRY_H

#include "supervisor.h"

/* Runs the case again, alone in a fresh worker. What differs then is FLAKY; where it holds alone and fails again after
 * the same cases in one worker, the one before it that it depends on is found and named. */
void conform__retry(supervisor *worker, const conform_case *item, supervisor_result *result);

#endif
