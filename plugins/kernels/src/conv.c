/* Conv: in channel blocks when the channels of a group fill them, else one element at a time. */
#include "conv.h"

#include "fused.h"
#include "handler.h"
#include "matmul.h"

#include <string.h>

typedef enum kind {
	KIND_PLAIN, /* any rank, type and group */
	KIND_BLOCK, /* from channel blocks */
	KIND_PLANES, /* from NCHW planes: the few channels of an image */
	KIND_DEPTHWISE, /* channel blocks, one filter per channel */
	KIND_PRODUCT, /* point-wise: filters times channels, in plain form */
} kind;

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static uint32_t halo_of(const hy_kernels__conv *conv)
{
	return (uint32_t)most(most(conv->begin[0], conv->end[0]), most(conv->begin[1], conv->end[1]));
}

static bool is_constant(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input)
{
	return !hy_kernels__has_input(node, input) || lower->values[node->inputs[input]].constant;
}

/* A point-wise convolution as the product of each group's filters with its channels. */
static bool as_product(const hy_kernels__lower *lower, const hy_kernels__node *node, const hy_kernels__conv *conv,
                       hy_kernels__product *out_product)
{
	int64_t pixels = 1;
	for (uint32_t d = 0; d < conv->rank; d++) {
		if (conv->kernel[d] != 1 || conv->stride[d] != 1 || conv->begin[d] != 0 || conv->end[d] != 0)
			return false;
		pixels *= conv->in[d];
	}
	const int64_t m = conv->filters / conv->group, k = conv->channels / conv->group;
	*out_product = (hy_kernels__product){
		.m = m,
		.n = pixels,
		.k = k,
		.batch = conv->batch * conv->group,
		.a_row = k,
		.a_column = 1,
		.b_row = pixels,
		.b_column = 1,
		.c_row = 1,
		.batch_rank = 2,
		.size = {conv->batch, conv->group},
		.a_step = {0, m * k},
		.b_step = {conv->channels * pixels, k * pixels},
		.c_step = {0, m},
		.alpha = 1.0f,
		.beta = 1.0f,
		.a = node->inputs[1],
		.b = node->inputs[0],
		.c = hy_kernels__has_input(node, 2) ? node->inputs[2] : HY_IR_NONE,
	};
	return hy_kernels__product_is_vector(lower, out_product);
}

/* What is left when a convolution can't be blocked. */
static kind plain_kind(const hy_kernels__lower *lower, const hy_kernels__node *node, const hy_kernels__conv *conv)
{
	hy_kernels__product product;
	return as_product(lower, node, conv, &product) ? KIND_PRODUCT : KIND_PLAIN;
}

static kind kind_of(const hy_kernels__lower *lower, const hy_kernels__node *node, hy_kernels__conv *out_conv)
{
	const hy_ir_type *x = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	hy_kernels__conv_read(lower, node, out_conv);
	const hy_kernels__conv *conv = out_conv;
	const kind plain = plain_kind(lower, node, conv);
	if (lower->options->shape != HY_KERNELS_CPU || x->dtype != HY_DTYPE_F32 || x->rank != 4) return plain;
	if (hy_ir_type_elements(y) == 0 || hy_ir_type_elements(x) == 0) return plain;
	if (!is_constant(lower, node, 1) || !is_constant(lower, node, 2)) return plain;
	for (uint32_t d = 0; d < 2; d++)
		if (conv->begin[d] < 0 || conv->end[d] < 0 || conv->begin[d] > 64 || conv->end[d] > 64) return plain;
	if (conv->group == 1) {
		const bool is_blocked = lower->values[node->inputs[0]].form == FORM_BLOCK;
		return conv->channels >= BLOCK || is_blocked ? KIND_BLOCK : KIND_PLANES;
	}
	if (conv->group == conv->channels && conv->group == conv->filters) return KIND_DEPTHWISE;
	const bool fills = conv->channels / conv->group % BLOCK == 0 && conv->filters / conv->group % BLOCK == 0;
	return fills ? KIND_BLOCK : plain;
}

bool hy_kernels__conv_is_blocked(const hy_kernels__lower *lower, const hy_kernels__node *node)
{
	hy_kernels__conv conv;
	const kind its = kind_of(lower, node, &conv);
	return its != KIND_PLAIN && its != KIND_PRODUCT;
}

uint32_t hy_kernels__conv_halo(const hy_kernels__lower *lower, const hy_kernels__node *node)
{
	hy_kernels__conv conv;
	hy_kernels__conv_read(lower, node, &conv);
	return halo_of(&conv);
}

bool hy_kernels__conv_fuses(hy_kernels__lower *lower, const hy_kernels__node *node,
                            const hy_kernels__epilogue *epilogue)
{
	const hy_ir_type *stored = hy_kernels__type(lower, epilogue->output);
	hy_kernels__conv conv;
	hy_kernels__product product;
	const kind its = kind_of(lower, node, &conv);
	if (its == KIND_PRODUCT && as_product(lower, node, &conv, &product))
		return hy_kernels__columns_is_possible(lower, epilogue, product.n);
	return its != KIND_PLAIN && hy_ir_type_equal(stored, hy_kernels__type(lower, epilogue->input)) &&
	       hy_kernels__fused_is_possible(lower, epilogue->nodes, epilogue->count, epilogue->input, stored);
}

/* [output block][outer][tap][lane][16]; see conv_block.cl. */
static void pack(float *to, const float *from, const hy_kernels__conv *conv, int64_t lanes)
{
	const int64_t taps = conv->kernel[0] * conv->kernel[1], channels = conv->channels / conv->group;
	const int64_t outer = (channels + lanes - 1) / lanes, blocks = (conv->filters + BLOCK - 1) / BLOCK;
	for (int64_t kb = 0; kb < blocks; kb++)
		for (int64_t cb = 0; cb < outer; cb++)
			for (int64_t t = 0; t < taps; t++)
				for (int64_t lane = 0; lane < lanes; lane++)
					for (int64_t j = 0; j < BLOCK; j++) {
						const int64_t k = kb * BLOCK + j, c = cb * lanes + lane;
						const bool there = k < conv->filters && c < channels;
						*to++ = there ? from[(k * channels + c) * taps + t] : 0.0f;
					}
}

static hy_kernels__place pack_weights(hy_kernels__lower *lower, const hy_kernels__node *node,
                                      const hy_kernels__conv *conv, int64_t lanes)
{
	const int64_t channels = conv->channels / conv->group, blocks = (conv->filters + BLOCK - 1) / BLOCK;
	const int64_t padded = (channels + lanes - 1) / lanes * lanes;
	const uint64_t bytes = (uint64_t)(blocks * BLOCK * padded * conv->kernel[0] * conv->kernel[1]) * sizeof(float);
	const float *from = hy_kernels__data(lower, node, 1);
	float *data = from == NULL ? NULL : hy_kernels__alloc(lower, bytes);
	if (data != NULL) pack(data, from, conv, lanes);
	return hy_kernels__constant(lower, data, bytes);
}

/* Zeros where there is no bias. */
static hy_kernels__place pack_bias(hy_kernels__lower *lower, const hy_kernels__node *node, int64_t filters)
{
	const uint64_t bytes = (uint64_t)((filters + BLOCK - 1) / BLOCK) * BLOCK * sizeof(float);
	const float *from = hy_kernels__data(lower, node, 2);
	float *data = hy_kernels__alloc(lower, bytes);
	if (data != NULL) {
		memset(data, 0, bytes);
		if (from != NULL) memcpy(data, from, (size_t)filters * sizeof(float));
	}
	return hy_kernels__constant(lower, data, bytes);
}

/* Where a blocked convolution reads and writes, in elements of `lanes` floats. */
typedef struct blocked {
	kind kind;
	hy_kernels__conv conv;
	hy_kernels__fused fused;
	hy_kernels__place x, y;
	hy_kernels__plane x_plane, y_plane;
	int64_t lanes, rows, columns, group_blocks;
	hy_kernels__tile tile;
} blocked;

static void choose_tile(hy_kernels__lower *lower, blocked *at)
{
	const hy_kernels__conv *conv = &at->conv;
	const int64_t taps = conv->kernel[0] * conv->kernel[1];
	const bool is_point = taps == 1 && conv->stride[0] == 1 && conv->stride[1] == 1;
	at->rows = conv->out[0];
	at->columns = conv->out[1];
	/* without halos a point-wise convolution sees one long row */
	if (is_point && halo_of(conv) == 0 && at->x.pad == 0 && at->y.pad == 0 && at->fused.is_flat) {
		at->columns *= at->rows;
		at->rows = 1;
	}
	const int64_t steps = at->kind == KIND_DEPTHWISE ? taps : conv->channels / conv->group * taps;
	at->tile = hy_kernels__tile_choose(lower, at->rows, at->columns, at->group_blocks, steps);
}

static void bring_places(hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t output, blocked *at)
{
	const hy_ir_type type = *hy_kernels__type(lower, node->inputs[0]);
	const uint32_t halo = halo_of(&at->conv);
	const hy_kernels__form form = at->kind != KIND_PLANES ? FORM_BLOCK : halo > 0 ? FORM_HALO : FORM_PLAIN;
	at->x = hy_kernels__need(lower, node->inputs[0], form, halo);
	if (form == FORM_PLAIN) at->x.planes = (uint32_t)type.dim[1];
	at->y = hy_kernels__make(lower, output, FORM_BLOCK);
	at->x_plane = hy_kernels__plane_of(&type, at->x.pad);
	at->y_plane = hy_kernels__plane_of(hy_kernels__type(lower, output), at->y.pad);
	const int64_t first = at->x_plane.origin - at->conv.begin[0] * at->x_plane.row - at->conv.begin[1];
	at->x.offset += (uint64_t)(first * at->lanes) * sizeof(float);
}

static uint32_t make_kernel(hy_kernels__lower *lower, blocked *at, const hy_ir_type *type)
{
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "ROWS", "%u", at->tile.rows);
	hy_kernels__text_define(&defines, "COLUMNS", "%u", at->tile.columns);
	if (at->kind != KIND_DEPTHWISE) {
		hy_kernels__text_define(&defines, "BLOCKS", "%u", at->tile.blocks);
		hy_kernels__text_define(&defines, "LANES", "%d", (int)at->lanes);
	}
	hy_kernels__text_define(&defines, "STRIDE_H", "%d", (int)at->conv.stride[0]);
	hy_kernels__text_define(&defines, "STRIDE_W", "%d", (int)at->conv.stride[1]);
	/* known only where it is used: kernels for different widths are then one */
	const int64_t row = at->tile.rows > 1 ? at->x_plane.row * at->lanes : 0;
	hy_kernels__text_define(&defines, "X_ROW", "%lld", (long long)row);
	hy_kernels__fused_define(&at->fused, &defines);
	hy_kernels__define_keep(&defines, type);
	return hy_kernels__kernel(lower, at->kind == KIND_DEPTHWISE ? "conv_depthwise" : "conv_block", &defines,
	                          &at->fused.function);
}

static void pass_strides(hy_kernels__lower *lower, const blocked *at)
{
	const int64_t lanes = at->lanes, x_plane = at->x_plane.plane * lanes,
		      y_plane = at->y_plane.plane * (int64_t)BLOCK;
	hy_kernels__pass_int(lower, at->conv.kernel[0]);
	hy_kernels__pass_int(lower, at->conv.kernel[1]);
	hy_kernels__pass_int(lower, at->x.planes * x_plane);
	hy_kernels__pass_int(lower, x_plane);
	hy_kernels__pass_int(lower, at->x_plane.row * lanes);
	hy_kernels__pass_int(lower, at->conv.dilation[0] * at->x_plane.row * lanes);
	hy_kernels__pass_int(lower, at->conv.dilation[1] * lanes);
	hy_kernels__pass_int(lower, at->y.planes * y_plane);
	hy_kernels__pass_int(lower, y_plane);
	hy_kernels__pass_int(lower, at->y_plane.row);
	hy_kernels__pass_int(lower, at->y.pad);
	hy_kernels__pass_int(lower, at->rows);
	hy_kernels__pass_int(lower, at->columns);
}

static hy_status lower_blocked(hy_kernels__lower *lower, const hy_kernels__node *node,
                               const hy_kernels__epilogue *epilogue, blocked *at)
{
	const uint32_t output = epilogue->count > 0 ? epilogue->output : node->outputs[0];
	const hy_ir_type type = *hy_kernels__type(lower, output);
	const hy_status status = hy_kernels__fused_create(lower, epilogue->nodes, epilogue->count, epilogue->input,
	                                                  output, &at->fused);
	if (status != HY_OK) return status;
	at->lanes = at->kind == KIND_PLANES ? 1 : BLOCK;
	at->group_blocks = (at->conv.filters / at->conv.group + BLOCK - 1) / BLOCK;
	if (at->kind == KIND_DEPTHWISE) at->group_blocks = 1;
	bring_places(lower, node, output, at);
	choose_tile(lower, at);
	const hy_kernels__place w = pack_weights(lower, node, &at->conv, at->kind == KIND_DEPTHWISE ? 1 : at->lanes);
	const hy_kernels__place b = pack_bias(lower, node, at->conv.filters);
	const hy_kernels__tile tile = at->tile;
	const uint32_t kernel = make_kernel(lower, at, &type);
	const int64_t blocks = hy_kernels__blocks(&type);
	const int64_t groups = at->kind == KIND_DEPTHWISE ? blocks : at->conv.group;
	const int64_t block_tiles = groups * ((at->group_blocks + tile.blocks - 1) / tile.blocks);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)((at->columns + tile.columns - 1) / tile.columns),
	                   (uint64_t)((at->rows + tile.rows - 1) / tile.rows), (uint64_t)(at->conv.batch * block_tiles),
	                   1);
	hy_kernels__pass(lower, at->x);
	hy_kernels__pass(lower, w);
	hy_kernels__pass(lower, b);
	hy_kernels__pass(lower, at->y);
	if (at->kind != KIND_DEPTHWISE)
		hy_kernels__pass_int(lower, (at->conv.channels / at->conv.group + at->lanes - 1) / at->lanes);
	pass_strides(lower, at);
	if (at->kind != KIND_DEPTHWISE) hy_kernels__pass_int(lower, at->group_blocks);
	hy_kernels__pass_int(lower, block_tiles);
	hy_kernels__fused_pass(lower, &at->fused);
	return HY_OK;
}

/* "#define NAME {1, 2, 3}" */
void hy_kernels__define_list(hy_kernels__text *defines, const char *name, const int64_t *values, uint32_t count)
{
	hy_kernels__text_add(defines, "#define %s {", name);
	for (uint32_t i = 0; i < count; i++)
		hy_kernels__text_add(defines, "%s%lld", i == 0 ? "" : ", ", (long long)values[i]);
	hy_kernels__text_add(defines, "}\n");
}

void hy_kernels__conv_define(const hy_kernels__conv *conv, hy_kernels__text *defines)
{
	int64_t taps = 1, in = 1, out = 1;
	for (uint32_t d = 0; d < conv->rank; d++) {
		taps *= conv->kernel[d];
		in *= conv->in[d];
		out *= conv->out[d];
	}
	hy_kernels__text_define(defines, "RANK", "%u", conv->rank);
	hy_kernels__text_define(defines, "CHANNELS", "%lld", (long long)conv->channels);
	hy_kernels__text_define(defines, "FILTERS", "%lld", (long long)conv->filters);
	hy_kernels__text_define(defines, "GROUP", "%lld", (long long)conv->group);
	hy_kernels__text_define(defines, "TAPS", "%lld", (long long)taps);
	hy_kernels__text_define(defines, "IN_TOTAL", "%lld", (long long)in);
	hy_kernels__text_define(defines, "OUT_TOTAL", "%lld", (long long)out);
	hy_kernels__text_define(defines, "TOTAL", "%lld", (long long)(conv->batch * conv->filters * out));
	hy_kernels__define_list(defines, "IN", conv->in, conv->rank);
	hy_kernels__define_list(defines, "OUT", conv->out, conv->rank);
	hy_kernels__define_list(defines, "KERNEL", conv->kernel, conv->rank);
	hy_kernels__define_list(defines, "STRIDE", conv->stride, conv->rank);
	hy_kernels__define_list(defines, "DILATION", conv->dilation, conv->rank);
	hy_kernels__define_list(defines, "BEGIN", conv->begin, conv->rank);
	hy_kernels__define_list(defines, "END", conv->end, conv->rank);
}

/* x, w, b, y in plain form; Conv and ConvTranspose. */
static hy_status lower_plain(hy_kernels__lower *lower, const hy_kernels__node *node, const char *name,
                             const hy_kernels__conv *conv)
{
	const hy_ir_type *type = hy_kernels__type(lower, node->outputs[0]);
	const int64_t total = hy_ir_type_elements(type);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type->dtype));
	hy_kernels__text_define(&defines, "HAS_BIAS", "%d", hy_kernels__has_input(node, 2));
	hy_kernels__conv_define(conv, &defines);
	const hy_kernels__place x = hy_kernels__need(lower, node->inputs[0], FORM_PLAIN, 0);
	const hy_kernels__place w = hy_kernels__need(lower, node->inputs[1], FORM_PLAIN, 0);
	const hy_kernels__place b = hy_kernels__has_input(node, 2)
	                                    ? hy_kernels__need(lower, node->inputs[2], FORM_PLAIN, 0)
	                                    : w;
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const uint32_t kernel = hy_kernels__kernel(lower, name, &defines, NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, x);
	hy_kernels__pass(lower, w);
	hy_kernels__pass(lower, b);
	hy_kernels__pass(lower, y);
	return HY_OK;
}

hy_status hy_kernels__lower_conv(hy_kernels__lower *lower, const hy_kernels__node *node,
                                 const hy_kernels__epilogue *epilogue)
{
	blocked at;
	at.kind = kind_of(lower, node, &at.conv);
	hy_kernels__product product;
	if (at.kind == KIND_PRODUCT && as_product(lower, node, &at.conv, &product))
		return hy_kernels__product_lower(lower, node, epilogue, &product);
	if (at.kind == KIND_PLAIN) return lower_plain(lower, node, "conv", &at.conv);
	return lower_blocked(lower, node, epilogue, &at);
}

hy_status hy_kernels__lower_conv_transpose(hy_kernels__lower *lower, const hy_kernels__node *node,
                                           const hy_kernels__epilogue *epilogue)
{
	(void)epilogue;
	hy_kernels__conv conv;
	hy_kernels__conv_read(lower, node, &conv);
	return lower_plain(lower, node, "conv_transpose", &conv);
}
