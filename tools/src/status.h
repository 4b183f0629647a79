/* What a running session is doing, published in a file for `halyard top`. */
#ifndef TOOL_STATUS_H
#define TOOL_STATUS_H

#include "exit.h"
#include "options.h"

#include <halyard/halyard.h>

typedef struct tool_status tool_status;

/* Writes the file of --status now and every half second until stop; nothing without it (out_status NULL). While it
 * does, nobody else may ask the session for its statistics. */
tool_exit tool_status_start(const tool_options *options, hy_sched_session *session, tool_status **out_status);
/* Writes it a last time, as ended. Accepts NULL. */
void tool_status_stop(tool_status *status);

#endif
