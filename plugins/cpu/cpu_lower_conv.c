/* Conv and ConvTranspose, channels innermost, with their epilogue in the kernel. */
#include "cpu_build.h"

typedef struct conv {
	uint32_t node;
	hy_cpu_order order; /* channels innermost */
	hy_cpu_layer layer;
	hy_cpu_md plain_weights; /* as the model has them */
	hy_cpu_epilogue epilogue;
	hy_cpu_prim *prim;
} conv;

/* The model's weights as oneDNN names their dims: [groups,] output channels, input channels, kernel. */
static void weights_md(conv *c, const hy_ir_type *type, int64_t groups)
{
	hy_cpu_md md = {.dtype = type->dtype};
	const bool is_transposed = c->layer.kind == HY_CPU_DECONV;
	int64_t stride[HY_MAX_RANK], step = 1;
	for (uint32_t i = type->rank; i-- > 0;) {
		stride[i] = step;
		step *= type->dim[i];
	}
	const uint32_t out = is_transposed ? 1 : 0, in = is_transposed ? 0 : 1;
	/* Groups divide the model's dimension 0: output channels, or input channels when transposed. */
	if (groups > 1) {
		md.dim[md.rank] = groups;
		md.stride[md.rank++] = stride[0] * (type->dim[0] / groups);
	}
	md.dim[md.rank] = out == 0 ? type->dim[0] / groups : type->dim[1];
	md.stride[md.rank++] = stride[out];
	md.dim[md.rank] = in == 0 ? type->dim[0] / groups : type->dim[1];
	md.stride[md.rank++] = stride[in];
	for (uint32_t i = 2; i < type->rank; i++) {
		md.dim[md.rank] = type->dim[i];
		md.stride[md.rank++] = stride[i];
	}
	c->plain_weights = md;
	c->layer.weights = md;
	c->layer.weights.any = true;
}

static hy_cpu_md dense_md(const hy_ir_type *type, const hy_cpu_order *order)
{
	hy_cpu_view view = {.type = *type};
	hy_cpu_view_dense(&view, order);
	return hy_cpu_view_md(&view);
}

static hy_status read_node(hy_cpu_build *build, conv *c)
{
	const hy_cpu_node *n = &build->nodes[c->node];
	const hy_ir_type *in = &build->values[n->inputs[0]].view.type;
	const hy_ir_type *weights = &build->values[n->inputs[1]].view.type;
	const hy_ir_type *out = &build->values[n->outputs[0]].view.type;
	if (in->dtype != HY_DTYPE_F32) return HY_UNSUPPORTED;
	c->order = hy_cpu_order_last(in->rank);
	c->layer.kind = n->op->id == HY_IR_OP_Conv ? HY_CPU_CONV : HY_CPU_DECONV;
	if (c->layer.kind == HY_CPU_CONV) {
		const hy_status status = hy_cpu_window_read(n->ir, in, out, weights->dim + 2, &c->layer.window);
		if (status != HY_OK) return status;
	} else {
		/* Transposed, input and output change places. */
		const hy_status status = hy_cpu_window_read(n->ir, out, in, weights->dim + 2, &c->layer.window);
		const char *automatic = hy_ir_node_attr_string(n->ir, "auto_pad", "NOTSET");
		if (status != HY_OK || strcmp(automatic, "NOTSET") != 0) return HY_UNSUPPORTED;
		for (uint32_t i = 0; i < c->layer.window.rank; i++) {
			if (c->layer.window.end[i] < 0) return HY_UNSUPPORTED;
		}
	}
	c->layer.src = dense_md(in, &c->order);
	c->layer.dst = dense_md(out, &c->order);
	weights_md(c, weights, hy_ir_node_attr_int(n->ir, "group", 1));
	if (n->ir->input_count > 2 && n->inputs[2] != HY_CPU_NONE) {
		const hy_cpu_order plain = hy_cpu_order_plain();
		c->layer.bias = dense_md(&build->values[n->inputs[2]].view.type, &plain);
	}
	return HY_OK;
}

/* With the epilogue if that keeps a fast kernel, else without. */
static hy_status choose_kernel(hy_cpu_build *build, conv *c, hy_error *error)
{
	hy_cpu_epilogue_find(build, c->node, &c->order, &c->epilogue);
	c->layer.post_count = c->epilogue.post_count;
	memcpy(c->layer.posts, c->epilogue.posts, sizeof(c->layer.posts));
	hy_status status = hy_cpu_dnnl_layer(build->device->dnnl, &c->layer, &c->prim, error);
	if (c->layer.post_count == 0 || (status == HY_OK && !hy_cpu_prim_is_reference(c->prim))) return status;
	if (status == HY_OK) hy_cpu_prim_destroy(c->prim);
	c->prim = NULL;
	hy_cpu_epilogue_none(build, c->node, &c->epilogue);
	c->layer.post_count = 0;
	return hy_cpu_dnnl_layer(build->device->dnnl, &c->layer, &c->prim, error);
}

/* Weights that the model computes are packed at each run. */
static hy_status pack_weights(hy_cpu_build *build, conv *c, hy_cpu_view *out_view, hy_error *error)
{
	const uint32_t value = build->nodes[c->node].inputs[1];
	if (build->values[value].data != NULL) {
		return hy_cpu_build_packed(build, c->prim, 1, &c->plain_weights, build->values[value].data, out_view,
		                           error);
	}
	const hy_cpu_order plain = hy_cpu_order_plain();
	hy_cpu_view views[2];
	hy_cpu_prim *move = NULL;
	hy_status status = hy_cpu_build_dense(build, value, &plain, &views[0], error);
	if (status == HY_OK) status = hy_cpu_prim_packer(c->prim, 1, &c->plain_weights, &move, error);
	if (status == HY_OK) {
		views[1] = (hy_cpu_view){.storage = HY_CPU_NONE};
		status = hy_cpu_build_storage(build, HY_CPU_BASE_WORKSPACE, hy_cpu_prim_bytes(c->prim, 1),
		                              &views[1].storage, error);
	}
	if (status == HY_OK) status = hy_cpu_build_prim(build, move, views, 2, error);
	if (status != HY_OK) {
		hy_cpu_prim_destroy(move);
		return status;
	}
	*out_view = views[1];
	return HY_OK;
}

/* Winograd's kernel works in places of its own: source and target are moved where their other users don't share them. */
static hy_status choose_winograd(hy_cpu_build *build, conv *c, hy_error *error)
{
	hy_device *device = build->device;
	if (build->values[build->nodes[c->node].inputs[1]].data == NULL) return HY_OK;
	if (!hy_cpu_tune_winograd(device->tune, device->dnnl, &c->layer, c->prim)) return HY_OK;
	hy_cpu_prim_destroy(c->prim);
	c->prim = NULL;
	c->layer.is_winograd = true;
	c->layer.src.any = true;
	c->layer.dst.any = true;
	return hy_cpu_dnnl_layer(device->dnnl, &c->layer, &c->prim, error);
}

hy_status hy_cpu_lower_conv(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	conv c = {.node = node};
	hy_cpu_view views[4 + HY_CPU_MAX_POSTS];
	uint32_t count = 0;
	hy_status status = read_node(build, &c);
	if (status == HY_OK) status = choose_kernel(build, &c, error);
	if (status != HY_OK) return status;
	status = choose_winograd(build, &c, error);
	const uint32_t source = build->nodes[node].inputs[0];
	if (status == HY_OK) {
		status = c.layer.is_winograd
		                 ? hy_cpu_build_packed_source(build, source, c.prim, 0, &views[count++], error)
		                 : hy_cpu_build_dense(build, source, &c.order, &views[count++], error);
	}
	if (status == HY_OK) status = pack_weights(build, &c, &views[count++], error);
	if (status == HY_OK && c.layer.bias.rank > 0) {
		const hy_cpu_order plain = hy_cpu_order_plain();
		status = hy_cpu_build_dense(build, build->nodes[node].inputs[2], &plain, &views[count++], error);
	}
	if (status == HY_OK) {
		status = c.layer.is_winograd ? hy_cpu_build_make_packed(build, c.epilogue.output, c.prim, count,
		                                                        &views[count], error)
		                             : hy_cpu_epilogue_place(build, &c.epilogue, &c.order, &views[count],
		                                                     &views[count + 1], error);
		count += 1 + c.epilogue.operand_count;
	}
	if (status == HY_OK) status = hy_cpu_build_prim(build, c.prim, views, count, error);
	if (status != HY_OK) {
		hy_cpu_prim_destroy(c.prim);
		return status == HY_UNSUPPORTED ? HY_INTERNAL : status;
	}
	hy_cpu_epilogue_done(build, &c.epilogue);
	return HY_OK;
}
