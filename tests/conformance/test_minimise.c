#include "test.h"

#include "reproducer.h"

#include <halyard/ir.h>

#include "minimise.h"
#include "variant.h"

/* model.onnx and test_data_set_0 by the IR's reader and evaluator: the expected output comes out. */
static void expect_model_and_data(const char *folder, uint32_t inputs)
{
	char path[128];
	hy_error error = {.text = ""};
	hy_ir_graph *graph = NULL;
	hy_ir_tensor in[TENSOR_INPUTS] = {0}, out = {0}, wanted = {0};
	snprintf(path, sizeof(path), "%s/model.onnx", folder);
	EXPECT_OK(hy_ir_onnx_load(path, &graph, &error));
	for (uint32_t i = 0; i < inputs; i++) {
		snprintf(path, sizeof(path), "%s/test_data_set_0/input_%u.pb", folder, i);
		EXPECT_OK(hy_ir_onnx_load_tensor(path, &in[i], &error));
	}
	snprintf(path, sizeof(path), "%s/test_data_set_0/output_0.pb", folder);
	EXPECT_OK(hy_ir_onnx_load_tensor(path, &wanted, &error));
	EXPECT_OK(hy_ir_eval_graph(graph, in, &out, &error));
	assert_memory_equal(&out.type, &wanted.type, sizeof(out.type));
	assert_int_equal(wanted.type.dtype, HY_DTYPE_F32);
	assert_true(((const float *)out.data)[0] == ((const float *)wanted.data)[0]);
	hy_ir_eval_release(1, &out);
	hy_ir_eval_release(1, &wanted);
	hy_ir_eval_release(inputs, in);
	hy_ir_graph_destroy(graph);
}

static void small_case_fails_outside_of_the_suite(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	reproducer r;
	reproducer_begin(78, &r); /* bias added twice */
	EXPECT_OK(reproducer_minimise(&r, "operator.Conv.3x3_pad", &error));
	assert_int_equal(r.result.status, HY_CONFORM_FAIL);
	assert_string_equal(r.result.before, "Conv f32[1,16,7,7] f32[16,16,3,3] f32[16] kernel_shape=3,3 pads=1,1,1,1");
	assert_string_equal(r.result.after, "Conv f32[1,1,1,1]=0 f32[1,1,1,1]=0 f32[1]=1");
	expect_model_and_data(r.folder, 3);
	reproducer_prove(&r);
	reproducer_end(&r);
}

static void steps_of_a_region_are_dropped(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	reproducer r;
	reproducer_begin(92, &r); /* last step of a region dropped */
	EXPECT_OK(reproducer_minimise(&r, "region.elementwise.five_steps", &error));
	assert_string_equal(r.result.after, "f32[1,1]=0, Add f32[1]=0, Mul f32[1,1]=0");
	reproducer_end(&r);
}

static void what_cannot_be_minimised_is_refused(void **state)
{
	(void)state;
	hy_error error = {.text = ""};
	reproducer r;
	reproducer_begin(24, &r); /* copy drops the last byte */
	EXPECT_STATUS(HY_NOT_FOUND, reproducer_minimise(&r, "operator.None.such", &error));
	EXPECT_STATUS(HY_UNSUPPORTED, reproducer_minimise(&r, "memory.copy.length_1", &error));
	assert_non_null(strstr(error.text, "operator and region"));
	reproducer_end(&r);
	reproducer_begin(0, &r);
	EXPECT_STATUS(HY_NOT_FOUND, reproducer_minimise(&r, "operator.Relu.17", &error));
	assert_non_null(strstr(error.text, "is PASS"));
	reproducer_end(&r);
}

static void variant_crosses_to_a_worker_unchanged(void **state)
{
	(void)state;
	static const recipe row = {.name = "region",
	                           .anchor = "Conv",
	                           .inputs = "f32[1,2,3,3] f32[2,2,1,1]=1",
	                           .attrs = "kernel_shape=1,1",
	                           .steps = {{"Add", "f32[2,1,1]"}, {"Relu"}},
	                           .tolerance = TOLERANCE_SUM,
	                           .data = UNIT};
	variant taken, read;
	char line[VARIANT_LINE];
	assert_true(conform__variant_take(&row, &taken));
	conform__variant_print(&taken, line);
	assert_true(conform__variant_read(line, &read));
	const recipe back = conform__variant_recipe(&read, &row);
	assert_string_equal(back.anchor, "Conv");
	assert_string_equal(back.inputs, row.inputs);
	assert_string_equal(back.attrs, row.attrs);
	assert_string_equal(back.steps[0][1], "f32[2,1,1]");
	assert_string_equal(back.steps[1][0], "Relu");
	assert_null(back.steps[1][1]);
	assert_null(back.steps[2][0]);
	assert_int_equal(back.data, UNIT);
}

static void shapes_that_do_not_belong_together_are_not_legal(void **state)
{
	(void)state;
	static const struct {
		const char *op, *inputs, *attrs, *step, *other;
		bool legal;
	} rows[] = {
		{"MatMul", "f32[2,3] f32[3,4]", "", NULL, NULL, true},
		{"MatMul", "f32[2,3] f32[2,4]", "", NULL, NULL, false},
		{"Conv", "f32[1,2,5,5] f32[3,2,3,3]", "kernel_shape=3,3", NULL, NULL, true},
		{"Conv", "f32[1,2,5,5] f32[3,2,3,3]", "kernel_shape=1,1", NULL, NULL, false},
		{"Conv", "f32[1,2,1,1] f32[3,2,3,3]", "kernel_shape=3,3", NULL, NULL, false},
		{"Reshape", "f32[2,3] i64{6}", "", NULL, NULL, true},
		{"Reshape", "f32[2,2] i64{6}", "", NULL, NULL, false},
		{"Relu", "f32[2,3]", "", "Add", "f32[3]", true},
		{"Relu", "f32[2,3]", "", "Add", "f32[2]", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const recipe row = {.anchor = rows[i].op,
		                    .inputs = rows[i].inputs,
		                    .attrs = rows[i].attrs,
		                    .steps = {{rows[i].step, rows[i].other}}};
		variant v;
		assert_true(conform__variant_take(&row, &v));
		if (conform__variant_is_legal(&v, 1) != rows[i].legal) fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(small_case_fails_outside_of_the_suite),
		CASE(steps_of_a_region_are_dropped),
		CASE(what_cannot_be_minimised_is_refused),
		CASE(variant_crosses_to_a_worker_unchanged),
		CASE(shapes_that_do_not_belong_together_are_not_legal),
	};
	return cmocka_run_group_tests_name("conformance.minimise", cases, NULL, NULL);
}
