/* Puts the nodes of every region back in its place.
 * needs: order. breaks: node numbers. keeps: value numbers, names of graph inputs and outputs. */
#include "pass_rewrite.h"

#include <halyard/ir/pass.h>

#include <stdlib.h>
#include <string.h>

/* The graph's value for each value of the body: the region's own inputs and outputs, copies of constants, new ones. */
static void map_values(hy_ir__rewrite *rewrite, const hy_ir_node *region, uint32_t *map)
{
	const hy_ir_graph *body = region->body;
	for (uint32_t i = 0; i < hy_ir_graph_value_count(body); i++)
		map[i] = HY_IR_NONE;
	for (uint32_t i = 0; i < region->input_count; i++)
		map[hy_ir_graph_inputs(body)[i]] = region->inputs[i];
	for (uint32_t i = 0; i < region->output_count; i++)
		map[hy_ir_graph_outputs(body)[i]] = region->outputs[i];
	for (uint32_t i = 0; i < hy_ir_graph_value_count(body) && rewrite->status == HY_OK; i++) {
		if (map[i] != HY_IR_NONE) continue;
		const hy_ir_value *value = hy_ir_graph_value(body, i);
		const hy_status status = hy_ir_build_value(rewrite->graph, value->name, &value->type, &map[i],
		                                           rewrite->error);
		if (hy_ir__rewrite_check(rewrite, status) && value->data != NULL)
			hy_ir__graph_set_constant_as(rewrite->graph, map[i], &value->type, body, i);
	}
}

static void copy_node(hy_ir__rewrite *rewrite, const hy_ir_node *node, const uint32_t *map)
{
	const uint32_t count = node->input_count + node->output_count;
	uint32_t *values = malloc((count + 1u) * sizeof(values[0]));
	if (values == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t value = i < node->input_count ? node->inputs[i] : node->outputs[i - node->input_count];
		values[i] = value != HY_IR_NONE ? map[value] : HY_IR_NONE;
	}
	const hy_ir_node_options options = {.domain = node->domain,
	                                    .type = node->type,
	                                    .name = node->name,
	                                    .version = node->version,
	                                    .input_count = node->input_count,
	                                    .inputs = values,
	                                    .output_count = node->output_count,
	                                    .outputs = values + node->input_count,
	                                    .attr_count = node->attr_count,
	                                    .attrs = node->attrs};
	uint32_t number;
	if (hy_ir__rewrite_check(rewrite, hy_ir_build_node(rewrite->graph, &options, &number, rewrite->error)))
		hy_ir__rewrite_keep(rewrite, number);
	free(values);
}

static void unfuse(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node region = *hy_ir_graph_node(rewrite->graph, number);
	uint32_t *map = malloc((hy_ir_graph_value_count(region.body) + 1u) * sizeof(map[0]));
	if (map == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		return;
	}
	hy_ir__graph_kill(rewrite->graph, number);
	map_values(rewrite, &region, map);
	for (uint32_t i = 0; i < hy_ir_graph_node_count(region.body) && rewrite->status == HY_OK; i++)
		copy_node(rewrite, hy_ir_graph_node(region.body, i), map);
	rewrite->changed = true;
	free(map);
}

/* chosen NULL: all regions. */
static hy_status unfuse_chosen(hy_ir_graph *graph, const bool *chosen, bool *out_changed, hy_error *error)
{
	hy_ir__rewrite rewrite;
	hy_ir__rewrite_init(&rewrite, graph, error);
	const uint32_t count = hy_ir_graph_node_count(graph);
	for (uint32_t i = 0; i < count && rewrite.status == HY_OK; i++) {
		if (hy_ir_graph_node(graph, i)->body == NULL || (chosen != NULL && !chosen[i]))
			hy_ir__rewrite_keep(&rewrite, i);
		else
			unfuse(&rewrite, i);
	}
	return hy_ir__rewrite_finish(&rewrite, out_changed);
}

hy_status hy_ir_pass_unfuse(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	return unfuse_chosen(graph, NULL, out_changed, error);
}

hy_status hy_ir_graph_unfuse(hy_ir_graph *graph, const bool *chosen, bool *out_changed, hy_error *error)
{
	return unfuse_chosen(graph, chosen, out_changed, error);
}
