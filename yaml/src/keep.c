/* A list of blocks, each twice what its first user asked for or more. */
#include "keep.h"

#include <stdlib.h>

#define BLOCK_BYTES 16384u

typedef struct block {
	struct block *next;
	size_t used, room;
	max_align_t bytes[];
} block;

void *hy_yaml__keep(hy_yaml *document, size_t length)
{
	block *b = document->storage;
	length = (length + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (b == NULL || b->room - b->used < length) {
		const size_t room = length > BLOCK_BYTES ? length : BLOCK_BYTES;
		b = calloc(1, sizeof(*b) + room);
		if (b == NULL) {
			document->no_memory = true;
			return NULL;
		}
		b->room = room;
		b->next = document->storage;
		document->storage = b;
	}
	void *at = (char *)b->bytes + b->used;
	b->used += length;
	return at;
}

void hy_yaml_finish(hy_yaml *document)
{
	for (block *b = document->storage; b != NULL;) {
		block *next = b->next;
		free(b);
		b = next;
	}
	for (uint32_t i = 0; i < document->fault_count; i++)
		free(document->faults[i].text);
	*document = (hy_yaml){0};
}
