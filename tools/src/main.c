/* halyard: reads the command line and hands over to a command. */
#include "cmd.h"
#include "help.h"
#include "report.h"

#include <stdio.h>

static tool_exit (*const commands[TOOL_COMMAND_COUNT])(const tool_options *) = {
#define COMMAND(name, min, max, operands, help) tool_cmd_##name,
#include "options.def"
#undef COMMAND
};

int main(int argc, char **argv)
{
	tool_options options;
	hy_error error;
	if (tool_options_parse(argc, argv, &options, &error) != HY_OK)
		return tool_report_error(TOOL_EXIT_USAGE, &error);
	if (options.help && options.command != TOOL_COMMAND_help) {
		tool_help_command(stdout, options.command);
		return TOOL_EXIT_OK;
	}
	tool_exit code = commands[options.command](&options);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == TOOL_EXIT_OK)
		code = tool_report(TOOL_EXIT_NO, "standard output: cannot write: is the disk full?");
	return code;
}
