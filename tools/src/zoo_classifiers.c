/* Convolutional image classifiers of the zoo. */
#include "zoo_net.h"

static uint32_t image(zoo_net *net, int64_t size)
{
	return zoo_input(net, "image", HY_DTYPE_F32, 3, (const int64_t[]){3, size, size});
}

static uint32_t conv_norm(zoo_net *net, const char *name, uint32_t x, zoo_conv_options options, double gain)
{
	options.no_bias = true;
	const uint32_t y = zoo_conv(net, name, x, options);
	return zoo_norm(net, zoo_join("%s.norm", name).text, y, options.out, gain);
}

static uint32_t conv_relu(zoo_net *net, const char *name, uint32_t x, zoo_conv_options options)
{
	return zoo_unary(net, "Relu", zoo_join("%s.relu", name).text, zoo_conv(net, name, x, options));
}

static uint32_t conv_norm_relu(zoo_net *net, const char *name, uint32_t x, zoo_conv_options options)
{
	return zoo_unary(net, "Relu", zoo_join("%s.relu", name).text, conv_norm(net, name, x, options, 1));
}

static void classify(zoo_net *net, uint32_t x, int64_t features)
{
	const uint32_t pooled = zoo_unary(net, "GlobalAveragePool", "pool", x);
	const uint32_t flat = zoo_unary(net, "Flatten", "flatten", pooled);
	zoo_output(net, "probability", zoo_softmax(net, "softmax", zoo_dense(net, "dense", flat, features, 1000, 1)));
}

/* ---- ResNet-50 ---- */

/* 1x1, 3x3, 1x1 and a way around. The last norm is scaled down so that 16 blocks don't blow the sum up. */
static uint32_t bottleneck(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t inner, int64_t stride)
{
	const int64_t out = 4 * inner;
	uint32_t y = conv_norm_relu(net, zoo_join("%s.conv1", name).text, x,
	                            (zoo_conv_options){.in = in, .out = inner, .kernel = 1});
	y = conv_norm_relu(net, zoo_join("%s.conv2", name).text, y,
	                   (zoo_conv_options){.in = inner, .out = inner, .kernel = 3, .stride = stride, .pad = 1});
	y = conv_norm(net, zoo_join("%s.conv3", name).text, y, (zoo_conv_options){.in = inner, .out = out, .kernel = 1},
	              0.3);
	if (in != out || stride != 1)
		x = conv_norm(net, zoo_join("%s.around", name).text, x,
		              (zoo_conv_options){.in = in, .out = out, .kernel = 1, .stride = stride}, 0.7);
	return zoo_unary(net, "Relu", zoo_join("%s.relu", name).text,
	                 zoo_binary(net, "Add", zoo_join("%s.add", name).text, y, x));
}

void zoo_resnet50(zoo_net *net, int64_t size)
{
	static const int64_t depth[] = {3, 4, 6, 3};
	uint32_t x = conv_norm_relu(net, "stem", image(net, size),
	                            (zoo_conv_options){.in = 3, .out = 64, .kernel = 7, .stride = 2, .pad = 3});
	x = zoo_pool(net, "MaxPool", "stem.pool", x, 3, 2, 1, 1);
	int64_t in = 64, inner = 64;
	for (int stage = 0; stage < 4; stage++, inner *= 2) {
		for (int64_t block = 0; block < depth[stage]; block++) {
			const int64_t stride = stage > 0 && block == 0 ? 2 : 1;
			x = bottleneck(net, zoo_join("stage%d.block%d", stage + 1, (int)block + 1).text, x, in, inner,
			               stride);
			in = 4 * inner;
		}
	}
	classify(net, x, in);
}

/* ---- MobileNetV2 ---- */

static uint32_t conv_norm_relu6(zoo_net *net, const char *name, uint32_t x, zoo_conv_options options)
{
	const uint32_t y = conv_norm(net, name, x, options, 1);
	const uint32_t inputs[] = {y, zoo_scalar(net, zoo_join("%s.low", name).text, 0),
	                           zoo_scalar(net, zoo_join("%s.high", name).text, 6)};
	return zoo_node(net, "Clip", zoo_join("%s.clip", name).text, 3, inputs, 0, NULL);
}

static uint32_t inverted_residual(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out, int64_t stride,
                                  int64_t expand)
{
	const int64_t inner = in * expand;
	uint32_t y = x;
	if (expand != 1)
		y = conv_norm_relu6(net, zoo_join("%s.expand", name).text, y,
		                    (zoo_conv_options){.in = in, .out = inner, .kernel = 1});
	y = conv_norm_relu6(
		net, zoo_join("%s.depth", name).text, y,
		(zoo_conv_options){
			.in = inner, .out = inner, .kernel = 3, .stride = stride, .pad = 1, .groups = inner});
	y = conv_norm(net, zoo_join("%s.project", name).text, y,
	              (zoo_conv_options){.in = inner, .out = out, .kernel = 1}, 0.7);
	return stride == 1 && in == out ? zoo_binary(net, "Add", zoo_join("%s.add", name).text, x, y) : y;
}

void zoo_mobilenet_v2(zoo_net *net, int64_t size)
{
	static const struct {
		int64_t expand, out, count, stride;
	} stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
	              {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
	uint32_t x = conv_norm_relu6(net, "stem", image(net, size),
	                             (zoo_conv_options){.in = 3, .out = 32, .kernel = 3, .stride = 2, .pad = 1});
	int64_t in = 32;
	for (int stage = 0; stage < 7; stage++) {
		for (int64_t block = 0; block < stages[stage].count; block++) {
			x = inverted_residual(net, zoo_join("stage%d.block%d", stage + 1, (int)block + 1).text, x, in,
			                      stages[stage].out, block == 0 ? stages[stage].stride : 1,
			                      stages[stage].expand);
			in = stages[stage].out;
		}
	}
	x = conv_norm_relu6(net, "head", x, (zoo_conv_options){.in = in, .out = 1280, .kernel = 1});
	classify(net, x, 1280);
}

/* ---- SqueezeNet 1.1 ---- */

static uint32_t fire(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t squeeze, int64_t expand)
{
	const uint32_t s = conv_relu(net, zoo_join("%s.squeeze", name).text, x,
	                             (zoo_conv_options){.in = in, .out = squeeze, .kernel = 1});
	const uint32_t parts[] = {
		conv_relu(net, zoo_join("%s.expand1", name).text, s,
	                  (zoo_conv_options){.in = squeeze, .out = expand, .kernel = 1}),
		conv_relu(net, zoo_join("%s.expand3", name).text, s,
	                  (zoo_conv_options){.in = squeeze, .out = expand, .kernel = 3, .pad = 1}),
	};
	return zoo_concat(net, zoo_join("%s.concat", name).text, 1, 2, parts);
}

void zoo_squeezenet(zoo_net *net, int64_t size)
{
	static const struct {
		int64_t squeeze, expand;
		bool pool_before;
	} fires[] = {{16, 64, true},  {16, 64, false},  {32, 128, true},  {32, 128, false},
	             {48, 192, true}, {48, 192, false}, {64, 256, false}, {64, 256, false}};
	uint32_t x = conv_relu(net, "stem", image(net, size),
	                       (zoo_conv_options){.in = 3, .out = 64, .kernel = 3, .stride = 2, .pad = 1});
	int64_t in = 64;
	for (int i = 0; i < 8; i++) {
		const zoo_name name = zoo_join("fire%d", i + 2);
		if (fires[i].pool_before)
			x = zoo_pool(net, "MaxPool", zoo_join("%s.pool", name.text).text, x, 3, 2, 0, 1);
		x = fire(net, name.text, x, in, fires[i].squeeze, fires[i].expand);
		in = 2 * fires[i].expand;
	}
	x = conv_relu(net, "head", x, (zoo_conv_options){.in = in, .out = 1000, .kernel = 1});
	const uint32_t flat = zoo_unary(net, "Flatten", "flatten", zoo_unary(net, "GlobalAveragePool", "pool", x));
	zoo_output(net, "probability", zoo_softmax(net, "softmax", flat));
}

/* ---- VGG-16 ---- */

void zoo_vgg16(zoo_net *net, int64_t size)
{
	static const struct {
		int64_t out, count;
	} stages[] = {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};
	uint32_t x = image(net, size);
	int64_t in = 3;
	for (int stage = 0; stage < 5; stage++) {
		for (int64_t i = 0; i < stages[stage].count; i++) {
			x = conv_relu(net, zoo_join("stage%d.conv%d", stage + 1, (int)i + 1).text, x,
			              (zoo_conv_options){.in = in, .out = stages[stage].out, .kernel = 3, .pad = 1});
			in = stages[stage].out;
		}
		x = zoo_pool(net, "MaxPool", zoo_join("stage%d.pool", stage + 1).text, x, 2, 2, 0, 0);
	}
	x = zoo_unary(net, "Flatten", "flatten", x);
	const int64_t features = in * (size / 32) * (size / 32);
	x = zoo_unary(net, "Relu", "dense1.relu", zoo_dense(net, "dense1", x, features, 4096, 1));
	x = zoo_unary(net, "Relu", "dense2.relu", zoo_dense(net, "dense2", x, 4096, 4096, 1));
	zoo_output(net, "probability", zoo_softmax(net, "softmax", zoo_dense(net, "dense3", x, 4096, 1000, 1)));
}
