/* Normalisations: LRN, Softmax, LogSoftmax, LayerNormalization. */
#include "cpu_build.h"

static hy_status one_to_one(hy_cpu_build *build, uint32_t node, const hy_cpu_order *order, hy_cpu_prim *prim,
                            hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	hy_cpu_view views[2];
	hy_status status = hy_cpu_build_dense(build, n.inputs[0], order, &views[0], error);
	if (status == HY_OK) status = hy_cpu_build_make(build, n.outputs[0], order, 0, &views[1], error);
	if (status == HY_OK) status = hy_cpu_build_prim(build, prim, views, 2, error);
	if (status != HY_OK) hy_cpu_prim_destroy(prim);
	return status;
}

hy_status hy_cpu_lower_lrn(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node *n = &build->nodes[node];
	hy_cpu_view view = build->values[n->inputs[0]].view;
	const hy_cpu_order order = hy_cpu_order_last(view.type.rank);
	const hy_cpu_lrn lrn = {
		.size = hy_ir_node_attr_int(n->ir, "size", 1),
		.alpha = hy_ir_node_attr_float(n->ir, "alpha", 0.0001f),
		.beta = hy_ir_node_attr_float(n->ir, "beta", 0.75f),
		.bias = hy_ir_node_attr_float(n->ir, "bias", 1.0f),
	};
	hy_cpu_prim *prim = NULL;
	/* An even size is centred differently. */
	if (view.type.dtype != HY_DTYPE_F32 || view.type.rank < 3 || view.type.rank > 5 || lrn.size % 2 == 0)
		return HY_UNSUPPORTED;
	hy_cpu_view_dense(&view, &order);
	const hy_cpu_md src = hy_cpu_view_md(&view);
	const hy_status status = hy_cpu_dnnl_lrn(build->device->dnnl, &src, &lrn, &prim, error);
	return status == HY_OK ? one_to_one(build, node, &order, prim, error) : status;
}

hy_status hy_cpu_lower_softmax(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node *n = &build->nodes[node];
	const uint32_t rank = build->values[n->inputs[0]].view.type.rank;
	const int64_t axis = hy_ir_node_attr_int(n->ir, "axis", -1);
	const uint32_t dim = (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
	const hy_cpu_softmax_kind kind = n->op->id == HY_IR_OP_Softmax ? HY_CPU_SOFTMAX : HY_CPU_LOG_SOFTMAX;
	hy_cpu_order order = hy_cpu_order_plain();
	hy_cpu_prim *prim = NULL;
	hy_cpu_view view;
	if (build->values[n->inputs[0]].view.type.dtype != HY_DTYPE_F32 || rank == 0 || rank > 6) return HY_UNSUPPORTED;
	hy_status status = hy_cpu_build_view(build, n->inputs[0], &view, error);
	if (status != HY_OK) return status;
	/* The input's own order when the axis is innermost there, else the model's. */
	const hy_cpu_order found = hy_cpu_order_of(&view);
	if (found.dim[rank - 1] == dim) order = found;
	hy_cpu_view_dense(&view, &order);
	const hy_cpu_md src = hy_cpu_view_md(&view);
	status = hy_cpu_dnnl_softmax(build->device->dnnl, kind, &src, dim, &prim, error);
	return status == HY_OK ? one_to_one(build, node, &order, prim, error) : status;
}

/* Scale, or shift when there is none: constants, or dense in the workspace. */
static hy_status vector_view(hy_cpu_build *build, uint32_t value, float filler, int64_t count, hy_cpu_view *out_view,
                             hy_error *error)
{
	const hy_cpu_order plain = hy_cpu_order_plain();
	if (value != HY_CPU_NONE) return hy_cpu_build_dense(build, value, &plain, out_view, error);
	void *data;
	*out_view = (hy_cpu_view){.storage = HY_CPU_NONE};
	const hy_status status = hy_cpu_build_block(build, (uint64_t)count * sizeof(float), &data, &out_view->storage,
	                                            error);
	for (int64_t i = 0; i < count && status == HY_OK; i++)
		((float *)data)[i] = filler;
	return status;
}

hy_status hy_cpu_lower_layer_norm(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const hy_ir_type type = build->values[n.inputs[0]].view.type;
	const int64_t axis = hy_ir_node_attr_int(n.ir, "axis", -1);
	const uint32_t first = (uint32_t)(axis < 0 ? axis + (int64_t)type.rank : axis);
	const hy_cpu_order plain = hy_cpu_order_plain();
	hy_cpu_view views[4], flat = {.type = {.dtype = type.dtype, .rank = 2, .dim = {1, 1}}};
	hy_cpu_prim *prim = NULL;
	if (type.dtype != HY_DTYPE_F32) return HY_UNSUPPORTED;
	for (uint32_t i = 1; i < n.ir->output_count; i++) {
		if (n.outputs[i] != HY_CPU_NONE && build->values[n.outputs[i]].uses > 0) return HY_UNSUPPORTED;
	}
	for (uint32_t i = 0; i < type.rank; i++)
		flat.type.dim[i < first ? 0 : 1] *= type.dim[i];
	/* Scale and shift may be broadcast; that is rare. */
	for (uint32_t i = 1; i < n.ir->input_count; i++) {
		if (n.inputs[i] == HY_CPU_NONE) continue;
		if (hy_ir_type_elements(&build->values[n.inputs[i]].view.type) != flat.type.dim[1])
			return HY_UNSUPPORTED;
	}
	hy_cpu_view_dense(&flat, &plain);
	const hy_cpu_md src = hy_cpu_view_md(&flat);
	hy_status status = hy_cpu_dnnl_layer_norm(build->device->dnnl, &src,
	                                          hy_ir_node_attr_float(n.ir, "epsilon", 1e-5f), &prim, error);
	if (status != HY_OK) return status;
	const uint32_t shift = n.ir->input_count > 2 ? n.inputs[2] : HY_CPU_NONE;
	status = hy_cpu_build_dense(build, n.inputs[0], &plain, &views[0], error);
	if (status == HY_OK) status = vector_view(build, n.inputs[1], 1.0f, flat.type.dim[1], &views[1], error);
	if (status == HY_OK) status = vector_view(build, shift, 0.0f, flat.type.dim[1], &views[2], error);
	if (status == HY_OK) status = hy_cpu_build_make(build, n.outputs[0], &plain, 0, &views[3], error);
	if (status == HY_OK) status = hy_cpu_build_prim(build, prim, views, 4, error);
	if (status != HY_OK) hy_cpu_prim_destroy(prim);
	return status;
}
