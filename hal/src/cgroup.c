/* Control groups, version 2 and 1: the tightest limit on the way from this process's group to the root. */
#include "cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 1024

/* The first line of a file without its end; false when there is none. */
static bool read_line(const char *path, char line[256])
{
	FILE *file = fopen(path, "re");
	if (file == NULL) return false;
	const bool any = fgets(line, 256, file) != NULL;
	fclose(file);
	if (any) line[strcspn(line, "\n")] = '\0';
	return any;
}

static bool read_number(const char *folder, const char *name, int64_t *out_value)
{
	char path[PATH_BYTES + 64], line[256], *end;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!read_line(path, line)) return false;
	*out_value = strtoll(line, &end, 10);
	return end != line;
}

static void limit_cpu(hy_hal__cgroup *cgroup, int64_t quota_us, int64_t period_us)
{
	if (quota_us <= 0 || period_us <= 0) return;
	const double cores = (double)(quota_us * 100 / period_us) / 100; /* hundredths are as much as it means */
	if (cores > 0 && (cgroup->cpu_quota == 0 || cores < cgroup->cpu_quota)) cgroup->cpu_quota = cores;
}

static void limit_memory(hy_hal__cgroup *cgroup, int64_t bytes)
{
	if (bytes > 0 && (uint64_t)bytes < cgroup->memory_bytes) cgroup->memory_bytes = (uint64_t)bytes;
}

static void read_v2(const char *folder, hy_hal__cgroup *cgroup)
{
	char path[PATH_BYTES + 64], line[256];
	long long quota_us = 0, period_us = 0;
	int64_t bytes = 0;
	snprintf(path, sizeof(path), "%s/cpu.max", folder);
	if (read_line(path, line) && sscanf(line, "%lld %lld", &quota_us, &period_us) == 2)
		limit_cpu(cgroup, quota_us, period_us);
	if (read_number(folder, "memory.max", &bytes)) limit_memory(cgroup, bytes);
}

static void read_v1_cpu(const char *folder, hy_hal__cgroup *cgroup)
{
	int64_t quota_us = 0, period_us = 0;
	if (read_number(folder, "cpu.cfs_quota_us", &quota_us) && read_number(folder, "cpu.cfs_period_us", &period_us))
		limit_cpu(cgroup, quota_us, period_us);
}

static void read_v1_memory(const char *folder, hy_hal__cgroup *cgroup)
{
	int64_t bytes = 0;
	if (read_number(folder, "memory.limit_in_bytes", &bytes)) limit_memory(cgroup, bytes);
}

/* Reads mount/group and every group above it, mount itself last. */
static void climb(const char *mount, const char *group, void (*read)(const char *folder, hy_hal__cgroup *cgroup),
                  hy_hal__cgroup *cgroup)
{
	char folder[PATH_BYTES];
	const size_t root_length = strlen(mount);
	if (snprintf(folder, sizeof(folder), "%s%s", mount, group) >= PATH_BYTES || strstr(group, "..") != NULL) return;
	for (;;) {
		read(folder, cgroup);
		char *slash = strrchr(folder, '/');
		if (strlen(folder) <= root_length || slash == NULL) return;
		*slash = '\0';
		if (strlen(folder) < root_length) return;
	}
}

/* True when a comma-separated list has the word. */
static bool has_word(const char *list, const char *word)
{
	const size_t length = strlen(word);
	for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
		if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ',')) return true;
	return false;
}

/* One line of /proc/self/cgroup: "number:controllers:group", no controllers for version 2. */
static void read_membership(const char *root, char *line, hy_hal__cgroup *cgroup)
{
	char mount[PATH_BYTES];
	char *controllers = strchr(line, ':');
	char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
	if (group == NULL) return;
	*group++ = '\0';
	controllers++;
	if (controllers[0] == '\0') {
		snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
		climb(mount, group, read_v2, cgroup);
		snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/unified", root);
		climb(mount, group, read_v2, cgroup);
	}
	if (has_word(controllers, "cpu")) {
		snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/cpu", root);
		climb(mount, group, read_v1_cpu, cgroup);
	}
	if (has_word(controllers, "memory")) {
		snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/memory", root);
		climb(mount, group, read_v1_memory, cgroup);
	}
}

void hy_hal__cgroup_read(const char *root, hy_hal__cgroup *out_cgroup)
{
	*out_cgroup = (hy_hal__cgroup){.memory_bytes = UINT64_MAX};
	char path[PATH_BYTES], line[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	FILE *file = fopen(path, "re");
	if (file == NULL) return;
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		read_membership(root, line, out_cgroup);
	}
	fclose(file);
}
