/* Counted memory. The count is atomic because graphs that share a file may be destroyed on different threads. */
#include "memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct hy_ir__memory {
	atomic_size_t count;
	void *base;
	size_t length_bytes;
	bool mapped;
};

static hy_ir__memory *create(void *base, size_t length_bytes, bool mapped)
{
	hy_ir__memory *memory = malloc(sizeof(*memory));
	if (memory == NULL) return NULL;
	atomic_init(&memory->count, 1);
	memory->base = base;
	memory->length_bytes = length_bytes;
	memory->mapped = mapped;
	return memory;
}

hy_ir__memory *hy_ir__memory_own(void *take_block, size_t length_bytes)
{
	return create(take_block, length_bytes, false);
}

hy_ir__memory *hy_ir__memory_map(void *take_mapping, size_t length_bytes)
{
	return create(take_mapping, length_bytes, true);
}

hy_ir__memory *hy_ir__memory_retain(hy_ir__memory *memory)
{
	if (memory != NULL) atomic_fetch_add_explicit(&memory->count, 1, memory_order_relaxed);
	return memory;
}

void hy_ir__memory_release(hy_ir__memory *memory)
{
	if (memory == NULL || atomic_fetch_sub_explicit(&memory->count, 1, memory_order_acq_rel) != 1) return;
	if (memory->mapped)
		munmap(memory->base, memory->length_bytes);
	else
		free(memory->base);
	free(memory);
}

const void *hy_ir__memory_base(const hy_ir__memory *memory)
{
	return memory->base;
}

size_t hy_ir__memory_length(const hy_ir__memory *memory)
{
	return memory->length_bytes;
}

void hy_ir__memory_forget(const hy_ir__memory *memory, const void *data, size_t length_bytes)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t from = ((uintptr_t)data + page - 1) / page * page;
	const uintptr_t to = ((uintptr_t)data + length_bytes) / page * page;
	if (memory->mapped && from < to) (void)madvise((void *)from, to - from, MADV_DONTNEED); /* only advice */
}

bool hy_ir__memory_is_mapped(const hy_ir__memory *memory)
{
	return memory->mapped;
}

bool hy_ir__memory_contains(const hy_ir__memory *memory, const void *data)
{
	const uintptr_t base = (uintptr_t)memory->base;
	return (uintptr_t)data >= base && (uintptr_t)data - base < memory->length_bytes;
}
