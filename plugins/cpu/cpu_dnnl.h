/* oneDNN in this plugin's words. Nothing else in the plugin includes its headers, so that its two C APIs (2.x and 3.x)
 * differ in one file. All calls are made on the worker: the thread count is baked into a primitive. */
#ifndef HY_CPU_DNNL_H
#define HY_CPU_DNNL_H

#include <halyard/dtype.h>
#include <halyard/graph.h>

#include <stdbool.h>

/* An engine and a stream; one per device. */
typedef struct hy_cpu_dnnl hy_cpu_dnnl;
/* A primitive with its arguments. */
typedef struct hy_cpu_prim hy_cpu_prim;

hy_status hy_cpu_dnnl_create(hy_cpu_dnnl **out_dnnl, hy_error *error);
void hy_cpu_dnnl_destroy(hy_cpu_dnnl *dnnl);
/* "oneDNN 2.6.3" and "avx512_core_bf16". Threads: any. */
const char *hy_cpu_dnnl_version(void);
const char *hy_cpu_dnnl_isa(void);

/* Where the elements of a tensor lie. */
typedef struct hy_cpu_md {
	hy_dtype dtype;
	uint32_t rank; /* grouped weights have one more than the model's */
	bool any; /* oneDNN chooses the places: ask hy_cpu_prim_bytes and hy_cpu_prim_pack */
	int64_t dim[HY_MAX_RANK + 1];
	int64_t stride[HY_MAX_RANK + 1]; /* elements */
} hy_cpu_md;

/* The window of a convolution or pooling, per spatial dimension. */
typedef struct hy_cpu_window {
	uint32_t rank; /* 1 to 3 */
	int64_t kernel[3], stride[3], dilation[3]; /* dilation 1: none */
	int64_t begin[3], end[3]; /* padding */
} hy_cpu_window;

/* X(NAME, oneDNN's algorithm): what may follow a layer in its kernel. */
#define HY_CPU_CURVE_LIST(X)                        \
	X(RELU, relu) /* alpha: slope below zero */ \
	X(TANH, tanh)                               \
	X(ELU, elu)                                 \
	X(ABS, abs)                                 \
	X(SQRT, sqrt)                               \
	X(LINEAR, linear) /* alpha x + beta */      \
	X(SOFTPLUS, soft_relu)                      \
	X(SIGMOID, logistic)                        \
	X(EXP, exp)                                 \
	X(LOG, log)                                 \
	X(CLIP, clip) /* to alpha..beta */          \
	X(GELU_ERF, gelu_erf)                       \
	X(GELU_TANH, gelu_tanh)                     \
	X(SWISH, swish) /* x sigmoid(alpha x) */    \
	X(MISH, mish)                               \
	X(HARD_SWISH, hardswish)

typedef enum hy_cpu_curve {
#define X(name, algorithm) HY_CPU_CURVE_##name,
	HY_CPU_CURVE_LIST(X)
#undef X
} hy_cpu_curve;

typedef enum hy_cpu_post_kind {
	HY_CPU_POST_CURVE,
	HY_CPU_POST_SUM, /* adds what the destination held */
	HY_CPU_POST_ADD,
	HY_CPU_POST_MUL,
	HY_CPU_POST_MAX,
	HY_CPU_POST_MIN,
} hy_cpu_post_kind;

typedef struct hy_cpu_post {
	hy_cpu_post_kind kind;
	hy_cpu_curve curve;
	float alpha, beta;
	hy_cpu_md operand; /* of ADD, MUL, MAX, MIN: dims are the destination's or 1 */
} hy_cpu_post;

enum { HY_CPU_MAX_POSTS = 8 };

typedef enum hy_cpu_layer_kind { HY_CPU_CONV, HY_CPU_DECONV, HY_CPU_INNER, HY_CPU_MATMUL } hy_cpu_layer_kind;

/* A layer with weights. Arguments of the primitive, in order: src, weights, bias (when bias.rank > 0), dst, the
 * operands of the posts in order. */
typedef struct hy_cpu_layer {
	hy_cpu_layer_kind kind;
	bool is_winograd; /* CONV: fewer multiplications, in places that oneDNN chooses for src, weights and dst */
	hy_cpu_md src, weights, bias, dst;
	hy_cpu_window window; /* of CONV and DECONV */
	uint32_t post_count;
	hy_cpu_post posts[HY_CPU_MAX_POSTS];
} hy_cpu_layer;

/* All fail with UNSUPPORTED when oneDNN has no implementation. */
hy_status hy_cpu_dnnl_layer(hy_cpu_dnnl *dnnl, const hy_cpu_layer *layer, hy_cpu_prim **out_prim, hy_error *error);

typedef enum hy_cpu_pool_kind { HY_CPU_POOL_MAX, HY_CPU_POOL_AVERAGE, HY_CPU_POOL_AVERAGE_PADDED } hy_cpu_pool_kind;

/* Arguments: src, dst. */
hy_status hy_cpu_dnnl_pool(hy_cpu_dnnl *dnnl, hy_cpu_pool_kind kind, const hy_cpu_md *src, const hy_cpu_md *dst,
                           const hy_cpu_window *window, hy_cpu_prim **out_prim, hy_error *error);

/* The same of what another primitive wrote as its argument; oneDNN chooses the places of dst. */
hy_status hy_cpu_dnnl_pool_packed(hy_cpu_dnnl *dnnl, hy_cpu_pool_kind kind, const hy_cpu_prim *source,
                                  uint32_t argument, const hy_cpu_md *dst, const hy_cpu_window *window,
                                  hy_cpu_prim **out_prim, hy_error *error);

typedef struct hy_cpu_lrn {
	int64_t size;
	float alpha, beta, bias;
} hy_cpu_lrn;

/* Arguments: src, dst. */
hy_status hy_cpu_dnnl_lrn(hy_cpu_dnnl *dnnl, const hy_cpu_md *src, const hy_cpu_lrn *lrn, hy_cpu_prim **out_prim,
                          hy_error *error);

typedef enum hy_cpu_softmax_kind { HY_CPU_SOFTMAX, HY_CPU_LOG_SOFTMAX } hy_cpu_softmax_kind;

/* Arguments: src, dst. */
hy_status hy_cpu_dnnl_softmax(hy_cpu_dnnl *dnnl, hy_cpu_softmax_kind kind, const hy_cpu_md *src, uint32_t axis,
                              hy_cpu_prim **out_prim, hy_error *error);

/* Over the last dimension. Arguments: src, scale, shift, dst. */
hy_status hy_cpu_dnnl_layer_norm(hy_cpu_dnnl *dnnl, const hy_cpu_md *src, float epsilon, hy_cpu_prim **out_prim,
                                 hy_error *error);

/* Arguments: src, dst. */
hy_status hy_cpu_dnnl_reorder(hy_cpu_dnnl *dnnl, const hy_cpu_md *src, const hy_cpu_md *dst, hy_cpu_prim **out_prim,
                              hy_error *error);

/* Bytes of the argument in the places the primitive wants. */
uint64_t hy_cpu_prim_bytes(const hy_cpu_prim *prim, uint32_t argument);
/* Bytes it needs while it runs; its address is the argument after the last. 0: there is no such argument. */
uint64_t hy_cpu_prim_scratch_bytes(const hy_cpu_prim *prim);
/* Two arguments lie alike: what one primitive wrote the other can read. */
bool hy_cpu_prim_same_place(const hy_cpu_prim *a, uint32_t a_argument, const hy_cpu_prim *b, uint32_t b_argument);
/* Lays data out as the primitive wants its argument; target has hy_cpu_prim_bytes. */
hy_status hy_cpu_prim_pack(const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain, const void *data,
                           void *target, hy_error *error);
/* A primitive that does this at each run. Arguments: src, dst. */
hy_status hy_cpu_prim_packer(const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain, hy_cpu_prim **out_prim,
                             hy_error *error);
/* The way back. */
hy_status hy_cpu_prim_unpacker(const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain,
                               hy_cpu_prim **out_prim, hy_error *error);
/* "brgconv:avx512_core"; lent. */
const char *hy_cpu_prim_name(const hy_cpu_prim *prim);
/* A loop without vectors: many times slower than it could be. */
bool hy_cpu_prim_is_reference(const hy_cpu_prim *prim);

uint32_t hy_cpu_prim_argument_count(const hy_cpu_prim *prim);
/* at: one address per argument, then the scratch's. */
hy_status hy_cpu_prim_run(hy_cpu_prim *prim, void *const *at, hy_error *error);
void hy_cpu_prim_destroy(hy_cpu_prim *prim);

#endif
