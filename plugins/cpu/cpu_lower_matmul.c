/* Gemm and MatMul, with their epilogue in the kernel. */
#include "cpu_build.h"

#include <stdlib.h>

typedef struct product {
	uint32_t node;
	hy_cpu_layer layer;
	hy_cpu_md plain_weights; /* as the right factor lies */
	hy_cpu_epilogue epilogue;
	hy_cpu_prim *prim;
	hy_cpu_view left, right, bias;
	bool is_packed; /* the right factor is constant */
	float *turned_weights; /* the right factor in another order while packing, owned; or NULL */
} product;

static bool is_float(const hy_cpu_build *build, uint32_t value)
{
	return build->values[value].view.type.dtype == HY_DTYPE_F32;
}

static hy_cpu_md swapped(hy_cpu_md md)
{
	const uint32_t a = md.rank - 2, b = md.rank - 1;
	const int64_t dim = md.dim[a], stride = md.stride[a];
	md.dim[a] = md.dim[b];
	md.stride[a] = md.stride[b];
	md.dim[b] = dim;
	md.stride[b] = stride;
	return md;
}

static hy_status choose_kernel(hy_cpu_build *build, product *p, const hy_cpu_order *order, hy_error *error)
{
	hy_cpu_epilogue_find(build, p->node, order, &p->epilogue);
	p->layer.post_count = p->epilogue.post_count;
	memcpy(p->layer.posts, p->epilogue.posts, sizeof(p->layer.posts));
	hy_status status = hy_cpu_dnnl_layer(build->device->dnnl, &p->layer, &p->prim, error);
	if (p->layer.post_count == 0 || (status == HY_OK && !hy_cpu_prim_is_reference(p->prim))) return status;
	if (status == HY_OK) hy_cpu_prim_destroy(p->prim);
	p->prim = NULL;
	hy_cpu_epilogue_none(build, p->node, &p->epilogue);
	p->layer.post_count = 0;
	return hy_cpu_dnnl_layer(build->device->dnnl, &p->layer, &p->prim, error);
}

/* The step: left, right, bias, output, operands. */
static hy_status emit(hy_cpu_build *build, product *p, const hy_cpu_order *order, hy_error *error)
{
	hy_cpu_view views[4 + HY_CPU_MAX_POSTS];
	uint32_t count = 0;
	hy_status status = HY_OK;
	const uint32_t right = build->nodes[p->node].inputs[1];
	views[count++] = p->left;
	if (p->is_packed) {
		const void *data = p->turned_weights != NULL ? p->turned_weights : build->values[right].data;
		status = hy_cpu_build_packed(build, p->prim, 1, &p->plain_weights, data, &p->right, error);
	}
	views[count++] = p->right;
	if (p->layer.bias.rank > 0) views[count++] = p->bias;
	if (status == HY_OK)
		status = hy_cpu_epilogue_place(build, &p->epilogue, order, &views[count], &views[count + 1], error);
	count += 1 + p->epilogue.operand_count;
	if (status == HY_OK) status = hy_cpu_build_prim(build, p->prim, views, count, error);
	if (status != HY_OK) {
		hy_cpu_prim_destroy(p->prim);
		return status == HY_UNSUPPORTED ? HY_INTERNAL : status;
	}
	hy_cpu_epilogue_done(build, &p->epilogue);
	return HY_OK;
}

static hy_cpu_md model_md(const hy_cpu_build *build, uint32_t value)
{
	const hy_cpu_order plain = hy_cpu_order_plain();
	hy_cpu_view view = build->values[value].view;
	hy_cpu_view_dense(&view, &plain);
	return hy_cpu_view_md(&view);
}

/* Gemm's C as a bias: one number per column. */
static hy_status gemm_bias(hy_cpu_build *build, product *p, const hy_cpu_node *n, int64_t columns, hy_error *error)
{
	if (n->ir->input_count < 3 || n->inputs[2] == HY_CPU_NONE) return HY_OK;
	const float beta = hy_ir_node_attr_float(n->ir, "beta", 1.0f);
	const hy_cpu_value *c = &build->values[n->inputs[2]];
	const hy_ir_type type = c->view.type;
	const float *from = c->data;
	const bool is_row = type.rank == 0 || (hy_ir_type_elements(&type) == type.dim[type.rank - 1]);
	const int64_t width = type.rank == 0 ? 1 : type.dim[type.rank - 1];
	if (!is_row || (width != columns && width != 1)) return HY_UNSUPPORTED;
	p->layer.bias = (hy_cpu_md){.dtype = HY_DTYPE_F32, .rank = 1, .dim = {columns}, .stride = {1}};
	if (from == NULL) {
		const hy_cpu_order plain = hy_cpu_order_plain();
		if (beta != 1.0f || width != columns) return HY_UNSUPPORTED;
		return hy_cpu_build_dense(build, n->inputs[2], &plain, &p->bias, error);
	}
	void *data;
	p->bias = (hy_cpu_view){.storage = HY_CPU_NONE};
	const hy_status status = hy_cpu_build_block(build, (uint64_t)columns * sizeof(float), &data, &p->bias.storage,
	                                            error);
	for (int64_t i = 0; i < columns && status == HY_OK; i++)
		((float *)data)[i] = beta * from[width == 1 ? 0 : i];
	return status;
}

/* Flattened channels-innermost data is multiplied as it lies: the weights' rows are turned into its order instead. */
static hy_status take_unflattened(hy_cpu_build *build, product *p, uint32_t left, hy_error *error)
{
	const uint32_t value = build->values[left].unflattened;
	hy_cpu_view view;
	if (value == HY_CPU_NONE || build->values[left].view.storage != HY_CPU_NONE) return HY_UNSUPPORTED;
	hy_status status = hy_cpu_build_view(build, value, &view, error);
	if (status != HY_OK) return status;
	const uint32_t rank = view.type.rank;
	const hy_cpu_order last = hy_cpu_order_last(rank);
	const hy_ir_type flat = build->values[left].view.type;
	if (rank < 3 || rank > 5 || flat.rank != 2 || flat.dim[0] != view.type.dim[0]) return HY_UNSUPPORTED;
	if (!hy_cpu_view_is_dense(&view, &last)) return HY_UNSUPPORTED;
	/* The weights as one row per output, a row's dims in the model's order and in memory's. */
	const int64_t outputs = p->plain_weights.dim[0], depth = flat.dim[1];
	hy_cpu_view to = {.type = {.dtype = HY_DTYPE_F32, .rank = rank}};
	int64_t from[HY_MAX_RANK], stride = p->plain_weights.stride[1];
	memcpy(to.type.dim, view.type.dim, sizeof(to.type.dim));
	to.type.dim[0] = outputs;
	for (uint32_t i = rank; i-- > 1;) {
		from[i] = stride;
		stride *= to.type.dim[i];
	}
	from[0] = p->plain_weights.stride[0];
	hy_cpu_view_dense(&to, &last);
	p->turned_weights = malloc((size_t)(outputs * depth) * sizeof(float));
	if (p->turned_weights == NULL) return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to pack weights");
	hy_cpu_copy(sizeof(float), rank, to.type.dim, build->values[build->nodes[p->node].inputs[1]].data, from,
	            p->turned_weights, to.stride);
	p->plain_weights.stride[0] = depth;
	p->plain_weights.stride[1] = 1;
	p->left = view;
	p->layer.src = (hy_cpu_md){.dtype = HY_DTYPE_F32, .rank = 2, .dim = {flat.dim[0], depth}, .stride = {depth, 1}};
	return HY_OK;
}

hy_status hy_cpu_lower_gemm(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const hy_cpu_order plain = hy_cpu_order_plain();
	const bool trans_a = hy_ir_node_attr_int(n.ir, "transA", 0) != 0;
	const bool trans_b = hy_ir_node_attr_int(n.ir, "transB", 0) != 0;
	product p = {.node = node, .is_packed = build->values[n.inputs[1]].data != NULL};
	if (!is_float(build, n.inputs[0]) || hy_ir_node_attr_float(n.ir, "alpha", 1.0f) != 1.0f) return HY_UNSUPPORTED;
	p.layer.dst = model_md(build, n.outputs[0]);
	p.plain_weights = model_md(build, n.inputs[1]);
	hy_status status = gemm_bias(build, &p, &n, p.layer.dst.dim[1], error);
	if (status != HY_OK) return status;
	if (!p.is_packed || trans_a) {
		/* Both factors are computed: a product of two matrices. */
		p.layer.kind = HY_CPU_MATMUL;
		status = hy_cpu_build_dense(build, n.inputs[0], &plain, &p.left, error);
		if (status == HY_OK) status = hy_cpu_build_dense(build, n.inputs[1], &plain, &p.right, error);
		if (status != HY_OK) return status;
		p.layer.src = trans_a ? swapped(hy_cpu_view_md(&p.left)) : hy_cpu_view_md(&p.left);
		p.layer.weights = trans_b ? swapped(hy_cpu_view_md(&p.right)) : hy_cpu_view_md(&p.right);
		p.is_packed = false;
		if (p.layer.bias.rank > 0) {
			p.layer.bias = (hy_cpu_md){.dtype = HY_DTYPE_F32,
			                           .rank = 2,
			                           .dim = {1, p.layer.dst.dim[1]},
			                           .stride = {p.layer.dst.dim[1], 1}};
		}
	} else {
		p.layer.kind = HY_CPU_INNER;
		if (!trans_b) p.plain_weights = swapped(p.plain_weights);
		status = take_unflattened(build, &p, n.inputs[0], error);
		if (status == HY_UNSUPPORTED) {
			status = hy_cpu_build_dense(build, n.inputs[0], &plain, &p.left, error);
			p.layer.src = hy_cpu_view_md(&p.left);
		}
		if (status != HY_OK) return status;
		p.layer.weights = p.plain_weights;
		p.layer.weights.any = true;
	}
	status = choose_kernel(build, &p, &plain, error);
	if (status == HY_OK) status = emit(build, &p, &plain, error);
	free(p.turned_weights);
	return status;
}

/* Puts dims of one element before the others. */
static hy_cpu_md widened(hy_cpu_md md, uint32_t rank)
{
	const uint32_t missing = rank - md.rank;
	for (uint32_t i = rank; i-- > 0;) {
		md.dim[i] = i < missing ? 1 : md.dim[i - missing];
		md.stride[i] = i < missing ? md.stride[i + 1] * md.dim[i + 1] : md.stride[i - missing];
	}
	md.rank = rank;
	return md;
}

/* A constant matrix on the right: the left dims are one. */
static hy_status lower_inner(hy_cpu_build *build, product *p, hy_error *error)
{
	const hy_cpu_node n = build->nodes[p->node];
	const hy_cpu_order plain = hy_cpu_order_plain();
	const hy_ir_type *out = &build->values[n.outputs[0]].view.type;
	const int64_t columns = out->dim[out->rank - 1], rows = hy_ir_type_elements(out) / columns;
	hy_status status = hy_cpu_build_dense(build, n.inputs[0], &plain, &p->left, error);
	if (status != HY_OK) return status;
	const int64_t depth = p->left.type.dim[p->left.type.rank - 1];
	p->is_packed = true;
	p->layer.kind = HY_CPU_INNER;
	p->layer.src = (hy_cpu_md){.dtype = HY_DTYPE_F32, .rank = 2, .dim = {rows, depth}, .stride = {depth, 1}};
	p->layer.dst = (hy_cpu_md){.dtype = HY_DTYPE_F32, .rank = 2, .dim = {rows, columns}, .stride = {columns, 1}};
	p->plain_weights = swapped(model_md(build, n.inputs[1]));
	p->layer.weights = p->plain_weights;
	p->layer.weights.any = true;
	/* Posts see the output as rows and columns. */
	hy_cpu_epilogue_find(build, p->node, &plain, &p->epilogue);
	for (uint32_t i = 0; i < p->epilogue.post_count; i++) {
		hy_cpu_post *post = &p->epilogue.posts[i];
		if (post->kind < HY_CPU_POST_ADD) continue;
		int64_t elements = 1;
		for (uint32_t d = 0; d < post->operand.rank; d++)
			elements *= post->operand.dim[d];
		post->operand = p->layer.dst;
		if (elements != rows * columns) post->operand.dim[0] = 1; /* one number per column */
	}
	p->layer.post_count = p->epilogue.post_count;
	memcpy(p->layer.posts, p->epilogue.posts, sizeof(p->layer.posts));
	status = hy_cpu_dnnl_layer(build->device->dnnl, &p->layer, &p->prim, error);
	return status == HY_OK ? emit(build, p, &plain, error) : status;
}

hy_status hy_cpu_lower_matmul(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const hy_cpu_order plain = hy_cpu_order_plain();
	const hy_ir_type left = build->values[n.inputs[0]].view.type, right = build->values[n.inputs[1]].view.type;
	product p = {.node = node};
	if (!is_float(build, n.inputs[0]) || left.rank < 2 || right.rank < 2) return HY_UNSUPPORTED;
	if (build->values[n.inputs[1]].data != NULL && right.rank == 2) return lower_inner(build, &p, error);
	p.layer.kind = HY_CPU_MATMUL;
	hy_status status = hy_cpu_build_view(build, n.inputs[0], &p.left, error);
	if (status == HY_OK) status = hy_cpu_build_view(build, n.inputs[1], &p.right, error);
	if (status != HY_OK) return status;
	p.layer.dst = model_md(build, n.outputs[0]);
	p.layer.src = widened(hy_cpu_view_md(&p.left), p.layer.dst.rank);
	p.layer.weights = widened(hy_cpu_view_md(&p.right), p.layer.dst.rank);
	status = choose_kernel(build, &p, &plain, error);
	if (status == HY_OK && !hy_cpu_prim_is_reference(p.prim)) return emit(build, &p, &plain, error);
	/* Strides the kernel does not know: dense copies. */
	if (status == HY_OK) hy_cpu_prim_destroy(p.prim);
	p.prim = NULL;
	status = hy_cpu_build_dense(build, n.inputs[0], &plain, &p.left, error);
	if (status == HY_OK) status = hy_cpu_build_dense(build, n.inputs[1], &plain, &p.right, error);
	if (status != HY_OK) return status;
	p.layer.src = widened(hy_cpu_view_md(&p.left), p.layer.dst.rank);
	p.layer.weights = widened(hy_cpu_view_md(&p.right), p.layer.dst.rank);
	status = choose_kernel(build, &p, &plain, error);
	return status == HY_OK ? emit(build, &p, &plain, error) : status;
}
