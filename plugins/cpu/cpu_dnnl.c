/* The one file that knows oneDNN. In 2.x a memory descriptor is a struct and a primitive is described in two steps;
 * in 3.x it is a handle and there is one step. */
#include "cpu_dnnl.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_API (DNNL_VERSION_MAJOR < 3)
#define TEXT(x) #x
#define NUMBER(x) TEXT(x)
#define MAX_ARGUMENTS (5 + HY_CPU_MAX_POSTS)

struct hy_cpu_dnnl {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
};

struct hy_cpu_prim {
	hy_cpu_dnnl *dnnl;
	dnnl_primitive_desc_t desc;
	dnnl_primitive_t primitive;
	uint32_t argument_count; /* without scratch */
	uint32_t bound_count; /* with it */
	dnnl_exec_arg_t arguments[MAX_ARGUMENTS];
	void *bound[MAX_ARGUMENTS]; /* the address each memory has now */
	uint64_t scratch_bytes;
	const char *name;
};

static hy_status answer(dnnl_status_t code, const char *what, hy_error *error)
{
	if (code == dnnl_success) return HY_OK;
	const hy_status status = code == dnnl_unimplemented   ? HY_UNSUPPORTED
	                         : code == dnnl_out_of_memory ? HY_NO_MEMORY
	                                                      : HY_INTERNAL;
	(void)hy_error_set(error, status, "cpu: oneDNN answers %d to %s", (int)code, what);
	if (error != NULL) error->native = (int32_t)code;
	return status;
}

hy_status hy_cpu_dnnl_create(hy_cpu_dnnl **out_dnnl, hy_error *error)
{
	hy_cpu_dnnl *dnnl = calloc(1, sizeof(*dnnl));
	if (dnnl == NULL) return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory for an engine");
	hy_status status = answer(dnnl_engine_create(&dnnl->engine, dnnl_cpu, 0), "engine_create", error);
	if (status == HY_OK) {
		status = answer(dnnl_stream_create(&dnnl->stream, dnnl->engine, dnnl_stream_default_flags),
		                "stream_create", error);
	}
	if (status != HY_OK) {
		hy_cpu_dnnl_destroy(dnnl);
		return status;
	}
	*out_dnnl = dnnl;
	return HY_OK;
}

void hy_cpu_dnnl_destroy(hy_cpu_dnnl *dnnl)
{
	if (dnnl == NULL) return;
	if (dnnl->stream != NULL) (void)dnnl_stream_destroy(dnnl->stream);
	if (dnnl->engine != NULL) (void)dnnl_engine_destroy(dnnl->engine);
	free(dnnl);
}

const char *hy_cpu_dnnl_version(void)
{
	return "oneDNN " NUMBER(DNNL_VERSION_MAJOR) "." NUMBER(DNNL_VERSION_MINOR) "." NUMBER(DNNL_VERSION_PATCH);
}

const char *hy_cpu_dnnl_isa(void)
{
	static const struct {
		dnnl_cpu_isa_t isa;
		const char *name;
	} names[] = {
		{dnnl_cpu_isa_sse41, "sse41"},
		{dnnl_cpu_isa_avx, "avx"},
		{dnnl_cpu_isa_avx2, "avx2"},
		{dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
		{dnnl_cpu_isa_avx512_core, "avx512_core"},
		{dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
		{dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
		{dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
	};
	const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].isa == isa) return names[i].name;
	}
	return "generic";
}

/* ---- memory descriptors ---- */

#if OLD_API
typedef dnnl_memory_desc_t place;
typedef const dnnl_memory_desc_t *place_ref;
#define REF(p) (&(p))
static void place_destroy(place *p)
{
	(void)p;
}
#else
typedef dnnl_memory_desc_t place;
typedef const_dnnl_memory_desc_t place_ref;
#define REF(p) (p)
static void place_destroy(place *p)
{
	if (*p != NULL) (void)dnnl_memory_desc_destroy(*p);
	*p = NULL;
}
#endif

static dnnl_data_type_t type_of(hy_dtype dtype)
{
	switch (dtype) {
	case HY_DTYPE_F32:
		return dnnl_f32;
	case HY_DTYPE_BF16:
		return dnnl_bf16;
	case HY_DTYPE_F16:
		return dnnl_f16;
	case HY_DTYPE_I32:
		return dnnl_s32;
	case HY_DTYPE_I8:
		return dnnl_s8;
	case HY_DTYPE_U8:
		return dnnl_u8;
	default:
		return dnnl_data_type_undef;
	}
}

/* A tensor without elements (rank 0) gives a zero descriptor. */
static dnnl_status_t place_make(const hy_cpu_md *md, place *out)
{
	dnnl_dims_t dims = {0}, strides = {0};
	memset(out, 0, sizeof(*out));
	if (md->rank == 0) return dnnl_success;
	for (uint32_t i = 0; i < md->rank; i++) {
		dims[i] = md->dim[i];
		strides[i] = md->stride[i];
	}
#if OLD_API
	if (md->any)
		return dnnl_memory_desc_init_by_tag(out, (int)md->rank, dims, type_of(md->dtype), dnnl_format_tag_any);
	return dnnl_memory_desc_init_by_strides(out, (int)md->rank, dims, type_of(md->dtype), strides);
#else
	if (md->any) {
		return dnnl_memory_desc_create_with_tag(out, (int)md->rank, dims, type_of(md->dtype),
		                                        dnnl_format_tag_any);
	}
	return dnnl_memory_desc_create_with_strides(out, (int)md->rank, dims, type_of(md->dtype), strides);
#endif
}

/* ---- primitives ---- */

/* Which arguments a primitive has, and which query tells their descriptor. */
typedef struct slot {
	int argument;
	dnnl_query_t query;
	int index;
} slot;

static hy_status bind(hy_cpu_prim *prim, place_ref where, int argument, hy_error *error)
{
	dnnl_exec_arg_t *to = &prim->arguments[prim->bound_count];
	to->arg = argument;
	const dnnl_status_t code = dnnl_memory_create(&to->memory, where, prim->dnnl->engine, DNNL_MEMORY_NONE);
	if (code == dnnl_success) prim->bound_count++;
	return answer(code, "memory_create", error);
}

/* Takes desc, which may be NULL after a failure `code` of its making. */
static hy_status prim_create(hy_cpu_dnnl *dnnl, dnnl_status_t code, dnnl_primitive_desc_t desc, uint32_t slot_count,
                             const slot *slots, hy_cpu_prim **out_prim, hy_error *error)
{
	hy_status status = answer(code, "primitive_desc_create", error);
	if (status != HY_OK) return status;
	hy_cpu_prim *prim = calloc(1, sizeof(*prim));
	if (prim == NULL) {
		(void)dnnl_primitive_desc_destroy(desc);
		return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory for a primitive");
	}
	prim->dnnl = dnnl;
	prim->desc = desc;
	if (dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &prim->name) != dnnl_success) prim->name = "?";
	status = answer(dnnl_primitive_create(&prim->primitive, desc), "primitive_create", error);
	for (uint32_t i = 0; i < slot_count && status == HY_OK; i++) {
		const place_ref where = dnnl_primitive_desc_query_md(desc, slots[i].query, slots[i].index);
		status = bind(prim, where, slots[i].argument, error);
	}
	prim->argument_count = slot_count;
	const place_ref scratch = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
	if (scratch != NULL) prim->scratch_bytes = dnnl_memory_desc_get_size(scratch);
	if (status == HY_OK && prim->scratch_bytes > 0) status = bind(prim, scratch, DNNL_ARG_SCRATCHPAD, error);
	if (status != HY_OK) {
		hy_cpu_prim_destroy(prim);
		return status;
	}
	*out_prim = prim;
	return HY_OK;
}

void hy_cpu_prim_destroy(hy_cpu_prim *prim)
{
	if (prim == NULL) return;
	for (uint32_t i = 0; i < prim->bound_count; i++)
		(void)dnnl_memory_destroy(prim->arguments[i].memory);
	if (prim->primitive != NULL) (void)dnnl_primitive_destroy(prim->primitive);
	(void)dnnl_primitive_desc_destroy(prim->desc);
	free(prim);
}

hy_status hy_cpu_prim_run(hy_cpu_prim *prim, void *const *at, hy_error *error)
{
	for (uint32_t i = 0; i < prim->bound_count; i++) {
		if (prim->bound[i] == at[i]) continue;
		const dnnl_status_t code = dnnl_memory_set_data_handle(prim->arguments[i].memory, at[i]);
		if (code != dnnl_success) return answer(code, "memory_set_data_handle", error);
		prim->bound[i] = at[i];
	}
	return answer(
		dnnl_primitive_execute(prim->primitive, prim->dnnl->stream, (int)prim->bound_count, prim->arguments),
		prim->name, error);
}

uint64_t hy_cpu_prim_scratch_bytes(const hy_cpu_prim *prim)
{
	return prim->scratch_bytes;
}

uint32_t hy_cpu_prim_argument_count(const hy_cpu_prim *prim)
{
	return prim->argument_count;
}

const char *hy_cpu_prim_name(const hy_cpu_prim *prim)
{
	return prim->name;
}

bool hy_cpu_prim_is_reference(const hy_cpu_prim *prim)
{
	return strncmp(prim->name, "ref", 3) == 0;
}

static dnnl_status_t attr_make(uint32_t post_count, const hy_cpu_post *posts, dnnl_primitive_attr_t *out_attr)
{
	static const dnnl_alg_kind_t curves[] = {
#define X(name, algorithm) dnnl_eltwise_##algorithm,
		HY_CPU_CURVE_LIST(X)
#undef X
	};
	static const dnnl_alg_kind_t binaries[] = {
		[HY_CPU_POST_ADD] = dnnl_binary_add,
		[HY_CPU_POST_MUL] = dnnl_binary_mul,
		[HY_CPU_POST_MAX] = dnnl_binary_max,
		[HY_CPU_POST_MIN] = dnnl_binary_min,
	};
	dnnl_post_ops_t ops = NULL;
	dnnl_status_t code = dnnl_primitive_attr_create(out_attr);
	if (code == dnnl_success) code = dnnl_post_ops_create(&ops);
	for (uint32_t i = 0; i < post_count && code == dnnl_success; i++) {
		const hy_cpu_post *post = &posts[i];
		place operand;
		switch (post->kind) {
		case HY_CPU_POST_CURVE:
#if OLD_API
			code = dnnl_post_ops_append_eltwise(ops, 1.0f, curves[post->curve], post->alpha, post->beta);
#else
			code = dnnl_post_ops_append_eltwise(ops, curves[post->curve], post->alpha, post->beta);
#endif
			break;
		case HY_CPU_POST_SUM:
#if OLD_API
			code = dnnl_post_ops_append_sum(ops, 1.0f);
#else
			code = dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
#endif
			break;
		default:
			code = place_make(&post->operand, &operand);
			if (code != dnnl_success) break;
			code = dnnl_post_ops_append_binary(ops, binaries[post->kind], REF(operand));
			place_destroy(&operand);
		}
	}
	if (code == dnnl_success) code = dnnl_primitive_attr_set_scratchpad_mode(*out_attr, dnnl_scratchpad_mode_user);
	if (code == dnnl_success) code = dnnl_primitive_attr_set_post_ops(*out_attr, ops);
	if (ops != NULL) (void)dnnl_post_ops_destroy(ops);
	return code;
}

/* places: src, weights, bias, dst. */
static dnnl_status_t layer_desc(const hy_cpu_dnnl *dnnl, const hy_cpu_layer *layer, const place *places,
                                dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
	const hy_cpu_window *window = &layer->window;
	const place_ref src = REF(places[0]), weights = REF(places[1]), dst = REF(places[3]);
	const place_ref bias = layer->bias.rank > 0 ? REF(places[2]) : NULL;
	const dnnl_prop_kind_t kind = dnnl_forward_inference;
	const dnnl_alg_kind_t algorithm = layer->is_winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
	dnnl_dims_t strides, dilates, begin, end;
	for (uint32_t i = 0; i < 3; i++) {
		strides[i] = window->stride[i];
		dilates[i] = window->dilation[i] - 1;
		begin[i] = window->begin[i];
		end[i] = window->end[i];
	}
#if OLD_API
	union {
		dnnl_convolution_desc_t conv;
		dnnl_deconvolution_desc_t deconv;
		dnnl_inner_product_desc_t inner;
		dnnl_matmul_desc_t matmul;
	} op;
	dnnl_status_t code = dnnl_unimplemented;
	switch (layer->kind) {
	case HY_CPU_CONV:
		code = dnnl_dilated_convolution_forward_desc_init(&op.conv, kind, algorithm, src, weights, bias, dst,
		                                                  strides, dilates, begin, end);
		break;
	case HY_CPU_DECONV:
		code = dnnl_dilated_deconvolution_forward_desc_init(&op.deconv, kind, dnnl_deconvolution_direct, src,
		                                                    weights, bias, dst, strides, dilates, begin, end);
		break;
	case HY_CPU_INNER:
		code = dnnl_inner_product_forward_desc_init(&op.inner, kind, src, weights, bias, dst);
		break;
	case HY_CPU_MATMUL:
		code = dnnl_matmul_desc_init(&op.matmul, src, weights, bias, dst);
		break;
	}
	if (code != dnnl_success) return code;
	return dnnl_primitive_desc_create(out, &op, attr, dnnl->engine, NULL);
#else
	switch (layer->kind) {
	case HY_CPU_CONV:
		return dnnl_convolution_forward_primitive_desc_create(out, dnnl->engine, kind, algorithm, src, weights,
		                                                      bias, dst, strides, dilates, begin, end, attr);
	case HY_CPU_DECONV:
		return dnnl_deconvolution_forward_primitive_desc_create(out, dnnl->engine, kind,
		                                                        dnnl_deconvolution_direct, src, weights, bias,
		                                                        dst, strides, dilates, begin, end, attr);
	case HY_CPU_INNER:
		return dnnl_inner_product_forward_primitive_desc_create(out, dnnl->engine, kind, src, weights, bias,
		                                                        dst, attr);
	case HY_CPU_MATMUL:
		return dnnl_matmul_primitive_desc_create(out, dnnl->engine, src, weights, bias, dst, attr);
	}
	return dnnl_unimplemented;
#endif
}

hy_status hy_cpu_dnnl_layer(hy_cpu_dnnl *dnnl, const hy_cpu_layer *layer, hy_cpu_prim **out_prim, hy_error *error)
{
	const hy_cpu_md *mds[4] = {&layer->src, &layer->weights, &layer->bias, &layer->dst};
	place places[4];
	slot slots[MAX_ARGUMENTS];
	uint32_t count = 0;
	memset(places, 0, sizeof(places));
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t code = dnnl_success;
	for (uint32_t i = 0; i < 4 && code == dnnl_success; i++)
		code = place_make(mds[i], &places[i]);
	if (code == dnnl_success) code = attr_make(layer->post_count, layer->posts, &attr);
	if (code == dnnl_success) code = layer_desc(dnnl, layer, places, attr, &desc);
	slots[count++] = (slot){DNNL_ARG_SRC, dnnl_query_src_md, 0};
	slots[count++] = (slot){DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0};
	if (layer->bias.rank > 0) slots[count++] = (slot){DNNL_ARG_BIAS, dnnl_query_weights_md, 1};
	slots[count++] = (slot){DNNL_ARG_DST, dnnl_query_dst_md, 0};
	for (uint32_t i = 0; i < layer->post_count; i++) {
		if (layer->posts[i].kind < HY_CPU_POST_ADD) continue;
		const int argument = DNNL_ARG_ATTR_MULTIPLE_POST_OP((int)i) | DNNL_ARG_SRC_1;
		slots[count++] = (slot){argument, dnnl_query_exec_arg_md, argument};
	}
	const hy_status status = prim_create(dnnl, code, desc, count, slots, out_prim, error);
	if (attr != NULL) (void)dnnl_primitive_attr_destroy(attr);
	for (uint32_t i = 0; i < 4; i++)
		place_destroy(&places[i]);
	return status;
}

static const slot source_and_target[] = {{DNNL_ARG_SRC, dnnl_query_src_md, 0}, {DNNL_ARG_DST, dnnl_query_dst_md, 0}};

static hy_status pool(hy_cpu_dnnl *dnnl, hy_cpu_pool_kind kind, place_ref from, const hy_cpu_md *dst,
                      const hy_cpu_window *window, hy_cpu_prim **out_prim, hy_error *error)
{
	static const dnnl_alg_kind_t kinds[] = {
		[HY_CPU_POOL_MAX] = dnnl_pooling_max,
		[HY_CPU_POOL_AVERAGE] = dnnl_pooling_avg_exclude_padding,
		[HY_CPU_POOL_AVERAGE_PADDED] = dnnl_pooling_avg_include_padding,
	};
	dnnl_dims_t kernel, strides, dilates, begin, end;
	for (uint32_t i = 0; i < 3; i++) {
		kernel[i] = window->kernel[i];
		strides[i] = window->stride[i];
		dilates[i] = window->dilation[i] - 1;
		begin[i] = window->begin[i];
		end[i] = window->end[i];
	}
	place to;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t code = place_make(dst, &to);
	if (code == dnnl_success) code = attr_make(0, NULL, &attr);
#if OLD_API
	dnnl_pooling_v2_desc_t op;
	if (code == dnnl_success) {
		code = dnnl_pooling_v2_forward_desc_init(&op, dnnl_forward_inference, kinds[kind], from, REF(to),
		                                         strides, kernel, dilates, begin, end);
	}
	if (code == dnnl_success) code = dnnl_primitive_desc_create(&desc, &op, attr, dnnl->engine, NULL);
#else
	if (code == dnnl_success) {
		code = dnnl_pooling_forward_primitive_desc_create(&desc, dnnl->engine, dnnl_forward_inference,
		                                                  kinds[kind], from, REF(to), strides, kernel, dilates,
		                                                  begin, end, attr);
	}
#endif
	const hy_status status = prim_create(dnnl, code, desc, 2, source_and_target, out_prim, error);
	if (attr != NULL) (void)dnnl_primitive_attr_destroy(attr);
	place_destroy(&to);
	return status;
}

hy_status hy_cpu_dnnl_pool(hy_cpu_dnnl *dnnl, hy_cpu_pool_kind kind, const hy_cpu_md *src, const hy_cpu_md *dst,
                           const hy_cpu_window *window, hy_cpu_prim **out_prim, hy_error *error)
{
	place from;
	const dnnl_status_t code = place_make(src, &from);
	const hy_status status = code == dnnl_success ? pool(dnnl, kind, REF(from), dst, window, out_prim, error)
	                                              : answer(code, "memory_desc_init", error);
	place_destroy(&from);
	return status;
}

static place_ref argument_place(const hy_cpu_prim *prim, uint32_t argument)
{
	return dnnl_primitive_desc_query_md(prim->desc, dnnl_query_exec_arg_md, prim->arguments[argument].arg);
}

hy_status hy_cpu_dnnl_pool_packed(hy_cpu_dnnl *dnnl, hy_cpu_pool_kind kind, const hy_cpu_prim *source,
                                  uint32_t argument, const hy_cpu_md *dst, const hy_cpu_window *window,
                                  hy_cpu_prim **out_prim, hy_error *error)
{
	hy_cpu_md anywhere = *dst;
	anywhere.any = true;
	return pool(dnnl, kind, argument_place(source, argument), &anywhere, window, out_prim, error);
}

hy_status hy_cpu_dnnl_lrn(hy_cpu_dnnl *dnnl, const hy_cpu_md *src, const hy_cpu_lrn *lrn, hy_cpu_prim **out_prim,
                          hy_error *error)
{
	place from;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t code = place_make(src, &from);
	if (code == dnnl_success) code = attr_make(0, NULL, &attr);
#if OLD_API
	dnnl_lrn_desc_t op;
	if (code == dnnl_success) {
		code = dnnl_lrn_forward_desc_init(&op, dnnl_forward_inference, dnnl_lrn_across_channels, REF(from),
		                                  lrn->size, lrn->alpha, lrn->beta, lrn->bias);
	}
	if (code == dnnl_success) code = dnnl_primitive_desc_create(&desc, &op, attr, dnnl->engine, NULL);
#else
	if (code == dnnl_success) {
		code = dnnl_lrn_forward_primitive_desc_create(&desc, dnnl->engine, dnnl_forward_inference,
		                                              dnnl_lrn_across_channels, REF(from), REF(from), lrn->size,
		                                              lrn->alpha, lrn->beta, lrn->bias, attr);
	}
#endif
	const hy_status status = prim_create(dnnl, code, desc, 2, source_and_target, out_prim, error);
	if (attr != NULL) (void)dnnl_primitive_attr_destroy(attr);
	place_destroy(&from);
	return status;
}

hy_status hy_cpu_dnnl_softmax(hy_cpu_dnnl *dnnl, hy_cpu_softmax_kind kind, const hy_cpu_md *src, uint32_t axis,
                              hy_cpu_prim **out_prim, hy_error *error)
{
	const dnnl_alg_kind_t algorithm = kind == HY_CPU_SOFTMAX ? dnnl_softmax_accurate : dnnl_softmax_log;
	place from;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t code = place_make(src, &from);
	if (code == dnnl_success) code = attr_make(0, NULL, &attr);
#if OLD_API
	dnnl_softmax_v2_desc_t op;
	if (code == dnnl_success) {
		code = dnnl_softmax_v2_forward_desc_init(&op, dnnl_forward_inference, algorithm, REF(from), REF(from),
		                                         (int)axis);
	}
	if (code == dnnl_success) code = dnnl_primitive_desc_create(&desc, &op, attr, dnnl->engine, NULL);
#else
	if (code == dnnl_success) {
		code = dnnl_softmax_forward_primitive_desc_create(&desc, dnnl->engine, dnnl_forward_inference,
		                                                  algorithm, REF(from), REF(from), (int)axis, attr);
	}
#endif
	const hy_status status = prim_create(dnnl, code, desc, 2, source_and_target, out_prim, error);
	if (attr != NULL) (void)dnnl_primitive_attr_destroy(attr);
	place_destroy(&from);
	return status;
}

hy_status hy_cpu_dnnl_layer_norm(hy_cpu_dnnl *dnnl, const hy_cpu_md *src, float epsilon, hy_cpu_prim **out_prim,
                                 hy_error *error)
{
	static const slot slots[] = {{DNNL_ARG_SRC, dnnl_query_src_md, 0},
	                             {DNNL_ARG_SCALE, dnnl_query_weights_md, 0},
	                             {DNNL_ARG_SHIFT, dnnl_query_weights_md, 0},
	                             {DNNL_ARG_DST, dnnl_query_dst_md, 0}};
	const unsigned flags = dnnl_use_scale | dnnl_use_shift;
	place from;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t code = place_make(src, &from);
	if (code == dnnl_success) code = attr_make(0, NULL, &attr);
#if OLD_API
	dnnl_layer_normalization_desc_t op;
	if (code == dnnl_success) {
		code = dnnl_layer_normalization_forward_desc_init(&op, dnnl_forward_inference, REF(from), NULL, epsilon,
		                                                  flags);
	}
	if (code == dnnl_success) code = dnnl_primitive_desc_create(&desc, &op, attr, dnnl->engine, NULL);
#else
	if (code == dnnl_success) {
		code = dnnl_layer_normalization_forward_primitive_desc_create(
			&desc, dnnl->engine, dnnl_forward_inference, REF(from), REF(from), NULL, epsilon, flags, attr);
	}
#endif
	const hy_status status = prim_create(dnnl, code, desc, 4, slots, out_prim, error);
	if (attr != NULL) (void)dnnl_primitive_attr_destroy(attr);
	place_destroy(&from);
	return status;
}

/* ---- places ---- */

static hy_status reorder(hy_cpu_dnnl *dnnl, place_ref from, place_ref to, hy_cpu_prim **out_prim, hy_error *error)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t code = attr_make(0, NULL, &attr);
	if (code == dnnl_success)
		code = dnnl_reorder_primitive_desc_create(&desc, from, dnnl->engine, to, dnnl->engine, attr);
	const hy_status status = prim_create(dnnl, code, desc, 2, source_and_target, out_prim, error);
	if (attr != NULL) (void)dnnl_primitive_attr_destroy(attr);
	return status;
}

hy_status hy_cpu_dnnl_reorder(hy_cpu_dnnl *dnnl, const hy_cpu_md *src, const hy_cpu_md *dst, hy_cpu_prim **out_prim,
                              hy_error *error)
{
	place from, to;
	memset(&to, 0, sizeof(to));
	dnnl_status_t code = place_make(src, &from);
	if (code == dnnl_success) code = place_make(dst, &to);
	const hy_status status = code == dnnl_success ? reorder(dnnl, REF(from), REF(to), out_prim, error)
	                                              : answer(code, "memory_desc_init", error);
	place_destroy(&from);
	place_destroy(&to);
	return status;
}

uint64_t hy_cpu_prim_bytes(const hy_cpu_prim *prim, uint32_t argument)
{
	return dnnl_memory_desc_get_size(argument_place(prim, argument));
}

bool hy_cpu_prim_same_place(const hy_cpu_prim *a, uint32_t a_argument, const hy_cpu_prim *b, uint32_t b_argument)
{
	return dnnl_memory_desc_equal(argument_place(a, a_argument), argument_place(b, b_argument)) != 0;
}

hy_status hy_cpu_prim_packer(const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain, hy_cpu_prim **out_prim,
                             hy_error *error)
{
	place from;
	hy_status status = answer(place_make(plain, &from), "memory_desc_init", error);
	if (status == HY_OK) status = reorder(prim->dnnl, REF(from), argument_place(prim, argument), out_prim, error);
	place_destroy(&from);
	return status;
}

hy_status hy_cpu_prim_unpacker(const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain,
                               hy_cpu_prim **out_prim, hy_error *error)
{
	place to;
	hy_status status = answer(place_make(plain, &to), "memory_desc_init", error);
	if (status == HY_OK) status = reorder(prim->dnnl, argument_place(prim, argument), REF(to), out_prim, error);
	place_destroy(&to);
	return status;
}

hy_status hy_cpu_prim_pack(const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain, const void *data,
                           void *target, hy_error *error)
{
	hy_cpu_prim *move = NULL;
	void *scratch = NULL;
	hy_status status = hy_cpu_prim_packer(prim, argument, plain, &move, error);
	if (status == HY_OK && move->scratch_bytes > 0) {
		scratch = aligned_alloc(64, (move->scratch_bytes + 63) / 64 * 64);
		if (scratch == NULL) status = hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to pack weights");
	}
	if (status == HY_OK) {
		void *const at[] = {(void *)(uintptr_t)data, target, scratch};
		status = hy_cpu_prim_run(move, at, error);
	}
	hy_cpu_prim_destroy(move);
	free(scratch);
	return status;
}
