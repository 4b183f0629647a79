/* Changing a graph: what passes and readers do to values, nodes and lists. */
#include "graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

void hy_ir__graph_set_type(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type)
{
	assert(value < graph->value_count && hy_ir__type_fault(type) == NULL);
	hy_ir_type *target = &graph->values[value].value.type;
	*target = (hy_ir_type){.dtype = type->dtype, .rank = type->rank};
	if (type->rank != HY_IR_RANK_UNKNOWN) memcpy(target->dim, type->dim, type->rank * sizeof(type->dim[0]));
}

static void remove_input(hy_ir_graph *graph, uint32_t value)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] != value) graph->inputs[kept++] = graph->inputs[i];
	graph->input_count = kept;
	graph->values[value].is_input = false;
	memset(graph->values[value].value.dim_names, 0, sizeof(graph->values[value].value.dim_names));
}

static void drop_producer(hy_ir_graph *graph, uint32_t value)
{
	const uint32_t producer = graph->values[value].value.producer;
	if (producer == HY_IR_NONE) return;
	const hy_ir_node *node = &graph->nodes[producer].node;
	for (uint32_t i = 0; i < node->output_count; i++)
		if (node->outputs[i] == value) ((uint32_t *)node->outputs)[i] = HY_IR_NONE;
	graph->values[value].value.producer = HY_IR_NONE;
}

void hy_ir__graph_set_constant_in(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type, const void *data,
                                  hy_ir__memory *memory)
{
	assert(hy_ir_type_is_static(type) && data != NULL);
	hy_ir__value *target = &graph->values[value];
	hy_ir__memory *old = target->memory;
	drop_producer(graph, value);
	if (target->is_input) remove_input(graph, value);
	hy_ir__graph_set_type(graph, value, type);
	target->value.data = data;
	target->value.length_bytes = hy_ir_type_bytes(type);
	target->memory = hy_ir__memory_retain(memory);
	hy_ir__memory_release(old);
}

hy_status hy_ir__graph_set_constant(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type, void *take_block,
                                    hy_error *error)
{
	hy_ir__memory *memory = hy_ir__memory_own(take_block, hy_ir_type_bytes(type));
	if (memory == NULL) return hy_ir__no_memory(error);
	hy_ir__graph_set_constant_in(graph, value, type, take_block, memory);
	hy_ir__memory_release(memory);
	return HY_OK;
}

void hy_ir__graph_set_constant_as(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type, const hy_ir_graph *from,
                                  uint32_t source)
{
	const hy_ir__value *constant = &from->values[source];
	hy_ir__graph_set_constant_in(graph, value, type, constant->value.data, constant->memory);
}

hy_status hy_ir__graph_set_constant_attr(hy_ir_graph *graph, uint32_t value, const hy_ir_tensor *tensor,
                                         hy_error *error)
{
	for (uint32_t i = 0; i < graph->held_count; i++) {
		if (!hy_ir__memory_contains(graph->held[i], tensor->data)) continue;
		hy_ir__graph_set_constant_in(graph, value, &tensor->type, tensor->data, graph->held[i]);
		return HY_OK;
	}
	const uint64_t length = hy_ir_type_bytes(&tensor->type);
	void *block = malloc(length > 0 ? length : 1);
	if (block == NULL) return hy_ir__no_memory(error);
	if (length > 0) memcpy(block, tensor->data, length);
	hy_status status = hy_ir__graph_set_constant(graph, value, &tensor->type, block, error);
	if (status != HY_OK) free(block);
	return status;
}

/* ---- uses ---- */

void hy_ir__graph_replace_uses(hy_ir_graph *graph, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const hy_ir_node *node = &graph->nodes[i].node;
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] == from) ((uint32_t *)node->inputs)[k] = to;
	}
	for (uint32_t i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == from) graph->outputs[i] = to;
}

void hy_ir__graph_map_uses(hy_ir_graph *graph, const uint32_t *map)
{
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const hy_ir_node *node = &graph->nodes[i].node;
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] != HY_IR_NONE) ((uint32_t *)node->inputs)[k] = map[node->inputs[k]];
	}
	for (uint32_t i = 0; i < graph->output_count; i++)
		graph->outputs[i] = map[graph->outputs[i]];
}

void hy_ir__graph_count_uses(const hy_ir_graph *graph, uint32_t *out_counts)
{
	memset(out_counts, 0, graph->value_count * sizeof(out_counts[0]));
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const hy_ir_node *node = &graph->nodes[i].node;
		for (uint32_t k = 0; !graph->nodes[i].dead && k < node->input_count; k++)
			if (node->inputs[k] != HY_IR_NONE) out_counts[node->inputs[k]]++;
	}
	for (uint32_t i = 0; i < graph->output_count; i++)
		out_counts[graph->outputs[i]]++;
}

/* ---- nodes ---- */

hy_status hy_ir__graph_set_op(hy_ir_graph *graph, uint32_t node, const char *domain, const char *type, uint32_t version,
                              hy_error *error)
{
	hy_ir_node *target = &graph->nodes[node].node;
	const char *own_domain = hy_ir__arena_text(&graph->arena, domain, strlen(domain));
	const char *own_type = hy_ir__arena_text(&graph->arena, type, strlen(type));
	if (own_domain == NULL || own_type == NULL) return hy_ir__no_memory(error);
	target->domain = own_domain;
	target->type = own_type;
	target->version = version;
	hy_ir__node_find_op(target);
	return HY_OK;
}

void hy_ir__graph_set_version(hy_ir_graph *graph, uint32_t node, uint32_t version)
{
	graph->nodes[node].node.version = version;
}

hy_status hy_ir__graph_set_inputs(hy_ir_graph *graph, uint32_t node, uint32_t count, const uint32_t *inputs,
                                  hy_error *error)
{
	uint32_t *own = hy_ir__arena_copy(&graph->arena, inputs, count * sizeof(own[0]));
	if (own == NULL) return hy_ir__no_memory(error);
	graph->nodes[node].node.inputs = own;
	graph->nodes[node].node.input_count = count;
	return HY_OK;
}

hy_status hy_ir__graph_set_outputs(hy_ir_graph *graph, uint32_t node, uint32_t count, const uint32_t *outputs,
                                   hy_error *error)
{
	hy_ir_node *target = &graph->nodes[node].node;
	uint32_t *own = hy_ir__arena_copy(&graph->arena, outputs, count * sizeof(own[0]));
	if (own == NULL) return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < target->output_count; i++)
		if (target->outputs[i] != HY_IR_NONE) graph->values[target->outputs[i]].value.producer = HY_IR_NONE;
	for (uint32_t i = 0; i < count; i++) {
		if (own[i] == HY_IR_NONE) continue;
		hy_ir__value *value = &graph->values[own[i]];
		assert(value->value.producer == HY_IR_NONE && value->value.data == NULL && !value->is_input);
		value->value.producer = node;
	}
	target->outputs = own;
	target->output_count = count;
	return HY_OK;
}

hy_status hy_ir__graph_set_attrs(hy_ir_graph *graph, uint32_t node, uint32_t count, const hy_ir_attr *attrs,
                                 hy_error *error)
{
	hy_ir_node *target = &graph->nodes[node].node;
	const hy_ir_attr *own;
	hy_status status = hy_ir__graph_copy_attrs(graph, count, attrs, 0, &own, error);
	if (status != HY_OK) return status;
	target->attrs = own;
	target->attr_count = count;
	hy_ir__node_find_op(target);
	return HY_OK;
}

/* ---- lists ---- */

void hy_ir__graph_kill(hy_ir_graph *graph, uint32_t node)
{
	hy_ir__node *target = &graph->nodes[node];
	target->dead = true;
	for (uint32_t i = 0; i < target->node.output_count; i++) {
		const uint32_t output = target->node.outputs[i];
		if (output != HY_IR_NONE && graph->values[output].value.producer == node)
			graph->values[output].value.producer = HY_IR_NONE;
	}
}

bool hy_ir__graph_is_dead(const hy_ir_graph *graph, uint32_t node)
{
	return graph->nodes[node].dead;
}

void hy_ir__graph_renumber_producers(hy_ir_graph *graph)
{
	for (uint32_t i = 0; i < graph->node_count; i++) {
		const hy_ir_node *node = &graph->nodes[i].node;
		for (uint32_t k = 0; !graph->nodes[i].dead && k < node->output_count; k++)
			if (node->outputs[k] != HY_IR_NONE) graph->values[node->outputs[k]].value.producer = i;
	}
}

hy_status hy_ir__graph_order(hy_ir_graph *graph, uint32_t count, const uint32_t *order, hy_error *error)
{
	hy_ir__node *nodes = malloc((count + 1u) * sizeof(nodes[0]));
	bool *listed = calloc(graph->node_count + 1u, sizeof(listed[0]));
	if (nodes == NULL || listed == NULL) {
		free(nodes);
		free(listed);
		return hy_ir__no_memory(error);
	}
	for (uint32_t i = 0; i < count; i++) {
		assert(order[i] < graph->node_count && !listed[order[i]]);
		listed[order[i]] = true;
		nodes[i] = graph->nodes[order[i]];
	}
	for (uint32_t i = 0; i < graph->node_count; i++) {
		if (listed[i]) continue;
		hy_ir__graph_kill(graph, i);
		hy_ir_graph_destroy(graph->nodes[i].body);
	}
	free(graph->nodes);
	graph->nodes = nodes;
	graph->node_count = count;
	graph->node_room = count + 1u;
	hy_ir__graph_renumber_producers(graph);
	free(listed);
	return HY_OK;
}

hy_status hy_ir__graph_set_graph_outputs(hy_ir_graph *graph, uint32_t count, const uint32_t *values, hy_error *error)
{
	uint32_t *own = malloc((count + 1u) * sizeof(own[0]));
	if (own == NULL) return hy_ir__no_memory(error);
	if (count > 0) memcpy(own, values, count * sizeof(own[0]));
	free(graph->outputs);
	graph->outputs = own;
	graph->output_count = count;
	graph->output_room = count + 1u;
	return HY_OK;
}
