/* What the program says besides its answer: errors, notes and progress, all on standard error. */
#ifndef TOOL_REPORT_H
#define TOOL_REPORT_H

#include "exit.h"
#include "options.h"

#include <stdarg.h>

/* "halyard: ..." and returns code, so that `return tool_report(...)` is one statement. */
tool_exit tool_report(tool_exit code, const char *format, ...) HY_PRINTF(2, 3);
tool_exit tool_report_error(tool_exit code, const hy_error *error);

/* A line that --quiet leaves out. */
void tool_note(const tool_options *options, const char *format, ...) HY_PRINTF(2, 3);

/* One line that is rewritten in place on a terminal, and nothing elsewhere; fraction >= 1 removes it. payload: the
 * options. Fits hy_sched_progress_fn. */
void tool_progress(void *payload, const char *what, double fraction);

/* Receives the log of the HAL and of plugins; payload: the options. Fits hy_hal_log_fn. */
void tool_log(void *payload, int32_t level, const char *plugin, const char *text);

#endif
