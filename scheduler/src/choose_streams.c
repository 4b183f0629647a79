/* Candidates of many devices: pipelines, groups of pipelines; and what branches side by side would bring. */
#include "chooser.h"

#include "cost.h"
#include "footprint.h"
#include "list_schedule.h"
#include "notes.h"
#include "plan_graph.h"

#include <math.h>
#include <stdlib.h>

/* Branches are worth a note when they save this part of the time. */
#define NOTABLE 0.95

/* The lane of a stream's stages; its segments are the caller's, free(). NULL segments without memory. */
static hy_sched__lane lane_of(hy_sched__chooser *c, const hy_sched__pipelines *streams, uint32_t stream)
{
	const uint32_t first = streams->stream_first[stream];
	for (uint32_t s = first; s < streams->stream_first[stream + 1]; s++)
		for (uint32_t i = 0; i < streams->stages[s].count; i++)
			c->wanted[streams->stages[s].first + i] = streams->stages[s].device;
	hy_sched__lane lane = hy_sched__chooser_lane(c, streams->stages[first].device);
	hy_sched__segment *own = malloc(lane.segment_count * sizeof(*own));
	for (uint32_t s = 0; own != NULL && s < lane.segment_count; s++)
		own[s] = lane.segments[s];
	lane.segments = own;
	return lane;
}

/* Whether the lanes together leave no device short of memory. */
static hy_status fits(const hy_sched__chooser *c, uint32_t lane_count, const hy_sched__lane *lanes, bool *out_fits,
                      hy_error *error)
{
	uint64_t need[HY_SCHED__MOST_DEVICES] = {0};
	for (uint32_t l = 0; l < lane_count; l++)
		for (uint32_t s = 0; s < lanes[l].segment_count; s++) {
			const hy_sched__segment *segment = &lanes[l].segments[s];
			hy_sched__footprint footprint;
			const hy_status status = hy_sched__footprint_of(c->plan->graph, segment->first, segment->count,
			                                                &footprint, error);
			if (status != HY_OK) return status;
			need[segment->device] += hy_sched__footprint_need(&footprint, c->staged[segment->device],
			                                                  c->problem.depth);
		}
	*out_fits = true;
	for (uint32_t d = 0; d < c->plan->device_count; d++)
		if (c->capacity_bytes[d] > 0 && need[d] > c->capacity_bytes[d]) *out_fits = false;
	return HY_OK;
}

static hy_status add(hy_sched__chooser *c, hy_sched_strategy strategy, const hy_sched__pipelines *streams,
                     hy_error *error)
{
	const uint32_t devices = c->plan->device_count;
	hy_sched__lane *lanes = calloc(streams->stream_count + 1, sizeof(*lanes));
	uint64_t *loads_ns = calloc(((size_t)streams->stream_count + 1) * devices, sizeof(*loads_ns)), busiest;
	uint32_t count = 0;
	uint64_t fastest = HY_SCHED__NEVER;
	hy_status status = HY_OK;
	if (lanes == NULL || loads_ns == NULL) status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t s = 0; s < streams->stream_count && status == HY_OK; s++) {
		hy_sched__lane lane = lane_of(c, streams, s);
		if (lane.segments == NULL) {
			status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
			break;
		}
		status = hy_sched__chooser_load(c, &lane, loads_ns + (size_t)count * devices, &busiest, error);
		if (status != HY_OK || hy_sched__chooser_late(c, &lane)) {
			free(lane.segments);
			continue;
		}
		if (lane.item_ns < fastest) fastest = lane.item_ns;
		lanes[count++] = lane;
	}
	bool good = false;
	if (status == HY_OK && count > 0) status = fits(c, count, lanes, &good, error);
	if (status == HY_OK && good) {
		const uint64_t together = hy_sched__candidates_together(count, lanes, devices, loads_ns);
		const bool latency = c->plan->options.objective == HY_SCHED_LATENCY;
		status = hy_sched__chooser_add(c, strategy, latency ? fastest : together, false, count, lanes, error);
	}
	for (uint32_t l = 0; l < count; l++)
		free(lanes[l].segments);
	free(lanes);
	free(loads_ns);
	return status;
}

/* AUTO leaves out what other candidates are: one part, two parts (a cut), and whole models (replicas). */
static hy_status add_shape(hy_sched__chooser *c, const hy_sched__plan_graph *g, hy_sched_strategy strategy,
                           hy_error *error)
{
	const bool asked = c->plan->options.strategy == strategy, one = strategy == HY_SCHED_PIPELINE;
	if (!asked && (c->plan->options.strategy != HY_SCHED_AUTO || c->plan->options.objective == HY_SCHED_LATENCY))
		return HY_OK;
	hy_sched__pipelines streams;
	hy_status status = hy_sched__pipeline_cut(
		&g->pipeline, one ? HY_SCHED__PIPELINE_ONE : HY_SCHED__PIPELINE_GROUPS, NULL, &streams, error);
	if (status != HY_OK) return status;
	const uint32_t stages = streams.stream_first[streams.stream_count];
	const bool fresh = one ? stages > 2 : streams.stream_count > 1 && stages > streams.stream_count;
	if (streams.stream_count > 0 && (asked || fresh)) status = add(c, strategy, &streams, error);
	hy_sched__pipelines_finish(&streams);
	return status;
}

/* Copies from and to the caller, one after the other. */
static double ends_ns(const hy_sched__plan_graph *g, const hy_sched__placement *placement)
{
	double ns = 0;
	for (uint32_t t = 0; t < g->graph.task_count; t++) {
		const uint32_t type = g->type[placement->device[t]];
		ns += (double)hy_sched__cost_link_ns(&g->to[type], g->in_bytes[t]);
		ns += (double)hy_sched__cost_link_ns(&g->from[type], g->out_bytes[t]);
	}
	return ns;
}

/* One answer sooner, if a session could run parts of one request side by side. */
static hy_status note_branches(hy_sched__chooser *c, const hy_sched__plan_graph *g, hy_error *error)
{
	hy_sched__placement placement;
	double least = INFINITY, now = INFINITY;
	hy_status status = hy_sched__placement_init(g->graph.task_count, &placement, error);
	if (status != HY_OK) return status;
	for (int rule = HY_SCHED__LIST_DM; rule < HY_SCHED__LIST_COUNT && status == HY_OK; rule++) {
		status = hy_sched__list_schedule(&g->graph, (hy_sched__list_rule)rule, &placement, error);
		if (status != HY_OK || !isfinite(placement.makespan_ns)) continue;
		const double ns = placement.makespan_ns + ends_ns(g, &placement);
		if (ns < least) least = ns;
	}
	hy_sched__placement_finish(&placement);
	for (uint32_t i = 0; i < c->plan->candidate_count; i++)
		if (c->plan->candidates[i].cost_ns < now) now = c->plan->candidates[i].cost_ns;
	if (status != HY_OK || !(least < NOTABLE * now)) return status;
	return hy_sched__note(c->plan, HY_IR_NONE, NULL, HY_REASON_NONE, error,
	                      "branches side by side would give one answer in %.3f ms: a session runs the parts of a "
	                      "request one after the other",
	                      least / 1e6);
}

hy_status hy_sched__choose_streams(hy_sched__chooser *c, hy_error *error)
{
	const hy_sched_strategy strategy = c->plan->options.strategy;
	const bool wanted = strategy == HY_SCHED_AUTO || strategy == HY_SCHED_PIPELINE || strategy == HY_SCHED_GROUPS;
	if (!wanted || c->plan->device_count < 2) return HY_OK;
	hy_sched__plan_graph g = {0};
	hy_status status = hy_sched__plan_graph_init(c->plan->graph, &c->wanted_problem, &g, error);
	if (status != HY_OK) return status;
	status = add_shape(c, &g, HY_SCHED_PIPELINE, error);
	if (status == HY_OK) status = add_shape(c, &g, HY_SCHED_GROUPS, error);
	if (status == HY_OK && c->plan->options.objective == HY_SCHED_LATENCY) status = note_branches(c, &g, error);
	hy_sched__plan_graph_finish(&g);
	return status;
}
