/* The graph without regions: the nodes of each body stand where the region stood, on values of one numbering. */
#include "lower.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *list_create(hy_kernels__lower *lower, uint32_t count)
{
	uint32_t *list = malloc(((size_t)count + 1) * sizeof(*list));
	if (list == NULL ||
	    !hy_kernels__grow(lower, (void **)&lower->lists, lower->list_count, &lower->list_room, sizeof(list))) {
		free(list);
		lower->failed = true;
		return NULL;
	}
	lower->lists[lower->list_count++] = list;
	return list;
}

uint32_t hy_kernels__value_create(hy_kernels__lower *lower, const hy_ir_type *type)
{
	if (!hy_kernels__grow(lower, (void **)&lower->values, lower->value_count, &lower->value_room,
	                      sizeof(*lower->values)))
		return 0;
	hy_kernels__value *value = &lower->values[lower->value_count];
	*value = (hy_kernels__value){.type = *type, .home = HY_IR_NONE, .joined = HY_IR_NONE};
	for (uint32_t i = 0; i < FORM_COUNT; i++)
		value->places[i].storage = HY_IR_NONE;
	return lower->value_count++;
}

/* Numbers the values of a graph; those of inputs and outputs are given for a body. */
static uint32_t *number_values(hy_kernels__lower *lower, const hy_ir_graph *graph, const uint32_t *inputs,
                               const uint32_t *outputs)
{
	const uint32_t count = hy_ir_graph_value_count(graph);
	uint32_t *map = list_create(lower, count);
	if (map == NULL) return NULL;
	memset(map, 0xff, count * sizeof(*map));
	if (inputs != NULL)
		for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++)
			map[hy_ir_graph_inputs(graph)[i]] = inputs[i];
	if (outputs != NULL)
		for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
			if (outputs[i] != HY_IR_NONE && map[hy_ir_graph_outputs(graph)[i]] == HY_IR_NONE)
				map[hy_ir_graph_outputs(graph)[i]] = outputs[i];
	for (uint32_t i = 0; i < count; i++) {
		if (map[i] != HY_IR_NONE) continue;
		const hy_ir_value *from = hy_ir_graph_value(graph, i);
		map[i] = hy_kernels__value_create(lower, &from->type);
		if (lower->failed) return NULL;
		hy_kernels__value *value = &lower->values[map[i]];
		value->data = from->data;
		value->constant = from->producer == HY_IR_NONE;
	}
	return map;
}

static const uint32_t *translate(hy_kernels__lower *lower, const uint32_t *map, const uint32_t *from, uint32_t count)
{
	uint32_t *list = list_create(lower, count);
	if (list == NULL) return NULL;
	for (uint32_t i = 0; i < count; i++)
		list[i] = from[i] == HY_IR_NONE ? HY_IR_NONE : map[from[i]];
	return list;
}

static void add_node(hy_kernels__lower *lower, const hy_ir_node *ir, const uint32_t *map, uint32_t row)
{
	hy_kernels__node node = {.ir = ir, .op = ir->op, .row = row};
	node.input_count = ir->input_count;
	node.output_count = ir->output_count;
	node.inputs = translate(lower, map, ir->inputs, ir->input_count);
	node.outputs = translate(lower, map, ir->outputs, ir->output_count);
	if (lower->failed || !hy_kernels__grow(lower, (void **)&lower->nodes, lower->node_count, &lower->node_room,
	                                       sizeof(*lower->nodes)))
		return;
	for (uint32_t i = 0; i < node.input_count; i++)
		if (node.inputs[i] != HY_IR_NONE) lower->values[node.inputs[i]].uses++;
	lower->nodes[lower->node_count++] = node;
}

static void add_group(hy_kernels__lower *lower, uint32_t first)
{
	if (lower->failed || !hy_kernels__grow(lower, (void **)&lower->groups, lower->group_count, &lower->group_room,
	                                       sizeof(*lower->groups)))
		return;
	lower->groups[lower->group_count++] = (hy_kernels__group){first, lower->node_count - first};
}

static void add_region(hy_kernels__lower *lower, const hy_ir_node *region, const uint32_t *map, uint32_t row)
{
	const uint32_t *inputs = translate(lower, map, region->inputs, region->input_count);
	const uint32_t *outputs = translate(lower, map, region->outputs, region->output_count);
	if (lower->failed) return;
	const uint32_t *inner = number_values(lower, region->body, inputs, outputs);
	if (inner == NULL) return;
	for (uint32_t i = 0; i < hy_ir_graph_node_count(region->body) && !lower->failed; i++)
		add_node(lower, hy_ir_graph_node(region->body, i), inner, row);
}

static bool region_is_flat(const hy_ir_node *region)
{
	const hy_ir_graph *body = region->body;
	for (uint32_t i = 0; i < hy_ir_graph_output_count(body); i++) {
		const uint32_t value = hy_ir_graph_outputs(body)[i];
		if (hy_ir_graph_value(body, value)->producer == HY_IR_NONE) return false;
		for (uint32_t k = 0; k < i; k++)
			if (hy_ir_graph_outputs(body)[k] == value) return false;
	}
	for (uint32_t i = 0; i < hy_ir_graph_node_count(body); i++)
		if (hy_ir_graph_node(body, i)->body != NULL) return false;
	return true;
}

static void bind_input(hy_kernels__lower *lower, uint32_t value, uint32_t binding)
{
	if (!hy_kernels__grow(lower, (void **)&lower->storages, lower->storage_count, &lower->storage_room,
	                      sizeof(*lower->storages)))
		return;
	lower->storages[lower->storage_count] = (hy_kernels__storage){
		.kind = HY_KERNELS_BINDING, .index = binding, .first = UINT32_MAX};
	lower->values[value].constant = false;
	lower->values[value].places[FORM_PLAIN] = (hy_kernels__place){.storage = lower->storage_count++};
}

static void bind_outputs(hy_kernels__lower *lower, const uint32_t *map, const uint32_t *outputs, uint32_t count)
{
	lower->outputs = translate(lower, map, outputs, count);
	lower->output_count = count;
	for (uint32_t i = 0; i < count && !lower->failed; i++) {
		if (outputs[i] == HY_IR_NONE) continue;
		hy_kernels__value *value = &lower->values[map[outputs[i]]];
		if (!value->is_output) value->home = i;
		value->is_output = true;
	}
}

/* The whole graph's ends, or those of one node. */
static void bind_ends(hy_kernels__lower *lower, const uint32_t *map, const hy_ir_node *only)
{
	const hy_ir_graph *graph = lower->graph;
	if (only == NULL) {
		lower->input_count = hy_ir_graph_input_count(graph);
		for (uint32_t i = 0; i < lower->input_count; i++)
			bind_input(lower, map[hy_ir_graph_inputs(graph)[i]], i);
		bind_outputs(lower, map, hy_ir_graph_outputs(graph), hy_ir_graph_output_count(graph));
		return;
	}
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++)
		lower->values[map[hy_ir_graph_inputs(graph)[i]]].constant = false;
	for (uint32_t i = 0; i < only->input_count; i++) {
		if (only->inputs[i] == HY_IR_NONE) continue;
		const uint32_t value = map[only->inputs[i]];
		if (lower->values[value].constant || lower->values[value].places[FORM_PLAIN].storage != HY_IR_NONE)
			continue;
		bind_input(lower, value, lower->input_count++);
	}
	bind_outputs(lower, map, only->outputs, only->output_count);
}

hy_status hy_kernels__flatten(hy_kernels__lower *lower, uint32_t only)
{
	const hy_ir_graph *graph = lower->graph;
	const uint32_t *map = number_values(lower, graph, NULL, NULL);
	if (map == NULL) return HY_NO_MEMORY;
	bind_ends(lower, map, only == HY_IR_NONE ? NULL : hy_ir_graph_node(graph, only));
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph) && !lower->failed; i++) {
		if (only != HY_IR_NONE && only != i) continue;
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		const uint32_t first = lower->node_count;
		if (node->body != NULL && !region_is_flat(node)) {
			lower->reason = HY_REASON_REGION;
			return hy_error_set(lower->error, HY_UNSUPPORTED,
			                    "region '%s': it hands an input through or nests; un-fuse it", node->name);
		}
		if (node->body != NULL)
			add_region(lower, node, map, i);
		else
			add_node(lower, node, map, i);
		add_group(lower, first);
	}
	return lower->failed ? HY_NO_MEMORY : HY_OK;
}

const hy_ir_type *hy_kernels__type(const hy_kernels__lower *lower, uint32_t value)
{
	return &lower->values[value].type;
}

bool hy_kernels__has_input(const hy_kernels__node *node, uint32_t input)
{
	return input < node->input_count && node->inputs[input] != HY_IR_NONE;
}

bool hy_kernels__wants_output(const hy_kernels__node *node, uint32_t output)
{
	return output < node->output_count && node->outputs[output] != HY_IR_NONE;
}

const void *hy_kernels__data(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input)
{
	return hy_kernels__has_input(node, input) ? lower->values[node->inputs[input]].data : NULL;
}

int64_t hy_kernels__integer(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input, uint32_t i)
{
	const hy_kernels__value *value = &lower->values[node->inputs[input]];
	if (value->type.dtype == HY_DTYPE_I32) {
		int32_t number;
		memcpy(&number, (const char *)value->data + i * sizeof(number), sizeof(number));
		return number;
	}
	int64_t number;
	memcpy(&number, (const char *)value->data + i * sizeof(number), sizeof(number));
	return number;
}
