/* The machine by hwloc, the processing units this process may run on, and its control groups. */
#include "topology.h"

#include "cgroup.h"
#include "machine.h"

#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void hy_hal__topology_init(hy_hal__topology *topology, const hy_hal__log *log)
{
	*topology = (hy_hal__topology){.log = log, .root = ""};
	pthread_mutex_init(&topology->lock, NULL);
}

void hy_hal__topology_finish(hy_hal__topology *topology)
{
	if (topology->hwloc != NULL) hwloc_topology_destroy(topology->hwloc);
	free(topology->cpu_model);
	free(topology->allowed);
	pthread_mutex_destroy(&topology->lock);
}

/* The machine as it is, whatever part of it is allowed. */
static struct hwloc_topology *load(const hy_hal__log *log)
{
	struct hwloc_topology *hwloc = NULL;
	if (hwloc_topology_init(&hwloc) != 0) return NULL;
	hwloc_topology_set_flags(hwloc, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	if (hwloc_topology_load(hwloc) == 0) return hwloc;
	hy_hal__log_write(log, HY_LOG_WARN, "hal", "hwloc cannot read this machine: cores are counted, not described");
	hwloc_topology_destroy(hwloc);
	return NULL;
}

/* The processing units that the scheduler of the system lets this process run on. */
static cpu_set_t *affinity(size_t *out_bytes)
{
	for (int count = 1024; count <= 1 << 18; count *= 4) {
		cpu_set_t *set = CPU_ALLOC(count);
		const size_t bytes = CPU_ALLOC_SIZE(count);
		if (set == NULL) return NULL;
		if (sched_getaffinity(0, bytes, set) == 0) {
			*out_bytes = bytes;
			return set;
		}
		CPU_FREE(set);
	}
	return NULL;
}

static bool is_allowed(const cpu_set_t *set, size_t bytes, uint32_t pu)
{
	return set == NULL || CPU_ISSET_S(pu, bytes, set);
}

/* The first allowed processing unit of each core. */
static void find_allowed(hy_hal__topology *topology, const cpu_set_t *set, size_t bytes)
{
	hy_hal_topology_info *info = &topology->info;
	const uint32_t most = info->core_count > 0 ? info->core_count : 1;
	topology->allowed = calloc(most, sizeof(*topology->allowed));
	info->allowed = topology->allowed;
	if (topology->allowed == NULL) return;
	for (uint32_t i = 0; i < info->core_count; i++) {
		if (topology->hwloc == NULL) {
			if (is_allowed(set, bytes, i)) topology->allowed[info->allowed_count++] = i;
			continue;
		}
		const hwloc_obj_t core = hwloc_get_obj_by_type(topology->hwloc, HWLOC_OBJ_CORE, i);
		for (int pu = hwloc_bitmap_first(core->cpuset); pu >= 0; pu = hwloc_bitmap_next(core->cpuset, pu)) {
			if (!is_allowed(set, bytes, (uint32_t)pu)) continue;
			topology->allowed[info->allowed_count++] = (uint32_t)pu;
			break;
		}
	}
}

static uint32_t count_of(struct hwloc_topology *hwloc, hwloc_obj_type_t type)
{
	const int count = hwloc_get_nbobjs_by_type(hwloc, type);
	return count > 0 ? (uint32_t)count : 0;
}

static uint64_t cache_bytes(struct hwloc_topology *hwloc, hwloc_obj_type_t type)
{
	const hwloc_obj_t core = hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_PU, 0);
	const hwloc_obj_t cache = core == NULL ? NULL : hwloc_get_ancestor_obj_by_type(hwloc, type, core);
	return cache == NULL ? 0 : cache->attr->cache.size;
}

static void describe(hy_hal__topology *topology)
{
	hy_hal_topology_info *info = &topology->info;
	struct hwloc_topology *hwloc = topology->hwloc;
	const long page = sysconf(_SC_PAGESIZE), pages = sysconf(_SC_PHYS_PAGES),
		   processors = sysconf(_SC_NPROCESSORS_ONLN);
	info->memory_bytes = page > 0 && pages > 0 ? (uint64_t)page * (uint64_t)pages : 0;
	info->pu_count = info->core_count = processors > 0 ? (uint32_t)processors : 1;
	info->package_count = info->numa_count = 1;
	if (hwloc == NULL) return;
	info->pu_count = count_of(hwloc, HWLOC_OBJ_PU);
	info->core_count = count_of(hwloc, HWLOC_OBJ_CORE);
	info->package_count = count_of(hwloc, HWLOC_OBJ_PACKAGE);
	info->numa_count = count_of(hwloc, HWLOC_OBJ_NUMANODE);
	info->l2_bytes = cache_bytes(hwloc, HWLOC_OBJ_L2CACHE);
	info->l3_bytes = cache_bytes(hwloc, HWLOC_OBJ_L3CACHE);
	const hwloc_obj_t package = hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, 0);
	const char *model = package == NULL ? NULL : hwloc_obj_get_info_by_name(package, "CPUModel");
	if (model == NULL) model = hwloc_obj_get_info_by_name(hwloc_get_root_obj(hwloc), "CPUModel");
	topology->cpu_model = model == NULL ? NULL : strdup(model);
}

static void look(hy_hal__topology *topology)
{
	hy_hal_topology_info *info = &topology->info;
	size_t bytes = 0;
	cpu_set_t *set = affinity(&bytes);
	topology->hwloc = load(topology->log);
	describe(topology);
	find_allowed(topology, set, bytes);
	if (set != NULL) CPU_FREE(set);
	hy_hal__cgroup cgroup;
	hy_hal__cgroup_read(topology->root, &cgroup);
	info->cpu_quota = cgroup.cpu_quota;
	if (cgroup.memory_bytes < info->memory_bytes) info->memory_bytes = cgroup.memory_bytes;
	info->cpu_model = topology->cpu_model != NULL ? topology->cpu_model : "unknown";
	topology->is_known = true;
}

static hy_hal__topology *known(const hy_hal_machine *machine)
{
	hy_hal__topology *topology = (hy_hal__topology *)&machine->topology; /* a cache: looking changes nothing */
	pthread_mutex_lock(&topology->lock);
	if (!topology->is_known) look(topology);
	pthread_mutex_unlock(&topology->lock);
	return topology;
}

const hy_hal_topology_info *hy_hal_machine_topology(const hy_hal_machine *machine)
{
	return &known(machine)->info;
}

hy_status hy_hal_topology_export(const hy_hal_machine *machine, char **out_xml, hy_error *error)
{
	hy_hal__topology *topology = known(machine);
	char *buffer = NULL;
	int length = 0;
	if (topology->hwloc == NULL)
		return hy_error_set(error, HY_UNSUPPORTED, "hwloc cannot read this machine: see the log");
	if (hwloc_topology_export_xmlbuffer(topology->hwloc, &buffer, &length, 0) != 0)
		return hy_error_set(error, HY_INTERNAL, "hwloc cannot write this machine as XML");
	char *xml = strndup(buffer, (size_t)length);
	hwloc_free_xmlbuffer(topology->hwloc, buffer);
	if (xml == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	*out_xml = xml;
	return HY_OK;
}
