/* Files of clusters for commands. */
#include "cluster_options.h"

#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *tool_cluster_host(char *text, size_t length)
{
	if (gethostname(text, length - 1) != 0) snprintf(text, length, "node");
	text[length - 1] = '\0';
	return text;
}

tool_exit tool_cluster_open(const char *path, hy_sched_cluster **out_cluster)
{
	hy_sched_faults faults;
	hy_error error = {0};
	const hy_status status = hy_sched_cluster_import(path, out_cluster, &faults, &error);
	for (uint32_t i = 0; i < faults.count; i++)
		tool_report(TOOL_EXIT_CONFIGURATION, "%s:%u:%u: %s", path, faults.items[i].line, faults.items[i].column,
		            faults.items[i].text);
	const bool told = faults.count > 0;
	hy_sched_faults_finish(&faults);
	if (status == HY_OK || told) return status == HY_OK ? TOOL_EXIT_OK : TOOL_EXIT_CONFIGURATION;
	return tool_report_error(status == HY_NOT_FOUND ? TOOL_EXIT_USAGE : TOOL_EXIT_CONFIGURATION, &error);
}

tool_exit tool_cluster_node(const tool_options *options, const hy_sched_cluster *cluster, const char *name,
                            uint32_t *out_node)
{
	char host[128];
	const uint32_t found = hy_sched_cluster_find_node(cluster,
	                                                  name != NULL ? name : tool_cluster_host(host, sizeof(host)));
	*out_node = found == HY_SCHED_CLUSTER_NONE ? 0 : found;
	if (found != HY_SCHED_CLUSTER_NONE) return TOOL_EXIT_OK;
	if (name != NULL)
		return tool_report(TOOL_EXIT_USAGE, "--node: %s has no node '%s': its first is '%s'", cluster->name,
		                   name, cluster->nodes[0].name);
	if (cluster->node_count > 1)
		tool_note(options, "node %s of %u: another by --node", cluster->nodes[0].name, cluster->node_count);
	return TOOL_EXIT_OK;
}
