/* halyard zoo: writes real architectures with seeded weights. */
#include "cmd.h"
#include "print.h"
#include "report.h"
#include "zoo.h"

#include <stdio.h>
#include <string.h>

static tool_exit list(void)
{
	static const tool_column columns[] = {{"NAME", 0}, {"SIZE", TOOL_RIGHT}, {"WHAT", TOOL_WRAP}};
	tool_table *const table = tool_table_create(3, columns);
	for (const zoo_entry *entry = zoo_list(); entry->name != NULL; entry++) {
		tool_table_line(table);
		tool_table_cell(table, "%s", entry->name);
		tool_table_cell(table, "%lld", (long long)entry->size);
		tool_table_cell(table, "%s", entry->description);
	}
	return tool_table_print(table);
}

tool_exit tool_cmd_zoo(const tool_options *options)
{
	if (options->operand_count == 0 || strcmp(options->operands[0], "list") == 0) return list();
	const char *const name = options->operands[0];
	char own[128];
	hy_ir_graph *graph = NULL;
	hy_error error = {0};
	if (options->size > INT32_MAX || options->batch > INT32_MAX)
		return tool_report(TOOL_EXIT_USAGE, "zoo: --size or --batch is too large");
	const zoo_options wishes = {
		.seed = options->seed, .batch = (int64_t)options->batch, .size = (int64_t)options->size};
	hy_status status = zoo_create(name, &wishes, &graph, &error);
	if (status != HY_OK) return tool_report_error(status == HY_NO_MEMORY ? TOOL_EXIT_NO : TOOL_EXIT_USAGE, &error);
	snprintf(own, sizeof(own), "%s.onnx", name);
	const char *const path = options->file != NULL ? options->file : own;
	status = hy_ir_onnx_save(graph, path, &error);
	hy_ir_graph_destroy(graph);
	if (status != HY_OK) return tool_report_error(TOOL_EXIT_USAGE, &error);
	tool_note(options, "%s written.  next: halyard plan %s", path, path);
	return TOOL_EXIT_OK;
}
