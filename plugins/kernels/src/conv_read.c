/* The numbers of convolutions and pools. */
#include "conv.h"

#include <string.h>

static void read_ints(const hy_ir_node *node, const char *name, uint32_t count, uint32_t first, int64_t *values)
{
	const hy_ir_attr *attr = hy_ir_node_attr(node, name);
	for (uint32_t i = 0; attr != NULL && i < count && first + i < attr->count; i++)
		values[i] = attr->ints[first + i];
}

/* Pads of auto_pad, from the output that inference found. */
static void auto_pad(const hy_ir_node *node, const char *kind, hy_kernels__conv *conv)
{
	const bool transposed = strcmp(node->type, "ConvTranspose") == 0;
	int64_t output_padding[HY_MAX_RANK] = {0};
	if (transposed) read_ints(node, "output_padding", conv->rank, 0, output_padding);
	for (uint32_t d = 0; d < conv->rank; d++) {
		const int64_t reach = (conv->kernel[d] - 1) * conv->dilation[d] + 1;
		int64_t total = transposed
		                        ? (conv->in[d] - 1) * conv->stride[d] + output_padding[d] + reach - conv->out[d]
		                        : (conv->out[d] - 1) * conv->stride[d] + reach - conv->in[d];
		if (total < 0) total = 0;
		const int64_t half = total / 2;
		conv->begin[d] = strcmp(kind, "SAME_UPPER") == 0 ? half : total - half;
		conv->end[d] = total - conv->begin[d];
	}
}

void hy_kernels__conv_read(const hy_kernels__lower *lower, const hy_kernels__node *node, hy_kernels__conv *out_conv)
{
	const hy_ir_type *x = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	const hy_ir_node *ir = node->ir;
	hy_kernels__conv conv = {.rank = x->rank - 2, .batch = x->dim[0], .channels = x->dim[1], .filters = y->dim[1]};
	conv.group = hy_ir_node_attr_int(ir, "group", 1);
	for (uint32_t d = 0; d < conv.rank; d++) {
		conv.in[d] = x->dim[d + 2];
		conv.out[d] = y->dim[d + 2];
		conv.stride[d] = conv.dilation[d] = conv.kernel[d] = 1;
	}
	const bool weighted = strcmp(ir->type, "Conv") == 0 || strcmp(ir->type, "ConvTranspose") == 0;
	if (weighted) {
		const hy_ir_type *w = hy_kernels__type(lower, node->inputs[1]);
		for (uint32_t d = 0; d < conv.rank; d++)
			conv.kernel[d] = w->dim[d + 2];
	} else {
		read_ints(ir, "kernel_shape", conv.rank, 0, conv.kernel);
	}
	read_ints(ir, "strides", conv.rank, 0, conv.stride);
	read_ints(ir, "dilations", conv.rank, 0, conv.dilation);
	const char *kind = hy_ir_node_attr_string(ir, "auto_pad", "NOTSET");
	if (strncmp(kind, "SAME", 4) == 0 ||
	    (hy_ir_node_attr(ir, "output_shape") != NULL && strcmp(ir->type, "ConvTranspose") == 0)) {
		auto_pad(ir, kind, &conv);
	} else if (strcmp(kind, "VALID") != 0) {
		read_ints(ir, "pads", conv.rank, 0, conv.begin);
		read_ints(ir, "pads", conv.rank, conv.rank, conv.end);
	}
	*out_conv = conv;
}
