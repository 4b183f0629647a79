/* Builds the Region node of a group: a body of the same nodes, whose inputs are what the group reads from outside.
 * Constants that shape the computation rather than feed it (one element, or a few integers) move into the body;
 * weights stay inputs, so that a blob gives them slots. */
#include "pass_fuse.h"

#include <stdlib.h>
#include <string.h>

typedef struct region_builder {
	hy_ir_graph *graph, *body;
	hy_error *error;
	uint32_t count, room;
	uint32_t *outer, *inner; /* the same value in graph and body */
	uint32_t input_count, input_room;
	uint32_t *inputs; /* outer values that become the region's inputs */
} region_builder;

static uint32_t find(const region_builder *builder, uint32_t outer)
{
	for (uint32_t i = 0; i < builder->count; i++)
		if (builder->outer[i] == outer) return builder->inner[i];
	return HY_IR_NONE;
}

static hy_status pair(region_builder *builder, uint32_t outer, uint32_t inner)
{
	uint32_t room = builder->room;
	if (!hy_ir__grow(&builder->outer, builder->count, &room, sizeof(builder->outer[0])) ||
	    !hy_ir__grow(&builder->inner, builder->count, &builder->room, sizeof(builder->inner[0])))
		return hy_ir__no_memory(builder->error);
	builder->outer[builder->count] = outer;
	builder->inner[builder->count++] = inner;
	return HY_OK;
}

static bool moves_inside(const hy_ir_value *value)
{
	if (value->data == NULL) return false;
	const bool is_integer = value->type.dtype == HY_DTYPE_I64 || value->type.dtype == HY_DTYPE_I32;
	return hy_ir_type_elements(&value->type) == 1 || (is_integer && value->length_bytes <= HY_GRAPH_INLINE_BYTES);
}

/* Makes an outer value known in the body: a constant of its own, or one more input. */
static hy_status import(region_builder *builder, uint32_t outer)
{
	const hy_ir_value value = *hy_ir_graph_value(builder->graph, outer);
	uint32_t inner;
	hy_status status = hy_ir__graph_add_value(builder->body, value.name, &value.type, &inner, builder->error);
	if (status != HY_OK) return status;
	if (moves_inside(&value)) {
		hy_ir__graph_set_constant_as(builder->body, inner, &value.type, builder->graph, outer);
		return pair(builder, outer, inner);
	}
	if (!hy_ir__grow(&builder->inputs, builder->input_count, &builder->input_room, sizeof(builder->inputs[0])))
		return hy_ir__no_memory(builder->error);
	builder->inputs[builder->input_count++] = outer;
	status = hy_ir__graph_add_input(builder->body, inner, NULL, builder->error);
	return status == HY_OK ? pair(builder, outer, inner) : status;
}

static hy_status copy_node(region_builder *builder, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(builder->graph, number);
	const hy_ir_value result = *hy_ir_graph_value(builder->graph, node.outputs[0]);
	uint32_t output;
	hy_status status = HY_OK;
	uint32_t *inputs = malloc((node.input_count + 1u) * sizeof(inputs[0]));
	if (inputs == NULL) return hy_ir__no_memory(builder->error);
	for (uint32_t i = 0; i < node.input_count && status == HY_OK; i++) {
		const uint32_t outer = node.inputs[i];
		if (outer != HY_IR_NONE && find(builder, outer) == HY_IR_NONE) status = import(builder, outer);
		inputs[i] = outer != HY_IR_NONE ? find(builder, outer) : HY_IR_NONE;
	}
	if (status == HY_OK)
		status = hy_ir__graph_add_value(builder->body, result.name, &result.type, &output, builder->error);
	if (status == HY_OK) status = pair(builder, node.outputs[0], output);
	const hy_ir_node_options options = {.domain = node.domain,
	                                    .type = node.type,
	                                    .name = node.name,
	                                    .version = node.version,
	                                    .input_count = node.input_count,
	                                    .inputs = inputs,
	                                    .output_count = 1,
	                                    .outputs = &output,
	                                    .attr_count = node.attr_count,
	                                    .attrs = node.attrs};
	if (status == HY_OK) status = hy_ir_build_node(builder->body, &options, NULL, builder->error);
	free(inputs);
	return status;
}

static hy_status build(region_builder *builder, const hy_ir__region *region, uint32_t *out_node)
{
	const uint32_t output = hy_ir_graph_node(builder->graph, region->nodes[region->count - 1])->outputs[0];
	const char *own = hy_ir_graph_node(builder->graph, region->nodes[0])->name;
	const char *name = own[0] != '\0' ? own : hy_ir_graph_value(builder->graph, output)->name;
	hy_status status = hy_ir_graph_create(name, &builder->body, builder->error);
	for (uint32_t i = 0; i < region->count && status == HY_OK; i++)
		status = copy_node(builder, region->nodes[i]);
	if (status == HY_OK) status = hy_ir_build_output(builder->body, find(builder, output), builder->error);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < region->count; i++)
		hy_ir__graph_kill(builder->graph, region->nodes[i]);
	const hy_ir_node_options options = {.domain = HY_IR_DOMAIN,
	                                    .type = HY_IR_REGION,
	                                    .name = name,
	                                    .input_count = builder->input_count,
	                                    .inputs = builder->inputs,
	                                    .output_count = 1,
	                                    .outputs = &output,
	                                    .take_body = builder->body};
	status = hy_ir_build_node(builder->graph, &options, out_node, builder->error);
	if (status == HY_OK) builder->body = NULL; /* given away */
	return status;
}

hy_status hy_ir__fuse_build(hy_ir_graph *graph, const hy_ir__region *region, uint32_t *out_node, hy_error *error)
{
	region_builder builder = {.graph = graph, .error = error};
	const hy_status status = build(&builder, region, out_node);
	hy_ir_graph_destroy(builder.body);
	free(builder.outer);
	free(builder.inner);
	free(builder.inputs);
	return status;
}
