/* The operator table. */
#include <halyard/ir/op.h>

#include <halyard/dtype.h>

#include <stdint.h>
#include <string.h>

#define BIT(name) (1u << HY_DTYPE_##name)
#define FLOATS (BIT(F32) | BIT(F64) | BIT(F16) | BIT(BF16))
#define FLOATS_BYTES (FLOATS | BIT(I8) | BIT(U8))
#define SIGNED (FLOATS | BIT(I8) | BIT(I16) | BIT(I32) | BIT(I64))
#define NUMBERS (SIGNED | BIT(U8) | BIT(U16) | BIT(U32) | BIT(U64))
#define LENGTHS BIT(I64)
#define BOOLS BIT(BOOL)
#define ALL (NUMBERS | BOOLS)

static const hy_ir_op table[HY_IR_OP_COUNT] = {
#define OP(name, fewest, most, most_outputs, set, class, infer, eval) \
	[HY_IR_OP_##name] = {.id = HY_IR_OP_##name,                   \
	                     .type = #name,                           \
	                     .min_inputs = (fewest),                  \
	                     .max_inputs = (most),                    \
	                     .max_outputs = (most_outputs),           \
	                     .elements = (set),                       \
	                     .fusion = HY_IR_CLASS_##class},
#include <halyard/ir/ops.def>
#undef OP
};

const hy_ir_op *hy_ir_op_find(const char *domain, const char *type)
{
	if (domain[0] != '\0' && strcmp(domain, "ai.onnx") != 0) return NULL;
	for (uint32_t i = 0; i < HY_IR_OP_COUNT; i++)
		if (strcmp(table[i].type, type) == 0) return &table[i];
	return NULL;
}

const hy_ir_op *hy_ir_op_at(hy_ir_op_id id)
{
	return &table[id];
}
