/* halyard topology: what of the machine this process may use. */
#include "cmd.h"
#include "machine.h"
#include "print.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

/* "0-3,8": OS numbers as taskset writes them; cut at length. */
static const char *core_list(const hy_hal_topology_info *info, char *text, size_t length)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < info->allowed_count && used + 24 < length; i++) {
		uint32_t last = i;
		while (last + 1 < info->allowed_count && info->allowed[last + 1] == info->allowed[last] + 1)
			last++;
		used += (size_t)snprintf(text + used, length - used, last == i ? "%s%u" : "%s%u-%u", i > 0 ? "," : "",
		                         info->allowed[i], info->allowed[last]);
		i = last;
	}
	return text;
}

static json_t *topology_json(const hy_hal_topology_info *info)
{
	json_t *const allowed = json_array();
	for (uint32_t i = 0; i < info->allowed_count; i++)
		json_array_append_new(allowed, json_integer(info->allowed[i]));
	return json_pack("{ss ss si si si si so sf sI sI sI}", "schema", "halyard.topology/v1", "cpu_model",
	                 info->cpu_model, "packages", info->package_count, "numa_nodes", info->numa_count, "cores",
	                 info->core_count, "processing_units", info->pu_count, "allowed", allowed, "cpu_quota_cores",
	                 info->cpu_quota, "memory_bytes", (json_int_t)info->memory_bytes, "l2_bytes",
	                 (json_int_t)info->l2_bytes, "l3_bytes", (json_int_t)info->l3_bytes);
}

static void print_text(const hy_hal_topology_info *info)
{
	char text[256];
	printf("processor   %s\n", info->cpu_model);
	printf("cores       %u in %u package%s, %u NUMA node%s, %u processing units\n", info->core_count,
	       info->package_count, info->package_count == 1 ? "" : "s", info->numa_count,
	       info->numa_count == 1 ? "" : "s", info->pu_count);
	printf("allowed     %u core%s: %s\n", info->allowed_count, info->allowed_count == 1 ? "" : "s",
	       core_list(info, text, sizeof(text)));
	if (info->cpu_quota > 0) printf("quota       %.2f cores' worth of time (cgroup cpu.max)\n", info->cpu_quota);
	printf("memory      %s\n", tool_print_bytes(info->memory_bytes, text, sizeof(text)));
	printf("caches      L2 %s", tool_print_bytes(info->l2_bytes, text, sizeof(text)));
	printf(", L3 %s\n", tool_print_bytes(info->l3_bytes, text, sizeof(text)));
}

tool_exit tool_cmd_topology(const tool_options *options)
{
	hy_hal_machine *machine = NULL;
	hy_error error = {0};
	char *xml = NULL;
	tool_exit code = tool_machine_open(options, false, &machine);
	if (code != TOOL_EXIT_OK) return code;
	const hy_hal_topology_info *const info = hy_hal_machine_topology(machine);
	if (tool_options_is(options->topology_format, "json")) {
		code = tool_json_print(topology_json(info));
	} else if (tool_options_is(options->topology_format, "table")) {
		print_text(info);
	} else if (hy_hal_topology_export(machine, &xml, &error) == HY_OK) {
		fputs(xml, stdout);
	} else {
		code = tool_report_error(TOOL_EXIT_NO, &error);
	}
	free(xml);
	hy_hal_machine_close(machine);
	return code;
}
