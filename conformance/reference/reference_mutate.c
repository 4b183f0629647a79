/* What mutants of the reference plugin do to numbers before and after the evaluator. */
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool contracts(const hy_exe *exe)
{
	static const char *const ops[] = {"Conv", "ConvTranspose", "MatMul", "Gemm", "ReduceSum", "ReduceMean"};
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(exe->op, ops[i]) == 0) return true;
	return false;
}

static float in_tf32(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	bits = (bits + 0x1000) & 0xffffe000u;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static float in_coarse(const plugin *self, float value)
{
	switch (self->mutant) {
	case MUTANT_inputs_in_tf32:
	case MUTANT_declares_tf32:
	case MUTANT_arithmetic_declared_and_a_term_dropped:
		return in_tf32(value);
	case MUTANT_inputs_in_bf16:
	case MUTANT_declares_bf16:
	case MUTANT_tf32_declared_bf16_computed:
		return hy_bf16_to_float(hy_bf16_from_float(value));
	case MUTANT_declares_f16:
		return hy_f16_to_float(hy_f16_from_float(value));
	default:
		return value;
	}
}

/* Copies keep denormals whatever arithmetic does. */
static bool moves(const hy_exe *exe)
{
	static const char *const ops[] = {"Identity", "Reshape",      "Flatten", "Transpose", "Concat",
	                                  "Split",    "Slice",        "Pad",     "Squeeze",   "Gather",
	                                  "Where",    "DepthToSpace", "Tile",    "Expand"};
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(exe->op, ops[i]) == 0) return true;
	return false;
}

/* The second operand's slice for one k: its last input channel, or its last row. */
static void scale_k(hy_ir_tensor *t, const hy_exe *exe, bool last, float factor)
{
	const bool conv = strcmp(exe->op, "Conv") == 0;
	if ((!conv && strcmp(exe->op, "MatMul") != 0) || t->type.rank < 2) return;
	const uint32_t axis = conv ? 1 : t->type.rank - 2;
	const int64_t n = t->type.dim[axis], count = hy_ir_type_elements(&t->type);
	int64_t inner = 1;
	for (uint32_t i = axis + 1; i < t->type.rank; i++)
		inner *= t->type.dim[i];
	for (int64_t i = 0; i < count; i++)
		if (i / inner % n == (last ? n - 1 : 0)) ((float *)t->data)[i] *= factor;
}

/* A product that is not computed where one operand is 0 never sees that the other is NaN or infinite. */
static void forget_specials(hy_ir_tensor *t)
{
	for (int64_t k = 0; k < hy_ir_type_elements(&t->type); k++)
		if (!isfinite(((float *)t->data)[k])) ((float *)t->data)[k] = 0;
}

static bool broadcasts(const hy_ir_type *left, const hy_ir_type *right)
{
	bool one = false;
	for (uint32_t i = 0; i < right->rank && i < left->rank; i++)
		one = one || (right->dim[right->rank - 1 - i] == 1 && left->dim[left->rank - 1 - i] > 1);
	return one && hy_ir_type_elements(right) > 1;
}

void reference_mutate_inputs(const hy_exe *exe, uint32_t count, hy_ir_tensor *inputs)
{
	const plugin *self = exe->device->plugin;
	for (uint32_t i = 0; i < count; i++) {
		hy_ir_tensor *t = &inputs[i];
		const int64_t elements = hy_ir_type_elements(&t->type);
		for (int64_t k = 0; k < elements; k++) {
			if (t->type.dtype == HY_DTYPE_I64 && IS(self, negative_index_is_zero) &&
			    ((int64_t *)t->data)[k] < 0)
				((int64_t *)t->data)[k] = 0;
			if (t->type.dtype != HY_DTYPE_F32) continue;
			float *value = &((float *)t->data)[k];
			if (contracts(exe)) *value = in_coarse(self, *value);
			if (IS(self, declares_flushed_denormals) && !moves(exe) && fabsf(*value) < 0x1p-126f)
				*value = copysignf(0, *value);
			if (exe->is_region && i == count - 1 && i > 0 && IS(self, region_operand_read_as_scalar))
				*value = ((float *)t->data)[0];
		}
		if (t->type.dtype != HY_DTYPE_F32 || i != 1) continue;
		if (IS(self, last_k_dropped) || IS(self, arithmetic_declared_and_a_term_dropped))
			scale_k(t, exe, true, 0);
		if (IS(self, zeros_skipped_in_products) && contracts(exe)) forget_specials(t);
		if (IS(self, broadcast_of_one_wrong) && broadcasts(&inputs[0].type, &t->type)) {
			const float first = ((float *)t->data)[0];
			((float *)t->data)[0] = ((float *)t->data)[1];
			((float *)t->data)[1] = first;
		}
		if (IS(self, first_k_doubled)) scale_k(t, exe, false, 2);
	}
	if (IS(self, bias_added_twice) && count == 3 && contracts(exe) && inputs[2].type.dtype == HY_DTYPE_F32)
		for (int64_t k = 0; k < hy_ir_type_elements(&inputs[2].type); k++)
			((float *)inputs[2].data)[k] *= 2;
}

static float wrong_softmax(const hy_ir_tensor *x, int64_t row, int64_t at)
{
	const int64_t n = x->type.dim[x->type.rank - 1];
	const float *values = (const float *)x->data + row * n;
	float sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += expf(values[i] * 1.2f - values[i] * 0.2f);
	return expf(values[at]) / sum;
}

static void one_pass_norm(const hy_ir_tensor *x, hy_ir_tensor *y)
{
	const int64_t n = x->type.dim[x->type.rank - 1], rows = hy_ir_type_elements(&x->type) / n;
	for (int64_t r = 0; r < rows; r++) {
		const float *in = (const float *)x->data + r * n;
		float sum = 0, squares = 0;
		for (int64_t i = 0; i < n; i++) {
			sum += in[i] + 1000.0f;
			squares += (in[i] + 1000.0f) * (in[i] + 1000.0f);
		}
		const float mean = sum / (float)n, variance = squares / (float)n - mean * mean;
		float *out = (float *)y->data + r * n;
		double exact_sum = 0, exact_squares = 0;
		for (int64_t i = 0; i < n; i++)
			exact_sum += in[i];
		for (int64_t i = 0; i < n; i++)
			exact_squares += (in[i] - exact_sum / (double)n) * (in[i] - exact_sum / (double)n);
		const float correction = (float)sqrt(exact_squares / (double)n / (fabs(variance) + 1e-9));
		for (int64_t i = 0; i < n; i++)
			out[i] *= correction;
	}
}

static void mutate_float(const hy_exe *exe, const hy_ir_tensor *inputs, hy_ir_tensor *y, int64_t k, int64_t count)
{
	const plugin *self = exe->device->plugin;
	float *value = &((float *)y->data)[k];
	if ((IS(self, sums_in_half_precision) || IS(self, declares_sums_in_f16)) && contracts(exe))
		*value = hy_f16_to_float(hy_f16_from_float(*value));
	if (IS(self, denormals_flushed) && fabsf(*value) < 0x1p-126f) *value = 0;
	if (IS(self, declares_flushed_denormals) && !moves(exe) && fabsf(*value) < 0x1p-126f)
		*value = copysignf(0, *value);
	if (IS(self, minus_zero_lost) && *value == 0) *value = 0;
	if (IS(self, nan_loses_against_numbers) && *value != *value && exe->op[0] == 'M') *value = -9e9f;
	if (IS(self, nothing_reduces_to_zero) && strncmp(exe->op, "Reduce", 6) == 0 && inputs[0].type.rank > 0 &&
	    hy_ir_type_elements(&inputs[0].type) == 0)
		*value = 0;
	if (IS(self, index_wraps_at_65536) && k >= 65536) *value = ((float *)y->data)[k - 65536];
	if (IS(self, one_element_of_70000_wrong) && k == 69999) *value += 1;
	if (IS(self, later_batch_rows_differ) && y->type.rank > 1 && k >= count / y->type.dim[0])
		*value = nextafterf(*value, 9e9f);
	if (IS(self, order_of_terms_matters) && contracts(exe) && inputs[0].data != NULL &&
	    hy_ir_type_elements(&inputs[0].type) > 0)
		*value += ((const float *)inputs[0].data)[0] * 0x1p-20f;
	if (IS(self, nan_becomes_zero) && *value != *value) *value = 0;
	if (IS(self, infinity_becomes_largest) && isinf(*value)) *value = copysignf(1e30f, *value);
	if (IS(self, halves_rounded_away) && strcmp(exe->op, "Round") == 0)
		*value = roundf(((const float *)inputs[0].data)[k]);
	if (IS(self, one_element_of_4096_wrong) && k == 4095) *value += 1;
	if (IS(self, tail_of_eight_not_written) && count % 8 != 0 && k >= count / 8 * 8)
		memset(value, 0xa5, sizeof(*value));
	if (IS(self, answer_depends_on_the_exe) && exe->number % 2 == 0) *value = nextafterf(*value, 9e9f);
	const int64_t width = y->type.rank == 0 ? 1 : y->type.dim[y->type.rank - 1];
	if (IS(self, softmax_without_maximum) && strcmp(exe->op, "Softmax") == 0 && inputs[0].data != NULL)
		*value = wrong_softmax(&inputs[0], k / width, k % width);
}

void reference_mutate_output(hy_exe *exe, const hy_ir_tensor *inputs, hy_ir_tensor *y)
{
	hy_device *device = exe->device;
	const plugin *self = device->plugin;
	const int64_t count = hy_ir_type_elements(&y->type);
	for (int64_t k = 0; k < count; k++) {
		if (y->type.dtype == HY_DTYPE_F32) mutate_float(exe, inputs, y, k, count);
		if (y->type.dtype == HY_DTYPE_I8 && IS(self, eight_bit_integers_saturate)) {
			const int sum = ((const int8_t *)inputs[0].data)[k] + ((const int8_t *)inputs[1].data)[k];
			((int8_t *)y->data)[k] = (int8_t)(sum > 127 ? 127 : sum < -128 ? -128 : sum);
		}
	}
	if (y->type.dtype != HY_DTYPE_F32) return;
	if (IS(self, freeing_an_exe_breaks_older_ones) && device->freed_number > exe->number)
		memset(y->data, 0x11, (size_t)count * sizeof(float));
	if (IS(self, one_pass_variance) && strcmp(exe->op, "LayerNormalization") == 0) one_pass_norm(&inputs[0], y);
	if (!IS(self, answer_keeps_something_of_the_last_run)) return;
	if (device->last_answer != NULL && device->last_length == (uint64_t)count && count > 100)
		((float *)y->data)[0] += device->last_answer[0];
	free(device->last_answer);
	device->last_answer = malloc((size_t)count * sizeof(float) + 1);
	device->last_length = (uint64_t)count;
	memcpy(device->last_answer, y->data, (size_t)count * sizeof(float));
}

/* A region whose body stops one node early: its last elementwise node's first operand is the answer. */
void reference_drop_last_step(const hy_exe *exe, const hy_ir_tensor *inputs, hy_ir_tensor *y)
{
	(void)inputs;
	if (!exe->is_region || y->type.dtype != HY_DTYPE_F32) return;
	const hy_ir_graph *body = hy_ir_graph_node(exe->graph, 0)->body;
	if (hy_ir_graph_node_count(body) < 2) return;
	for (int64_t k = 0; k < hy_ir_type_elements(&y->type); k++)
		((float *)y->data)[k] = ((float *)y->data)[k] * 0.5f - 1;
}
