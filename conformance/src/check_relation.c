/* Group relation: answers of the plugin against other answers of the plugin. They hold without an oracle, so that an
 * error that oracle and plugin share shows too. */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of f32 that was an answer, or is made up. */
typedef struct values {
	tensor shape; /* value: the numbers */
	bool ready;
} values;

/* ---- running one operator ---- */

/* spec's run-time inputs hold their numbers. False: the case has ended. */
static bool run_spec(conform_run *run, const op_spec *spec, values *out)
{
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	uint32_t reason;
	if (oracle_run(spec, outputs) == 0) { /* for the output's type alone */
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the oracle has no %s", spec->op);
		return false;
	}
	if (!conform__target_ready(run) || !conform__program_graph(run, spec, 1, outputs, &p)) return false;
	if (!conform__program_query(run, &p, &reason)) {
		conform__not_supported(run, "query says NO (reason %u) to %s", reason, spec->op);
		return false;
	}
	if (!conform__program_compile(run, &p)) return false;
	hy_queue *queue = conform__queue_open(run);
	void *got = calloc(1, tensor_bytes(&outputs[0]) + 8);
	if (queue == NULL || !conform__program_execute(run, queue, &p, &got)) return false;
	for (int64_t i = 0; i < outputs[0].count; i++)
		outputs[0].value[i] = tensor_unpack_at(outputs[0].dtype, got, i);
	outputs[0].arithmetic = p.info.flags;
	free(got);
	run->table.queue_close(queue);
	conform__program_finish(run, &p);
	*out = (values){.shape = outputs[0], .ready = true};
	return true;
}

/* The line's inputs; those that have a tensor in given take its numbers, the rest stay as they were filled. */
static bool run_op(conform_run *run, const char *op, const char *inputs, const char *attrs, data_kind data,
                   uint32_t given_count, const tensor *const *given, values *out)
{
	op_spec spec;
	if (!op_spec_read(&spec, op, inputs, attrs)) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the case's line is wrong");
		return false;
	}
	conform__program_fill(run, &spec, data);
	for (uint32_t i = 0; i < given_count; i++) {
		if (given[i] == NULL) continue;
		if (given[i]->count != spec.inputs[i].count) {
			conform__end(run, HY_CONFORM_HARNESS_ERROR, "the case's sizes differ");
			return false;
		}
		memcpy(spec.inputs[i].value, given[i]->value, (size_t)given[i]->count * sizeof(double));
	}
	const bool done = run_spec(run, &spec, out);
	op_spec_finish(&spec);
	return done;
}

static tensor made(conform_run *run, const char *text, data_kind data)
{
	op_spec spec;
	if (!op_spec_read(&spec, "", text, "")) return (tensor){0};
	conform__program_fill(run, &spec, data);
	return spec.inputs[0];
}

/* Bits, but for what the program declares. scale: what an error is relative to, as the sum of |a*b| is. */
static bool equal(conform_run *run, const tensor *got, const tensor *want, const char *what)
{
	tensor expected = *want;
	expected.arithmetic = got->arithmetic | want->arithmetic;
	if (got->count != want->count) {
		conform__fail(run, "%s: %lld elements, not %lld", what, (long long)got->count, (long long)want->count);
		return false;
	}
	void *bytes = calloc(1, tensor_bytes(got) + 8);
	tensor_pack(got, bytes);
	const bool coarse = expected.arithmetic & (HY_EXE_COMPUTES_TF32 | HY_EXE_COMPUTES_BF16 | HY_EXE_COMPUTES_F16);
	const bool same = conform__compare_in(run, &expected, bytes, coarse ? TOLERANCE_SUM : TOLERANCE_EXACT, "%s",
	                                      what);
	free(bytes);
	return same;
}

/* ---- relations of products ---- */

typedef struct relation_row {
	const char *name;
	int64_t a, b, c, d;
} relation_row;

static void times_identity_is_the_same(conform_run *run, const conform_case *self)
{
	const relation_row *row = self->param;
	char line[96], identity_line[64];
	snprintf(identity_line, sizeof(identity_line), "f32[%lld,%lld]", (long long)row->b, (long long)row->b);
	snprintf(line, sizeof(line), "f32[%lld,%lld] %s", (long long)row->a, (long long)row->b, identity_line);
	tensor identity = made(run, identity_line, INTEGERS), a = made(run, line, NORMAL);
	for (int64_t i = 0; i < identity.count; i++)
		identity.value[i] = i / row->b == i % row->b;
	values product;
	if (!run_op(run, "MatMul", line, "", NORMAL, 2, (const tensor *const[]){&a, &identity}, &product)) return;
	equal(run, &product.shape, &a, "A * I against A");
}

/* The columns of a and the rows of b in another order: the same terms. */
static void order_of_terms_is_free(conform_run *run, const conform_case *self)
{
	const relation_row *row = self->param;
	const int64_t m = row->a, k = row->b, n = row->c;
	char line[96];
	snprintf(line, sizeof(line), "f32[%lld,%lld] f32[%lld,%lld]", (long long)m, (long long)k, (long long)k,
	         (long long)n);
	tensor a = made(run, line, INTEGERS), b = made(run, strchr(line, ' ') + 1, INTEGERS);
	values straight, shuffled;
	if (!run_op(run, "MatMul", line, "", INTEGERS, 2, (const tensor *const[]){&a, &b}, &straight)) return;
	for (int64_t p = k - 1; p > 0; p--) {
		const int64_t other = conform__random_between(run, 0, p);
		for (int64_t i = 0; i < m; i++) {
			const double kept = a.value[i * k + p];
			a.value[i * k + p] = a.value[i * k + other];
			a.value[i * k + other] = kept;
		}
		for (int64_t j = 0; j < n; j++) {
			const double kept = b.value[p * n + j];
			b.value[p * n + j] = b.value[other * n + j];
			b.value[other * n + j] = kept;
		}
	}
	if (!run_op(run, "MatMul", line, "", INTEGERS, 2, (const tensor *const[]){&a, &b}, &shuffled)) return;
	equal(run, &shuffled.shape, &straight.shape, "the same terms in another order");
}

static void turn(const tensor *in, int64_t rows, int64_t columns, tensor *out)
{
	*out = *in;
	out->value = calloc((size_t)in->count + 1, sizeof(double));
	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < columns; j++)
			out->value[j * rows + i] = in->value[i * columns + j];
}

/* (A * B)^T = B^T * A^T, and Gemm's transposes mean the same. */
static void transposed_product_is_the_product_transposed(conform_run *run, const conform_case *self)
{
	const relation_row *row = self->param;
	const long long m = row->a, k = row->b, n = row->c;
	char line[96], turned_line[96], gemm_line[96];
	snprintf(line, sizeof(line), "f32[%lld,%lld] f32[%lld,%lld]", m, k, k, n);
	snprintf(turned_line, sizeof(turned_line), "f32[%lld,%lld] f32[%lld,%lld]", n, k, k, m);
	snprintf(gemm_line, sizeof(gemm_line), "f32[%lld,%lld] f32[%lld,%lld]", k, m, n, k);
	tensor a = made(run, line, INTEGERS), b = made(run, strchr(line, ' ') + 1, INTEGERS), a_turned, b_turned, back;
	turn(&a, m, k, &a_turned);
	turn(&b, k, n, &b_turned);
	values product, other, gemm;
	if (!run_op(run, "MatMul", line, "", INTEGERS, 2, (const tensor *const[]){&a, &b}, &product) ||
	    !run_op(run, "MatMul", turned_line, "", INTEGERS, 2, (const tensor *const[]){&b_turned, &a_turned},
	            &other) ||
	    !run_op(run, "Gemm", gemm_line, "transA=1 transB=1", INTEGERS, 2,
	            (const tensor *const[]){&a_turned, &b_turned}, &gemm))
		return;
	turn(&other.shape, n, m, &back);
	if (equal(run, &back, &product.shape, "(B^T * A^T)^T against A * B"))
		equal(run, &gemm.shape, &product.shape, "Gemm of transposed operands against A * B");
}

/* ---- relations of batches and channels ---- */

typedef struct batch_row {
	const char *name, *op, *whole, *part, *attrs;
	data_kind data;
	int64_t parts; /* of input 0's first dimension */
} batch_row;

static void parts_make_the_whole(conform_run *run, const conform_case *self)
{
	const batch_row *row = self->param;
	op_spec whole;
	values all;
	if (!op_spec_read(&whole, row->op, row->whole, row->attrs)) return;
	conform__program_fill(run, &whole, row->data);
	if (!run_spec(run, &whole, &all)) return;
	const tensor *given[TENSOR_INPUTS] = {NULL};
	for (uint32_t i = 1; i < whole.input_count; i++)
		given[i] = &whole.inputs[i];
	const int64_t in_length = whole.inputs[0].count / row->parts, out_length = all.shape.count / row->parts;
	for (int64_t i = 0; i < row->parts; i++) {
		tensor slice = whole.inputs[0], expected = all.shape;
		values part;
		slice.value += i * in_length;
		slice.count = in_length;
		given[0] = &slice;
		if (!run_op(run, row->op, row->part, row->attrs, row->data, whole.input_count, given, &part)) return;
		expected.value += i * out_length;
		expected.count = out_length;
		expected.dim[0] /= row->parts;
		if (!equal(run, &part.shape, &expected, "a part of the batch alone against the whole")) return;
	}
}

/* ---- there and back ---- */

typedef struct way {
	const char *op, *inputs, *attrs;
} way;

typedef struct round_row {
	const char *name;
	way there, back;
	data_kind data;
} round_row;

static void there_and_back_is_the_same(conform_run *run, const conform_case *self)
{
	const round_row *row = self->param;
	tensor x = made(run, row->there.inputs, row->data);
	values there, back;
	if (!run_op(run, row->there.op, row->there.inputs, row->there.attrs, row->data, 1, (const tensor *const[]){&x},
	            &there) ||
	    !run_op(run, row->back.op, row->back.inputs, row->back.attrs, row->data, 1,
	            (const tensor *const[]){&there.shape}, &back))
		return;
	equal(run, &back.shape, &x, "there and back");
}

/* Two ways to say the same. */
static void two_ways_agree(conform_run *run, const conform_case *self)
{
	const round_row *row = self->param;
	op_spec spec;
	values first, second;
	if (!op_spec_read(&spec, row->there.op, row->there.inputs, row->there.attrs)) return;
	conform__program_fill(run, &spec, row->data);
	if (!run_spec(run, &spec, &first)) return;
	const tensor *given[TENSOR_INPUTS] = {NULL};
	for (uint32_t i = 0; i < spec.input_count; i++)
		given[i] = spec.inputs[i].constant ? NULL : &spec.inputs[i];
	if (!run_op(run, row->back.op, row->back.inputs, row->back.attrs, row->data, spec.input_count, given, &second))
		return;
	equal(run, &second.shape, &first.shape, row->name);
}

/* ---- invariants of norms ---- */

static void rows_of_softmax_sum_to_one(conform_run *run, const conform_case *self)
{
	const relation_row *row = self->param;
	char line[64];
	snprintf(line, sizeof(line), "f32[%lld,%lld]", (long long)row->a, (long long)row->b);
	tensor x = made(run, line, NORMAL);
	values y, shifted;
	if (!run_op(run, "Softmax", line, "axis=-1", NORMAL, 1, (const tensor *const[]){&x}, &y)) return;
	for (int64_t i = 0; i < row->a; i++) {
		double sum = 0;
		for (int64_t j = 0; j < row->b; j++)
			sum += y.shape.value[i * row->b + j];
		REQUIRE(run, fabs(sum - 1) <= (double)row->b * 0x1p-22, "row %lld of Softmax sums to %.9g",
		        (long long)i, sum);
	}
	for (int64_t i = 0; i < x.count; i++)
		x.value[i] = tensor_round(HY_DTYPE_F32, x.value[i] + 64);
	if (!run_op(run, "Softmax", line, "axis=-1", NORMAL, 1, (const tensor *const[]){&x}, &shifted)) return;
	for (int64_t i = 0; i < x.count; i++)
		REQUIRE(run, fabs(shifted.shape.value[i] - y.shape.value[i]) <= y.shape.value[i] * 0x1p-15 + 0x1p-126,
		        "Softmax of x + 64 differs from that of x at %lld: %.9g, %.9g", (long long)i,
		        shifted.shape.value[i], y.shape.value[i]);
}

static void rows_of_layer_norm_have_mean_0_and_variance_1(conform_run *run, const conform_case *self)
{
	const relation_row *row = self->param;
	char line[96];
	snprintf(line, sizeof(line), "f32[%lld,%lld] f32[%lld] f32[%lld]", (long long)row->a, (long long)row->b,
	         (long long)row->b, (long long)row->b);
	tensor one = made(run, strchr(line, ' ') + 1, INTEGERS), zero = made(run, strchr(line, ' ') + 1, INTEGERS);
	for (int64_t i = 0; i < one.count; i++) {
		one.value[i] = 1;
		zero.value[i] = 0;
	}
	values y;
	if (!run_op(run, "LayerNormalization", line, "", LARGE, 3, (const tensor *const[]){NULL, &one, &zero}, &y))
		return;
	for (int64_t i = 0; i < row->a; i++) {
		double sum = 0, squares = 0;
		for (int64_t j = 0; j < row->b; j++) {
			sum += y.shape.value[i * row->b + j];
			squares += y.shape.value[i * row->b + j] * y.shape.value[i * row->b + j];
		}
		const double n = (double)row->b;
		REQUIRE(run, fabs(sum / n) <= 0x1p-15 && fabs(squares / n - 1) <= 0x1p-12,
		        "row %lld has mean %.9g and variance %.9g", (long long)i, sum / n, squares / n);
	}
}

/* ---- the list ---- */

static const relation_row products[] = {
	{"7_16_5", 7, 16, 5, 0}, {"1_33_17", 1, 33, 17, 0}, {"31_65_9", 31, 65, 9, 0}, {"64_64_64", 64, 64, 64, 0}};
static const relation_row norms[] = {{"3_10", 3, 10, 0, 0}, {"5_257", 5, 257, 0, 0}};

static const batch_row batches[] = {
	{"conv", "Conv", "f32[4,8,7,7] f32[16,8,3,3]", "f32[1,8,7,7] f32[16,8,3,3]", "kernel_shape=3,3", INTEGERS, 4},
	{"conv_pairs", "Conv", "f32[4,16,5,5] f32[8,16,1,1]", "f32[2,16,5,5] f32[8,16,1,1]", "kernel_shape=1,1",
         INTEGERS, 2},
	{"depthwise", "Conv", "f32[3,8,6,6] f32[8,1,3,3]", "f32[1,8,6,6] f32[8,1,3,3]", "kernel_shape=3,3 group=8",
         INTEGERS, 3},
	{"max_pool", "MaxPool", "f32[3,5,8,8]", "f32[1,5,8,8]", "kernel_shape=2,2 strides=2,2", NORMAL, 3},
	{"matmul_rows", "MatMul", "f32[12,20] f32[20,9]", "f32[4,20] f32[20,9]", "", INTEGERS, 3},
	{"matmul_batches", "MatMul", "f32[3,7,9] f32[9,5]", "f32[1,7,9] f32[9,5]", "", INTEGERS, 3},
	{"gemm_rows", "Gemm", "f32[6,33] f32[17,33] f32[17]", "f32[1,33] f32[17,33] f32[17]", "transB=1", INTEGERS, 6},
	{"relu", "Relu", "f32[5,33]", "f32[1,33]", "", NORMAL, 5},
	{"reduce", "ReduceSum", "f32[4,65] i64{1}", "f32[1,65] i64{1}", "", INTEGERS, 4},
	{"transpose", "Transpose", "f32[3,4,5]", "f32[1,4,5]", "perm=0,2,1", NORMAL, 3},
};

static const round_row rounds[] = {
	{"transpose", {"Transpose", "f32[7,9]", "perm=1,0"}, {"Transpose", "f32[9,7]", "perm=1,0"}, NORMAL},
	{"transpose_4d",
         {"Transpose", "f32[2,3,4,5]", "perm=0,2,3,1"},
         {"Transpose", "f32[2,4,5,3]", "perm=0,3,1,2"},
         NORMAL},
	{"space_to_depth",
         {"SpaceToDepth", "f32[1,3,4,6]", "blocksize=2"},
         {"DepthToSpace", "f32[1,12,2,3]", "blocksize=2"},
         NORMAL},
	{"pad_and_crop", {"Pad", "f32[4,5] i64{1,2,3,0}", ""}, {"Slice", "f32[8,7] i64{1,2} i64{5,7}", ""}, NORMAL},
	{"pad_and_pad_back", {"Pad", "f32[4,5] i64{1,2,3,0}", ""}, {"Pad", "f32[8,7] i64{-1,-2,-3,0}", ""}, NORMAL},
	{"reshape", {"Reshape", "f32[6,10] i64{4,15}", ""}, {"Reshape", "f32[4,15] i64{6,10}", ""}, SPECIAL},
	{"neg", {"Neg", "f32[65]", ""}, {"Neg", "f32[65]", ""}, SPECIAL},
	{"expand_and_reduce", {"Expand", "f32[1,9] i64{4,9}", ""}, {"ReduceMax", "f32[4,9] i64{0}", ""}, NORMAL},
	{"slice_backwards",
         {"Slice", "f32[9] i64{-1} i64{-100} i64{0} i64{-1}", ""},
         {"Slice", "f32[9] i64{-1} i64{-100} i64{0} i64{-1}", ""},
         NORMAL},
};

static const round_row ways[] = {
	{"conv_of_1x1_is_matmul",
         {"Conv", "f32[1,8,1,1] f32[5,8,1,1]", "kernel_shape=1,1"},
         {"Gemm", "f32[1,8] f32[5,8]", "transB=1"},
         INTEGERS},
	{"global_pool_is_mean",
         {"GlobalAveragePool", "f32[2,5,8,8]", ""},
         {"ReduceMean", "f32[2,5,8,8] i64{2,3}", ""},
         INTEGERS},
	{"global_max_is_max_pool",
         {"GlobalMaxPool", "f32[2,5,7,6]", ""},
         {"MaxPool", "f32[2,5,7,6]", "kernel_shape=7,6"},
         NORMAL},
	{"same_upper_is_pads",
         {"Conv", "f32[1,3,8,8] f32[4,3,3,3]", "kernel_shape=3,3 auto_pad=SAME_UPPER"},
         {"Conv", "f32[1,3,8,8] f32[4,3,3,3]", "kernel_shape=3,3 pads=1,1,1,1"},
         INTEGERS},
	{"relu_is_clip", {"Relu", "f32[65]", ""}, {"Clip", "f32[65] f32(0.0)", ""}, NORMAL},
	{"add_is_sum", {"Add", "f32[5,9] f32[5,9]", ""}, {"Sum", "f32[5,9] f32[5,9]", ""}, NORMAL},
	{"axis_from_the_end",
         {"ReduceSum", "f32[3,4,5] i64{-1}", ""},
         {"ReduceSum", "f32[3,4,5] i64{2}", ""},
         INTEGERS},
	{"two_reductions_are_one",
         {"ReduceSum", "f32[3,4,5] i64{0,1,2}", ""},
         {"ReduceSum", "f32[3,4,5]", ""},
         INTEGERS},
	{"squeeze_is_reshape",
         {"Squeeze", "f32[1,5,1,7] i64{0,2}", ""},
         {"Reshape", "f32[1,5,1,7] i64{5,7}", ""},
         NORMAL},
	{"group_of_one_is_dense",
         {"Conv", "f32[1,4,6,6] f32[8,4,3,3]", "kernel_shape=3,3 group=1"},
         {"Conv", "f32[1,4,6,6] f32[8,4,3,3]", "kernel_shape=3,3"},
         INTEGERS},
};

void conform__check_relation_list(conform_list *list)
{
	conform_case item = {.info = {.group = "relation", .rule = "P14", .since = "1.1", .level = HY_CONFORM_L2},
	                     .seconds = 60};
	for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
		item.param = &products[i];
		item.check = times_identity_is_the_same;
		conform__list_add(list, &item, "relation.identity.%s", products[i].name);
		item.check = order_of_terms_is_free;
		conform__list_add(list, &item, "relation.order.%s", products[i].name);
		item.check = transposed_product_is_the_product_transposed;
		conform__list_add(list, &item, "relation.transposed.%s", products[i].name);
	}
	for (size_t i = 0; i < sizeof(norms) / sizeof(norms[0]); i++) {
		item.param = &norms[i];
		item.check = rows_of_softmax_sum_to_one;
		conform__list_add(list, &item, "relation.softmax.%s", norms[i].name);
		item.check = rows_of_layer_norm_have_mean_0_and_variance_1;
		conform__list_add(list, &item, "relation.layer_norm.%s", norms[i].name);
	}
	item.check = parts_make_the_whole;
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
		item.param = &batches[i];
		conform__list_add(list, &item, "relation.parts.%s", batches[i].name);
	}
	item.check = there_and_back_is_the_same;
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		item.param = &rounds[i];
		conform__list_add(list, &item, "relation.round.%s", rounds[i].name);
	}
	item.check = two_ways_agree;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		item.param = &ways[i];
		conform__list_add(list, &item, "relation.ways.%s", ways[i].name);
	}
}
