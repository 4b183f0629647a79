/* Dynamic Resource Allocation: ResourceSlices, as a driver would publish them. */
#include "inventory.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_DEVICES 128u /* the API's limit */
#define STRING_BYTES 64u /* of an attribute */

/* A YAML text in double quotes, at most 64 bytes. */
static void put_text(const char *text, FILE *out)
{
	fputc('"', out);
	for (uint32_t i = 0; text[i] != '\0' && i < STRING_BYTES; i++) {
		if (text[i] == '"' || text[i] == '\\') fputc('\\', out);
		fputc((unsigned char)text[i] < 0x20 ? ' ' : text[i], out);
	}
	fputc('"', out);
}

static void put_attribute(const char *key, const char *text, FILE *out)
{
	if (text == NULL || text[0] == '\0') return;
	fprintf(out, "      %s: {string: ", key);
	put_text(text, out);
	fputs("}\n", out);
}

/* Bytes as a quantity: 80Gi where that is exact. */
static void put_memory(double bytes, FILE *out)
{
	static const struct {
		double factor;
		const char *name;
	} units[] = {{1073741824, "Gi"}, {1048576, "Mi"}, {1024, "Ki"}, {1, ""}};
	size_t i = 0;
	while (i < 3 && fmod(bytes, units[i].factor) != 0)
		i++;
	fprintf(out, "    capacity:\n      memory: {value: \"%.0f%s\"}\n", bytes / units[i].factor, units[i].name);
}

/* A name as Kubernetes wants it: small letters, digits and '-'. */
static void put_name(const char *text, FILE *out)
{
	char label[64];
	for (char *at = (char *)(uintptr_t)tool_inventory_label(text, label, sizeof(label)); *at != '\0'; at++)
		fputc(isalnum((unsigned char)*at) ? tolower((unsigned char)*at) : '-', out);
}

static void put_device(const hy_sched_cluster *cluster, const hy_sched_cluster_device *device, FILE *out)
{
	static const char *const kinds[] = {"other", "cpu", "gpu", "npu", "other"};
	const hy_sched_cluster_type *const type = &cluster->types[device->type];
	const char *const number = strrchr(device->id, ':');
	fputs("  - name: ", out);
	put_name(device->id, out);
	fputs("\n    attributes:\n", out);
	put_attribute("id", device->id, out);
	put_attribute("plugin", type->plugin, out);
	put_attribute("kind", kinds[type->kind], out);
	put_attribute("type", type->name, out);
	put_attribute("vendor", type->vendor, out);
	put_attribute("model", type->model, out);
	if (number != NULL) fprintf(out, "      index: {int: %lu}\n", strtoul(number + 1, NULL, 10));
	fprintf(out, "      numaNode: {int: %u}\n", device->numa);
	put_attribute("resource.kubernetes.io/pciBusID", device->pci, out);
	if (type->memory_bytes.value > 0) put_memory(type->memory_bytes.value, out);
}

static void put_node(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node, FILE *out)
{
	uint32_t count = 0, written = 0;
	for (uint32_t i = 0; i < node->device_count; i++)
		count += tool_inventory_has(cluster, &cluster->devices[node->first_device + i]);
	const uint32_t slices = (count + SLICE_DEVICES - 1) / SLICE_DEVICES;
	for (uint32_t i = 0; i < node->device_count; i++) {
		const hy_sched_cluster_device *const device = &cluster->devices[node->first_device + i];
		if (!tool_inventory_has(cluster, device)) continue;
		if (written % SLICE_DEVICES == 0) {
			fputs("---\napiVersion: resource.k8s.io/v1\nkind: ResourceSlice\nmetadata: {name: ", out);
			put_name(node->name, out);
			fprintf(out,
			        "-halyard-%u}\nspec:\n  driver: halyard.dev\n  nodeName: ", written / SLICE_DEVICES);
			put_text(node->name, out);
			fputs("\n  pool: {name: ", out);
			put_text(node->name, out);
			fprintf(out, ", generation: 0, resourceSliceCount: %u}\n  devices:\n", slices);
		}
		put_device(cluster, device, out);
		written++;
	}
}

void tool_inventory_dra(const hy_sched_cluster *cluster, uint32_t node, FILE *out)
{
	for (uint32_t n = 0; n < cluster->node_count; n++)
		if (node == HY_SCHED_CLUSTER_NONE || n == node) put_node(cluster, &cluster->nodes[n], out);
}
