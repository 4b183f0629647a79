/* The ways between the places of one node, as one matrix. */
#ifndef TOOL_WAYS_H
#define TOOL_WAYS_H

#include <halyard/halyard.h>

/* From one end to another. */
typedef struct tool_way {
	bool same, none; /* one memory; no way at all */
	bool staged; /* through the host, copy after copy */
	char class_name[8];
	double bytes_per_s, latency_ns;
	hy_sched_origin origin, latency_origin; /* of the least certain number each is made of */
} tool_way;

/* An end: a device, or a memory of the host. */
typedef struct tool_end {
	const char *name; /* on its node: "cuda:0", "numa:0" */
	uint32_t place;
} tool_end;

typedef struct tool_ways {
	const hy_sched_cluster *cluster;
	uint32_t node, count;
	tool_end *ends; /* devices, then memories */
	tool_way *ways; /* [from * count + to] */
} tool_ways;

hy_status tool_ways_init(const hy_sched_cluster *cluster, uint32_t node, tool_ways *out_ways, hy_error *error);
void tool_ways_finish(tool_ways *ways);

/* "default", "given", "measured". */
const char *tool_ways_origin(hy_sched_origin origin);

/* The classes that occur, each once, with what they mean: "NV18 NVLink, 18 bonds". At most `room`; the texts are 64
 * bytes each. Answers how many. */
uint32_t tool_ways_legend(const tool_ways *ways, uint32_t room, char (*out_lines)[64]);

#endif
