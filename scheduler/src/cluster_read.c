/* Types, nodes and devices of a description. */
#include "cluster_read.h"

#include "cluster_range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hy_sched_number number_of(const hy_yaml_node *map, const char *key, double fallback)
{
	const hy_yaml_node *node = hy_yaml_get(map, key);
	if (node == NULL) return (hy_sched_number){fallback, HY_SCHED_DEFAULT};
	return (hy_sched_number){node->number, HY_SCHED_GIVEN};
}

static const char *own_text(hy_sched__cluster *cluster, const hy_yaml_node *map, const char *key, const char *fallback)
{
	const char *text = hy_yaml_text(map, key, fallback);
	return text == NULL ? NULL : hy_sched__cluster_text(cluster, "%s", text);
}

static uint32_t kind_of(const hy_yaml_node *map)
{
	static const uint32_t kinds[] = {HY_KIND_CPU, HY_KIND_GPU, HY_KIND_NPU, HY_KIND_OTHER};
	const hy_yaml_node *kind = hy_yaml_get(map, "kind");
	if (kind != NULL) return kinds[(uint32_t)kind->number];
	return hy_yaml_get(map, "cores") != NULL ? HY_KIND_CPU : HY_KIND_OTHER;
}

/* A path in a description is meant from where the description is. */
static const char *path_of(hy_sched__reading *r, const hy_yaml_node *map)
{
	const char *path = hy_yaml_text(map, "calibration", NULL), *slash = strrchr(r->document->name, '/');
	if (path == NULL) return NULL;
	if (path[0] == '/' || slash == NULL) return hy_sched__cluster_text(r->cluster, "%s", path);
	return hy_sched__cluster_text(r->cluster, "%.*s/%s", (int)(slash - r->document->name), r->document->name, path);
}

void hy_sched__read_types(hy_sched__reading *r, hy_yaml_node *table)
{
	r->types = calloc(table == NULL ? 1 : table->count + 1, sizeof(*r->types));
	if (r->types == NULL) r->cluster->no_memory = true;
	for (hy_yaml_node *map = table == NULL ? NULL : table->first; map != NULL && r->types != NULL;
	     map = map->next) {
		const hy_yaml_node *peak = hy_yaml_get(map, "peak");
		const hy_sched_cluster_type type = {
			.name = hy_sched__cluster_text(r->cluster, "%s", map->key),
			.plugin = own_text(r->cluster, map, "plugin", "?"),
			.vendor = own_text(r->cluster, map, "vendor", ""),
			.model = own_text(r->cluster, map, "model", ""),
			.calibration = path_of(r, map),
			.kind = kind_of(map),
			.in_host_memory = kind_of(map) == HY_KIND_CPU,
			.cores = (uint32_t)hy_yaml_number(map, "cores", 0),
			.isolation = (hy_sched_isolation)hy_yaml_number(map, "isolation", HY_SCHED_IN_PROCESS),
			.memory_bytes = number_of(map, "memory", 0),
			.memory_bytes_per_s = number_of(map, "bandwidth", 0),
			.flops_f32 = number_of(peak, "f32", 0),
			.flops_f16 = number_of(peak, "f16", 0),
			.ops_i8 = number_of(peak, "i8", 0),
			.launch_ns = number_of(map, "launch", 5000),
		};
		r->types[r->cluster->shown.type_count] = map;
		hy_sched__cluster_add_type(r->cluster, &type);
	}
}

/* ---- lists of cores ---- */

/* Reads one part of "0-3,8"; false at the end of the list. */
static bool next_cores(const char **list, uint64_t *out_first, uint64_t *out_last)
{
	char *after;
	if (**list == '\0') return false;
	*out_first = *out_last = strtoull(*list, &after, 10);
	if (*after == '-') *out_last = strtoull(after + 1, &after, 10);
	*list = *after == ',' ? after + 1 : after;
	return true;
}

static void check_cores(hy_sched__reading *r, const hy_yaml_node *map, const char *key, uint32_t cores)
{
	hy_yaml_node *node = hy_yaml_get(map, key);
	uint64_t first, last;
	for (const char *at = node == NULL ? "" : node->text; next_cores(&at, &first, &last) && !node->bad;) {
		if (last < first)
			hy_yaml_fault_node(r->document, node, "'%.64s' counts down: write the smaller number first",
			                   node->text);
		else if (cores > 0 && last >= cores)
			hy_yaml_fault_node(r->document, node, "the node has %u cores: 0 to %u", cores, cores - 1);
	}
}

/* A device can't compute on cores that are kept from devices. */
static void check_reserved(hy_sched__reading *r, const hy_yaml_node *map, const char *reserved)
{
	hy_yaml_node *node = hy_yaml_get(map, "cores");
	uint64_t first, last, kept_first, kept_last;
	if (node == NULL || reserved == NULL) return;
	for (const char *at = node->text; next_cores(&at, &first, &last);) {
		for (const char *kept = reserved; next_cores(&kept, &kept_first, &kept_last) && !node->bad;) {
			const uint64_t core = first > kept_first ? first : kept_first;
			if (core <= last && core <= kept_last)
				hy_yaml_fault_node(r->document, node, "core %llu is reserved: see reservedCores",
				                   (unsigned long long)core);
		}
	}
}

/* ---- nodes ---- */

bool hy_sched__reading_is_first(const hy_sched__reading *r, uint32_t node)
{
	return node == 0 || r->nodes[node - 1] != r->nodes[node];
}

bool hy_sched__reading_is_settled(const hy_sched__reading *r, uint32_t node)
{
	return r->document->fault_count > 0 && !hy_sched__reading_is_first(r, node);
}

/* The names of a range, or none after a fault. */
static hy_sched__range names_of(hy_sched__reading *r, hy_yaml_node *node)
{
	hy_sched__range names = {0};
	if (node == NULL) return names;
	const char *fault = hy_sched__range_expand(node->text, &names);
	if (fault == NULL) return names;
	if (fault[0] == '\0')
		r->cluster->no_memory = true;
	else
		hy_yaml_fault_node(r->document, node, "'%.64s' %s", node->text, fault);
	return names;
}

static bool is_known_node(const hy_sched__reading *r, const char *name, uint32_t *out_line)
{
	for (uint32_t i = 0; i < r->cluster->shown.node_count; i++) {
		if (strcmp(r->cluster->nodes[i].name, name) != 0) continue;
		*out_line = r->nodes[i]->line;
		return true;
	}
	return false;
}

static void add_node(hy_sched__reading *r, hy_yaml_node *map, const char *name)
{
	const hy_sched_cluster_node node = {
		.name = hy_sched__cluster_text(r->cluster, "%s", name),
		.numa_count = (uint32_t)hy_yaml_number(map, "numa", 1),
		.cores = (uint32_t)hy_yaml_number(map, "cores", 0),
		.reserved_cores = own_text(r->cluster, map, "reservedCores", NULL),
		.isolation = (hy_sched_isolation)hy_yaml_number(map, "isolation", HY_SCHED_IN_PROCESS),
		.memory_bytes = number_of(map, "memory", 0),
	};
	r->nodes[r->cluster->shown.node_count] = map;
	hy_sched__cluster_add_node(r->cluster, &node);
}

static void add_nodes(hy_sched__reading *r, hy_yaml_node *map)
{
	hy_yaml_node *name = hy_yaml_get(map, "name");
	hy_sched__range names = names_of(r, name);
	const uint32_t before = r->cluster->shown.node_count;
	for (uint32_t i = 0; i < names.count && !name->bad && !r->cluster->no_memory; i++) {
		uint32_t line;
		if (r->cluster->shown.node_count == HY_SCHED_CLUSTER_NODES)
			hy_yaml_fault_node(r->document, name, "more than %u nodes", HY_SCHED_CLUSTER_NODES);
		else if (is_known_node(r, names.names[i], &line))
			hy_yaml_fault_node(r->document, name, "there is a node %.64s already: line %u", names.names[i],
			                   line);
		else
			add_node(r, map, names.names[i]);
	}
	hy_sched__range_finish(&names);
	/* one that has no name is looked at all the same: there may be more faults inside */
	if (r->cluster->shown.node_count == before && before < HY_SCHED_CLUSTER_NODES) add_node(r, map, "the node");
	check_cores(r, map, "reservedCores", (uint32_t)hy_yaml_number(map, "cores", 0));
}

/* ---- devices ---- */

static uint32_t type_of(hy_sched__reading *r, hy_yaml_node *node, bool tell)
{
	const char *names[256];
	const uint32_t count = r->unknown != 0 ? r->unknown - 1 : r->cluster->shown.type_count;
	if (node == NULL || count == 0) return HY_SCHED_CLUSTER_NONE;
	for (uint32_t i = 0; i < count; i++) {
		names[i] = r->cluster->types[i].name;
		if (strcmp(names[i], node->text) == 0) return i;
	}
	const char *near = hy_yaml_nearest(node->text, count, names);
	if (tell && near != NULL)
		hy_yaml_fault_node(r->document, node, "there is no device type '%.64s': did you mean '%s'?", node->text,
		                   near);
	else if (tell)
		hy_yaml_fault_node(r->document, node, "there is no device type '%.64s': describe it in deviceTypes",
		                   node->text);
	return HY_SCHED_CLUSTER_NONE;
}

static bool is_known_device(const hy_sched__cluster *cluster, const hy_sched_cluster_node *node, const char *id)
{
	for (uint32_t i = 0; i < node->device_count; i++)
		if (strcmp(cluster->devices[node->first_device + i].id, id) == 0) return true;
	return false;
}

/* Whether an id is PLUGIN:NUMBER. */
static bool is_id_of(const char *id, const char *plugin)
{
	const size_t length = strlen(plugin);
	return strncmp(id, plugin, length) == 0 && id[length] == ':' && id[length + 1] != '\0' &&
	       strspn(id + length + 1, "0123456789") == strlen(id + length + 1);
}

/* What can be wrong with an entry of `devices`, whatever node it stands on. */
static void check_devices(hy_sched__reading *r, hy_yaml_node *map, uint32_t index, const hy_sched__range *ids,
                          uint32_t type, uint32_t file_count)
{
	const hy_sched_cluster_node *node = &r->cluster->nodes[index];
	hy_yaml_node *numa = hy_yaml_get(map, "numa"), *pci = hy_yaml_get(map, "pci"), *id = hy_yaml_get(map, "id");
	hy_yaml_node *file = hy_yaml_get(map, "file");
	const char *plugin = type == HY_SCHED_CLUSTER_NONE || hy_yaml_get(r->types[type], "plugin") == NULL
	                             ? NULL
	                             : r->cluster->types[type].plugin;
	if (numa != NULL && !hy_yaml_is_bad(r->nodes[index], "numa") && numa->number >= node->numa_count)
		hy_yaml_fault_node(r->document, numa, "the node has %u NUMA node%s: 0 to %u", node->numa_count,
		                   node->numa_count == 1 ? "" : "s", node->numa_count - 1);
	if (pci != NULL && ids->count > 0 && pci->count != ids->count)
		hy_yaml_fault_node(r->document, pci, "%u addresses for %u devices", pci->count, ids->count);
	if (file != NULL && ids->count > 0 && file_count > 0 && file_count != ids->count)
		hy_yaml_fault_node(r->document, file, "%u files for %u devices", file_count, ids->count);
	if (plugin != NULL && ids->count > 0 && !is_id_of(ids->names[0], plugin))
		hy_yaml_fault_node(r->document, id, "devices of type %s are called %s:NUMBER, after their plugin",
		                   r->cluster->types[type].name, plugin);
	check_cores(r, map, "cores", node->cores);
	if (type != HY_SCHED_CLUSTER_NONE && r->cluster->types[type].kind == HY_KIND_CPU)
		check_reserved(r, map, node->reserved_cores);
}

/* Stands in for a type that is not there, so that what names its devices is no fault as well. */
static uint32_t unknown_type(hy_sched__reading *r)
{
	const hy_sched_cluster_type type = {.name = "?", .plugin = "?", .kind = HY_KIND_OTHER};
	if (r->unknown == 0) r->unknown = hy_sched__cluster_add_type(r->cluster, &type) + 1;
	return r->unknown - 1;
}

static const hy_yaml_node *item_at(const hy_yaml_node *list, uint32_t index)
{
	const hy_yaml_node *item = list == NULL ? NULL : list->first;
	while (item != NULL && index-- > 0)
		item = item->next;
	return item;
}

static hy_sched_isolation isolation_of(const hy_sched__reading *r, const hy_yaml_node *map, uint32_t node,
                                       uint32_t type)
{
	const hy_yaml_node *nearest = hy_yaml_get(map, "isolation");
	if (nearest == NULL && type + 1 != r->unknown) nearest = hy_yaml_get(r->types[type], "isolation");
	if (nearest == NULL) nearest = hy_yaml_get(r->nodes[node], "isolation");
	return nearest == NULL ? HY_SCHED_IN_PROCESS : (hy_sched_isolation)nearest->number;
}

static void add_devices(hy_sched__reading *r, uint32_t index, hy_yaml_node *map)
{
	const bool tell = hy_sched__reading_is_first(r, index);
	hy_sched_cluster_node *node = &r->cluster->nodes[index];
	hy_yaml_node *id = hy_yaml_get(map, "id");
	const hy_yaml_node *pci = hy_yaml_get(map, "pci");
	hy_sched__range ids = names_of(r, id), files = names_of(r, hy_yaml_get(map, "file"));
	uint32_t type = type_of(r, hy_yaml_get(map, "type"), tell);
	if (tell) check_devices(r, map, index, &ids, type, files.count);
	if (type == HY_SCHED_CLUSTER_NONE) type = unknown_type(r);
	for (uint32_t i = 0; i < ids.count && !r->cluster->no_memory; i++) {
		const hy_yaml_node *address = item_at(pci, i);
		const uint32_t numa = (uint32_t)hy_yaml_number(map, "numa", 0);
		if (is_known_device(r->cluster, node, ids.names[i])) {
			if (tell)
				hy_yaml_fault_node(r->document, id, "there is a device %.64s on %s already",
				                   ids.names[i], node->name);
			break;
		}
		if (node->device_count == HY_SCHED_CLUSTER_NODE_DEVICES) {
			if (tell)
				hy_yaml_fault_node(r->document, id, "more than %u devices on %s",
				                   HY_SCHED_CLUSTER_NODE_DEVICES, node->name);
			break;
		}
		const hy_sched_cluster_device device = {
			.id = hy_sched__cluster_text(r->cluster, "%s", ids.names[i]),
			.pci = address == NULL || address->bad
		                       ? NULL
		                       : hy_sched__cluster_text(r->cluster, "%s", address->text),
			.file = i < files.count ? hy_sched__cluster_text(r->cluster, "%s", files.names[i]) : NULL,
			.cores = own_text(r->cluster, map, "cores", NULL),
			.node = index,
			.type = type,
			.numa = numa < node->numa_count ? numa : 0,
			.isolation = isolation_of(r, map, index, type),
		};
		hy_sched__cluster_add_device(r->cluster, &device);
	}
	hy_sched__range_finish(&ids);
	hy_sched__range_finish(&files);
}

void hy_sched__read_nodes(hy_sched__reading *r, hy_yaml_node *list)
{
	r->nodes = calloc(HY_SCHED_CLUSTER_NODES + 1, sizeof(hy_yaml_node *));
	if (r->nodes == NULL) r->cluster->no_memory = true;
	for (hy_yaml_node *map = list == NULL ? NULL : list->first; map != NULL && !r->cluster->no_memory;
	     map = map->next)
		if (!map->bad) add_nodes(r, map);
	for (uint32_t n = 0; n < r->cluster->shown.node_count && !r->cluster->no_memory; n++) {
		const hy_yaml_node *devices = hy_yaml_get(r->nodes[n], "devices");
		if (devices == NULL || hy_sched__reading_is_settled(r, n)) continue;
		for (hy_yaml_node *map = devices->first; map != NULL; map = map->next)
			if (!map->bad && !r->cluster->no_memory) add_devices(r, n, map);
	}
}

/* ---- the whole ---- */

static void finish_faults(hy_yaml *document, hy_sched_faults *out_faults)
{
	if (out_faults == NULL || document->fault_count == 0) return;
	hy_sched_fault *items = calloc(document->fault_count, sizeof(*items));
	if (items == NULL) return;
	for (uint32_t i = 0; i < document->fault_count; i++) {
		const hy_yaml_fault *fault = &document->faults[i];
		items[i] = (hy_sched_fault){fault->line, fault->column, fault->text};
		document->faults[i].text = NULL; /* given away */
	}
	*out_faults = (hy_sched_faults){document->fault_count, items, items};
}

void hy_sched_faults_finish(hy_sched_faults *faults)
{
	for (uint32_t i = 0; i < faults->count; i++)
		free((char *)(uintptr_t)faults->items[i].text);
	free(faults->storage);
	*faults = (hy_sched_faults){0};
}

/* Whether it says that it is something else: then its keys need no looking at. */
static bool is_other_kind(hy_yaml *document)
{
	hy_yaml_node *kind = hy_yaml_get(document->root, "kind");
	if (kind == NULL || kind->text == NULL || strcmp(kind->text, "Cluster") == 0) return false;
	hy_yaml_fault_node(document, kind, "'%.64s' is no kind that is known here: write Cluster", kind->text);
	return true;
}

static void read_all(hy_sched__reading *r)
{
	const hy_yaml_node *root = r->document->root, *spec;
	if (root == NULL || is_other_kind(r->document)) return;
	hy_yaml_check(r->document, &hy_sched__cluster_table);
	if (r->document->broken) return; /* what is missing may stand behind the break */
	spec = hy_yaml_get(root, "spec");
	r->cluster->shown.name = own_text(r->cluster, hy_yaml_get(root, "metadata"), "name", "cluster");
	hy_sched__read_types(r, hy_yaml_get(spec, "deviceTypes"));
	hy_sched__read_nodes(r, hy_yaml_get(spec, "nodes"));
	if (!r->cluster->no_memory) hy_sched__read_links(r);
	if (!r->cluster->no_memory) hy_sched__read_network(r, hy_yaml_get(spec, "network"));
	if (!r->cluster->no_memory) hy_sched__cluster_connect_rest(r->cluster);
}

static hy_status read_document(hy_yaml *document, hy_sched_cluster **out_cluster, hy_sched_faults *out_faults,
                               hy_error *error)
{
	hy_sched__reading reading = {.document = document, .cluster = hy_sched__cluster_create()};
	if (reading.cluster == NULL)
		document->no_memory = true;
	else
		read_all(&reading);
	hy_status status = hy_yaml_result(document, error);
	if (status == HY_OK) {
		status = hy_sched__cluster_finish(reading.cluster, out_cluster, error);
		reading.cluster = NULL; /* given away */
	}
	hy_sched__cluster_destroy(reading.cluster);
	free(reading.types);
	free(reading.nodes);
	finish_faults(document, out_faults);
	hy_yaml_finish(document);
	return status;
}

hy_status hy_sched_cluster_parse(const char *name, const char *text, size_t length, hy_sched_cluster **out_cluster,
                                 hy_sched_faults *out_faults, hy_error *error)
{
	hy_yaml document;
	if (out_faults != NULL) *out_faults = (hy_sched_faults){0};
	hy_yaml_read(name, text, length, &document);
	return read_document(&document, out_cluster, out_faults, error);
}

hy_status hy_sched_cluster_load(const char *path, hy_sched_cluster **out_cluster, hy_sched_faults *out_faults,
                                hy_error *error)
{
	hy_yaml document;
	if (out_faults != NULL) *out_faults = (hy_sched_faults){0};
	const bool found = hy_yaml_load(path, &document) != HY_NOT_FOUND;
	const hy_status status = read_document(&document, out_cluster, out_faults, error);
	return found ? status : hy_error_set(error, HY_NOT_FOUND, "%s: no such file", path);
}
