/* One plugin's manifest: plugins.d/<name>.yaml. */
#ifndef HY_HAL_MANIFEST_H
#define HY_HAL_MANIFEST_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stddef.h>

#define HY_HAL__MANIFEST_ITEMS 32u

typedef struct hy_hal__manifest_list {
	uint32_t count;
	char *items[HY_HAL__MANIFEST_ITEMS];
} hy_hal__manifest_list;

typedef struct hy_hal__manifest {
	char *name; /* equals the file's */
	char *library; /* absolute */
	char *vendor; /* or NULL */
	char *isolation; /* "in-process", "worker", or NULL */
	hy_hal__manifest_list requires; /* libraries that must be found, as dlopen takes them */
	hy_hal__manifest_list devices; /* "pci:VENDOR:DEVICE:CLASS", hexadecimal globs */
	int64_t abi, priority;
	char *errors; /* every fault of the file, "file:line:column: what", joined by "; "; NULL when there is none */
} hy_hal__manifest;

/* Reads and checks a manifest. Fails INVALID with out_manifest->errors set, NOT_FOUND, NO_MEMORY; finish it anyway. */
hy_status hy_hal__manifest_read(const char *path, hy_hal__manifest *out_manifest);
/* The same for text that lies in memory; path names it and is where a relative library is seen from. */
hy_status hy_hal__manifest_parse(const char *path, const char *text, size_t length, hy_hal__manifest *out_manifest);
void hy_hal__manifest_finish(hy_hal__manifest *manifest);

#endif
