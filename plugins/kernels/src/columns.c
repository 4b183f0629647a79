/* Epilogues on rows of a matrix. */
#include "matmul.h"

#include <string.h>

typedef enum reading { READ_NOT, READ_SAME, READ_ROW, READ_ONE } reading;

static reading reading_of(const hy_kernels__lower *lower, uint32_t value, const hy_ir_type *type, int64_t width)
{
	const hy_ir_type *its = &lower->values[value].type;
	if (its->dtype != HY_DTYPE_F32 || its->rank > type->rank) return READ_NOT;
	if (hy_ir_type_equal(its, type)) return READ_SAME;
	const int64_t elements = hy_ir_type_elements(its);
	if (elements == 1) return READ_ONE;
	return its->dim[its->rank - 1] == elements && elements == width && width == type->dim[type->rank - 1]
	               ? READ_ROW
	               : READ_NOT;
}

bool hy_kernels__columns_is_possible(hy_kernels__lower *lower, const hy_kernels__epilogue *epilogue, int64_t width)
{
	const hy_ir_type *type = hy_kernels__type(lower, epilogue->output);
	hy_kernels__lower quiet = *lower;
	quiet.error = NULL;
	hy_kernels__expr expr;
	if (hy_kernels__expr_create(&quiet, epilogue->nodes, epilogue->count, epilogue->input, &expr) != HY_OK)
		return false;
	if (!expr.is_vector || !hy_ir_type_equal(type, hy_kernels__type(lower, epilogue->input))) return false;
	for (uint32_t i = 0; i < expr.operand_count; i++)
		if (reading_of(lower, expr.operands[i], type, width) == READ_NOT) return false;
	return true;
}

static void write_function(hy_kernels__columns *at, const hy_kernels__epilogue *epilogue,
                           const hy_kernels__lower *lower, bool vector)
{
	hy_kernels__text *text = &at->function;
	const char *type = vector ? "float16" : "float";
	const hy_ir_type *stored = hy_kernels__type(lower, epilogue->output);
	hy_kernels__text_add(text, "K_FN %s K_CAT(NAME, %s)(const %s acc, const int i, const int j", type,
	                     vector ? "_fused" : "_fused_one", type);
	for (uint32_t k = 0; k < at->expr.operand_count; k++)
		hy_kernels__text_add(text, ", K_G const float *e%u, const int e%u_row", k, k);
	hy_kernels__text_add(text, ")\n{\n");
	for (uint32_t k = 0; k < at->expr.operand_count; k++) {
		if (reading_of(lower, at->expr.operands[k], stored, at->width) == READ_ONE)
			hy_kernels__text_add(text, "\tconst %s a%u = (%s)e%u[0];\n", type, k, type, k);
		else if (vector)
			hy_kernels__text_add(text, "\tconst float16 a%u = vload16(0, e%u + i * e%u_row + j);\n", k, k,
			                     k);
		else
			hy_kernels__text_add(text, "\tconst float a%u = e%u[i * e%u_row + j];\n", k, k, k);
	}
	hy_kernels__expr_write(&at->expr, vector, text);
	char name[48];
	hy_kernels__expr_name(&at->expr, epilogue->output, name);
	hy_kernels__text_add(text, "\treturn %s;\n}\n", name);
}

hy_status hy_kernels__columns_create(hy_kernels__lower *lower, const hy_kernels__epilogue *epilogue, int64_t width,
                                     hy_kernels__columns *out_columns)
{
	*out_columns = (hy_kernels__columns){.width = width};
	const hy_status status = hy_kernels__expr_create(lower, epilogue->nodes, epilogue->count, epilogue->input,
	                                                 &out_columns->expr);
	if (status != HY_OK || epilogue->count == 0) return status;
	const hy_ir_type type = *hy_kernels__type(lower, epilogue->output);
	for (uint32_t k = 0; k < out_columns->expr.operand_count; k++) {
		const uint32_t value = out_columns->expr.operands[k];
		out_columns->places[k] = hy_kernels__need(lower, value, FORM_PLAIN, 0);
		out_columns->row[k] = reading_of(lower, value, &type, width) == READ_SAME ? width : 0;
	}
	write_function(out_columns, epilogue, lower, true);
	write_function(out_columns, epilogue, lower, false);
	return HY_OK;
}

void hy_kernels__columns_define(const hy_kernels__columns *columns, hy_kernels__text *defines)
{
	hy_kernels__text params = {0}, reads = {0}, args = {0};
	for (uint32_t k = 0; k < columns->expr.operand_count; k++) {
		hy_kernels__text_add(&params, ", K_IN(e%u), const int e%u_row", k, k);
		hy_kernels__text_add(&reads, " K_READ(float, e%u);", k);
		hy_kernels__text_add(&args, ", e%u, e%u_row", k, k);
	}
	hy_kernels__text_define(defines, "FUSED_PARAMS", "%s", params.data == NULL ? "" : params.data);
	hy_kernels__text_define(defines, "FUSED_READ", "%s", reads.data == NULL ? "" : reads.data);
	hy_kernels__text_define(defines, "FUSED_ARGS", "%s", args.data == NULL ? "" : args.data);
	const bool none = columns->expr.count == 0;
	hy_kernels__text_define(defines, none ? "FUSED(acc, ...)" : "FUSED", none ? "(acc)" : "K_CAT(NAME, _fused)");
	hy_kernels__text_define(defines, none ? "FUSED_ONE(acc, ...)" : "FUSED_ONE",
	                        none ? "(acc)" : "K_CAT(NAME, _fused_one)");
	if (params.failed || reads.failed || args.failed) defines->failed = true;
	hy_kernels__text_finish(&params);
	hy_kernels__text_finish(&reads);
	hy_kernels__text_finish(&args);
}

void hy_kernels__columns_pass(hy_kernels__lower *lower, const hy_kernels__columns *columns)
{
	for (uint32_t k = 0; k < columns->expr.operand_count; k++) {
		hy_kernels__pass(lower, columns->places[k]);
		hy_kernels__pass_int(lower, columns->row[k]);
	}
}
