/* malloc of halyard-conformance: glibc's, but for the one call that is to fail. */
#include "starve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void *__libc_malloc(size_t length);
void *__libc_calloc(size_t count, size_t length);
void *__libc_realloc(void *memory, size_t length);
void *__libc_memalign(size_t align, size_t length);

void *malloc(size_t length);
void *calloc(size_t count, size_t length);
void *realloc(void *memory, size_t length);
void *aligned_alloc(size_t align, size_t length);
int posix_memalign(void **out_memory, size_t align, size_t length);

static atomic_uintptr_t lowest, highest; /* of the callers that count; equal: nobody */
static atomic_uint left; /* allocations until the one that fails */
static atomic_bool has_failed;

static bool fails(const void *caller)
{
	const uintptr_t at = (uintptr_t)caller;
	if (at < atomic_load_explicit(&lowest, memory_order_relaxed) || at >= atomic_load(&highest)) return false;
	if (atomic_load(&left) == 0 || atomic_fetch_sub(&left, 1) != 1) return false;
	atomic_store(&has_failed, true);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t length)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(length);
}

void *calloc(size_t count, size_t length)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, length);
}

void *realloc(void *memory, size_t length)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, length);
}

void *aligned_alloc(size_t align, size_t length)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_memalign(align, length);
}

int posix_memalign(void **out_memory, size_t align, size_t length)
{
	void *memory = fails(__builtin_return_address(0)) ? NULL : __libc_memalign(align, length);
	if (memory == NULL) return ENOMEM;
	*out_memory = memory;
	return 0;
}

static void begin(uintptr_t low, uintptr_t high, uint32_t nth)
{
	atomic_store(&has_failed, false);
	atomic_store(&left, nth);
	atomic_store(&highest, high);
	atomic_store(&lowest, low);
}

static bool end(void)
{
	atomic_store(&highest, 0);
	atomic_store(&left, 0);
	return atomic_load(&has_failed);
}

const conform_starve_ops conform__starve_malloc = {.begin = begin, .end = end};
