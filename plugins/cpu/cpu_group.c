/* Compiling a group: which nodes belong together, their program, where its slots live. */
#include "cpu_group.h"
#include "cpu_build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_NODES 64

typedef struct writer {
	hy_cpu_build *build;
	const hy_cpu_vector_fn *functions;
	uint32_t node_count;
	uint32_t nodes[MAX_NODES];
	hy_ir_type shape; /* of the loop */
	uint32_t value_count; /* slots so far; inputs come first, then outputs, then the rest */
	uint32_t values[HY_CPU_GROUP_SLOTS]; /* the value in each slot, or HY_CPU_NONE */
	uint32_t input_count, output_count;
	uint32_t code_count;
	hy_cpu_group_code codes[4 * MAX_NODES];
	hy_cpu_vector_op ops[4 * MAX_NODES];
} writer;

/* ---- which nodes ---- */

static const hy_cpu_value *value_of(const writer *w, uint32_t value)
{
	return &w->build->values[value];
}

/* How many inputs of the group's nodes are this value. */
static uint32_t reads_inside(const writer *w, uint32_t value)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->node_count; i++) {
		const hy_cpu_node *n = &w->build->nodes[w->nodes[i]];
		for (uint32_t k = 0; k < n->ir->input_count; k++)
			count += n->inputs[k] == value;
	}
	return count;
}

static bool is_made_inside(const writer *w, uint32_t value)
{
	for (uint32_t i = 0; i < w->node_count; i++) {
		if (w->build->nodes[w->nodes[i]].outputs[0] == value) return true;
	}
	return false;
}

static bool same_dims(const hy_ir_type *a, const hy_ir_type *b)
{
	return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof(a->dim[0])) == 0;
}

static bool is_scalar_constant(const writer *w, uint32_t value, float *out_number)
{
	const hy_cpu_value *v = value_of(w, value);
	if (v->data == NULL || v->view.type.dtype != HY_DTYPE_F32 || hy_ir_type_elements(&v->view.type) != 1)
		return false;
	memcpy(out_number, v->data, sizeof(*out_number));
	return true;
}

static bool is_computed_dtype(hy_dtype dtype)
{
	return dtype == HY_DTYPE_F32 || dtype == HY_DTYPE_BOOL;
}

/* The types that the program can load and store. Integers only where they become floats. */
static bool node_is_possible(const writer *w, const hy_cpu_node *n)
{
	if (n->op->fusion != HY_IR_CLASS_ELEMENTWISE) return false;
	if (!is_computed_dtype(value_of(w, n->outputs[0])->view.type.dtype)) return false;
	for (uint32_t i = 0; i < n->ir->input_count; i++) {
		if (n->inputs[i] == HY_CPU_NONE) continue;
		const hy_dtype dtype = value_of(w, n->inputs[i])->view.type.dtype;
		if (is_computed_dtype(dtype)) continue;
		if (n->op->id != HY_IR_OP_Cast || is_made_inside(w, n->inputs[i])) return false;
		if (dtype != HY_DTYPE_I8 && dtype != HY_DTYPE_U8 && dtype != HY_DTYPE_I32 && dtype != HY_DTYPE_I64)
			return false;
	}
	return true;
}

static bool with_constant(hy_ir_op_id id, float number, hy_cpu_vector_op *out_op, float *out_p);

/* Inputs that become constants of the program: bounds of Clip, scalars. */
static bool is_immediate(const writer *w, const hy_cpu_node *n, uint32_t input)
{
	hy_cpu_vector_op op;
	float number, p;
	if (input == 0 || !is_scalar_constant(w, n->inputs[input], &number)) return false;
	return n->op->id == HY_IR_OP_Clip || (n->ir->input_count == 2 && with_constant(n->op->id, number, &op, &p));
}

/* ---- slots ---- */

static hy_status slot_add(writer *w, uint32_t value, uint8_t *out_slot)
{
	if (w->value_count == HY_CPU_GROUP_SLOTS) return HY_UNSUPPORTED;
	w->values[w->value_count] = value;
	*out_slot = (uint8_t)w->value_count++;
	return HY_OK;
}

static uint8_t slot_of(const writer *w, uint32_t value)
{
	for (uint32_t i = 0; i < w->value_count; i++) {
		if (w->values[i] == value) return (uint8_t)i;
	}
	return HY_CPU_GROUP_NOTHING;
}

/* Inputs, then outputs: they are the step's operands. */
static hy_status slots_begin(writer *w)
{
	uint8_t slot;
	for (uint32_t i = 0; i < w->node_count; i++) {
		const hy_cpu_node *n = &w->build->nodes[w->nodes[i]];
		for (uint32_t k = 0; k < n->ir->input_count; k++) {
			const uint32_t value = n->inputs[k];
			if (value == HY_CPU_NONE || slot_of(w, value) != HY_CPU_GROUP_NOTHING) continue;
			if (is_made_inside(w, value) || is_immediate(w, n, k)) continue;
			const hy_status status = slot_add(w, value, &slot);
			if (status != HY_OK) return status;
		}
	}
	w->input_count = w->value_count;
	for (uint32_t i = 0; i < w->node_count; i++) {
		const uint32_t value = w->build->nodes[w->nodes[i]].outputs[0];
		if (reads_inside(w, value) == value_of(w, value)->uses) continue;
		if (!same_dims(&value_of(w, value)->view.type, &w->shape)) return HY_UNSUPPORTED;
		const hy_status status = slot_add(w, value, &slot);
		if (status != HY_OK) return status;
	}
	w->output_count = w->value_count - w->input_count;
	return HY_OK;
}

/* ---- program ---- */

static hy_status code_add(writer *w, hy_cpu_vector_op op, uint8_t out, const uint8_t in[3], float p, float q)
{
	if (w->code_count == sizeof(w->codes) / sizeof(w->codes[0])) return HY_UNSUPPORTED;
	w->ops[w->code_count] = op;
	w->codes[w->code_count++] = (hy_cpu_group_code){
		.function = w->functions[op], .out = out, .in = {in[0], in[1], in[2]}, .constants = {p, q}};
	return HY_OK;
}

/* The instruction that was written last, if it makes `slot`, nobody else reads that, and it has operation op. */
static hy_cpu_group_code *last_if(writer *w, uint8_t slot, hy_cpu_vector_op op)
{
	if (w->code_count == 0 || slot == HY_CPU_GROUP_NOTHING || slot < w->input_count + w->output_count) return NULL;
	hy_cpu_group_code *last = &w->codes[w->code_count - 1];
	if (last->out != slot || w->ops[w->code_count - 1] != op) return NULL;
	return value_of(w, w->values[slot])->uses == 1 ? last : NULL;
}

static void replace_last(writer *w, hy_cpu_vector_op op, uint8_t out)
{
	w->ops[w->code_count - 1] = op;
	w->codes[w->code_count - 1].function = w->functions[op];
	w->codes[w->code_count - 1].out = out;
}

/* x * y + z, max(x * y + z, 0), x * sigmoid(x): one pass instead of two. True when it was written. */
static bool join_last(writer *w, hy_cpu_vector_op op, uint8_t out, const uint8_t in[3], float p)
{
	for (uint32_t i = 0; i < 2 && op == HY_CPU_VECTOR_ADD; i++) {
		hy_cpu_group_code *last = last_if(w, in[i], HY_CPU_VECTOR_MUL);
		if (last == NULL || in[0] == in[1]) continue;
		last->in[2] = in[1 - i];
		replace_last(w, HY_CPU_VECTOR_MUL_ADD, out);
		return true;
	}
	if (op == HY_CPU_VECTOR_RELU && last_if(w, in[0], HY_CPU_VECTOR_MUL_ADD) != NULL) {
		replace_last(w, HY_CPU_VECTOR_MUL_ADD_RELU, out);
		return true;
	}
	if (op == HY_CPU_VECTOR_ADD_CONST) {
		hy_cpu_group_code *last = last_if(w, in[0], HY_CPU_VECTOR_MUL_CONST);
		if (last == NULL) return false;
		last->constants[1] = p;
		replace_last(w, HY_CPU_VECTOR_SCALE_SHIFT, out);
		return true;
	}
	for (uint32_t i = 0; i < 2 && op == HY_CPU_VECTOR_MUL; i++) {
		hy_cpu_group_code *last = last_if(w, in[i], HY_CPU_VECTOR_SIGMOID);
		if (last == NULL || last->in[0] != in[1 - i]) continue;
		last->constants[0] = 1.0f;
		replace_last(w, HY_CPU_VECTOR_SWISH, out);
		return true;
	}
	return false;
}

typedef struct row {
	hy_ir_op_id id;
	hy_cpu_vector_op op;
	bool is_swapped; /* operands change places */
} row;

/* Operators that are one instruction with the node's inputs as operands and no constants. */
static const row rows[] = {
	{HY_IR_OP_Add, HY_CPU_VECTOR_ADD, false},
	{HY_IR_OP_Sub, HY_CPU_VECTOR_SUB, false},
	{HY_IR_OP_Mul, HY_CPU_VECTOR_MUL, false},
	{HY_IR_OP_Div, HY_CPU_VECTOR_DIV, false},
	{HY_IR_OP_Pow, HY_CPU_VECTOR_POW, false},
	{HY_IR_OP_PRelu, HY_CPU_VECTOR_PRELU, false},
	{HY_IR_OP_And, HY_CPU_VECTOR_AND, false},
	{HY_IR_OP_Or, HY_CPU_VECTOR_OR, false},
	{HY_IR_OP_Xor, HY_CPU_VECTOR_XOR, false},
	{HY_IR_OP_Equal, HY_CPU_VECTOR_EQUAL, false},
	{HY_IR_OP_Greater, HY_CPU_VECTOR_GREATER, false},
	{HY_IR_OP_GreaterOrEqual, HY_CPU_VECTOR_GREATER_EQUAL, false},
	{HY_IR_OP_Less, HY_CPU_VECTOR_GREATER, true},
	{HY_IR_OP_LessOrEqual, HY_CPU_VECTOR_GREATER_EQUAL, true},
	{HY_IR_OP_Where, HY_CPU_VECTOR_WHERE, false},
	{HY_IR_OP_Sqrt, HY_CPU_VECTOR_SQRT, false},
	{HY_IR_OP_Erf, HY_CPU_VECTOR_ERF, false},
	{HY_IR_OP_Exp, HY_CPU_VECTOR_EXP, false},
	{HY_IR_OP_Log, HY_CPU_VECTOR_LOG, false},
	{HY_IR_OP_Sin, HY_CPU_VECTOR_SIN, false},
	{HY_IR_OP_Cos, HY_CPU_VECTOR_COS, false},
	{HY_IR_OP_Tanh, HY_CPU_VECTOR_TANH, false},
	{HY_IR_OP_Sigmoid, HY_CPU_VECTOR_SIGMOID, false},
	{HY_IR_OP_Relu, HY_CPU_VECTOR_RELU, false},
	{HY_IR_OP_HardSwish, HY_CPU_VECTOR_HARD_SWISH, false},
	{HY_IR_OP_Mish, HY_CPU_VECTOR_MISH, false},
	{HY_IR_OP_Softplus, HY_CPU_VECTOR_SOFTPLUS, false},
	{HY_IR_OP_Softsign, HY_CPU_VECTOR_SOFTSIGN, false},
	{HY_IR_OP_Abs, HY_CPU_VECTOR_ABS, false},
	{HY_IR_OP_Sign, HY_CPU_VECTOR_SIGN, false},
	{HY_IR_OP_Reciprocal, HY_CPU_VECTOR_RECIPROCAL, false},
	{HY_IR_OP_Floor, HY_CPU_VECTOR_FLOOR, false},
	{HY_IR_OP_Ceil, HY_CPU_VECTOR_CEIL, false},
	{HY_IR_OP_Round, HY_CPU_VECTOR_ROUND, false},
	{HY_IR_OP_Not, HY_CPU_VECTOR_NOT, false},
	{HY_IR_OP_IsNaN, HY_CPU_VECTOR_IS_NAN, false},
};

/* An operator with a constant for its second operand; false: none. */
static bool with_constant(hy_ir_op_id id, float number, hy_cpu_vector_op *out_op, float *out_p)
{
	*out_p = number;
	switch (id) {
	case HY_IR_OP_Add:
		*out_op = HY_CPU_VECTOR_ADD_CONST;
		return true;
	case HY_IR_OP_Sub:
		*out_op = HY_CPU_VECTOR_ADD_CONST;
		*out_p = -number;
		return true;
	case HY_IR_OP_Mul:
		*out_op = HY_CPU_VECTOR_MUL_CONST;
		return true;
	case HY_IR_OP_Div:
		*out_op = HY_CPU_VECTOR_DIV_CONST;
		return true;
	case HY_IR_OP_Pow:
		*out_op = number == 2.0f ? HY_CPU_VECTOR_SQUARE : HY_CPU_VECTOR_SQRT;
		return number == 2.0f || number == 0.5f;
	default:
		return false;
	}
}

/* The constants of the operators that have attributes; false: not one of them. */
static bool with_attributes(const hy_ir_node *ir, hy_cpu_vector_op *out_op, float *out_p, float *out_q)
{
	*out_q = 0.0f;
	switch (ir->op->id) {
	case HY_IR_OP_LeakyRelu:
		*out_op = HY_CPU_VECTOR_LEAKY_RELU;
		*out_p = hy_ir_node_attr_float(ir, "alpha", 0.01f);
		return true;
	case HY_IR_OP_Elu:
		*out_op = HY_CPU_VECTOR_ELU;
		*out_p = hy_ir_node_attr_float(ir, "alpha", 1.0f);
		return true;
	case HY_IR_OP_Selu:
		*out_op = HY_CPU_VECTOR_SELU;
		*out_p = hy_ir_node_attr_float(ir, "alpha", 1.67326319217681884765625f);
		*out_q = hy_ir_node_attr_float(ir, "gamma", 1.05070102214813232421875f);
		return true;
	case HY_IR_OP_HardSigmoid:
		*out_op = HY_CPU_VECTOR_HARD_SIGMOID;
		*out_p = hy_ir_node_attr_float(ir, "alpha", 0.2f);
		*out_q = hy_ir_node_attr_float(ir, "beta", 0.5f);
		return true;
	case HY_IR_OP_ThresholdedRelu:
		*out_op = HY_CPU_VECTOR_THRESHOLDED_RELU;
		*out_p = hy_ir_node_attr_float(ir, "alpha", 1.0f);
		return true;
	case HY_IR_OP_Gelu:
		*out_op = strcmp(hy_ir_node_attr_string(ir, "approximate", "none"), "tanh") == 0
		                  ? HY_CPU_VECTOR_GELU_TANH
		                  : HY_CPU_VECTOR_GELU;
		*out_p = 0.0f;
		return true;
	case HY_IR_OP_Neg:
		*out_op = HY_CPU_VECTOR_MUL_CONST;
		*out_p = -1.0f;
		return true;
	case HY_IR_OP_IsInf:
		*out_op = HY_CPU_VECTOR_IS_INF;
		*out_p = hy_ir_node_attr_int(ir, "detect_negative", 1) != 0 ? 1.0f : 0.0f;
		*out_q = hy_ir_node_attr_int(ir, "detect_positive", 1) != 0 ? 1.0f : 0.0f;
		return true;
	default:
		return false;
	}
}

static hy_status write_clip(writer *w, const hy_cpu_node *n, uint8_t out)
{
	float bounds[2] = {-INFINITY, INFINITY};
	uint8_t in[3] = {slot_of(w, n->inputs[0]), HY_CPU_GROUP_NOTHING, HY_CPU_GROUP_NOTHING};
	for (uint32_t i = 1; i < n->ir->input_count && i < 3; i++) {
		if (n->inputs[i] == HY_CPU_NONE || is_scalar_constant(w, n->inputs[i], &bounds[i - 1])) continue;
		in[1] = slot_of(w, n->inputs[i]);
		const hy_status status = code_add(w, i == 1 ? HY_CPU_VECTOR_MAX : HY_CPU_VECTOR_MIN, out, in, 0.0f,
		                                  0.0f);
		if (status != HY_OK) return status;
		in[0] = out;
		in[1] = HY_CPU_GROUP_NOTHING;
	}
	return code_add(w, HY_CPU_VECTOR_CLIP, out, in, bounds[0], bounds[1]);
}

static hy_status write_variadic(writer *w, const hy_cpu_node *n, uint8_t out)
{
	const hy_ir_op_id id = n->op->id;
	const hy_cpu_vector_op op = id == HY_IR_OP_Min   ? HY_CPU_VECTOR_MIN
	                            : id == HY_IR_OP_Max ? HY_CPU_VECTOR_MAX
	                                                 : HY_CPU_VECTOR_ADD;
	uint8_t in[3] = {slot_of(w, n->inputs[0]), HY_CPU_GROUP_NOTHING, HY_CPU_GROUP_NOTHING};
	hy_status status = HY_OK;
	if (n->ir->input_count == 1) status = code_add(w, HY_CPU_VECTOR_COPY, out, in, 0.0f, 0.0f);
	for (uint32_t i = 1; i < n->ir->input_count && status == HY_OK; i++) {
		in[1] = slot_of(w, n->inputs[i]);
		if (!(i == 1 && n->ir->input_count == 2 && join_last(w, op, out, in, 0.0f)))
			status = code_add(w, op, out, in, 0.0f, 0.0f);
		in[0] = out;
	}
	in[1] = HY_CPU_GROUP_NOTHING;
	if (id == HY_IR_OP_Mean && status == HY_OK && n->ir->input_count > 1)
		status = code_add(w, HY_CPU_VECTOR_DIV_CONST, out, in, (float)n->ir->input_count, 0.0f);
	return status;
}

static hy_status write_node(writer *w, const hy_cpu_node *n)
{
	uint8_t in[3] = {HY_CPU_GROUP_NOTHING, HY_CPU_GROUP_NOTHING, HY_CPU_GROUP_NOTHING};
	uint8_t out = slot_of(w, n->outputs[0]);
	hy_status status = out == HY_CPU_GROUP_NOTHING ? slot_add(w, n->outputs[0], &out) : HY_OK;
	if (status != HY_OK) return status;
	const hy_ir_op_id id = n->op->id;
	if (id == HY_IR_OP_Clip) return write_clip(w, n, out);
	if (id == HY_IR_OP_Min || id == HY_IR_OP_Max || id == HY_IR_OP_Sum || id == HY_IR_OP_Mean)
		return write_variadic(w, n, out);
	for (uint32_t i = 0; i < n->ir->input_count && i < 3; i++)
		in[i] = slot_of(w, n->inputs[i]);
	hy_cpu_vector_op op;
	float p = 0.0f, q = 0.0f;
	if (id == HY_IR_OP_Cast) {
		const bool to_bool = value_of(w, n->outputs[0])->view.type.dtype == HY_DTYPE_BOOL;
		in[1] = to_bool ? in[0] : HY_CPU_GROUP_NOTHING;
		return code_add(w, to_bool ? HY_CPU_VECTOR_OR : HY_CPU_VECTOR_COPY, out, in, p, q);
	}
	if (id == HY_IR_OP_Mod && hy_ir_node_attr_int(n->ir, "fmod", 0) != 0)
		return code_add(w, HY_CPU_VECTOR_MOD, out, in, p, q);
	if (with_attributes(n->ir, &op, &p, &q)) return code_add(w, op, out, in, p, q);
	float number;
	if (n->ir->input_count == 2 && is_scalar_constant(w, n->inputs[1], &number) &&
	    with_constant(id, number, &op, &p)) {
		in[1] = HY_CPU_GROUP_NOTHING;
		return join_last(w, op, out, in, p) ? HY_OK : code_add(w, op, out, in, p, q);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].id != id) continue;
		if (rows[i].is_swapped) {
			const uint8_t first = in[0];
			in[0] = in[1];
			in[1] = first;
		}
		if (join_last(w, rows[i].op, out, in, p)) return HY_OK;
		return code_add(w, rows[i].op, out, in, p, q);
	}
	return HY_UNSUPPORTED;
}

/* Gives each slot that is no tensor a buffer; two slots share one when the first is read for the last time before the
 * second is written. */
static void buffers_assign(hy_cpu_group *group)
{
	const uint32_t tensors = group->input_count + group->output_count;
	uint32_t busy_until[HY_CPU_GROUP_SLOTS] = {0}, count = 0;
	const uint32_t first_buffer = group->buffer_count;
	for (uint32_t i = 0; i < group->code_count; i++) {
		const uint8_t slot = group->codes[i].out;
		if (slot < tensors || group->buffers[slot] != HY_CPU_GROUP_NOTHING) continue;
		uint32_t last = i + 1;
		for (uint32_t k = i + 1; k < group->code_count; k++) {
			const hy_cpu_group_code *code = &group->codes[k];
			if (code->in[0] == slot || code->in[1] == slot || code->in[2] == slot || code->out == slot)
				last = k;
		}
		uint32_t buffer = 0;
		while (buffer < count && busy_until[buffer] > i)
			buffer++;
		if (buffer == count) count++;
		busy_until[buffer] = last;
		group->buffers[slot] = (uint8_t)(first_buffer + buffer);
	}
	group->buffer_count += count;
}

/* ---- places ---- */

/* The order of the largest input decides; a tie is decided by the first. */
static hy_status choose_order(writer *w, hy_cpu_order *out_order, hy_error *error)
{
	*out_order = hy_cpu_order_plain();
	for (uint32_t i = 0; i < w->input_count; i++) {
		hy_cpu_view view;
		if (value_of(w, w->values[i])->data != NULL) continue;
		if (!same_dims(&value_of(w, w->values[i])->view.type, &w->shape)) continue;
		const hy_status status = hy_cpu_build_view(w->build, w->values[i], &view, error);
		if (status != HY_OK) return status;
		*out_order = hy_cpu_order_of(&view);
		return HY_OK;
	}
	return HY_OK;
}

static void loop_strides(const writer *w, const hy_cpu_view *view, const hy_cpu_order *order, int64_t *out_strides)
{
	const uint32_t rank = w->shape.rank, missing = rank - view->type.rank;
	for (uint32_t d = 0; d < rank; d++) {
		const uint32_t dim = order->dim[d];
		const bool is_broadcast = dim < missing || view->type.dim[dim - missing] == 1;
		out_strides[d] = is_broadcast ? 0 : view->stride[dim - missing];
	}
}

/* The slot of an input whose memory the output may take, or HY_CPU_GROUP_NOTHING. */
static uint8_t reusable_input(const writer *w, const hy_cpu_view *views, uint8_t output, const hy_cpu_order *order)
{
	uint32_t writes_from = w->code_count;
	for (uint32_t i = w->code_count; i-- > 0;) {
		if (w->codes[i].out == output) writes_from = i;
	}
	for (uint8_t slot = 0; slot < w->input_count; slot++) {
		const hy_cpu_view *view = &views[slot];
		if (view->type.dtype != HY_DTYPE_F32 || !same_dims(&view->type, &w->shape)) continue;
		if (!hy_cpu_view_is_dense(view, order) || view->storage != value_of(w, w->values[slot])->view.storage)
			continue;
		if (!hy_cpu_build_dies(w->build, w->values[slot], reads_inside(w, w->values[slot]))) continue;
		bool is_read_later = false;
		for (uint32_t i = writes_from + 1; i < w->code_count; i++) {
			const uint8_t *in = w->codes[i].in;
			is_read_later = is_read_later || in[0] == slot || in[1] == slot || in[2] == slot;
		}
		if (!is_read_later) return slot;
	}
	return HY_CPU_GROUP_NOTHING;
}

static hy_status place_tensors(writer *w, hy_cpu_group *group, hy_cpu_view *views, hy_error *error)
{
	hy_cpu_order order;
	hy_status status = choose_order(w, &order, error);
	bool is_taken[HY_CPU_GROUP_SLOTS] = {false};
	for (uint32_t i = 0; i < w->input_count && status == HY_OK; i++) {
		status = hy_cpu_build_view(w->build, w->values[i], &views[i], error);
		if (status != HY_OK) return status;
		/* Another order of the same size is cheaper to turn once than to gather. */
		const hy_cpu_order found = hy_cpu_order_of(&views[i]);
		if (same_dims(&views[i].type, &w->shape) && memcmp(&found, &order, w->shape.rank) != 0)
			status = hy_cpu_build_dense(w->build, w->values[i], &order, &views[i], error);
	}
	for (uint32_t i = 0; i < w->output_count && status == HY_OK; i++) {
		const uint8_t slot = (uint8_t)(w->input_count + i);
		const hy_cpu_value *v = value_of(w, w->values[slot]);
		const uint8_t from = v->view.type.dtype == HY_DTYPE_F32 && v->binding == HY_CPU_NONE &&
		                                     v->inside == HY_CPU_NONE
		                             ? reusable_input(w, views, slot, &order)
		                             : HY_CPU_GROUP_NOTHING;
		if (from != HY_CPU_GROUP_NOTHING && !is_taken[from]) {
			is_taken[from] = true;
			hy_cpu_build_alias(w->build, w->values[slot], &views[from]);
			views[slot] = value_of(w, w->values[slot])->view;
		} else {
			status = hy_cpu_build_make(w->build, w->values[slot], &order, HY_CPU_MAKE_STRIDED, &views[slot],
			                           error);
		}
	}
	group->rank = w->shape.rank;
	for (uint32_t d = 0; d < group->rank; d++)
		group->dim[d] = w->shape.dim[order.dim[d]];
	for (uint32_t i = 0; i < w->input_count + w->output_count && status == HY_OK; i++) {
		group->tensors[i].dtype = views[i].type.dtype;
		loop_strides(w, &views[i], &order, group->tensors[i].stride);
	}
	return status;
}

static void group_finish(hy_cpu_step *step)
{
	free(((hy_cpu_group *)(void *)step)->codes);
}

static void group_name(const writer *w, char *text, size_t length)
{
	size_t at = (size_t)snprintf(text, length, "vector:");
	for (uint32_t i = 0; i < w->node_count && at < length; i++) {
		at += (size_t)snprintf(text + at, length - at, "%s%s", i == 0 ? "" : "+",
		                       w->build->nodes[w->nodes[i]].ir->type);
	}
}

static hy_status group_create(writer *w, hy_error *error)
{
	hy_cpu_view views[HY_CPU_GROUP_SLOTS];
	hy_cpu_group *group = NULL, arranged = {0};
	const uint32_t tensors = w->input_count + w->output_count;
	char name[64];
	group_name(w, name, sizeof(name));
	hy_status status = place_tensors(w, &arranged, views, error);
	if (status == HY_OK) status = hy_cpu_build_step(w->build, sizeof(*group), name, &group, error);
	if (status != HY_OK) return status;
	arranged.step = group->step;
	*group = arranged;
	group->step.run = hy_cpu_group_run;
	group->step.finish = group_finish;
	group->input_count = w->input_count;
	group->output_count = w->output_count;
	group->slot_count = w->value_count;
	group->code_count = w->code_count;
	group->codes = malloc((w->code_count + 1) * sizeof(*group->codes));
	if (group->codes == NULL) return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
	memcpy(group->codes, w->codes, w->code_count * sizeof(*group->codes));
	memset(group->buffers, HY_CPU_GROUP_NOTHING, sizeof(group->buffers));
	hy_cpu_group_arrange(group, w->build->device->cores.thread_count);
	buffers_assign(group);
	for (uint32_t i = 0; i < tensors && status == HY_OK; i++)
		status = hy_cpu_build_operand_view(w->build, &group->step, &views[i], error);
	if (status == HY_OK)
		status = hy_cpu_build_scratch(w->build, &group->step, hy_cpu_group_scratch_bytes(group), error);
	return status;
}

/* Lowers the writer's nodes as one step; UNSUPPORTED before anything was built. */
static hy_status lower_nodes(writer *w, hy_error *error)
{
	hy_status status = HY_OK;
	w->shape = (hy_ir_type){.rank = 0};
	for (uint32_t i = 0; i < w->node_count; i++) {
		const hy_cpu_node *n = &w->build->nodes[w->nodes[i]];
		const hy_ir_type *type = &value_of(w, n->outputs[0])->view.type;
		if (!node_is_possible(w, n)) return HY_UNSUPPORTED;
		if (i == 0 || hy_ir_type_elements(type) > hy_ir_type_elements(&w->shape) ||
		    (hy_ir_type_elements(type) == hy_ir_type_elements(&w->shape) && type->rank > w->shape.rank))
			w->shape = *type;
	}
	status = slots_begin(w);
	for (uint32_t i = 0; i < w->node_count && status == HY_OK; i++)
		status = write_node(w, &w->build->nodes[w->nodes[i]]);
	if (status != HY_OK || w->output_count == 0) return status;
	return group_create(w, error);
}

hy_status hy_cpu_lower_group(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	writer *w = calloc(1, sizeof(*w));
	if (w == NULL) return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
	w->build = build;
	w->functions = hy_cpu_vector();
	const uint32_t region = build->nodes[node].region;
	w->nodes[w->node_count++] = node;
	for (uint32_t i = node + 1; region != HY_CPU_NONE && i < build->node_count && w->node_count < MAX_NODES; i++) {
		if (build->nodes[i].region != region) break;
		if (!build->nodes[i].is_lowered) w->nodes[w->node_count++] = i;
	}
	hy_status status = lower_nodes(w, error);
	if (status == HY_UNSUPPORTED && w->node_count > 1) {
		/* One by one; the others are met again later. */
		*w = (writer){.build = build, .functions = w->functions, .node_count = 1, .nodes = {node}};
		status = lower_nodes(w, error);
	}
	for (uint32_t i = 0; i < w->node_count && status == HY_OK; i++)
		hy_cpu_build_done(build, w->nodes[i]);
	free(w);
	return status;
}
