/* Opening the machine the way every command does. */
#ifndef TOOL_MACHINE_H
#define TOOL_MACHINE_H

#include "exit.h"
#include "options.h"

#include <halyard/halyard.h>

/* On failure the reason was reported. quiet: the plugins' log is left out, for commands that show the reasons. */
tool_exit tool_machine_open(const tool_options *options, bool quiet, hy_hal_machine **out_machine);

/* Selects by --device; on failure the reason was reported. */
tool_exit tool_machine_select(const hy_hal_machine *machine, const char *selector, hy_hal_selection *out_selection);

/* The folder for measured costs and compiled kernels, in the caller's text; "" when the environment names none. */
void tool_machine_cache_dir(char *text, size_t length);

#endif
