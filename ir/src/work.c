/* How much work a node is. Operators with inner products have a row of their own; everything else touches each element
 * of its largest side once. */
#include <halyard/ir/work.h>

#include <stddef.h>

static const hy_ir_type *type_of(const hy_ir_graph *graph, uint32_t value)
{
	return &hy_ir_graph_value(graph, value)->type;
}

static double elements_of(const hy_ir_graph *graph, uint32_t value)
{
	if (value == HY_IR_NONE) return 0;
	const hy_ir_type *type = type_of(graph, value);
	return hy_ir_type_is_static(type) ? (double)hy_ir_type_elements(type) : 0;
}

static uint64_t bytes_of(const hy_ir_graph *graph, uint32_t value)
{
	if (value == HY_IR_NONE || !hy_ir_type_is_static(type_of(graph, value))) return 0;
	return hy_ir_type_bytes(type_of(graph, value));
}

/* Weights are [out, in/groups, kernel...]: every output element is a product with in/groups * kernel weights. */
static double conv(const hy_ir_graph *graph, const hy_ir_node *node)
{
	const hy_ir_type *weights = type_of(graph, node->inputs[1]);
	if (weights->rank == 0 || weights->dim[0] == 0) return 0;
	return 2 * elements_of(graph, node->outputs[0]) *
	       (elements_of(graph, node->inputs[1]) / (double)weights->dim[0]);
}

/* Weights are [in, out/groups, kernel...]: every input element meets out/groups * kernel weights. */
static double conv_transpose(const hy_ir_graph *graph, const hy_ir_node *node)
{
	const hy_ir_type *weights = type_of(graph, node->inputs[1]);
	if (weights->rank == 0 || weights->dim[0] == 0) return 0;
	return 2 * elements_of(graph, node->inputs[0]) *
	       (elements_of(graph, node->inputs[1]) / (double)weights->dim[0]);
}

static double matmul(const hy_ir_graph *graph, const hy_ir_node *node)
{
	const hy_ir_type *a = type_of(graph, node->inputs[0]);
	if (a->rank == 0) return 0;
	return 2 * elements_of(graph, node->outputs[0]) * (double)a->dim[a->rank - 1];
}

static double gemm(const hy_ir_graph *graph, const hy_ir_node *node)
{
	const hy_ir_type *a = type_of(graph, node->inputs[0]);
	const bool transposed = hy_ir_node_attr_int(node, "transA", 0) != 0;
	if (a->rank != 2) return 0;
	return 2 * elements_of(graph, node->outputs[0]) * (double)a->dim[transposed ? 0 : 1];
}

static double pool(const hy_ir_graph *graph, const hy_ir_node *node)
{
	const hy_ir_attr *kernel = hy_ir_node_attr(node, "kernel_shape");
	double window = 1;
	for (uint32_t i = 0; kernel != NULL && i < kernel->count; i++)
		window *= (double)kernel->ints[i];
	return elements_of(graph, node->outputs[0]) * window;
}

static const struct {
	hy_ir_op_id id;
	double (*flops)(const hy_ir_graph *graph, const hy_ir_node *node);
} products[] = {
	{HY_IR_OP_Conv, conv},     {HY_IR_OP_ConvTranspose, conv_transpose},
	{HY_IR_OP_MatMul, matmul}, {HY_IR_OP_Gemm, gemm},
	{HY_IR_OP_MaxPool, pool},  {HY_IR_OP_AveragePool, pool},
};

static double node_flops(const hy_ir_graph *graph, const hy_ir_node *node)
{
	for (size_t i = 0; node->op != NULL && i < sizeof(products) / sizeof(products[0]); i++)
		if (products[i].id == node->op->id) return products[i].flops(graph, node);
	if (node->op != NULL && node->op->fusion == HY_IR_CLASS_MOVE) return 0;
	double most = 0;
	for (uint32_t i = 0; i < node->input_count; i++) {
		const double elements = elements_of(graph, node->inputs[i]);
		if (elements > most) most = elements;
	}
	for (uint32_t i = 0; i < node->output_count; i++) {
		const double elements = elements_of(graph, node->outputs[i]);
		if (elements > most) most = elements;
	}
	return most;
}

static bool is_view(const hy_ir_node *node)
{
	return node->op != NULL && node->op->fusion == HY_IR_CLASS_VIEW;
}

hy_ir_work hy_ir_work_node(const hy_ir_graph *graph, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(graph, number);
	hy_ir_work work = {0, 0};
	if (is_view(node)) return work;
	for (uint32_t i = 0; i < node->input_count; i++)
		work.bytes += bytes_of(graph, node->inputs[i]);
	for (uint32_t i = 0; i < node->output_count; i++)
		work.bytes += bytes_of(graph, node->outputs[i]);
	if (node->body == NULL) {
		work.flops = node_flops(graph, node);
		return work;
	}
	/* Bodies hold plain nodes only: one level. */
	for (uint32_t i = 0; i < hy_ir_graph_node_count(node->body); i++) {
		const hy_ir_node *inner = hy_ir_graph_node(node->body, i);
		if (!is_view(inner)) work.flops += node_flops(node->body, inner);
	}
	for (uint32_t i = 0; i < hy_ir_graph_value_count(node->body); i++)
		work.bytes += hy_ir_graph_value(node->body, i)->length_bytes;
	return work;
}
