/* The file of measured costs: where it is, and what stands in it (JSON lines, schema halyard.costs/v1). */
#ifndef TOOL_COSTS_H
#define TOOL_COSTS_H

#include "exit.h"
#include "options.h"

#include <jansson.h>

/* --cost-file, else costs.jsonl in $XDG_CACHE_HOME/halyard or ~/.cache/halyard, which is made; NULL with --no-cost-file
 * or without a home. free() it. */
char *tool_costs_path(const tool_options *options);

/* An array of its lines without the first, empty without a file. Lines that are no JSON are left out. */
tool_exit tool_costs_read(const tool_options *options, json_t **out_lines);

#endif
