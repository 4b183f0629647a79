/* The layers between the host and a plugin. */
#ifndef HY_HAL_LAYER_H
#define HY_HAL_LAYER_H

#include "calls.h"
#include "log.h"

enum { HY_HAL__LAYER_VALIDATE = 1u << 0, HY_HAL__LAYER_TRACE = 1u << 1 };

/* Comma-separated names, or NULL. Fails: INVALID for a name that is not a layer. */
hy_status hy_hal__layers_parse(const char *names, uint32_t *out_layers, hy_error *error);

/* The chosen layers over table; NULL when memory is exhausted. name: the plugin's, lent. */
hy_hal__calls *hy_hal__layers_create(const hy_plugin *table, uint32_t layers, const hy_hal__log *log, const char *name);

#endif
