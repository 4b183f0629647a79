/* Completion scripts for bash and zsh: commands, then the options of the command on the line, then words or files. */
#include "help.h"

#include <string.h>

static void print_commands(FILE *to)
{
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++)
		fprintf(to, "%s%s", i > 0 ? " " : "", tool_options_commands[i].name);
}

/* "table|json" as "table json". */
static void print_words(FILE *to, const char *words)
{
	for (; *words != '\0'; words++)
		fputc(*words == '|' ? ' ' : *words, to);
}

static void print_long_options(FILE *to, tool_command command)
{
	const char *between = "";
	for (uint32_t i = 0; i < tool_options_row_count; i++) {
		if (!tool_options_has(command, &tool_options_rows[i])) continue;
		fprintf(to, "%s--%s", between, tool_options_rows[i].name);
		between = " ";
	}
}

static void print_bash_choices(FILE *to)
{
	for (int c = 0; c < TOOL_COMMAND_COUNT; c++) {
		for (uint32_t i = 0; i < tool_options_row_count; i++) {
			const tool_option_row *const row = &tool_options_rows[i];
			if (!tool_options_has((tool_command)c, row) || row->kind != TOOL_CHOICE) continue;
			fprintf(to, "\t%s:--%s", tool_options_commands[c].name, row->name);
			if (row->letter != 0) fprintf(to, "|%s:-%c", tool_options_commands[c].name, row->letter);
			fputs(") words=\"", to);
			print_words(to, row->argument);
			fputs("\" ;;\n", to);
		}
	}
}

void tool_completion_bash(FILE *to)
{
	fputs("# bash completion for halyard, written by: halyard help --completion bash\n"
	      "_halyard() {\n"
	      "\tlocal word=$2 before=$3 command=${COMP_WORDS[1]} words=\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W '",
	      to);
	print_commands(to);
	fputs("' -- \"$word\")\n\t\treturn\n\tfi\n\tcase $command:$before in\n", to);
	print_bash_choices(to);
	fputs("\tesac\n\tif [[ -z $words && $word == -* ]]; then\n\t\tcase $command in\n", to);
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++) {
		fprintf(to, "\t\t%s) words='", tool_options_commands[i].name);
		print_long_options(to, (tool_command)i);
		fputs("' ;;\n", to);
	}
	fputs("\t\tesac\n\tfi\n"
	      "\tif [[ $command == help && -z $words ]]; then words='",
	      to);
	print_commands(to);
	fputs("'; fi\n"
	      "\tif [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"); fi\n"
	      "}\n"
	      "complete -o default -F _halyard halyard\n",
	      to);
}

/* Inside '...' of an _arguments spec: no quote, bracket or colon may stand. */
static void print_zsh_text(FILE *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", to);
		else if (strchr("[]:", *text) != NULL)
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

static void print_zsh_option(FILE *to, const tool_option_row *row)
{
	const char *const repeat = row->kind == TOOL_LIST || row->kind == TOOL_PASSED ? "*" : "";
	char names[96];
	if (row->letter == 0)
		snprintf(names, sizeof(names), "'%s--%s", repeat, row->name);
	else
		snprintf(names, sizeof(names), "{-%c,--%s}'", row->letter, row->name);
	fprintf(to, " \\\n\t\t\t%s[", names);
	print_zsh_text(to, row->help);
	fputc(']', to);
	if (row->kind == TOOL_CHOICE) {
		fprintf(to, ":%s:(", row->name);
		print_words(to, row->argument);
		fputc(')', to);
	} else if (row->kind != TOOL_FLAG && row->kind != TOOL_PASSED_FLAG) {
		fprintf(to, ":%s:_files", row->name);
	}
	fputc('\'', to);
}

void tool_completion_zsh(FILE *to)
{
	fputs("#compdef halyard\n# zsh completion for halyard, written by: halyard help --completion zsh\n"
	      "_halyard() {\n\tif ((CURRENT == 2)); then\n\t\tlocal -a commands=(",
	      to);
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++) {
		fprintf(to, "\n\t\t\t'%s:", tool_options_commands[i].name);
		print_zsh_text(to, tool_options_commands[i].help);
		fputc('\'', to);
	}
	fputs(")\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
	      "\tlocal command=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $command in\n",
	      to);
	for (int c = 0; c < TOOL_COMMAND_COUNT; c++) {
		fprintf(to, "\t%s)\n\t\t_arguments", tool_options_commands[c].name);
		for (uint32_t i = 0; i < tool_options_row_count; i++)
			if (tool_options_has((tool_command)c, &tool_options_rows[i]))
				print_zsh_option(to, &tool_options_rows[i]);
		fputs(" \\\n\t\t\t'*:file:_files' ;;\n", to);
	}
	fputs("\tesac\n}\n_halyard \"$@\"\n", to);
}
