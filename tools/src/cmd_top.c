/* halyard top: what a session is doing, from the file that it publishes. */
#include "cmd.h"
#include "print.h"
#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The file's object; NULL after a report. */
static json_t *status_read(const char *path, tool_exit *out_code)
{
	json_error_t why;
	json_t *const status = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	const char *const schema = json_string_value(json_object_get(status, "schema"));
	if (schema != NULL && strcmp(schema, "halyard.status/v1") == 0) return status;
	if (access(path, R_OK) != 0)
		*out_code = tool_report(TOOL_EXIT_USAGE,
		                        "%s: %s: start a session with halyard run or bench --status %s", path,
		                        strerror(errno), path);
	else
		*out_code = tool_report(TOOL_EXIT_USAGE, "%s: not the status of a session", path);
	json_decref(status);
	return NULL;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
	const char *const value = json_string_value(json_object_get(object, key));
	return value != NULL ? value : "?";
}

/* A program that was killed leaves its file behind. */
static bool is_running(const json_t *status)
{
	const pid_t pid = (pid_t)json_integer_value(json_object_get(status, "pid"));
	return json_is_true(json_object_get(status, "running")) && pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

static void add_device(tool_table *table, const json_t *device)
{
	const char *const state = text(device, "state");
	tool_table_line(table);
	tool_table_cell(table, "%s", text(device, "id"));
	tool_table_cell(table, "%s", state);
	tool_table_paint(table, strcmp(state, "live") == 0      ? "green"
	                        : strcmp(state, "ramping") == 0 ? "yellow"
	                                                        : "red");
	tool_table_cell(table, "%.1f /s", number(device, "rate_per_s"));
	tool_table_cell(table, "%.1f %%", 100 * number(device, "share"));
	tool_table_cell(table, "%.0f %%", 100 * number(device, "busy"));
	tool_table_cell(table, "%.0f", number(device, "in_flight"));
	tool_table_cell(table, "%.3f ms", number(device, "item_ms"));
	tool_table_cell(table, "%.3f ms", number(device, "planned_ms"));
	tool_table_cell(table, "%.0f", number(device, "replayed"));
	tool_table_cell(table, "%.0f", number(device, "losses"));
}

static tool_exit print_status(const json_t *status)
{
	static const tool_column columns[] = {
		{"DEVICE", 0},         {"STATE", 0},          {"RATE", TOOL_RIGHT},    {"SHARE", TOOL_RIGHT},
		{"BUSY", TOOL_RIGHT},  {"QUEUE", TOOL_RIGHT}, {"REQUEST", TOOL_RIGHT}, {"PLANNED", TOOL_RIGHT},
		{"AGAIN", TOOL_RIGHT}, {"LOST", TOOL_RIGHT},
	};
	size_t i;
	json_t *device;
	printf("%s  pid %.0f  %s %.1f s  %.1f /s\n", text(status, "model"), number(status, "pid"),
	       is_running(status) ? "for" : "ended after", number(status, "seconds"), number(status, "rate_per_s"));
	printf("%.0f accepted = %.0f done + %.0f failed + %.0f cancelled + %.0f late + %.0f waiting + %.0f in hand; "
	       "%.0f refused\n\n",
	       number(status, "accepted"), number(status, "done"), number(status, "failed"),
	       number(status, "cancelled"), number(status, "late"), number(status, "waiting"),
	       number(status, "in_hand"), number(status, "refused"));
	tool_table *const table = tool_table_create(sizeof(columns) / sizeof(columns[0]), columns);
	json_array_foreach(json_object_get(status, "devices"), i, device) add_device(table, device);
	return tool_table_print(table);
}

tool_exit tool_cmd_top(const tool_options *options)
{
	const bool json = tool_options_is(options->format, "json");
	const bool once = options->once || json || !isatty(STDOUT_FILENO);
	const struct timespec pause = {.tv_nsec = 500000000};
	for (;;) {
		tool_exit code = TOOL_EXIT_OK;
		json_t *const status = status_read(options->operands[0], &code);
		if (status == NULL) return code;
		if (json) return tool_json_print(status);
		const bool running = is_running(status);
		if (!once) fputs("\033[H\033[2J", stdout);
		code = print_status(status);
		json_decref(status);
		fflush(stdout);
		if (once || !running || code != TOOL_EXIT_OK) return code;
		nanosleep(&pause, NULL);
	}
}
