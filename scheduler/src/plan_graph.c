/* A plan's model and devices as a planning problem. */
#include "plan_graph.h"

#include "footprint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The values that go from node to node, one edge each, however often a node reads it. edges NULL: counts them. */
static uint32_t find_edges(const hy_ir_graph *model, uint32_t *number, hy_sched__edge *edges)
{
	uint32_t count = 0, numbers = 0;
	for (uint32_t v = 0; v < hy_ir_graph_value_count(model); v++)
		number[v] = HY_IR_NONE;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(model); n++) {
		const hy_ir_node *node = hy_ir_graph_node(model, n);
		for (uint32_t i = 0; i < node->input_count; i++) {
			const uint32_t v = node->inputs[i];
			const hy_ir_value *value = v != HY_IR_NONE ? hy_ir_graph_value(model, v) : NULL;
			bool again = false;
			for (uint32_t k = 0; k < i; k++)
				again |= node->inputs[k] == v;
			if (value == NULL || again || value->producer == HY_IR_NONE) continue;
			if (number[v] == HY_IR_NONE) number[v] = numbers++;
			if (edges != NULL) {
				const uint64_t bytes = hy_ir_type_is_static(&value->type)
				                               ? hy_ir_type_bytes(&value->type)
				                               : 0;
				const hy_sched__edge edge = {value->producer, n, number[v], bytes};
				edges[count] = edge;
			}
			count++;
		}
	}
	return count;
}

/* Inputs count with the first node that reads them, outputs with the node that makes them. */
static void find_ends(const hy_ir_graph *model, hy_sched__plan_graph *g)
{
	for (uint32_t i = 0; i < hy_ir_graph_input_count(model); i++) {
		const uint32_t input = hy_ir_graph_inputs(model)[i];
		for (uint32_t n = 0, found = 0; n < hy_ir_graph_node_count(model) && found == 0; n++) {
			const hy_ir_node *node = hy_ir_graph_node(model, n);
			for (uint32_t k = 0; k < node->input_count; k++)
				found |= node->inputs[k] == input ? 1 : 0;
			if (found != 0) g->in_bytes[n] += hy_ir_type_bytes(&hy_ir_graph_value(model, input)->type);
		}
	}
	for (uint32_t i = 0; i < hy_ir_graph_output_count(model); i++) {
		const hy_ir_value *value = hy_ir_graph_value(model, hy_ir_graph_outputs(model)[i]);
		if (value->producer != HY_IR_NONE) g->out_bytes[value->producer] += hy_ir_type_bytes(&value->type);
	}
}

static bool same_device(const hy_sched__problem *problem, uint32_t a, uint32_t b)
{
	return memcmp(problem->node_ns[a], problem->node_ns[b], problem->node_count * sizeof(uint64_t)) == 0 &&
	       problem->to[a].latency_ns == problem->to[b].latency_ns &&
	       problem->to[a].ns_per_byte == problem->to[b].ns_per_byte &&
	       problem->from[a].latency_ns == problem->from[b].latency_ns &&
	       problem->from[a].ns_per_byte == problem->from[b].ns_per_byte &&
	       problem->capacity_bytes[a] == problem->capacity_bytes[b];
}

static void fill_devices(const hy_sched__problem *problem, hy_sched__plan_graph *g)
{
	const uint32_t devices = problem->device_count;
	uint32_t types = 0;
	for (uint32_t d = 0; d < devices; d++) {
		uint32_t twin = 0;
		while (twin < d && !same_device(problem, twin, d))
			twin++;
		g->type[d] = twin < d ? g->type[twin] : types++;
		g->to[g->type[d]] = problem->to[d];
		g->from[g->type[d]] = problem->from[d];
		g->graph.capacity_bytes[d] = problem->capacity_bytes[d];
		for (uint32_t n = 0; n < problem->node_count; n++) {
			const uint64_t ns = problem->node_ns[d][n];
			g->graph.time_ns[(size_t)n * devices + d] = ns == HY_SCHED__NEVER ? INFINITY : (double)ns;
		}
		for (uint32_t e = 0; e < devices; e++) {
			g->graph.latency_ns[d * devices + e] = (double)(problem->from[d].latency_ns +
			                                                problem->to[e].latency_ns);
			g->graph.ns_per_byte[d * devices + e] = problem->from[d].ns_per_byte +
			                                        problem->to[e].ns_per_byte;
		}
	}
	const hy_sched__pipeline_problem pipeline = {.graph = &g->graph,
	                                             .type_count = types,
	                                             .type = g->type,
	                                             .to = g->to,
	                                             .from = g->from,
	                                             .in_bytes = g->in_bytes,
	                                             .out_bytes = g->out_bytes,
	                                             .depth = problem->depth};
	g->pipeline = pipeline;
}

static hy_status allocate(const hy_sched__problem *problem, hy_sched__plan_graph *g)
{
	g->type = calloc(problem->device_count, sizeof(*g->type));
	g->to = calloc(problem->device_count, sizeof(*g->to));
	g->from = calloc(problem->device_count, sizeof(*g->from));
	g->in_bytes = calloc(problem->node_count, sizeof(*g->in_bytes));
	g->out_bytes = calloc(problem->node_count, sizeof(*g->out_bytes));
	return g->type && g->to && g->from && g->in_bytes && g->out_bytes ? HY_OK : HY_NO_MEMORY;
}

hy_status hy_sched__plan_graph_init(const hy_ir_graph *model, const hy_sched__problem *problem,
                                    hy_sched__plan_graph *out_graph, hy_error *error)
{
	uint32_t *number = malloc(((size_t)hy_ir_graph_value_count(model) + 1) * sizeof(*number));
	hy_status status = number != NULL ? allocate(problem, out_graph) : HY_NO_MEMORY;
	if (status != HY_OK) {
		status = hy_error_set(error, status, "no memory for planning");
		goto done;
	}
	status = hy_sched__task_graph_init(problem->node_count, find_edges(model, number, NULL), problem->device_count,
	                                   &out_graph->graph, error);
	if (status != HY_OK) goto done;
	find_edges(model, number, out_graph->graph.edges);
	find_ends(model, out_graph);
	fill_devices(problem, out_graph);
	for (uint32_t n = 0; n < problem->node_count && status == HY_OK; n++) {
		hy_sched__footprint footprint = {0};
		status = hy_sched__footprint_of(model, n, 1, &footprint, error);
		out_graph->graph.memory_bytes[n] = footprint.constant_bytes;
	}
	if (status == HY_OK) status = hy_sched__task_graph_index(&out_graph->graph, error);
done:
	free(number);
	if (status != HY_OK) hy_sched__plan_graph_finish(out_graph);
	return status;
}

void hy_sched__plan_graph_finish(hy_sched__plan_graph *g)
{
	hy_sched__task_graph_finish(&g->graph);
	free(g->type);
	free(g->to);
	free(g->from);
	free(g->in_bytes);
	free(g->out_bytes);
	memset(g, 0, sizeof(*g));
}
