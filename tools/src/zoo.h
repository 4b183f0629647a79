/* Real architectures with seeded weights: what `halyard zoo` writes. */
#ifndef HALYARD_TOOLS_ZOO_H
#define HALYARD_TOOLS_ZOO_H

#include <halyard/ir.h>

typedef struct zoo_options {
	uint64_t seed;
	int64_t batch; /* 0: the symbolic dimension "N" */
	int64_t size; /* height and width of the image, or tokens of the text; 0: the architecture's own */
} zoo_options;

typedef struct zoo_net zoo_net;

typedef struct zoo_entry {
	const char *name;
	const char *description;
	int64_t size; /* usual height and width, or tokens */
	int64_t size_step; /* size must be a multiple of this */
	void (*build)(zoo_net *net, int64_t size);
} zoo_entry;

/* Every architecture, ended by an entry without a name. */
const zoo_entry *zoo_list(void);

/* The same options give the same graph, to the bit, on every machine with IEEE arithmetic and this libm.
 * Fails: NOT_FOUND (no such name), INVALID (size), NO_MEMORY. */
hy_status zoo_create(const char *name, const zoo_options *options, hy_ir_graph **out_graph, hy_error *error);

#endif
