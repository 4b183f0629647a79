/* The work of nodes, worked out by hand. */
#include "test.h"

#include <halyard/ir/build.h>
#include <halyard/ir/work.h>

static hy_error error;

static uint32_t value(hy_ir_graph *graph, const char *name, const hy_ir_type *type)
{
	uint32_t number;
	EXPECT_OK(hy_ir_build_value(graph, name, type, &number, &error));
	return number;
}

static uint32_t input(hy_ir_graph *graph, const char *name, const hy_ir_type *type)
{
	uint32_t number;
	EXPECT_OK(hy_ir_build_input(graph, name, type, NULL, &number, &error));
	return number;
}

static hy_ir_work work_of(const char *type, uint32_t input_count, const hy_ir_type *inputs, const hy_ir_type *output,
                          uint32_t attr_count, const hy_ir_attr *attrs)
{
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_graph_create("g", &graph, &error));
	uint32_t in[4], out;
	for (uint32_t i = 0; i < input_count; i++)
		in[i] = input(graph, "in", &inputs[i]);
	out = value(graph, "out", output);
	const hy_ir_node_options options = {.type = type,
	                                    .input_count = input_count,
	                                    .output_count = 1,
	                                    .attr_count = attr_count,
	                                    .inputs = in,
	                                    .outputs = &out,
	                                    .attrs = attrs};
	uint32_t node;
	EXPECT_OK(hy_ir_build_node(graph, &options, &node, &error));
	const hy_ir_work work = hy_ir_work_node(graph, node);
	hy_ir_graph_destroy(graph);
	return work;
}

static void a_convolution_is_two_flops_per_weight_and_output(void **state)
{
	(void)state;
	const hy_ir_type inputs[] = {{HY_DTYPE_F32, 4, {1, 3, 8, 8}}, {HY_DTYPE_F32, 4, {4, 3, 3, 3}}};
	const hy_ir_type output = {HY_DTYPE_F32, 4, {1, 4, 6, 6}};
	const hy_ir_work work = work_of("Conv", 2, inputs, &output, 0, NULL);
	assert_int_equal((int)work.flops, 2 * (4 * 6 * 6) * (3 * 3 * 3));
	assert_int_equal(work.bytes, 4 * (3 * 8 * 8 + 4 * 3 * 3 * 3 + 4 * 6 * 6));
}

static void a_matrix_product_is_two_flops_per_inner_element(void **state)
{
	(void)state;
	const hy_ir_type inputs[] = {{HY_DTYPE_F32, 2, {5, 7}}, {HY_DTYPE_F32, 2, {5, 11}}};
	const hy_ir_type output = {HY_DTYPE_F32, 2, {7, 11}};
	const hy_ir_attr transposed = hy_ir_attr_int("transA", 1);
	assert_int_equal((int)work_of("Gemm", 2, inputs, &output, 1, &transposed).flops, 2 * 5 * 7 * 11);
}

static void a_view_is_no_work(void **state)
{
	(void)state;
	const hy_ir_type in = {HY_DTYPE_F32, 2, {5, 7}}, out = {HY_DTYPE_F32, 1, {35}};
	const hy_ir_work work = work_of("Identity", 1, &in, &out, 0, NULL);
	assert_int_equal((int)work.flops, 0);
	assert_int_equal(work.bytes, 0);
}

static void a_reduction_touches_its_input(void **state)
{
	(void)state;
	const hy_ir_type in = {HY_DTYPE_F32, 2, {5, 7}}, out = {HY_DTYPE_F32, 0, {0}};
	assert_int_equal((int)work_of("ReduceSum", 1, &in, &out, 0, NULL).flops, 35);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_convolution_is_two_flops_per_weight_and_output),
		CASE(a_matrix_product_is_two_flops_per_inner_element),
		CASE(a_view_is_no_work),
		CASE(a_reduction_touches_its_input),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
