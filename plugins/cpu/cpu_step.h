/* What an exe is made of: steps that run in order, each with the places it reads and writes. */
#ifndef HY_CPU_STEP_H
#define HY_CPU_STEP_H

#include <halyard/plugin.h>

/* What an operand's offset counts from. */
enum {
	HY_CPU_BASE_ADDRESS, /* nothing: it is an address (constants) */
	HY_CPU_BASE_WORKSPACE,
	HY_CPU_BASE_BINDING, /* and up: binding number + HY_CPU_BASE_BINDING */
};

typedef struct hy_cpu_operand {
	uint32_t storage; /* while building: a number in hy_cpu_build.storages; then the base */
	uint32_t reserved;
	int64_t offset; /* bytes */
} hy_cpu_operand;

typedef struct hy_cpu_step hy_cpu_step;
struct hy_cpu_step {
	/* at: the address of each operand, in order. */
	hy_status (*run)(hy_cpu_step *step, void *const *at, hy_error *error);
	void (*finish)(hy_cpu_step *step); /* frees what the step owns, not the step; NULL: nothing */
	uint32_t node, flags; /* as in hy_step */
	char implementation[64];
	uint32_t operand_count, operand_room;
	hy_cpu_operand *operands;
	uint64_t calls, total_ns;
};

#endif
