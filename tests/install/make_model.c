/* Writes the model of the install test: y = sigmoid(x + b), b = 0, 1, -1. */
#include <halyard/ir.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	const hy_ir_type type = {HY_DTYPE_F32, 1, {3}};
	const float bias[] = {0, 1, -1};
	hy_error error = {0};
	hy_ir_graph *graph = NULL;
	uint32_t values[2], sum, y;
	if (argc != 2) return 2;
	hy_status status = hy_ir_graph_create("sum", &graph, &error);
	if (status == HY_OK) status = hy_ir_build_input(graph, "x", &type, NULL, &values[0], &error);
	if (status == HY_OK) status = hy_ir_build_constant(graph, "b", &type, bias, &values[1], &error);
	if (status == HY_OK) status = hy_ir_build_op(graph, "Add", "sum", 2, values, 0, NULL, &sum, &error);
	if (status == HY_OK) status = hy_ir_build_op(graph, "Sigmoid", "y", 1, &sum, 0, NULL, &y, &error);
	if (status == HY_OK) status = hy_ir_build_output(graph, y, &error);
	if (status == HY_OK) status = hy_ir_prepare(graph, 0, &error);
	if (status == HY_OK) status = hy_ir_onnx_save(graph, argv[1], &error);
	if (status != HY_OK) fprintf(stderr, "%s\n", error.text);
	hy_ir_graph_destroy(graph);
	return status == HY_OK ? 0 : 1;
}
