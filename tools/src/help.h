/* What `halyard help` prints: usage, man page and shell completion, all written from options.def. */
#ifndef TOOL_HELP_H
#define TOOL_HELP_H

#include "options.h"

#include <stdio.h>

void tool_help_program(FILE *to);
void tool_help_command(FILE *to, tool_command command);

/* halyard(1) in man(7) macros. */
void tool_man_page(FILE *to);

/* A completion script for bash or zsh. */
void tool_completion_bash(FILE *to);
void tool_completion_zsh(FILE *to);

#endif
