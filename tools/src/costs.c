/* The file of measured costs: where it is, and what stands in it. */
#include "costs.h"
#include "file.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *joined(const char *folder, const char *rest)
{
	const size_t length = strlen(folder) + strlen(rest) + 1;
	char *const path = malloc(length);
	if (path != NULL) snprintf(path, length, "%s%s", folder, rest);
	return path;
}

/* Makes the folders above a file's last two levels or less; what fails shows when the file is written. */
static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
}

char *tool_costs_path(const tool_options *options)
{
	const char *const cache = getenv("XDG_CACHE_HOME"), *const home = getenv("HOME");
	char *path = NULL;
	if (options->no_cost_file) return NULL;
	if (options->cost_file != NULL) return joined(options->cost_file, "");
	if (cache != NULL && cache[0] == '/')
		path = joined(cache, "/halyard/costs.jsonl");
	else if (home != NULL && home[0] == '/')
		path = joined(home, "/.cache/halyard/costs.jsonl");
	if (path != NULL) make_folders(path);
	return path;
}

tool_exit tool_costs_read(const tool_options *options, json_t **out_lines)
{
	hy_error error = {0};
	char *const path = tool_costs_path(options);
	void *text = NULL;
	size_t length = 0;
	json_t *const lines = json_array();
	tool_exit code = TOOL_EXIT_OK;
	if (lines == NULL) code = tool_report(TOOL_EXIT_NO, "out of memory");
	if (code == TOOL_EXIT_OK && path != NULL && access(path, F_OK) == 0 &&
	    tool_file_read(path, &text, &length, &error) != HY_OK)
		code = tool_report_error(TOOL_EXIT_USAGE, &error);
	for (char *line = text; code == TOOL_EXIT_OK && line != NULL && *line != '\0';) {
		char *const end = strchr(line, '\n');
		json_t *const object = json_loadb(line, end != NULL ? (size_t)(end - line) : strlen(line),
		                                  JSON_REJECT_DUPLICATES, NULL);
		if (json_object_get(object, "plugin") != NULL)
			json_array_append_new(lines, object);
		else
			json_decref(object);
		line = end != NULL ? end + 1 : NULL;
	}
	free(text);
	free(path);
	if (code == TOOL_EXIT_OK)
		*out_lines = lines;
	else
		json_decref(lines);
	return code;
}
