/* halyard conformance: finds the plugin by its name and becomes halyard-conformance. */
#include "cmd.h"
#include "machine.h"
#include "report.h"
#include "suggest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MAX = 64, WORDS_MAX = 2 * TOOL_LIST_MAX + 8 };

static bool is_passed(const tool_options *options, const char *name)
{
	for (uint32_t i = 0; i < options->passed.count; i += 2)
		if (strcmp(options->passed.items[i], name) == 0) return true;
	return false;
}

/* The library of the plugin with this name, usable or not: one that is refused may be what shall be judged. */
static tool_exit find_library(const tool_options *options, const char *name, char *out_path)
{
	hy_hal_machine *machine = NULL;
	const tool_exit code = tool_machine_open(options, true, &machine);
	if (code != TOOL_EXIT_OK) return code;
	const char *names[NAMES_MAX], *library = NULL;
	uint32_t count = 0;
	for (uint32_t i = 0; i < hy_hal_machine_plugin_count(machine) && count < NAMES_MAX; i++) {
		const hy_hal_plugin_info *const plugin = hy_hal_machine_plugin(machine, i);
		names[count++] = plugin->name;
		if (strcmp(plugin->name, name) == 0) library = plugin->library;
	}
	tool_exit answer = TOOL_EXIT_OK;
	const char *const near = library == NULL ? tool_suggest(name, count, names) : NULL;
	if (library != NULL && realpath(library, out_path) == NULL)
		answer = tool_report(TOOL_EXIT_PLUGIN, "conformance: %s: %s", library, strerror(errno));
	else if (near != NULL)
		answer = tool_report(TOOL_EXIT_USAGE, "conformance: no plugin '%s'; did you mean '%s'?", name, near);
	else if (library == NULL)
		answer = tool_report(TOOL_EXIT_USAGE,
		                     "conformance: no plugin '%s'; halyard doctor lists them, or give a path with a /",
		                     name);
	hy_hal_machine_close(machine);
	return answer;
}

/* halyard-conformance beside this program. */
static bool find_suite(char *out_path)
{
	static const char name[] = "halyard-conformance";
	const ssize_t length = readlink("/proc/self/exe", out_path, PATH_MAX - sizeof(name));
	if (length <= 0) return false;
	out_path[length] = '\0';
	char *const slash = strrchr(out_path, '/');
	memcpy(slash + 1, name, sizeof(name));
	return access(out_path, X_OK) == 0;
}

/* The options as they were given, "--name=value" each. */
static uint32_t add_options(const tool_options *options, char **argv)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < options->passed.count; i += 2) {
		const char *const name = options->passed.items[i], *const value = options->passed.items[i + 1];
		char *word = NULL;
		if ((value == NULL ? asprintf(&word, "--%s", name) : asprintf(&word, "--%s=%s", name, value)) >= 0)
			argv[count++] = word;
	}
	return count;
}

tool_exit tool_cmd_conformance(const tool_options *options)
{
	static char library[PATH_MAX], suite[PATH_MAX];
	static char *argv[WORDS_MAX]; /* whose words the other program takes over */
	uint32_t count = 0;
	if (!find_suite(suite))
		return tool_report(TOOL_EXIT_CONFIGURATION, "conformance: %s is not there: install it beside halyard",
		                   suite);
	argv[count++] = suite;
	const bool folders = is_passed(options, "merge");
	if (!folders && options->operand_count > 1)
		return tool_report(TOOL_EXIT_USAGE, "conformance: '%s' is one argument too many: one plugin at a time",
		                   options->operands[1]);
	if (!folders && options->operand_count == 1) {
		const char *const given = options->operands[0];
		const bool is_path = strchr(given, '/') != NULL;
		const tool_exit code = is_path ? TOOL_EXIT_OK : find_library(options, given, library);
		if (code != TOOL_EXIT_OK) return code;
		argv[count++] = (char *)(uintptr_t) "--plugin";
		argv[count++] = is_path ? options->operands[0] : library;
	}
	count += add_options(options, argv + count);
	for (uint32_t i = 0; folders && i < options->operand_count; i++)
		argv[count++] = options->operands[i];
	argv[count] = NULL;
	fflush(NULL);
	execv(suite, argv);
	return tool_report(TOOL_EXIT_CONFIGURATION, "conformance: %s: %s", suite, strerror(errno));
}
