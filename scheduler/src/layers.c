/* A graph as layers: heights, bytes per row, and what reaches where. Constants are everywhere and cost nothing. */
#include "spatial.h"

#include <stdlib.h>

static hy_status out_of_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
}

static hy_status allocate(const hy_ir_graph *graph, hy_sched__layers *l, hy_error *error)
{
	l->node_count = hy_ir_graph_node_count(graph);
	l->value_count = hy_ir_graph_value_count(graph);
	uint32_t edges = 0, outputs = 0;
	for (uint32_t n = 0; n < l->node_count; n++) {
		edges += hy_ir_graph_node(graph, n)->input_count;
		outputs += hy_ir_graph_node(graph, n)->output_count;
	}
	l->nodes = calloc(l->node_count + 1u, sizeof(*l->nodes));
	l->edges = calloc(edges + 1u, sizeof(*l->edges));
	l->outputs = calloc(outputs + 1u, sizeof(*l->outputs));
	l->values = calloc(l->value_count + 1u, sizeof(*l->values));
	if (l->nodes && l->edges && l->outputs && l->values) return HY_OK;
	return out_of_memory(error);
}

static void add_value(const hy_ir_graph *graph, uint32_t axis, uint32_t number, hy_sched__layer_value *value)
{
	const hy_ir_value *from = hy_ir_graph_value(graph, number);
	value->producer = from->producer;
	value->height = hy_ir_strip_height(graph, number, axis);
	if (value->height < 1) value->height = 1;
	value->first_use = hy_ir_graph_node_count(graph);
	if (from->data == NULL) value->row_bytes = (double)hy_ir_type_bytes(&from->type) / (double)value->height;
}

static hy_status add_node(const hy_ir_graph *graph, uint32_t axis, uint32_t number, hy_sched__layers *l, hy_error *why,
                          hy_error *error)
{
	const hy_ir_node *node = hy_ir_graph_node(graph, number);
	hy_sched__layer_node *layer = &l->nodes[number];
	hy_error reason = {0};
	hy_ir_reach *reaches = malloc((node->input_count + 1u) * sizeof(*reaches));
	if (reaches == NULL) return out_of_memory(error);
	const hy_status status = hy_ir_strip_reach(graph, number, axis, reaches, &reason);
	layer->local = status == HY_OK;
	if (status == HY_UNSUPPORTED && why->text[0] == '\0') *why = reason;
	layer->first_edge = l->edge_count;
	layer->first_output = l->output_count;
	for (uint32_t i = 0; i < node->input_count; i++) {
		const uint32_t in = node->inputs[i];
		if (in == HY_IR_NONE || hy_ir_graph_value(graph, in)->data != NULL) continue;
		if (l->values[in].first_use > number) l->values[in].first_use = number;
		l->values[in].last_use = number;
		l->edges[l->edge_count].value = in;
		if (layer->local) l->edges[l->edge_count].reach = reaches[i];
		l->edge_count++;
	}
	for (uint32_t i = 0; i < node->output_count; i++)
		if (node->outputs[i] != HY_IR_NONE) l->outputs[l->output_count++] = node->outputs[i];
	layer->edge_count = l->edge_count - layer->first_edge;
	layer->output_count = l->output_count - layer->first_output;
	free(reaches);
	if (status == HY_OK || status == HY_UNSUPPORTED) return HY_OK;
	if (error != NULL) *error = reason;
	return status;
}

hy_status hy_sched__layers_init(const hy_ir_graph *graph, uint32_t axis, hy_sched__layers *layers, hy_error *why,
                                hy_error *error)
{
	const hy_sched__layers none = {0};
	const hy_error nothing = {0};
	*layers = none;
	*why = nothing;
	hy_status status = allocate(graph, layers, error);
	for (uint32_t v = 0; v < layers->value_count && status == HY_OK; v++)
		add_value(graph, axis, v, &layers->values[v]);
	for (uint32_t n = 0; n < layers->node_count && status == HY_OK; n++)
		status = add_node(graph, axis, n, layers, why, error);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph) && status == HY_OK; i++)
		layers->values[hy_ir_graph_outputs(graph)[i]].last_use = layers->node_count;
	if (status != HY_OK) hy_sched__layers_finish(layers);
	return status;
}

void hy_sched__layers_finish(hy_sched__layers *layers)
{
	free(layers->nodes);
	free(layers->edges);
	free(layers->outputs);
	free(layers->values);
	const hy_sched__layers none = {0};
	*layers = none;
}
