/* Elementwise operators as text: a table of formulas, and functions for those whose form depends on more. */
#include "expr.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* In a formula $x $y are operands, $a $b attributes as literals, $T the type computed in, $X its name ("f32"). */
typedef struct formula {
	const char *real, *integer; /* NULL: not defined for such types */
	const char *a_name, *b_name;
	float a, b; /* when the attribute is absent */
} formula;

static const formula formulas[HY_IR_OP_COUNT] = {
	[HY_IR_OP_Add] = {.real = "$x + $y", .integer = "$x + $y"},
	[HY_IR_OP_Sub] = {.real = "$x - $y", .integer = "$x - $y"},
	[HY_IR_OP_Mul] = {.real = "$x * $y", .integer = "$x * $y"},
	[HY_IR_OP_Div] = {.real = "$x / $y", .integer = "k_div_$X($x, $y)"},
	[HY_IR_OP_PRelu] = {.real = "$x < 0 ? $x * $y : $x", .integer = "$x < 0 ? $x * $y : $x"},
	[HY_IR_OP_And] = {.integer = "$x && $y"},
	[HY_IR_OP_Or] = {.integer = "$x || $y"},
	[HY_IR_OP_Xor] = {.integer = "($x != 0) != ($y != 0)"},
	[HY_IR_OP_Equal] = {.real = "$x == $y", .integer = "$x == $y"},
	[HY_IR_OP_Greater] = {.real = "$x > $y", .integer = "$x > $y"},
	[HY_IR_OP_GreaterOrEqual] = {.real = "$x >= $y", .integer = "$x >= $y"},
	[HY_IR_OP_Less] = {.real = "$x < $y", .integer = "$x < $y"},
	[HY_IR_OP_LessOrEqual] = {.real = "$x <= $y", .integer = "$x <= $y"},
	[HY_IR_OP_Sqrt] = {.real = "sqrt($x)"},
	[HY_IR_OP_Erf] = {.real = "erf($x)"},
	[HY_IR_OP_Exp] = {.real = "exp($x)"},
	[HY_IR_OP_Log] = {.real = "log($x)"},
	[HY_IR_OP_Sin] = {.real = "sin($x)"},
	[HY_IR_OP_Cos] = {.real = "cos($x)"},
	[HY_IR_OP_Tanh] = {.real = "tanh($x)"},
	[HY_IR_OP_Sigmoid] = {.real = "1 / (1 + exp(-$x))"},
	[HY_IR_OP_Relu] = {.real = "$x < 0 ? ($T)0 : $x", .integer = "$x < 0 ? ($T)0 : $x"},
	[HY_IR_OP_LeakyRelu] = {"$x < 0 ? $a * $x : $x", NULL, "alpha", NULL, 0.01f, 0},
	[HY_IR_OP_Elu] = {"$x < 0 ? $a * expm1($x) : $x", NULL, "alpha", NULL, 1.0f, 0},
	[HY_IR_OP_Selu] = {"$b * ($x > 0 ? $x : $a * expm1($x))", NULL, "alpha", "gamma", 1.67326319217681884765625f,
                           1.05070102214813232421875f},
	[HY_IR_OP_HardSigmoid] = {"fmin(fmax($a * $x + $b, ($T)0), ($T)1)", NULL, "alpha", "beta", 0.2f, 0.5f},
	[HY_IR_OP_HardSwish] = {.real = "$x * fmin(fmax($x / 6 + ($T)0.5f, ($T)0), ($T)1)"},
	[HY_IR_OP_Mish] = {.real = "$x * tanh(log1p(exp($x)))"},
	[HY_IR_OP_Softplus] = {.real = "fmax($x, ($T)0) + log1p(exp(-fabs($x)))"},
	[HY_IR_OP_Softsign] = {.real = "$x / (1 + fabs($x))"},
	[HY_IR_OP_ThresholdedRelu] = {"$x > $a ? $x : ($T)0", NULL, "alpha", NULL, 1.0f, 0},
	[HY_IR_OP_Neg] = {.real = "-$x", .integer = "0 - $x"},
	[HY_IR_OP_Abs] = {.real = "fabs($x)", .integer = "$x < 0 ? 0 - $x : $x"},
	[HY_IR_OP_Sign] = {.real = "$x > 0 ? ($T)1 : $x < 0 ? ($T)-1 : $x", .integer = "$x > 0 ? 1 : $x < 0 ? -1 : 0"},
	[HY_IR_OP_Reciprocal] = {.real = "1 / $x"},
	[HY_IR_OP_Floor] = {.real = "floor($x)", .integer = "$x"},
	[HY_IR_OP_Ceil] = {.real = "ceil($x)", .integer = "$x"},
	[HY_IR_OP_Round] = {.real = "rint($x)", .integer = "$x"},
	[HY_IR_OP_Not] = {.integer = "!$x"},
	[HY_IR_OP_IsNaN] = {.real = "isnan($x)", .integer = "0"},
};

static void literal_real(double value, hy_dtype dtype, char name[48])
{
	if (isnan(value))
		snprintf(name, 48, "(NAN)");
	else if (isinf(value))
		snprintf(name, 48, "(%sINFINITY)", value < 0 ? "-" : "");
	else
		snprintf(name, 48, "(%a%s)", value, dtype == HY_DTYPE_F64 ? "" : "f");
}

static bool literal(const hy_kernels__value *value, char name[48])
{
	if (value->data == NULL || hy_ir_type_elements(&value->type) != 1) return false;
	union {
		float f32;
		double f64;
		uint16_t u16;
		int8_t i8;
		uint8_t u8;
		int16_t i16;
		int32_t i32;
		uint32_t u32;
		int64_t i64;
		uint64_t u64;
	} data;
	memcpy(&data, value->data, hy_ir_type_bytes(&value->type));
	const hy_dtype dtype = value->type.dtype;
	if (dtype == HY_DTYPE_F32) literal_real((double)data.f32, dtype, name);
	if (dtype == HY_DTYPE_F64) literal_real(data.f64, dtype, name);
	if (dtype == HY_DTYPE_F16) literal_real((double)hy_f16_to_float(data.u16), dtype, name);
	if (dtype == HY_DTYPE_BF16) literal_real((double)hy_bf16_to_float(data.u16), dtype, name);
	if (dtype == HY_DTYPE_I8) snprintf(name, 48, "((char)%d)", data.i8);
	if (dtype == HY_DTYPE_U8) snprintf(name, 48, "((uchar)%u)", data.u8);
	if (dtype == HY_DTYPE_BOOL) snprintf(name, 48, "((uchar)%u)", data.u8 != 0);
	if (dtype == HY_DTYPE_I16) snprintf(name, 48, "((short)%d)", data.i16);
	if (dtype == HY_DTYPE_U16) snprintf(name, 48, "((ushort)%u)", data.u16);
	if (dtype == HY_DTYPE_I32) snprintf(name, 48, "((int)0x%xu)", (unsigned)data.i32);
	if (dtype == HY_DTYPE_U32) snprintf(name, 48, "(0x%xu)", data.u32);
	if (dtype == HY_DTYPE_I64) snprintf(name, 48, "((long)0x%llxul)", (unsigned long long)data.i64);
	if (dtype == HY_DTYPE_U64) snprintf(name, 48, "(0x%llxul)", (unsigned long long)data.u64);
	return true;
}

void hy_kernels__expr_name(const hy_kernels__expr *expr, uint32_t value, char name[48])
{
	snprintf(name, 48, "acc");
	if (value == expr->acc) return;
	for (uint32_t i = 0; i < expr->count; i++)
		if (expr->nodes[i].outputs[0] == value) {
			snprintf(name, 48, "t%u", i);
			return;
		}
	if (literal(&expr->lower->values[value], name)) return;
	for (uint32_t i = 0; i < expr->operand_count; i++)
		if (expr->operands[i] == value) snprintf(name, 48, "a%u", i);
}

/* Whether the value needs an operand of its own; adds it. */
static bool add_operand(hy_kernels__expr *expr, uint32_t value)
{
	char name[48];
	if (value == HY_IR_NONE || value == expr->acc || literal(&expr->lower->values[value], name)) return true;
	for (uint32_t i = 0; i < expr->count; i++)
		if (expr->nodes[i].outputs[0] == value) return true;
	for (uint32_t i = 0; i < expr->operand_count; i++)
		if (expr->operands[i] == value) return true;
	if (expr->operand_count == EXPR_OPERANDS) return false;
	expr->operands[expr->operand_count++] = value;
	return true;
}

static bool is_computable(const hy_kernels__lower *lower, hy_dtype dtype)
{
	if (dtype == HY_DTYPE_F64) return (lower->options->flags & HY_KERNELS_FP64) != 0;
	return hy_dtype_bits(dtype) != 0;
}

static hy_dtype dtype_of(const hy_kernels__expr *expr, uint32_t value)
{
	return expr->lower->values[value].type.dtype;
}

/* Whether float16 gives what float gives, lane by lane. */
static bool node_is_vector(const hy_kernels__expr *expr, const hy_kernels__node *node)
{
	for (uint32_t i = 0; i < node->input_count; i++)
		if (node->inputs[i] != HY_IR_NONE && dtype_of(expr, node->inputs[i]) != HY_DTYPE_F32) return false;
	return dtype_of(expr, node->outputs[0]) == HY_DTYPE_F32 && node->op->id != HY_IR_OP_Mod;
}

hy_status hy_kernels__expr_create(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count, uint32_t acc,
                                  hy_kernels__expr *out_expr)
{
	*out_expr = (hy_kernels__expr){.lower = lower, .nodes = nodes, .count = count, .acc = acc, .is_vector = true};
	for (uint32_t n = 0; n < count; n++) {
		const hy_kernels__node *node = &nodes[n];
		for (uint32_t i = 0; i < node->input_count; i++) {
			if (node->inputs[i] == HY_IR_NONE) continue;
			if (!is_computable(lower, dtype_of(out_expr, node->inputs[i])))
				return hy_kernels__refuse(lower, node, HY_REASON_DTYPE, "no %s on this device",
				                          hy_dtype_name(dtype_of(out_expr, node->inputs[i])));
			if (!add_operand(out_expr, node->inputs[i]))
				return hy_kernels__refuse(lower, node, HY_REASON_REGION, "more than %u operands",
				                          EXPR_OPERANDS);
		}
		if (!is_computable(lower, dtype_of(out_expr, node->outputs[0])))
			return hy_kernels__refuse(lower, node, HY_REASON_DTYPE, "no %s on this device",
			                          hy_dtype_name(dtype_of(out_expr, node->outputs[0])));
		if (!node_is_vector(out_expr, node)) out_expr->is_vector = false;
	}
	return HY_OK;
}

/* ---- formulas whose form depends on types, attributes or the number of inputs ---- */

typedef struct writer {
	const hy_kernels__expr *expr;
	const hy_kernels__node *node;
	hy_kernels__text *text;
	const char *type; /* computed in */
	hy_dtype in; /* element type of the first input */
} writer;

static const char *name_of(const writer *at, uint32_t input, char name[48])
{
	hy_kernels__expr_name(at->expr, at->node->inputs[input], name);
	return name;
}

static void write_formula(const writer *at, const formula *row)
{
	char x[48] = "", y[48] = "", a[48] = "", b[48] = "";
	if (at->node->input_count > 0) name_of(at, 0, x);
	if (at->node->input_count > 1) name_of(at, 1, y);
	if (row->a_name != NULL)
		literal_real((double)hy_ir_node_attr_float(at->node->ir, row->a_name, row->a), at->in, a);
	if (row->b_name != NULL)
		literal_real((double)hy_ir_node_attr_float(at->node->ir, row->b_name, row->b), at->in, b);
	const char *form = hy_dtype_is_float(at->in) ? row->real : row->integer;
	for (const char *c = form == NULL ? "" : form; *c != '\0'; c++) {
		if (*c != '$') {
			hy_kernels__text_append(at->text, c, 1);
			continue;
		}
		c++;
		const char *with = *c == 'x' ? x : *c == 'y' ? y : *c == 'a' ? a : *c == 'b' ? b : at->type;
		if (*c == 'X') with = hy_dtype_name(at->in);
		hy_kernels__text_add(at->text, "%s", with);
	}
}

static void write_clip(const writer *at)
{
	char x[48], low[48], high[48];
	name_of(at, 0, x);
	const bool has_low = hy_kernels__has_input(at->node, 1), has_high = hy_kernels__has_input(at->node, 2);
	if (has_low) name_of(at, 1, low);
	if (has_high) name_of(at, 2, high);
	/* min(max(x, low), high): high wins when they cross */
	if (has_low) hy_kernels__text_add(at->text, "(%s)(%s < %s ? (%s)%s : %s)", at->type, x, low, at->type, low, x);
	if (has_low && has_high) hy_kernels__text_add(at->text, ";\n\tt%u = ", (unsigned)(at->node - at->expr->nodes));
	if (has_low && has_high) snprintf(x, sizeof(x), "t%u", (unsigned)(at->node - at->expr->nodes));
	if (has_high) hy_kernels__text_add(at->text, "%s > %s ? (%s)%s : %s", x, high, at->type, high, x);
	if (!has_low && !has_high) hy_kernels__text_add(at->text, "%s", x);
}

/* NaN wins in Min and Max. */
static void write_variadic(const writer *at)
{
	const hy_ir_op_id op = at->node->op->id;
	const unsigned self = (unsigned)(at->node - at->expr->nodes);
	char x[48];
	hy_kernels__text_add(at->text, "%s", name_of(at, 0, x));
	for (uint32_t i = 1; i < at->node->input_count; i++) {
		name_of(at, i, x);
		if (op == HY_IR_OP_Sum || op == HY_IR_OP_Mean)
			hy_kernels__text_add(at->text, ";\n\tt%u = t%u + %s", self, self, x);
		else if (hy_dtype_is_float(at->in))
			hy_kernels__text_add(at->text, ";\n\tt%u = isnan(t%u) ? t%u : (%s)%s %c t%u ? t%u : (%s)%s",
			                     self, self, self, at->type, x, op == HY_IR_OP_Max ? '<' : '>', self, self,
			                     at->type, x);
		else
			hy_kernels__text_add(at->text, ";\n\tt%u = %s %c t%u ? t%u : %s", self, x,
			                     op == HY_IR_OP_Max ? '<' : '>', self, self, x);
	}
	if (op == HY_IR_OP_Mean)
		hy_kernels__text_add(at->text, ";\n\tt%u = t%u / %u", self, self, at->node->input_count);
}

static void write_cast(const writer *at)
{
	char x[48];
	name_of(at, 0, x);
	const hy_dtype to = dtype_of(at->expr, at->node->outputs[0]);
	if (to == HY_DTYPE_BOOL)
		hy_kernels__text_add(at->text, "%s != 0", x);
	else if (hy_dtype_is_float(at->in) && !hy_dtype_is_float(to))
		hy_kernels__text_add(at->text, "k_whole_%s(%s)", hy_dtype_name(to), x);
	else
		hy_kernels__text_add(at->text, "(%s)%s", at->type, x);
}

static void write_power(const writer *at)
{
	char x[48], y[48];
	name_of(at, 0, x);
	name_of(at, 1, y);
	const bool real_exponent = hy_dtype_is_float(dtype_of(at->expr, at->node->inputs[1]));
	const bool has_double = (at->expr->lower->options->flags & HY_KERNELS_FP64) != 0;
	if (hy_dtype_is_float(at->in))
		hy_kernels__text_add(at->text, "pow(%s, (%s)%s)", x, at->type, y);
	else if (!real_exponent)
		hy_kernels__text_add(at->text, "k_pow_integer((long)%s, (long)%s)", x, y);
	else
		hy_kernels__text_add(at->text, "pow((%s)%s, (%s)%s)", has_double ? "double" : "float", x,
		                     has_double ? "double" : "float", y);
}

static void write_gelu(const writer *at)
{
	char x[48], half_root[48], root[48], cubic[48];
	name_of(at, 0, x);
	literal_real(0.70710678118654752440, at->in, half_root);
	literal_real(0.79788456080286535588, at->in, root);
	literal_real(0.044715, at->in, cubic);
	if (strcmp(hy_ir_node_attr_string(at->node->ir, "approximate", "none"), "tanh") == 0)
		hy_kernels__text_add(at->text, "%s / 2 * (1 + tanh(%s * (%s + %s * %s * %s * %s)))", x, root, x, cubic,
		                     x, x, x);
	else
		hy_kernels__text_add(at->text, "%s / 2 * (1 + erf(%s * %s))", x, x, half_root);
}

static void write_special(const writer *at)
{
	char x[48], y[48], z[48];
	switch (at->node->op->id) {
	case HY_IR_OP_Clip:
		write_clip(at);
		return;
	case HY_IR_OP_Min:
	case HY_IR_OP_Max:
	case HY_IR_OP_Sum:
	case HY_IR_OP_Mean:
		write_variadic(at);
		return;
	case HY_IR_OP_Cast:
		write_cast(at);
		return;
	case HY_IR_OP_Pow:
		write_power(at);
		return;
	case HY_IR_OP_Gelu:
		write_gelu(at);
		return;
	case HY_IR_OP_Where:
		hy_kernels__text_add(at->text, "%s ? (%s)%s : (%s)%s", name_of(at, 0, x), at->type, name_of(at, 1, y),
		                     at->type, name_of(at, 2, z));
		return;
	case HY_IR_OP_Mod:
		if (hy_dtype_is_float(at->in))
			hy_kernels__text_add(at->text, "fmod(%s, %s)", name_of(at, 0, x), name_of(at, 1, y));
		else
			hy_kernels__text_add(at->text, "k_%s_%s(%s, %s)",
			                     hy_ir_node_attr_int(at->node->ir, "fmod", 0) ? "rem" : "mod",
			                     hy_dtype_name(at->in), name_of(at, 0, x), name_of(at, 1, y));
		return;
	case HY_IR_OP_IsInf:
		name_of(at, 0, x);
		hy_kernels__text_add(at->text, "isinf(%s) && (%s > 0 ? %d : %d)", x, x,
		                     hy_ir_node_attr_int(at->node->ir, "detect_positive", 1) != 0,
		                     hy_ir_node_attr_int(at->node->ir, "detect_negative", 1) != 0);
		return;
	default:
		return;
	}
}

void hy_kernels__expr_write(const hy_kernels__expr *expr, bool vector, hy_kernels__text *text)
{
	for (uint32_t n = 0; n < expr->count; n++) {
		const hy_kernels__node *node = &expr->nodes[n];
		const hy_dtype out = dtype_of(expr, node->outputs[0]);
		char type[16];
		snprintf(type, sizeof(type), "k_c_%s", hy_dtype_name(out));
		if (vector) snprintf(type, sizeof(type), "float16");
		writer at = {.expr = expr, .node = node, .text = text, .type = type, .in = HY_DTYPE_F32};
		if (node->input_count > 0) at.in = dtype_of(expr, node->inputs[0]);
		if (node->op->id == HY_IR_OP_Where) at.in = out;
		hy_kernels__text_add(text, "\t%s t%u = ", type, n);
		if (formulas[node->op->id].real != NULL || formulas[node->op->id].integer != NULL)
			write_formula(&at, &formulas[node->op->id]);
		else
			write_special(&at);
		hy_kernels__text_add(text, ";\n");
		if (out == HY_DTYPE_F16 || out == HY_DTYPE_BF16)
			hy_kernels__text_add(text, "\tt%u = k_round_%s(t%u);\n", n, hy_dtype_name(out), n);
	}
}
