/* Every allocation fails once: nothing leaks (the address sanitizer judges), nothing crashes, NO_MEMORY is the answer.
 * Linked with --wrap for malloc, calloc and realloc. */
#include "test.h"

#include <halyard/ir/blob.h>
#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include "ir/onnx_bytes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__real_malloc(size_t length);
void *__real_calloc(size_t count, size_t length);
void *__real_realloc(void *block, size_t length);
void *__wrap_malloc(size_t length);
void *__wrap_calloc(size_t count, size_t length);
void *__wrap_realloc(void *block, size_t length);

static uint32_t calls, failing; /* failing: the call that fails, from 1; 0: none */

static int fails_now(void)
{
	return ++calls == failing;
}

void *__wrap_malloc(size_t length)
{
	return fails_now() ? NULL : __real_malloc(length);
}

void *__wrap_calloc(size_t count, size_t length)
{
	return fails_now() ? NULL : __real_calloc(count, length);
}

void *__wrap_realloc(void *block, size_t length)
{
	return fails_now() ? NULL : __real_realloc(block, length);
}

static const char
	text[] = "graph \"g\" { input %z: f32[2] const %w: f32[2,2] = {1, 2, 3, 4} const %l: f32[2] = {5, 6}\n"
		 "%y: f32[2,2] = Conv \"c\" (%z, %w, _) group=2, pads=[1, -1], mode=\"m\", eps=1e-5, fl=[1.0], "
		 "st=[\"p\", \"q\"],\n"
		 "  t=i32[2] {1, -2}\n"
		 "%r: f32[2,2] = halyard::Region \"r\" (%y, %l) graph \"body\" { input %p: f32[2,2] input %q: f32[2]\n"
		 "  const %k: f32[] = {2} %m: f32[2,2] = Mul (%p, %k) %s: f32[2,2] = Add (%m, %q) output %s }\n"
		 "output %r output %y }";

static hy_error error;
static hy_ir_graph *sample; /* of the text */
static bytes model; /* an ONNX model with every kind of tensor and attribute */
static hy_ir_blob blob; /* of the sample */

static hy_status parse_text(void)
{
	hy_ir_graph *graph = NULL;
	const hy_status status = hy_ir_text_parse("t", text, sizeof(text) - 1, &graph, &error);
	hy_ir_graph_destroy(graph);
	return status;
}

static hy_status print_text(void)
{
	char *printed = NULL;
	const hy_status status = hy_ir_text_print(sample, HY_IR_TEXT_FULL, &printed, &error);
	free(printed);
	return status;
}

static hy_status clone(void)
{
	hy_ir_graph *graph = NULL;
	const hy_status status = hy_ir_graph_clone(sample, &graph, &error);
	hy_ir_graph_destroy(graph);
	return status;
}

static hy_status parse_onnx(void)
{
	hy_ir_graph *graph = NULL;
	const hy_status status = hy_ir_onnx_parse("m", model.at, model.length, &graph, &error);
	hy_ir_graph_destroy(graph);
	return status;
}

static const char *path(void)
{
	return HY_BINARY_DIR "/test_no_memory.onnx";
}

static hy_status save_onnx(void)
{
	return hy_ir_onnx_save(sample, path(), &error);
}

static hy_status load_onnx(void)
{
	hy_ir_graph *graph = NULL;
	const hy_status status = hy_ir_onnx_load(path(), &graph, &error);
	hy_ir_graph_destroy(graph);
	return status;
}

static hy_status create_blob(void)
{
	hy_ir_blob made = {0};
	uint32_t *inputs = NULL, *outputs = NULL, input_count, output_count;
	const hy_status status = hy_ir_blob_create(sample, 0, 1, &made, &inputs, &input_count, &outputs, &output_count,
	                                           &error);
	hy_ir_blob_finish(&made);
	free(inputs);
	free(outputs);
	return status;
}

static hy_status create_whole_blob(void)
{
	hy_ir_blob made = {0};
	const hy_status status = hy_ir_blob_create(sample, 0, 2, &made, NULL, NULL, NULL, NULL, &error);
	hy_ir_blob_finish(&made);
	return status;
}

static hy_status check_blob(void)
{
	return hy_ir_blob_check(blob.graph, blob.graph->total_bytes, &error);
}

static hy_status read_blob(void)
{
	hy_ir_graph *graph = NULL;
	const hy_status status = hy_ir_blob_read(blob.graph, blob.constants, &graph, &error);
	hy_ir_graph_destroy(graph);
	return status;
}

static hy_status prepare(void)
{
	static const char unprepared[] =
		"graph \"g\" { input %x: f32[1,2,4,4] const %w: f32[2,2,1,1] = {1, 2, 3, 4} const %b: f32[2] = {5, 6}\n"
		"const %s: i64[2] = {1, -1} %c = Conv@7 (%x, %w) %n = BatchNormalization@7 (%c, %b, %b, %b, %b)\n"
		"%r = Relu@7 (%n) %p = MaxPool@7 (%r) kernel_shape=[2, 2] %f = Reshape@7 (%p, %s) %y = Softmax@7 (%f)\n"
		"output %y }";
	hy_ir_graph *graph = NULL;
	hy_status status = hy_ir_text_parse("t", unprepared, sizeof(unprepared) - 1, &graph, &error);
	if (status == HY_OK) status = hy_ir_prepare(graph, 0, &error);
	hy_ir_graph_destroy(graph);
	return status;
}

static void survives(hy_status (*work)(void))
{
	hy_status status = HY_NO_MEMORY;
	for (failing = 1; status != HY_OK; failing++) {
		calls = 0;
		status = work();
		if (status != HY_OK) assert_string_equal(hy_status_name(status), "NO_MEMORY");
		assert_true(failing < 10000);
	}
	assert_true(failing > 2); /* something did fail */
	failing = 0;
}

#define SURVIVES(name, work)           \
	static void name(void **state) \
	{                              \
		(void)state;           \
		survives(work);        \
	}

SURVIVES(parsing_text_survives, parse_text)
SURVIVES(preparing_survives, prepare)
SURVIVES(printing_text_survives, print_text)
SURVIVES(cloning_survives, clone)
SURVIVES(parsing_onnx_survives, parse_onnx)
SURVIVES(saving_onnx_survives, save_onnx)
SURVIVES(loading_onnx_survives, load_onnx)
SURVIVES(writing_the_blob_of_one_node_survives, create_blob)
SURVIVES(writing_the_blob_of_all_survives, create_whole_blob)
SURVIVES(checking_a_blob_survives, check_blob)
SURVIVES(reading_a_blob_survives, read_blob)

static bytes attr_of(const char *name, int64_t kind)
{
	return add_int(add_text((bytes){0}, 1, name), 20, kind);
}

static bytes model_of_everything(void)
{
	static const int64_t two[] = {2, -1};
	const float numbers[2] = {1, 2};
	bytes node = node_of("Odd", "x w", "y -");
	node = add_message(node, 5, add_text(attr_of("s", 3), 4, "text"));
	node = add_message(node, 5, add_message(attr_of("t", 4), 5, add_data(tensor_head("t", 1, two), 9, numbers, 8)));
	node = add_message(node, 5, add_data(attr_of("is", 7), 8, "\x05\x06", 2));
	node = add_message(node, 5, add_data(attr_of("fs", 6), 7, numbers, 8));
	node = add_message(node, 5, add_text(attr_of("ss", 8), 9, "one"));
	bytes graph = add_message((bytes){0}, 1, node);
	graph = add_message(graph, 5, add_int(add_int(tensor_head("w", 6, two), 5, 1), 5, -1));
	bytes shape = add_message((bytes){0}, 1, (bytes){0});
	bytes type = add_message((bytes){0}, 1, add_message(add_int((bytes){0}, 1, 1), 2, shape));
	graph = add_message(graph, 11, add_message(add_text((bytes){0}, 1, "x"), 2, type));
	return model_of(add_message(graph, 12, value_info("y", 1, two)));
}

static int make(void **state)
{
	(void)state;
	model = model_of_everything();
	return hy_ir_text_parse("t", text, sizeof(text) - 1, &sample, &error) != HY_OK ||
	       hy_ir_blob_create(sample, 0, 1, &blob, NULL, NULL, NULL, NULL, &error) != HY_OK ||
	       hy_ir_onnx_save(sample, path(), &error) != HY_OK;
}

static int release(void **state)
{
	(void)state;
	hy_ir_graph_destroy(sample);
	hy_ir_blob_finish(&blob);
	free(model.at);
	return unlink(path());
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(parsing_text_survives),
		CASE(preparing_survives),
		CASE(printing_text_survives),
		CASE(cloning_survives),
		CASE(parsing_onnx_survives),
		CASE(saving_onnx_survives),
		CASE(loading_onnx_survives),
		CASE(writing_the_blob_of_one_node_survives),
		CASE(writing_the_blob_of_all_survives),
		CASE(checking_a_blob_survives),
		CASE(reading_a_blob_survives),
	};
	return cmocka_run_group_tests_name("ir.no_memory", cases, make, release);
}
