/* Files of clusters for commands. */
#include "cluster_options.h"

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
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

/* ---- this host's devices ---- */

/* Reads one part of "0-3,8"; false at the end. */
static bool next_cores(const char **list, unsigned long *out_first, unsigned long *out_last)
{
	char *after;
	if (*list == NULL || **list == '\0') return false;
	*out_first = *out_last = strtoul(*list, &after, 10);
	if (*after == '-') *out_last = strtoul(after + 1, &after, 10);
	*list = *after == ',' ? after + 1 : after;
	return true;
}

static bool has_core(const char *list, unsigned long core)
{
	unsigned long first, last;
	while (next_cores(&list, &first, &last))
		if (core >= first && core <= last) return true;
	return false;
}

/* The devices of a node that compute on cores of this machine and are not given any by the file. */
static bool wants_cores(const hy_hal_machine *machine, const hy_sched_cluster_device *device)
{
	for (uint32_t i = 0; i < hy_hal_machine_device_count(machine); i++) {
		const hy_hal_device_info *const info = hy_hal_machine_device(machine, i);
		if (strcmp(info->id, device->id) == 0)
			return (info->info.flags & HY_DEVICE_HOST_CORES) != 0 && device->cores == NULL;
	}
	return false;
}

/* Whether free core `at` belongs to share `index`; with fewer cores than shares, several have one. */
static bool is_share(uint32_t at, uint32_t free_count, uint32_t index, uint32_t shares)
{
	return free_count < shares ? at == index % free_count : (uint64_t)at * shares / free_count == index;
}

/* "?cores=2,3": the system's numbers of a device's cores: what the file lists, or share `index` of `shares` of those
 * that it does not reserve. False: none. */
static bool put_cores(const hy_hal_topology_info *info, const hy_sched_cluster_node *node, const char *listed,
                      uint32_t index, uint32_t shares, FILE *out)
{
	uint32_t free_count = 0, at = 0;
	bool first = true;
	for (uint32_t core = 0; core < info->allowed_count; core++)
		free_count += !has_core(node->reserved_cores, core);
	for (uint32_t core = 0; core < info->allowed_count; core++) {
		const bool is_free = !has_core(node->reserved_cores, core);
		const bool mine = listed != NULL ? has_core(listed, core)
		                                 : is_free && is_share(at, free_count, index, shares);
		if (mine) fprintf(out, "%s%u", first ? "?cores=" : "%2C", info->allowed[core]);
		first &= !mine;
		at += is_free;
	}
	return !first;
}

static tool_exit put_devices(const hy_sched_cluster *cluster, uint32_t index, const hy_hal_machine *machine, FILE *out)
{
	const hy_hal_topology_info *const info = hy_hal_machine_topology(machine);
	const hy_sched_cluster_node *const node = &cluster->nodes[index];
	const hy_sched_cluster_device *const devices = cluster->devices + node->first_device;
	uint32_t shares = 0, share = 0;
	for (uint32_t i = 0; i < node->device_count; i++)
		shares += wants_cores(machine, &devices[i]);
	for (uint32_t i = 0; i < node->device_count; i++) {
		const bool wants = wants_cores(machine, &devices[i]);
		const bool computes = cluster->types[devices[i].type].in_host_memory;
		const char *const listed = computes ? devices[i].cores : NULL;
		fprintf(out, "%s%s", i > 0 ? "," : "", devices[i].id);
		if ((wants && node->reserved_cores != NULL) || listed != NULL) {
			if (info->allowed_count != info->core_count)
				return tool_report(
					TOOL_EXIT_CONFIGURATION,
					"--cluster: %s counts cores, but this process may use %u of %u only: "
					"start it without taskset, or choose by --device",
					node->name, info->allowed_count, info->core_count);
			if (!put_cores(info, node, listed, share, shares, out))
				return tool_report(TOOL_EXIT_CONFIGURATION,
				                   "--cluster: no core is left for %s: this machine has %u",
				                   devices[i].name, info->core_count);
		}
		share += wants;
	}
	return TOOL_EXIT_OK;
}

tool_exit tool_cluster_selector(const tool_options *options, const hy_hal_machine *machine, char **out_selector)
{
	hy_sched_cluster *cluster = NULL;
	uint32_t node = 0;
	char *text = NULL;
	size_t length;
	if (options->device != NULL)
		return tool_report(TOOL_EXIT_USAGE, "--cluster and --device both choose devices: give one");
	tool_exit code = tool_cluster_open(options->cluster, &cluster);
	if (code == TOOL_EXIT_OK) code = tool_cluster_node(options, cluster, options->at_node, &node);
	FILE *const out = code == TOOL_EXIT_OK ? open_memstream(&text, &length) : NULL;
	if (code == TOOL_EXIT_OK && out == NULL) code = tool_report(TOOL_EXIT_NO, "out of memory");
	if (out != NULL) {
		code = put_devices(cluster, node, machine, out);
		fclose(out);
	}
	for (uint32_t i = 0; code == TOOL_EXIT_OK && i < cluster->nodes[node].device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[cluster->nodes[node].first_device + i];
		if (device->isolation == HY_SCHED_IN_WORKER)
			tool_note(options, "%s runs in this process: isolation by worker is not there yet",
			          device->name);
	}
	hy_sched_cluster_destroy(cluster);
	if (code == TOOL_EXIT_OK)
		*out_selector = text;
	else
		free(text);
	return code;
}
