/* Random small graphs give the same numbers before and after the passes; the evaluator is the judge. */
#include "test.h"

#include <halyard/ir/blob.h>
#include <halyard/ir/build.h>
#include <halyard/ir/eval.h>
#include <halyard/ir/infer.h>
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRAPHS = 400, NODES = 14, CHANNELS = 3, SIDE = 4 };

static hy_error error;

/* ---- random numbers that are the same everywhere ---- */

typedef struct random_source {
	uint64_t state;
} random_source;

static uint32_t roll(random_source *dice, uint32_t sides)
{
	dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice->state >> 33) % sides;
}

static float number(random_source *dice)
{
	return (float)roll(dice, 2001) / 1000.0f - 1.0f;
}

/* ---- building ---- */

typedef struct drawing {
	random_source dice;
	hy_ir_graph *graph;
	uint32_t values[NODES + 2], count; /* what may be read: all [2, CHANNELS, SIDE, SIDE] */
} drawing;

static const hy_ir_type image = {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {2, CHANNELS, SIDE, SIDE}};

static uint32_t constant(drawing *sketch, const hy_ir_type *type, float offset)
{
	float data[2 * CHANNELS * SIDE * SIDE * 4];
	uint32_t value;
	for (int64_t i = 0; i < hy_ir_type_elements(type); i++)
		data[i] = number(&sketch->dice) + offset;
	EXPECT_OK(hy_ir_build_constant(sketch->graph, "k", type, data, &value, &error));
	return value;
}

static uint32_t integers(drawing *sketch, uint32_t count, const int64_t *data)
{
	const hy_ir_type type = {.dtype = HY_DTYPE_I64, .rank = 1, .dim = {count}};
	uint32_t value;
	EXPECT_OK(hy_ir_build_constant(sketch->graph, "n", &type, data, &value, &error));
	return value;
}

static uint32_t op(drawing *sketch, const char *type, uint32_t count, const uint32_t *inputs, uint32_t attr_count,
                   const hy_ir_attr *attrs)
{
	uint32_t value;
	EXPECT_OK(hy_ir_build_op(sketch->graph, type, type, count, inputs, attr_count, attrs, &value, &error));
	return value;
}

static uint32_t pick(drawing *sketch)
{
	return sketch->values[roll(&sketch->dice, sketch->count)];
}

static uint32_t add_unary(drawing *sketch)
{
	static const char *const types[] = {"Relu", "Tanh", "Sigmoid", "Abs", "Neg", "Identity", "Dropout", "Erf"};
	const uint32_t x = pick(sketch);
	return op(sketch, types[roll(&sketch->dice, 8)], 1, &x, 0, NULL);
}

static uint32_t add_binary(drawing *sketch)
{
	static const char *const types[] = {"Add", "Sub", "Mul", "Max", "Min", "Sum"};
	const uint32_t inputs[2] = {pick(sketch), pick(sketch)};
	return op(sketch, types[roll(&sketch->dice, 6)], 2, inputs, 0, NULL);
}

/* With a constant that is broadcast: one number, one per channel, one per column. */
static uint32_t add_affine(drawing *sketch)
{
	static const char *const types[] = {"Add", "Sub", "Mul", "Div"};
	static const hy_ir_type shapes[] = {{.dtype = HY_DTYPE_F32, .rank = 0},
	                                    {.dtype = HY_DTYPE_F32, .rank = 3, .dim = {CHANNELS, 1, 1}},
	                                    {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {1, CHANNELS, 1, 1}},
	                                    {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {SIDE}}};
	const uint32_t kind = roll(&sketch->dice, 4);
	uint32_t inputs[2] = {pick(sketch), constant(sketch, &shapes[roll(&sketch->dice, 4)], kind == 3 ? 3 : 0)};
	if (kind < 3 && roll(&sketch->dice, 2) == 0) {
		const uint32_t first = inputs[0];
		inputs[0] = inputs[1];
		inputs[1] = first;
	}
	return op(sketch, types[kind], 2, inputs, 0, NULL);
}

static uint32_t add_conv(drawing *sketch)
{
	static const int64_t pads[4] = {1, 1, 1, 1};
	const uint32_t grouped = roll(&sketch->dice, 2);
	const hy_ir_type weight = {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {CHANNELS, grouped ? 1 : CHANNELS, 3, 3}};
	const hy_ir_type bias = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {CHANNELS}};
	const char *type = roll(&sketch->dice, 3) == 0 ? "ConvTranspose" : "Conv";
	const uint32_t x = pick(sketch), w = constant(sketch, &weight, 0);
	const uint32_t inputs[3] = {x, w, constant(sketch, &bias, 0)};
	const hy_ir_attr attrs[2] = {hy_ir_attr_ints("pads", 4, pads), hy_ir_attr_int("group", grouped ? CHANNELS : 1)};
	return op(sketch, type, 2 + roll(&sketch->dice, 2), inputs, 2, attrs);
}

static uint32_t add_batch_norm(drawing *sketch)
{
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {CHANNELS}};
	uint32_t inputs[5] = {pick(sketch)};
	for (uint32_t i = 1; i < 5; i++)
		inputs[i] = constant(sketch, &type, i == 4 ? 2 : 0);
	return op(sketch, "BatchNormalization", 5, inputs, 0, NULL);
}

static uint32_t add_softmax(drawing *sketch)
{
	const uint32_t x = pick(sketch);
	const hy_ir_attr axis = hy_ir_attr_int("axis", roll(&sketch->dice, 4));
	return op(sketch, "Softmax", 1, &x, 1, &axis);
}

/* x minus its mean over the columns. */
static uint32_t add_mean(drawing *sketch)
{
	static const int64_t axes[1] = {-1};
	const uint32_t x = pick(sketch);
	const uint32_t inputs[2] = {x, integers(sketch, 1, axes)};
	const uint32_t mean = op(sketch, "ReduceMean", 2, inputs, 0, NULL);
	return op(sketch, "Sub", 2, (uint32_t[]){x, mean}, 0, NULL);
}

/* There and back again: views and transpositions. */
static uint32_t add_moves(drawing *sketch)
{
	static const int64_t flat[2] = {2, -1}, back[4] = {2, CHANNELS, SIDE, SIDE};
	static const int64_t there[4] = {0, 2, 3, 1}, home[4] = {0, 3, 1, 2};
	uint32_t x = pick(sketch);
	if (roll(&sketch->dice, 2) == 0) {
		const hy_ir_attr perms[2] = {hy_ir_attr_ints("perm", 4, there), hy_ir_attr_ints("perm", 4, home)};
		x = op(sketch, "Transpose", 1, &x, 1, &perms[0]);
		if (roll(&sketch->dice, 2) == 0) x = op(sketch, "Relu", 1, &x, 0, NULL);
		return op(sketch, "Transpose", 1, &x, 1, &perms[1]);
	}
	x = op(sketch, "Reshape", 2, (uint32_t[]){x, integers(sketch, 2, flat)}, 0, NULL);
	if (roll(&sketch->dice, 2) == 0) x = op(sketch, "Tanh", 1, &x, 0, NULL);
	return op(sketch, "Reshape", 2, (uint32_t[]){x, integers(sketch, 4, back)}, 0, NULL);
}

static uint32_t add_gelu(drawing *sketch)
{
	const hy_ir_type scalar = {.dtype = HY_DTYPE_F32, .rank = 0};
	const float numbers[3] = {1.41421354f, 1, 0.5f};
	uint32_t k[3], x = pick(sketch);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_OK(hy_ir_build_constant(sketch->graph, "g", &scalar, &numbers[i], &k[i], &error));
	uint32_t y = op(sketch, "Div", 2, (uint32_t[]){x, k[0]}, 0, NULL);
	y = op(sketch, "Erf", 1, &y, 0, NULL);
	y = op(sketch, "Add", 2, (uint32_t[]){y, k[1]}, 0, NULL);
	y = op(sketch, "Mul", 2, (uint32_t[]){x, y}, 0, NULL);
	return op(sketch, "Mul", 2, (uint32_t[]){y, k[2]}, 0, NULL);
}

static uint32_t (*const makers[])(drawing *) = {add_unary,   add_unary,  add_binary, add_binary,
                                                add_affine,  add_affine, add_conv,   add_batch_norm,
                                                add_softmax, add_mean,   add_moves,  add_gelu};

static hy_ir_graph *random_graph(uint64_t seed)
{
	drawing sketch = {.dice = {seed * 2654435761u + 1}, .count = 2};
	EXPECT_OK(hy_ir_graph_create("random", &sketch.graph, &error));
	EXPECT_OK(hy_ir_build_input(sketch.graph, "a", &image, NULL, &sketch.values[0], &error));
	EXPECT_OK(hy_ir_build_input(sketch.graph, "b", &image, NULL, &sketch.values[1], &error));
	for (uint32_t i = 0; i < NODES; i++) {
		const uint32_t maker = roll(&sketch.dice, sizeof(makers) / sizeof(makers[0]));
		sketch.values[sketch.count] = makers[maker](&sketch);
		sketch.count++;
	}
	EXPECT_OK(hy_ir_build_output(sketch.graph, sketch.values[sketch.count - 1], &error));
	if (roll(&sketch.dice, 2) == 0)
		EXPECT_OK(hy_ir_build_output(sketch.graph, sketch.values[sketch.count - 3], &error));
	return sketch.graph;
}

/* ---- judging ---- */

static void compute(const hy_ir_graph *graph, hy_ir_tensor *outputs)
{
	float data[2][2 * CHANNELS * SIDE * SIDE];
	random_source dice = {99};
	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t k = 0; k < 2 * CHANNELS * SIDE * SIDE; k++)
			data[i][k] = number(&dice);
	const hy_ir_tensor inputs[2] = {{image, data[0]}, {image, data[1]}};
	EXPECT_OK(hy_ir_eval_graph(graph, inputs, outputs, &error));
}

static void expect_same(const hy_ir_graph *graph, const hy_ir_tensor *expected, uint64_t seed, const char *what)
{
	hy_ir_tensor actual[2];
	compute(graph, actual);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++) {
		assert_true(hy_ir_type_equal(&actual[i].type, &expected[i].type));
		for (int64_t k = 0; k < hy_ir_type_elements(&image); k++) {
			const float a = ((const float *)actual[i].data)[k], e = ((const float *)expected[i].data)[k];
			if (fabsf(a - e) > 1e-4f * (1 + fabsf(e))) {
				char *text = NULL;
				EXPECT_OK(hy_ir_text_print(graph, 0, &text, &error));
				fail_msg("seed %llu %s: output %u, element %lld: %g and not %g\n%s",
				         (unsigned long long)seed, what, i, (long long)k, (double)a, (double)e, text);
			}
		}
	}
	hy_ir_eval_release(hy_ir_graph_output_count(graph), actual);
}

static bool has_shape_of(const hy_ir_graph *body, const hy_ir_node *node, const hy_ir_type *shape)
{
	const hy_ir_type *type = &hy_ir_graph_value(body, node->outputs[0])->type;
	return type->rank == shape->rank && memcmp(type->dim, shape->dim, sizeof(type->dim)) == 0;
}

/* One output; at least two nodes; an anchor stands first and is the only one; all shapes are the output's. */
static void expect_plain_regions(const hy_ir_graph *graph, uint64_t seed)
{
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++) {
		const hy_ir_node *region = hy_ir_graph_node(graph, i);
		if (region->body == NULL) continue;
		assert_int_equal(region->output_count, 1);
		assert_true(hy_ir_graph_node_count(region->body) > 1);
		const hy_ir_type *shape = &hy_ir_graph_value(region->body, hy_ir_graph_outputs(region->body)[0])->type;
		for (uint32_t k = 0; k < hy_ir_graph_node_count(region->body); k++) {
			const hy_ir_node *node = hy_ir_graph_node(region->body, k);
			if (!has_shape_of(region->body, node, shape) ||
			    (node->op->fusion != HY_IR_CLASS_ELEMENTWISE &&
			     (k > 0 || node->op->fusion != HY_IR_CLASS_ANCHOR)))
				fail_msg("seed %llu: node %u of region %u does not belong there",
				         (unsigned long long)seed, k, i);
		}
	}
}

static void judge(uint64_t seed)
{
	hy_ir_graph *graph = random_graph(seed), *other = NULL;
	hy_ir_tensor expected[2];
	EXPECT_OK(hy_ir_verify(graph, &error));
	compute(graph, expected);
	EXPECT_OK(hy_ir_graph_clone(graph, &other, &error));
	EXPECT_OK(hy_ir_prepare(other, HY_IR_PREPARE_NO_FUSE, &error));
	expect_same(other, expected, seed, "unfused");
	EXPECT_OK(hy_ir_pass_fuse(other, NULL, &error));
	EXPECT_OK(hy_ir_verify(other, &error));
	EXPECT_OK(hy_ir_infer_graph(other, &error));
	expect_plain_regions(other, seed);
	expect_same(other, expected, seed, "fused");
	EXPECT_OK(hy_ir_pass_unfuse(other, NULL, &error));
	EXPECT_OK(hy_ir_verify(other, &error));
	expect_same(other, expected, seed, "fused and unfused");
	hy_ir_eval_release(hy_ir_graph_output_count(graph), expected);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(other);
}

static void passes_keep_the_numbers_of_random_graphs(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= GRAPHS; seed++)
		judge(seed);
}

static void preparing_twice_changes_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		hy_ir_graph *graph = random_graph(seed);
		char *once = NULL, *twice = NULL;
		EXPECT_OK(hy_ir_prepare(graph, 0, &error));
		EXPECT_OK(hy_ir_text_print(graph, HY_IR_TEXT_FULL, &once, &error));
		EXPECT_OK(hy_ir_prepare(graph, 0, &error));
		EXPECT_OK(hy_ir_text_print(graph, HY_IR_TEXT_FULL, &twice, &error));
		assert_string_equal(once, twice);
		free(once);
		free(twice);
		hy_ir_graph_destroy(graph);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(passes_keep_the_numbers_of_random_graphs),
		CASE(preparing_twice_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
