#include "test.h"

#include "zoo.h"

#include <halyard/ir.h>

#include <stdlib.h>
#include <string.h>

static hy_error error;

/* Evaluates an architecture in its smallest size on inputs of all 1; returns the first output, which the caller
 * releases with the others. */
static void evaluate(const char *name, int64_t size, hy_ir_tensor *out_outputs)
{
	const zoo_options options = {.seed = 1, .batch = 1, .size = size};
	hy_ir_graph *graph = NULL;
	hy_ir_tensor inputs[4] = {0};
	EXPECT_OK(zoo_create(name, &options, &graph, &error));
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++) {
		inputs[i].type = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->type;
		const int64_t count = hy_ir_type_elements(&inputs[i].type);
		inputs[i].data = calloc((size_t)count, 8);
		for (int64_t e = 0; e < count; e++) {
			if (inputs[i].type.dtype == HY_DTYPE_F32)
				((float *)inputs[i].data)[e] = (float)(e % 7) / 3 - 1;
			else
				((int64_t *)inputs[i].data)[e] = e % 2;
		}
	}
	EXPECT_OK(hy_ir_eval_graph(graph, inputs, out_outputs, &error));
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++)
		free(inputs[i].data);
	hy_ir_graph_destroy(graph);
}

static void classifiers_are_neither_certain_nor_flat(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t size;
	} rows[] = {{"resnet50", 32}, {"mobilenet_v2", 32}, {"squeezenet", 32}, {"vgg16", 32}, {"vit_tiny", 32}};
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		hy_ir_tensor output = {0};
		evaluate(rows[r].name, rows[r].size, &output);
		assert_int_equal(output.type.dim[1], 1000);
		float sum = 0, largest = 0;
		for (int i = 0; i < 1000; i++) {
			const float p = ((const float *)output.data)[i];
			sum += p;
			largest = p > largest ? p : largest;
		}
		if (!(sum > 0.999f && sum < 1.001f)) fail_msg("%s: probabilities sum to %g", rows[r].name, sum);
		if (!(largest > 0.002f && largest < 0.9f))
			fail_msg("%s: largest probability %g", rows[r].name, largest);
		hy_ir_eval_release(1, &output);
	}
}

static void the_others_answer_with_numbers_of_their_shapes(void **state)
{
	(void)state;
	hy_ir_tensor outputs[2] = {0};
	evaluate("unet", 32, outputs);
	assert_int_equal(outputs[0].type.dim[2], 32);
	hy_ir_eval_release(1, outputs);
	evaluate("yolo", 32, outputs);
	assert_int_equal(outputs[0].type.dim[2], 1);
	assert_int_equal(outputs[1].type.dim[3], 2);
	hy_ir_eval_release(2, outputs);
	evaluate("bert_tiny", 8, outputs);
	assert_int_equal(outputs[0].type.dim[1], 8);
	const float x = ((const float *)outputs[0].data)[0];
	assert_true(x > -10 && x < 10);
	hy_ir_eval_release(2, outputs);
}

static void every_architecture_prepares_with_a_batch(void **state)
{
	(void)state;
	for (const zoo_entry *entry = zoo_list(); entry->name != NULL; entry++) {
		hy_ir_graph *graph = NULL;
		const zoo_options options = {.seed = 1, .size = entry->size_step};
		EXPECT_OK(zoo_create(entry->name, &options, &graph, &error));
		EXPECT_OK(hy_ir_graph_bind_dim(graph, "N", 2, &error));
		EXPECT_OK(hy_ir_prepare(graph, 0, &error));
		hy_ir_graph_destroy(graph);
	}
}

static void the_same_seed_gives_the_same_file(void **state)
{
	(void)state;
	char *texts[3] = {NULL};
	for (int i = 0; i < 3; i++) {
		hy_ir_graph *graph = NULL;
		const zoo_options options = {.seed = i == 2 ? 2 : 1, .size = 32};
		EXPECT_OK(zoo_create("squeezenet", &options, &graph, &error));
		EXPECT_OK(hy_ir_text_print(graph, 0, &texts[i], &error));
		hy_ir_graph_destroy(graph);
	}
	assert_string_equal(texts[0], texts[1]);
	assert_string_not_equal(texts[0], texts[2]);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
}

static void wrong_names_and_sizes_are_refused(void **state)
{
	(void)state;
	hy_ir_graph *graph = NULL;
	EXPECT_STATUS(HY_NOT_FOUND, zoo_create("alexnet2", &(zoo_options){0}, &graph, &error));
	EXPECT_STATUS(HY_INVALID, zoo_create("resnet50", &(zoo_options){.size = 33}, &graph, &error));
	EXPECT_STATUS(HY_INVALID, zoo_create("resnet50", &(zoo_options){.size = 1 << 20}, &graph, &error));
	assert_null(graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(classifiers_are_neither_certain_nor_flat), CASE(the_others_answer_with_numbers_of_their_shapes),
		CASE(every_architecture_prepares_with_a_batch), CASE(the_same_seed_gives_the_same_file),
		CASE(wrong_names_and_sizes_are_refused),
	};
	return cmocka_run_group_tests_name("tools.zoo", cases, NULL, NULL);
}
