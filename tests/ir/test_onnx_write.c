#include "test.h"

#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include "graph.h"
#include "ir/same_graph.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static hy_error error;
static char base[256];

static int make_folder(void **state)
{
	(void)state;
	snprintf(base, sizeof(base), "%s/write.XXXXXX", HY_BINARY_DIR);
	return mkdtemp(base) == NULL;
}

static uint32_t files_in_folder(void)
{
	uint32_t count = 0;
	DIR *folder = opendir(base);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count - 2;
}

static const char *model_path(void)
{
	static char path[300];
	snprintf(path, sizeof(path), "%s/m.onnx", base);
	return path;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(model_path());
	return rmdir(base);
}

static hy_ir_graph *parse(const char *text)
{
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_text_parse("t", text, strlen(text), &graph, &error));
	return graph;
}

static hy_ir_graph *saved_and_loaded(const hy_ir_graph *graph)
{
	hy_ir_graph *again;
	EXPECT_OK(hy_ir_onnx_save(graph, model_path(), &error));
	EXPECT_OK(hy_ir_onnx_load(model_path(), &again, &error));
	EXPECT_OK(hy_ir_verify(again, &error));
	return again;
}

static void what_is_saved_loads_as_the_same_graph(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(
		"graph \"g\" { input %x: f32[N,4] input %\"权 重\": i64[] const %w: f16[2] = {1, 0.5} const %none: "
		"f32[0] = {}\n"
		"const %b: bool[2] = {0, 1}\n"
		"%y: f32[?,4], _ = LayerNormalization \"c\" (%x, %w, _) group=2, pads=[1, -1], mode=\"m\", eps=1e-5, "
		"none=[],\n"
		"  fl=[1.0, nan], st=[\"p\", \"\"], t=i32[2] {1, -2}, nofl=floats []\n"
		"%z = com.vendor::Odd@3 (%y, %b, %\"权 重\", %none)\n"
		"%out: f32[...] = Neg (%z) output %out output %y }");
	hy_ir_graph *again = saved_and_loaded(graph);
	same_graph(graph, again);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
}

static void large_weights_are_mapped_again_without_a_copy(void **state)
{
	(void)state;
	hy_ir_graph *graph, *again;
	EXPECT_OK(hy_ir_graph_create("weights", &graph, &error));
	const hy_ir_type scalar = {.dtype = HY_DTYPE_F32, .rank = 0};
	static float data[50000];
	for (int i = 0; i < 50000; i++)
		data[i] = (float)i;
	uint32_t x, sum[40];
	EXPECT_OK(hy_ir_build_input(graph, "x", &scalar, NULL, &x, &error));
	for (uint32_t i = 0; i < 40; i++) {
		char name[32];
		snprintf(name, sizeof(name), "weight%.*s", (int)(i % 13), "_____________");
		const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {64 + (int64_t)i * i * 30 + i}};
		EXPECT_OK(hy_ir_build_constant(graph, name, &type, data, &sum[i], &error));
	}
	EXPECT_OK(hy_ir_build_op(graph, "Sum", "y", 40, sum, 0, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_output(graph, x, &error));
	again = saved_and_loaded(graph);
	same_graph(graph, again);
	for (uint32_t i = 0; i < hy_ir_graph_value_count(again); i++) {
		const hy_ir__value *slot = &again->values[i];
		if (slot->value.data == NULL) continue;
		assert_true(hy_ir__memory_is_mapped(slot->memory));
		assert_int_equal((uintptr_t)slot->value.data % 64, 0);
	}
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
}

static void regions_are_written_as_their_nodes(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[4]\n"
	                           "%y: f32[4] = halyard::Region \"r\" (%x) graph \"body\" { input %p: f32[4]\n"
	                           "%q: f32[4] = Relu (%p) %s: f32[4] = Neg (%q) output %s } output %y }");
	hy_ir_graph *again = saved_and_loaded(graph);
	assert_int_equal(hy_ir_graph_node_count(again), 2);
	assert_string_equal(hy_ir_graph_node(again, 0)->type, "Relu");
	assert_string_equal(hy_ir_graph_node(again, 1)->type, "Neg");
	assert_string_equal(hy_ir_graph_value(again, hy_ir_graph_outputs(again)[0])->name, "y");
	assert_int_equal(hy_ir_graph_node_count(graph), 1);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
}

static void the_opset_of_the_nodes_is_kept(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[4] %y: f32[4] = Relu@13 (%x) output %y }");
	hy_ir_graph *again = saved_and_loaded(graph);
	assert_int_equal(hy_ir_graph_node(again, 0)->version, 13);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
	graph = parse("graph \"g\" { input %x: f32[4] %y: f32[4] = Relu@13 (%x) %z = Neg \"n\" (%y) output %z }");
	EXPECT_STATUS(HY_INVALID, hy_ir_onnx_save(graph, model_path(), &error));
	char says[512];
	snprintf(says, sizeof(says), "%s: node 'n' (Neg): is of version 18 and others of version 13: upgrade the graph",
	         model_path());
	assert_string_equal(error.text, says);
	hy_ir_graph_destroy(graph);
}

static void a_graph_with_gelu_is_of_the_opset_that_has_it(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[4] %y: f32[4] = Gelu (%x) output %y }");
	hy_ir_graph *again = saved_and_loaded(graph);
	assert_int_equal(hy_ir_graph_node(again, 0)->version, 20);
	EXPECT_OK(hy_ir_prepare(again, 0, &error));
	assert_int_equal(hy_ir_graph_node(again, 0)->version, HY_IR_OPSET);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
}

static void a_failed_save_leaves_the_old_file_and_no_other(void **state)
{
	(void)state;
	hy_ir_graph *good = parse("graph \"good\" { input %x: f32[4] output %x }");
	hy_ir_graph *bad = parse("graph \"bad\" { const %s: string[1] = opaque output %s }");
	EXPECT_OK(hy_ir_onnx_save(good, model_path(), &error));
	EXPECT_STATUS(HY_UNSUPPORTED, hy_ir_onnx_save(bad, model_path(), &error));
	EXPECT_STATUS(HY_INVALID, hy_ir_onnx_save(good, base, &error)); /* a folder is there */
	assert_int_equal(files_in_folder(), 1);
	EXPECT_STATUS(HY_NOT_FOUND, hy_ir_onnx_save(good, "/nowhere/m.onnx", &error));
	assert_string_equal(error.text, "/nowhere/m.onnx: No such file or directory");
	hy_ir_graph *again;
	EXPECT_OK(hy_ir_onnx_load(model_path(), &again, &error));
	assert_string_equal(hy_ir_graph_name(again), "good");
	hy_ir_graph_destroy(again);
	hy_ir_graph_destroy(good);
	hy_ir_graph_destroy(bad);
}

#define IN_FOLDER(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest cases[] = {
		IN_FOLDER(what_is_saved_loads_as_the_same_graph),
		IN_FOLDER(large_weights_are_mapped_again_without_a_copy),
		IN_FOLDER(regions_are_written_as_their_nodes),
		IN_FOLDER(the_opset_of_the_nodes_is_kept),
		IN_FOLDER(a_graph_with_gelu_is_of_the_opset_that_has_it),
		IN_FOLDER(a_failed_save_leaves_the_old_file_and_no_other),
	};
	return cmocka_run_group_tests_name("ir.onnx_write", cases, NULL, NULL);
}
