/* Step 5: the ways a model can run, each with its predicted time. */
#include "candidates.h"

#include "cost.h"
#include "footprint.h"

static uint64_t copies(const hy_sched__problem *problem, uint32_t device, const hy_sched__footprint *border)
{
	return hy_sched__cost_link_ns(&problem->to[device], border->input_bytes) +
	       hy_sched__cost_link_ns(&problem->from[device], border->output_bytes);
}

uint64_t hy_sched__candidates_load(const hy_sched__problem *problem, const hy_sched__lane *lane,
                                   const hy_sched__footprint *borders, uint64_t *load_ns)
{
	uint64_t all = 0;
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		const hy_sched__segment *segment = &lane->segments[s];
		uint64_t ns = copies(problem, segment->device, &borders[s]);
		for (uint32_t n = 0; n < segment->count; n++)
			ns += problem->node_ns[segment->device][segment->first + n];
		load_ns[segment->device] += ns;
		all += ns;
	}
	return all;
}

uint64_t hy_sched__candidates_together(uint32_t lane_count, hy_sched__lane *lanes, uint32_t device_count,
                                       const uint64_t *loads_ns)
{
	double all = 0;
	for (uint32_t l = 0; l < lane_count; l++)
		lanes[l].rate = -1;
	for (uint32_t served = 0; served < lane_count; served++) {
		uint32_t next = HY_IR_NONE;
		for (uint32_t l = 0; l < lane_count; l++)
			if (lanes[l].rate < 0 && (next == HY_IR_NONE || lanes[l].item_ns < lanes[next].item_ns))
				next = l;
		double rate = -1;
		for (uint32_t d = 0; d < device_count; d++) {
			if (loads_ns[next * device_count + d] == 0) continue;
			double left = 1;
			for (uint32_t l = 0; l < lane_count; l++)
				if (lanes[l].rate > 0) left -= lanes[l].rate * (double)loads_ns[l * device_count + d];
			const double most = left > 0 ? left / (double)loads_ns[next * device_count + d] : 0;
			if (rate < 0 || most < rate) rate = most;
		}
		lanes[next].rate = rate > 0 ? rate : 0;
		all += lanes[next].rate;
	}
	return all > 0 ? (uint64_t)(1 / all + 0.5) : HY_SCHED__NEVER;
}

static bool fits(const hy_sched__problem *problem, uint32_t device, const hy_sched__footprint *footprint)
{
	return problem->capacity_bytes[device] == 0 ||
	       hy_sched__footprint_need(footprint, problem->staged[device], problem->depth) <=
	               problem->capacity_bytes[device];
}

uint64_t hy_sched__candidates_cut(const hy_sched__problem *problem, uint32_t first, uint32_t second, uint32_t border,
                                  uint32_t *out_border)
{
	const uint32_t count = problem->node_count;
	uint64_t before = 0, behind = 0, best = HY_SCHED__NEVER;
	uint32_t first_can = 0, second_can = count;
	while (first_can < count && problem->node_ns[first][first_can] != HY_SCHED__NEVER)
		first_can++;
	while (second_can > 0 && problem->node_ns[second][second_can - 1] != HY_SCHED__NEVER)
		behind += problem->node_ns[second][--second_can];
	if (second_can > first_can) return HY_SCHED__NEVER;
	for (uint32_t k = 0; k < second_can; k++)
		before += problem->node_ns[first][k];
	for (uint32_t k = second_can; k <= first_can && k < count; k++) {
		const bool wanted = k > 0 && (border == 0 || border == k);
		if (wanted && fits(problem, first, &problem->before[k]) && fits(problem, second, &problem->behind[k])) {
			const uint64_t one = before + copies(problem, first, &problem->before[k]);
			const uint64_t two = behind + copies(problem, second, &problem->behind[k]);
			const uint64_t ns = problem->objective == HY_SCHED_LATENCY ? one + two
			                                                           : (one > two ? one : two);
			if (ns < best) {
				best = ns;
				*out_border = k;
			}
		}
		if (k == first_can) break;
		before += problem->node_ns[first][k];
		behind -= problem->node_ns[second][k];
	}
	return best;
}
