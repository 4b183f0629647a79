/* The plan for people. */
#include "notes.h"
#include "plan.h"
#include "plan_json.h"
#include "strips_show.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const strategies[] = {
	[HY_SCHED_AUTO] = "auto",    [HY_SCHED_SINGLE] = "single",   [HY_SCHED_REPLICAS] = "replicas",
	[HY_SCHED_CUT] = "cut",      [HY_SCHED_SPATIAL] = "spatial", [HY_SCHED_PIPELINE] = "pipeline",
	[HY_SCHED_GROUPS] = "groups"};

static const char *const objectives[] = {
	[HY_SCHED_THROUGHPUT] = "throughput", [HY_SCHED_LATENCY] = "latency", [HY_SCHED_DEADLINE] = "deadline"};

const char *hy_sched__strategy_name(hy_sched_strategy strategy)
{
	return strategies[strategy];
}

const char *hy_sched__objective_name(hy_sched_objective objective)
{
	return objectives[objective];
}

static double gap_percent(const hy_sched_plan_info *info)
{
	return info->bound_ns > 0 ? 100.0 * ((double)info->item_ns / (double)info->bound_ns - 1) : 0;
}

static void print_head(hy_sched__text *text, const hy_sched_plan_info *info)
{
	const bool latency = info->objective == HY_SCHED_LATENCY;
	hy_sched__text_add(text, "plan: %s on %u device%s, for %s\n", strategies[info->strategy], info->device_count,
	                   info->device_count > 1 ? "s" : "", objectives[info->objective]);
	hy_sched__text_add_ns(text, info->item_ns);
	hy_sched__text_add(text, latency ? " for one answer" : " between answers");
	if (!latency && info->item_ns > 0) hy_sched__text_add(text, " (%.1f/s)", 1e9 / (double)info->item_ns);
	hy_sched__text_add(text, "; no plan on these devices takes less than ");
	hy_sched__text_add_ns(text, info->bound_ns);
	hy_sched__text_add(text, " (gap %.1f %%)\n", gap_percent(info));
	if (info->copy_bytes > 0) {
		hy_sched__text_add_bytes(text, info->copy_bytes);
		hy_sched__text_add(text, " go from device to device per request\n");
	}
}

static void print_device(hy_sched__text *text, const hy_sched_plan_device *device)
{
	hy_sched__text_add(text, "  %s: %.0f %%, ", device->id, 100 * device->share);
	hy_sched__text_add_ns(text, device->item_ns);
	hy_sched__text_add(text, " a request (%s), %u nodes", device->measured ? "measured" : "predicted",
	                   device->node_count);
	if (device->launches > 0) hy_sched__text_add(text, " in %u launches", device->launches);
	if (device->reference_launches > 0)
		hy_sched__text_add(text, " (%u by slow reference code)", device->reference_launches);
	hy_sched__text_add(text, "; ");
	hy_sched__text_add_bytes(text, device->constant_bytes);
	hy_sched__text_add(text, " constants, ");
	hy_sched__text_add_bytes(text, device->activation_bytes);
	hy_sched__text_add(text, " activations");
	if (device->capacity_bytes > 0) {
		hy_sched__text_add(text, " of ");
		hy_sched__text_add_bytes(text, device->capacity_bytes);
	}
	hy_sched__text_add(text, "\n");
}

static void print_lane(hy_sched__text *text, const hy_sched_plan *plan, const hy_sched__lane *lane)
{
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		const hy_sched__segment *segment = &lane->segments[s];
		hy_sched__text_add(text, "%s%u-%u %s", s > 0 ? ", " : "", segment->first,
		                   segment->first + segment->count - 1, plan->devices[segment->device].id);
	}
}

static void print_candidate(hy_sched__text *text, const hy_sched_plan *plan, uint32_t index)
{
	const hy_sched__candidate *candidate = &plan->candidates[index];
	hy_sched__text_add(text, "%s %-8s ", index == plan->chosen ? " *" : "  ", strategies[candidate->strategy]);
	if (candidate->item_ns == HY_SCHED__NEVER)
		hy_sched__text_add(text, "cannot run");
	else
		hy_sched__text_add_ns(text, candidate->item_ns);
	for (uint32_t l = 0; l < candidate->lane_count; l++) {
		hy_sched__text_add(text, l == 0 ? ": " : " + ");
		print_lane(text, plan, &candidate->lanes[l]);
	}
	if (candidate->strips != NULL) hy_sched__strips_print(text, plan, candidate->strips);
	hy_sched__text_add(text, "\n");
}

hy_status hy_sched_plan_print(const hy_sched_plan *plan, bool json, char **out_text, hy_error *error)
{
	if (json) return hy_sched__plan_json(plan, out_text, error);
	const hy_sched_plan_info *info = &plan->info;
	hy_sched__text text = {0};
	print_head(&text, info);
	hy_sched__text_add(&text, "devices:\n");
	for (uint32_t i = 0; i < info->device_count; i++)
		print_device(&text, &info->devices[i]);
	hy_sched__text_add(&text, "candidates:\n");
	for (uint32_t i = 0; i < plan->candidate_count; i++)
		print_candidate(&text, plan, i);
	if (info->note_count > 0) hy_sched__text_add(&text, "notes:\n");
	for (uint32_t i = 0; i < info->note_count; i++) {
		const hy_sched_plan_note *note = &info->notes[i];
		hy_sched__text_add(&text, "  %s%s%s\n", note->device != NULL ? note->device : "",
		                   note->device != NULL ? ": " : "", note->text);
	}
	if (text.failed) {
		free(text.bytes);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for the plan's text");
	}
	*out_text = text.bytes;
	return HY_OK;
}

static void explain_device(hy_sched__text *text, uint32_t node, const hy_sched__device *device)
{
	const hy_sched__verdict verdict = device->verdicts[node];
	hy_sched__text_add(text, "  %s: ", device->id);
	if (verdict.answer == HY_SCHED__NO) {
		hy_sched__text_add(text, "no, %s\n",
		                   verdict.reason != HY_REASON_NONE ? hy_sched__reason_text(verdict.reason)
		                                                    : "the device was left out");
		return;
	}
	hy_sched__text_add(text, verdict.answer == HY_SCHED__UNFUSED ? "yes, un-fused" : "yes");
	if (device->node_ns[node] != HY_SCHED__NEVER) {
		hy_sched__text_add(text, ", about ");
		hy_sched__text_add_ns(text, device->node_ns[node]);
	}
	hy_sched__text_add(text, "\n");
}

hy_status hy_sched_plan_explain(const hy_sched_plan *plan, uint32_t node, char **out_text, hy_error *error)
{
	const uint32_t count = hy_ir_graph_node_count(plan->graph);
	if (node >= count)
		return hy_error_set(error, HY_INVALID, "node %u: the model has nodes 0 to %u", node, count - 1);
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	const hy_ir_node *it = hy_ir_graph_node(plan->graph, node);
	hy_sched__text text = {0};
	hy_sched__text_add(&text, "node %u '%s' (%s) runs\n", node, it->name, it->type);
	for (uint32_t l = 0; l < candidate->lane_count; l++)
		for (uint32_t s = 0; s < candidate->lanes[l].segment_count; s++) {
			const hy_sched__segment *segment = &candidate->lanes[l].segments[s];
			if (node - segment->first >= segment->count) continue;
			hy_sched__text_add(&text, "  on %s, with nodes %u-%u as one program\n",
			                   plan->devices[segment->device].id, segment->first,
			                   segment->first + segment->count - 1);
		}
	if (candidate->strips != NULL) hy_sched__strips_explain(&text, plan, candidate->strips, node);
	hy_sched__text_add(&text, "the devices say\n");
	for (uint32_t d = 0; d < plan->device_count; d++)
		explain_device(&text, node, &plan->devices[d]);
	for (uint32_t i = 0; i < plan->note_count; i++)
		if (plan->notes[i].node == node) hy_sched__text_add(&text, "  %s\n", plan->notes[i].text);
	if (text.failed) {
		free(text.bytes);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for the explanation");
	}
	*out_text = text.bytes;
	return HY_OK;
}
