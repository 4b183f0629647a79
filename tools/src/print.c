/* Tables by libsmartcols, JSON by jansson, and numbers with their units. */
#include "print.h"
#include "report.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct tool_table {
	struct libscols_table *columns;
	struct libscols_line *line;
	size_t cell; /* the next one of line */
	bool failed;
};

tool_table *tool_table_create(uint32_t count, const tool_column *columns)
{
	tool_table *const table = calloc(1, sizeof(*table));
	if (table == NULL) return NULL;
	table->columns = scols_new_table();
	table->failed = table->columns == NULL;
	if (table->failed) return table;
	scols_table_enable_colors(table->columns, isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL);
	for (uint32_t i = 0; i < count; i++) {
		const int flags = (columns[i].flags & TOOL_RIGHT ? SCOLS_FL_RIGHT : 0) |
		                  (columns[i].flags & TOOL_WRAP ? SCOLS_FL_WRAP : 0);
		if (scols_table_new_column(table->columns, columns[i].name, 0, flags) == NULL) table->failed = true;
	}
	return table;
}

void tool_table_line(tool_table *table)
{
	if (table == NULL || table->failed) return;
	table->line = scols_table_new_line(table->columns, NULL);
	table->cell = 0;
	table->failed = table->line == NULL;
}

void tool_table_cell(tool_table *table, const char *format, ...)
{
	char *text = NULL;
	if (table == NULL || table->failed) return;
	va_list arguments;
	va_start(arguments, format);
	const int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0 || scols_line_refer_data(table->line, table->cell++, text) != 0) table->failed = true;
}

void tool_table_paint(tool_table *table, const char *colour)
{
	if (table == NULL || table->failed) return;
	struct libscols_cell *const cell = scols_line_get_cell(table->line, table->cell - 1);
	if (cell != NULL) scols_cell_set_color(cell, colour);
}

tool_exit tool_table_print(tool_table *take_table)
{
	const bool failed = take_table == NULL || take_table->failed || scols_print_table(take_table->columns) != 0;
	if (take_table != NULL) scols_unref_table(take_table->columns);
	free(take_table);
	return failed ? tool_report(TOOL_EXIT_NO, "out of memory") : TOOL_EXIT_OK;
}

tool_exit tool_json_print(json_t *take_object)
{
	if (take_object == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	const int failed = json_dumpf(take_object, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	json_decref(take_object);
	putchar('\n');
	return failed ? tool_report(TOOL_EXIT_NO, "standard output: cannot write") : TOOL_EXIT_OK;
}

const char *tool_print_bytes(uint64_t bytes, char *text, size_t length)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double amount = (double)bytes;
	size_t unit = 0;
	while (amount >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		amount /= 1024;
		unit++;
	}
	snprintf(text, length, unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
	return text;
}

const char *tool_print_ns(uint64_t ns, char *text, size_t length)
{
	const double t = (double)ns;
	if (t < 1e3)
		snprintf(text, length, "%.0f ns", t);
	else if (t < 1e6)
		snprintf(text, length, "%.2f us", t * 1e-3);
	else if (t < 1e9)
		snprintf(text, length, "%.2f ms", t * 1e-6);
	else
		snprintf(text, length, "%.2f s", t * 1e-9);
	return text;
}
