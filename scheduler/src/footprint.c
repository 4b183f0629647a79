/* Step 3: memory that a run of nodes needs. One walk for the last use of each value, one for what lives when. */
#include "footprint.h"

#include <stdlib.h>

typedef struct life {
	uint32_t last; /* node that reads it last inside the segment, or HY_IR_NONE */
	bool seen, made, leaves;
} life;

static bool is_constant(const hy_ir_value *value)
{
	return value->data != NULL || (value->producer == HY_IR_NONE && value->length_bytes > 0);
}

static uint64_t bytes_of(const hy_ir_graph *graph, uint32_t value)
{
	const hy_ir_type *type = &hy_ir_graph_value(graph, value)->type;
	return hy_ir_type_is_static(type) ? hy_ir_type_bytes(type) : 0;
}

static uint64_t body_constants(const hy_ir_graph *body)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; body != NULL && i < hy_ir_graph_value_count(body); i++)
		bytes += hy_ir_graph_value(body, i)->length_bytes;
	return bytes;
}

static void mark_uses(const hy_ir_graph *graph, uint32_t first, uint32_t end, life *lives)
{
	for (uint32_t n = 0; n < hy_ir_graph_node_count(graph); n++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, n);
		const bool inside = n >= first && n < end;
		for (uint32_t i = 0; i < node->input_count; i++) {
			if (node->inputs[i] == HY_IR_NONE) continue;
			if (inside) lives[node->inputs[i]].last = n;
			if (!inside) lives[node->inputs[i]].leaves = true;
		}
		for (uint32_t i = 0; inside && i < node->output_count; i++)
			if (node->outputs[i] != HY_IR_NONE) lives[node->outputs[i]].made = true;
	}
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		lives[hy_ir_graph_outputs(graph)[i]].leaves = true;
}

hy_status hy_sched__footprint_of(const hy_ir_graph *graph, uint32_t first, uint32_t count,
                                 hy_sched__footprint *out_footprint, hy_error *error)
{
	const uint32_t end = first + count, value_count = hy_ir_graph_value_count(graph);
	life *lives = calloc(value_count > 0 ? value_count : 1, sizeof(*lives));
	if (lives == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t v = 0; v < value_count; v++)
		lives[v].last = HY_IR_NONE;
	mark_uses(graph, first, end, lives);

	hy_sched__footprint all = {0};
	uint64_t alive = 0;
	for (uint32_t v = 0; v < value_count; v++) {
		if (lives[v].last == HY_IR_NONE || lives[v].made) continue;
		if (is_constant(hy_ir_graph_value(graph, v))) {
			all.constant_bytes += bytes_of(graph, v);
			continue;
		}
		all.input_bytes += bytes_of(graph, v);
	}
	alive = all.activation_bytes = all.input_bytes;
	for (uint32_t n = first; n < end; n++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, n);
		all.constant_bytes += body_constants(node->body);
		for (uint32_t i = 0; i < node->output_count; i++) {
			if (node->outputs[i] == HY_IR_NONE) continue;
			alive += bytes_of(graph, node->outputs[i]);
			if (lives[node->outputs[i]].leaves) all.output_bytes += bytes_of(graph, node->outputs[i]);
		}
		if (alive > all.activation_bytes) all.activation_bytes = alive;
		for (uint32_t i = 0; i < node->output_count; i++) {
			const uint32_t v = node->outputs[i];
			if (v != HY_IR_NONE && lives[v].last == HY_IR_NONE && !lives[v].leaves)
				alive -= bytes_of(graph, v);
		}
		for (uint32_t i = 0; i < node->input_count; i++) {
			const uint32_t v = node->inputs[i];
			if (v == HY_IR_NONE || lives[v].seen || lives[v].last != n || !lives[v].made || lives[v].leaves)
				continue;
			lives[v].seen = true;
			alive -= bytes_of(graph, v);
		}
	}
	free(lives);
	*out_footprint = all;
	return HY_OK;
}

uint64_t hy_sched__footprint_need(const hy_sched__footprint *footprint, bool staged, uint32_t depth)
{
	const uint64_t borders = footprint->input_bytes + footprint->output_bytes;
	return footprint->constant_bytes + footprint->activation_bytes + (staged ? depth * borders : 0);
}
