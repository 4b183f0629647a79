/* halyard help: the program, one command, the man page, shell completion. */
#include "cmd.h"
#include "help.h"
#include "report.h"
#include "suggest.h"

#include <string.h>

tool_exit tool_cmd_help(const tool_options *options)
{
	if (options->man) {
		tool_man_page(stdout);
		return TOOL_EXIT_OK;
	}
	if (options->completion != NULL) {
		if (tool_options_is(options->completion, "bash"))
			tool_completion_bash(stdout);
		else
			tool_completion_zsh(stdout);
		return TOOL_EXIT_OK;
	}
	if (options->operand_count == 0) {
		tool_help_program(stdout);
		return TOOL_EXIT_OK;
	}
	const char *names[TOOL_COMMAND_COUNT];
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++) {
		names[i] = tool_options_commands[i].name;
		if (strcmp(names[i], options->operands[0]) == 0) {
			tool_help_command(stdout, (tool_command)i);
			return TOOL_EXIT_OK;
		}
	}
	const char *near = tool_suggest(options->operands[0], TOOL_COMMAND_COUNT, names);
	return tool_report(TOOL_EXIT_USAGE, "help: no command '%s'%s%s", options->operands[0],
	                   near != NULL ? "; did you mean " : "; see halyard help", near != NULL ? near : "");
}
