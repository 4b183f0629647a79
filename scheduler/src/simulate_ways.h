/* The devices of a simulation, and the ways of a request through them: from a cluster and a graph to what the engine runs. */
#ifndef HY_SCHED_SIMULATE_WAYS_H
#define HY_SCHED_SIMULATE_WAYS_H

#include <halyard/simulate.h>

#include "engine.h"
#include "plan.h"

typedef struct hy_sched__simulated_device {
	uint32_t device, type; /* of the cluster */
	char *name; /* owned */
	uint64_t item_ns; /* of the whole model, alone */
	bool fits; /* the whole model, by memory */
	bool in_plan, absent;
} hy_sched__simulated_device;

typedef struct hy_sched__simulated {
	const hy_sched_cluster *cluster; /* lent, as the graph is */
	const hy_ir_graph *graph;
	uint32_t source; /* place */
	uint32_t device_count, node_count, lane_count, stage_count, channel_count;
	hy_sched__simulated_device *devices;
	uint64_t **node_ns; /* per type of the cluster; NULL: no device has it */
	bool *measured; /* per type: not from its peak rates */
	hy_sched__footprint whole;
	hy_sched__engine_lane *lanes;
	hy_sched__engine_stage *stages; /* of all lanes */
	uint32_t *channels; /* of all moves */
	uint64_t *holds_ns; /* likewise */
	uint32_t candidate_count, chosen;
	hy_sched_simulation_candidate candidates[4];
	double bound_per_s;
} hy_sched__simulated;

/* simulate_devices.c: which devices, and what the model costs on them. */
hy_status hy_sched__simulate_devices_find(hy_sched__simulated *ways, const hy_sched_simulation_options *options,
                                          hy_error *error);

/* simulate_ways.c: the candidates, and the lanes of the best, or of the wanted one. */
hy_status hy_sched__simulate_ways_choose(hy_sched__simulated *ways, hy_sched_strategy wanted, hy_error *error);
void hy_sched__simulate_ways_finish(hy_sched__simulated *ways);

#endif
