/* The nine light models through all passes: how many nodes they leave. */
#include "test.h"

#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "light.h"

static hy_ir_graph *load(const char *name)
{
	char path[512];
	hy_error error;
	hy_ir_graph *graph = NULL;
	light_path(path, sizeof(path), name, ".onnx");
	EXPECT_OK(hy_ir_onnx_load(path, &graph, &error));
	return graph;
}

/* The operators that are left to launch when the weights are constants and nothing else was done. */
static uint32_t count_before(const char *name)
{
	hy_error error;
	hy_ir_graph *graph = load(name);
	EXPECT_OK(hy_ir_pass_upgrade(graph, NULL, &error));
	EXPECT_OK(hy_ir_pass_fold(graph, NULL, &error));
	EXPECT_OK(hy_ir_pass_dce(graph, NULL, &error));
	const uint32_t count = hy_ir_graph_node_count(graph);
	hy_ir_graph_destroy(graph);
	return count;
}

static uint32_t count_after(const char *name)
{
	hy_error error;
	hy_ir_graph *graph = load(name);
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	const uint32_t count = hy_ir_graph_node_count(graph);
	hy_ir_graph_destroy(graph);
	return count;
}

static void preparing_halves_the_nodes_of_the_light_models(void **state)
{
	(void)state;
	double product = 1;
	for (int i = 0; i < LIGHT_COUNT; i++) {
		const uint32_t before = count_before(light_names[i]), after = count_after(light_names[i]);
		print_message("%-14s %4u nodes, %4u after the passes\n", light_names[i], before, after);
		product *= (double)after / before;
	}
	const double ratio = pow(product, 1.0 / LIGHT_COUNT);
	print_message("geometric mean of after/before: %.3f\n", ratio);
	assert_true(ratio <= 0.5);
}

int main(void)
{
	if (access(LIGHT_FOLDER, R_OK) != 0) {
		print_message("skipped: %s is not there\n", LIGHT_FOLDER);
		return 77;
	}
	const struct CMUnitTest tests[] = {
		CASE(preparing_halves_the_nodes_of_the_light_models),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
