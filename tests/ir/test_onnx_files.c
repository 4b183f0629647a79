/* Every file of Debian's libonnx-testdata. */
#include "test.h"

#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include "ir/same_graph.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/usr/share/libonnx-testdata/data"

static hy_error error;
static uint32_t model_count, unwritable_count, tensor_count, other_count;

static const char *base_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void survives_its_text(const hy_ir_graph *graph)
{
	char *text, *printed;
	hy_ir_graph *again;
	EXPECT_OK(hy_ir_text_print(graph, HY_IR_TEXT_FULL, &text, &error));
	EXPECT_OK(hy_ir_text_parse("text", text, strlen(text), &again, &error));
	same_graph(graph, again);
	EXPECT_OK(hy_ir_text_print(again, HY_IR_TEXT_FULL, &printed, &error));
	assert_string_equal(printed, text);
	hy_ir_graph_destroy(again);
	free(text);
	free(printed);
}

/* Models with subgraphs or string constants load, but can't be written. */
static void survives_its_file(const hy_ir_graph *graph)
{
	static const char path[] = HY_BINARY_DIR "/test_onnx_files.onnx";
	hy_ir_graph *again;
	if (hy_ir_onnx_save(graph, path, &error) == HY_UNSUPPORTED) {
		unwritable_count++;
		return;
	}
	EXPECT_OK(hy_ir_onnx_load(path, &again, &error));
	same_graph(graph, again);
	hy_ir_graph_destroy(again);
	unlink(path);
}

static int read_model(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)walk;
	if (type != FTW_F || strcmp(base_of(path), "model.onnx") != 0) return 0;
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_onnx_load(path, &graph, &error));
	assert_true(hy_ir_graph_output_count(graph) > 0);
	EXPECT_OK(hy_ir_verify(graph, &error));
	survives_its_text(graph);
	survives_its_file(graph);
	hy_ir_graph_destroy(graph);
	model_count++;
	return 0;
}

static int read_tensor(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)walk;
	const char *dot = strrchr(path, '.');
	if (type != FTW_F || dot == NULL || strcmp(dot, ".pb") != 0) return 0;
	hy_ir_tensor tensor;
	if (hy_ir_onnx_load_tensor(path, &tensor, &error) == HY_OK) {
		tensor_count++;
		free(tensor.data);
	} else {
		other_count++;
	}
	return 0;
}

static void all_1072_models_load_and_survive_text_and_file(void **state)
{
	(void)state;
	assert_int_equal(nftw(FOLDER, read_model, 16, FTW_PHYS), 0);
	assert_int_equal(model_count, 1072);
	assert_int_equal(unwritable_count, 22);
}

static void every_tensor_file_parses_but_83_of_strings_sequences_and_optionals(void **state)
{
	(void)state;
	assert_int_equal(nftw(FOLDER, read_tensor, 16, FTW_PHYS), 0);
	assert_int_equal(tensor_count, 3122);
	assert_int_equal(other_count, 83);
}

int main(void)
{
	if (access(FOLDER, R_OK) != 0) {
		printf("%s is absent: install libonnx-testdata\n", FOLDER);
		return 77;
	}
	const struct CMUnitTest cases[] = {
		CASE(all_1072_models_load_and_survive_text_and_file),
		CASE(every_tensor_file_parses_but_83_of_strings_sequences_and_optionals),
	};
	return cmocka_run_group_tests_name("ir.onnx_files", cases, NULL, NULL);
}
