/* The pool: best fit over a list of free pieces; neighbours join when freed; unused slabs go back when memory is short. */
#include "pool.h"

#include "device.h"

#include <inttypes.h>
#include <stdlib.h>

#define LEAST_ALIGN UINT64_C(64) /* a cache line: two buffers never share one */
#define SLAB_BYTES (UINT64_C(32) << 20)
#define LEAST_SLAB_BYTES (UINT64_C(1) << 20)

void hy_hal__pool_init(hy_hal__pool *pool, hy_hal_device *device)
{
	*pool = (hy_hal__pool){.device = device};
	pthread_mutex_init(&pool->lock, NULL);
}

/* ---- the plugin's side: heap and slabs ---- */

/* Asks for the limits of heap 0 once. */
static hy_status learn_heap(hy_hal__pool *pool, hy_error *error)
{
	if (pool->align != 0) return HY_OK;
	hy_heap_info heap;
	const hy_status status = hy_hal_device_heap(pool->device, 0, &heap, error);
	if (status != HY_OK) return status;
	const uint32_t binding_align = pool->device->info->info.binding_align;
	pool->max_bytes = heap.max_buffer_bytes != 0 ? heap.max_buffer_bytes : UINT64_MAX;
	pool->slab_bytes = heap.total_bytes / 16;
	if (pool->slab_bytes > SLAB_BYTES || heap.total_bytes == 0) pool->slab_bytes = SLAB_BYTES;
	if (pool->slab_bytes < LEAST_SLAB_BYTES) pool->slab_bytes = LEAST_SLAB_BYTES;
	if (pool->slab_bytes > pool->max_bytes) pool->slab_bytes = pool->max_bytes;
	pool->align = binding_align > LEAST_ALIGN ? binding_align : LEAST_ALIGN;
	return HY_OK;
}

static void free_insert(hy_hal__pool *pool, hy_hal_buffer *piece)
{
	piece->is_used = false;
	piece->free_before = NULL;
	piece->free_next = pool->free;
	if (pool->free != NULL) pool->free->free_before = piece;
	pool->free = piece;
}

static void free_remove(hy_hal__pool *pool, hy_hal_buffer *piece)
{
	if (piece->free_before != NULL)
		piece->free_before->free_next = piece->free_next;
	else
		pool->free = piece->free_next;
	if (piece->free_next != NULL) piece->free_next->free_before = piece->free_before;
}

static hy_status slab_create(hy_hal__pool *pool, uint64_t length, bool is_single, hy_error *error)
{
	hy_hal_device *device = pool->device;
	hy_hal__slab *slab = calloc(1, sizeof(*slab));
	hy_hal_buffer *whole = calloc(1, sizeof(*whole));
	hy_status status = HY_NO_MEMORY;
	if (slab == NULL || whole == NULL) {
		hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
		goto failed;
	}
	hy_hal__call call;
	hy_hal__call_begin(&call);
	status = device->calls->buffer_alloc(device->calls, device->handle, 0, length, &slab->handle);
	if (status == HY_OK && slab->handle == NULL) status = HY_INTERNAL;
	status = hy_hal__device_end(device, &call, status, "buffer_alloc", error);
	if (status != HY_OK) goto failed;
	*slab = (hy_hal__slab){pool->slabs, device, slab->handle, length, is_single, whole};
	*whole = (hy_hal_buffer){.slab = slab, .span = length};
	pool->slabs = slab;
	pool->given_bytes += length;
	free_insert(pool, whole);
	return HY_OK;
failed:
	free(slab);
	free(whole);
	return status;
}

/* Gives back a slab of which nothing is in use. */
static void slab_destroy(hy_hal__pool *pool, hy_hal__slab *slab)
{
	hy_hal__slab **link = &pool->slabs;
	while (*link != slab)
		link = &(*link)->next;
	*link = slab->next;
	hy_hal_device *device = pool->device;
	device->calls->buffer_free(device->calls, device->handle, slab->handle);
	pool->given_bytes -= slab->length;
	free_remove(pool, slab->first);
	free(slab->first);
	free(slab);
}

static bool is_unused(const hy_hal__slab *slab)
{
	return !slab->first->is_used && slab->first->after == NULL;
}

/* True when something was given back. */
static bool trim(hy_hal__pool *pool)
{
	bool any = false;
	for (hy_hal__slab *slab = pool->slabs, *next; slab != NULL; slab = next) {
		next = slab->next;
		if (!is_unused(slab)) continue;
		slab_destroy(pool, slab);
		any = true;
	}
	return any;
}

void hy_hal__pool_finish(hy_hal__pool *pool)
{
	for (hy_hal__slab *slab = pool->slabs; slab != NULL; slab = slab->next)
		for (hy_hal_buffer *piece = slab->first; piece != NULL; piece = piece->after)
			if (piece->is_used) free_insert(pool, piece);
	while (pool->slabs != NULL) {
		hy_hal__slab *slab = pool->slabs;
		while (slab->first->after != NULL) {
			hy_hal_buffer *piece = slab->first->after;
			slab->first->after = piece->after;
			free_remove(pool, piece);
			free(piece);
		}
		slab_destroy(pool, slab);
	}
	pthread_mutex_destroy(&pool->lock);
}

/* ---- the caller's side: buffers ---- */

static hy_hal_buffer *best_fit(const hy_hal__pool *pool, uint64_t span)
{
	hy_hal_buffer *best = NULL;
	for (hy_hal_buffer *piece = pool->free; piece != NULL; piece = piece->free_next)
		if (piece->span >= span && (best == NULL || piece->span < best->span)) best = piece;
	return best;
}

/* A free piece of at least span bytes, from a new slab where needed. A slab that does not fit is tried again after
 * unused slabs went back, and then with just the bytes that are needed. */
static hy_status find_piece(hy_hal__pool *pool, uint64_t span, hy_hal_buffer **out_piece, hy_error *error)
{
	hy_hal_buffer *piece = best_fit(pool, span);
	if (piece == NULL) {
		const bool is_single = span > pool->slab_bytes / 4;
		const uint64_t length = is_single ? span : pool->slab_bytes;
		hy_status status = slab_create(pool, length, is_single, error);
		if (status == HY_NO_MEMORY && trim(pool)) status = slab_create(pool, length, is_single, error);
		if (status == HY_NO_MEMORY && !is_single) status = slab_create(pool, span, true, error);
		if (status != HY_OK) return status;
		piece = pool->free;
	}
	*out_piece = piece;
	return HY_OK;
}

static hy_status too_large(const hy_hal__pool *pool, uint64_t length, hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY,
	                    "%s: a buffer of %" PRIu64 " bytes is larger than the limit of %" PRIu64,
	                    pool->device->info->id, length, pool->max_bytes);
}

/* Cuts what is not needed off the end of a piece; keeps it when there is no memory for the record. */
static void split(hy_hal__pool *pool, hy_hal_buffer *piece, uint64_t span)
{
	if (piece->span == span) return;
	hy_hal_buffer *rest = calloc(1, sizeof(*rest));
	if (rest == NULL) return;
	*rest = (hy_hal_buffer){.slab = piece->slab, .before = piece, .after = piece->after};
	rest->offset = piece->offset + span;
	rest->span = piece->span - span;
	if (rest->after != NULL) rest->after->before = rest;
	piece->after = rest;
	piece->span = span;
	free_insert(pool, rest);
}

static hy_status take(hy_hal__pool *pool, uint64_t length, hy_hal_buffer **out_buffer, hy_error *error)
{
	hy_status status = learn_heap(pool, error);
	if (status != HY_OK) return status;
	if (length > pool->max_bytes || length > UINT64_MAX / 2) return too_large(pool, length, error);
	const uint64_t wanted = length == 0 ? 1 : length;
	uint64_t span = (wanted + pool->align - 1) / pool->align * pool->align;
	if (span > pool->max_bytes) span = wanted;
	hy_hal_buffer *piece = NULL;
	status = find_piece(pool, span, &piece, error);
	if (status != HY_OK) return status;
	free_remove(pool, piece);
	piece->is_used = true;
	piece->length = length;
	split(pool, piece, span);
	pool->buffer_count++;
	pool->used_bytes += piece->span;
	if (pool->used_bytes > pool->peak_used_bytes) pool->peak_used_bytes = pool->used_bytes;
	*out_buffer = piece;
	return HY_OK;
}

hy_status hy_hal__pool_take(hy_hal__pool *pool, uint64_t length, hy_hal_buffer **out_buffer, hy_error *error)
{
	pthread_mutex_lock(&pool->lock);
	const hy_status status = take(pool, length, out_buffer, error);
	pthread_mutex_unlock(&pool->lock);
	return status;
}

/* Joins piece with the piece behind it; neither is in the list of free pieces. */
static void join_after(hy_hal_buffer *piece)
{
	hy_hal_buffer *gone = piece->after;
	piece->span += gone->span;
	piece->after = gone->after;
	if (gone->after != NULL) gone->after->before = piece;
	free(gone);
}

void hy_hal__pool_give(hy_hal__pool *pool, hy_hal_buffer *buffer)
{
	pthread_mutex_lock(&pool->lock);
	hy_hal__slab *slab = buffer->slab;
	pool->buffer_count--;
	pool->used_bytes -= buffer->span;
	buffer->is_used = false;
	if (buffer->after != NULL && !buffer->after->is_used) {
		free_remove(pool, buffer->after);
		join_after(buffer);
	}
	if (buffer->before != NULL && !buffer->before->is_used) {
		buffer = buffer->before;
		free_remove(pool, buffer);
		join_after(buffer);
	}
	free_insert(pool, buffer);
	if (slab->is_single && is_unused(slab)) slab_destroy(pool, slab);
	pthread_mutex_unlock(&pool->lock);
}

void hy_hal__pool_stats(const hy_hal__pool *pool, hy_hal_memory_stats *out_stats)
{
	out_stats->slab_bytes = pool->given_bytes;
	out_stats->used_bytes = pool->used_bytes;
	out_stats->peak_used_bytes = pool->peak_used_bytes;
}

uint32_t hy_hal__pool_buffer_count(const hy_hal__pool *pool)
{
	return pool->buffer_count;
}
