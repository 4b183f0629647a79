/* Finds the plugin's code, so that only its own allocations are counted. */
#include "starve.h"

#include <link.h>
#include <stddef.h>

static const conform_starve_ops *offered;

void conform__starve_offer(const conform_starve_ops *ops)
{
	offered = ops;
}

bool conform__starve_possible(void)
{
	return offered != NULL;
}

typedef struct range {
	uintptr_t inside, low, high;
} range;

/* The object's first to last byte in memory, when it holds the address. */
static int look(struct dl_phdr_info *info, size_t size, void *payload)
{
	(void)size;
	range *wanted = payload;
	uintptr_t low = UINTPTR_MAX, high = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type != PT_LOAD) continue;
		const uintptr_t begin = info->dlpi_addr + part->p_vaddr;
		if (begin < low) low = begin;
		if (begin + part->p_memsz > high) high = begin + part->p_memsz;
	}
	if (wanted->inside < low || wanted->inside >= high) return 0;
	wanted->low = low;
	wanted->high = high;
	return 1;
}

void conform__starve_begin(const void *inside, uint32_t nth)
{
	range found = {.inside = (uintptr_t)inside};
	dl_iterate_phdr(look, &found);
	offered->begin(found.low, found.high, nth);
}

bool conform__starve_end(void)
{
	return offered->end();
}
