/* What a plan says about itself: one row per device that the chosen candidate uses. */
#include "plan_info.h"

#include "cost.h"
#include "devices.h"
#include "notes.h"
#include "strips_show.h"

#include <stdlib.h>

/* Whether the candidate runs this part, and on how many of its lanes. */
static uint32_t uses(const hy_sched__candidate *candidate, uint32_t part)
{
	uint32_t count = 0;
	for (uint32_t l = 0; l < candidate->lane_count; l++)
		for (uint32_t s = 0; s < candidate->lanes[l].segment_count; s++)
			count += candidate->lanes[l].parts[s] == part ? 1 : 0;
	return count;
}

/* A predicted part costs its nodes and its copies. */
uint64_t hy_sched__plan_info_part_ns(const hy_sched_plan *plan, const hy_sched__part *part)
{
	const hy_sched__device *device = &plan->devices[part->segment.device];
	if (part->cost.count > 0) return part->cost.median_ns;
	uint64_t ns = hy_sched__cost_link_ns(&device->to, part->footprint.input_bytes) +
	              hy_sched__cost_link_ns(&device->from, part->footprint.output_bytes);
	for (uint32_t n = 0; n < part->segment.count; n++)
		ns += device->node_ns[part->segment.first + n];
	return ns;
}

static void show_device(const hy_sched_plan *plan, uint32_t index, hy_sched_plan_device *row)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	const hy_sched__device *device = &plan->devices[index];
	const bool staged = !hy_sched__device_binds_host(device);
	uint64_t workspace = 0;
	row->id = device->id;
	row->capacity_bytes = device->capacity_bytes;
	row->measured = true;
	for (uint32_t p = 0; p < plan->part_count; p++) {
		const hy_sched__part *part = &plan->parts[p];
		if (part->segment.device != index || uses(candidate, p) == 0) continue;
		const bool known = part->cost.count > 0;
		row->item_ns += hy_sched__plan_info_part_ns(plan, part);
		row->measured &= known;
		row->node_count += part->segment.count;
		row->launches += part->cost.launches;
		row->reference_launches += part->cost.reference_launches;
		row->constant_bytes += known ? part->cost.constant_bytes : part->footprint.constant_bytes;
		const uint64_t own = known ? part->cost.workspace_bytes : part->footprint.activation_bytes;
		if (own > workspace) workspace = own;
		if (staged)
			row->activation_bytes += plan->options.depth *
			                         (part->footprint.input_bytes + part->footprint.output_bytes);
	}
	row->activation_bytes += workspace;
}

/* Of the requests where devices have lanes of their own, else of the time. */
static void show_shares(const hy_sched_plan *plan, const uint32_t *device_of, uint32_t count,
                        hy_sched_plan_device *rows)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	double sum = 0;
	for (uint32_t i = 0; i < count; i++) {
		double part = 0;
		for (uint32_t l = 0; l < candidate->lane_count; l++) {
			const hy_sched__lane *lane = &candidate->lanes[l];
			bool on_it = false;
			for (uint32_t s = 0; s < lane->segment_count; s++)
				on_it |= lane->segments[s].device == device_of[i];
			if (candidate->strategy == HY_SCHED_REPLICAS && lane->owner == device_of[i]) part += lane->rate;
			if (candidate->strategy != HY_SCHED_REPLICAS && on_it)
				part += lane->rate * (double)rows[i].item_ns;
		}
		rows[i].share = part;
		sum += part;
	}
	for (uint32_t i = 0; i < count && sum > 0; i++)
		rows[i].share /= sum;
}

/* Bytes that change devices inside a request, over all lanes by their rate. */
static uint64_t copy_bytes(const hy_sched_plan *plan)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	double bytes = 0, rate = 0;
	for (uint32_t l = 0; l < candidate->lane_count; l++) {
		const hy_sched__lane *lane = &candidate->lanes[l];
		uint64_t crossing = 0;
		for (uint32_t s = 1; s < lane->segment_count; s++) {
			const hy_sched__part *part = &plan->parts[lane->parts[s]];
			for (uint32_t i = 0; i < part->input_count; i++) {
				const hy_ir_value *value = hy_ir_graph_value(plan->graph, part->inputs[i]);
				if (value->producer != HY_IR_NONE) crossing += hy_ir_type_bytes(&value->type);
			}
		}
		bytes += lane->rate * (double)crossing;
		rate += lane->rate;
	}
	return rate > 0 ? (uint64_t)(bytes / rate + 0.5) : 0;
}

static hy_status note_copies(hy_sched_plan *plan, hy_error *error)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	hy_status status = HY_OK;
	for (uint32_t l = 0; l < candidate->lane_count; l++)
		for (uint32_t s = 1; s < candidate->lanes[l].segment_count && status == HY_OK; s++) {
			const hy_sched__segment *from = &candidate->lanes[l].segments[s - 1];
			const hy_sched__segment *to = &candidate->lanes[l].segments[s];
			const hy_sched__device *a = &plan->devices[from->device], *b = &plan->devices[to->device];
			const bool shared = hy_sched__device_binds_host(a) && hy_sched__device_binds_host(b);
			status = hy_sched__note(plan, to->first, b->id, HY_REASON_NONE, error,
			                        "values go from %s to %s before node %u, %s", a->id, b->id, to->first,
			                        shared ? "in host memory that both use: no copy"
			                               : "copied through host memory");
		}
	return status;
}

hy_status hy_sched__plan_info_fill(hy_sched_plan *plan, hy_error *error)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	uint32_t device_of[HY_SCHED__MOST_DEVICES], count = 0;
	hy_status status = note_copies(plan, error);
	if (status != HY_OK) return status;
	plan->shown = calloc(plan->device_count, sizeof(*plan->shown));
	if (plan->shown == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t d = 0; d < plan->device_count && candidate->strips == NULL; d++) {
		bool used = false;
		for (uint32_t p = 0; p < plan->part_count; p++)
			used |= plan->parts[p].segment.device == d && uses(candidate, p) > 0;
		if (!used && plan->devices[d].single.segment_count > 0)
			status = hy_sched__note(plan, HY_IR_NONE, plan->devices[d].id, HY_REASON_NONE, error,
			                        "not used: the plan is no faster with it");
		if (status != HY_OK) return status;
		if (!used) continue;
		show_device(plan, d, &plan->shown[count]);
		device_of[count++] = d;
	}
	if (candidate->strips != NULL)
		count = hy_sched__strips_show(plan, candidate->strips, plan->shown);
	else
		show_shares(plan, device_of, count, plan->shown);
	const hy_sched_plan_info info = {
		.strategy = candidate->strategy,
		.objective = plan->options.objective,
		.item_ns = candidate->item_ns,
		.bound_ns = plan->info.bound_ns,
		.device_count = count,
		.note_count = plan->note_count,
		.candidate_count = plan->candidate_count,
		.devices = plan->shown,
		.notes = plan->notes,
		.copy_bytes = candidate->strips != NULL ? (uint64_t)candidate->strips->split.halo_bytes
	                                                : copy_bytes(plan),
	};
	plan->info = info;
	return HY_OK;
}
