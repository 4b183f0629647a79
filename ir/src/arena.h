/* Small things that live exactly as long as their graph: names, number lists, attributes. */
#ifndef HY_IR_ARENA_H
#define HY_IR_ARENA_H

#include <stddef.h>

typedef struct hy_ir__arena {
	struct hy_ir__arena_chunk *chunks;
	size_t used_bytes, chunk_bytes; /* of the first chunk */
} hy_ir__arena; /* all zero is an empty arena */

/* 16-byte aligned; NULL when memory is exhausted. A length of 0 gives a pointer that must not be read. */
void *hy_ir__arena_alloc(hy_ir__arena *arena, size_t length_bytes);
void *hy_ir__arena_copy(hy_ir__arena *arena, const void *source, size_t length_bytes);
/* The copy ends with a NUL that length does not count. */
char *hy_ir__arena_text(hy_ir__arena *arena, const char *text, size_t length);
void hy_ir__arena_finish(hy_ir__arena *arena);

#endif
