/* The machine that the suite runs on: what /proc, uname and os-release say. */
#include "machine.h"

#include "record.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

/* The value behind the first line that begins with key, without quotes; "" when there is none. */
static void value_in(const char *path, const char *key, char *out, size_t length)
{
	char line[1024];
	out[0] = '\0';
	FILE *file = fopen(path, "re");
	if (file == NULL) return;
	while (out[0] == '\0' && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) != 0) continue;
		char *value = line + strlen(key);
		value += strspn(value, " \t:=\"");
		value[strcspn(value, "\"\n")] = '\0';
		snprintf(out, length, "%s", value);
	}
	fclose(file);
}

/* Variables that change how a driver, a library or the loader behaves. */
static json_t *environment(void)
{
	static const char *const prefixes[] = {
		"HALYARD_", "LD_",  "OCL_", "POCL_", "OMP_",    "GOMP_", "KMP_",    "CUDA_",   "NVIDIA_",       "HIP_",
		"ROCR_",    "HSA_", "ZE_",  "SYCL_", "ASCEND_", "DNNL_", "ONEDNN_", "MALLOC_", "GLIBC_TUNABLES"};
	json_t *found = json_object();
	for (char **entry = environ; *entry != NULL; entry++) {
		const size_t name_length = strcspn(*entry, "=");
		for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
			if (strncmp(*entry, prefixes[i], strlen(prefixes[i])) != 0 || (*entry)[name_length] == '\0')
				continue;
			char name[128];
			snprintf(name, sizeof(name), "%.*s", (int)name_length, *entry);
			json_object_set_new(found, name, conform__record_text(*entry + name_length + 1));
		}
	}
	return found;
}

json_t *conform__machine_facts(void)
{
	char os[256], cpu[256];
	struct utsname kernel = {0};
	uname(&kernel);
	value_in("/etc/os-release", "PRETTY_NAME", os, sizeof(os));
	value_in("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	char version[4 * sizeof(kernel.release)];
	snprintf(version, sizeof(version), "%s %s %s", kernel.sysname, kernel.release, kernel.machine);
	const json_int_t memory = (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE);
	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o}", "os", conform__record_text(os), "kernel",
	                 conform__record_text(version), "cpu", conform__record_text(cpu), "cores",
	                 (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes", memory, "environment",
	                 environment());
}
