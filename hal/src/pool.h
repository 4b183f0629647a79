/* A device's memory: slabs from the plugin, cut into buffers. */
#ifndef HY_HAL_POOL_H
#define HY_HAL_POOL_H

#include <halyard/hal.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct hy_hal__slab hy_hal__slab;

/* A buffer, or a free piece between two. Pieces of a slab form a list by address. */
struct hy_hal_buffer {
	hy_hal__slab *slab;
	hy_hal_buffer *before, *after; /* neighbours by address, free or not */
	hy_hal_buffer *free_next, *free_before; /* in the pool's list when free */
	uint64_t offset, span; /* bytes of the slab it covers */
	uint64_t length; /* bytes that were asked for */
	bool is_used;
};

struct hy_hal__slab {
	hy_hal__slab *next;
	hy_hal_device *device;
	hy_buffer *handle;
	uint64_t length;
	bool is_single; /* made for one large buffer: given back with it */
	hy_hal_buffer *first;
};

typedef struct hy_hal__pool {
	hy_hal_device *device;
	pthread_mutex_t lock; /* guards the lists; the numbers may be read without it */
	hy_hal__slab *slabs;
	hy_hal_buffer *free;
	uint64_t align, slab_bytes, max_bytes; /* 0 until the heap was asked */
	atomic_uint buffer_count;
	_Atomic uint64_t given_bytes, used_bytes, peak_used_bytes; /* given: in slabs */
} hy_hal__pool;

void hy_hal__pool_init(hy_hal__pool *pool, hy_hal_device *device);
/* Gives all slabs back; buffers that are still out become invalid. */
void hy_hal__pool_finish(hy_hal__pool *pool);

/* Fails: NO_MEMORY after unused slabs were given back; as the plugin does. Threads: any. */
hy_status hy_hal__pool_take(hy_hal__pool *pool, uint64_t length, hy_hal_buffer **out_buffer, hy_error *error);
void hy_hal__pool_give(hy_hal__pool *pool, hy_hal_buffer *buffer);

void hy_hal__pool_stats(const hy_hal__pool *pool, hy_hal_memory_stats *out_stats);
uint32_t hy_hal__pool_buffer_count(const hy_hal__pool *pool);

#endif
