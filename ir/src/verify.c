/* The verifier: every promise of graph.h, checked without trusting any other. It runs after each pass, so that a broken
 * pass is named and not the one that stumbles over its result. */
#include "graph.h"

#include <halyard/ir/pass.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct verifier {
	const hy_ir_graph *graph;
	hy_error *error;
	bool in_region;
	uint32_t fault_count;
} verifier;

static void fault(verifier *check, const char *format, ...) HY_PRINTF(2, 3);

static void fault(verifier *check, const char *format, ...)
{
	if (check->fault_count++ > 0) return;
	char text[HY_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	hy_error_set(check->error, HY_INVALID, "%s", text);
}

static void check_constant(verifier *check, const hy_ir__value *slot)
{
	const hy_ir_value *value = &slot->value;
	if (!hy_ir_type_is_static(&value->type)) {
		fault(check, "constant '%.100s' has no static shape", value->name);
		return;
	}
	if (value->length_bytes != hy_ir_type_bytes(&value->type))
		fault(check, "constant '%.100s' has %llu bytes, its type needs %llu", value->name,
		      (unsigned long long)value->length_bytes, (unsigned long long)hy_ir_type_bytes(&value->type));
	const uint32_t width = hy_dtype_bits(value->type.dtype) / 8;
	if (width > 0 && (uintptr_t)value->data % width != 0)
		fault(check, "constant '%.100s' is not aligned to its element", value->name);
	if (value->producer != HY_IR_NONE || slot->is_input)
		fault(check, "value '%.100s' is a constant and something else", value->name);
}

static void check_value(verifier *check, uint32_t number)
{
	const hy_ir_graph *graph = check->graph;
	const hy_ir__value *slot = &graph->values[number];
	const hy_ir_value *value = &slot->value;
	if (value->name == NULL || value->name[0] == '\0') {
		fault(check, "value %u has no name", number);
		return;
	}
	if (hy_ir_graph_find(graph, value->name) != number)
		fault(check, "value '%.100s' is not the one of that name", value->name);
	const char *broken = hy_ir__type_fault(&value->type);
	if (broken != NULL) {
		fault(check, "value '%.100s' %s", value->name, broken);
		return;
	}
	if (value->data != NULL || value->length_bytes > 0) check_constant(check, slot);
	if (value->producer == HY_IR_NONE) return;
	if (slot->is_input) fault(check, "graph input '%.100s' is made by a node", value->name);
	if (value->producer >= graph->node_count) {
		fault(check, "value '%.100s' is made by node %u, which does not exist", value->name, value->producer);
		return;
	}
	const hy_ir_node *node = &graph->nodes[value->producer].node;
	uint32_t times = 0;
	for (uint32_t i = 0; i < node->output_count; i++)
		times += node->outputs[i] == number;
	if (times != 1)
		fault(check, "value '%.100s' is an output of node '%.100s' (%.100s) %u times", value->name, node->name,
		      node->type, times);
}

/* Made by a node before `before`, by the graph's caller, or constant. */
static bool is_made(const hy_ir_graph *graph, uint32_t number, uint32_t before)
{
	const hy_ir__value *slot = &graph->values[number];
	if (slot->value.producer != HY_IR_NONE) return slot->value.producer < before;
	return slot->is_input || slot->value.data != NULL || slot->value.length_bytes > 0;
}

static void check_lists(verifier *check)
{
	const hy_ir_graph *graph = check->graph;
	uint32_t flagged = 0;
	for (uint32_t i = 0; i < graph->value_count; i++)
		flagged += graph->values[i].is_input;
	if (flagged != graph->input_count) fault(check, "the graph lists %u of %u inputs", graph->input_count, flagged);
	for (uint32_t i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] >= graph->value_count || !graph->values[graph->inputs[i]].is_input)
			fault(check, "graph input %u is no input value", i);
	for (uint32_t i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] >= graph->value_count)
			fault(check, "graph output %u is no value", i);
		else if (!is_made(graph, graph->outputs[i], graph->node_count))
			fault(check, "graph output '%.100s' is made by nothing",
			      graph->values[graph->outputs[i]].value.name);
}

static void check_body_value(verifier *check, const hy_ir_node *node, uint32_t outer, uint32_t inner, const char *what)
{
	if (outer == HY_IR_NONE) return;
	const hy_ir_value *seen = &check->graph->values[outer].value, *body = hy_ir_graph_value(node->body, inner);
	if (!hy_ir__type_fits(&seen->type, &body->type))
		fault(check, "region '%.100s': %s '%.100s' has another type inside than outside", node->name, what,
		      seen->name);
}

static void check_graph(verifier *check);

static void check_body(verifier *check, const hy_ir_node *node)
{
	const bool is_region = strcmp(node->domain, HY_IR_DOMAIN) == 0 && strcmp(node->type, HY_IR_REGION) == 0;
	if (is_region != (node->body != NULL))
		fault(check, "node '%.100s' (%.100s): a region, and only a region, has a body", node->name, node->type);
	if (node->body == NULL) return;
	if (check->in_region) {
		fault(check, "region '%.100s' lies inside another", node->name);
		return;
	}
	const hy_ir_graph *body = node->body;
	if (body->input_count != node->input_count || body->output_count != node->output_count) {
		fault(check, "region '%.100s': its body has other inputs or outputs", node->name);
		return;
	}
	verifier inner = {.graph = body, .error = check->error, .in_region = true, .fault_count = check->fault_count};
	check_graph(&inner);
	check->fault_count = inner.fault_count;
	if (check->fault_count > 0) return;
	for (uint32_t i = 0; i < node->input_count; i++)
		check_body_value(check, node, node->inputs[i], body->inputs[i], "input");
	for (uint32_t i = 0; i < node->output_count; i++)
		check_body_value(check, node, node->outputs[i], body->outputs[i], "output");
}

static void check_attrs(verifier *check, const hy_ir_node *node)
{
	for (uint32_t i = 0; i < node->attr_count; i++) {
		const hy_ir_attr *attr = &node->attrs[i];
		if (attr->name == NULL || attr->name[0] == '\0' || hy_ir_node_attr(node, attr->name) != attr) {
			fault(check, "node '%.100s' (%.100s): attribute %u has no name or another's", node->name,
			      node->type, i);
			continue;
		}
		if (hy_ir__attr_is_opaque(attr) && node->op != NULL)
			fault(check, "node '%.100s' (%.100s): attribute '%.100s' is not one the IR knows", node->name,
			      node->type, attr->name);
		if (attr->kind == HY_ATTR_TENSOR &&
		    (attr->tensor.data == NULL || hy_ir__type_fault(&attr->tensor.type) != NULL ||
		     !hy_ir_type_is_static(&attr->tensor.type)))
			fault(check, "node '%.100s' (%.100s): attribute '%.100s' is no whole tensor", node->name,
			      node->type, attr->name);
	}
}

/* Only the canonical opset has these numbers; older forms are the upgrade's business. */
static void check_arity(verifier *check, const hy_ir_node *node)
{
	if (node->op == NULL || node->version != HY_IR_OPSET) return;
	if (node->input_count < node->op->min_inputs || node->input_count > node->op->max_inputs)
		fault(check, "node '%.100s' (%.100s) has %u inputs", node->name, node->type, node->input_count);
	for (uint32_t i = 0; i < node->input_count && i < node->op->min_inputs; i++)
		if (node->inputs[i] == HY_IR_NONE)
			fault(check, "node '%.100s' (%.100s): input %u is absent", node->name, node->type, i);
	if (node->output_count > node->op->max_outputs)
		fault(check, "node '%.100s' (%.100s) has %u outputs", node->name, node->type, node->output_count);
}

static void check_node(verifier *check, uint32_t number)
{
	const hy_ir_graph *graph = check->graph;
	const hy_ir_node *node = &graph->nodes[number].node;
	const uint32_t before = check->fault_count;
	if (graph->nodes[number].dead)
		fault(check, "node '%.100s' (%.100s) was killed, but not removed", node->name, node->type);
	if (node->version == 0 || node->type[0] == '\0')
		fault(check, "node '%.100s' (%.100s) has no type or version", node->name, node->type);
	for (uint32_t i = 0; i < node->input_count; i++) {
		if (node->inputs[i] == HY_IR_NONE) continue;
		if (node->inputs[i] >= graph->value_count)
			fault(check, "node '%.100s' (%.100s): input %u is no value", node->name, node->type, i);
		else if (!is_made(graph, node->inputs[i], number))
			fault(check, "node '%.100s' (%.100s): input '%.100s' is made by nothing before it", node->name,
			      node->type, graph->values[node->inputs[i]].value.name);
	}
	for (uint32_t i = 0; i < node->output_count; i++) {
		if (node->outputs[i] == HY_IR_NONE) continue;
		if (node->outputs[i] >= graph->value_count)
			fault(check, "node '%.100s' (%.100s): output %u is no value", node->name, node->type, i);
		else if (graph->values[node->outputs[i]].value.producer != number)
			fault(check, "node '%.100s' (%.100s): output '%.100s' says that something else makes it",
			      node->name, node->type, graph->values[node->outputs[i]].value.name);
	}
	check_attrs(check, node);
	check_arity(check, node);
	if (check->fault_count == before) check_body(check, node);
}

static void check_graph(verifier *check)
{
	for (uint32_t i = 0; i < check->graph->value_count; i++)
		check_value(check, i);
	check_lists(check);
	for (uint32_t i = 0; i < check->graph->node_count; i++)
		check_node(check, i);
}

hy_status hy_ir_verify(const hy_ir_graph *graph, hy_error *error)
{
	verifier check = {.graph = graph, .error = error};
	check_graph(&check);
	return check.fault_count == 0 ? HY_OK : HY_INVALID;
}
