/* A node that the ir evaluator computes: correct, slow, and reported as a reference step. */
#include "cpu_build.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct reference {
	hy_cpu_step step;
	const hy_ir_node *node; /* of the graph that the exe keeps */
	uint32_t input_count, output_count;
	hy_ir_tensor *tensors; /* inputs, outputs; data is set at each run */
} reference;

static hy_status reference_run(hy_cpu_step *step, void *const *at, hy_error *error)
{
	reference *r = (reference *)(void *)step;
	uint32_t next = 0;
	for (uint32_t i = 0; i < r->input_count + r->output_count; i++) {
		if (r->tensors[i].type.dtype != HY_DTYPE_NONE) r->tensors[i].data = at[next++];
	}
	return hy_ir_eval_node(r->node, r->tensors, r->tensors + r->input_count, error);
}

static void reference_finish(hy_cpu_step *step)
{
	free(((reference *)(void *)step)->tensors);
}

hy_status hy_cpu_lower_reference(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const uint32_t count = n.ir->input_count + n.ir->output_count;
	const hy_cpu_order plain = hy_cpu_order_plain();
	char name[64];
	(void)snprintf(name, sizeof(name), "reference:%s", n.ir->type);
	hy_status status = HY_OK;
	hy_cpu_view *views = calloc(count + 1, sizeof(*views));
	hy_ir_tensor *tensors = calloc(count + 1, sizeof(*tensors));
	reference *r = NULL;
	if (views == NULL || tensors == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
		goto done;
	}
	for (uint32_t i = 0; i < count && status == HY_OK; i++) {
		const bool is_input = i < n.ir->input_count;
		const uint32_t value = is_input ? n.inputs[i] : n.outputs[i - n.ir->input_count];
		if (value == HY_CPU_NONE) continue;
		status = is_input ? hy_cpu_build_dense(build, value, &plain, &views[i], error)
		                  : hy_cpu_build_make(build, value, &plain, 0, &views[i], error);
		tensors[i].type = views[i].type;
	}
	if (status == HY_OK) status = hy_cpu_build_step(build, sizeof(*r), name, &r, error);
	if (status != HY_OK) goto done;
	r->step.run = reference_run;
	r->step.finish = reference_finish;
	r->step.flags = HY_STEP_REFERENCE;
	r->node = n.ir;
	r->input_count = n.ir->input_count;
	r->output_count = n.ir->output_count;
	r->tensors = tensors;
	tensors = NULL;
	for (uint32_t i = 0; i < count && status == HY_OK; i++) {
		if (views[i].type.dtype == HY_DTYPE_NONE) continue;
		status = hy_cpu_build_operand_view(build, &r->step, &views[i], error);
	}
done:
	free(views);
	free(tensors);
	return status;
}
