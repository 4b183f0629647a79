/* MaxPool, AveragePool and their global forms. */
#include "conv.h"

#include "handler.h"

#include <string.h>

/* KIND of the templates. */
enum { KIND_LARGEST = 0, KIND_INSIDE = 1, KIND_PADDED = 2 };

static int kind_of(const hy_kernels__node *node)
{
	if (node->op->id == HY_IR_OP_MaxPool || node->op->id == HY_IR_OP_GlobalMaxPool) return KIND_LARGEST;
	return hy_ir_node_attr_int(node->ir, "count_include_pad", 0) != 0 ? KIND_PADDED : KIND_INSIDE;
}

static void lower_blocked(hy_kernels__lower *lower, const hy_kernels__node *node, const hy_kernels__conv *conv)
{
	const hy_ir_type in = *hy_kernels__type(lower, node->inputs[0]),
			 out = *hy_kernels__type(lower, node->outputs[0]);
	hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_BLOCK, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_BLOCK);
	const hy_kernels__plane from = hy_kernels__plane_of(&in, x.pad), to = hy_kernels__plane_of(&out, y.pad);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "KIND", "%d", kind_of(node));
	static const char *const side[2] = {"H", "W"};
	for (uint32_t d = 0; d < 2; d++) {
		char name[16];
		const int64_t values[5] = {conv->kernel[d], conv->stride[d], conv->dilation[d], conv->begin[d],
		                           conv->end[d]};
		static const char *const names[5] = {"TAPS_", "STRIDE_", "DILATION_", "BEGIN_", "END_"};
		for (uint32_t i = 0; i < 5; i++) {
			strcpy(name, names[i]);
			strcat(name, side[d]);
			hy_kernels__text_define(&defines, name, "%lld", (long long)values[i]);
		}
	}
	const uint32_t kernel = hy_kernels__kernel(lower, "pool_block", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)conv->out[0], hy_kernels__blocks(&out),
	                   (uint64_t)conv->batch, 1);
	x.offset += (uint64_t)from.origin * BLOCK * sizeof(float);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, y);
	hy_kernels__pass_int(lower, (int64_t)x.planes * from.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)from.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)from.row * BLOCK);
	hy_kernels__pass_int(lower, conv->in[0]);
	hy_kernels__pass_int(lower, conv->in[1]);
	hy_kernels__pass_int(lower, (int64_t)y.planes * to.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)to.plane * BLOCK);
	hy_kernels__pass_int(lower, to.row);
	hy_kernels__pass_int(lower, y.pad);
	hy_kernels__pass_int(lower, conv->out[0]);
	hy_kernels__pass_int(lower, conv->out[1]);
}

static void lower_plain(hy_kernels__lower *lower, const hy_kernels__node *node, const hy_kernels__conv *conv)
{
	const hy_ir_type out = *hy_kernels__type(lower, node->outputs[0]);
	const bool indices = hy_kernels__wants_output(node, 1);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(out.dtype));
	hy_kernels__text_define(&defines, "KIND", "%d", kind_of(node));
	hy_kernels__text_define(&defines, "INDICES", "%d", indices);
	hy_kernels__text_define(&defines, "COLUMN_ORDER", "%d", (int)hy_ir_node_attr_int(node->ir, "storage_order", 0));
	hy_kernels__conv_define(conv, &defines);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const hy_kernels__place z = indices ? hy_kernels__make(lower, node->outputs[1], FORM_PLAIN) : y;
	const uint32_t kernel = hy_kernels__kernel(lower, "pool", &defines, NULL);
	if (hy_ir_type_elements(&out) == 0) return;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)hy_ir_type_elements(&out), 1, 1,
	                   lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, y);
	hy_kernels__pass(lower, z);
}

hy_status hy_kernels__lower_pool(hy_kernels__lower *lower, const hy_kernels__node *node,
                                 const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	hy_kernels__conv conv;
	hy_kernels__conv_read(lower, node, &conv);
	if (lower->values[node->outputs[0]].form == FORM_BLOCK)
		lower_blocked(lower, node, &conv);
	else
		lower_plain(lower, node, &conv);
	return HY_OK;
}

static void lower_global_blocked(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	const hy_ir_type in = *hy_kernels__type(lower, node->inputs[0]),
			 out = *hy_kernels__type(lower, node->outputs[0]);
	hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_BLOCK, 0);
	hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_BLOCK);
	const hy_kernels__plane from = hy_kernels__plane_of(&in, x.pad), to = hy_kernels__plane_of(&out, y.pad);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "KIND", "%d", kind_of(node));
	const uint32_t kernel = hy_kernels__kernel(lower, "global_pool_block", &defines, NULL);
	hy_kernels__launch(lower, kernel, node->row, hy_kernels__blocks(&out), (uint64_t)in.dim[0], 1, 1);
	x.offset += (uint64_t)from.origin * BLOCK * sizeof(float);
	y.offset += (uint64_t)to.origin * BLOCK * sizeof(float);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, y);
	hy_kernels__pass_int(lower, (int64_t)x.planes * from.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)from.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)from.row * BLOCK);
	hy_kernels__pass_int(lower, in.dim[2]);
	hy_kernels__pass_int(lower, in.dim[3]);
	hy_kernels__pass_int(lower, (int64_t)y.planes * to.plane * BLOCK);
	hy_kernels__pass_int(lower, (int64_t)to.plane * BLOCK);
}

/* A window as large as the plane. */
hy_status hy_kernels__lower_global_pool(hy_kernels__lower *lower, const hy_kernels__node *node,
                                        const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	if (lower->values[node->outputs[0]].form == FORM_BLOCK && lower->values[node->outputs[0]].pad == 0) {
		lower_global_blocked(lower, node);
		return HY_OK;
	}
	hy_kernels__conv conv;
	hy_kernels__conv_read(lower, node, &conv);
	memcpy(conv.kernel, conv.in, sizeof(conv.kernel));
	lower_plain(lower, node, &conv);
	return HY_OK;
}
