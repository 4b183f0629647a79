/* The caller's log sink. */
#ifndef HY_HAL_LOG_H
#define HY_HAL_LOG_H

#include <halyard/hal.h>

typedef struct hy_hal__log {
	hy_hal_log_fn fn; /* NULL: silent */
	void *payload;
	int32_t level;
} hy_hal__log;

/* One line, cut at 1 KiB. plugin: "hal" or the plugin's name. Threads: any. */
void hy_hal__log_write(const hy_hal__log *log, int32_t level, const char *plugin, const char *format, ...)
	HY_PRINTF(4, 5);

#endif
