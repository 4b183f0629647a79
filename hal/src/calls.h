/* The calls a plugin answers, as the host makes them: one table per layer, ending at the plugin's own.
 * Each entry takes its layer first, which is what hy_plugin lacks: a layer needs neither globals nor wrapped handles. */
#ifndef HY_HAL_CALLS_H
#define HY_HAL_CALLS_H

#include <halyard/hal.h>

typedef struct hy_hal__calls hy_hal__calls;
struct hy_hal__calls {
	hy_hal__calls *next; /* NULL at the bottom */
	void (*destroy)(hy_hal__calls *self); /* this layer only */
	hy_status (*device_count)(hy_hal__calls *self, uint32_t *out_count);
	hy_status (*device_info)(hy_hal__calls *self, uint32_t index, hy_device_info *out_info);
	hy_status (*device_open)(hy_hal__calls *self, uint32_t index, const hy_option *options, uint32_t option_count,
	                         hy_device **out_device);
	void (*device_close)(hy_hal__calls *self, hy_device *device);
	hy_status (*heap_info)(hy_hal__calls *self, hy_device *device, uint32_t heap, hy_heap_info *out_info);
	hy_status (*buffer_alloc)(hy_hal__calls *self, hy_device *device, uint32_t heap, uint64_t length,
	                          hy_buffer **out_buffer);
	void (*buffer_free)(hy_hal__calls *self, hy_device *device, hy_buffer *buffer);
	hy_status (*queue_open)(hy_hal__calls *self, hy_device *device, uint32_t kind, hy_queue **out_queue);
	void (*queue_close)(hy_hal__calls *self, hy_queue *queue);
	hy_status (*submit)(hy_hal__calls *self, hy_queue *queue, const hy_batch *batch, uint64_t ticket);
	void (*completed)(hy_hal__calls *self, uint64_t ticket, const hy_done *done); /* news for layers, not a call */
	hy_status (*query)(hy_hal__calls *self, hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts,
	                   uint32_t verdict_count);
	hy_status (*compile)(hy_hal__calls *self, hy_device *device, const hy_graph *graph,
	                     const hy_constant *constants, uint32_t constant_count, const hy_option *options,
	                     uint32_t option_count, hy_exe **out_exe);
	hy_status (*exe_info)(hy_hal__calls *self, hy_exe *exe, hy_exe_info *out_info);
	void (*exe_free)(hy_hal__calls *self, hy_exe *exe);
	const void *(*ext)(hy_hal__calls *self, const char *name, uint32_t version);
	/* Runs fn where calls for device must come from: how extensions are called. */
	void (*run)(hy_hal__calls *self, hy_device *device, void (*fn)(void *payload), void *payload);
};

/* Every entry calls the next layer: what a layer starts from. `next` and `destroy` are NULL. */
extern const hy_hal__calls hy_hal__calls_forward;

/* The bottom: calls table, which has no NULL entries and outlives it. */
hy_hal__calls *hy_hal__calls_direct(const hy_plugin *table);

/* Destroys a layer and all below it. */
void hy_hal__calls_destroy(hy_hal__calls *top);

#endif
