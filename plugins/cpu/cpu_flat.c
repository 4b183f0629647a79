/* The model as one list of plain nodes: bodies of regions are read in place, their values get numbers of their own. */
#include "cpu_build.h"

#include <stdlib.h>

/* Copies value numbers through a map (NULL: the same numbers) into a list that the builder owns. */
static hy_status list_create(hy_cpu_build *build, uint32_t count, const uint32_t *numbers, const uint32_t *map,
                             uint32_t **out_list, hy_error *error)
{
	const hy_status status = hy_cpu_build_grow(&build->lists, sizeof(*build->lists), build->list_count,
	                                           &build->list_room, error);
	if (status != HY_OK) return status;
	uint32_t *list = malloc((count + 1) * sizeof(*list));
	if (list == NULL) return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
	for (uint32_t i = 0; i < count; i++) {
		list[i] = numbers == NULL || numbers[i] == HY_IR_NONE ? HY_CPU_NONE : numbers[i];
		if (map != NULL && list[i] != HY_CPU_NONE) list[i] = map[list[i]];
	}
	build->lists[build->list_count++] = list;
	*out_list = list;
	return HY_OK;
}

static hy_status add_node(hy_cpu_build *build, const hy_ir_graph *graph, const hy_ir_node *ir, const uint32_t *map,
                          uint32_t row, hy_error *error)
{
	uint32_t *inputs, *outputs;
	hy_error why = {.text = "its types or version are not known"};
	const hy_reason reason = hy_cpu_node_reason(graph, ir, &why);
	if (reason == HY_REASON_MEMORY) return hy_error_set(error, HY_NO_MEMORY, "cpu: out of memory");
	if (reason != HY_REASON_NONE)
		return hy_error_set(error, HY_UNSUPPORTED, "cpu: node %s (%s): %.400s", ir->name, ir->type, why.text);
	hy_status status = hy_cpu_build_grow(&build->nodes, sizeof(*build->nodes), build->node_count, &build->node_room,
	                                     error);
	if (status == HY_OK) status = list_create(build, ir->input_count, ir->inputs, map, &inputs, error);
	if (status == HY_OK) status = list_create(build, ir->output_count, ir->outputs, map, &outputs, error);
	if (status != HY_OK) return status;
	build->nodes[build->node_count++] = (hy_cpu_node){.ir = ir,
	                                                  .op = ir->op,
	                                                  .inputs = inputs,
	                                                  .outputs = outputs,
	                                                  .row = row,
	                                                  .region = map != NULL ? row : HY_CPU_NONE};
	for (uint32_t i = 0; i < ir->input_count; i++) {
		if (inputs[i] != HY_CPU_NONE) build->values[inputs[i]].uses++;
	}
	return HY_OK;
}

/* The region's own inputs and outputs stand for those of its body. */
static hy_status add_region(hy_cpu_build *build, const hy_ir_node *ir, uint32_t row, hy_error *error)
{
	const hy_ir_graph *body = ir->body;
	const uint32_t count = hy_ir_graph_value_count(body);
	uint32_t *map = NULL;
	hy_status status = list_create(build, count, NULL, NULL, &map, error);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < ir->output_count; i++)
		map[hy_ir_graph_outputs(body)[i]] = ir->outputs[i];
	for (uint32_t i = 0; i < ir->input_count; i++)
		map[hy_ir_graph_inputs(body)[i]] = ir->inputs[i];
	for (uint32_t i = 0; i < count; i++) {
		const hy_ir_value *value = hy_ir_graph_value(body, i);
		if (map[i] != HY_CPU_NONE) continue;
		status = hy_cpu_build_value(build, &value->type, &map[i], error);
		if (status != HY_OK) return status;
		build->values[map[i]].data = value->data;
	}
	for (uint32_t i = 0; i < hy_ir_graph_node_count(body); i++) {
		status = add_node(build, body, hy_ir_graph_node(body, i), map, row, error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

hy_status hy_cpu_build_flatten(hy_cpu_build *build, hy_error *error)
{
	const hy_ir_graph *graph = build->graph;
	const uint32_t input_count = hy_ir_graph_input_count(graph), output_count = hy_ir_graph_output_count(graph);
	const uint32_t *inputs = hy_ir_graph_inputs(graph), *outputs = hy_ir_graph_outputs(graph);
	const hy_cpu_order plain = hy_cpu_order_plain();
	hy_status status = HY_OK;
	uint32_t number;
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, i);
		status = hy_cpu_build_value(build, &value->type, &number, error);
		if (status != HY_OK) return status;
		build->values[number].data = value->data;
	}
	for (uint32_t i = 0; i < input_count + output_count; i++) {
		const uint32_t value = i < input_count ? inputs[i] : outputs[i - input_count];
		hy_cpu_view *view = &build->values[value].view;
		status = hy_cpu_build_storage(build, HY_CPU_BASE_BINDING + i, hy_ir_type_bytes(&view->type), &number,
		                              error);
		if (status != HY_OK) return status;
		if (i < input_count) {
			view->storage = number;
			hy_cpu_view_dense(view, &plain);
		} else {
			build->values[value].uses++;
			if (build->values[value].binding == HY_CPU_NONE) build->values[value].binding = number;
		}
	}
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		status = node->body != NULL ? add_region(build, node, i, error)
		                            : add_node(build, graph, node, NULL, i, error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}
