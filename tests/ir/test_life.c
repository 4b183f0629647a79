#include "test.h"

#include <halyard/ir.h>

#include <unistd.h>

static void a_model_is_made_saved_loaded_prepared_and_computed(void **state)
{
	(void)state;
	hy_error error;
	const char *path = HY_BINARY_DIR "/test_life.onnx";
	/* README: the life of a model, begin */
	hy_ir_graph *graph;
	hy_ir_tensor output;
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {2}};
	float two[] = {2, 2}, numbers[] = {-1, 3};
	uint32_t x, w, y;
	EXPECT_OK(hy_ir_graph_create("life", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_constant(graph, "w", &type, two, &w, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Mul", "scaled", 2, (uint32_t[]){x, w}, 0, NULL, &y, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Relu", "y", 1, &y, 0, NULL, &y, &error));
	EXPECT_OK(hy_ir_build_output(graph, y, &error));
	EXPECT_OK(hy_ir_onnx_save(graph, path, &error));
	hy_ir_graph_destroy(graph);
	EXPECT_OK(hy_ir_onnx_load(path, &graph, &error));
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	assert_int_equal(hy_ir_graph_node_count(graph), 1); /* a region: Mul and Relu */
	EXPECT_OK(hy_ir_eval_graph(graph, &(hy_ir_tensor){type, numbers}, &output, &error));
	assert_true(((float *)output.data)[0] == 0 && ((float *)output.data)[1] == 6);
	hy_ir_eval_release(1, &output);
	hy_ir_graph_destroy(graph);
	/* README: the life of a model, end */
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_model_is_made_saved_loaded_prepared_and_computed),
	};
	return cmocka_run_group_tests_name("ir.life", cases, NULL, NULL);
}
