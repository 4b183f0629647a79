/* The plugin's handles that are open, for the layers that must know where one comes from. */
#ifndef HY_HAL_HANDLES_H
#define HY_HAL_HANDLES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum hy_hal__handle_kind {
	HY_HAL__HANDLE_DEVICE,
	HY_HAL__HANDLE_BUFFER,
	HY_HAL__HANDLE_QUEUE,
	HY_HAL__HANDLE_EXE,
} hy_hal__handle_kind;

typedef struct hy_hal__handle {
	const void *handle;
	hy_hal__handle_kind kind;
	const void *device; /* the device it belongs to; itself for a device */
	uint64_t length; /* of a buffer; workspace bytes of an exe */
	uint32_t flags, align; /* of a device: HY_DEVICE_*, binding_align */
	void *extra; /* the layer's own */
} hy_hal__handle;

typedef struct hy_hal__handles {
	pthread_mutex_t lock;
	void *tree; /* of hy_hal__handle, by address: tsearch(3) */
} hy_hal__handles;

void hy_hal__handles_init(hy_hal__handles *handles);
void hy_hal__handles_finish(hy_hal__handles *handles);

/* False when the handle is open already, or memory is exhausted. Threads: any, like all of these. */
bool hy_hal__handles_add(hy_hal__handles *handles, const hy_hal__handle *handle);
bool hy_hal__handles_find(hy_hal__handles *handles, const void *handle, hy_hal__handle_kind kind,
                          hy_hal__handle *out_handle);
bool hy_hal__handles_remove(hy_hal__handles *handles, const void *handle, hy_hal__handle_kind kind,
                            hy_hal__handle *out_handle);

/* How many handles belong to device, without itself. */
uint32_t hy_hal__handles_count_of(hy_hal__handles *handles, const void *device);

#endif
