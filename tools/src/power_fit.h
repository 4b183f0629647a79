/* Times over sizes as one formula. */
#ifndef TOOL_POWER_FIT_H
#define TOOL_POWER_FIT_H

#include <stdint.h>

/* ns = a * size^b + c, all of them at least 0. */
typedef struct tool_power_fit {
	double a, b, c;
	double error; /* root mean square of what it is off by, as a part of the time */
} tool_power_fit;

/* Least squares of relative errors. count >= 4, sizes and times above 0. */
tool_power_fit tool_power_fit_of(uint32_t count, const double *sizes, const double *times_ns);

#endif
