/* MatMul and Gemm: register tiles in f32 on the CPU shape, else one element at a time. */
#include "matmul.h"

#include "conv.h"
#include "handler.h"

#include <stdlib.h>
#include <string.h>

typedef hy_kernels__product product;

static product read_gemm(const hy_kernels__lower *lower, const hy_kernels__node *node)
{
	const hy_ir_type *a = hy_kernels__type(lower, node->inputs[0]), *y = hy_kernels__type(lower, node->outputs[0]);
	const bool turn_a = hy_ir_node_attr_int(node->ir, "transA", 0) != 0;
	const bool turn_b = hy_ir_node_attr_int(node->ir, "transB", 0) != 0;
	product at = {.m = y->dim[0], .n = y->dim[1], .k = a->dim[turn_a ? 0 : 1], .batch = 1};
	at.a_row = turn_a ? 1 : at.k;
	at.a_column = turn_a ? at.m : 1;
	at.b_row = turn_b ? 1 : at.n;
	at.b_column = turn_b ? at.k : 1;
	at.alpha = hy_ir_node_attr_float(node->ir, "alpha", 1.0f);
	at.beta = hy_ir_node_attr_float(node->ir, "beta", 1.0f);
	at.a = node->inputs[0];
	at.b = node->inputs[1];
	at.c = hy_kernels__has_input(node, 2) ? node->inputs[2] : HY_IR_NONE;
	if (at.c != HY_IR_NONE) {
		const hy_ir_type *c = hy_kernels__type(lower, node->inputs[2]);
		at.c_column = c->rank > 0 && c->dim[c->rank - 1] != 1;
		at.c_row = c->rank == 2 && c->dim[0] != 1 ? c->dim[1] : 0;
	}
	return at;
}

static product read_matmul(const hy_kernels__lower *lower, const hy_kernels__node *node)
{
	const hy_ir_type *a = hy_kernels__type(lower, node->inputs[0]), *b = hy_kernels__type(lower, node->inputs[1]);
	const hy_ir_type *y = hy_kernels__type(lower, node->outputs[0]);
	product at = {.alpha = 1.0f, .batch = 1, .a = node->inputs[0], .b = node->inputs[1], .c = HY_IR_NONE};
	at.k = a->dim[a->rank - 1];
	at.m = a->rank == 1 ? 1 : a->dim[a->rank - 2];
	at.n = b->rank == 1 ? 1 : b->dim[b->rank - 1];
	at.a_row = at.k;
	at.a_column = 1;
	at.b_row = at.n;
	at.b_column = 1;
	const uint32_t a_rank = a->rank < 2 ? 0 : a->rank - 2, b_rank = b->rank < 2 ? 0 : b->rank - 2;
	const uint32_t rank = a_rank > b_rank ? a_rank : b_rank;
	int64_t a_step = at.m * at.k, b_step = at.k * at.n;
	for (uint32_t d = rank; d-- > 0;) {
		const uint32_t a_at = d + a_rank - rank, b_at = d + b_rank - rank; /* wraps where it has no such dim */
		const int64_t a_dim = a_at < a_rank ? a->dim[a_at] : 1, b_dim = b_at < b_rank ? b->dim[b_at] : 1;
		at.size[d] = y->dim[d];
		at.a_step[d] = a_dim == 1 ? 0 : a_step;
		at.b_step[d] = b_dim == 1 ? 0 : b_step;
		a_step *= a_dim;
		b_step *= b_dim;
		at.batch *= at.size[d];
	}
	at.batch_rank = rank;
	/* one matrix for all batches: their rows are one long matrix */
	if (b_rank == 0 && a_rank > 0) {
		at.m *= at.batch;
		at.batch = 1;
		at.batch_rank = 0;
	}
	return at;
}

static product read_product(const hy_kernels__lower *lower, const hy_kernels__node *node)
{
	return node->op->id == HY_IR_OP_Gemm ? read_gemm(lower, node) : read_matmul(lower, node);
}

static bool is_packed(const hy_kernels__lower *lower, const product *at)
{
	return lower->values[at->b].constant && at->batch_rank == 0;
}

bool hy_kernels__product_is_vector(const hy_kernels__lower *lower, const product *at)
{
	if (lower->options->shape != HY_KERNELS_CPU) return false;
	if (hy_kernels__type(lower, at->a)->dtype != HY_DTYPE_F32) return false;
	if (at->m * at->n * at->k * at->batch == 0) return false;
	return is_packed(lower, at) || (at->b_column == 1 && at->n >= (int64_t)BLOCK);
}

bool hy_kernels__matmul_fuses(hy_kernels__lower *lower, const hy_kernels__node *node,
                              const hy_kernels__epilogue *epilogue)
{
	const product at = read_product(lower, node);
	return hy_kernels__product_is_vector(lower, &at) && hy_kernels__columns_is_possible(lower, epilogue, at.n);
}

static hy_kernels__place pack(hy_kernels__lower *lower, const product *at, int64_t width)
{
	const int64_t panels = (at->n + width - 1) / width;
	const uint64_t bytes = (uint64_t)(panels * at->k * width) * sizeof(float);
	const float *from = lower->values[at->b].data;
	float *data = from == NULL ? NULL : hy_kernels__alloc(lower, bytes);
	if (data == NULL) return hy_kernels__constant(lower, NULL, bytes);
	float *to = data;
	for (int64_t p = 0; p < panels; p++) {
		int64_t first = p * width;
		if (first > at->n - width && at->n >= width) first = at->n - width;
		for (int64_t k = 0; k < at->k; k++)
			for (int64_t j = first; j < first + width; j++)
				*to++ = j < at->n ? from[k * at->b_row + j * at->b_column] : 0.0f;
	}
	return hy_kernels__constant(lower, data, bytes);
}

static void define_product(const product *at, hy_kernels__text *defines)
{
	static const int64_t one[1] = {1};
	const uint32_t rank = at->batch_rank ? at->batch_rank : 1;
	hy_kernels__text_define(defines, "SCALED", "%d", at->alpha != 1.0f);
	hy_kernels__text_define(defines, "ALPHA", "%af", (double)at->alpha);
	hy_kernels__text_define(defines, "BETA", "%af", (double)at->beta);
	hy_kernels__text_define(defines, "BATCH_RANK", "%u", at->batch_rank);
	hy_kernels__define_list(defines, "BATCH", at->batch_rank ? at->size : one, rank);
	hy_kernels__define_list(defines, "A_BATCH", at->a_step, rank);
	hy_kernels__define_list(defines, "B_BATCH", at->b_step, rank);
	hy_kernels__define_list(defines, "C_BATCH", at->c_step, rank);
}

hy_status hy_kernels__product_lower(hy_kernels__lower *lower, const hy_kernels__node *node,
                                    const hy_kernels__epilogue *epilogue, const product *at)
{
	const uint32_t output = epilogue->count > 0 ? epilogue->output : node->outputs[0];
	hy_kernels__columns columns;
	const hy_status status = hy_kernels__columns_create(lower, epilogue, at->n, &columns);
	if (status != HY_OK) return status;
	const bool packed = is_packed(lower, at), has_c = at->c != HY_IR_NONE;
	const int64_t most = at->n >= (int64_t)BLOCK ? at->n / BLOCK : 1;
	const hy_kernels__tile tile = hy_kernels__tile_choose(lower, 1, at->m, most, at->k);
	const int64_t width = (int64_t)tile.blocks * BLOCK;
	const hy_kernels__place a = hy_kernels__need(lower, at->a, FORM_PLAIN, 0);
	const hy_kernels__place b = packed ? pack(lower, at, width) : hy_kernels__need(lower, at->b, FORM_PLAIN, 0);
	const hy_kernels__place c = has_c ? hy_kernels__need(lower, at->c, FORM_PLAIN, 0) : a;
	const hy_kernels__place y = hy_kernels__make(lower, output, FORM_PLAIN);
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "ROWS", "%u", tile.columns);
	hy_kernels__text_define(&defines, "VECTORS", "%u", tile.blocks);
	hy_kernels__text_define(&defines, "PACKED", "%d", packed);
	hy_kernels__text_define(&defines, "TAIL", "%lld", (long long)(at->n < (int64_t)BLOCK ? at->n : 0));
	hy_kernels__text_define(&defines, "HAS_C", "%d", has_c ? at->c_column ? 2 : 1 : 0);
	define_product(at, &defines);
	hy_kernels__columns_define(&columns, &defines);
	const uint32_t kernel = hy_kernels__kernel(lower, "matmul_vector", &defines, &columns.function);
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)((at->m + tile.columns - 1) / tile.columns),
	                   (uint64_t)((at->n + width - 1) / width), (uint64_t)at->batch, 1);
	hy_kernels__pass(lower, a);
	hy_kernels__pass(lower, b);
	hy_kernels__pass(lower, c);
	hy_kernels__pass(lower, y);
	hy_kernels__pass_int(lower, at->m);
	hy_kernels__pass_int(lower, at->n);
	hy_kernels__pass_int(lower, at->k);
	hy_kernels__pass_int(lower, at->a_row);
	hy_kernels__pass_int(lower, at->a_column);
	hy_kernels__pass_int(lower, at->b_row);
	hy_kernels__pass_int(lower, at->c_row);
	hy_kernels__columns_pass(lower, &columns);
	return HY_OK;
}

static hy_status lower_plain(hy_kernels__lower *lower, const hy_kernels__node *node, const product *at)
{
	const hy_ir_type *type = hy_kernels__type(lower, node->outputs[0]);
	const int64_t total = hy_ir_type_elements(type);
	const bool has_c = at->c != HY_IR_NONE;
	hy_kernels__text defines = {0};
	hy_kernels__text_define(&defines, "X", "%s", hy_dtype_name(type->dtype));
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {{"TOTAL", total},
	               {"M", at->m},
	               {"N", at->n},
	               {"K", at->k},
	               {"A_ROW", at->a_row},
	               {"A_COLUMN", at->a_column},
	               {"B_ROW", at->b_row},
	               {"B_COLUMN", at->b_column},
	               {"HAS_C", has_c},
	               {"C_ROW", at->c_row},
	               {"C_COLUMN", at->c_column}};
	for (uint32_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		hy_kernels__text_define(&defines, numbers[i].name, "%lld", (long long)numbers[i].value);
	define_product(at, &defines);
	const hy_kernels__place a = hy_kernels__need(lower, at->a, FORM_PLAIN, 0);
	const hy_kernels__place b = hy_kernels__need(lower, at->b, FORM_PLAIN, 0);
	const hy_kernels__place c = has_c ? hy_kernels__need(lower, at->c, FORM_PLAIN, 0) : a;
	const hy_kernels__place y = hy_kernels__make(lower, node->outputs[0], FORM_PLAIN);
	const uint32_t kernel = hy_kernels__kernel(lower, "matmul", &defines, NULL);
	if (total == 0) return HY_OK;
	hy_kernels__launch(lower, kernel, node->row, (uint64_t)total, 1, 1, lower->options->local_size);
	hy_kernels__pass(lower, a);
	hy_kernels__pass(lower, b);
	hy_kernels__pass(lower, c);
	hy_kernels__pass(lower, y);
	return HY_OK;
}

hy_status hy_kernels__lower_matmul(hy_kernels__lower *lower, const hy_kernels__node *node,
                                   const hy_kernels__epilogue *epilogue)
{
	const product at = read_product(lower, node);
	if (hy_kernels__product_is_vector(lower, &at)) return hy_kernels__product_lower(lower, node, epilogue, &at);
	return lower_plain(lower, node, &at);
}

hy_status hy_kernels__lower_gemm(hy_kernels__lower *lower, const hy_kernels__node *node,
                                 const hy_kernels__epilogue *epilogue)
{
	return hy_kernels__lower_matmul(lower, node, epilogue);
}
