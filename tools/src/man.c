/* halyard(1) as man(7) text: commands, options and exit codes from their tables, the rest from here. */
#include "exit.h"
#include "help.h"

#include <halyard/halyard.h>

#include <string.h>

typedef struct pair {
	const char *left, *text;
} pair;

static const pair environment[] = {
	{"HALYARD_PLUGIN_PATH", "folders of plugin manifests, separated by colons, searched before all others"},
	{"HALYARD_CACHE_DIR", "where measured costs and compiled kernels are kept; otherwise $XDG_CACHE_HOME/halyard"},
	{"NO_COLOR", "when set to anything, no colour on a terminal"},
};

static const pair examples[] = {
	{"halyard conformance ./libmine.so --level L0 --out report",
         "Judge a plugin; report/report.html tells the rest."},
	{"halyard zoo resnet50", "Write resnet50.onnx with seeded weights."},
	{"halyard plan resnet50.onnx", "Say where it would run, why, and how fast."},
	{"halyard run resnet50.onnx --device cpu:0,opencl:0 --check",
         "Run it over both devices on random input and compare with the reference."},
	{"halyard bench resnet50.onnx --scenario offline --compare solo",
         "Throughput of all devices together beside each of them alone."},
};

/* Text with what roff would read as its own escaped. */
static void print_text(FILE *to, const char *text)
{
	if (*text == '.' || *text == '\'') fputs("\\&", to);
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\e", to);
		else if (*text == '-')
			fputs("\\-", to);
		else
			fputc(*text, to);
	}
}

static void print_item(FILE *to, const char *left, const char *text)
{
	fputs(".TP\n.B ", to);
	print_text(to, left);
	fputc('\n', to);
	print_text(to, text);
	fputs(".\n", to);
}

static void print_option(FILE *to, const tool_option_row *row)
{
	fputs(".TP\n", to);
	if (row->letter != 0) fprintf(to, "\\fB\\-%c\\fR, ", row->letter);
	fputs("\\fB\\-\\-", to);
	print_text(to, row->name);
	fputs("\\fR", to);
	if (row->argument != NULL) {
		fputs(" \\fI", to);
		print_text(to, row->argument);
		fputs("\\fR", to);
	}
	fputc('\n', to);
	print_text(to, row->help);
	fputs(".\n", to);
	if (row->fallback != NULL) {
		fputs("Default: ", to);
		print_text(to, row->fallback);
		fputs(".\n", to);
	}
	if (row->commands == TOOL_EVERY_COMMAND) return;
	const char *between = "(";
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++) {
		if (!tool_options_has((tool_command)i, row)) continue;
		fprintf(to, "%s%s", between, tool_options_commands[i].name);
		between = ", ";
	}
	fputs(")\n", to);
}

void tool_man_page(FILE *to)
{
	fprintf(to, ".TH HALYARD 1 \"\" \"Halyard %d.%d.%d\" \"User Commands\"\n", HY_VERSION_MAJOR, HY_VERSION_MINOR,
	        HY_VERSION_PATCH);
	fputs(".SH NAME\nhalyard \\- run one ONNX model over every accelerator of a machine\n"
	      ".SH SYNOPSIS\n.B halyard\n.I command\n[\\fIoption\\fR...]\n"
	      ".SH DESCRIPTION\nHalyard reads an ONNX model, fuses it, and runs it over all devices that its plugins "
	      "offer,\nwhoever made them. Answers go to standard output, everything else to standard error.\n"
	      ".SH COMMANDS\n",
	      to);
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++) {
		const tool_command_row *const row = &tool_options_commands[i];
		char left[64];
		snprintf(left, sizeof(left), "%s %s", row->name, row->operands);
		print_item(to, left, row->help);
	}
	fputs(".SH OPTIONS\n", to);
	for (uint32_t i = 0; i < tool_options_row_count; i++)
		print_option(to, &tool_options_rows[i]);
	fputs(".SH EXIT STATUS\n", to);
#define X(name, code, text) print_item(to, #code, text);
	TOOL_EXIT_LIST(X)
#undef X
	fputs(".SH ENVIRONMENT\n", to);
	for (size_t i = 0; i < sizeof(environment) / sizeof(environment[0]); i++)
		print_item(to, environment[i].left, environment[i].text);
	fputs(".SH EXAMPLES\n", to);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		fputs(".TP\n.B ", to);
		print_text(to, examples[i].left);
		fputc('\n', to);
		print_text(to, examples[i].text);
		fputc('\n', to);
	}
}
