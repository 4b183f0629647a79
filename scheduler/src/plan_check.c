/* Whether a plan is one. */
#include "plan_check.h"

static hy_status check_lane(const hy_sched_plan *plan, const hy_sched__lane *lane, bool strips, hy_error *error)
{
	uint32_t next = 0;
	if (lane->segment_count == 0 && strips) return HY_OK;
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		const hy_sched__segment *segment = &lane->segments[s];
		if (segment->first != next || segment->count == 0)
			return hy_error_set(error, HY_INTERNAL, "plan: segment %u begins at node %u, not %u", s,
			                    segment->first, next);
		if (segment->device >= plan->device_count)
			return hy_error_set(error, HY_INTERNAL, "plan: segment %u is on no device", s);
		for (uint32_t i = 0; i < segment->count; i++)
			if (plan->devices[segment->device].verdicts[next + i].answer == HY_SCHED__NO)
				return hy_error_set(error, HY_INTERNAL, "plan: node %u is on %s, which refuses it",
				                    next + i, plan->devices[segment->device].id);
		next += segment->count;
	}
	if (next != hy_ir_graph_node_count(plan->graph))
		return hy_error_set(error, HY_INTERNAL, "plan: a lane ends before node %u", next);
	return HY_OK;
}

hy_status hy_sched__plan_check(const hy_sched_plan *plan, hy_error *error)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	if (candidate->lane_count == 0) return hy_error_set(error, HY_INTERNAL, "plan: no lane");
	for (uint32_t l = 0; l < candidate->lane_count; l++) {
		const hy_status status = check_lane(plan, &candidate->lanes[l], candidate->strips != NULL, error);
		if (status != HY_OK) return status;
	}
	if (plan->info.bound_ns > plan->info.item_ns)
		return hy_error_set(error, HY_INTERNAL, "plan: %llu ns beat their bound %llu ns",
		                    (unsigned long long)plan->info.item_ns, (unsigned long long)plan->info.bound_ns);
	double shares = 0;
	for (uint32_t i = 0; i < plan->info.device_count; i++)
		shares += plan->info.devices[i].share;
	if (!(shares >= 0.999 && shares <= 1.001))
		return hy_error_set(error, HY_INTERNAL, "plan: shares sum to %f", shares);
	return HY_OK;
}

hy_status hy_sched__plan_check_lane(const hy_sched_plan *plan, const hy_sched__lane *lane, hy_error *error)
{
	return check_lane(plan, lane, false, error) == HY_OK ? HY_OK : HY_INVALID;
}
