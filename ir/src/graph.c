/* The graph object: its life, its lists and its name table. */
#include "graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool hy_ir__grow(void *items, uint32_t count, uint32_t *room, size_t size)
{
	if (count < *room) return true;
	if (*room > UINT32_MAX / 4) return false;
	const uint32_t wanted = *room == 0 ? 8 : *room * 2;
	void *old;
	memcpy(&old, items, sizeof(old));
	void *larger = realloc(old, wanted * size);
	if (larger == NULL) return false;
	memcpy(items, &larger, sizeof(larger));
	*room = wanted;
	return true;
}

/* ---- names: FNV-1a, seeded by address so that a hostile file can't choose its collisions ---- */

static uint32_t *name_place(const hy_ir_graph *graph, const char *name)
{
	uint64_t hash = graph->name_seed;
	for (const char *at = name; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
	hash ^= hash >> 29;
	uint32_t place = (uint32_t)hash & (graph->name_room - 1);
	while (graph->names[place] != 0 && strcmp(graph->values[graph->names[place] - 1].value.name, name) != 0)
		place = (place + 1) & (graph->name_room - 1);
	return &graph->names[place];
}

static void rename_all(hy_ir_graph *graph)
{
	memset(graph->names, 0, graph->name_room * sizeof(graph->names[0]));
	for (uint32_t i = 0; i < graph->value_count; i++)
		*name_place(graph, graph->values[i].value.name) = i + 1;
}

static bool grow_names(hy_ir_graph *graph)
{
	if (graph->value_count + 1 <= graph->name_room / 2) return true;
	const uint32_t room = graph->name_room == 0 ? 32 : graph->name_room * 2;
	uint32_t *names = malloc(room * sizeof(names[0]));
	if (names == NULL) return false;
	free(graph->names);
	graph->names = names;
	graph->name_room = room;
	rename_all(graph);
	return true;
}

uint32_t hy_ir_graph_find(const hy_ir_graph *graph, const char *name)
{
	if (graph->name_room == 0) return HY_IR_NONE;
	return *name_place(graph, name) - 1; /* 0 - 1 is HY_IR_NONE */
}

void hy_ir__graph_swap_names(hy_ir_graph *graph, uint32_t a, uint32_t b)
{
	hy_ir_value *first = &graph->values[a].value, *second = &graph->values[b].value;
	uint32_t *first_place = name_place(graph, first->name), *second_place = name_place(graph, second->name);
	*first_place = b + 1;
	*second_place = a + 1;
	const char *name = first->name;
	first->name = second->name;
	second->name = name;
}

/* ---- life ---- */

hy_status hy_ir_graph_create(const char *name, hy_ir_graph **out_graph, hy_error *error)
{
	hy_ir_graph *graph = calloc(1, sizeof(*graph));
	if (graph == NULL) return hy_ir__no_memory(error);
	graph->name = hy_ir__arena_text(&graph->arena, name, strlen(name));
	graph->name_seed = 0xcbf29ce484222325u ^ (uint64_t)(uintptr_t)graph * 0x9e3779b97f4a7c15u;
	if (graph->name == NULL) {
		hy_ir_graph_destroy(graph);
		return hy_ir__no_memory(error);
	}
	*out_graph = graph;
	return HY_OK;
}

void hy_ir_graph_destroy(hy_ir_graph *graph)
{
	if (graph == NULL) return;
	for (uint32_t i = 0; i < graph->value_count; i++)
		hy_ir__memory_release(graph->values[i].memory);
	for (uint32_t i = 0; i < graph->node_count; i++)
		hy_ir_graph_destroy(graph->nodes[i].body);
	for (uint32_t i = 0; i < graph->held_count; i++)
		hy_ir__memory_release(graph->held[i]);
	hy_ir__arena_finish(&graph->arena);
	free(graph->values);
	free(graph->nodes);
	free(graph->inputs);
	free(graph->outputs);
	free(graph->names);
	free(graph->held);
	free(graph);
}

static hy_status clone_values(const hy_ir_graph *graph, hy_ir_graph *copy, hy_error *error)
{
	for (uint32_t i = 0; i < graph->value_count; i++) {
		const hy_ir_value *value = &graph->values[i].value;
		uint32_t number;
		hy_status status = hy_ir__graph_add_value(copy, value->name, &value->type, &number, error);
		if (status != HY_OK) return status;
		if (value->data != NULL) hy_ir__graph_set_constant_as(copy, number, &value->type, graph, i);
		copy->values[number].value.length_bytes = value->length_bytes;
	}
	for (uint32_t i = 0; i < graph->input_count; i++) {
		const uint32_t number = graph->inputs[i];
		hy_status status = hy_ir__graph_add_input(copy, number, graph->values[number].value.dim_names, error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

static hy_status clone_nodes(const hy_ir_graph *graph, hy_ir_graph *copy, hy_error *error)
{
	for (uint32_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].dead) continue;
		const hy_ir_node *node = &graph->nodes[i].node;
		hy_ir_graph *body = NULL;
		hy_status status = node->body != NULL ? hy_ir_graph_clone(node->body, &body, error) : HY_OK;
		if (status != HY_OK) return status;
		const hy_ir_node_options options = {.domain = node->domain,
		                                    .type = node->type,
		                                    .name = node->name,
		                                    .version = node->version,
		                                    .input_count = node->input_count,
		                                    .output_count = node->output_count,
		                                    .attr_count = node->attr_count,
		                                    .inputs = node->inputs,
		                                    .outputs = node->outputs,
		                                    .attrs = node->attrs,
		                                    .take_body = body};
		status = hy_ir__graph_add_node(copy, &options, 0, NULL, error);
		if (status != HY_OK) {
			hy_ir_graph_destroy(body);
			return status;
		}
	}
	return HY_OK;
}

hy_status hy_ir_graph_clone(const hy_ir_graph *graph, hy_ir_graph **out_graph, hy_error *error)
{
	hy_ir_graph *copy = NULL;
	hy_status status = hy_ir_graph_create(graph->name, &copy, error);
	for (uint32_t i = 0; status == HY_OK && i < graph->held_count; i++)
		status = hy_ir__graph_hold(copy, graph->held[i], error);
	if (status == HY_OK) status = clone_values(graph, copy, error);
	if (status == HY_OK) status = clone_nodes(graph, copy, error);
	for (uint32_t i = 0; status == HY_OK && i < graph->output_count; i++)
		status = hy_ir_build_output(copy, graph->outputs[i], error);
	if (status != HY_OK) {
		hy_ir_graph_destroy(copy);
		return status;
	}
	*out_graph = copy;
	return HY_OK;
}

hy_status hy_ir__graph_hold(hy_ir_graph *graph, hy_ir__memory *memory, hy_error *error)
{
	for (uint32_t i = 0; i < graph->held_count; i++)
		if (graph->held[i] == memory) return HY_OK;
	if (!hy_ir__grow(&graph->held, graph->held_count, &graph->held_room, sizeof(graph->held[0])))
		return hy_ir__no_memory(error);
	graph->held[graph->held_count++] = hy_ir__memory_retain(memory);
	return HY_OK;
}

/* ---- reading ---- */

const char *hy_ir_graph_name(const hy_ir_graph *graph)
{
	return graph->name;
}

uint32_t hy_ir_graph_value_count(const hy_ir_graph *graph)
{
	return graph->value_count;
}

uint32_t hy_ir_graph_node_count(const hy_ir_graph *graph)
{
	return graph->node_count;
}

const hy_ir_value *hy_ir_graph_value(const hy_ir_graph *graph, uint32_t value)
{
	assert(value < graph->value_count);
	return &graph->values[value].value;
}

const hy_ir_node *hy_ir_graph_node(const hy_ir_graph *graph, uint32_t node)
{
	assert(node < graph->node_count);
	return &graph->nodes[node].node;
}

uint32_t hy_ir_graph_input_count(const hy_ir_graph *graph)
{
	return graph->input_count;
}

uint32_t hy_ir_graph_output_count(const hy_ir_graph *graph)
{
	return graph->output_count;
}

const uint32_t *hy_ir_graph_inputs(const hy_ir_graph *graph)
{
	return graph->inputs;
}

const uint32_t *hy_ir_graph_outputs(const hy_ir_graph *graph)
{
	return graph->outputs;
}

/* ---- adding values ---- */

hy_status hy_ir__graph_add_value(hy_ir_graph *graph, const char *name, const hy_ir_type *type, uint32_t *out_value,
                                 hy_error *error)
{
	static const hy_ir_type unknown = {.rank = HY_IR_RANK_UNKNOWN};
	const char *fault = type != NULL ? hy_ir__type_fault(type) : NULL;
	if (fault != NULL) return hy_error_set(error, HY_INVALID, "value '%s' %s", name, fault);
	if (name[0] == '\0') return hy_error_set(error, HY_INVALID, "a value has no name");
	if (!grow_names(graph)) return hy_ir__no_memory(error);
	uint32_t *place = name_place(graph, name);
	if (*place != 0) return hy_error_set(error, HY_INVALID, "two values are named '%s'", name);
	const char *copy = hy_ir__arena_text(&graph->arena, name, strlen(name));
	if (copy == NULL ||
	    !hy_ir__grow(&graph->values, graph->value_count, &graph->value_room, sizeof(graph->values[0])))
		return hy_ir__no_memory(error);
	const uint32_t number = graph->value_count++;
	graph->values[number] = (hy_ir__value){.value = {.name = copy, .type = unknown, .producer = HY_IR_NONE}};
	if (type != NULL) hy_ir__graph_set_type(graph, number, type);
	*place = number + 1;
	*out_value = number;
	return HY_OK;
}

hy_status hy_ir__graph_add_input(hy_ir_graph *graph, uint32_t value, const char *const *dim_names, hy_error *error)
{
	hy_ir__value *input = &graph->values[value];
	if (!hy_ir__grow(&graph->inputs, graph->input_count, &graph->input_room, sizeof(graph->inputs[0])))
		return hy_ir__no_memory(error);
	for (uint32_t i = 0; dim_names != NULL && i < HY_MAX_RANK; i++) {
		if (dim_names[i] == NULL) continue;
		input->value.dim_names[i] = hy_ir__arena_text(&graph->arena, dim_names[i], strlen(dim_names[i]));
		if (input->value.dim_names[i] == NULL) return hy_ir__no_memory(error);
	}
	input->is_input = true;
	graph->inputs[graph->input_count++] = value;
	return HY_OK;
}

/* ---- compacting: here because it rebuilds the name table ---- */

static void move_values(hy_ir_graph *graph, uint32_t *numbers)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < graph->value_count; i++) {
		const hy_ir__value *value = &graph->values[i];
		if (numbers[i] == 0 && !value->is_input && value->value.producer == HY_IR_NONE) {
			hy_ir__memory_release(value->memory);
			numbers[i] = HY_IR_NONE;
			continue;
		}
		graph->values[kept] = *value;
		numbers[i] = kept++;
	}
	graph->value_count = kept;
	if (graph->name_room > 0) rename_all(graph);
}

static void renumber(const uint32_t *numbers, uint32_t count, const uint32_t *values)
{
	uint32_t *own = (uint32_t *)values; /* lies in the graph's own arena */
	for (uint32_t i = 0; i < count; i++)
		if (own[i] != HY_IR_NONE) own[i] = numbers[own[i]];
}

hy_status hy_ir__graph_compact(hy_ir_graph *graph, hy_error *error)
{
	uint32_t *numbers = calloc(graph->value_count + 1u, sizeof(numbers[0]));
	if (numbers == NULL) return hy_ir__no_memory(error);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].dead)
			hy_ir_graph_destroy(graph->nodes[i].body);
		else
			graph->nodes[kept++] = graph->nodes[i];
	}
	graph->node_count = kept;
	hy_ir__graph_count_uses(graph, numbers);
	move_values(graph, numbers);
	for (uint32_t i = 0; i < kept; i++) {
		const hy_ir_node *node = &graph->nodes[i].node;
		renumber(numbers, node->input_count, node->inputs);
		renumber(numbers, node->output_count, node->outputs);
	}
	renumber(numbers, graph->input_count, graph->inputs);
	renumber(numbers, graph->output_count, graph->outputs);
	hy_ir__graph_renumber_producers(graph);
	free(numbers);
	return HY_OK;
}
