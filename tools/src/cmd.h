/* The commands: cmd_<name>.c each, dispatched by main.c. */
#ifndef TOOL_CMD_H
#define TOOL_CMD_H

#include "exit.h"
#include "options.h"

#define COMMAND(name, min, max, operands, help) tool_exit tool_cmd_##name(const tool_options *options);
#include "options.def"
#undef COMMAND

#endif
