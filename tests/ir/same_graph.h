/* Structural comparison of graphs, independent of printer and blob. Values are matched by name. */
#ifndef HY_TEST_SAME_GRAPH_H
#define HY_TEST_SAME_GRAPH_H

#include "test.h"

#include <halyard/ir/graph.h>

#include <string.h>

static void same_value(const hy_ir_graph *a, uint32_t in_a, const hy_ir_graph *b, uint32_t in_b)
{
	if (in_a == HY_IR_NONE || in_b == HY_IR_NONE) {
		assert_int_equal(in_a, in_b);
		return;
	}
	const hy_ir_value *left = hy_ir_graph_value(a, in_a), *right = hy_ir_graph_value(b, in_b);
	assert_string_equal(left->name, right->name);
	assert_true(hy_ir_type_equal(&left->type, &right->type));
	assert_int_equal(left->data == NULL, right->data == NULL);
	assert_int_equal(left->length_bytes, right->length_bytes);
	if (left->data != NULL && left->length_bytes > 0)
		assert_memory_equal(left->data, right->data, left->length_bytes);
	for (uint32_t i = 0; i < HY_MAX_RANK; i++) {
		assert_int_equal(left->dim_names[i] == NULL, right->dim_names[i] == NULL);
		if (left->dim_names[i] != NULL) assert_string_equal(left->dim_names[i], right->dim_names[i]);
	}
}

static void same_attr(const hy_ir_attr *a, const hy_ir_attr *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->count, b->count);
	if (a->kind == HY_ATTR_INT) assert_true(a->i == b->i);
	if (a->kind == HY_ATTR_FLOAT) assert_memory_equal(&a->f, &b->f, sizeof(a->f));
	if (a->kind == HY_ATTR_STRING) assert_string_equal(a->s, b->s);
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->kind == HY_ATTR_INTS) assert_true(a->ints[i] == b->ints[i]);
		if (a->kind == HY_ATTR_FLOATS) assert_memory_equal(&a->floats[i], &b->floats[i], sizeof(float));
		if (a->kind == HY_ATTR_STRINGS) assert_string_equal(a->strings[i], b->strings[i]);
	}
	if (a->kind != HY_ATTR_TENSOR) return;
	assert_true(hy_ir_type_equal(&a->tensor.type, &b->tensor.type));
	if (hy_ir_type_bytes(&a->tensor.type) > 0)
		assert_memory_equal(a->tensor.data, b->tensor.data, hy_ir_type_bytes(&a->tensor.type));
}

static void same_graph(const hy_ir_graph *a, const hy_ir_graph *b);

static void same_node(const hy_ir_graph *a, const hy_ir_node *left, const hy_ir_graph *b, const hy_ir_node *right)
{
	assert_string_equal(left->domain, right->domain);
	assert_string_equal(left->type, right->type);
	assert_string_equal(left->name, right->name);
	assert_int_equal(left->version, right->version);
	assert_ptr_equal(left->op, right->op);
	assert_int_equal(left->input_count, right->input_count);
	assert_int_equal(left->output_count, right->output_count);
	assert_int_equal(left->attr_count, right->attr_count);
	for (uint32_t i = 0; i < left->input_count; i++)
		same_value(a, left->inputs[i], b, right->inputs[i]);
	for (uint32_t i = 0; i < left->output_count; i++)
		same_value(a, left->outputs[i], b, right->outputs[i]);
	for (uint32_t i = 0; i < left->attr_count; i++)
		same_attr(&left->attrs[i], &right->attrs[i]);
	assert_int_equal(left->body == NULL, right->body == NULL);
	if (left->body != NULL) same_graph(left->body, right->body);
}

static void same_graph(const hy_ir_graph *a, const hy_ir_graph *b)
{
	assert_string_equal(hy_ir_graph_name(a), hy_ir_graph_name(b));
	assert_int_equal(hy_ir_graph_input_count(a), hy_ir_graph_input_count(b));
	assert_int_equal(hy_ir_graph_output_count(a), hy_ir_graph_output_count(b));
	assert_int_equal(hy_ir_graph_node_count(a), hy_ir_graph_node_count(b));
	for (uint32_t i = 0; i < hy_ir_graph_input_count(a); i++)
		same_value(a, hy_ir_graph_inputs(a)[i], b, hy_ir_graph_inputs(b)[i]);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(a); i++)
		same_value(a, hy_ir_graph_outputs(a)[i], b, hy_ir_graph_outputs(b)[i]);
	for (uint32_t i = 0; i < hy_ir_graph_node_count(a); i++)
		same_node(a, hy_ir_graph_node(a, i), b, hy_ir_graph_node(b, i));
}

#endif
