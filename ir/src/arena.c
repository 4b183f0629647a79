/* A bump allocator: freed as a whole, so that a graph's many small arrays need no owner each. */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN ((size_t)16)
#define FIRST_CHUNK_BYTES ((size_t)1024)
#define LARGEST_CHUNK_BYTES ((size_t)256 * 1024)

struct hy_ir__arena_chunk {
	struct hy_ir__arena_chunk *next;
	size_t reserved;
	_Alignas(16) char bytes[];
};

void *hy_ir__arena_alloc(hy_ir__arena *arena, size_t length_bytes)
{
	if (length_bytes > SIZE_MAX - sizeof(struct hy_ir__arena_chunk) - ALIGN) return NULL;
	const size_t length = (length_bytes + ALIGN - 1) / ALIGN * ALIGN;
	if (arena->chunks == NULL || length > arena->chunk_bytes - arena->used_bytes) {
		size_t room = arena->chunks == NULL ? FIRST_CHUNK_BYTES : arena->chunk_bytes * 2;
		if (room > LARGEST_CHUNK_BYTES) room = LARGEST_CHUNK_BYTES;
		if (room < length) room = length;
		struct hy_ir__arena_chunk *chunk = malloc(sizeof(*chunk) + room);
		if (chunk == NULL) return NULL;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->chunk_bytes = room;
		arena->used_bytes = 0;
	}
	void *start = arena->chunks->bytes + arena->used_bytes;
	arena->used_bytes += length;
	return start;
}

void *hy_ir__arena_copy(hy_ir__arena *arena, const void *source, size_t length_bytes)
{
	void *copy = hy_ir__arena_alloc(arena, length_bytes);
	if (copy != NULL && length_bytes > 0) memcpy(copy, source, length_bytes);
	return copy;
}

char *hy_ir__arena_text(hy_ir__arena *arena, const char *text, size_t length)
{
	if (length == SIZE_MAX) return NULL;
	char *copy = hy_ir__arena_alloc(arena, length + 1);
	if (copy == NULL) return NULL;
	if (length > 0) memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void hy_ir__arena_finish(hy_ir__arena *arena)
{
	while (arena->chunks != NULL) {
		struct hy_ir__arena_chunk *next = arena->chunks->next;
		free(arena->chunks);
		arena->chunks = next;
	}
	*arena = (hy_ir__arena){0};
}
