/* Strips for people and programs. */
#include "strips_show.h"

static uint32_t last_origin(const hy_sched__strips *strips, const hy_sched__group *group)
{
	return strips->origins[group->first + group->count - 1];
}

/* Of the first value that is in strips, as a part of all. */
static double share_of_rows(const hy_sched__strips *strips, uint32_t d)
{
	const hy_sched__spatial *split = &strips->split;
	uint32_t value = 0;
	for (uint32_t g = split->group_count; g > 0; g--)
		if (split->groups[g - 1].split)
			value = hy_ir_graph_node(strips->graph, split->groups[g - 1].first)->outputs[0];
	const int64_t *bounds = split->bounds + (size_t)value * (split->device_count + 1);
	return (double)(bounds[d + 1] - bounds[d]) / (double)bounds[split->device_count];
}

void hy_sched__strips_print(hy_sched__text *text, const hy_sched_plan *plan, const hy_sched__strips *strips)
{
	const hy_sched__spatial *split = &strips->split;
	for (uint32_t d = 0; d < split->device_count; d++)
		hy_sched__text_add(text, "%s%.0f %% of the rows %s", d > 0 ? " + " : "", 100 * share_of_rows(strips, d),
		                   plan->devices[split->devices[d]].id);
	hy_sched__text_add(text, "; predicted ");
	hy_sched__text_add_ns(text, split->item_ns);
	hy_sched__text_add(text, ", of it halos ");
	hy_sched__text_add_ns(text, (unsigned long long)split->exchange_ns);
	hy_sched__text_add(text, "; groups");
	for (uint32_t g = 0; g < split->group_count; g++)
		hy_sched__text_add(text, "%s %u-%u%s", g > 0 ? "," : "", strips->origins[split->groups[g].first],
		                   last_origin(strips, &split->groups[g]), split->groups[g].split ? "" : " alone");
}

void hy_sched__strips_explain(hy_sched__text *text, const hy_sched_plan *plan, const hy_sched__strips *strips,
                              uint32_t node)
{
	for (uint32_t g = 0; g < strips->split.group_count; g++) {
		const hy_sched__group *group = &strips->split.groups[g];
		const uint32_t first = strips->origins[group->first], last = last_origin(strips, group);
		if (node < first || node > last) continue;
		hy_sched__text_add(text, group->split ? "  in strips on" : "  alone on");
		for (uint32_t d = 0; d < (group->split ? strips->split.device_count : 1); d++)
			hy_sched__text_add(text, "%s %s", d > 0 ? " +" : "",
			                   plan->devices[strips->split.devices[d]].id);
		hy_sched__text_add(text, ", with nodes %u-%u as one program\n", first, last);
	}
}

static uint64_t predicted_ns(const hy_sched_plan *plan, const hy_sched__strips *strips, uint32_t d)
{
	const hy_sched__spatial *split = &strips->split;
	double ns = 0;
	for (uint32_t g = 0; g < split->group_count; g++)
		for (uint32_t n = split->groups[g].first; n < split->groups[g].first + split->groups[g].count; n++) {
			const uint32_t value = hy_ir_graph_node(strips->graph, n)->outputs[0];
			const int64_t *bounds = split->bounds + (size_t)value * (split->device_count + 1);
			const double height = (double)bounds[split->device_count];
			const double part = split->groups[g].split ? (double)(bounds[d + 1] - bounds[d]) / height
			                                           : (d == 0 ? 1 : 0);
			const uint64_t all = plan->devices[split->devices[d]].node_ns[strips->origins[n]];
			if (part > 0 && all != HY_SCHED__NEVER) ns += part * (double)all;
		}
	return (uint64_t)ns;
}

uint32_t hy_sched__strips_show(const hy_sched_plan *plan, const hy_sched__strips *strips, hy_sched_plan_device *rows)
{
	double sum = 0;
	for (uint32_t d = 0; d < strips->split.device_count; d++) {
		const hy_sched__strip *strip = &strips->strips[d];
		const hy_sched__device *device = &plan->devices[strip->device];
		hy_sched_plan_device row = {.id = device->id,
		                            .item_ns = strip->item_ns > 0 ? strip->item_ns
		                                                          : predicted_ns(plan, strips, d),
		                            .measured = strip->item_ns > 0,
		                            .launches = strip->launches,
		                            .reference_launches = strip->reference_launches,
		                            .constant_bytes = strip->constant_bytes,
		                            .activation_bytes = strip->activation_bytes,
		                            .capacity_bytes = device->capacity_bytes};
		for (uint32_t s = 0; s < strips->step_count; s++)
			if (strips->steps[s].strip == d)
				row.node_count += strips->split.groups[strips->steps[s].group].count;
		sum += (double)row.item_ns;
		rows[d] = row;
	}
	for (uint32_t d = 0; d < strips->split.device_count; d++)
		rows[d].share = sum > 0 ? (double)rows[d].item_ns / sum : 1.0 / strips->split.device_count;
	return strips->split.device_count;
}

json_t *hy_sched__strips_json(const hy_sched_plan *plan, const hy_sched__strips *strips)
{
	const hy_sched__spatial *split = &strips->split;
	json_t *devices = json_array(), *groups = json_array();
	for (uint32_t d = 0; d < split->device_count; d++)
		json_array_append_new(devices, json_pack("{s:s,s:f}", "device", plan->devices[split->devices[d]].id,
		                                         "rows", share_of_rows(strips, d)));
	for (uint32_t g = 0; g < split->group_count; g++) {
		const hy_sched__group *group = &split->groups[g];
		const uint32_t first = strips->origins[group->first];
		json_array_append_new(groups, json_pack("{s:I,s:I,s:b}", "first", (json_int_t)first, "count",
		                                        (json_int_t)(last_origin(strips, group) - first + 1), "split",
		                                        group->split));
	}
	return json_pack("{s:I,s:I,s:I,s:o,s:o}", "predicted_ns", (json_int_t)split->item_ns, "exchange_ns",
	                 (json_int_t)split->exchange_ns, "halo_bytes", (json_int_t)split->halo_bytes, "devices",
	                 devices, "groups", groups);
}
