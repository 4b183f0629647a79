/* Shared objects: checked path, open, entry symbol. */
#ifndef HY_HAL_DYLIB_H
#define HY_HAL_DYLIB_H

#include <halyard/plugin.h>

/* path is absolute, a regular file, not writable by everybody. Fails: NOT_FOUND, INVALID. */
hy_status hy_hal__dylib_check(const char *path, hy_error *error);

/* Checks and opens with RTLD_NOW | RTLD_LOCAL; the same file gives the same handle. Fails: as check; INCOMPATIBLE with
 * the loader's words. */
hy_status hy_hal__dylib_open(const char *path, void **out_library, hy_error *error);
/* The handle of a library that is in this process already, or NULL; close it too. */
void *hy_hal__dylib_find(const char *path);
void hy_hal__dylib_close(void *library);

/* NULL when the library does not export HY_PLUGIN_ENTRY. */
hy_plugin_entry hy_hal__dylib_entry(void *library);

/* Calls visit with the name of each symbol that the library itself exports. */
void hy_hal__dylib_exports(void *library, void (*visit)(void *payload, const char *name), void *payload);

#endif
