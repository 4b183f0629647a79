/* Parses argv by the table: one getopt_long table per command, values checked by kind, defaults filled in. */
#include "options.h"
#include "suggest.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ON(name) (1u << TOOL_COMMAND_##name)
#define MODEL_COMMANDS (ON(plan) | ON(explain) | ON(run) | ON(bench))
#define EVERY_COMMAND TOOL_EVERY_COMMAND

const tool_command_row tool_options_commands[TOOL_COMMAND_COUNT] = {
#define COMMAND(name, min, max, operands, help) {#name, operands, help, min, max},
#include "options.def"
#undef COMMAND
};

const tool_option_row tool_options_rows[] = {
#define OPTION(field, name, letter, kind, argument, fallback, commands, help) \
	{name, argument, fallback, help, letter, TOOL_##kind, commands, offsetof(tool_options, field)},
#include "options.def"
#undef OPTION
#define PASSED_FLAG TOOL_PASSED_FLAG
#define PASSED_TIMES TOOL_PASSED_FLAG
#define PASSED_COUNT TOOL_PASSED
#define PASSED_NUMBER TOOL_PASSED
#define PASSED_TEXT TOOL_PASSED
#define PASSED_LIST TOOL_PASSED
#define PASSED_LEVEL TOOL_PASSED
#define PASSED_SHARD TOOL_PASSED
#define PASSED_ISOLATION TOOL_PASSED
#define PASSED_SEED TOOL_PASSED
#define SECTION(heading)
#define OPTION(field, name, letter, kind, argument, help) \
	{name, argument, NULL, help, letter, PASSED_##kind, ON(conformance), offsetof(tool_options, passed)},
#include <halyard/conform/options.def>
#undef OPTION
#undef SECTION
};
const uint32_t tool_options_row_count = sizeof(tool_options_rows) / sizeof(tool_options_rows[0]);

enum { ROW_COUNT = sizeof(tool_options_rows) / sizeof(tool_options_rows[0]) };
enum { LONG_ONLY = 256 }; /* getopt's value of row i is LONG_ONLY + i, or its letter */

bool tool_options_has(tool_command command, const tool_option_row *row)
{
	return (row->commands >> command & 1) != 0;
}

bool tool_options_is(const char *choice, const char *word)
{
	return choice != NULL && strcmp(choice, word) == 0;
}

static bool is_one_of(const char *words, const char *word)
{
	const size_t length = strlen(word);
	for (const char *at = words; length > 0; at++) {
		const size_t here = strcspn(at, "|");
		if (here == length && memcmp(at, word, length) == 0) return true;
		at += here;
		if (*at == '\0') return false;
	}
	return false;
}

static hy_status pass_on(tool_list *passed, const tool_option_row *row, const char *value, hy_error *error)
{
	if (passed->count + 2 > TOOL_LIST_MAX)
		return hy_error_set(error, HY_INVALID, "--%s: too many options", row->name);
	passed->items[passed->count++] = row->name;
	passed->items[passed->count++] = value;
	return HY_OK;
}

static hy_status store(tool_options *options, const tool_option_row *row, const char *value, hy_error *error)
{
	void *const field = (char *)options + row->offset;
	char *end = NULL;
	errno = 0;
	switch (row->kind) {
	case TOOL_FLAG:
		*(bool *)field = true;
		return HY_OK;
	case TOOL_COUNT:
		*(uint64_t *)field = strtoull(value, &end, 10);
		if (errno == 0 && end != value && *end == '\0' && strchr(value, '-') == NULL) return HY_OK;
		return hy_error_set(error, HY_INVALID, "--%s: '%s' is not a whole number", row->name, value);
	case TOOL_NUMBER:
		*(double *)field = strtod(value, &end);
		if (errno == 0 && end != value && *end == '\0' && isfinite(*(double *)field)) return HY_OK;
		return hy_error_set(error, HY_INVALID, "--%s: '%s' is not a number", row->name, value);
	case TOOL_TEXT:
		*(const char **)field = value;
		return HY_OK;
	case TOOL_LIST: {
		tool_list *const list = field;
		if (list->count == TOOL_LIST_MAX)
			return hy_error_set(error, HY_INVALID, "--%s: given more than %d times", row->name,
			                    TOOL_LIST_MAX);
		list->items[list->count++] = value;
		return HY_OK;
	}
	case TOOL_CHOICE:
		if (!is_one_of(row->argument, value))
			return hy_error_set(error, HY_INVALID, "--%s: '%s' is none of %s", row->name, value,
			                    row->argument);
		*(const char **)field = value;
		return HY_OK;
	case TOOL_PASSED:
	case TOOL_PASSED_FLAG:
		return pass_on(field, row, value, error);
	}
	return hy_error_set(error, HY_INTERNAL, "--%s: broken row in options.def", row->name);
}

static hy_status find_command(const char *word, tool_command *out_command, hy_error *error)
{
	const char *names[TOOL_COMMAND_COUNT];
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++) {
		names[i] = tool_options_commands[i].name;
		if (strcmp(names[i], word) == 0) {
			*out_command = (tool_command)i;
			return HY_OK;
		}
	}
	const char *near = tool_suggest(word, TOOL_COMMAND_COUNT, names);
	if (near != NULL) return hy_error_set(error, HY_INVALID, "no command '%s'; did you mean '%s'?", word, near);
	return hy_error_set(error, HY_INVALID, "no command '%s'; see halyard help", word);
}

/* What getopt could not read: argv[at] is where it stood. */
static hy_status bad_option(tool_command command, char **argv, int answer, hy_error *error)
{
	const char *const name = tool_options_commands[command].name;
	const char *const word = argv[optind - 1];
	if (answer == ':') return hy_error_set(error, HY_INVALID, "%s: %s needs a value", name, word);
	if (optopt != 0 && optopt < LONG_ONLY)
		return hy_error_set(error, HY_INVALID, "%s: no option -%c; see halyard %s --help", name, optopt, name);
	if (optopt >= LONG_ONLY) return hy_error_set(error, HY_INVALID, "%s: %s takes no value", name, word);
	const char *names[ROW_COUNT];
	uint32_t count = 0;
	for (uint32_t i = 0; i < ROW_COUNT; i++)
		if (tool_options_has(command, &tool_options_rows[i])) names[count++] = tool_options_rows[i].name;
	const char *near = tool_suggest(word + 2, count, names);
	if (near != NULL)
		return hy_error_set(error, HY_INVALID, "%s: no option %s; did you mean --%s?", name, word, near);
	return hy_error_set(error, HY_INVALID, "%s: no option %s; see halyard %s --help", name, word, name);
}

static const tool_option_row *row_of(tool_command command, int answer)
{
	if (answer >= LONG_ONLY) return &tool_options_rows[answer - LONG_ONLY];
	for (uint32_t i = 0; i < ROW_COUNT; i++)
		if (tool_options_has(command, &tool_options_rows[i]) && tool_options_rows[i].letter == answer)
			return &tool_options_rows[i];
	return NULL;
}

static bool takes_value(const tool_option_row *row)
{
	return row->kind != TOOL_FLAG && row->kind != TOOL_PASSED_FLAG;
}

static hy_status read_options(int argc, char **argv, tool_options *options, hy_error *error)
{
	struct option table[ROW_COUNT + 1] = {0};
	char letters[2 * ROW_COUNT + 2] = ":";
	size_t length = 1;
	uint32_t count = 0;
	for (uint32_t i = 0; i < ROW_COUNT; i++) {
		const tool_option_row *const row = &tool_options_rows[i];
		if (!tool_options_has(options->command, row)) continue;
		if (row->fallback != NULL && store(options, row, row->fallback, error) != HY_OK) return HY_INTERNAL;
		table[count++] = (struct option){row->name, takes_value(row) ? required_argument : no_argument, NULL,
		                                 LONG_ONLY + (int)i};
		if (row->letter == 0) continue;
		letters[length++] = row->letter;
		if (takes_value(row)) letters[length++] = ':';
	}
	letters[length] = '\0';

	optind = 0; /* glibc: start afresh */
	opterr = 0;
	for (;;) {
		const int answer = getopt_long(argc, argv, letters, table, NULL);
		if (answer == -1) break;
		if (answer == '?' || answer == ':') return bad_option(options->command, argv, answer, error);
		const hy_status status = store(options, row_of(options->command, answer), optarg, error);
		if (status != HY_OK) return status;
	}
	options->operand_count = (uint32_t)(argc - optind);
	options->operands = argv + optind;
	return HY_OK;
}

static hy_status check_operands(const tool_options *options, hy_error *error)
{
	const tool_command_row *const command = &tool_options_commands[options->command];
	if (options->operand_count < command->min_operands)
		return hy_error_set(error, HY_INVALID, "%s: %s is missing: halyard %s %s", command->name,
		                    command->operands, command->name, command->operands);
	if (options->operand_count > command->max_operands)
		return hy_error_set(error, HY_INVALID, "%s: '%s' is one argument too many: halyard %s %s",
		                    command->name, options->operands[command->max_operands], command->name,
		                    command->operands);
	return HY_OK;
}

hy_status tool_options_parse(int argc, char **argv, tool_options *out_options, hy_error *error)
{
	tool_options options = {.command = TOOL_COMMAND_help};
	const char *const word = argc > 1 ? argv[1] : "help";
	hy_status status = HY_OK;
	if (strcmp(word, "--version") == 0)
		options.command = TOOL_COMMAND_version;
	else if (strcmp(word, "--help") != 0 && strcmp(word, "-h") != 0)
		status = find_command(word, &options.command, error);
	if (status != HY_OK) return status;

	status = argc > 1 ? read_options(argc - 1, argv + 1, &options, error) : HY_OK;
	if (status == HY_OK && !options.help) status = check_operands(&options, error);
	if (status == HY_OK) *out_options = options;
	return status;
}
