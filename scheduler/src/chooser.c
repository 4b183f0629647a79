/* What choosing works on: the problem, scratch arrays, and how candidates are entered. */
#include "chooser.h"

#include "choose.h"
#include "devices.h"
#include "footprint.h"
#include "segments.h"

#include <stdlib.h>
#include <string.h>

/* What a device holds above this part of its memory may be pushed out between two requests. */
#define COMFORTABLE 0.9

static hy_status out_of_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
}

void hy_sched__chooser_finish(hy_sched__chooser *c)
{
	for (uint32_t d = 0; c->filled_ns != NULL && d < c->plan->device_count; d++)
		free(c->filled_ns[d]);
	free(c->node_ns);
	free(c->filled_ns);
	free(c->to);
	free(c->from);
	free(c->weighed_to);
	free(c->weighed_from);
	free(c->staged);
	free(c->capacity_bytes);
	free(c->singles);
	free(c->before);
	free(c->behind);
	free(c->loads_ns);
	free(c->order);
	free(c->wanted);
	free(c->given);
	free(c->segments);
}

static bool allocate(hy_sched__chooser *c, uint32_t devices, uint32_t nodes)
{
	c->node_ns = calloc(devices, sizeof(*c->node_ns));
	c->filled_ns = calloc(devices, sizeof(*c->filled_ns));
	c->to = calloc(devices, sizeof(*c->to));
	c->from = calloc(devices, sizeof(*c->from));
	c->weighed_to = calloc(devices, sizeof(*c->weighed_to));
	c->weighed_from = calloc(devices, sizeof(*c->weighed_from));
	c->staged = calloc(devices, sizeof(*c->staged));
	c->capacity_bytes = calloc(devices, sizeof(*c->capacity_bytes));
	c->singles = calloc(devices, sizeof(*c->singles));
	c->before = calloc(nodes + 1, sizeof(*c->before));
	c->behind = calloc(nodes + 1, sizeof(*c->behind));
	c->loads_ns = calloc((size_t)devices * devices, sizeof(*c->loads_ns));
	c->order = calloc(devices, sizeof(*c->order));
	c->wanted = calloc(nodes, sizeof(*c->wanted));
	c->given = calloc(nodes, sizeof(*c->given));
	c->segments = calloc(nodes, sizeof(*c->segments));
	bool good = c->node_ns && c->filled_ns && c->to && c->from && c->weighed_to && c->weighed_from && c->staged &&
	            c->capacity_bytes && c->singles && c->before && c->behind && c->loads_ns && c->order && c->wanted &&
	            c->given && c->segments;
	for (uint32_t d = 0; good && d < devices; d++)
		good = (c->filled_ns[d] = calloc(nodes, sizeof(uint64_t))) != NULL;
	return good;
}

static hy_sched__link weighed(const hy_sched__link *link, double weight)
{
	const hy_sched__link heavier = {(uint64_t)((double)link->latency_ns * weight), link->ns_per_byte * weight};
	return heavier;
}

/* Times with the caller's weight; what a device refuses takes what it takes where it falls back to. */
static void fill(hy_sched__chooser *c)
{
	const hy_sched_plan *plan = c->plan;
	const bool forbid = (plan->options.flags & HY_SCHED_FORBID_FALLBACK) != 0;
	for (uint32_t d = 0; d < plan->device_count; d++)
		for (uint32_t n = 0; n < c->problem.node_count; n++) {
			uint64_t ns = c->node_ns[d][n];
			for (uint32_t e = 0; ns == HY_SCHED__NEVER && !forbid && e < plan->device_count; e++)
				if (plan->devices[d].yes_count > 0 && c->node_ns[e][n] < ns) ns = c->node_ns[e][n];
			if (ns != HY_SCHED__NEVER) ns = (uint64_t)((double)ns * plan->options.execution_weight);
			c->filled_ns[d][n] = ns;
		}
}

hy_status hy_sched__chooser_init(hy_sched__chooser *c, hy_sched_plan *plan, hy_error *error)
{
	const uint32_t devices = plan->device_count, nodes = hy_ir_graph_node_count(plan->graph);
	c->plan = plan;
	if (!allocate(c, devices, nodes)) return out_of_memory(error);
	for (uint32_t d = 0; d < devices; d++) {
		const hy_sched__device *device = &plan->devices[d];
		c->node_ns[d] = device->node_ns;
		c->to[d] = device->to;
		c->from[d] = device->from;
		c->weighed_to[d] = weighed(&device->to, plan->options.transfer_weight);
		c->weighed_from[d] = weighed(&device->from, plan->options.transfer_weight);
		c->staged[d] = !hy_sched__device_binds_host(device);
		c->capacity_bytes[d] = device->capacity_bytes;
		c->singles[d] = device->single;
		c->order[d] = d;
	}
	const hy_sched__problem problem = {
		.objective = plan->options.objective,
		.device_count = devices,
		.node_count = nodes,
		.depth = plan->options.depth,
		.node_ns = c->node_ns,
		.to = c->to,
		.from = c->from,
		.staged = c->staged,
		.capacity_bytes = c->capacity_bytes,
		.singles = c->singles,
		.before = c->before,
		.behind = c->behind,
	};
	c->problem = c->wanted_problem = problem;
	c->wanted_problem.node_ns = (const uint64_t *const *)c->filled_ns;
	c->wanted_problem.to = c->weighed_to;
	c->wanted_problem.from = c->weighed_from;
	fill(c);
	return HY_OK;
}

hy_sched__lane hy_sched__chooser_lane(hy_sched__chooser *c, uint32_t owner)
{
	const hy_sched__verdict *verdicts[HY_SCHED__MOST_DEVICES];
	for (uint32_t d = 0; d < c->plan->device_count; d++)
		verdicts[d] = c->plan->devices[d].verdicts;
	hy_sched__segments_assign(c->problem.node_count, c->plan->device_count, verdicts, c->order, c->wanted,
	                          c->given);
	hy_sched__lane lane = {.owner = owner, .segments = c->segments};
	lane.segment_count = hy_sched__segments_cut(c->problem.node_count, c->given, c->segments);
	return lane;
}

/* What a lane's segments bring over their borders and hold. The footprints are the caller's, free(). */
static hy_sched__footprint *borders_of(const hy_sched_plan *plan, const hy_sched__lane *lane, hy_error *error)
{
	hy_sched__footprint *borders = calloc(lane->segment_count, sizeof(*borders));
	if (borders == NULL) (void)out_of_memory(error);
	for (uint32_t s = 0; borders != NULL && s < lane->segment_count; s++)
		if (hy_sched__footprint_of(plan->graph, lane->segments[s].first, lane->segments[s].count, &borders[s],
		                           error) != HY_OK) {
			free(borders);
			return NULL;
		}
	return borders;
}

hy_status hy_sched__chooser_load(const hy_sched__chooser *c, hy_sched__lane *lane, uint64_t *load_ns,
                                 uint64_t *out_busiest, hy_error *error)
{
	hy_sched__footprint *borders = borders_of(c->plan, lane, error);
	if (borders == NULL) return HY_NO_MEMORY;
	memset(load_ns, 0, c->plan->device_count * sizeof(*load_ns));
	lane->item_ns = hy_sched__candidates_load(&c->problem, lane, borders, load_ns);
	uint64_t most = 0;
	for (uint32_t d = 0; d < c->plan->device_count; d++)
		if (load_ns[d] > most) most = load_ns[d];
	lane->rate = 1 / (double)most;
	*out_busiest = most;
	free(borders);
	return HY_OK;
}

bool hy_sched__chooser_late(const hy_sched__chooser *c, const hy_sched__lane *lane)
{
	return c->plan->options.objective == HY_SCHED_DEADLINE && !c->ignore_deadline &&
	       lane->item_ns > c->plan->options.deadline_ns;
}

/* ---- the caller's weights ---- */

/* Loads with weights, and what is held on each device. */
static hy_status add_weighed(const hy_sched__chooser *c, hy_sched__lane *lane, uint64_t *load_ns, uint64_t *held_bytes,
                             hy_error *error)
{
	hy_sched__footprint *borders = borders_of(c->plan, lane, error);
	if (borders == NULL) return HY_NO_MEMORY;
	lane->item_ns = hy_sched__candidates_load(&c->wanted_problem, lane, borders, load_ns);
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		const uint32_t device = lane->segments[s].device;
		held_bytes[device] += hy_sched__footprint_need(&borders[s], c->staged[device], c->plan->options.depth);
	}
	free(borders);
	return HY_OK;
}

/* The candidate's time by the caller's weights. */
static hy_status weigh(const hy_sched__chooser *c, hy_sched__candidate *candidate, hy_error *error)
{
	const hy_sched_plan *plan = c->plan;
	const uint32_t devices = plan->device_count, count = candidate->lane_count;
	uint64_t *loads_ns = calloc((size_t)count * devices, sizeof(*loads_ns)), held[HY_SCHED__MOST_DEVICES] = {0};
	hy_sched__lane *lanes = malloc(count * sizeof(*lanes));
	hy_status status = HY_OK;
	if (loads_ns == NULL || lanes == NULL) {
		status = out_of_memory(error);
		goto done;
	}
	memcpy(lanes, candidate->lanes, count * sizeof(*lanes));
	for (uint32_t l = 0; l < count && status == HY_OK; l++)
		status = add_weighed(c, &lanes[l], loads_ns + (size_t)l * devices, held, error);
	if (status != HY_OK) goto done;
	uint64_t fastest = HY_SCHED__NEVER;
	for (uint32_t l = 0; l < count; l++) {
		for (uint32_t d = 0; d < devices; d++) {
			const double above = (double)held[d] - COMFORTABLE * (double)c->capacity_bytes[d];
			uint64_t *load = &loads_ns[(size_t)l * devices + d];
			if (c->capacity_bytes[d] == 0 || above <= 0 || *load == 0) continue;
			const double ns = above * c->to[d].ns_per_byte * plan->options.memory_weight;
			*load += (uint64_t)ns;
			lanes[l].item_ns += (uint64_t)ns;
		}
		if (lanes[l].item_ns < fastest) fastest = lanes[l].item_ns;
	}
	const uint64_t together = hy_sched__candidates_together(count, lanes, devices, loads_ns);
	candidate->cost_ns = (double)(plan->options.objective == HY_SCHED_LATENCY ? fastest : together);
done:
	free(loads_ns);
	free(lanes);
	return status;
}

hy_status hy_sched__chooser_add(hy_sched__chooser *c, hy_sched_strategy strategy, uint64_t item_ns, bool measured,
                                uint32_t lane_count, const hy_sched__lane *lanes, hy_error *error)
{
	hy_sched_plan *plan = c->plan;
	hy_sched__candidate *all = realloc(plan->candidates, (plan->candidate_count + 1) * sizeof(*all));
	if (all != NULL) plan->candidates = all;
	hy_sched__candidate fresh = {.strategy = strategy, .item_ns = item_ns, .measured = measured};
	hy_status status = HY_OK;
	fresh.lanes = calloc(lane_count, sizeof(*fresh.lanes));
	if (all == NULL || fresh.lanes == NULL) status = out_of_memory(error);
	for (uint32_t l = 0; l < lane_count && status == HY_OK; l++) {
		fresh.lane_count = l + 1;
		fresh.lanes[l] = lanes[l];
		fresh.lanes[l].parts = NULL;
		fresh.lanes[l].segments = calloc(lanes[l].segment_count + 1u, sizeof(hy_sched__segment));
		if (fresh.lanes[l].segments == NULL)
			status = out_of_memory(error);
		else if (lanes[l].segment_count > 0)
			memcpy(fresh.lanes[l].segments, lanes[l].segments,
			       lanes[l].segment_count * sizeof(hy_sched__segment));
	}
	fresh.cost_ns = (double)item_ns; /* of strips, which have no segments to weigh */
	if (status == HY_OK && strategy != HY_SCHED_SPATIAL) status = weigh(c, &fresh, error);
	if (status != HY_OK) {
		hy_sched__candidate_finish(&fresh);
		return status;
	}
	plan->candidates[plan->candidate_count++] = fresh;
	return HY_OK;
}
