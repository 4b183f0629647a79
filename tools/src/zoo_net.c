/* Layers of the zoo's architectures. */
#include "zoo_net.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

zoo_name zoo_join(const char *format, ...)
{
	zoo_name name;
	va_list args;
	va_start(args, format);
	vsnprintf(name.text, sizeof(name.text), format, args);
	va_end(args);
	return name;
}

/* ---- seeded numbers: splitmix64 (Steele et al., 2014) and the Box-Muller transform ---- */

static uint64_t next_bits(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static double next_uniform(uint64_t *state)
{
	return ((double)(next_bits(state) >> 11) + 0.5) * 0x1p-53;
}

static void fill_normal(uint64_t state, double mean, double deviation, int64_t count, float *out)
{
	for (int64_t i = 0; i < count; i += 2) {
		const double radius = deviation * sqrt(-2 * log(next_uniform(&state)));
		const double angle = 6.283185307179586 * next_uniform(&state);
		out[i] = (float)(mean + radius * cos(angle));
		if (i + 1 < count) out[i + 1] = (float)(mean + radius * sin(angle));
	}
}

static uint64_t stream_of(uint64_t seed, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash ^ seed * 0x9e3779b97f4a7c15u;
}

/* ---- values ---- */

static uint32_t constant(zoo_net *net, const char *name, const hy_ir_type *type, const void *data)
{
	uint32_t value = HY_IR_NONE;
	if (net->status == HY_OK) net->status = hy_ir_build_constant(net->graph, name, type, data, &value, net->error);
	return net->status == HY_OK ? value : HY_IR_NONE;
}

static hy_ir_type type_of(hy_dtype dtype, uint32_t rank, const int64_t *dims)
{
	hy_ir_type type = {.dtype = dtype, .rank = rank};
	for (uint32_t i = 0; i < rank; i++)
		type.dim[i] = dims[i];
	return type;
}

uint32_t zoo_input(zoo_net *net, const char *name, hy_dtype dtype, uint32_t rank, const int64_t *dims)
{
	hy_ir_type type = {.dtype = dtype, .rank = rank + 1, .dim = {net->batch}};
	memcpy(&type.dim[1], dims, rank * sizeof(dims[0]));
	const char *names[HY_MAX_RANK] = {net->batch == HY_IR_DIM_UNKNOWN ? "N" : NULL};
	uint32_t value = HY_IR_NONE;
	if (net->status == HY_OK) net->status = hy_ir_build_input(net->graph, name, &type, names, &value, net->error);
	return net->status == HY_OK ? value : HY_IR_NONE;
}

void zoo_output(zoo_net *net, const char *name, uint32_t value)
{
	const uint32_t named = zoo_unary(net, "Identity", name, value);
	if (net->status == HY_OK) net->status = hy_ir_build_output(net->graph, named, net->error);
}

uint32_t zoo_normal(zoo_net *net, const char *name, uint32_t rank, const int64_t *dims, double mean, double deviation)
{
	const hy_ir_type type = type_of(HY_DTYPE_F32, rank, dims);
	const int64_t count = hy_ir_type_elements(&type);
	float *data = malloc((size_t)count * sizeof(float));
	if (data == NULL) {
		net->status = hy_error_set(net->error, HY_NO_MEMORY, "no memory for the weights of %s", name);
		return HY_IR_NONE;
	}
	fill_normal(stream_of(net->seed, name), mean, deviation, count, data);
	const uint32_t value = constant(net, name, &type, data);
	free(data);
	return value;
}

uint32_t zoo_ints(zoo_net *net, const char *name, uint32_t count, const int64_t *values)
{
	const hy_ir_type type = {.dtype = HY_DTYPE_I64, .rank = 1, .dim = {count}};
	return constant(net, name, &type, values);
}

uint32_t zoo_scalar(zoo_net *net, const char *name, float value)
{
	const hy_ir_type type = {.dtype = HY_DTYPE_F32};
	return constant(net, name, &type, &value);
}

uint32_t zoo_node(zoo_net *net, const char *type, const char *name, uint32_t input_count, const uint32_t *inputs,
                  uint32_t attr_count, const hy_ir_attr *attrs)
{
	uint32_t value = HY_IR_NONE;
	if (net->status == HY_OK)
		net->status = hy_ir_build_op(net->graph, type, name, input_count, inputs, attr_count, attrs, &value,
		                             net->error);
	return net->status == HY_OK ? value : HY_IR_NONE;
}

uint32_t zoo_unary(zoo_net *net, const char *type, const char *name, uint32_t x)
{
	return zoo_node(net, type, name, 1, &x, 0, NULL);
}

uint32_t zoo_binary(zoo_net *net, const char *type, const char *name, uint32_t a, uint32_t b)
{
	return zoo_node(net, type, name, 2, (const uint32_t[]){a, b}, 0, NULL);
}

/* ---- layers ---- */

uint32_t zoo_conv(zoo_net *net, const char *name, uint32_t x, zoo_conv_options o)
{
	const int64_t groups = o.groups == 0 ? 1 : o.groups, stride = o.stride == 0 ? 1 : o.stride;
	const int64_t dims[] = {o.out, o.in / groups, o.kernel, o.kernel};
	const double fan_in = (double)(dims[1] * dims[2] * dims[3]);
	uint32_t inputs[3] = {x, zoo_normal(net, zoo_join("%s.weight", name).text, 4, dims, 0, sqrt(2 / fan_in))};
	if (!o.no_bias) inputs[2] = zoo_normal(net, zoo_join("%s.bias", name).text, 1, dims, 0, 0.05);
	const hy_ir_attr attrs[] = {
		hy_ir_attr_ints("kernel_shape", 2, (const int64_t[]){o.kernel, o.kernel}),
		hy_ir_attr_ints("strides", 2, (const int64_t[]){stride, stride}),
		hy_ir_attr_ints("pads", 4, (const int64_t[]){o.pad, o.pad, o.pad, o.pad}),
		hy_ir_attr_int("group", groups),
	};
	return zoo_node(net, "Conv", name, o.no_bias ? 2 : 3, inputs, 4, attrs);
}

uint32_t zoo_upconv(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out)
{
	const int64_t dims[] = {in, out, 2, 2};
	const uint32_t inputs[] = {x,
	                           zoo_normal(net, zoo_join("%s.weight", name).text, 4, dims, 0, sqrt(2 / (double)in)),
	                           zoo_normal(net, zoo_join("%s.bias", name).text, 1, &out, 0, 0.05)};
	const hy_ir_attr attrs[] = {
		hy_ir_attr_ints("kernel_shape", 2, (const int64_t[]){2, 2}),
		hy_ir_attr_ints("strides", 2, (const int64_t[]){2, 2}),
	};
	return zoo_node(net, "ConvTranspose", name, 3, inputs, 2, attrs);
}

uint32_t zoo_norm(zoo_net *net, const char *name, uint32_t x, int64_t channels, double gain)
{
	const uint32_t inputs[] = {
		x,
		zoo_normal(net, zoo_join("%s.scale", name).text, 1, &channels, gain, 0.1 * gain),
		zoo_normal(net, zoo_join("%s.shift", name).text, 1, &channels, 0, 0.05),
		zoo_normal(net, zoo_join("%s.mean", name).text, 1, &channels, 0, 0.05),
		zoo_normal(net, zoo_join("%s.variance", name).text, 1, &channels, 1, 0.1),
	};
	return zoo_node(net, "BatchNormalization", name, 5, inputs, 0, NULL);
}

uint32_t zoo_layer_norm(zoo_net *net, const char *name, uint32_t x, int64_t width)
{
	const uint32_t inputs[] = {x, zoo_normal(net, zoo_join("%s.scale", name).text, 1, &width, 1, 0.1),
	                           zoo_normal(net, zoo_join("%s.shift", name).text, 1, &width, 0, 0.05)};
	const hy_ir_attr axis = hy_ir_attr_int("axis", -1);
	return zoo_node(net, "LayerNormalization", name, 3, inputs, 1, &axis);
}

uint32_t zoo_pool(zoo_net *net, const char *type, const char *name, uint32_t x, int64_t kernel, int64_t stride,
                  int64_t pad, int64_t end_pad)
{
	const hy_ir_attr attrs[] = {
		hy_ir_attr_ints("kernel_shape", 2, (const int64_t[]){kernel, kernel}),
		hy_ir_attr_ints("strides", 2, (const int64_t[]){stride, stride}),
		hy_ir_attr_ints("pads", 4, (const int64_t[]){pad, pad, end_pad, end_pad}),
	};
	return zoo_node(net, type, name, 1, &x, 3, attrs);
}

uint32_t zoo_dense(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out, double gain)
{
	const double deviation = gain * sqrt(2 / (double)in);
	const uint32_t inputs[] = {
		x, zoo_normal(net, zoo_join("%s.weight", name).text, 2, (const int64_t[]){out, in}, 0, deviation),
		zoo_normal(net, zoo_join("%s.bias", name).text, 1, &out, 0, 0.05)};
	const hy_ir_attr transposed = hy_ir_attr_int("transB", 1);
	return zoo_node(net, "Gemm", name, 3, inputs, 1, &transposed);
}

uint32_t zoo_linear(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out)
{
	const uint32_t weight = zoo_normal(net, zoo_join("%s.weight", name).text, 2, (const int64_t[]){in, out}, 0,
	                                   sqrt(1 / (double)in));
	const uint32_t bias = zoo_normal(net, zoo_join("%s.bias", name).text, 1, &out, 0, 0.05);
	return zoo_binary(net, "Add", zoo_join("%s.add", name).text, zoo_binary(net, "MatMul", name, x, weight), bias);
}

uint32_t zoo_concat(zoo_net *net, const char *name, int64_t axis, uint32_t count, const uint32_t *inputs)
{
	const hy_ir_attr attr = hy_ir_attr_int("axis", axis);
	return zoo_node(net, "Concat", name, count, inputs, 1, &attr);
}

uint32_t zoo_reshape(zoo_net *net, const char *name, uint32_t x, uint32_t rank, const int64_t *dims)
{
	return zoo_binary(net, "Reshape", name, x, zoo_ints(net, zoo_join("%s.shape", name).text, rank, dims));
}

uint32_t zoo_transpose(zoo_net *net, const char *name, uint32_t x, uint32_t rank, const int64_t *order)
{
	const hy_ir_attr perm = hy_ir_attr_ints("perm", rank, order);
	return zoo_node(net, "Transpose", name, 1, &x, 1, &perm);
}

uint32_t zoo_softmax(zoo_net *net, const char *name, uint32_t x)
{
	const hy_ir_attr axis = hy_ir_attr_int("axis", -1);
	return zoo_node(net, "Softmax", name, 1, &x, 1, &axis);
}

/* x/2 * (1 + erf(x / sqrt 2)), in the five nodes that exporters write. */
uint32_t zoo_gelu(zoo_net *net, const char *name, uint32_t x)
{
	const uint32_t root = zoo_scalar(net, zoo_join("%s.root2", name).text, 1.41421356f);
	const uint32_t one = zoo_scalar(net, zoo_join("%s.one", name).text, 1.0f);
	const uint32_t half = zoo_scalar(net, zoo_join("%s.half", name).text, 0.5f);
	const uint32_t scaled = zoo_binary(net, "Div", zoo_join("%s.div", name).text, x, root);
	const uint32_t erf_plus_one = zoo_binary(net, "Add", zoo_join("%s.add", name).text,
	                                         zoo_unary(net, "Erf", zoo_join("%s.erf", name).text, scaled), one);
	const uint32_t product = zoo_binary(net, "Mul", zoo_join("%s.mul", name).text, x, erf_plus_one);
	return zoo_binary(net, "Mul", name, product, half);
}

static uint32_t split_heads(zoo_net *net, const char *name, uint32_t x, int64_t tokens, int64_t heads, int64_t depth,
                            const int64_t *order)
{
	const uint32_t parts = zoo_reshape(net, zoo_join("%s.heads", name).text, x, 4,
	                                   (const int64_t[]){0, tokens, heads, depth});
	return zoo_transpose(net, zoo_join("%s.turned", name).text, parts, 4, order);
}

uint32_t zoo_attention(zoo_net *net, const char *name, uint32_t x, uint32_t mask, int64_t tokens, int64_t width,
                       int64_t heads)
{
	static const int64_t by_head[] = {0, 2, 1, 3}, by_head_transposed[] = {0, 2, 3, 1};
	const int64_t depth = width / heads;
	const zoo_name q = zoo_join("%s.query", name), k = zoo_join("%s.key", name), v = zoo_join("%s.value", name);
	const uint32_t query = split_heads(net, q.text, zoo_linear(net, q.text, x, width, width), tokens, heads, depth,
	                                   by_head);
	const uint32_t key = split_heads(net, k.text, zoo_linear(net, k.text, x, width, width), tokens, heads, depth,
	                                 by_head_transposed);
	const uint32_t value = split_heads(net, v.text, zoo_linear(net, v.text, x, width, width), tokens, heads, depth,
	                                   by_head);
	const uint32_t root = zoo_scalar(net, zoo_join("%s.root", name).text, sqrtf((float)depth));
	uint32_t scores = zoo_binary(net, "Div", zoo_join("%s.scaled", name).text,
	                             zoo_binary(net, "MatMul", zoo_join("%s.scores", name).text, query, key), root);
	if (mask != HY_IR_NONE) scores = zoo_binary(net, "Add", zoo_join("%s.masked", name).text, scores, mask);
	const uint32_t mixed = zoo_binary(net, "MatMul", zoo_join("%s.mixed", name).text,
	                                  zoo_softmax(net, zoo_join("%s.softmax", name).text, scores), value);
	const uint32_t together = zoo_transpose(net, zoo_join("%s.together", name).text, mixed, 4, by_head);
	const uint32_t flat = zoo_reshape(net, zoo_join("%s.flat", name).text, together, 3,
	                                  (const int64_t[]){0, tokens, width});
	return zoo_linear(net, zoo_join("%s.output", name).text, flat, width, width);
}
