/* What this process can say of itself. */
#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

uint64_t conform__process_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t conform__process_resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long long size = 0, resident = 0;
	if (file == NULL || fscanf(file, "%llu %llu", &size, &resident) != 2) resident = 0;
	if (file != NULL) fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint32_t entries_of(const char *folder)
{
	DIR *open_folder = opendir(folder);
	uint32_t count = 0;
	while (open_folder != NULL && readdir(open_folder) != NULL)
		count++;
	if (open_folder != NULL) closedir(open_folder);
	return count;
}

uint32_t conform__process_descriptors(void)
{
	return entries_of("/proc/self/fd");
}

uint32_t conform__process_threads(void)
{
	return entries_of("/proc/self/task");
}
