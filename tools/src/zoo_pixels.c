/* Architectures of the zoo that answer for every pixel or box: U-Net and YOLOv3-tiny. */
#include "zoo_net.h"

/* ---- U-Net ---- */

static uint32_t double_conv(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out)
{
	for (int i = 1; i <= 2; i++) {
		const zoo_name conv = zoo_join("%s.conv%d", name, i);
		x = zoo_conv(net, conv.text, x,
		             (zoo_conv_options){
				     .in = i == 1 ? in : out, .out = out, .kernel = 3, .pad = 1, .no_bias = true});
		x = zoo_norm(net, zoo_join("%s.norm", conv.text).text, x, out, 1);
		x = zoo_unary(net, "Relu", zoo_join("%s.relu", conv.text).text, x);
	}
	return x;
}

void zoo_unet(zoo_net *net, int64_t size)
{
	enum { LEVELS = 4 };
	uint32_t skip[LEVELS];
	uint32_t x = zoo_input(net, "image", HY_DTYPE_F32, 3, (const int64_t[]){3, size, size});
	int64_t in = 3, out = 32;
	for (int level = 0; level < LEVELS; level++, out *= 2) {
		skip[level] = double_conv(net, zoo_join("down%d", level + 1).text, x, in, out);
		x = zoo_pool(net, "MaxPool", zoo_join("down%d.pool", level + 1).text, skip[level], 2, 2, 0, 0);
		in = out;
	}
	x = double_conv(net, "bottom", x, in, out);
	for (int level = LEVELS - 1; level >= 0; level--, out /= 2) {
		const zoo_name name = zoo_join("up%d", level + 1);
		const uint32_t parts[] = {skip[level],
		                          zoo_upconv(net, zoo_join("%s.grow", name.text).text, x, out, out / 2)};
		x = zoo_concat(net, zoo_join("%s.concat", name.text).text, 1, 2, parts);
		x = double_conv(net, name.text, x, out, out / 2);
	}
	x = zoo_conv(net, "head", x, (zoo_conv_options){.in = out, .out = 1, .kernel = 1});
	zoo_output(net, "mask", zoo_unary(net, "Sigmoid", "sigmoid", x));
}

/* ---- YOLOv3-tiny ---- */

static uint32_t dark(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out, int64_t kernel)
{
	x = zoo_conv(net, name, x,
	             (zoo_conv_options){.in = in, .out = out, .kernel = kernel, .pad = kernel / 2, .no_bias = true});
	x = zoo_norm(net, zoo_join("%s.norm", name).text, x, out, 1);
	const hy_ir_attr slope = hy_ir_attr_float("alpha", 0.1f);
	return zoo_node(net, "LeakyRelu", zoo_join("%s.leaky", name).text, 1, &x, 1, &slope);
}

static uint32_t upsample(zoo_net *net, const char *name, uint32_t x)
{
	static const float factors[] = {1, 1, 2, 2};
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {4}};
	uint32_t scales = HY_IR_NONE;
	if (net->status == HY_OK)
		net->status = hy_ir_build_constant(net->graph, zoo_join("%s.scales", name).text, &type, factors,
		                                   &scales, net->error);
	const hy_ir_attr attrs[] = {
		hy_ir_attr_string("mode", "nearest"),
		hy_ir_attr_string("coordinate_transformation_mode", "asymmetric"),
		hy_ir_attr_string("nearest_mode", "floor"),
	};
	return zoo_node(net, "Resize", name, 3, (const uint32_t[]){x, HY_IR_NONE, scales}, 3, attrs);
}

void zoo_yolo(zoo_net *net, int64_t size)
{
	enum { HEAD = 255 }; /* 3 boxes of 4 coordinates, objectness and 80 classes */
	uint32_t x = zoo_input(net, "image", HY_DTYPE_F32, 3, (const int64_t[]){3, size, size});
	uint32_t route = HY_IR_NONE;
	int64_t in = 3, out = 16;
	for (int i = 1; i <= 6; i++, out *= 2) {
		x = dark(net, zoo_join("conv%d", i).text, x, in, out, 3);
		if (i == 5) route = x;
		const zoo_name pool = zoo_join("pool%d", i);
		x = i < 6 ? zoo_pool(net, "MaxPool", pool.text, x, 2, 2, 0, 0)
		          : zoo_pool(net, "MaxPool", pool.text, x, 2, 1, 0, 1);
		in = out;
	}
	x = dark(net, "conv7", x, 512, 1024, 3);
	const uint32_t neck = dark(net, "conv8", x, 1024, 256, 1);
	const uint32_t coarse = dark(net, "conv9", neck, 256, 512, 3);
	zoo_output(net, "boxes_coarse",
	           zoo_conv(net, "head1", coarse, (zoo_conv_options){.in = 512, .out = HEAD, .kernel = 1}));
	const uint32_t parts[] = {upsample(net, "upsample", dark(net, "conv10", neck, 256, 128, 1)), route};
	const uint32_t fine = dark(net, "conv11", zoo_concat(net, "concat", 1, 2, parts), 128 + 256, 256, 3);
	zoo_output(net, "boxes_fine",
	           zoo_conv(net, "head2", fine, (zoo_conv_options){.in = 256, .out = HEAD, .kernel = 1}));
}
