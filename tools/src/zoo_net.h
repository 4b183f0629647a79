/* Layers for writing architectures down: each call appends nodes to a net and returns the value they make.
 *
 * The first failure stays: after it every call does nothing and returns HY_IR_NONE, so that an architecture reads as
 * a list of layers. Image shapes are [N, channels, height, width]; sequences are [N, tokens, width]. */
#ifndef HALYARD_TOOLS_ZOO_NET_H
#define HALYARD_TOOLS_ZOO_NET_H

#include "zoo.h"

struct zoo_net {
	hy_ir_graph *graph;
	uint64_t seed;
	int64_t batch; /* HY_IR_DIM_UNKNOWN: symbolic */
	hy_status status;
	hy_error *error;
};

/* A name made of two parts, for arguments below; lives to the end of the full expression's block. */
typedef struct zoo_name {
	char text[96];
} zoo_name;
zoo_name zoo_join(const char *format, ...) HY_PRINTF(1, 2);

/* The batch dimension is put in front of dims. */
uint32_t zoo_input(zoo_net *net, const char *name, hy_dtype dtype, uint32_t rank, const int64_t *dims);
void zoo_output(zoo_net *net, const char *name, uint32_t value);

/* A constant of normal numbers with this mean and deviation; every name has a stream of its own. */
uint32_t zoo_normal(zoo_net *net, const char *name, uint32_t rank, const int64_t *dims, double mean, double deviation);
uint32_t zoo_ints(zoo_net *net, const char *name, uint32_t count, const int64_t *values);
uint32_t zoo_scalar(zoo_net *net, const char *name, float value);

uint32_t zoo_node(zoo_net *net, const char *type, const char *name, uint32_t input_count, const uint32_t *inputs,
                  uint32_t attr_count, const hy_ir_attr *attrs);
uint32_t zoo_unary(zoo_net *net, const char *type, const char *name, uint32_t x);
uint32_t zoo_binary(zoo_net *net, const char *type, const char *name, uint32_t a, uint32_t b);

typedef struct zoo_conv_options {
	int64_t in, out, kernel, stride, pad, groups; /* stride 0 is 1, groups 0 is 1 */
	bool no_bias;
} zoo_conv_options;
/* He-normal weights. */
uint32_t zoo_conv(zoo_net *net, const char *name, uint32_t x, zoo_conv_options options);
/* Twice the height and width. */
uint32_t zoo_upconv(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out);
/* BatchNormalization whose scale is near `gain`. */
uint32_t zoo_norm(zoo_net *net, const char *name, uint32_t x, int64_t channels, double gain);
uint32_t zoo_layer_norm(zoo_net *net, const char *name, uint32_t x, int64_t width);
uint32_t zoo_pool(zoo_net *net, const char *type, const char *name, uint32_t x, int64_t kernel, int64_t stride,
                  int64_t pad, int64_t end_pad);
/* Gemm on [N, in]. */
uint32_t zoo_dense(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out, double gain);
/* MatMul and Add on [..., in]. */
uint32_t zoo_linear(zoo_net *net, const char *name, uint32_t x, int64_t in, int64_t out);
uint32_t zoo_concat(zoo_net *net, const char *name, int64_t axis, uint32_t count, const uint32_t *inputs);
uint32_t zoo_reshape(zoo_net *net, const char *name, uint32_t x, uint32_t rank, const int64_t *dims);
uint32_t zoo_transpose(zoo_net *net, const char *name, uint32_t x, uint32_t rank, const int64_t *order);
uint32_t zoo_softmax(zoo_net *net, const char *name, uint32_t x);
uint32_t zoo_gelu(zoo_net *net, const char *name, uint32_t x);

/* Multi-head self-attention of [N, tokens, width]; mask is added to the scores, or HY_IR_NONE. */
uint32_t zoo_attention(zoo_net *net, const char *name, uint32_t x, uint32_t mask, int64_t tokens, int64_t width,
                       int64_t heads);

/* The architectures. */
void zoo_resnet50(zoo_net *net, int64_t size);
void zoo_mobilenet_v2(zoo_net *net, int64_t size);
void zoo_squeezenet(zoo_net *net, int64_t size);
void zoo_vgg16(zoo_net *net, int64_t size);
void zoo_unet(zoo_net *net, int64_t size);
void zoo_yolo(zoo_net *net, int64_t size);
void zoo_bert_tiny(zoo_net *net, int64_t tokens);
void zoo_vit_tiny(zoo_net *net, int64_t size);

#endif
