/* Stubs for the calls that a plugin leaves out. */
#ifndef HY_HAL_STUBS_H
#define HY_HAL_STUBS_H

#include <halyard/plugin.h>

/* Puts a stub wherever the table has NULL: UNSUPPORTED, nothing, or NULL, by what the call returns. */
void hy_hal__stubs_fill(hy_plugin *table);

#endif
