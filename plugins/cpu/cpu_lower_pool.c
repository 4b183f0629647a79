/* Pooling, channels innermost. */
#include "cpu_build.h"

/* What a kernel left in blocks of channels stays so. */
static hy_status pool_packed(hy_cpu_build *build, uint32_t node, hy_cpu_pool_kind kind, const hy_cpu_window *window,
                             const hy_cpu_view *out, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const hy_cpu_packed from = build->values[n.inputs[0]].packed;
	const hy_cpu_md dst = hy_cpu_view_md(out);
	hy_cpu_view views[2] = {{.storage = from.storage}};
	hy_cpu_prim *prim = NULL;
	hy_status status = hy_cpu_dnnl_pool_packed(build->device->dnnl, kind, from.prim, from.argument, &dst, window,
	                                           &prim, error);
	if (status != HY_OK) return status;
	status = hy_cpu_build_make_packed(build, n.outputs[0], prim, 1, &views[1], error);
	if (status == HY_OK) status = hy_cpu_build_prim(build, prim, views, 2, error);
	if (status != HY_OK) hy_cpu_prim_destroy(prim);
	return status;
}

static hy_status pool(hy_cpu_build *build, uint32_t node, hy_cpu_pool_kind kind, const hy_cpu_window *window,
                      hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const hy_cpu_order order = hy_cpu_order_last(build->values[n.inputs[0]].view.type.rank);
	hy_cpu_view views[2] = {build->values[n.inputs[0]].view, build->values[n.outputs[0]].view};
	hy_cpu_prim *prim = NULL;
	if (views[0].type.dtype != HY_DTYPE_F32) return HY_UNSUPPORTED;
	/* oneDNN wants every window to touch the input. */
	for (uint32_t i = 0; i < window->rank; i++) {
		if (window->begin[i] >= window->kernel[i] * window->dilation[i]) return HY_UNSUPPORTED;
	}
	hy_cpu_view_dense(&views[0], &order);
	hy_cpu_view_dense(&views[1], &order);
	if (hy_cpu_value_is_packed(build, n.inputs[0])) return pool_packed(build, node, kind, window, &views[1], error);
	const hy_cpu_md src = hy_cpu_view_md(&views[0]), dst = hy_cpu_view_md(&views[1]);
	hy_status status = hy_cpu_dnnl_pool(build->device->dnnl, kind, &src, &dst, window, &prim, error);
	if (status != HY_OK) return status;
	status = hy_cpu_build_dense(build, n.inputs[0], &order, &views[0], error);
	if (status == HY_OK) status = hy_cpu_build_make(build, n.outputs[0], &order, 0, &views[1], error);
	if (status == HY_OK) status = hy_cpu_build_prim(build, prim, views, 2, error);
	if (status != HY_OK) hy_cpu_prim_destroy(prim);
	return status;
}

hy_status hy_cpu_lower_pool(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node *n = &build->nodes[node];
	const hy_ir_type *in = &build->values[n->inputs[0]].view.type, *out = &build->values[n->outputs[0]].view.type;
	hy_cpu_window window;
	hy_status status = hy_cpu_window_read(n->ir, in, out, NULL, &window);
	if (status != HY_OK) return status;
	if (n->op->id == HY_IR_OP_MaxPool) {
		if (n->ir->output_count > 1 && n->outputs[1] != HY_CPU_NONE && build->values[n->outputs[1]].uses > 0)
			return HY_UNSUPPORTED;
		return pool(build, node, HY_CPU_POOL_MAX, &window, error);
	}
	const bool is_padded = hy_ir_node_attr_int(n->ir, "count_include_pad", 0) != 0;
	/* What ceil_mode adds behind the padding is not counted, which oneDNN can't say. */
	const hy_ir_attr *pads = hy_ir_node_attr(n->ir, "pads");
	for (uint32_t i = 0; i < window.rank && is_padded; i++) {
		const int64_t end = pads != NULL && pads->count == 2 * window.rank ? pads->ints[window.rank + i] : 0;
		if (window.end[i] > end) return HY_UNSUPPORTED;
	}
	return pool(build, node, is_padded ? HY_CPU_POOL_AVERAGE_PADDED : HY_CPU_POOL_AVERAGE, &window, error);
}

hy_status hy_cpu_lower_global_pool(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node *n = &build->nodes[node];
	const hy_ir_type *in = &build->values[n->inputs[0]].view.type;
	hy_cpu_window window = {.rank = in->rank - 2, .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .kernel = {1, 1, 1}};
	if (in->rank < 3 || in->rank > 5) return HY_UNSUPPORTED;
	for (uint32_t i = 0; i < window.rank; i++)
		window.kernel[i] = in->dim[i + 2];
	return pool(build, node, n->op->id == HY_IR_OP_GlobalMaxPool ? HY_CPU_POOL_MAX : HY_CPU_POOL_AVERAGE, &window,
	            error);
}
