/* Steps 5 and 6: make candidates, measure what the best one still needs, choose. */
#include "choose.h"

#include "bound.h"
#include "candidates.h"
#include "devices.h"
#include "footprint.h"
#include "notes.h"
#include "part.h"
#include "segments.h"
#include "settle.h"
#include "strips_propose.h"

#include <stdlib.h>
#include <string.h>

#define CUT_MARGIN 1.1

/* The problem with the arrays that it lends, and what only choosing needs. */
typedef struct chooser {
	hy_sched__problem problem;
	const uint64_t **node_ns; /* refused nodes never */
	uint64_t **filled_ns; /* refused nodes at their fastest fallback; owned rows */
	hy_sched__link *to, *from;
	bool *staged;
	uint64_t *capacity_bytes;
	hy_sched__lane *singles; /* lent by the devices */
	hy_sched__footprint *before, *behind;
	uint64_t *loads_ns; /* device_count lanes of device_count */
	uint32_t *order, *wanted, *given; /* device_count; node_count each */
	hy_sched__segment *segments; /* node_count */
} chooser;

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

static void chooser_finish(chooser *c, uint32_t device_count)
{
	for (uint32_t d = 0; c->filled_ns != NULL && d < device_count; d++)
		free(c->filled_ns[d]);
	free(c->node_ns);
	free(c->filled_ns);
	free(c->to);
	free(c->from);
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

static bool chooser_allocate(chooser *c, uint32_t devices, uint32_t nodes)
{
	c->node_ns = calloc(devices, sizeof(*c->node_ns));
	c->filled_ns = calloc(devices, sizeof(*c->filled_ns));
	c->to = calloc(devices, sizeof(*c->to));
	c->from = calloc(devices, sizeof(*c->from));
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
	bool good = c->node_ns && c->filled_ns && c->to && c->from && c->staged && c->capacity_bytes && c->singles &&
	            c->before && c->behind && c->loads_ns && c->order && c->wanted && c->given && c->segments;
	for (uint32_t d = 0; good && d < devices; d++)
		good = (c->filled_ns[d] = calloc(nodes, sizeof(uint64_t))) != NULL;
	return good;
}

static hy_status chooser_init(chooser *c, hy_sched_plan *plan, hy_error *error)
{
	const uint32_t devices = plan->device_count, nodes = hy_ir_graph_node_count(plan->graph);
	if (!chooser_allocate(c, devices, nodes)) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t d = 0; d < devices; d++) {
		const hy_sched__device *device = &plan->devices[d];
		c->node_ns[d] = device->node_ns;
		c->to[d] = device->to;
		c->from[d] = device->from;
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
	c->problem = problem;
	return HY_OK;
}

/* The candidate takes copies of the lanes; parts are looked up again when it is chosen. */
static hy_status candidate_add(hy_sched_plan *plan, hy_sched_strategy strategy, uint64_t item_ns, bool measured,
                               uint32_t lane_count, const hy_sched__lane *lanes, hy_error *error)
{
	hy_sched__candidate *all = realloc(plan->candidates, (plan->candidate_count + 1) * sizeof(*all));
	if (all != NULL) plan->candidates = all;
	hy_sched__candidate fresh = {.strategy = strategy, .item_ns = item_ns, .measured = measured};
	fresh.lanes = calloc(lane_count, sizeof(*fresh.lanes));
	if (all == NULL || fresh.lanes == NULL) goto failed;
	fresh.lane_count = lane_count;
	for (uint32_t l = 0; l < lane_count; l++) {
		fresh.lanes[l] = lanes[l];
		fresh.lanes[l].parts = NULL;
		fresh.lanes[l].segments = calloc(lanes[l].segment_count + 1u, sizeof(hy_sched__segment));
		if (fresh.lanes[l].segments == NULL) goto failed;
		if (lanes[l].segment_count == 0) continue;
		memcpy(fresh.lanes[l].segments, lanes[l].segments, lanes[l].segment_count * sizeof(hy_sched__segment));
	}
	plan->candidates[plan->candidate_count++] = fresh;
	return HY_OK;
failed:
	for (uint32_t l = 0; l < fresh.lane_count; l++)
		free(fresh.lanes[l].segments);
	free(fresh.lanes);
	return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
}

/* Loads of one lane on all devices, and its item_ns. */
static hy_status lane_load(const hy_sched_plan *plan, const chooser *c, hy_sched__lane *lane, uint64_t *load_ns,
                           hy_error *error)
{
	hy_sched__footprint *borders = calloc(lane->segment_count, sizeof(*borders));
	if (borders == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	hy_status status = HY_OK;
	for (uint32_t s = 0; s < lane->segment_count && status == HY_OK; s++)
		status = hy_sched__footprint_of(plan->graph, lane->segments[s].first, lane->segments[s].count,
		                                &borders[s], error);
	memset(load_ns, 0, plan->device_count * sizeof(*load_ns));
	if (status == HY_OK) lane->item_ns = hy_sched__candidates_load(&c->problem, lane, borders, load_ns);
	free(borders);
	return status;
}

static uint64_t largest(uint32_t count, const uint64_t *values)
{
	uint64_t most = 0;
	for (uint32_t i = 0; i < count; i++)
		if (values[i] > most) most = values[i];
	return most;
}

static hy_status add_singles(hy_sched_plan *plan, chooser *c, hy_error *error)
{
	const bool measured = (plan->options.flags & HY_SCHED_NO_MEASURE) == 0;
	const bool wanted = plan->options.strategy == HY_SCHED_AUTO || plan->options.strategy == HY_SCHED_SINGLE;
	for (uint32_t d = 0; d < plan->device_count; d++) {
		hy_sched__lane *lane = &c->singles[d];
		if (lane->segment_count == 0) continue;
		uint64_t *load_ns = c->loads_ns + (size_t)d * plan->device_count;
		hy_status status = lane_load(plan, c, lane, load_ns, error);
		if (status != HY_OK) return status;
		plan->devices[d].single.item_ns = lane->item_ns;
		const uint64_t busiest = largest(plan->device_count, load_ns);
		lane->rate = 1 / (double)busiest;
		const uint64_t ns = plan->options.objective == HY_SCHED_LATENCY ? lane->item_ns : busiest;
		if (wanted) status = candidate_add(plan, HY_SCHED_SINGLE, ns, measured, 1, lane, error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

static hy_status add_replicas(hy_sched_plan *plan, chooser *c, hy_error *error)
{
	const bool asked = plan->options.strategy == HY_SCHED_REPLICAS;
	if (!asked && (plan->options.strategy != HY_SCHED_AUTO || plan->options.objective != HY_SCHED_THROUGHPUT))
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
		if (c->singles[d].segment_count == 0) continue;
		memcpy(loads_ns + (size_t)count * plan->device_count, c->loads_ns + (size_t)d * plan->device_count,
		       plan->device_count * sizeof(*loads_ns));
		if (c->singles[d].item_ns < fastest) fastest = c->singles[d].item_ns;
		lanes[count++] = c->singles[d];
	}
	if (count < (asked ? 1 : 2)) goto done;
	const uint64_t together = hy_sched__candidates_together(count, lanes, plan->device_count, loads_ns);
	const uint64_t ns = plan->options.objective == HY_SCHED_LATENCY ? fastest : together;
	status = candidate_add(plan, HY_SCHED_REPLICAS, ns, (plan->options.flags & HY_SCHED_NO_MEASURE) == 0, count,
	                       lanes, error);
done:
	free(lanes);
	free(loads_ns);
	return status;
}

/* The lane of a cut at `border`, nodes that a side refuses falling back. */
static hy_status add_cut(hy_sched_plan *plan, chooser *c, uint32_t first, uint32_t second, uint32_t border,
                         hy_error *error)
{
	const hy_sched__verdict *verdicts[HY_SCHED__MOST_DEVICES];
	const uint32_t nodes = c->problem.node_count;
	for (uint32_t d = 0; d < plan->device_count; d++)
		verdicts[d] = plan->devices[d].verdicts;
	for (uint32_t n = 0; n < nodes; n++)
		c->wanted[n] = n < border ? first : second;
	hy_sched__segments_assign(nodes, plan->device_count, verdicts, c->order, c->wanted, c->given);
	hy_sched__lane lane = {.owner = first, .segments = c->segments};
	lane.segment_count = hy_sched__segments_cut(nodes, c->given, c->segments);
	uint64_t load_ns[HY_SCHED__MOST_DEVICES];
	hy_status status = lane_load(plan, c, &lane, load_ns, error);
	if (status != HY_OK) return status;
	const uint64_t busiest = largest(plan->device_count, load_ns);
	lane.rate = 1 / (double)busiest;
	return candidate_add(plan, HY_SCHED_CUT, plan->options.objective == HY_SCHED_LATENCY ? lane.item_ns : busiest,
	                     false, 1, &lane, error);
}

/* Refused nodes at what they cost where they fall back to, so that a cut may contain them. */
static void fill_refused(const hy_sched_plan *plan, chooser *c)
{
	const bool forbid = (plan->options.flags & HY_SCHED_FORBID_FALLBACK) != 0;
	for (uint32_t d = 0; d < plan->device_count; d++)
		for (uint32_t n = 0; n < c->problem.node_count; n++) {
			uint64_t ns = c->node_ns[d][n];
			for (uint32_t e = 0; ns == HY_SCHED__NEVER && !forbid && e < plan->device_count; e++)
				if (plan->devices[d].yes_count > 0 && c->node_ns[e][n] < ns) ns = c->node_ns[e][n];
			c->filled_ns[d][n] = ns;
		}
}

static hy_status add_cuts(hy_sched_plan *plan, chooser *c, hy_error *error)
{
	if (plan->options.strategy != HY_SCHED_AUTO && plan->options.strategy != HY_SCHED_CUT) return HY_OK;
	if (plan->device_count < 2) return HY_OK;
	const uint32_t nodes = c->problem.node_count;
	hy_status status = HY_OK;
	for (uint32_t k = 0; k <= nodes && status == HY_OK; k++) {
		status = hy_sched__footprint_of(plan->graph, 0, k, &c->before[k], error);
		if (status == HY_OK) status = hy_sched__footprint_of(plan->graph, k, nodes - k, &c->behind[k], error);
	}
	if (status != HY_OK) return status;
	fill_refused(plan, c);
	hy_sched__problem filled = c->problem;
	filled.node_ns = (const uint64_t *const *)c->filled_ns;
	uint64_t best_ns = HY_SCHED__NEVER;
	uint32_t best_first = 0, best_second = 0, best_border = 0;
	for (uint32_t first = 0; first < plan->device_count; first++)
		for (uint32_t second = 0; second < plan->device_count; second++) {
			uint32_t border = 0;
			if (first == second) continue;
			const uint64_t ns = hy_sched__candidates_cut(&filled, first, second, plan->options.cut_node,
			                                             &border);
			if (ns >= best_ns) continue;
			best_ns = ns;
			best_first = first;
			best_second = second;
			best_border = border;
		}
	return best_ns == HY_SCHED__NEVER ? HY_OK : add_cut(plan, c, best_first, best_second, best_border, error);
}

/* Its one lane has no segments: the strips know who does what. */
static hy_status add_strips(hy_sched_plan *plan, hy_error *error)
{
	uint64_t best_ns = HY_SCHED__NEVER;
	hy_sched__strips *strips;
	for (uint32_t i = 0; i < plan->candidate_count; i++)
		if (plan->candidates[i].item_ns < best_ns) best_ns = plan->candidates[i].item_ns;
	hy_status status = hy_sched__strips_propose(plan, best_ns, &strips, error);
	if (status != HY_OK || strips == NULL) return status;
	const uint64_t ns = strips->split.item_ns;
	const hy_sched__lane lane = {.owner = strips->split.devices[0], .item_ns = ns, .rate = 1 / (double)ns};
	status = candidate_add(plan, HY_SCHED_SPATIAL, ns, false, 1, &lane, error);
	if (status == HY_OK)
		plan->candidates[plan->candidate_count - 1].strips = strips;
	else
		hy_sched__strips_destroy(strips);
	return status;
}

/* A cut must be clearly better: its parts are measured apart, the others as a whole. */
static double rank(const hy_sched__candidate *candidate)
{
	return (double)candidate->item_ns * (candidate->strategy == HY_SCHED_CUT ? CUT_MARGIN : 1);
}

static uint32_t best_candidate(const hy_sched_plan *plan)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < plan->candidate_count; i++)
		if (rank(&plan->candidates[i]) < rank(&plan->candidates[best])) best = i;
	return best;
}

/* Replaces the prediction of a candidate by what its parts were measured at. */
static void take_measured(hy_sched_plan *plan, hy_sched__candidate *candidate)
{
	uint64_t load_ns[HY_SCHED__MOST_DEVICES] = {0};
	hy_sched__lane *lane = &candidate->lanes[0];
	lane->item_ns = 0;
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		const hy_sched__part *part = &plan->parts[lane->parts[s]];
		lane->item_ns += part->cost.median_ns;
		load_ns[part->segment.device] += part->cost.median_ns;
	}
	const uint64_t busiest = largest(plan->device_count, load_ns);
	lane->rate = 1 / (double)busiest;
	candidate->item_ns = plan->options.objective == HY_SCHED_LATENCY ? lane->item_ns : busiest;
	candidate->measured = true;
}

static hy_status measure_strips(hy_sched_plan *plan, hy_sched__candidate *candidate, hy_error *error)
{
	uint64_t ns;
	candidate->measured = true;
	if (hy_sched__strips_are_simulated(candidate->strips, plan))
		return hy_sched__strips_load(candidate->strips, plan, error);
	const hy_status status = hy_sched__strips_measure(candidate->strips, plan, &ns, error);
	if (status != HY_OK) return status;
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
			status = hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error, "cannot %s: %s",
			                        candidate->strips != NULL ? "run in strips" : "be cut", last.text);
			if (status != HY_OK) return status;
			continue;
		}
		if (candidate->measured || !measure) return HY_OK;
		take_measured(plan, candidate);
	}
}

static void find_bound(hy_sched_plan *plan, const chooser *c)
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
	if (plan->options.strategy == HY_SCHED_CUT)
		return hy_error_set(error, HY_INVALID,
		                    "nothing to cut: it takes two devices, two nodes and a border inside the model");
	if (plan->options.strategy == HY_SCHED_SPATIAL)
		return hy_error_set(error, HY_INVALID, "no strips: %s",
		                    plan->note_count > 0 ? plan->notes[plan->note_count - 1].text
		                                         : "it takes two devices");
	return hy_error_set(error, HY_UNSUPPORTED, "no device runs this model: see the notes of its devices");
}

hy_status hy_sched__choose(hy_sched_plan *plan, hy_sched__cost_file *costs, const char *shortfall, hy_error *error)
{
	chooser c = {0};
	hy_status status = chooser_init(&c, plan, error);
	if (status == HY_OK) status = add_singles(plan, &c, error);
	if (status == HY_OK) status = add_replicas(plan, &c, error);
	if (status == HY_OK) status = add_cuts(plan, &c, error);
	if (status == HY_OK) status = add_strips(plan, error);
	if (status == HY_OK && plan->candidate_count == 0) status = nothing_fits(plan, shortfall, error);
	if (status == HY_OK) status = settle_choice(plan, costs, error);
	if (status == HY_OK) find_bound(plan, &c);
	chooser_finish(&c, plan->device_count);
	return status;
}
