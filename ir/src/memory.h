/* Counted memory that constants lie in: a heap block, or a mapped file shared by many constants and graphs. */
#ifndef HY_IR_MEMORY_H
#define HY_IR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct hy_ir__memory hy_ir__memory;

/* The block comes from malloc and is taken on success; NULL when memory is exhausted. The count starts at 1. */
hy_ir__memory *hy_ir__memory_own(void *take_block, size_t length_bytes);
/* The same for a mapping, which the last release unmaps. */
hy_ir__memory *hy_ir__memory_map(void *take_mapping, size_t length_bytes);

/* Threads: any. NULL is fine. */
hy_ir__memory *hy_ir__memory_retain(hy_ir__memory *memory);
void hy_ir__memory_release(hy_ir__memory *memory);

const void *hy_ir__memory_base(const hy_ir__memory *memory);
size_t hy_ir__memory_length(const hy_ir__memory *memory);
/* Pages of a mapping that were read once and won't be again need not stay resident. */
void hy_ir__memory_forget(const hy_ir__memory *memory, const void *data, size_t length_bytes);
bool hy_ir__memory_is_mapped(const hy_ir__memory *memory);
bool hy_ir__memory_contains(const hy_ir__memory *memory, const void *data);

#endif
