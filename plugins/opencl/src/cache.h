/* Compiled programs on the disk, for drivers that keep none themselves. */
#ifndef HY_OPENCL_CACHE_H
#define HY_OPENCL_CACHE_H

#include "opencl.h"

/* What a binary was made of: source, device, driver. */
typedef struct hy_opencl_key {
	uint64_t low, high;
} hy_opencl_key;

hy_opencl_key hy_opencl_cache_key(const hy_device *device, const char *source, size_t length);
/* The binary, allocated, or NULL when it isn't there or isn't whole. */
void *hy_opencl_cache_load(const hy_device *device, hy_opencl_key key, size_t *out_length);
/* Writes a file of its own and renames it; oldest files go when the folder is full. Failures are logged only. */
void hy_opencl_cache_store(const hy_device *device, hy_opencl_key key, const void *binary, size_t length);

#endif
