/* Usage on a terminal: the commands, or one command with its options. */
#include "help.h"

#include <string.h>

enum { LINE = 100, FIRST_COLUMN = 28 };

/* Prints text wrapped at LINE, every line after the first indented. */
static void print_wrapped(FILE *to, const char *text, int indent)
{
	int column = indent;
	while (*text != '\0') {
		const int word = (int)strcspn(text, " ");
		if (column > indent && column + 1 + word > LINE) {
			fprintf(to, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', to);
			column++;
		}
		fprintf(to, "%.*s", word, text);
		column += word;
		text += word + (text[word] == ' ');
	}
	fputc('\n', to);
}

static void print_row(FILE *to, const char *left, const char *text)
{
	const bool fits = strlen(left) <= FIRST_COLUMN - 4;
	if (fits)
		fprintf(to, "  %-*s", FIRST_COLUMN - 2, left);
	else
		fprintf(to, "  %s\n%*s", left, FIRST_COLUMN, "");
	print_wrapped(to, text, FIRST_COLUMN);
}

void tool_help_program(FILE *to)
{
	fputs("Halyard runs one ONNX model over every accelerator of a machine at once.\n\n"
	      "usage: halyard COMMAND [OPTION...]\n\n",
	      to);
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++) {
		const tool_command_row *const row = &tool_options_commands[i];
		char left[64];
		snprintf(left, sizeof(left), "%s %s", row->name, row->operands);
		print_row(to, left, row->help);
	}
	fputs("\nhalyard COMMAND --help explains a command. On a new machine start with: halyard doctor\n", to);
}

void tool_help_command(FILE *to, tool_command command)
{
	const tool_command_row *const row = &tool_options_commands[command];
	fprintf(to, "usage: halyard %s [OPTION...]%s%s\n\n", row->name, row->operands[0] != '\0' ? " " : "",
	        row->operands);
	fprintf(to, "halyard %s: %s.\n\n", row->name, row->help);
	for (uint32_t i = 0; i < tool_options_row_count; i++) {
		const tool_option_row *const option = &tool_options_rows[i];
		if (!tool_options_has(command, option)) continue;
		char left[96], letter[8] = "    ", text[512];
		if (option->letter != 0) snprintf(letter, sizeof(letter), "-%c, ", option->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
		         option->argument != NULL ? option->argument : "");
		const bool has_default = option->fallback != NULL;
		snprintf(text, sizeof(text), "%s%s%s%s", option->help, has_default ? " (default " : "",
		         has_default ? option->fallback : "", has_default ? ")" : "");
		print_row(to, left, text);
	}
}
