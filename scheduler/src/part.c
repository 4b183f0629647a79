/* A run of nodes as a program of a device. */
#include "part.h"

#include "devices.h"
#include "footprint.h"

#include <stdlib.h>
#include <string.h>

/* Replaces the part's blob by one in which the regions that its device wants un-fused are their bodies. Inputs and
 * outputs keep their order. */
static hy_status unfuse(hy_sched__part *part, const hy_sched__verdict *verdicts, hy_error *error)
{
	bool some = false;
	bool *chosen = calloc(part->segment.count, sizeof(*chosen));
	if (chosen == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t i = 0; i < part->segment.count; i++)
		some |= chosen[i] = verdicts[part->segment.first + i].answer == HY_SCHED__UNFUSED;
	hy_status status = HY_OK;
	if (some) status = hy_ir_blob_read(part->blob.graph, part->blob.constants, &part->unfused, error);
	if (some && status == HY_OK) status = hy_ir_graph_unfuse(part->unfused, chosen, NULL, error);
	free(chosen);
	if (!some || status != HY_OK) return status;
	part->fused_blob = part->blob;
	memset(&part->blob, 0, sizeof(part->blob));
	return hy_ir_blob_create(part->unfused, 0, hy_ir_graph_node_count(part->unfused), &part->blob, NULL, NULL, NULL,
	                         NULL, error);
}

static hy_status part_init(const hy_sched_plan *plan, const hy_sched__segment *segment, hy_sched__part *part,
                           hy_error *error)
{
	part->segment = *segment;
	part->whole = segment->count == hy_ir_graph_node_count(plan->graph);
	hy_status status = hy_sched__footprint_of(plan->graph, segment->first, segment->count, &part->footprint, error);
	if (status != HY_OK) return status;
	status = hy_ir_blob_create(plan->graph, segment->first, segment->count, &part->blob, &part->inputs,
	                           &part->input_count, &part->outputs, &part->output_count, error);
	if (status != HY_OK) return status;
	return unfuse(part, plan->devices[segment->device].verdicts, error);
}

hy_status hy_sched__part_place(hy_sched_plan *plan, const hy_sched__segment *segment, uint32_t *out_part,
                               hy_error *error)
{
	for (uint32_t i = 0; i < plan->part_count; i++) {
		const hy_sched__segment *have = &plan->parts[i].segment;
		if (have->first != segment->first || have->count != segment->count || have->device != segment->device)
			continue;
		*out_part = i;
		return HY_OK;
	}
	hy_sched__part *parts = realloc(plan->parts, (plan->part_count + 1) * sizeof(*parts));
	if (parts == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	plan->parts = parts;
	hy_sched__part part = {0};
	const hy_status status = part_init(plan, segment, &part, error);
	if (status != HY_OK) {
		hy_sched__part_finish(&part);
		return status;
	}
	*out_part = plan->part_count;
	plan->parts[plan->part_count++] = part;
	return HY_OK;
}

hy_status hy_sched__part_compile(hy_sched_plan *plan, uint32_t index, hy_error *error)
{
	hy_sched__part *part = &plan->parts[index];
	if (part->program != NULL) return HY_OK;
	const uint64_t start_ns = hy_hal_now_ns();
	const hy_status status = hy_hal_program_create(plan->devices[part->segment.device].hal, part->blob.graph,
	                                               part->blob.constants, part->blob.constant_count, NULL, 0,
	                                               &part->program, error);
	if (status != HY_OK) return status;
	part->compile_ns = hy_hal_now_ns() - start_ns;
	const hy_exe_info *info = hy_hal_program_info(part->program);
	part->cost.launches = info->launches;
	part->cost.reference_launches = info->reference_launches;
	part->cost.constant_bytes = info->constant_bytes;
	part->cost.workspace_bytes = info->workspace_bytes;
	return HY_OK;
}

void hy_sched__part_finish(hy_sched__part *part)
{
	hy_hal_program_destroy(part->program);
	hy_ir_blob_finish(&part->blob);
	hy_ir_graph_destroy(part->unfused);
	hy_ir_blob_finish(&part->fused_blob);
	free(part->inputs);
	free(part->outputs);
	free(part->cost.node_ns);
}
