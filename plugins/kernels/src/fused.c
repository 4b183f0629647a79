/* Epilogues on channel blocks. */
#include "fused.h"

#include <string.h>

/* How an operand of a blocked kernel is read. */
typedef enum reading { READ_NOT, READ_SAME, READ_CHANNEL, READ_CHANNEL_CONSTANT, READ_ONE } reading;

static reading reading_of(const hy_kernels__lower *lower, uint32_t value, const hy_ir_type *type)
{
	const hy_kernels__value *at = &lower->values[value];
	const hy_ir_type *its = &at->type;
	if (its->dtype != HY_DTYPE_F32) return READ_NOT;
	if (its->rank == 4 && memcmp(its->dim, type->dim, 4 * sizeof(*its->dim)) == 0) return READ_SAME;
	if (its->rank > 4) return READ_NOT;
	if (hy_ir_type_elements(its) == 1) return READ_ONE;
	/* [C,1,1], [1,C,1,1] or [N,C,1,1] */
	if (its->rank < 3 || its->dim[its->rank - 1] != 1 || its->dim[its->rank - 2] != 1) return READ_NOT;
	if (its->dim[its->rank - 3] != type->dim[1]) return READ_NOT;
	if (its->rank == 4 && its->dim[0] != 1 && its->dim[0] != type->dim[0]) return READ_NOT;
	if (at->constant && (its->rank == 3 || its->dim[0] == 1)) return READ_CHANNEL_CONSTANT;
	return its->rank == 4 ? READ_CHANNEL : READ_NOT;
}

bool hy_kernels__fused_is_possible(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count,
                                   uint32_t acc, const hy_ir_type *type)
{
	hy_kernels__expr expr;
	hy_error *const error = lower->error;
	lower->error = NULL;
	const hy_status status = hy_kernels__expr_create(lower, nodes, count, acc, &expr);
	lower->error = error;
	if (status != HY_OK || !expr.is_vector || type->rank != 4) return false;
	for (uint32_t i = 0; i < expr.operand_count; i++)
		if (reading_of(lower, expr.operands[i], type) == READ_NOT) return false;
	return true;
}

static hy_kernels__place pack_channels(hy_kernels__lower *lower, uint32_t value, const hy_ir_type *type)
{
	const uint64_t bytes = (uint64_t)hy_kernels__blocks(type) * BLOCK * sizeof(float);
	const hy_kernels__value *at = &lower->values[value];
	void *data = NULL;
	if (at->data != NULL) {
		data = hy_kernels__alloc(lower, bytes);
		if (data == NULL) return (hy_kernels__place){0};
		memset(data, 0, bytes);
		memcpy(data, at->data, (size_t)type->dim[1] * sizeof(float));
	}
	return hy_kernels__constant(lower, data, bytes);
}

static void bring_operand(hy_kernels__lower *lower, hy_kernels__fused *fused, uint32_t i, const hy_ir_type *type)
{
	const uint32_t value = fused->expr.operands[i];
	const hy_ir_type its = lower->values[value].type;
	switch (reading_of(lower, value, type)) {
	case READ_SAME: {
		const hy_kernels__place place = hy_kernels__need(lower, value, FORM_BLOCK, 0);
		const hy_kernels__plane plane = hy_kernels__plane_of(type, place.pad);
		fused->operands[i].place = place;
		fused->operands[i].place.offset += (uint64_t)plane.origin * BLOCK * sizeof(float);
		fused->operands[i].batch = (int64_t)place.planes * plane.plane * BLOCK;
		fused->operands[i].plane = (int64_t)plane.plane * BLOCK;
		fused->operands[i].row = (int64_t)plane.row * BLOCK;
		if (place.pad != 0) fused->is_flat = false;
		break;
	}
	case READ_CHANNEL: {
		const hy_kernels__place place = hy_kernels__need(lower, value, FORM_BLOCK, 0);
		const hy_kernels__plane plane = hy_kernels__plane_of(&its, place.pad);
		fused->operands[i].place = place;
		fused->operands[i].place.offset += (uint64_t)plane.origin * BLOCK * sizeof(float);
		fused->operands[i].batch = its.dim[0] == 1 ? 0 : (int64_t)place.planes * plane.plane * BLOCK;
		fused->operands[i].plane = (int64_t)plane.plane * BLOCK;
		break;
	}
	case READ_CHANNEL_CONSTANT:
		fused->operands[i].place = pack_channels(lower, value, type);
		fused->operands[i].plane = BLOCK;
		break;
	default:
		fused->operands[i].place = hy_kernels__need(lower, value, FORM_PLAIN, 0);
		break;
	}
}

static void write_function(hy_kernels__fused *fused, uint32_t result, const hy_kernels__lower *lower,
                           const hy_ir_type *type)
{
	hy_kernels__text *text = &fused->function;
	hy_kernels__text_add(text, "K_FN float16 K_CAT(NAME, _fused)(const float16 acc, const int n, const int k, "
	                           "const int h, const int w");
	for (uint32_t i = 0; i < fused->expr.operand_count; i++)
		hy_kernels__text_add(text,
		                     ", K_G const float *e%u, const int e%u_batch, const int e%u_plane, "
		                     "const int e%u_row",
		                     i, i, i, i);
	hy_kernels__text_add(text, ")\n{\n");
	for (uint32_t i = 0; i < fused->expr.operand_count; i++) {
		const reading how = reading_of(lower, fused->expr.operands[i], type);
		if (how == READ_ONE)
			hy_kernels__text_add(text, "\tconst float16 a%u = (float16)e%u[0];\n", i, i);
		else
			hy_kernels__text_add(text,
			                     "\tconst float16 a%u = vload16(0, e%u + n * e%u_batch + k * e%u_plane + "
			                     "h * e%u_row + w * %d);\n",
			                     i, i, i, i, i, how == READ_SAME ? 16 : 0);
	}
	hy_kernels__expr_write(&fused->expr, true, text);
	char name[48];
	hy_kernels__expr_name(&fused->expr, result, name);
	hy_kernels__text_add(text, "\treturn %s;\n}\n", name);
}

hy_status hy_kernels__fused_create(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count,
                                   uint32_t acc, uint32_t result, hy_kernels__fused *out_fused)
{
	*out_fused = (hy_kernels__fused){.is_flat = true};
	const hy_status status = hy_kernels__expr_create(lower, nodes, count, acc, &out_fused->expr);
	if (status != HY_OK || count == 0) return status;
	const hy_ir_type type = lower->values[result].type;
	for (uint32_t i = 0; i < out_fused->expr.operand_count; i++)
		bring_operand(lower, out_fused, i, &type);
	write_function(out_fused, result, lower, &type);
	return HY_OK;
}

void hy_kernels__fused_define(const hy_kernels__fused *fused, hy_kernels__text *defines)
{
	hy_kernels__text params = {0}, reads = {0}, args = {0};
	for (uint32_t i = 0; i < fused->expr.operand_count; i++) {
		hy_kernels__text_add(&params,
		                     ", K_IN(e%u), const int e%u_batch, const int e%u_plane, const int e%u_row", i, i,
		                     i, i);
		hy_kernels__text_add(&reads, " K_READ(float, e%u);", i);
		hy_kernels__text_add(&args, ", e%u, e%u_batch, e%u_plane, e%u_row", i, i, i, i);
	}
	hy_kernels__text_define(defines, "FUSED_PARAMS", "%s", params.data == NULL ? "" : params.data);
	hy_kernels__text_define(defines, "FUSED_READ", "%s", reads.data == NULL ? "" : reads.data);
	hy_kernels__text_define(defines, "FUSED_ARGS", "%s", args.data == NULL ? "" : args.data);
	if (fused->expr.count == 0)
		hy_kernels__text_define(defines, "FUSED(acc, ...)", "(acc)");
	else
		hy_kernels__text_define(defines, "FUSED", "K_CAT(NAME, _fused)");
	if (params.failed || reads.failed || args.failed) defines->failed = true;
	hy_kernels__text_finish(&params);
	hy_kernels__text_finish(&reads);
	hy_kernels__text_finish(&args);
}

void hy_kernels__fused_pass(hy_kernels__lower *lower, const hy_kernels__fused *fused)
{
	for (uint32_t i = 0; i < fused->expr.operand_count; i++) {
		hy_kernels__pass(lower, fused->operands[i].place);
		hy_kernels__pass_int(lower, fused->operands[i].batch);
		hy_kernels__pass_int(lower, fused->operands[i].plane);
		hy_kernels__pass_int(lower, fused->operands[i].row);
	}
}

void hy_kernels__define_keep(hy_kernels__text *defines, const hy_ir_type *type)
{
	const unsigned lanes = (unsigned)(type->dim[1] % BLOCK);
	if (lanes == 0)
		hy_kernels__text_define(defines, "K_KEEP(value, k)", "(value)");
	else
		hy_kernels__text_define(defines, "K_KEEP(value, k)", "((k) == %u ? k_keep(value, %u) : (value))",
		                        hy_kernels__blocks(type) - 1, lanes);
}
