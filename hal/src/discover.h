/* Where manifests and the probe program are found. */
#ifndef HY_HAL_DISCOVER_H
#define HY_HAL_DISCOVER_H

#include "log.h"

typedef struct hy_hal__discovered {
	uint32_t count;
	char **paths; /* manifest files, the first of each name, in the order of the search path */
} hy_hal__discovered;

/* folders: colon-separated, instead of the default search path; or NULL. Folders that are not there are skipped. */
hy_status hy_hal__discover(const char *folders, const hy_hal__log *log, hy_hal__discovered *out_found);
void hy_hal__discovered_finish(hy_hal__discovered *found);

/* The program that probes plugins, beside this library or executable; NULL when it is not there. free() it. */
char *hy_hal__discover_probe(void);

#endif
