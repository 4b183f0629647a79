/* Random small networks on the CPU shape give what the evaluator gives: blocks, halos, joins and epilogues meet in ways
 * that nobody would write down. With an argument: that many networks from that seed on ("test 200 17"). */
#include "test.h"

#include "plugins/opencl_case.h"

#include <halyard/ir/build.h>
#include <halyard/ir/pass.h>

static opencl_place place;
static uint32_t network_count = 6, first_seed = 1;

typedef struct drawing {
	uint64_t dice;
	hy_ir_graph *graph;
	uint32_t values[40], count; /* images that may be read */
} drawing;

static uint32_t roll(drawing *sketch, uint32_t sides)
{
	sketch->dice = sketch->dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(sketch->dice >> 33) % sides;
}

static const hy_ir_type *type_of(const drawing *sketch, uint32_t value)
{
	return &hy_ir_graph_value(sketch->graph, value)->type;
}

static uint32_t constant(drawing *sketch, uint32_t rank, const int64_t *dims, float scale)
{
	hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = rank};
	memcpy(type.dim, dims, rank * sizeof(*dims));
	const int64_t count = hy_ir_type_elements(&type);
	float *data = malloc((size_t)count * sizeof(*data) + 4);
	assert_non_null(data);
	for (int64_t i = 0; i < count; i++)
		data[i] = ((float)roll(sketch, 2001) / 1000.0f - 1.0f) * scale;
	uint32_t value;
	EXPECT_OK(hy_ir_build_constant(sketch->graph, "k", &type, data, &value, &error));
	free(data);
	return value;
}

/* A node whose output type is inferred. */
static uint32_t op(drawing *sketch, const char *name, uint32_t input_count, const uint32_t *inputs, uint32_t attr_count,
                   const hy_ir_attr *attrs)
{
	uint32_t value;
	EXPECT_OK(hy_ir_build_op(sketch->graph, name, name, input_count, inputs, attr_count, attrs, &value, &error));
	EXPECT_OK(hy_ir_infer_graph(sketch->graph, &error));
	return value;
}

static uint32_t pick(drawing *sketch)
{
	return sketch->values[roll(sketch, sketch->count)];
}

static uint32_t add_conv(drawing *sketch, uint32_t x)
{
	const hy_ir_type type = *type_of(sketch, x);
	static const int64_t widths[] = {1, 7, 16, 20, 32, 48, 64};
	const int64_t channels = type.dim[1], side = roll(sketch, 3) * 2 + 1;
	int64_t group = 1, filters = widths[roll(sketch, 7)];
	if (roll(sketch, 4) == 0) group = filters = channels;
	if (roll(sketch, 4) == 0 && channels % 2 == 0) {
		group = 2;
		filters = 32;
	}
	const int64_t weights[4] = {filters, channels / group, side, side}, bias[1] = {filters};
	const uint32_t w = constant(sketch, 4, weights, 0.3f), b = constant(sketch, 1, bias, 0.5f);
	const int64_t pads[4] = {side / 2, roll(sketch, 2) ? side / 2 : 0, side / 2, side / 2};
	const int64_t strides[2] = {1 + roll(sketch, 2), 1 + roll(sketch, 2)};
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("pads", 4, pads), hy_ir_attr_ints("strides", 2, strides),
	                            hy_ir_attr_int("group", group)};
	if (type.dim[2] < 3 * side || type.dim[3] < 3 * side) return x;
	const uint32_t inputs[3] = {x, w, b};
	return op(sketch, "Conv", roll(sketch, 3) ? 3 : 2, inputs, 3, attrs);
}

static uint32_t add_pool(drawing *sketch, uint32_t x)
{
	const hy_ir_type type = *type_of(sketch, x);
	const int64_t kernel[2] = {3, 2}, strides[2] = {2, 1}, pads[4] = {1, 0, 1, 1};
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("kernel_shape", 2, kernel), hy_ir_attr_ints("strides", 2, strides),
	                            hy_ir_attr_ints("pads", 4, pads),
	                            hy_ir_attr_int("count_include_pad", roll(sketch, 2))};
	if (type.dim[2] < 4 || type.dim[3] < 4) return x;
	return roll(sketch, 2) ? op(sketch, "MaxPool", 1, &x, 3, attrs) : op(sketch, "AveragePool", 1, &x, 4, attrs);
}

static uint32_t add_unary(drawing *sketch, uint32_t x)
{
	static const char *const names[] = {"Relu", "Sigmoid", "HardSwish", "Exp", "LeakyRelu", "Tanh", "Softplus"};
	const uint32_t bounded = op(sketch, "Tanh", 1, &x, 0, NULL);
	return op(sketch, names[roll(sketch, 7)], 1, roll(sketch, 2) ? &x : &bounded, 0, NULL);
}

static uint32_t add_binary(drawing *sketch, uint32_t x)
{
	static const char *const names[] = {"Add", "Mul", "Sub", "Max"};
	const hy_ir_type *type = type_of(sketch, x);
	const int64_t shapes[4][4] = {{1, type->dim[1], 1, 1},
	                              {1, 1, 1, 1},
	                              {type->dim[0], type->dim[1], type->dim[2], type->dim[3]},
	                              {1, 1, 1, type->dim[3]}};
	uint32_t other = HY_IR_NONE;
	for (uint32_t tries = 0; tries < 6; tries++) {
		const uint32_t value = pick(sketch);
		if (hy_ir_type_equal(type_of(sketch, value), type)) other = value;
	}
	if (other == HY_IR_NONE || roll(sketch, 2)) other = constant(sketch, 4, shapes[roll(sketch, 4)], 1.0f);
	const uint32_t inputs[2] = {x, other};
	return op(sketch, names[roll(sketch, 4)], 2, inputs, 0, NULL);
}

static uint32_t add_concat(drawing *sketch, uint32_t x)
{
	uint32_t inputs[3] = {x}, count = 1;
	const hy_ir_type *type = type_of(sketch, x);
	for (uint32_t tries = 0; tries < 8 && count < 3; tries++) {
		const uint32_t value = pick(sketch);
		const hy_ir_type *its = type_of(sketch, value);
		if (its->dim[0] == type->dim[0] && its->dim[2] == type->dim[2] && its->dim[3] == type->dim[3])
			inputs[count++] = value;
	}
	const hy_ir_attr axis = hy_ir_attr_int("axis", 1);
	return op(sketch, "Concat", count, inputs, 1, &axis);
}

static uint32_t add_layer(drawing *sketch, uint32_t x)
{
	const hy_ir_attr lrn[] = {hy_ir_attr_int("size", 5), hy_ir_attr_float("alpha", 0.1f)};
	switch (roll(sketch, 9)) {
	case 0:
	case 1:
	case 2:
		return add_conv(sketch, x);
	case 3:
		return add_pool(sketch, x);
	case 4:
	case 5:
		return add_unary(sketch, x);
	case 6:
		return add_binary(sketch, x);
	case 7:
		return add_concat(sketch, x);
	default:
		return roll(sketch, 2) ? op(sketch, "LRN", 1, &x, 2, lrn)
		                       : op(sketch, "GlobalAveragePool", 1, &x, 0, NULL);
	}
}

static hy_ir_graph *draw(uint32_t seed)
{
	drawing sketch = {.dice = seed * UINT64_C(0x9e3779b97f4a7c15)};
	static const int64_t widths[] = {3, 16, 24};
	const hy_ir_type image = {
		.dtype = HY_DTYPE_F32,
		.rank = 4,
		.dim = {1 + roll(&sketch, 2), widths[roll(&sketch, 3)], 9 + roll(&sketch, 12), 9 + roll(&sketch, 30)}};
	EXPECT_OK(hy_ir_graph_create("random", &sketch.graph, &error));
	EXPECT_OK(hy_ir_build_input(sketch.graph, "x", &image, NULL, &sketch.values[0], &error));
	sketch.count = 1;
	for (uint32_t i = 0; i < 10; i++) {
		const uint32_t latest = sketch.values[sketch.count - 1];
		const uint32_t made = add_layer(&sketch, roll(&sketch, 3) ? latest : pick(&sketch));
		if (made != latest) sketch.values[sketch.count++] = made;
	}
	const uint32_t last = sketch.values[sketch.count - 1];
	if (last == sketch.values[0]) sketch.values[sketch.count++] = op(&sketch, "Relu", 1, &last, 0, NULL);
	EXPECT_OK(hy_ir_build_output(sketch.graph, sketch.values[sketch.count - 1], &error));
	if (sketch.count > 4 && roll(&sketch, 2))
		EXPECT_OK(hy_ir_build_output(sketch.graph, sketch.values[sketch.count / 2], &error));
	return sketch.graph;
}

static void random_networks_compute_what_the_evaluator_computes(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < network_count; i++) {
		hy_ir_graph *graph = draw(first_seed + i);
		print_message("network %u\n", first_seed + i);
		EXPECT_OK(hy_ir_prepare(graph, 0, &error));
		opencl_check_graph(&place, graph, 2e-5);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {CASE(random_networks_compute_what_the_evaluator_computes)};
	if (argc > 1) network_count = (uint32_t)atoi(argv[1]);
	if (argc > 2) first_seed = (uint32_t)atoi(argv[2]);
	opencl_open(&place, NULL, NULL);
	const int failures = cmocka_run_group_tests_name("plugins.opencl_random", cases, NULL, NULL);
	opencl_close(&place);
	return failures;
}
