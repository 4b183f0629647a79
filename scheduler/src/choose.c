/* Steps 5 and 6: make candidates, measure what the best one still needs, choose. */
#include "choose.h"

#include "bound.h"
#include "chooser.h"
#include "footprint.h"
#include "notes.h"
#include "plan_json.h"
#include "settle.h"
#include "strips_propose.h"

#include <stdlib.h>
#include <string.h>

#define CUT_MARGIN 1.1

void hy_sched__lane_finish(hy_sched__lane *lane)
{
	free(lane->segments);
	free(lane->parts);
	memset(lane, 0, sizeof(*lane));
}

void hy_sched__candidate_finish(hy_sched__candidate *candidate)
{
	for (uint32_t l = 0; l < candidate->lane_count; l++)
		hy_sched__lane_finish(&candidate->lanes[l]);
	free(candidate->lanes);
	hy_sched__strips_destroy(candidate->strips);
}

static hy_status add_singles(hy_sched__chooser *c, hy_error *error)
{
	hy_sched_plan *plan = c->plan;
	const bool measured = (plan->options.flags & HY_SCHED_NO_MEASURE) == 0;
	const bool wanted = plan->options.strategy == HY_SCHED_AUTO || plan->options.strategy == HY_SCHED_SINGLE;
	for (uint32_t d = 0; d < plan->device_count; d++) {
		hy_sched__lane *lane = &c->singles[d];
		uint64_t busiest;
		if (lane->segment_count == 0) continue;
		hy_status status = hy_sched__chooser_load(c, lane, c->loads_ns + (size_t)d * plan->device_count,
		                                          &busiest, error);
		if (status != HY_OK) return status;
		plan->devices[d].single.item_ns = lane->item_ns;
		const uint64_t ns = plan->options.objective == HY_SCHED_LATENCY ? lane->item_ns : busiest;
		if (wanted && !hy_sched__chooser_late(c, lane))
			status = hy_sched__chooser_add(c, HY_SCHED_SINGLE, ns, measured, 1, lane, error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

static hy_status add_replicas(hy_sched__chooser *c, hy_error *error)
{
	hy_sched_plan *plan = c->plan;
	const bool asked = plan->options.strategy == HY_SCHED_REPLICAS;
	if (!asked && (plan->options.strategy != HY_SCHED_AUTO || plan->options.objective == HY_SCHED_LATENCY))
		return HY_OK;
	hy_sched__lane *lanes = calloc(plan->device_count, sizeof(*lanes));
	uint64_t *loads_ns = calloc((size_t)plan->device_count * plan->device_count, sizeof(*loads_ns));
	hy_status status = HY_OK;
	uint32_t count = 0;
	uint64_t fastest = HY_SCHED__NEVER;
	if (lanes == NULL || loads_ns == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
		goto done;
	}
	for (uint32_t d = 0; d < plan->device_count; d++) {
		if (c->singles[d].segment_count == 0 || hy_sched__chooser_late(c, &c->singles[d])) continue;
		memcpy(loads_ns + (size_t)count * plan->device_count, c->loads_ns + (size_t)d * plan->device_count,
		       plan->device_count * sizeof(*loads_ns));
		if (c->singles[d].item_ns < fastest) fastest = c->singles[d].item_ns;
		lanes[count++] = c->singles[d];
	}
	if (count < (asked ? 1 : 2)) goto done;
	const uint64_t together = hy_sched__candidates_together(count, lanes, plan->device_count, loads_ns);
	const uint64_t ns = plan->options.objective == HY_SCHED_LATENCY ? fastest : together;
	status = hy_sched__chooser_add(c, HY_SCHED_REPLICAS, ns, (plan->options.flags & HY_SCHED_NO_MEASURE) == 0,
	                               count, lanes, error);
done:
	free(lanes);
	free(loads_ns);
	return status;
}

/* The lane of a cut at `border`, nodes that a side refuses falling back. */
static hy_status add_cut(hy_sched__chooser *c, uint32_t first, uint32_t second, uint32_t border, hy_error *error)
{
	uint64_t load_ns[HY_SCHED__MOST_DEVICES], busiest;
	for (uint32_t n = 0; n < c->problem.node_count; n++)
		c->wanted[n] = n < border ? first : second;
	hy_sched__lane lane = hy_sched__chooser_lane(c, first);
	const hy_status status = hy_sched__chooser_load(c, &lane, load_ns, &busiest, error);
	if (status != HY_OK || hy_sched__chooser_late(c, &lane)) return status;
	const bool latency = c->plan->options.objective == HY_SCHED_LATENCY;
	return hy_sched__chooser_add(c, HY_SCHED_CUT, latency ? lane.item_ns : busiest, false, 1, &lane, error);
}

static hy_status add_cuts(hy_sched__chooser *c, hy_error *error)
{
	const hy_sched_plan *plan = c->plan;
	if (plan->options.strategy != HY_SCHED_AUTO && plan->options.strategy != HY_SCHED_CUT) return HY_OK;
	if (plan->device_count < 2) return HY_OK;
	const uint32_t nodes = c->problem.node_count;
	hy_status status = HY_OK;
	for (uint32_t k = 0; k <= nodes && status == HY_OK; k++) {
		status = hy_sched__footprint_of(plan->graph, 0, k, &c->before[k], error);
		if (status == HY_OK) status = hy_sched__footprint_of(plan->graph, k, nodes - k, &c->behind[k], error);
	}
	if (status != HY_OK) return status;
	uint64_t best_ns = HY_SCHED__NEVER;
	uint32_t best_first = 0, best_second = 0, best_border = 0;
	for (uint32_t first = 0; first < plan->device_count; first++)
		for (uint32_t second = 0; second < plan->device_count; second++) {
			uint32_t border = 0;
			if (first == second) continue;
			const uint64_t ns = hy_sched__candidates_cut(&c->wanted_problem, first, second,
			                                             plan->options.cut_node, &border);
			if (ns >= best_ns) continue;
			best_ns = ns;
			best_first = first;
			best_second = second;
			best_border = border;
		}
	return best_ns == HY_SCHED__NEVER ? HY_OK : add_cut(c, best_first, best_second, best_border, error);
}

/* Its one lane has no segments: the strips know who does what. */
static hy_status add_strips(hy_sched__chooser *c, hy_error *error)
{
	hy_sched_plan *plan = c->plan;
	uint64_t best_ns = HY_SCHED__NEVER;
	hy_sched__strips *strips;
	for (uint32_t i = 0; i < plan->candidate_count; i++)
		if (plan->candidates[i].item_ns < best_ns) best_ns = plan->candidates[i].item_ns;
	hy_status status = hy_sched__strips_propose(plan, best_ns, &strips, error);
	if (status != HY_OK || strips == NULL) return status;
	const uint64_t ns = strips->split.item_ns;
	const hy_sched__lane lane = {.owner = strips->split.devices[0], .item_ns = ns, .rate = 1 / (double)ns};
	if (!hy_sched__chooser_late(c, &lane))
		status = hy_sched__chooser_add(c, HY_SCHED_SPATIAL, ns, false, 1, &lane, error);
	const bool entered = plan->candidate_count > 0 &&
	                     plan->candidates[plan->candidate_count - 1].strategy == HY_SCHED_SPATIAL;
	if (status == HY_OK && entered)
		plan->candidates[plan->candidate_count - 1].strips = strips;
	else
		hy_sched__strips_destroy(strips);
	return status;
}

/* What runs in parts must be clearly better: they are measured apart, the others as a whole. */
static double rank(const hy_sched__candidate *candidate)
{
	const bool apart = candidate->strategy == HY_SCHED_CUT || candidate->strategy == HY_SCHED_PIPELINE ||
	                   candidate->strategy == HY_SCHED_GROUPS || candidate->strategy == HY_SCHED_SPATIAL;
	if (candidate->item_ns == HY_SCHED__NEVER) return (double)HY_SCHED__NEVER;
	return candidate->cost_ns * (apart ? CUT_MARGIN : 1);
}

static uint32_t best_candidate(const hy_sched_plan *plan)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < plan->candidate_count; i++)
		if (rank(&plan->candidates[i]) < rank(&plan->candidates[best])) best = i;
	return best;
}

/* Replaces the prediction of a candidate by what its parts were measured at. */
static hy_status take_measured(hy_sched_plan *plan, hy_sched__candidate *candidate, hy_error *error)
{
	const uint32_t devices = plan->device_count;
	uint64_t *loads_ns = calloc((size_t)candidate->lane_count * devices, sizeof(*loads_ns));
	uint64_t fastest = HY_SCHED__NEVER;
	if (loads_ns == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t l = 0; l < candidate->lane_count; l++) {
		hy_sched__lane *lane = &candidate->lanes[l];
		lane->item_ns = 0;
		for (uint32_t s = 0; s < lane->segment_count; s++) {
			const hy_sched__part *part = &plan->parts[lane->parts[s]];
			lane->item_ns += part->cost.median_ns;
			loads_ns[(size_t)l * devices + part->segment.device] += part->cost.median_ns;
		}
		if (lane->item_ns < fastest) fastest = lane->item_ns;
	}
	const uint64_t together = hy_sched__candidates_together(candidate->lane_count, candidate->lanes, devices,
	                                                        loads_ns);
	const uint64_t ns = plan->options.objective == HY_SCHED_LATENCY ? fastest : together;
	candidate->cost_ns *= (double)ns / (double)candidate->item_ns;
	candidate->item_ns = ns;
	candidate->measured = true;
	free(loads_ns);
	return HY_OK;
}

static hy_status measure_strips(hy_sched_plan *plan, hy_sched__candidate *candidate, hy_error *error)
{
	uint64_t ns;
	candidate->measured = true;
	if (hy_sched__strips_are_simulated(candidate->strips, plan))
		return hy_sched__strips_load(candidate->strips, plan, error);
	const hy_status status = hy_sched__strips_measure(candidate->strips, plan, &ns, error);
	if (status != HY_OK) return status;
	candidate->cost_ns *= (double)ns / (double)candidate->item_ns;
	candidate->lanes[0].item_ns = candidate->item_ns = ns;
	candidate->lanes[0].rate = 1 / (double)ns;
	return HY_OK;
}

/* Measures the best candidate until the best is one that was measured; what can't be compiled or run is out. */
static hy_status settle_choice(hy_sched_plan *plan, hy_sched__cost_file *costs, hy_error *error)
{
	const bool measure = (plan->options.flags & HY_SCHED_NO_MEASURE) == 0;
	hy_error last = {0};
	for (;;) {
		plan->chosen = best_candidate(plan);
		hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
		if (candidate->item_ns == HY_SCHED__NEVER) {
			if (error != NULL) *error = last;
			return last.status;
		}
		hy_status status = HY_OK;
		for (uint32_t l = 0; l < candidate->lane_count && status == HY_OK; l++)
			status = hy_sched__settle_lane(plan, costs, &candidate->lanes[l], &last);
		if (status == HY_OK && candidate->strips != NULL && measure && !candidate->measured) {
			status = measure_strips(plan, candidate, &last);
			if (status == HY_OK) continue;
		}
		if (status != HY_OK) {
			candidate->item_ns = HY_SCHED__NEVER;
			status = hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error, "%s is not possible: %s",
			                        hy_sched__strategy_name(candidate->strategy), last.text);
			if (status != HY_OK) return status;
			continue;
		}
		if (candidate->measured || !measure) return HY_OK;
		status = take_measured(plan, candidate, error);
		if (status != HY_OK) return status;
	}
}

static void find_bound(hy_sched_plan *plan, const hy_sched__chooser *c)
{
	const uint32_t nodes = c->problem.node_count;
	uint64_t bound = plan->options.objective == HY_SCHED_LATENCY
	                         ? hy_sched__bound_latency(plan->device_count, nodes, c->node_ns)
	                         : hy_sched__bound_throughput(plan->device_count, nodes, c->node_ns);
	const uint64_t item_ns = plan->candidates[plan->chosen].item_ns;
	for (uint32_t i = 0; i < plan->candidate_count; i++)
		if (plan->candidates[i].strips != NULL && hy_sched__strips_bound(plan) < bound)
			bound = hy_sched__strips_bound(plan);
	/* A cut can measure faster than the sum of its nodes' times, which come from the whole. */
	plan->info.bound_ns = bound < item_ns ? bound : item_ns;
}

static hy_status nothing_fits(const hy_sched_plan *plan, const char *shortfall, hy_error *error)
{
	if (shortfall[0] != '\0')
		return hy_error_set(error, HY_NO_MEMORY, "the model does not fit: %s; choose devices with more memory",
		                    shortfall);
	if (plan->options.strategy == HY_SCHED_SPATIAL)
		return hy_error_set(error, HY_INVALID, "no strips: %s",
		                    plan->note_count > 0 ? plan->notes[plan->note_count - 1].text
		                                         : "it takes two devices");
	if (plan->options.strategy >= HY_SCHED_CUT)
		return hy_error_set(error, HY_INVALID,
		                    "nothing to cut: it takes two devices, two nodes and a border inside the model");
	return hy_error_set(error, HY_UNSUPPORTED, "no device runs this model: see the notes of its devices");
}

/* Without a way that answers in time, the plan is the one that answers first, and says so. */
static hy_status forget_deadline(hy_sched__chooser *c, hy_error *error)
{
	hy_sched_plan *plan = c->plan;
	if (plan->candidate_count > 0 || plan->options.objective != HY_SCHED_DEADLINE) return HY_OK;
	const hy_status status = hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error,
	                                        "no way through these devices gives one answer within %.3f ms: this "
	                                        "plan gives it as soon as it can",
	                                        (double)plan->options.deadline_ns / 1e6);
	c->ignore_deadline = true;
	plan->options.objective = c->problem.objective = c->wanted_problem.objective = HY_SCHED_LATENCY;
	return status;
}

static hy_status add_all(hy_sched__chooser *c, hy_error *error)
{
	hy_status status = add_singles(c, error);
	if (status == HY_OK) status = add_replicas(c, error);
	if (status == HY_OK) status = add_cuts(c, error);
	if (status == HY_OK) status = hy_sched__choose_streams(c, error);
	if (status == HY_OK) status = add_strips(c, error);
	return status;
}

hy_status hy_sched__choose(hy_sched_plan *plan, hy_sched__cost_file *costs, const char *shortfall, hy_error *error)
{
	hy_sched__chooser c = {0};
	hy_status status = hy_sched__chooser_init(&c, plan, error);
	if (status == HY_OK) status = add_all(&c, error);
	if (status == HY_OK) status = forget_deadline(&c, error);
	if (status == HY_OK && c.ignore_deadline) status = add_all(&c, error);
	if (status == HY_OK && plan->candidate_count == 0) status = nothing_fits(plan, shortfall, error);
	if (status == HY_OK) status = settle_choice(plan, costs, error);
	if (status == HY_OK) find_bound(plan, &c);
	hy_sched__chooser_finish(&c);
	return status;
}
