/* The plan for programs: schema/halyard.plan.v1.json says what stands where. */
#include "plan_json.h"

#include "notes.h"
#include "plan_info.h"
#include "strips_show.h"

#include <jansson.h>
#include <stdio.h>

static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *device_json(const hy_sched_plan_device *device)
{
	return json_pack("{s:s,s:f,s:o,s:b,s:I,s:I,s:I,s:o,s:o,s:o}", "id", device->id, "share", device->share,
	                 "item_ns", number(device->item_ns), "measured", device->measured, "nodes",
	                 (json_int_t)device->node_count, "launches", (json_int_t)device->launches, "reference_launches",
	                 (json_int_t)device->reference_launches, "constant_bytes", number(device->constant_bytes),
	                 "activation_bytes", number(device->activation_bytes), "capacity_bytes",
	                 number(device->capacity_bytes));
}

static json_t *lane_json(const hy_sched_plan *plan, const hy_sched__lane *lane)
{
	json_t *segments = json_array();
	for (uint32_t s = 0; s < lane->segment_count; s++)
		json_array_append_new(segments,
		                      json_pack("{s:s,s:I,s:I}", "device", plan->devices[lane->segments[s].device].id,
		                                "first", (json_int_t)lane->segments[s].first, "count",
		                                (json_int_t)lane->segments[s].count));
	return segments;
}

static json_t *candidate_json(const hy_sched_plan *plan, uint32_t index)
{
	const hy_sched__candidate *candidate = &plan->candidates[index];
	const bool runs = candidate->item_ns != HY_SCHED__NEVER;
	json_t *lanes = json_array();
	for (uint32_t l = 0; l < candidate->lane_count; l++)
		json_array_append_new(lanes, lane_json(plan, &candidate->lanes[l]));
	json_t *it = json_pack("{s:s,s:b,s:o,s:b,s:o}", "strategy", hy_sched__strategy_name(candidate->strategy),
	                       "chosen", index == plan->chosen, "item_ns",
	                       runs ? number(candidate->item_ns) : json_null(), "measured", candidate->measured,
	                       "lanes", lanes);
	if (candidate->strips != NULL)
		json_object_set_new(it, "strips", hy_sched__strips_json(plan, candidate->strips));
	return it;
}

static json_t *note_json(const hy_sched_plan_note *note)
{
	return json_pack("{s:o,s:o,s:s,s:s}", "node",
	                 note->node == HY_IR_NONE ? json_null() : json_integer((json_int_t)note->node), "device",
	                 note->device == NULL ? json_null() : json_string(note->device), "reason",
	                 hy_sched__reason_name(note->reason), "text", note->text);
}

/* Place among the devices that the plan shows. */
static uint32_t shown_at(const hy_sched_plan *plan, uint32_t device)
{
	uint32_t at = 0;
	while (at < plan->info.device_count && plan->info.devices[at].id != plan->devices[device].id)
		at++;
	return at;
}

/* What it takes to use the plan again; null for strips, which are planned anew. */
static json_t *contract_json(const hy_sched_plan *plan)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	if (candidate->strips != NULL) return json_null();
	char hash[17];
	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)plan->model_hash);
	json_t *devices = json_array(), *lanes = json_array();
	for (uint32_t i = 0; i < plan->info.device_count; i++) {
		const hy_sched_plan_device *row = &plan->info.devices[i];
		uint32_t d = 0;
		while (plan->devices[d].id != row->id)
			d++;
		const hy_hal_device_info *is = plan->devices[d].description;
		json_array_append_new(devices,
		                      json_pack("{s:s,s:s,s:s,s:s,s:o}", "id", row->id, "plugin", is->plugin, "name",
		                                is->info.name, "driver", is->info.driver, "memory_bytes",
		                                number(row->constant_bytes + row->activation_bytes)));
	}
	for (uint32_t l = 0; l < candidate->lane_count; l++) {
		const hy_sched__lane *lane = &candidate->lanes[l];
		json_t *segments = json_array();
		for (uint32_t s = 0; s < lane->segment_count; s++) {
			const hy_sched__segment *segment = &lane->segments[s];
			const hy_sched__part *part = &plan->parts[lane->parts[s]];
			json_array_append_new(segments,
			                      json_pack("{s:I,s:I,s:I,s:o}", "device",
			                                (json_int_t)shown_at(plan, segment->device), "first",
			                                (json_int_t)segment->first, "count", (json_int_t)segment->count,
			                                "item_ns", number(hy_sched__plan_info_part_ns(plan, part))));
		}
		/* A device may own a lane and run nothing of it: the first segment's stands for it then. */
		const uint32_t owner = shown_at(plan, lane->owner);
		const bool there = owner < plan->info.device_count;
		json_array_append_new(lanes,
		                      json_pack("{s:o,s:f,s:I,s:o}", "item_ns", number(lane->item_ns), "rate_per_s",
		                                lane->rate * 1e9, "owner",
		                                (json_int_t)(there ? owner : shown_at(plan, lane->segments[0].device)),
		                                "segments", segments));
	}
	return json_pack("{s:s,s:o,s:o}", "model_hash", hash, "devices", devices, "lanes", lanes);
}

hy_status hy_sched__plan_json(const hy_sched_plan *plan, char **out_text, hy_error *error)
{
	const hy_sched_plan_info *info = &plan->info;
	json_t *devices = json_array(), *candidates = json_array(), *notes = json_array();
	for (uint32_t i = 0; i < info->device_count; i++)
		json_array_append_new(devices, device_json(&info->devices[i]));
	for (uint32_t i = 0; i < plan->candidate_count; i++)
		json_array_append_new(candidates, candidate_json(plan, i));
	for (uint32_t i = 0; i < info->note_count; i++)
		json_array_append_new(notes, note_json(&info->notes[i]));
	json_t *all = json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "schema", "halyard.plan/v1",
	                        "model", hy_ir_graph_name(plan->graph), "strategy",
	                        hy_sched__strategy_name(info->strategy), "objective",
	                        hy_sched__objective_name(info->objective), "nodes",
	                        (json_int_t)hy_ir_graph_node_count(plan->graph), "item_ns", number(info->item_ns),
	                        "bound_ns", number(info->bound_ns), "copy_bytes", number(info->copy_bytes), "devices",
	                        devices, "candidates", candidates, "notes", notes, "contract", contract_json(plan));
	char *text = all != NULL ? json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(all);
	if (text == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for the plan's text");
	*out_text = text;
	return HY_OK;
}
