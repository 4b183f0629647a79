/* The command line, parsed by the table options.def. */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <halyard/status.h>

typedef enum tool_command {
#define COMMAND(name, min, max, operands, help) TOOL_COMMAND_##name,
#include "options.def"
#undef COMMAND
	TOOL_COMMAND_COUNT
} tool_command;

typedef enum tool_kind {
	TOOL_FLAG,
	TOOL_COUNT,
	TOOL_NUMBER,
	TOOL_TEXT,
	TOOL_LIST,
	TOOL_CHOICE,
	TOOL_PASSED, /* not read here: handed on to another program, with its value */
	TOOL_PASSED_FLAG,
} tool_kind;

/* Commands that have the options of all; conformance has those of halyard-conformance. */
#define TOOL_EVERY_COMMAND (((1u << TOOL_COMMAND_COUNT) - 1) & ~(1u << TOOL_COMMAND_conformance))

#define TOOL_LIST_MAX 64

typedef struct tool_list {
	uint32_t count;
	const char *items[TOOL_LIST_MAX];
} tool_list;

/* What was asked for; texts are lent by argv. */
typedef struct tool_options {
	tool_command command;
	uint32_t operand_count;
	char *const *operands;
	tool_list passed; /* options of another program: name, value, name, value...; the value of a flag is NULL */
#define TOOL_FIELD_FLAG bool
#define TOOL_FIELD_COUNT uint64_t
#define TOOL_FIELD_NUMBER double
#define TOOL_FIELD_TEXT const char *
#define TOOL_FIELD_LIST tool_list
#define TOOL_FIELD_CHOICE const char *
#define OPTION(field, name, letter, kind, argument, fallback, commands, help) TOOL_FIELD_##kind field;
#include "options.def"
#undef OPTION
} tool_options;

/* One row of each table. */
typedef struct tool_command_row {
	const char *name, *operands, *help;
	uint32_t min_operands, max_operands;
} tool_command_row;

typedef struct tool_option_row {
	const char *name, *argument, *fallback, *help;
	char letter; /* 0: none */
	tool_kind kind;
	uint32_t commands; /* one bit per tool_command */
	size_t offset; /* in tool_options */
} tool_option_row;

extern const tool_command_row tool_options_commands[TOOL_COMMAND_COUNT];
extern const tool_option_row tool_options_rows[];
extern const uint32_t tool_options_row_count;

/* Whether a command has this option. */
bool tool_options_has(tool_command command, const tool_option_row *row);

/* Reads argv. INVALID says what is wrong and what would be right. Not reentrant (getopt_long). */
hy_status tool_options_parse(int argc, char **argv, tool_options *out_options, hy_error *error);

/* Whether a CHOICE option has this value. */
bool tool_options_is(const char *choice, const char *word);

#endif
