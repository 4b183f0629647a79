/* Allocations that fail on purpose: those of the plugin under test, not of the suite or of libraries. */
#ifndef HY_CONFORM_PRIVATE_STARVE_H
#define HY_CONFORM_PRIVATE_STARVE_H

#include <stdbool.h>
#include <stdint.h>

/* What halyard-conformance brings, as it owns the process: its own malloc. Programs that link the library have none. */
typedef struct conform_starve_ops {
	void (*begin)(uintptr_t low, uintptr_t high, uint32_t nth); /* callers in [low, high) count */
	bool (*end)(void); /* whether an allocation failed since begin */
} conform_starve_ops;

extern const conform_starve_ops conform__starve_malloc; /* starve_malloc.c, in the program alone */
void conform__starve_offer(const conform_starve_ops *ops);

bool conform__starve_possible(void);
/* The n-th allocation from the shared object that holds `inside` fails, whichever thread makes it. */
void conform__starve_begin(const void *inside, uint32_t nth);
bool conform__starve_end(void);

#endif
