/* Elementwise chains: on channel blocks, on rows of 16-wide vectors, or element by element. */
#include "elementwise.h"

#include "fused.h"
#include "handler.h"

#include <string.h>

#define CHUNK 4096 /* elements of a row that one work-item of the CPU shape makes */
#define FLAT_CHUNK 512

/* The iteration space after merging neighbours, and the strides of each operand in it. */
typedef struct space {
	uint32_t rank;
	int64_t dim[HY_MAX_RANK];
	int64_t stride[EXPR_OPERANDS][HY_MAX_RANK];
} space;

typedef struct chain {
	hy_kernels__lower *lower;
	const hy_kernels__node *nodes;
	uint32_t count;
	hy_kernels__expr expr;
	uint32_t outputs[EXPR_OPERANDS]; /* values that leave */
	uint32_t output_count;
	space space;
	hy_kernels__text text;
} chain;

static bool leaves(const hy_kernels__lower *lower, uint32_t value, const hy_kernels__node *nodes, uint32_t count)
{
	uint32_t uses = 0;
	for (uint32_t n = 0; n < count; n++)
		for (uint32_t i = 0; i < nodes[n].input_count; i++)
			uses += nodes[n].inputs[i] == value;
	return lower->values[value].is_output || lower->values[value].uses > uses;
}

static bool same_shape(const hy_ir_type *a, const hy_ir_type *b)
{
	return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof(*a->dim)) == 0;
}

bool hy_kernels__elementwise_is_one(const hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count)
{
	const hy_ir_type *last = &lower->values[nodes[count - 1].outputs[0]].type;
	uint32_t left = 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t value = nodes[i].outputs[0];
		if (!leaves(lower, value, nodes, count)) continue;
		if (!same_shape(&lower->values[value].type, last)) return false;
		left++;
	}
	if (left > EXPR_OPERANDS) return false;
	hy_kernels__lower quiet = *lower;
	quiet.error = NULL;
	hy_kernels__expr expr;
	return count == 1 || hy_kernels__expr_create(&quiet, nodes, count, HY_IR_NONE, &expr) == HY_OK;
}

/* Strides of a tensor broadcast to the iteration space of `type`. */
static void broadcast_strides(const hy_ir_type *its, const hy_ir_type *type, int64_t strides[HY_MAX_RANK])
{
	int64_t dense[HY_MAX_RANK];
	hy_kernels__strides(its, dense);
	for (uint32_t d = 0; d < type->rank; d++) {
		const uint32_t missing = type->rank - its->rank;
		strides[d] = d < missing || its->dim[d - missing] == 1 ? 0 : dense[d - missing];
	}
}

/* Merges dimension d + 1 into d where every operand walks through both in one step. */
static void merge(space *at, uint32_t operand_count)
{
	for (uint32_t d = 0; d + 1 < at->rank;) {
		bool together = true;
		for (uint32_t i = 0; i < operand_count; i++)
			together = together && at->stride[i][d] == at->stride[i][d + 1] * at->dim[d + 1];
		if (!together && at->dim[d] != 1 && at->dim[d + 1] != 1) {
			d++;
			continue;
		}
		const bool take_inner = together || at->dim[d] == 1;
		at->dim[d] *= at->dim[d + 1];
		for (uint32_t i = 0; i < operand_count; i++) {
			if (take_inner) at->stride[i][d] = at->stride[i][d + 1];
			for (uint32_t k = d + 1; k + 1 < at->rank; k++)
				at->stride[i][k] = at->stride[i][k + 1];
		}
		for (uint32_t k = d + 1; k + 1 < at->rank; k++)
			at->dim[k] = at->dim[k + 1];
		at->rank--;
	}
}

static void make_space(chain *at, const hy_ir_type *type)
{
	at->space.rank = type->rank;
	memcpy(at->space.dim, type->dim, sizeof(at->space.dim));
	if (type->rank == 0) {
		at->space.rank = 1;
		at->space.dim[0] = 1;
	}
	for (uint32_t i = 0; i < at->expr.operand_count; i++)
		broadcast_strides(&at->lower->values[at->expr.operands[i]].type, type, at->space.stride[i]);
	merge(&at->space, at->expr.operand_count);
}

static const char *dtype_name(const chain *at, uint32_t value)
{
	return hy_dtype_name(at->lower->values[value].type.dtype);
}

static void write_head(chain *at)
{
	hy_kernels__text *text = &at->text;
	hy_kernels__text_add(text, "K_KERNEL void NAME(");
	for (uint32_t i = 0; i < at->expr.operand_count; i++)
		hy_kernels__text_add(text, "K_IN(x%u), ", i);
	for (uint32_t i = 0; i < at->output_count; i++)
		hy_kernels__text_add(text, "%sK_OUT(y%u)", i == 0 ? "" : ", ", i);
	hy_kernels__text_add(text, ")\n{\n");
	for (uint32_t i = 0; i < at->expr.operand_count; i++)
		hy_kernels__text_add(text, "\tK_READ(k_s_%s, x%u);\n", dtype_name(at, at->expr.operands[i]), i);
	for (uint32_t i = 0; i < at->output_count; i++)
		hy_kernels__text_add(text, "\tK_WRITE(k_s_%s, y%u);\n", dtype_name(at, at->outputs[i]), i);
}

/* The offsets o# of the operands for the coordinates that `rest` stands for, over the first rank dimensions. */
static void write_offsets(chain *at, uint32_t rank)
{
	hy_kernels__text *text = &at->text;
	for (uint32_t i = 0; i < at->expr.operand_count; i++)
		hy_kernels__text_add(text, "\tint o%u = 0;\n", i);
	for (uint32_t d = rank; d-- > 0;) {
		const bool last = d == 0;
		hy_kernels__text_add(text, "\t{\n\tconst int c = rest");
		if (!last) hy_kernels__text_add(text, " %% %lld", (long long)at->space.dim[d]);
		hy_kernels__text_add(text, ";\n");
		for (uint32_t i = 0; i < at->expr.operand_count; i++)
			if (at->space.stride[i][d] != 0)
				hy_kernels__text_add(text, "\to%u += c * %lld;\n", i,
				                     (long long)at->space.stride[i][d]);
		if (!last) hy_kernels__text_add(text, "\trest /= %lld;\n", (long long)at->space.dim[d]);
		hy_kernels__text_add(text, "\t}\n");
	}
}

/* One step of the inner loop: loads at o# (+ i where the operand moves), statements, stores at `at_out`. */
static void write_step(chain *at, bool vector, const char *out)
{
	hy_kernels__text *text = &at->text;
	const uint32_t inner = at->space.rank - 1;
	const bool rows = out[0] == 'r';
	for (uint32_t i = 0; i < at->expr.operand_count; i++) {
		const bool moves = rows && at->space.stride[i][inner] != 0;
		const char *name = dtype_name(at, at->expr.operands[i]);
		if (vector && moves)
			hy_kernels__text_add(text, "\tconst float16 a%u = vload16(0, x%u + o%u + i);\n", i, i, i);
		else if (vector)
			hy_kernels__text_add(text, "\tconst float16 a%u = (float16)x%u[o%u];\n", i, i, i);
		else
			hy_kernels__text_add(text, "\tconst k_c_%s a%u = k_load_%s(x%u, o%u%s);\n", name, i, name, i, i,
			                     moves ? " + i" : "");
	}
	hy_kernels__expr_write(&at->expr, vector, text);
	for (uint32_t i = 0; i < at->output_count; i++) {
		char name[48];
		hy_kernels__expr_name(&at->expr, at->outputs[i], name);
		if (vector)
			hy_kernels__text_add(text, "\tvstore16(%s, 0, y%u + %s);\n", name, i, out);
		else
			hy_kernels__text_add(text, "\tk_store_%s(y%u, %s, %s);\n", dtype_name(at, at->outputs[i]), i,
			                     out, name);
	}
}

/* A work-item makes part of one row of the innermost dimension. */
static void write_rows(chain *at)
{
	hy_kernels__text *text = &at->text;
	const uint32_t inner = at->space.rank - 1;
	write_head(at);
	hy_kernels__text_add(text, "\tconst int row = K_GID(1) * %lld;\n\tint rest = K_GID(1);\n",
	                     (long long)at->space.dim[inner]);
	write_offsets(at, inner);
	hy_kernels__text_add(text, "\tint i = K_GID(0) * %d;\n\tconst int end = min(i + %d, %lld);\n", CHUNK, CHUNK,
	                     (long long)at->space.dim[inner]);
	if (at->expr.is_vector) {
		hy_kernels__text_add(text, "\tfor (; i + 16 <= end; i += 16) {\n");
		write_step(at, true, "row + i");
		hy_kernels__text_add(text, "\t}\n");
	}
	hy_kernels__text_add(text, "\tfor (; i < end; i++) {\n");
	write_step(at, false, "row + i");
	hy_kernels__text_add(text, "\t}\n}\n");
}

/* A work-item makes `chunk` elements, each with coordinates of its own. */
static void write_flat(chain *at, int64_t elements, int64_t chunk)
{
	hy_kernels__text *text = &at->text;
	write_head(at);
	hy_kernels__text_add(text, "\tconst int begin = K_GID(0) * %lld, end = min(begin + %lld, %lld);\n",
	                     (long long)chunk, (long long)chunk, (long long)elements);
	hy_kernels__text_add(text, "\tfor (int i = begin; i < end; i++) {\n\tint rest = i;\n");
	write_offsets(at, at->space.rank);
	write_step(at, false, "i");
	hy_kernels__text_add(text, "\t}\n}\n");
}

static void emit(chain *at, const hy_ir_type *type)
{
	hy_kernels__lower *lower = at->lower;
	hy_kernels__place operands[EXPR_OPERANDS], outputs[EXPR_OPERANDS];
	for (uint32_t i = 0; i < at->expr.operand_count; i++)
		operands[i] = hy_kernels__need(lower, at->expr.operands[i], FORM_PLAIN, 0);
	for (uint32_t i = 0; i < at->output_count; i++)
		outputs[i] = hy_kernels__make(lower, at->outputs[i], FORM_PLAIN);
	make_space(at, type);
	const int64_t elements = hy_ir_type_elements(type);
	const int64_t inner = at->space.dim[at->space.rank - 1];
	const bool is_cpu = lower->options->shape == HY_KERNELS_CPU;
	const bool rows = is_cpu && inner >= (int64_t)BLOCK;
	const int64_t chunk = is_cpu ? FLAT_CHUNK : 1;
	if (rows)
		write_rows(at);
	else
		write_flat(at, elements, chunk);
	const uint32_t kernel = hy_kernels__kernel_text(lower, "elementwise", &at->text);
	const uint32_t local = is_cpu ? 1 : lower->options->local_size;
	if (rows)
		hy_kernels__launch(lower, kernel, at->nodes[0].row, (uint64_t)((inner + CHUNK - 1) / CHUNK),
		                   (uint64_t)(elements / inner), 1, 1);
	else
		hy_kernels__launch(lower, kernel, at->nodes[0].row, (uint64_t)((elements + chunk - 1) / chunk), 1, 1,
		                   local);
	for (uint32_t i = 0; i < at->expr.operand_count; i++)
		hy_kernels__pass(lower, operands[i]);
	for (uint32_t i = 0; i < at->output_count; i++)
		hy_kernels__pass(lower, outputs[i]);
}

static hy_status lower_blocked(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count)
{
	const uint32_t out = nodes[count - 1].outputs[0];
	const hy_ir_type type = lower->values[out].type;
	hy_kernels__fused fused;
	const hy_status status = hy_kernels__fused_create(lower, nodes, count, HY_IR_NONE, out, &fused);
	if (status != HY_OK) return status;
	const hy_kernels__place place = hy_kernels__make(lower, out, FORM_BLOCK);
	const hy_kernels__plane plane = hy_kernels__plane_of(&type, place.pad);
	hy_kernels__text defines = {0};
	hy_kernels__fused_define(&fused, &defines);
	hy_kernels__define_keep(&defines, &type);
	const uint32_t kernel = hy_kernels__kernel(lower, "elementwise_block", &defines, &fused.function);
	hy_kernels__launch(lower, kernel, nodes[0].row, (uint64_t)type.dim[2], hy_kernels__blocks(&type),
	                   (uint64_t)type.dim[0], 1);
	hy_kernels__pass(lower, place);
	hy_kernels__pass_int(lower, type.dim[3]);
	hy_kernels__pass_int(lower, type.dim[2]);
	hy_kernels__pass_int(lower, plane.row);
	hy_kernels__pass_int(lower, (int64_t)plane.plane * BLOCK);
	hy_kernels__pass_int(lower, place.pad);
	hy_kernels__pass_int(lower, (int64_t)place.planes * plane.plane * BLOCK);
	hy_kernels__fused_pass(lower, &fused);
	return HY_OK;
}

/* The only value that leaves is the last one. */
static bool leaves_once(const hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++)
		if (leaves(lower, nodes[i].outputs[0], nodes, count)) return false;
	return true;
}

hy_status hy_kernels__elementwise(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count)
{
	chain at = {.lower = lower, .nodes = nodes, .count = count};
	const uint32_t last = nodes[count - 1].outputs[0];
	const hy_ir_type type = lower->values[last].type;
	hy_status status = hy_kernels__expr_create(lower, nodes, count, HY_IR_NONE, &at.expr);
	if (status != HY_OK) return status;
	if (lower->values[last].form == FORM_BLOCK && leaves_once(lower, nodes, count) &&
	    hy_kernels__fused_is_possible(lower, nodes, count, HY_IR_NONE, &type))
		return lower_blocked(lower, nodes, count);
	for (uint32_t i = 0; i < count; i++)
		if (leaves(lower, nodes[i].outputs[0], nodes, count))
			at.outputs[at.output_count++] = nodes[i].outputs[0];
	if (hy_ir_type_elements(&type) > 0) {
		emit(&at, &type);
	} else {
		for (uint32_t i = 0; i < at.output_count; i++)
			hy_kernels__make(lower, at.outputs[i], FORM_PLAIN);
	}
	hy_kernels__text_finish(&at.text);
	return lower->failed ? HY_NO_MEMORY : status;
}
