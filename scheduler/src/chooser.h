/* What choosing works on: the problem, scratch arrays, and how candidates are entered. */
#ifndef HY_SCHED_CHOOSER_H
#define HY_SCHED_CHOOSER_H

#include "candidates.h"
#include "plan.h"

typedef struct hy_sched__chooser {
	hy_sched_plan *plan;
	hy_sched__problem problem; /* as it is */
	hy_sched__problem wanted_problem; /* with the caller's weights, refused nodes at their fastest fallback */
	const uint64_t **node_ns; /* refused nodes never */
	uint64_t **filled_ns; /* of wanted_problem; owned rows */
	hy_sched__link *to, *from, *weighed_to, *weighed_from;
	bool *staged;
	uint64_t *capacity_bytes;
	hy_sched__lane *singles; /* lent by the devices */
	hy_sched__footprint *before, *behind;
	uint64_t *loads_ns; /* device_count lanes of device_count */
	uint32_t *order, *wanted, *given; /* device_count; node_count each */
	hy_sched__segment *segments; /* node_count */
	bool ignore_deadline; /* nothing meets it */
} hy_sched__chooser;

hy_status hy_sched__chooser_init(hy_sched__chooser *c, hy_sched_plan *plan, hy_error *error);
void hy_sched__chooser_finish(hy_sched__chooser *c);

/* The lane in which wanted[node] is the device of each node, refused nodes falling back. Its segments are c's, until
 * the next call. */
hy_sched__lane hy_sched__chooser_lane(hy_sched__chooser *c, uint32_t owner);
/* Loads of a lane on all devices; sets its item_ns, and its rate when it is alone. Answers the largest in *out_busiest. */
hy_status hy_sched__chooser_load(const hy_sched__chooser *c, hy_sched__lane *lane, uint64_t *load_ns,
                                 uint64_t *out_busiest, hy_error *error);
/* Whether a way is out because one answer takes too long. */
bool hy_sched__chooser_late(const hy_sched__chooser *c, const hy_sched__lane *lane);
/* Enters a candidate with copies of the lanes; parts are looked up when it is chosen. */
hy_status hy_sched__chooser_add(hy_sched__chooser *c, hy_sched_strategy strategy, uint64_t item_ns, bool measured,
                                uint32_t lane_count, const hy_sched__lane *lanes, hy_error *error);

/* Pipelines over many devices, and groups of them. */
hy_status hy_sched__choose_streams(hy_sched__chooser *c, hy_error *error);

#endif
