/* From graph to plan: the numbered steps in their order. */
#include "plan.h"

#include "capability.h"
#include "choose.h"
#include "cost.h"
#include "devices.h"
#include "footprint.h"
#include "notes.h"
#include "part.h"
#include "plan_check.h"
#include "plan_info.h"
#include "plan_reuse.h"
#include "prior.h"
#include "segments.h"
#include "settle.h"
#include "strips.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_DEPTH 2u
#define MOST_DEPTH 64u
#define MOST_WEIGHT 1e6
/* Predicted links of devices that are not measured: a slow PCIe slot. */
static const hy_sched__link assumed_link = {10000, 0.1};

/* What the steps share beside the plan. */
typedef struct work {
	hy_sched_plan *plan;
	hy_sched__cost_file *costs;
	bool measure, forbid;
	char shortfall[256];
} work;

static hy_status out_of_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
}

static void tell(const hy_sched_plan *plan, const char *what, double fraction)
{
	if (plan->options.progress != NULL) plan->options.progress(plan->options.progress_payload, what, fraction);
}

/* ---- step 0: devices ---- */

/* A device that was not asked for by name may be missing; the others then share its cores. */
static hy_status open_devices(work *w, bool by_name, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	hy_error why = {0};
	for (uint32_t d = 0; d < plan->device_count;) {
		hy_status status = hy_sched__devices_open(plan, d, &why);
		if (status == HY_OK) {
			d++;
			continue;
		}
		if (by_name || plan->device_count == 1) {
			if (error != NULL) *error = why;
			return status;
		}
		status = hy_sched__note(plan, HY_IR_NONE, plan->devices[d].description->id, HY_REASON_NONE, error,
		                        "left out: %s", why.text);
		if (status == HY_OK) status = hy_sched__devices_drop(plan, d, error);
		if (status != HY_OK) return status;
		d = 0;
	}
	return HY_OK;
}

/* ---- step 1: capability ---- */

static hy_status ask_devices(work *w, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	const uint32_t nodes = hy_ir_graph_node_count(plan->graph);
	hy_ir_blob blob = {0};
	hy_status status = hy_ir_blob_create(plan->graph, 0, nodes, &blob, NULL, NULL, NULL, NULL, error);
	if (status == HY_OK) plan->model_hash = hy_sched__cost_hash(blob.graph);
	for (uint32_t d = 0; d < plan->device_count && status == HY_OK; d++) {
		hy_sched__device *device = &plan->devices[d];
		device->verdicts = calloc(nodes, sizeof(*device->verdicts));
		device->node_ns = calloc(nodes, sizeof(*device->node_ns));
		if (device->verdicts == NULL || device->node_ns == NULL) {
			status = out_of_memory(error);
			break;
		}
		for (uint32_t n = 0; n < nodes && !w->measure; n++)
			device->verdicts[n].answer = HY_SCHED__YES;
		if (device->hal != NULL)
			status = hy_sched__capability(device->hal, plan->graph, blob.graph, device->verdicts, error);
		for (uint32_t n = 0; n < nodes; n++)
			device->yes_count += device->verdicts[n].answer != HY_SCHED__NO ? 1 : 0;
		tell(plan, "ask devices", (d + 1.0) / plan->device_count);
	}
	hy_ir_blob_finish(&blob);
	return status;
}

/* A line for the first refusal that ends planning: by every device, or by one when detours are forbidden. */
static hy_status refused(const hy_sched_plan *plan, uint32_t node, const hy_sched__device *device, hy_error *error)
{
	const hy_ir_node *it = hy_ir_graph_node(plan->graph, node);
	const char *reason = hy_sched__reason_text(device->verdicts[node].reason);
	if (plan->device_count == 1)
		return hy_error_set(error, HY_UNSUPPORTED,
		                    "%s does not run node %u '%s' (%s): %s; add a device that does", device->id, node,
		                    it->name, it->type, reason);
	return hy_error_set(error, HY_UNSUPPORTED, "%s does not run node %u '%s' (%s): %s; %s", device->id, node,
	                    it->name, it->type, reason,
	                    (plan->options.flags & HY_SCHED_FORBID_FALLBACK) != 0
	                            ? "allow fallback, or leave this device out"
	                            : "nor does any other device: add one that does");
}

static hy_status check_refusals(const work *w, hy_error *error)
{
	const hy_sched_plan *plan = w->plan;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(plan->graph); n++) {
		uint32_t yes = 0;
		const hy_sched__device *no = NULL;
		for (uint32_t d = 0; d < plan->device_count; d++) {
			const hy_sched__device *device = &plan->devices[d];
			if (device->verdicts[n].answer != HY_SCHED__NO)
				yes++;
			else if (device->hal != NULL && no == NULL)
				no = device;
		}
		if (no != NULL && (yes == 0 || w->forbid)) return refused(plan, n, no, error);
	}
	return HY_OK;
}

/* ---- steps 2 and 3: the way through each device, and its memory ---- */

static void estimate(const hy_sched_plan *plan, hy_sched__device *device)
{
	hy_sched__prior_nodes(plan->graph, &device->description->info, device->node_ns);
	for (uint32_t n = 0; n < hy_ir_graph_node_count(plan->graph); n++)
		if (device->verdicts[n].answer == HY_SCHED__NO) device->node_ns[n] = HY_SCHED__NEVER;
}

/* Refused nodes go to the fastest that takes them: by measured times where they are there. */
static void order_devices(const hy_sched_plan *plan, uint32_t *order)
{
	double speed_ns[HY_SCHED__MOST_DEVICES];
	for (uint32_t d = 0; d < plan->device_count; d++) {
		const hy_sched__device *device = &plan->devices[d];
		double sum = 0, count = 1;
		for (uint32_t n = 0; n < hy_ir_graph_node_count(plan->graph); n++) {
			if (device->node_ns[n] == HY_SCHED__NEVER) continue;
			sum += (double)device->node_ns[n];
			count++;
		}
		speed_ns[d] = sum / count;
		uint32_t at = d;
		for (; at > 0 && speed_ns[order[at - 1]] > speed_ns[d]; at--)
			order[at] = order[at - 1];
		order[at] = d;
	}
}

static hy_status make_lane(const hy_sched_plan *plan, uint32_t index, hy_error *error)
{
	const uint32_t nodes = hy_ir_graph_node_count(plan->graph);
	const hy_sched__verdict *verdicts[HY_SCHED__MOST_DEVICES];
	uint32_t order[HY_SCHED__MOST_DEVICES];
	hy_sched__lane *lane = &plan->devices[index].single;
	uint32_t *wanted = malloc(2 * (size_t)nodes * sizeof(*wanted));
	lane->segments = malloc(nodes * sizeof(*lane->segments));
	if (wanted == NULL || lane->segments == NULL) {
		free(wanted);
		return out_of_memory(error);
	}
	for (uint32_t d = 0; d < plan->device_count; d++)
		verdicts[d] = plan->devices[d].verdicts;
	for (uint32_t n = 0; n < nodes; n++)
		wanted[n] = index;
	order_devices(plan, order);
	hy_sched__segments_assign(nodes, plan->device_count, verdicts, order, wanted, wanted + nodes);
	lane->owner = index;
	lane->segment_count = hy_sched__segments_cut(nodes, wanted + nodes, lane->segments);
	free(wanted);
	return HY_OK;
}

static hy_status note_detours(work *w, uint32_t index, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	const hy_sched__device *device = &plan->devices[index];
	const hy_sched__lane *lane = &device->single;
	hy_status status = HY_OK;
	for (uint32_t s = 0; s < lane->segment_count; s++)
		for (uint32_t i = 0; i < lane->segments[s].count && status == HY_OK; i++) {
			const uint32_t n = lane->segments[s].first + i;
			const hy_sched__verdict verdict = device->verdicts[n];
			const hy_ir_node *node = hy_ir_graph_node(plan->graph, n);
			if (verdict.answer == HY_SCHED__NO)
				status = hy_sched__note(plan, n, device->id, verdict.reason, error,
				                        "node %u '%s' (%s) falls back to %s: %s", n, node->name,
				                        node->type, plan->devices[lane->segments[s].device].id,
				                        hy_sched__reason_text(verdict.reason));
			if (verdict.answer == HY_SCHED__UNFUSED)
				status = hy_sched__note(plan, n, device->id, HY_REASON_REGION, error,
				                        "node %u '%s' runs un-fused: %s", n, node->name,
				                        hy_sched__reason_text(HY_REASON_REGION));
		}
	return status;
}

/* Takes the lane away when a device on it lacks memory, and says by how much. */
static hy_status check_memory(work *w, uint32_t index, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	hy_sched__lane *lane = &plan->devices[index].single;
	uint64_t need[HY_SCHED__MOST_DEVICES] = {0};
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		const hy_sched__segment *segment = &lane->segments[s];
		hy_sched__footprint footprint;
		const hy_status status = hy_sched__footprint_of(plan->graph, segment->first, segment->count, &footprint,
		                                                error);
		if (status != HY_OK) return status;
		need[segment->device] += hy_sched__footprint_need(
			&footprint, !hy_sched__device_binds_host(&plan->devices[segment->device]), plan->options.depth);
	}
	for (uint32_t d = 0; d < plan->device_count; d++) {
		const hy_sched__device *device = &plan->devices[d];
		if (device->capacity_bytes == 0 || need[d] <= device->capacity_bytes) continue;
		const uint64_t lacking = need[d] - device->capacity_bytes;
		const size_t at = strlen(w->shortfall);
		snprintf(w->shortfall + at, sizeof(w->shortfall) - at, "%s%s lacks %" PRIu64 " bytes",
		         at > 0 ? ", " : "", device->id, lacking);
		lane->segment_count = 0;
		const hy_status status = hy_sched__note(
			plan, HY_IR_NONE, device->id, HY_REASON_MEMORY, error,
			"the model needs %" PRIu64 " bytes, %" PRIu64 " more than it has", need[d], lacking);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

/* ---- step 4: costs ---- */

/* A lane that can't be compiled or run is taken away with a note; the plan may do without it. */
static hy_status settle_single(work *w, uint32_t index, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	hy_sched__device *device = &plan->devices[index];
	hy_error why = {0};
	const hy_status status = hy_sched__settle_lane(plan, w->costs, &device->single, &why);
	if (status == HY_OK) {
		for (uint32_t s = 0; s < device->single.segment_count && w->measure; s++) {
			const hy_sched__part *part = &plan->parts[device->single.parts[s]];
			if (part->segment.device != index || part->cost.node_count != part->segment.count) continue;
			memcpy(device->node_ns + part->segment.first, part->cost.node_ns,
			       part->segment.count * sizeof(*device->node_ns));
		}
		return HY_OK;
	}
	if (plan->device_count == 1) {
		if (error != NULL) *error = why;
		return status;
	}
	device->single.segment_count = 0;
	if (why.scope >= HY_SCOPE_DEVICE) device->yes_count = 0;
	return hy_sched__note(plan, HY_IR_NONE, device->id, status == HY_NO_MEMORY ? HY_REASON_MEMORY : HY_REASON_NONE,
	                      error, "cannot run the model alone: %s", why.text);
}

static hy_status find_links(work *w, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	hy_status status = HY_OK;
	for (uint32_t d = 0; d < plan->device_count && plan->device_count > 1; d++) {
		hy_sched__device *device = &plan->devices[d];
		if (!w->measure && !hy_sched__device_binds_host(device)) device->to = device->from = assumed_link;
		if (device->hal == NULL || status != HY_OK) continue;
		hy_error why = {0};
		status = hy_sched__settle_link(plan, w->costs, d, &why);
		if (status == HY_OK) continue;
		device->to = device->from = assumed_link;
		status = hy_sched__note(plan, HY_IR_NONE, device->id, HY_REASON_NONE, error,
		                        "its link is assumed, not measured: %s", why.text);
	}
	return status;
}

/* Devices that run everything come first: where the others' nodes fall back to is then known by measuring. */
static hy_status make_singles(work *w, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	const uint32_t nodes = hy_ir_graph_node_count(plan->graph);
	hy_status status = HY_OK;
	for (uint32_t d = 0; d < plan->device_count; d++)
		estimate(plan, &plan->devices[d]);
	for (uint32_t pass = 0; pass < 2; pass++)
		for (uint32_t d = 0; d < plan->device_count && status == HY_OK; d++) {
			const hy_sched__device *device = &plan->devices[d];
			if ((device->yes_count == nodes) != (pass == 0)) continue;
			if (device->yes_count == 0 && w->measure) {
				if (device->hal != NULL)
					status = hy_sched__note(plan, HY_IR_NONE, device->id, HY_REASON_OP, error,
					                        "not used: it runs no node of this model");
				continue;
			}
			status = make_lane(plan, d, error);
			if (status == HY_OK) status = note_detours(w, d, error);
			if (status == HY_OK) status = check_memory(w, d, error);
			if (status == HY_OK && device->single.segment_count > 0) status = settle_single(w, d, error);
		}
	return status;
}

/* ---- all of it ---- */

static hy_status check_options(const hy_ir_graph *graph, const hy_sched_options *options, hy_error *error)
{
	if (hy_ir_graph_node_count(graph) == 0)
		return hy_error_set(error, HY_INVALID, "the model has no nodes: there is nothing to run");
	if (options->depth > MOST_DEPTH)
		return hy_error_set(error, HY_INVALID, "depth %u: at most %u requests are in flight per device",
		                    options->depth, MOST_DEPTH);
	if ((unsigned)options->strategy > HY_SCHED_GROUPS || (unsigned)options->objective > HY_SCHED_DEADLINE)
		return hy_error_set(error, HY_INVALID, "no such strategy or objective");
	if ((options->objective == HY_SCHED_DEADLINE) != (options->deadline_ns > 0))
		return hy_error_set(error, HY_INVALID, "a deadline and the objective deadline go together");
	const double weights[] = {options->execution_weight, options->transfer_weight, options->memory_weight};
	for (int i = 0; i < 3; i++)
		if (!(weights[i] >= 0 && weights[i] <= MOST_WEIGHT))
			return hy_error_set(error, HY_INVALID, "weight %f: weights are above 0 and at most %.0f",
			                    weights[i], MOST_WEIGHT);
	if (options->cut_node >= hy_ir_graph_node_count(graph))
		return hy_error_set(error, HY_INVALID, "cut at node %u: the model has nodes 0 to %u", options->cut_node,
		                    hy_ir_graph_node_count(graph) - 1);
	return HY_OK;
}

/* Programs that were only compiled to be measured give their memory back. */
static void drop_unused(hy_sched_plan *plan)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	for (uint32_t i = 0; i < plan->candidate_count; i++)
		if (i != plan->chosen && plan->candidates[i].strips != NULL)
			hy_sched__strips_unload(plan->candidates[i].strips);
	for (uint32_t p = 0; p < plan->part_count; p++) {
		bool used = false;
		for (uint32_t l = 0; l < candidate->lane_count; l++)
			for (uint32_t s = 0; s < candidate->lanes[l].segment_count; s++)
				used |= candidate->lanes[l].parts[s] == p;
		if (used) continue;
		hy_hal_program_destroy(plan->parts[p].program);
		plan->parts[p].program = NULL;
	}
}

/* Steps 0 and 1. */
static hy_status prepare(work *w, const char *selector, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	hy_status status = hy_sched__devices_select(plan, selector, error);
	const bool by_name = selector != NULL && strchr(selector, '*') == NULL;
	if (status == HY_OK && w->measure) status = open_devices(w, by_name, error);
	if (status == HY_OK) status = hy_sched__devices_note(plan, error);
	if (status == HY_OK) status = ask_devices(w, error);
	return status;
}

static hy_status finish(work *w, hy_error *error)
{
	hy_status status = hy_sched__plan_info_fill(w->plan, error);
	if (status == HY_OK) status = hy_sched__plan_check(w->plan, error);
	tell(w->plan, "planned", 1);
	return status;
}

static hy_status plan_make(work *w, const hy_sched_options *options, hy_error *error)
{
	hy_sched_plan *plan = w->plan;
	const char *ignored;
	hy_status status = hy_sched__cost_file_open(options->cost_file, &w->costs, &ignored, error);
	if (status == HY_OK && ignored != NULL)
		status = hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error, "%s", ignored);
	if (status == HY_OK) status = prepare(w, options->devices, error);
	if (status == HY_OK) status = check_refusals(w, error);
	if (status == HY_OK) status = find_links(w, error);
	if (status == HY_OK) status = make_singles(w, error);
	if (status == HY_OK) status = hy_sched__choose(plan, w->costs, w->shortfall, error);
	if (status != HY_OK) return status;
	drop_unused(plan);
	hy_error unsaved = {0};
	if (hy_sched__cost_file_save(w->costs, &unsaved) != HY_OK)
		status = hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error, "%s", unsaved.text);
	return status == HY_OK ? finish(w, error) : status;
}

/* As plan_text says; nothing is measured and nothing chosen. */
static hy_status plan_again(work *w, const hy_sched_options *options, hy_error *error)
{
	hy_sched__reuse *reuse;
	const char *selector;
	hy_status status = hy_sched__reuse_create(options->plan_text, &reuse, &selector, error);
	if (status != HY_OK) return status;
	status = prepare(w, selector, error);
	for (uint32_t d = 0; status == HY_OK && d < w->plan->device_count; d++)
		estimate(w->plan, &w->plan->devices[d]);
	if (status == HY_OK) status = hy_sched__reuse_apply(reuse, w->plan, error);
	if (status == HY_OK) status = finish(w, error);
	if (status == HY_OK) status = hy_sched__reuse_check(reuse, w->plan, error);
	hy_sched__reuse_destroy(reuse);
	return status;
}

hy_status hy_sched_plan_create(hy_hal_machine *machine, const hy_ir_graph *graph, const hy_sched_options *options,
                               hy_sched_plan **out_plan, hy_error *error)
{
	hy_sched_options own = {.size = sizeof(own)};
	if (machine == NULL || graph == NULL || out_plan == NULL)
		return hy_error_set(error, HY_INVALID, "plan: machine, graph and out_plan are needed");
	if (options != NULL) memcpy(&own, options, options->size < sizeof(own) ? options->size : sizeof(own));
	hy_status status = check_options(graph, &own, error);
	if (status != HY_OK) return status;
	hy_sched_plan *plan = calloc(1, sizeof(*plan));
	if (plan == NULL) return out_of_memory(error);
	if (own.depth == 0) own.depth = DEFAULT_DEPTH;
	if (own.execution_weight == 0) own.execution_weight = 1;
	if (own.transfer_weight == 0) own.transfer_weight = 1;
	if (own.memory_weight == 0) own.memory_weight = 1;
	plan->machine = machine;
	plan->graph = graph;
	plan->options = own;
	if (gethostname(plan->host, sizeof(plan->host) - 1) != 0) plan->host[0] = '\0';
	work w = {.plan = plan,
	          .measure = (own.flags & HY_SCHED_NO_MEASURE) == 0,
	          .forbid = (own.flags & HY_SCHED_FORBID_FALLBACK) != 0};
	if (own.plan_text != NULL) w.measure = true; /* devices are opened: the plan is about to be run */
	status = own.plan_text != NULL ? plan_again(&w, &own, error) : plan_make(&w, &own, error);
	hy_sched__cost_file_close(w.costs);
	plan->options.devices = plan->options.cost_file = plan->options.plan_text = NULL;
	plan->options.progress = NULL;
	if (status != HY_OK) {
		hy_sched_plan_destroy(plan);
		return status;
	}
	*out_plan = plan;
	return HY_OK;
}

void hy_sched_plan_destroy(hy_sched_plan *plan)
{
	if (plan == NULL) return;
	for (uint32_t p = 0; p < plan->part_count; p++)
		hy_sched__part_finish(&plan->parts[p]);
	free(plan->parts);
	for (uint32_t i = 0; i < plan->candidate_count; i++)
		hy_sched__candidate_finish(&plan->candidates[i]);
	free(plan->candidates);
	hy_sched__devices_finish(plan);
	hy_sched__notes_finish(plan);
	free(plan->shown);
	free(plan);
}

const hy_sched_plan_info *hy_sched_plan_describe(const hy_sched_plan *plan)
{
	return &plan->info;
}
