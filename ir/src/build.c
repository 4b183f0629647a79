/* Building a graph: every reader, pass and program adds values and nodes here, so the rules are checked in one place. */
#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

hy_status hy_ir_build_value(hy_ir_graph *graph, const char *name, const hy_ir_type *type, uint32_t *out_value,
                            hy_error *error)
{
	if (name[0] != '\0' && hy_ir_graph_find(graph, name) == HY_IR_NONE)
		return hy_ir__graph_add_value(graph, name, type, out_value, error);
	const size_t room = strlen(name) + 16;
	char *numbered = malloc(room);
	if (numbered == NULL) return hy_ir__no_memory(error);
	/* The count is nearly always free at once, so that naming stays linear. */
	uint32_t number = graph->value_count;
	do
		snprintf(numbered, room, "%s_%u", name[0] != '\0' ? name : "v", number++);
	while (hy_ir_graph_find(graph, numbered) != HY_IR_NONE);
	hy_status status = hy_ir__graph_add_value(graph, numbered, type, out_value, error);
	free(numbered);
	return status;
}

hy_status hy_ir_build_input(hy_ir_graph *graph, const char *name, const hy_ir_type *type, const char *const *dim_names,
                            uint32_t *out_value, hy_error *error)
{
	uint32_t value;
	hy_status status = hy_ir_build_value(graph, name, type, &value, error);
	if (status == HY_OK) status = hy_ir__graph_add_input(graph, value, dim_names, error);
	if (status == HY_OK) *out_value = value;
	return status;
}

static hy_status set_copied(hy_ir_graph *graph, uint32_t value, const hy_ir_type *type, const void *data,
                            hy_error *error)
{
	const uint64_t length = hy_ir_type_bytes(type);
	void *block = malloc(length > 0 ? length : 1);
	if (block == NULL) return hy_ir__no_memory(error);
	if (length > 0) memcpy(block, data, length);
	hy_status status = hy_ir__graph_set_constant(graph, value, type, block, error);
	if (status != HY_OK) free(block);
	return status;
}

hy_status hy_ir_build_constant(hy_ir_graph *graph, const char *name, const hy_ir_type *type, const void *data,
                               uint32_t *out_value, hy_error *error)
{
	if (!hy_ir_type_is_static(type) || hy_ir__type_fault(type) != NULL || hy_dtype_bits(type->dtype) == 0)
		return hy_error_set(error, HY_INVALID, "constant '%s' needs a static shape and a numeric type", name);
	uint32_t value;
	hy_status status = hy_ir_build_value(graph, name, type, &value, error);
	if (status == HY_OK) status = set_copied(graph, value, type, data, error);
	if (status == HY_OK) *out_value = value;
	return status;
}

hy_status hy_ir_build_output(hy_ir_graph *graph, uint32_t value, hy_error *error)
{
	if (value >= graph->value_count)
		return hy_error_set(error, HY_INVALID, "graph output %u is no value of the graph", value);
	if (!hy_ir__grow(&graph->outputs, graph->output_count, &graph->output_room, sizeof(graph->outputs[0])))
		return hy_ir__no_memory(error);
	graph->outputs[graph->output_count++] = value;
	return HY_OK;
}

/* ---- nodes ---- */

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static hy_status check_values(const hy_ir_graph *graph, const hy_ir_node_options *options, hy_error *error)
{
	const char *name = or_empty(options->name), *type = or_empty(options->type);
	for (uint32_t i = 0; i < options->input_count; i++) {
		const uint32_t number = options->inputs[i];
		if (number == HY_IR_NONE) continue;
		if (number >= graph->value_count)
			return hy_error_set(error, HY_INVALID, "node '%s' (%s): input %u is no value", name, type, i);
		const hy_ir__value *value = &graph->values[number];
		if (value->value.producer == HY_IR_NONE && value->value.length_bytes == 0 &&
		    value->value.data == NULL && !value->is_input)
			return hy_error_set(error, HY_INVALID,
			                    "node '%s' (%s): input '%s' is made by nothing before it", name, type,
			                    value->value.name);
	}
	for (uint32_t i = 0; i < options->output_count; i++) {
		const uint32_t number = options->outputs[i];
		if (number == HY_IR_NONE) continue;
		if (number >= graph->value_count)
			return hy_error_set(error, HY_INVALID, "node '%s' (%s): output %u is no value", name, type, i);
		const hy_ir__value *value = &graph->values[number];
		if (value->value.producer != HY_IR_NONE || value->value.length_bytes > 0 || value->value.data != NULL ||
		    value->is_input)
			return hy_error_set(error, HY_INVALID, "node '%s' (%s): output '%s' is already made elsewhere",
			                    name, type, value->value.name);
	}
	return HY_OK;
}

static hy_status set_producers(hy_ir_graph *graph, uint32_t node, const hy_ir_node_options *options, hy_error *error)
{
	for (uint32_t i = 0; i < options->output_count; i++) {
		if (options->outputs[i] == HY_IR_NONE) continue;
		hy_ir_value *value = &graph->values[options->outputs[i]].value;
		if (value->producer == node) {
			for (uint32_t k = 0; k < i; k++)
				if (options->outputs[k] != HY_IR_NONE)
					graph->values[options->outputs[k]].value.producer = HY_IR_NONE;
			return hy_error_set(error, HY_INVALID, "node '%s' (%s): two outputs are named '%s'",
			                    or_empty(options->name), or_empty(options->type), value->name);
		}
		value->producer = node;
	}
	return HY_OK;
}

hy_status hy_ir__graph_add_node(hy_ir_graph *graph, const hy_ir_node_options *options, uint32_t flags,
                                uint32_t *out_node, hy_error *error)
{
	const char *domain = or_empty(options->domain), *type = or_empty(options->type),
		   *name = or_empty(options->name);
	hy_status status = check_values(graph, options, error);
	if (status != HY_OK) return status;
	if (options->take_body != NULL && (options->take_body->input_count != options->input_count ||
	                                   options->take_body->output_count != options->output_count))
		return hy_error_set(error, HY_INVALID, "node '%s' (%s): its body has other inputs or outputs", name,
		                    type);
	hy_ir_node node = {.version = options->version != 0 ? options->version : HY_IR_OPSET,
	                   .input_count = options->input_count,
	                   .output_count = options->output_count,
	                   .attr_count = options->attr_count,
	                   .body = options->take_body};
	hy_ir__arena *arena = &graph->arena;
	node.domain = hy_ir__arena_text(arena, domain, strlen(domain));
	node.type = hy_ir__arena_text(arena, type, strlen(type));
	node.name = hy_ir__arena_text(arena, name, strlen(name));
	node.inputs = hy_ir__arena_copy(arena, options->inputs, node.input_count * sizeof(node.inputs[0]));
	node.outputs = hy_ir__arena_copy(arena, options->outputs, node.output_count * sizeof(node.outputs[0]));
	if (node.domain == NULL || node.type == NULL || node.name == NULL || node.inputs == NULL ||
	    node.outputs == NULL ||
	    !hy_ir__grow(&graph->nodes, graph->node_count, &graph->node_room, sizeof(graph->nodes[0])))
		return hy_ir__no_memory(error);
	status = hy_ir__graph_copy_attrs(graph, options->attr_count, options->attrs, flags, &node.attrs, error);
	if (status == HY_OK) status = set_producers(graph, graph->node_count, options, error);
	if (status != HY_OK) return status;
	hy_ir__node_find_op(&node);
	graph->nodes[graph->node_count] = (hy_ir__node){.node = node, .body = options->take_body};
	if (out_node != NULL) *out_node = graph->node_count;
	graph->node_count++;
	return HY_OK;
}

hy_status hy_ir_build_node(hy_ir_graph *graph, const hy_ir_node_options *options, uint32_t *out_node, hy_error *error)
{
	return hy_ir__graph_add_node(graph, options, 0, out_node, error);
}

hy_status hy_ir_build_op(hy_ir_graph *graph, const char *type, const char *name, uint32_t input_count,
                         const uint32_t *inputs, uint32_t attr_count, const hy_ir_attr *attrs, uint32_t *out_value,
                         hy_error *error)
{
	uint32_t value;
	hy_status status = hy_ir_build_value(graph, name, NULL, &value, error);
	if (status != HY_OK) return status;
	const hy_ir_node_options options = {.type = type,
	                                    .name = name,
	                                    .input_count = input_count,
	                                    .output_count = 1,
	                                    .attr_count = attr_count,
	                                    .inputs = inputs,
	                                    .outputs = &value,
	                                    .attrs = attrs};
	status = hy_ir_build_node(graph, &options, NULL, error);
	if (status == HY_OK) *out_value = value;
	return status;
}

/* ---- specialising ---- */

static bool has_dim(const hy_ir_value *input, uint32_t axis, const char *name)
{
	return input->dim_names[axis] != NULL && strcmp(input->dim_names[axis], name) == 0;
}

hy_status hy_ir_graph_bind_dim(hy_ir_graph *graph, const char *name, int64_t dim, hy_error *error)
{
	if (dim < 0) return hy_error_set(error, HY_INVALID, "dimension '%s' can't be %lld", name, (long long)dim);
	bool found = false;
	for (uint32_t i = 0; i < graph->input_count; i++) {
		const hy_ir_value *input = &graph->values[graph->inputs[i]].value;
		hy_ir_type type = input->type;
		for (uint32_t axis = 0; axis < HY_MAX_RANK; axis++) {
			if (!has_dim(input, axis, name)) continue;
			type.dim[axis] = dim;
			found = true;
		}
		const char *fault = hy_ir__type_fault(&type);
		if (fault != NULL)
			return hy_error_set(error, HY_INVALID, "with dimension '%s' = %lld, input '%s' %s", name,
			                    (long long)dim, input->name, fault);
	}
	if (!found) return hy_error_set(error, HY_NOT_FOUND, "no graph input has a dimension named '%s'", name);
	for (uint32_t i = 0; i < graph->value_count; i++) {
		hy_ir_value *value = &graph->values[i].value;
		if (!graph->values[i].is_input && value->data == NULL && value->length_bytes == 0)
			value->type = (hy_ir_type){.dtype = value->type.dtype, .rank = HY_IR_RANK_UNKNOWN};
		for (uint32_t axis = 0; axis < HY_MAX_RANK; axis++) {
			if (!has_dim(value, axis, name)) continue;
			value->type.dim[axis] = dim;
			value->dim_names[axis] = NULL;
		}
	}
	return HY_OK;
}

hy_status hy_ir_graph_bind_input(hy_ir_graph *graph, const char *name, const hy_ir_tensor *tensor, hy_error *error)
{
	const uint32_t value = hy_ir_graph_find(graph, name);
	if (value == HY_IR_NONE || !graph->values[value].is_input)
		return hy_error_set(error, HY_NOT_FOUND, "no graph input is named '%s'", name);
	const hy_ir_type *declared = &graph->values[value].value.type;
	if (!hy_ir_type_is_static(&tensor->type) || hy_ir__type_fault(&tensor->type) != NULL ||
	    hy_dtype_bits(tensor->type.dtype) == 0 || !hy_ir__type_fits(declared, &tensor->type)) {
		char wanted[128], given[128];
		return hy_error_set(error, HY_INVALID, "input '%s' is %s and can't be bound to %s", name,
		                    hy_ir_type_print(declared, wanted, sizeof(wanted)),
		                    hy_ir_type_print(&tensor->type, given, sizeof(given)));
	}
	return set_copied(graph, value, &tensor->type, tensor->data, error);
}
