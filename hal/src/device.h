/* An open device. */
#ifndef HY_HAL_DEVICE_H
#define HY_HAL_DEVICE_H

#include "host.h"
#include "pool.h"

struct hy_hal_device {
	const hy_hal_device_info *info; /* lent by the machine */
	hy_hal__plugin *plugin;
	hy_hal__calls *calls; /* lent by the machine */
	const hy_hal__log *log;
	hy_device *handle;
	hy_hal__pool pool;
	atomic_uint child_count; /* queues and programs that are open */
	atomic_bool is_lost; /* after a failure of scope DEVICE */
	pthread_mutex_t lock; /* guards lost_text */
	char lost_text[HY_ERROR_TEXT_BYTES];
};

/* DEVICE_LOST with the first reason, when the device or its plugin was lost; else OK. */
hy_status hy_hal__device_check(hy_hal_device *device, const char *what, hy_error *error);

/* Acts on the scope of a failure of the device: marks it, or its plugin, unusable and logs that. */
void hy_hal__device_failed(hy_hal_device *device, hy_scope scope, const char *text);

/* Ends a call on this device: hy_hal__call_end and hy_hal__device_failed. */
hy_status hy_hal__device_end(hy_hal_device *device, hy_hal__call *call, hy_status status, const char *what,
                             hy_error *error);

#endif
