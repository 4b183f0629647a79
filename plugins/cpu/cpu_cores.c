/* Cores and memory as Linux tells: affinity mask, sysfs, procfs, cgroup v2. */
#include "cpu_cores.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* First line of a small file, without its newline; false when it can't be read. */
static bool file_line(const char *path, char *text, size_t length)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) return false;
	const bool found = fgets(text, (int)length, file) != NULL;
	(void)fclose(file);
	if (!found) return false;
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/* A file of this process' cgroup: its own folder, or the root a container sees. */
static bool cgroup_line(const char *name, char *text, size_t length)
{
	char line[512], path[640];
	if (file_line("/proc/self/cgroup", line, sizeof(line)) && strncmp(line, "0::", 3) == 0) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", line + 3, name);
		if (file_line(path, text, length)) return true;
	}
	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", name);
	return file_line(path, text, length);
}

/* True when an earlier unit of the set sits on the same core. */
static bool unit_shares_core(const cpu_set_t *set, uint32_t unit)
{
	char path[128], line[256];
	(void)snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", unit);
	if (!file_line(path, line, sizeof(line))) return false;
	for (char *at = line; *at != '\0';) {
		char *end;
		const unsigned long first = strtoul(at, &end, 10);
		if (end == at) return false;
		unsigned long last = first;
		if (*end == '-') last = strtoul(end + 1, &end, 10);
		for (unsigned long sibling = first; sibling <= last && sibling < unit; sibling++) {
			if (CPU_ISSET(sibling, set)) return true;
		}
		at = *end == ',' ? end + 1 : end;
		if (*end != ',') break;
	}
	return false;
}

static void count(hy_cpu_cores *cores)
{
	cores->unit_count = 0;
	cores->core_count = 0;
	for (uint32_t unit = 0; unit < CPU_SETSIZE; unit++) {
		if (!CPU_ISSET(unit, &cores->set)) continue;
		cores->unit_count++;
		if (!unit_shares_core(&cores->set, unit)) cores->core_count++;
	}
	cores->thread_count = cores->core_count;
	char line[64];
	unsigned long long quota, period;
	if (!cgroup_line("cpu.max", line, sizeof(line))) return;
	if (sscanf(line, "%llu %llu", &quota, &period) != 2 || period == 0) return;
	const unsigned long long threads = (quota + period - 1) / period;
	if (threads >= 1 && threads < cores->thread_count) cores->thread_count = (uint32_t)threads;
}

void hy_cpu_cores_allowed(hy_cpu_cores *out_cores)
{
	CPU_ZERO(&out_cores->set);
	if (sched_getaffinity(0, sizeof(out_cores->set), &out_cores->set) != 0) CPU_SET(0, &out_cores->set);
	count(out_cores);
}

hy_status hy_cpu_cores_parse(const char *list, hy_cpu_cores *out_cores, hy_error *error)
{
	hy_cpu_cores allowed, cores;
	hy_cpu_cores_allowed(&allowed);
	CPU_ZERO(&cores.set);
	for (const char *at = list;;) {
		char *end;
		if (*at < '0' || *at > '9') break;
		const unsigned long first = strtoul(at, &end, 10);
		unsigned long last = first;
		if (*end == '-') {
			at = end + 1;
			if (*at < '0' || *at > '9') break;
			last = strtoul(at, &end, 10);
		}
		if (last < first || last >= CPU_SETSIZE) break;
		for (unsigned long unit = first; unit <= last; unit++) {
			if (!CPU_ISSET(unit, &allowed.set)) {
				return hy_error_set(error, HY_INVALID,
				                    "cpu: cores=%s: this process may not run on unit %lu; "
				                    "see Cpus_allowed_list in /proc/self/status",
				                    list, unit);
			}
			CPU_SET(unit, &cores.set);
		}
		at = end + 1;
		if (*end == ',') continue;
		if (*end != '\0') break;
		count(&cores);
		*out_cores = cores;
		return HY_OK;
	}
	return hy_error_set(error, HY_INVALID, "cpu: cores=%s is not a list of processing units; write 0-1,3", list);
}

void hy_cpu_cores_model(char *text, size_t length)
{
	(void)snprintf(text, length, "CPU");
	FILE *file = fopen("/proc/cpuinfo", "re");
	if (file == NULL) return;
	char line[256];
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || colon == NULL) continue;
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(text, length, "%s", colon + 1 + strspn(colon + 1, " \t"));
		break;
	}
	(void)fclose(file);
}

uint32_t hy_cpu_cores_numa(const hy_cpu_cores *cores)
{
	char path[128];
	for (uint32_t node = 0; node < 256; node++) {
		uint32_t here = 0;
		for (uint32_t unit = 0; unit < CPU_SETSIZE; unit++) {
			if (!CPU_ISSET(unit, &cores->set)) continue;
			(void)snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpu%u", node, unit);
			if (access(path, F_OK) != 0) break;
			here++;
		}
		if (here == cores->unit_count) return node;
		if (here > 0) return UINT32_MAX;
	}
	return UINT32_MAX;
}

static uint64_t meminfo_bytes(const char *key)
{
	uint64_t kib = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	if (file == NULL) return 0;
	char line[128];
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0) {
			kib = strtoull(line + strlen(key), NULL, 10);
			break;
		}
	}
	(void)fclose(file);
	return kib * 1024;
}

void hy_cpu_memory(uint64_t *out_total, uint64_t *out_free)
{
	uint64_t total = meminfo_bytes("MemTotal:"), free_bytes = meminfo_bytes("MemAvailable:");
	char line[64];
	if (cgroup_line("memory.max", line, sizeof(line)) && line[0] != 'm') {
		const uint64_t limit = strtoull(line, NULL, 10);
		uint64_t used = 0;
		if (cgroup_line("memory.current", line, sizeof(line))) used = strtoull(line, NULL, 10);
		if (limit < total) total = limit;
		const uint64_t left = limit > used ? limit - used : 0;
		if (left < free_bytes) free_bytes = left;
	}
	*out_total = total;
	*out_free = free_bytes;
}
