/* Inference over a whole graph, and over the body of a region. Node by node in order; what small tensors hold is
 * computed on the way (Shape, Gather, Concat, Mul ...), so that later rules have their numbers. */
#include <halyard/ir/eval.h>

#include "infer.h"

#include <stdlib.h>
#include <string.h>

#define SMALL_ELEMENTS 256 /* of each tensor in front of and behind a node that is computed on the way */

typedef struct walk {
	const hy_ir_graph *graph;
	hy_ir_tensor
		*values; /* by value number: what is known so far; data lent by the graph, the caller or the arena */
	hy_ir_tensor *inputs, *outputs; /* of the node at hand */
	hy_ir_type *types; /* of its outputs */
	hy_ir__arena arena;
} walk;

/* given: types and data of the graph inputs, or NULL for what the graph declares. */
static hy_status begin(walk *w, const hy_ir_graph *graph, const hy_ir_tensor *given, hy_error *error)
{
	uint32_t most_inputs = 1, most_outputs = 1;
	*w = (walk){.graph = graph};
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const hy_ir_node *node = &graph->nodes[i].node;
		if (node->input_count > most_inputs) most_inputs = node->input_count;
		if (node->output_count > most_outputs) most_outputs = node->output_count;
	}
	w->values = calloc(graph->value_count + 1u, sizeof(w->values[0]));
	w->inputs = calloc(most_inputs, sizeof(w->inputs[0]));
	w->outputs = calloc(most_outputs, sizeof(w->outputs[0]));
	w->types = calloc(most_outputs, sizeof(w->types[0]));
	if (w->values == NULL || w->inputs == NULL || w->outputs == NULL || w->types == NULL)
		return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < graph->value_count; i++) {
		const hy_ir_value *value = &graph->values[i].value;
		/* Nobody writes through the pointer. */
		w->values[i] = (hy_ir_tensor){.type = value->type, .data = (void *)(uintptr_t)value->data};
	}
	for (uint32_t i = 0; given != NULL && i < graph->input_count; i++) {
		hy_ir_tensor *value = &w->values[graph->inputs[i]];
		if (!hy_ir__type_merge(&value->type, &given[i].type) || hy_ir__type_fault(&value->type) != NULL)
			return hy_error_set(error, HY_INVALID, "input '%.*s' of the body has another type",
			                    HY_IR__NAME_LIMIT, graph->values[graph->inputs[i]].value.name);
		value->data = given[i].data;
	}
	return HY_OK;
}

static void finish(walk *w)
{
	hy_ir__arena_finish(&w->arena);
	free(w->values);
	free(w->inputs);
	free(w->outputs);
	free(w->types);
}

static bool is_small(const hy_ir_type *type)
{
	return hy_ir_type_is_static(type) && hy_dtype_bits(type->dtype) > 0 &&
	       hy_ir_type_elements(type) <= SMALL_ELEMENTS;
}

/* Whether the node can be computed from what is known. Shape needs no numbers. */
static bool is_computable(const walk *w, const hy_ir_node *node)
{
	if (node->op == NULL || node->body != NULL) return false;
	for (uint32_t i = 0; i < node->output_count; i++)
		if (!is_small(&w->types[i])) return false;
	if (node->op->id == HY_IR_OP_Shape) return hy_ir_type_is_static(&w->inputs[0].type);
	for (uint32_t i = 0; i < node->input_count; i++) {
		if (node->inputs[i] == HY_IR_NONE) continue;
		if (w->inputs[i].data == NULL || !is_small(&w->inputs[i].type)) return false;
	}
	return true;
}

/* Leaves the numbers unknown where the evaluator can't give them: the evaluator itself will say why. */
static hy_status compute(walk *w, const hy_ir_node *node, hy_error *error)
{
	for (uint32_t i = 0; i < node->output_count; i++) {
		const uint64_t length_bytes = hy_ir_type_bytes(&w->types[i]);
		w->outputs[i] = (hy_ir_tensor){.type = w->types[i]};
		if (node->outputs[i] == HY_IR_NONE) continue;
		w->outputs[i].data = hy_ir__arena_alloc(&w->arena, length_bytes > 0 ? length_bytes : 1);
		if (w->outputs[i].data == NULL) return hy_ir__no_memory(error);
	}
	const hy_status status = hy_ir_eval_node(node, w->inputs, w->outputs, NULL);
	if (status == HY_NO_MEMORY) return hy_ir__no_memory(error);
	for (uint32_t i = 0; status == HY_OK && i < node->output_count; i++)
		if (node->outputs[i] != HY_IR_NONE) w->values[node->outputs[i]].data = w->outputs[i].data;
	return HY_OK;
}

static hy_status step(walk *w, const hy_ir_node *node, hy_error *error)
{
	hy_ir_node named = *node;
	if (named.name[0] == '\0' && named.output_count > 0 && named.outputs[0] != HY_IR_NONE)
		named.name = w->graph->values[named.outputs[0]].value.name;
	for (uint32_t i = 0; i < node->input_count; i++)
		w->inputs[i] = node->inputs[i] == HY_IR_NONE ? (hy_ir_tensor){.data = NULL}
		                                             : w->values[node->inputs[i]];
	const hy_status status = hy_ir_infer_node(&named, w->inputs, w->types, error);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < node->output_count; i++) {
		if (node->outputs[i] == HY_IR_NONE) continue;
		hy_ir_tensor *value = &w->values[node->outputs[i]];
		char declared[256], found[256];
		if (hy_ir__type_merge(&value->type, &w->types[i]) && hy_ir__type_fault(&value->type) == NULL) continue;
		const hy_ir__call call = {.node = &named, .error = error};
		return hy_ir__call_refuse(&call, "output '%.*s' is %s, the model declares %s", HY_IR__NAME_LIMIT,
		                          w->graph->values[node->outputs[i]].value.name,
		                          hy_ir_type_print(&w->types[i], found, sizeof(found)),
		                          hy_ir_type_print(&value->type, declared, sizeof(declared)));
	}
	return is_computable(w, node) ? compute(w, node, error) : HY_OK;
}

hy_status hy_ir__infer_region(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_graph *body = call->node->body;
	walk w;
	if (body->input_count != call->node->input_count || body->output_count != call->node->output_count)
		return hy_ir__call_refuse(call, "its body has %u inputs and %u outputs", body->input_count,
		                          body->output_count);
	hy_status status = begin(&w, body, call->in, call->error);
	for (uint32_t i = 0; status == HY_OK && i < body->node_count; i++) {
		if (body->nodes[i].dead) continue;
		if (body->nodes[i].node.body != NULL)
			status = hy_ir__call_refuse(call, "its body has a region of its own");
		else
			status = step(&w, &body->nodes[i].node, call->error);
	}
	for (uint32_t i = 0; status == HY_OK && i < body->output_count; i++)
		out[i] = w.values[body->outputs[i]].type;
	finish(&w);
	return status;
}

static void store(const walk *w, hy_ir_graph *graph)
{
	for (uint32_t i = 0; i < graph->value_count; i++)
		hy_ir__graph_set_type(graph, i, &w->values[i].type);
}

/* The types inside the body of a region, of which `inputs` are the inputs. */
static hy_status infer_body(hy_ir_graph *body, const hy_ir_tensor *inputs, hy_error *error)
{
	walk w;
	hy_status status = begin(&w, body, inputs, error);
	for (uint32_t i = 0; status == HY_OK && i < body->node_count; i++)
		if (!body->nodes[i].dead) status = step(&w, &body->nodes[i].node, error);
	if (status == HY_OK) store(&w, body);
	finish(&w);
	return status;
}

hy_status hy_ir_infer_graph(hy_ir_graph *graph, hy_error *error)
{
	walk w;
	hy_status status = begin(&w, graph, NULL, error);
	for (uint32_t i = 0; status == HY_OK && i < graph->node_count; i++) {
		if (graph->nodes[i].dead) continue;
		status = step(&w, &graph->nodes[i].node, error);
		if (status == HY_OK && graph->nodes[i].body != NULL)
			status = infer_body(graph->nodes[i].body, w.inputs, error);
	}
	if (status == HY_OK) store(&w, graph);
	finish(&w);
	return status;
}
