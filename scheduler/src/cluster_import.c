/* A file by what stands in it; hwloc's maps as clusters of one node. */
#include "cluster_import.h"

#include "cluster_bus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *hy_sched__import_name(hy_sched__cluster *cluster, const char *path)
{
	const char *slash = strrchr(path, '/'), *begin = slash != NULL ? slash + 1 : path;
	size_t length = strcspn(begin, ".");
	if (strncmp(path, "synthetic:", 10) == 0 || length == 0) return hy_sched__cluster_text(cluster, "node");
	if (length > 63) length = 63;
	return hy_sched__cluster_text(cluster, "%.*s", (int)length, begin);
}

/* "cuda:0" for a device that is called cuda0 as well; else its place among all. */
static const char *id_of(hy_sched__cluster *cluster, const hy_hal_map_device *device, uint32_t index)
{
	char names[sizeof(device->names)], *rest = names;
	snprintf(names, sizeof(names), "%s", device->names);
	for (const char *name = strsep(&rest, ","); name != NULL; name = strsep(&rest, ",")) {
		const size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyz");
		const size_t digits = strspn(name + letters, "0123456789");
		if (letters > 0 && digits > 0 && name[letters + digits] == '\0' && strncmp(name, "card", 4) != 0 &&
		    strncmp(name, "render", 6) != 0 && strncmp(name, "controlD", 8) != 0)
			return hy_sched__cluster_text(cluster, "%.*s:%s", (int)letters, name, name + letters);
	}
	return hy_sched__cluster_text(cluster, "pci:%u", index);
}

static uint32_t type_of(hy_sched__cluster *cluster, const hy_hal_map_device *device, const char *id)
{
	const int plugin_length = (int)strcspn(id, ":");
	const char *model = device->model[0] != '\0' ? hy_sched__cluster_text(cluster, "%s", device->model)
	                                             : hy_sched__cluster_text(cluster, "%04x:%04x", device->pci_vendor,
	                                                                      device->pci_device);
	uint32_t alike = 0;
	for (uint32_t i = 0; i < cluster->shown.type_count && model != NULL; i++) {
		const hy_sched_cluster_type *type = &cluster->types[i];
		if (strncmp(type->plugin, id, (size_t)plugin_length) != 0 || type->plugin[plugin_length] != '\0')
			continue;
		if (strcmp(type->model, model) == 0) return i;
		alike++;
	}
	const char *plugin = hy_sched__cluster_text(cluster, "%.*s", plugin_length, id);
	const hy_sched_cluster_type type = {
		.name = alike == 0 ? plugin : hy_sched__cluster_text(cluster, "%s.%u", plugin, alike),
		.plugin = plugin,
		.vendor = hy_sched__cluster_text(cluster, "%04x", device->pci_vendor),
		.model = model,
		.kind = HY_KIND_OTHER,
		.memory_bytes = {(double)device->memory_bytes, HY_SCHED_GIVEN},
		.launch_ns = {5000, HY_SCHED_DEFAULT},
	};
	return cluster->no_memory ? HY_SCHED_CLUSTER_NONE : hy_sched__cluster_add_type(cluster, &type);
}

static void add_devices(hy_sched__cluster *cluster, const hy_hal_map_info *info, uint32_t *positions)
{
	for (uint32_t i = 0; i < info->device_count && !cluster->no_memory; i++) {
		const hy_hal_map_device *from = &info->devices[i];
		const uint32_t numa = from->numa < info->numa_count ? from->numa : 0;
		const char *id = id_of(cluster, from, i);
		if (id == NULL) return;
		const hy_sched_cluster_device device = {
			.id = id,
			.pci = hy_sched__cluster_text(cluster, "%s", from->pci),
			.cores = numa < info->numa_count
		                         ? hy_sched__cluster_text(cluster, "%s", info->numas[numa].cores)
		                         : NULL,
			.type = type_of(cluster, from, id),
			.numa = numa,
		};
		positions[i] = i;
		if (!cluster->no_memory) hy_sched__cluster_add_device(cluster, &device);
	}
}

static hy_status from_map(const char *source, const hy_hal_map *map, hy_sched_cluster **out_cluster, hy_error *error)
{
	const hy_hal_map_info *info = hy_hal_map_describe(map);
	hy_sched__cluster *cluster = hy_sched__cluster_create();
	uint32_t *positions = calloc(info->device_count + 1, sizeof(*positions));
	if (cluster == NULL || positions == NULL) {
		hy_sched__cluster_destroy(cluster);
		free(positions);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for the cluster");
	}
	double memory = 0;
	for (uint32_t i = 0; i < info->numa_count; i++)
		memory += (double)info->numas[i].memory_bytes;
	const hy_sched_cluster_node node = {
		.name = hy_sched__import_name(cluster, source),
		.numa_count = info->numa_count > 0 ? info->numa_count : 1,
		.cores = info->core_count,
		.memory_bytes = {memory, HY_SCHED_GIVEN},
	};
	cluster->shown.name = node.name;
	hy_sched__cluster_add_node(cluster, &node);
	add_devices(cluster, info, positions);
	if (!cluster->no_memory) hy_sched__cluster_bus(cluster, map, positions);
	if (!cluster->no_memory) hy_sched__cluster_connect_rest(cluster);
	free(positions);
	return hy_sched__cluster_finish(cluster, out_cluster, error);
}

static hy_status from_hwloc(const char *source, hy_sched_cluster **out_cluster, hy_error *error)
{
	hy_hal_map *map = NULL;
	const hy_status status = hy_hal_map_open(source, &map, error);
	if (status != HY_OK) return status;
	const hy_status made = from_map(source, map, out_cluster, error);
	hy_hal_map_close(map);
	return made;
}

/* The file's text, NUL at its end; NULL with a status. */
static char *slurp(const char *path, size_t *out_length, hy_status *out_status, hy_error *error)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(HY_SCHED_IMPORT_BYTES + 1);
	if (file == NULL)
		*out_status = hy_error_set(error, HY_NOT_FOUND, "%s: no such file", path);
	else if (text == NULL)
		*out_status = hy_error_set(error, HY_NO_MEMORY, "no memory to read %s", path);
	else if ((*out_length = fread(text, 1, HY_SCHED_IMPORT_BYTES + 1, file)) > HY_SCHED_IMPORT_BYTES)
		*out_status = hy_error_set(error, HY_INVALID, "%s:1:1: larger than 4 MiB", path);
	else if (ferror(file))
		*out_status = hy_error_set(error, HY_INVALID, "%s: cannot be read: is it a file?", path);
	else
		*out_status = HY_OK;
	if (file != NULL) fclose(file);
	if (*out_status == HY_OK) {
		text[*out_length] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* Whether the first element of an XML text is called so. */
static bool begins_with(const char *text, const char *element)
{
	for (const char *at = strchr(text, '<'); at != NULL; at = strchr(at + 1, '<')) {
		if (strncmp(at, "<!--", 4) == 0) {
			at = strstr(at, "-->");
			if (at == NULL) return false;
			continue;
		}
		if (at[1] == '?' || at[1] == '!') continue;
		const size_t length = strlen(element);
		return strncmp(at + 1, element, length) == 0 && !isalnum((unsigned char)at[1 + length]);
	}
	return false;
}

hy_status hy_sched_cluster_import(const char *source, hy_sched_cluster **out_cluster, hy_sched_faults *out_faults,
                                  hy_error *error)
{
	size_t length = 0;
	hy_status status = HY_OK;
	if (out_faults != NULL) *out_faults = (hy_sched_faults){0};
	if (strncmp(source, "synthetic:", 10) == 0) return from_hwloc(source, out_cluster, error);
	char *text = slurp(source, &length, &status, error);
	if (text == NULL) return status;
	const size_t blank = strspn(text, " \r\n");
	if (text[blank] != '<')
		status = hy_sched_cluster_parse(source, text, length, out_cluster, out_faults, error);
	else if (begins_with(text, "system"))
		status = hy_sched__import_nccl(source, text, length, out_cluster, error);
	else
		status = from_hwloc(source, out_cluster, error);
	free(text);
	return status;
}
