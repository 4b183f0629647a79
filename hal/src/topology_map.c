/* Maps: the memories and the bus of a machine by hwloc, of this machine or of a file. */
#include <halyard/hal.h>

#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define XML_BYTES (16u << 20)
#define DEVICES 256u

struct hy_hal_map {
	hwloc_topology_t hwloc;
	hy_hal_map_info info;
	hy_hal_map_numa *numas;
	hy_hal_map_device *devices;
	hwloc_obj_t *objects; /* of the devices */
	uint64_t *links; /* [from * device_count + to], bytes/s */
	char link_name[32];
};

void hy_hal_map_close(hy_hal_map *map)
{
	if (map == NULL) return;
	if (map->hwloc != NULL) hwloc_topology_destroy(map->hwloc);
	free(map->numas);
	free(map->devices);
	free(map->objects);
	free(map->links);
	free(map);
}

/* ---- NUMA nodes ---- */

/* Logical numbers of the cores in a set, as "0-3,8"; cut at length. */
static void list_cores(hwloc_topology_t hwloc, hwloc_const_cpuset_t set, char *text, size_t length)
{
	const int count = hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_CORE);
	size_t used = 0;
	text[0] = '\0';
	for (int i = 0; i < count && used + 24 < length; i++) {
		int last = i;
		if (!hwloc_bitmap_intersects(hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_CORE, (unsigned)i)->cpuset, set))
			continue;
		while (last + 1 < count &&
		       hwloc_bitmap_intersects(hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_CORE, (unsigned)last + 1)->cpuset,
		                               set))
			last++;
		used += (size_t)snprintf(text + used, length - used, last == i ? "%s%d" : "%s%d-%d",
		                         used > 0 ? "," : "", i, last);
		i = last;
	}
}

static bool find_numas(hy_hal_map *map)
{
	const int count = hwloc_get_nbobjs_by_type(map->hwloc, HWLOC_OBJ_NUMANODE);
	const int cores = hwloc_get_nbobjs_by_type(map->hwloc, HWLOC_OBJ_CORE);
	map->info.core_count = cores > 0 ? (uint32_t)cores : 0;
	map->numas = calloc(count > 0 ? (size_t)count : 1, sizeof(*map->numas));
	map->info.numas = map->numas;
	if (map->numas == NULL) return false;
	for (int i = 0; i < count; i++) {
		const hwloc_obj_t numa = hwloc_get_obj_by_type(map->hwloc, HWLOC_OBJ_NUMANODE, (unsigned)i);
		hy_hal_map_numa *out = &map->numas[map->info.numa_count++];
		out->memory_bytes = numa->attr->numanode.local_memory;
		list_cores(map->hwloc, numa->cpuset, out->cores, sizeof(out->cores));
	}
	return true;
}

/* ---- devices ---- */

static bool is_accelerator(hwloc_obj_t pci)
{
	const unsigned base = pci->attr->pcidev.class_id >> 8;
	if (base == 0x03 || base == 0x12) return true;
	for (hwloc_obj_t os = pci->io_first_child; os != NULL; os = os->next_sibling)
		if (os->type == HWLOC_OBJ_OS_DEVICE &&
		    (os->attr->osdev.type == HWLOC_OBJ_OSDEV_COPROC || os->attr->osdev.type == HWLOC_OBJ_OSDEV_GPU))
			return true;
	return false;
}

static uint32_t numa_of(const hy_hal_map *map, hwloc_obj_t object)
{
	const hwloc_obj_t place = hwloc_get_non_io_ancestor_obj(map->hwloc, object);
	const int numa = place == NULL || place->nodeset == NULL ? -1 : hwloc_bitmap_first(place->nodeset);
	if (numa < 0 || hwloc_bitmap_weight(place->nodeset) != 1) return HY_GRAPH_NONE;
	const hwloc_obj_t found = hwloc_get_numanode_obj_by_os_index(map->hwloc, (unsigned)numa);
	return found == NULL ? HY_GRAPH_NONE : found->logical_index;
}

/* The slowest link on the way up, bytes per second; hwloc counts in GB/s of payload. */
static uint64_t way_up(hwloc_obj_t pci)
{
	float least = 0;
	for (hwloc_obj_t at = pci; at != NULL; at = at->parent) {
		float speed = 0;
		if (at->type == HWLOC_OBJ_PCI_DEVICE)
			speed = at->attr->pcidev.linkspeed;
		else if (at->type == HWLOC_OBJ_BRIDGE && at->attr->bridge.upstream_type == HWLOC_OBJ_BRIDGE_PCI)
			speed = at->attr->bridge.upstream.pci.linkspeed;
		if (speed > 0 && (least == 0 || speed < least)) least = speed;
	}
	return (uint64_t)((double)least * 1e9);
}

/* Bytes of the first attribute that is called after a size of memory; hwloc counts in kB. */
static uint64_t memory_of(hwloc_obj_t os)
{
	static const char *const ends[] = {"GlobalMemorySize", "VRAMSize", "HBMSize"};
	for (unsigned i = 0; i < os->infos_count; i++) {
		const char *name = os->infos[i].name;
		for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++)
			if (strlen(name) > strlen(ends[e]) &&
			    strcmp(name + strlen(name) - strlen(ends[e]), ends[e]) == 0)
				return 1024 * strtoull(os->infos[i].value, NULL, 10);
	}
	return 0;
}

static void describe(const hy_hal_map *map, hwloc_obj_t pci, hy_hal_map_device *out)
{
	const struct hwloc_pcidev_attr_s *a = &pci->attr->pcidev;
	const char *model = hwloc_obj_get_info_by_name(pci, "PCIDevice");
	size_t used = 0;
	*out = (hy_hal_map_device){.pci_vendor = a->vendor_id, .pci_device = a->device_id};
	snprintf(out->pci, sizeof(out->pci), "%04x:%02x:%02x.%01x", a->domain & 0xffff, a->bus, a->dev, a->func & 7);
	for (hwloc_obj_t os = pci->io_first_child; os != NULL; os = os->next_sibling) {
		if (os->type != HWLOC_OBJ_OS_DEVICE || os->name == NULL ||
		    used + strlen(os->name) + 2 > sizeof(out->names))
			continue;
		used += (size_t)snprintf(out->names + used, sizeof(out->names) - used, "%s%s", used > 0 ? "," : "",
		                         os->name);
		if (out->memory_bytes == 0) out->memory_bytes = memory_of(os);
		const char *better = hwloc_obj_get_info_by_name(os, "GPUModel");
		if (better != NULL) model = better;
	}
	snprintf(out->model, sizeof(out->model), "%s", model != NULL ? model : "");
	out->numa = numa_of(map, pci);
	out->bytes_per_s = way_up(pci);
}

static bool find_devices(hy_hal_map *map)
{
	map->devices = calloc(DEVICES, sizeof(*map->devices));
	map->objects = calloc(DEVICES, sizeof(hwloc_obj_t));
	map->info.devices = map->devices;
	if (map->devices == NULL || map->objects == NULL) return false;
	for (hwloc_obj_t pci = hwloc_get_next_pcidev(map->hwloc, NULL); pci != NULL;
	     pci = hwloc_get_next_pcidev(map->hwloc, pci)) {
		if (map->info.device_count == DEVICES || !is_accelerator(pci)) continue;
		map->objects[map->info.device_count] = pci;
		describe(map, pci, &map->devices[map->info.device_count++]);
	}
	return true;
}

/* ---- matrices ---- */

static uint32_t device_of(const hy_hal_map *map, hwloc_obj_t object)
{
	for (; object != NULL; object = object->parent)
		for (uint32_t i = 0; i < map->info.device_count; i++)
			if (map->objects[i] == object) return i;
	return HY_GRAPH_NONE;
}

/* One matrix of bandwidths, in MB/s; the first that knows a pair counts. */
static void read_matrix(hy_hal_map *map, struct hwloc_distances_s *matrix)
{
	const char *name = hwloc_distances_get_name(map->hwloc, matrix);
	for (unsigned i = 0; i < matrix->nbobjs; i++) {
		const uint32_t from = matrix->objs[i] == NULL ? HY_GRAPH_NONE : device_of(map, matrix->objs[i]);
		for (unsigned j = 0; j < matrix->nbobjs && from != HY_GRAPH_NONE; j++) {
			const uint32_t to = matrix->objs[j] == NULL ? HY_GRAPH_NONE : device_of(map, matrix->objs[j]);
			const uint64_t value = matrix->values[i * matrix->nbobjs + j];
			if (to == HY_GRAPH_NONE || to == from || value == 0 || value > 100000000u) continue;
			uint64_t *link = &map->links[from * map->info.device_count + to];
			if (*link == 0) *link = value * 1000000u;
			if (map->link_name[0] == '\0')
				snprintf(map->link_name, sizeof(map->link_name), "%s", name != NULL ? name : "");
		}
	}
}

static bool find_links(hy_hal_map *map)
{
	struct hwloc_distances_s *matrices[16];
	unsigned count = 16;
	const size_t devices = map->info.device_count;
	map->links = calloc(devices * devices + 1, sizeof(*map->links));
	if (map->links == NULL) return false;
	if (hwloc_distances_get(map->hwloc, &count, matrices, HWLOC_DISTANCES_KIND_MEANS_BANDWIDTH, 0) != 0)
		return true;
	for (unsigned i = 0; i < count && i < 16; i++) {
		read_matrix(map, matrices[i]);
		hwloc_distances_release(map->hwloc, matrices[i]);
	}
	return true;
}

/* ---- the whole ---- */

/* hwloc's components that would load drivers into this process, where none is loaded that was not probed, and the one of
 * libpciaccess, which never gives its memory back: sysfs tells the bus as well. */
static void refuse_drivers(hwloc_topology_t hwloc)
{
	static const char *const names[] = {"opencl", "cuda", "nvml", "rsmi", "levelzero", "gl", "pci"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)hwloc_topology_set_components(hwloc, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, names[i]);
}

static hy_status choose_source(hwloc_topology_t hwloc, const char *source, hy_error *error)
{
	static const char synthetic[] = "synthetic:";
	struct stat file;
	if (source == NULL) {
		hwloc_topology_set_flags(hwloc, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
		refuse_drivers(hwloc);
		return HY_OK;
	}
	if (strncmp(source, synthetic, sizeof(synthetic) - 1) == 0) {
		if (hwloc_topology_set_synthetic(hwloc, source + sizeof(synthetic) - 1) == 0) return HY_OK;
		return hy_error_set(error, HY_INVALID,
		                    "%s: hwloc does not understand it: write synthetic:numa:2 core:4 pu:1", source);
	}
	if (stat(source, &file) != 0) return hy_error_set(error, HY_NOT_FOUND, "%s: no such file", source);
	if (!S_ISREG(file.st_mode) || file.st_size > XML_BYTES)
		return hy_error_set(error, HY_INVALID, "%s: not a file of at most 16 MiB", source);
	if (hwloc_topology_set_xml(hwloc, source) == 0) return HY_OK;
	return hy_error_set(error, HY_INVALID, "%s: hwloc does not read it as XML of a topology", source);
}

hy_status hy_hal_map_open(const char *source, hy_hal_map **out_map, hy_error *error)
{
	hy_hal_map *map = calloc(1, sizeof(*map));
	if (map == NULL || hwloc_topology_init(&map->hwloc) != 0) {
		free(map);
		return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	}
	hwloc_topology_set_io_types_filter(map->hwloc, HWLOC_TYPE_FILTER_KEEP_ALL);
	hy_status status = choose_source(map->hwloc, source, error);
	if (status == HY_OK && hwloc_topology_load(map->hwloc) != 0)
		status = hy_error_set(error, source == NULL ? HY_UNSUPPORTED : HY_INVALID, "%s: hwloc cannot load it",
		                      source == NULL ? "this machine" : source);
	if (status == HY_OK && !(find_numas(map) && find_devices(map) && find_links(map)))
		status = hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	if (status == HY_OK)
		*out_map = map;
	else
		hy_hal_map_close(map);
	return status;
}

const hy_hal_map_info *hy_hal_map_describe(const hy_hal_map *map)
{
	return &map->info;
}

static uint32_t depth_of(hwloc_obj_t object)
{
	uint32_t depth = 0;
	for (; object->parent != NULL; object = object->parent)
		depth++;
	return depth;
}

hy_hal_near hy_hal_map_between(const hy_hal_map *map, uint32_t a, uint32_t b)
{
	hwloc_obj_t x = map->objects[a], y = map->objects[b];
	uint32_t dx = depth_of(x), dy = depth_of(y), steps = 0;
	while (x != y) {
		if (dx >= dy) x = x->parent;
		if (dx < dy) y = y->parent;
		*(dx >= dy ? &dx : &dy) -= 1;
		steps++;
	}
	if (x->type == HWLOC_OBJ_BRIDGE && x->attr->bridge.upstream_type == HWLOC_OBJ_BRIDGE_HOST)
		return HY_HAL_HOST_BRIDGE;
	if (x->type == HWLOC_OBJ_BRIDGE || x->type == HWLOC_OBJ_PCI_DEVICE)
		return steps <= 2 ? HY_HAL_ONE_BRIDGE : HY_HAL_BRIDGES;
	return map->devices[a].numa == map->devices[b].numa && map->devices[a].numa != HY_GRAPH_NONE ? HY_HAL_ONE_NUMA
	                                                                                             : HY_HAL_FAR;
}

uint64_t hy_hal_map_link(const hy_hal_map *map, uint32_t from, uint32_t to, const char **out_name)
{
	*out_name = map->link_name;
	return map->links[from * map->info.device_count + to];
}

hy_status hy_hal_map_export(const hy_hal_map *map, char **out_xml, hy_error *error)
{
	char *buffer = NULL;
	int length = 0;
	if (hwloc_topology_export_xmlbuffer(map->hwloc, &buffer, &length, 0) != 0)
		return hy_error_set(error, HY_INTERNAL, "hwloc cannot write this machine as XML");
	char *xml = strndup(buffer, (size_t)length);
	hwloc_free_xmlbuffer(map->hwloc, buffer);
	if (xml == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	*out_xml = xml;
	return HY_OK;
}
