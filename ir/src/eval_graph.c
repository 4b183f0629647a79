/* The evaluator: a whole graph, or the body of a region, node by node; tensors are freed after their last use. */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

typedef struct run {
	const hy_ir_graph *graph;
	hy_ir_tensor *values; /* by value number */
	bool *owned; /* values[i].data is ours to free */
	uint32_t *uses; /* left */
	hy_ir_tensor *inputs, *outputs; /* of the node at hand */
	hy_ir_type *types;
} run;

static hy_status begin(run *r, const hy_ir_graph *graph, const hy_ir_tensor *inputs, hy_error *error)
{
	uint32_t most_inputs = 1, most_outputs = 1;
	*r = (run){.graph = graph};
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const hy_ir_node *node = &graph->nodes[i].node;
		if (node->input_count > most_inputs) most_inputs = node->input_count;
		if (node->output_count > most_outputs) most_outputs = node->output_count;
	}
	r->values = calloc(graph->value_count + 1u, sizeof(r->values[0]));
	r->owned = calloc(graph->value_count + 1u, sizeof(r->owned[0]));
	r->uses = calloc(graph->value_count + 1u, sizeof(r->uses[0]));
	r->inputs = calloc(most_inputs, sizeof(r->inputs[0]));
	r->outputs = calloc(most_outputs, sizeof(r->outputs[0]));
	r->types = calloc(most_outputs, sizeof(r->types[0]));
	if (r->values == NULL || r->owned == NULL || r->uses == NULL || r->inputs == NULL || r->outputs == NULL ||
	    r->types == NULL)
		return hy_ir__no_memory(error);
	hy_ir__graph_count_uses(graph, r->uses);
	for (uint32_t i = 0; i < graph->value_count; i++) {
		const hy_ir_value *value = &graph->values[i].value;
		/* Nobody writes through the pointer. */
		r->values[i] = (hy_ir_tensor){.type = value->type, .data = (void *)(uintptr_t)value->data};
	}
	for (uint32_t i = 0; i < graph->input_count; i++) {
		const uint32_t number = graph->inputs[i];
		const hy_ir_value *value = &graph->values[number].value;
		char declared[256], given[256];
		if (!hy_ir_type_is_static(&inputs[i].type) || !hy_ir__type_fits(&value->type, &inputs[i].type))
			return hy_error_set(error, HY_INVALID, "input '%.*s' is %s, the model takes %s",
			                    HY_IR__NAME_LIMIT, value->name,
			                    hy_ir_type_print(&inputs[i].type, given, sizeof(given)),
			                    hy_ir_type_print(&value->type, declared, sizeof(declared)));
		r->values[number] = inputs[i];
	}
	return HY_OK;
}

static void finish(run *r)
{
	for (uint32_t i = 0; r->owned != NULL && i < r->graph->value_count; i++)
		if (r->owned[i]) free(r->values[i].data);
	free(r->values);
	free(r->owned);
	free(r->uses);
	free(r->inputs);
	free(r->outputs);
	free(r->types);
}

static void drop(run *r, uint32_t value)
{
	if (value == HY_IR_NONE || --r->uses[value] > 0 || !r->owned[value]) return;
	free(r->values[value].data);
	r->values[value].data = NULL;
	r->owned[value] = false;
}

static hy_status alloc_outputs(run *r, const hy_ir_node *node, hy_error *error)
{
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint32_t number = node->outputs[i];
		r->outputs[i] = (hy_ir_tensor){.type = r->types[i]};
		if (number == HY_IR_NONE || r->uses[number] == 0) continue;
		if (!hy_ir_type_is_static(&r->types[i]))
			return hy_error_set(error, HY_INTERNAL, "%s '%.*s': inference found no type from known inputs",
			                    node->type, HY_IR__NAME_LIMIT, node->name);
		if (!hy_ir__type_fits(&r->graph->values[number].value.type, &r->types[i]))
			return hy_error_set(error, HY_INVALID,
			                    "%.*s '%.*s': output '%.*s' has not the type the model declares",
			                    HY_IR__NAME_LIMIT, node->type, HY_IR__NAME_LIMIT, node->name,
			                    HY_IR__NAME_LIMIT, r->graph->values[number].value.name);
		r->outputs[i].data = hy_ir__alloc((int64_t)hy_ir_type_bytes(&r->types[i]), 1);
		if (r->outputs[i].data == NULL) return hy_ir__no_memory(error);
		r->values[number] = r->outputs[i];
		r->owned[number] = true;
	}
	return HY_OK;
}

static hy_status step(run *r, const hy_ir_node *node, hy_error *error)
{
	hy_ir_node named = *node;
	if (named.name[0] == '\0' && named.output_count > 0 && named.outputs[0] != HY_IR_NONE)
		named.name = r->graph->values[named.outputs[0]].value.name;
	for (uint32_t i = 0; i < node->input_count; i++)
		r->inputs[i] = node->inputs[i] == HY_IR_NONE ? (hy_ir_tensor){.data = NULL}
		                                             : r->values[node->inputs[i]];
	hy_status status = hy_ir_infer_node(&named, r->inputs, r->types, error);
	if (status == HY_OK) status = alloc_outputs(r, node, error);
	if (status == HY_OK) status = hy_ir_eval_node(&named, r->inputs, r->outputs, error);
	for (uint32_t i = 0; status == HY_OK && i < node->input_count; i++)
		drop(r, node->inputs[i]);
	return status;
}

static hy_status run_nodes(run *r, hy_error *error)
{
	hy_status status = HY_OK;
	for (uint32_t i = 0; status == HY_OK && i < r->graph->node_count; i++)
		if (!r->graph->nodes[i].dead) status = step(r, &r->graph->nodes[i].node, error);
	return status;
}

/* Output `number` of the graph; a constant of which only the type was kept has no data. */
static hy_status result_of(const run *r, uint32_t number, const hy_ir_tensor **out_value, hy_error *error)
{
	const hy_ir_tensor *value = &r->values[r->graph->outputs[number]];
	if (value->data == NULL && hy_ir_type_bytes(&value->type) > 0)
		return hy_error_set(error, HY_INVALID, "output '%.*s' has no data", HY_IR__NAME_LIMIT,
		                    r->graph->values[r->graph->outputs[number]].value.name);
	*out_value = value;
	return HY_OK;
}

hy_status hy_ir__eval_region(const hy_ir__call *call, const hy_ir_tensor *out)
{
	run r;
	const hy_ir_graph *body = call->node->body;
	hy_status status = begin(&r, body, call->in, call->error);
	if (status == HY_OK) status = run_nodes(&r, call->error);
	for (uint32_t i = 0; status == HY_OK && i < body->output_count; i++) {
		const hy_ir_tensor *value = NULL;
		if (out[i].data == NULL) continue;
		status = result_of(&r, i, &value, call->error);
		if (status == HY_OK && value->data != NULL)
			memcpy(out[i].data, value->data, hy_ir_type_bytes(&out[i].type));
	}
	finish(&r);
	return status;
}

hy_status hy_ir_eval_graph(const hy_ir_graph *graph, const hy_ir_tensor *inputs, hy_ir_tensor *out_outputs,
                           hy_error *error)
{
	run r;
	for (uint32_t i = 0; i < graph->output_count; i++)
		out_outputs[i] = (hy_ir_tensor){.data = NULL};
	hy_status status = begin(&r, graph, inputs, error);
	if (status == HY_OK) status = run_nodes(&r, error);
	for (uint32_t i = 0; status == HY_OK && i < graph->output_count; i++) {
		const hy_ir_tensor *value = NULL;
		status = result_of(&r, i, &value, error);
		if (status != HY_OK) break;
		const uint64_t length_bytes = hy_ir_type_bytes(&value->type);
		out_outputs[i].type = value->type;
		out_outputs[i].data = hy_ir__alloc((int64_t)length_bytes, 1);
		if (out_outputs[i].data == NULL)
			status = hy_ir__no_memory(error);
		else if (length_bytes > 0)
			memcpy(out_outputs[i].data, value->data, length_bytes);
	}
	if (status != HY_OK) hy_ir_eval_release(graph->output_count, out_outputs);
	finish(&r);
	return status;
}

void hy_ir_eval_release(uint32_t count, hy_ir_tensor *tensors)
{
	for (uint32_t i = 0; i < count; i++) {
		free(tensors[i].data);
		tensors[i].data = NULL;
	}
}
