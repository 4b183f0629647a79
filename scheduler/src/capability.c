/* Step 1: what each device says to each node. */
#include "capability.h"

#include <stdlib.h>

/* The verdict on a region's body: UNFUSED when all of it runs, else NO with the first refusal's reason. */
static hy_status ask_body(hy_hal_device *device, const hy_ir_graph *graph, uint32_t node,
                          hy_sched__verdict *out_verdict, hy_error *error)
{
	hy_ir_blob fused = {0}, plain = {0};
	hy_ir_graph *body = NULL;
	hy_verdict *verdicts = NULL;
	bool changed;
	hy_status status = hy_ir_blob_create(graph, node, 1, &fused, NULL, NULL, NULL, NULL, error);
	if (status != HY_OK) goto done;
	status = hy_ir_blob_read(fused.graph, fused.constants, &body, error);
	if (status != HY_OK) goto done;
	status = hy_ir_pass_unfuse(body, &changed, error);
	if (status != HY_OK) goto done;
	const uint32_t count = hy_ir_graph_node_count(body);
	status = hy_ir_blob_create(body, 0, count, &plain, NULL, NULL, NULL, NULL, error);
	if (status != HY_OK) goto done;
	verdicts = calloc(count > 0 ? count : 1, sizeof(*verdicts));
	if (verdicts == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
		goto done;
	}
	status = hy_hal_device_query(device, plain.graph, count, verdicts, error);
	if (status != HY_OK) goto done;
	hy_sched__verdict verdict = {HY_SCHED__UNFUSED, HY_REASON_REGION};
	for (uint32_t i = 0; i < count && verdict.answer == HY_SCHED__UNFUSED; i++) {
		if (verdicts[i].answer == HY_YES) continue;
		verdict.answer = HY_SCHED__NO;
		verdict.reason = (uint8_t)verdicts[i].reason;
	}
	*out_verdict = verdict;
done:
	free(verdicts);
	hy_ir_blob_finish(&plain);
	hy_ir_graph_destroy(body);
	hy_ir_blob_finish(&fused);
	return status;
}

hy_status hy_sched__capability(hy_hal_device *device, const hy_ir_graph *graph, const hy_graph *blob,
                               hy_sched__verdict *out_verdicts, hy_error *error)
{
	const uint32_t count = hy_ir_graph_node_count(graph);
	hy_verdict *verdicts = calloc(count > 0 ? count : 1, sizeof(*verdicts));
	if (verdicts == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	hy_status status = hy_hal_device_query(device, blob, count, verdicts, error);
	for (uint32_t n = 0; status == HY_OK && n < count; n++) {
		out_verdicts[n].answer = verdicts[n].answer == HY_YES ? HY_SCHED__YES : HY_SCHED__NO;
		out_verdicts[n].reason = (uint8_t)verdicts[n].reason;
		if (out_verdicts[n].answer == HY_SCHED__NO && hy_ir_graph_node(graph, n)->body != NULL)
			status = ask_body(device, graph, n, &out_verdicts[n], error);
	}
	free(verdicts);
	return status;
}
