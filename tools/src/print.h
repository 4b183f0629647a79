/* Answers on standard output: tables for people, JSON for programs. */
#ifndef TOOL_PRINT_H
#define TOOL_PRINT_H

#include "exit.h"

#include <stdbool.h>
#include <stdint.h>

#include <halyard/status.h>
#include <jansson.h>

typedef struct tool_table tool_table;

enum {
	TOOL_LEFT = 0,
	TOOL_RIGHT = 1, /* numbers */
	TOOL_WRAP = 2, /* long text: wrapped on a terminal */
};

typedef struct tool_column {
	const char *name;
	int flags;
} tool_column;

/* A table is filled line by line, cell by cell; memory that runs out shows when it is printed. */
tool_table *tool_table_create(uint32_t count, const tool_column *columns);
void tool_table_line(tool_table *table);
void tool_table_cell(tool_table *table, const char *format, ...) HY_PRINTF(2, 3);
/* Colours the last cell ("green", "red", "yellow") where colours are shown. */
void tool_table_paint(tool_table *table, const char *colour);
/* Prints and destroys. */
tool_exit tool_table_print(tool_table *take_table);

/* Prints an object and releases it; NULL (jansson was out of memory) is reported. */
tool_exit tool_json_print(json_t *take_object);

/* "16.0 GiB". Returns text. */
const char *tool_print_bytes(uint64_t bytes, char *text, size_t length);
/* "2.13 ms". Returns text. */
const char *tool_print_ns(uint64_t ns, char *text, size_t length);

#endif
