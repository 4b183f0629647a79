/* The layers between the host and a plugin. From the top: trace, validate, thread, the plugin. */
#ifndef HY_HAL_LAYER_H
#define HY_HAL_LAYER_H

#include "calls.h"
#include "log.h"

enum { HY_HAL__LAYER_VALIDATE = 1u << 0, HY_HAL__LAYER_TRACE = 1u << 1 };

/* Comma-separated names, or NULL. Fails: INVALID for a name that is not a layer. */
hy_status hy_hal__layers_parse(const char *names, uint32_t *out_layers, hy_error *error);

/* The chosen layers over table; NULL when memory is exhausted. plugin: its name, lent. */
hy_hal__calls *hy_hal__layers_create(const hy_plugin *table, uint32_t layers, const hy_hal__log *log,
                                     const char *plugin);

/* Puts the thread layer under all that are there; false when memory is exhausted. */
bool hy_hal__layers_add_thread(hy_hal__calls **top);

/* Each layer: NULL when memory is exhausted; next is then untouched, else owned by the layer. */

/* Checks what the host and the plugin do to each other. The host's faults answer INVALID and go no further; the plugin's
 * are logged with their rule. */
hy_hal__calls *hy_hal__layer_validate(hy_hal__calls *next, const hy_hal__log *log, const char *plugin);

/* One log line per call and per completion. */
hy_hal__calls *hy_hal__layer_trace(hy_hal__calls *next, const hy_hal__log *log, const char *plugin);

/* Makes the calls of a device with HY_DEVICE_ONE_THREAD from one thread (P5). */
hy_hal__calls *hy_hal__layer_thread(hy_hal__calls *next);

#endif
