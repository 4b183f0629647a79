/* gres.conf: what AutoDetect can't write for a node of several vendors. */
#include "inventory.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"gpu", "cpu", "gpu", "npu", "device"}; /* by HY_KIND_* */

static const char *gres_name(const hy_sched_cluster *cluster, const hy_sched_cluster_device *device)
{
	return names[cluster->types[device->type].kind];
}

/* Bonds of the direct link between two devices, 0 without one or for links that are no bonds. */
static unsigned long bonds_between(const hy_sched_cluster *cluster, uint32_t from, uint32_t to)
{
	hy_sched_route route;
	if (hy_sched_cluster_route(cluster, from, to, &route, NULL) != HY_OK || route.link_count != 1) return 0;
	const char *const class_name = cluster->links[route.links[0]].class_name;
	return strtoul(class_name + strcspn(class_name, "0123456789"), NULL, 10);
}

/* "-1,18,0": bonds to each device of the same name on the node, -1 for itself. Nothing when all are 0. */
static void put_links(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node,
                      const hy_sched_cluster_device *device, FILE *out)
{
	bool any = false, first = true;
	const hy_sched_cluster_device *const devices = cluster->devices + node->first_device;
	for (uint32_t i = 0; i < node->device_count && !any; i++)
		any = &devices[i] != device && gres_name(cluster, &devices[i]) == gres_name(cluster, device) &&
		      bonds_between(cluster, device->place, devices[i].place) > 0;
	for (uint32_t i = 0; i < node->device_count && any; i++) {
		if (gres_name(cluster, &devices[i]) != gres_name(cluster, device)) continue;
		fprintf(out, first ? " Links=" : ",");
		first = false;
		if (&devices[i] == device)
			fprintf(out, "-1");
		else
			fprintf(out, "%lu", bonds_between(cluster, device->place, devices[i].place));
	}
}

static void put_device(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node,
                       const hy_sched_cluster_device *device, FILE *out)
{
	char label[64];
	fprintf(out, " Name=%s Type=%s", gres_name(cluster, device),
	        tool_inventory_label(cluster->types[device->type].name, label, sizeof(label)));
	if (device->file != NULL)
		fprintf(out, " File=%s", device->file);
	else
		fprintf(out, " Count=1");
	if (device->cores != NULL) fprintf(out, " Cores=%s", device->cores);
	put_links(cluster, node, device, out);
	fputc('\n', out);
}

/* "gpu:h100:2,npu:x:1" for slurm.conf. */
static void put_gres(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node, FILE *out)
{
	const hy_sched_cluster_device *const devices = cluster->devices + node->first_device;
	char label[64];
	bool first = true;
	for (uint32_t i = 0; i < node->device_count; i++) {
		uint32_t count = 0, before = 0;
		for (uint32_t j = 0; j < node->device_count; j++) {
			count += devices[j].type == devices[i].type;
			before += j < i && devices[j].type == devices[i].type;
		}
		if (before > 0 || !tool_inventory_has(cluster, &devices[i])) continue;
		fprintf(out, "%s%s:%s:%u", first ? " Gres=" : ",", gres_name(cluster, &devices[i]),
		        tool_inventory_label(cluster->types[devices[i].type].name, label, sizeof(label)), count);
		first = false;
	}
	fputc('\n', out);
}

/* A node's lines, each without its NodeName. The text is the caller's, free(); NULL without memory. */
static char *lines_of(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node)
{
	char *text = NULL;
	size_t length;
	FILE *const out = open_memstream(&text, &length);
	if (out == NULL) return NULL;
	put_gres(cluster, node, out);
	for (uint32_t i = 0; i < node->device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[node->first_device + i];
		if (tool_inventory_has(cluster, device)) put_device(cluster, node, device, out);
	}
	fclose(out);
	return text;
}

/* Where the number at the end of a name begins. */
static size_t stem(const char *name)
{
	size_t length = strlen(name);
	while (length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9' && strlen(name) - length < 9)
		length--;
	return length;
}

/* Whether b is what comes after a in a range: node07, node08. */
static bool follows(const char *a, const char *b)
{
	const size_t length = stem(a);
	return strlen(a) == strlen(b) && length < strlen(a) && strncmp(a, b, length) == 0 && stem(b) == length &&
	       strtoul(b + length, NULL, 10) == strtoul(a + length, NULL, 10) + 1;
}

static void put_group(const char *first, const char *last, const char *lines, FILE *out)
{
	char range[300];
	const size_t length = stem(first);
	if (first == last)
		snprintf(range, sizeof(range), "%.250s", first);
	else
		snprintf(range, sizeof(range), "%.*s[%s-%s]", (int)length, first, first + length, last + length);
	if (strncmp(lines, " Gres=", 6) != 0) {
		fprintf(out, "# %s: nothing but CPUs\n", range);
		return;
	}
	for (const char *at = lines; *at != '\0'; at += strcspn(at, "\n") + 1)
		fprintf(out, "%sNodeName=%s%.*s\n", at == lines ? "# slurm.conf: " : "", range, (int)strcspn(at, "\n"),
		        at);
}

void tool_inventory_slurm(const hy_sched_cluster *cluster, uint32_t node, FILE *out)
{
	const uint32_t begin = node == HY_SCHED_CLUSTER_NONE ? 0 : node;
	const uint32_t end = node == HY_SCHED_CLUSTER_NONE ? cluster->node_count : node + 1;
	char *lines = NULL;
	uint32_t first = begin;
	bool file_missing = false;
	for (uint32_t i = 0; i < cluster->device_count; i++)
		file_missing |= tool_inventory_has(cluster, &cluster->devices[i]) && cluster->devices[i].file == NULL;
	fputs("# gres.conf, written by halyard devices -o slurm\nAutoDetect=off\n", out);
	if (file_missing)
		fputs("# Count=1 stands where the device's file is not known: put File=/dev/... there\n", out);
	for (uint32_t n = begin; n < end; n++) {
		char *const own = lines_of(cluster, &cluster->nodes[n]);
		if (own == NULL) break;
		if (lines != NULL && strcmp(lines, own) == 0 &&
		    follows(cluster->nodes[n - 1].name, cluster->nodes[n].name)) {
			free(own);
			continue;
		}
		if (lines != NULL) put_group(cluster->nodes[first].name, cluster->nodes[n - 1].name, lines, out);
		free(lines);
		lines = own;
		first = n;
	}
	if (lines != NULL) put_group(cluster->nodes[first].name, cluster->nodes[end - 1].name, lines, out);
	free(lines);
}
