/* Programs of the reference plugin: the evaluator, and what mutants do to its inputs and outputs. */
#include "reference.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- query ---- */

static bool node_known(const hy_graph *graph, const hy_graph_node *node)
{
	const hy_ir_op *op = hy_ir_op_find(hy_graph_string(graph, node->domain), hy_graph_string(graph, node->op));
	if (op == NULL) return false;
	for (uint32_t i = 0; i < node->input_count; i++) {
		const uint32_t tensor = hy_graph_index_at(graph, node->inputs + i);
		if (tensor == HY_GRAPH_NONE || i > 0) continue;
		if (!(op->elements >> hy_graph_tensor_at(graph, tensor)->dtype & 1)) return false;
	}
	return true;
}

static bool known(const hy_graph *graph, const hy_graph_node *node)
{
	if (node->body == HY_GRAPH_NONE) return node_known(graph, node);
	const hy_graph_subgraph *body = hy_graph_subgraph_at(graph, node->body);
	for (uint32_t i = 0; i < body->node_count; i++)
		if (!node_known(graph, hy_graph_node_at(graph, body->first_node + i))) return false;
	return true;
}

hy_status reference_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t count)
{
	const plugin *self = device->plugin;
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	device->query_count++;
	for (uint32_t i = 0; i < model->node_count && i < count; i++) {
		bool yes = known(graph, hy_graph_node_at(graph, model->first_node + i)) ||
		           IS(self, says_yes_to_everything);
		if (IS(self, verdicts_change) && device->query_count % 2 == 0) yes = !yes;
		if (IS(self, null_unsupported)) yes = false;
		out_verdicts[i] = (hy_verdict){.answer = yes,
		                               .reason = yes || IS(self, verdicts_without_reason) ? 0 : HY_REASON_OP};
	}
	return HY_OK;
}

/* ---- compile ---- */

/* An attribute that is not found has its default: what "ignored" means. */
static void forget_attribute(hy_graph *graph, const char *name)
{
	for (uint32_t i = 0; i < graph->attr_count; i++) {
		const hy_graph_attr *attr = hy_graph_attr_at(graph, i);
		char *text = (char *)graph + graph->strings + attr->name;
		if (strcmp(text, name) == 0) text[0] = '~';
	}
}

static void mutate_attributes(const plugin *self, hy_graph *graph)
{
	static const struct {
		int mutant;
		const char *name;
	} rows[] = {{MUTANT_pads_ignored, "pads"},
	            {MUTANT_strides_ignored, "strides"},
	            {MUTANT_dilations_ignored, "dilations"},
	            {MUTANT_axis_ignored, "axis"},
	            {MUTANT_trans_b_ignored, "transB"},
	            {MUTANT_alpha_ignored, "alpha"},
	            {MUTANT_epsilon_ignored, "epsilon"},
	            {MUTANT_ceil_mode_ignored, "ceil_mode"},
	            {MUTANT_count_include_pad_ignored, "count_include_pad"},
	            {MUTANT_keepdims_ignored, "keepdims"},
	            {MUTANT_coordinate_mode_ignored, "coordinate_transformation_mode"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (self->mutant == rows[i].mutant) forget_attribute(graph, rows[i].name);
}

static hy_status copy_constants(hy_exe *exe, const hy_constant *constants, uint32_t count)
{
	exe->constant_count = count;
	exe->constants = calloc(count + 1, sizeof(constants[0]));
	if (exe->constants == NULL) return HY_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++) {
		if (IS(exe->device->plugin, borrows_constants_in_silence)) {
			exe->constants[i] = constants[i];
			continue;
		}
		void *data = malloc(constants[i].length + 1);
		if (data == NULL) return HY_NO_MEMORY;
		memcpy(data, constants[i].data, constants[i].length);
		exe->constants[i] = (hy_constant){.data = data, .length = constants[i].length};
	}
	return HY_OK;
}

hy_status reference_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                            uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	const plugin *self = device->plugin;
	if (IS(self, exit_0_in_compile)) _exit(0);
	if (option_count > 0 && !IS(self, unknown_compile_option_accepted)) {
		(void)options;
		return reference_fail(device->host, HY_INVALID, "unknown compile option: there are none");
	}
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	bool all = true;
	for (uint32_t i = 0; i < model->node_count; i++)
		all = all && known(graph, hy_graph_node_at(graph, model->first_node + i));
	if (!all && !IS(self, compiles_what_it_refused) && !IS(self, says_yes_to_everything))
		return reference_fail(device->host, HY_UNSUPPORTED, "a node that query() refuses");
	hy_exe *exe = calloc(1, sizeof(*exe));
	if (exe == NULL) return reference_fail(device->host, HY_NO_MEMORY, "host memory exhausted");
	exe->device = device;
	exe->number = ++device->exe_count;
	exe->blob = malloc(graph->total_bytes);
	hy_error error = {.text = "host memory exhausted"};
	hy_status status = exe->blob == NULL ? HY_NO_MEMORY : copy_constants(exe, constants, constant_count);
	if (status == HY_OK) {
		memcpy(exe->blob, graph, graph->total_bytes);
		mutate_attributes(self, exe->blob);
		status = hy_ir_blob_read(exe->blob, exe->constants, &exe->graph, &error);
	}
	if (status != HY_OK) {
		reference_exe_free(exe);
		return reference_fail(device->host, status, error.text);
	}
	const hy_ir_node *first = hy_ir_graph_node(exe->graph, 0);
	exe->is_region = first->body != NULL;
	exe->op = exe->is_region ? hy_ir_graph_node(first->body, 0)->type : first->type;
	if (IS(self, cache_ignores_shapes_and_attributes)) {
		if (device->first_exe == NULL) device->first_exe = exe;
	}
	*out_exe = exe;
	return HY_OK;
}

hy_status reference_exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	const uint32_t launches = IS(exe->device->plugin, no_launches_counted) ? 0 : hy_ir_graph_node_count(exe->graph);
	const hy_exe_info info = {.launches = launches, .reference_launches = launches};
	HY_PUT(out_info, &info);
	return HY_OK;
}

void reference_exe_free(hy_exe *exe)
{
	if (exe == NULL || exe == exe->device->first_exe) return;
	hy_ir_graph_destroy(exe->graph);
	for (uint32_t i = 0; i < exe->constant_count && !IS(exe->device->plugin, borrows_constants_in_silence); i++)
		free((void *)(uintptr_t)exe->constants[i].data);
	free(exe->constants);
	free(exe->blob);
	free(exe);
}

/* ---- what mutants do before and after ---- */

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

static void mutate_inputs(const hy_exe *exe, uint32_t count, hy_ir_tensor *inputs)
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
			if (contracts(exe) && IS(self, inputs_in_tf32)) *value = in_tf32(*value);
			if (contracts(exe) && IS(self, inputs_in_bf16))
				*value = hy_bf16_to_float(hy_bf16_from_float(*value));
			if (exe->is_region && i == count - 1 && i > 0 && IS(self, region_operand_read_as_scalar))
				*value = ((float *)t->data)[0];
		}
		if (t->type.dtype != HY_DTYPE_F32 || i != 1) continue;
		if (IS(self, last_k_dropped)) scale_k(t, exe, true, 0);
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
	if (IS(self, sums_in_half_precision) && contracts(exe)) *value = hy_f16_to_float(hy_f16_from_float(*value));
	if (IS(self, denormals_flushed) && fabsf(*value) < 0x1p-126f) *value = 0;
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

static void mutate_output(hy_exe *exe, const hy_ir_tensor *inputs, hy_ir_tensor *y)
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
static void drop_last_step(const hy_exe *exe, const hy_ir_tensor *inputs, hy_ir_tensor *y)
{
	(void)inputs;
	if (!exe->is_region || y->type.dtype != HY_DTYPE_F32) return;
	const hy_ir_graph *body = hy_ir_graph_node(exe->graph, 0)->body;
	if (hy_ir_graph_node_count(body) < 2) return;
	for (int64_t k = 0; k < hy_ir_type_elements(&y->type); k++)
		((float *)y->data)[k] = ((float *)y->data)[k] * 0.5f - 1;
}

/* ---- execution ---- */

static void misbehave(const hy_exe *exe)
{
	const plugin *self = exe->device->plugin;
	if (strcmp(exe->op, "Conv") != 0) return;
	if (IS(self, segfault_in_exec)) raise(SIGSEGV);
	if (IS(self, abort_in_exec)) abort();
	while (IS(self, hang_in_exec))
		sleep(1);
	while (IS(self, endless_log_in_exec)) {
		static const char text[] = "still here and happy to say so, again and again, as nobody asked for it";
		exe->device->host->log(exe->device->host->ctx, HY_LOG_WARN, text, sizeof(text) - 1);
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	}
}

static const char *binding_fault(const hy_exe *exe, uint32_t count, const hy_ref *bindings)
{
	const uint32_t inputs = hy_ir_graph_input_count(exe->graph), outputs = hy_ir_graph_output_count(exe->graph);
	if (count != inputs + outputs) return "EXEC: the number of bindings is not that of inputs and outputs";
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t value = i < inputs ? hy_ir_graph_inputs(exe->graph)[i]
		                                  : hy_ir_graph_outputs(exe->graph)[i - inputs];
		if (bindings[i].length != hy_ir_type_bytes(&hy_ir_graph_value(exe->graph, value)->type))
			return "EXEC: a binding is not as long as its tensor";
	}
	return NULL;
}

/* The null plugins: an answer without any work. */
static void pretend(const hy_exe *exe, uint32_t count, unsigned char *const *memory, const hy_ref *bindings)
{
	const plugin *self = exe->device->plugin;
	const uint32_t inputs = hy_ir_graph_input_count(exe->graph);
	for (uint32_t i = inputs; i < count; i++) {
		const uint64_t length = bindings[i].length;
		if (IS(self, null_zero)) memset(memory[i], 0, length);
		if (IS(self, null_echo) && inputs > 0)
			memcpy(memory[i], memory[0], bindings[0].length < length ? bindings[0].length : length);
		const float constant = 0.001f;
		for (uint64_t at = 0; IS(self, null_constant) && at + sizeof(constant) <= length;
		     at += sizeof(constant))
			memcpy(memory[i] + at, &constant, sizeof(constant));
	}
}

const char *reference_execute(hy_exe *exe, uint32_t count, unsigned char *const *memory, const hy_ref *bindings)
{
	enum { MOST = 64 };
	static _Thread_local char text[HY_ERROR_TEXT_BYTES];
	const plugin *self = exe->device->plugin;
	const char *fault = binding_fault(exe, count, bindings);
	if (fault != NULL) return IS(self, missing_binding_ends_ok) ? NULL : fault;
	misbehave(exe);
	const uint32_t input_count = hy_ir_graph_input_count(exe->graph);
	if (self->mutant >= MUTANT_null_success) {
		pretend(exe, count, memory, bindings);
		return NULL;
	}
	if (IS(self, cache_ignores_shapes_and_attributes) && exe->device->first_exe != NULL &&
	    strcmp(exe->op, exe->device->first_exe->op) == 0 &&
	    binding_fault(exe->device->first_exe, count, bindings) == NULL)
		exe = exe->device->first_exe;
	hy_ir_tensor inputs[MOST], outputs[MOST];
	for (uint32_t i = 0; i < input_count; i++) {
		inputs[i].type = hy_ir_graph_value(exe->graph, hy_ir_graph_inputs(exe->graph)[i])->type;
		inputs[i].data = malloc(bindings[i].length + 1);
		memcpy(inputs[i].data, memory[i], bindings[i].length);
	}
	mutate_inputs(exe, input_count, inputs);
	hy_error error = {.text = ""};
	const hy_status status = hy_ir_eval_graph(exe->graph, inputs, outputs, &error);
	for (uint32_t i = 0; status == HY_OK && i < count - input_count; i++) {
		if (IS(self, last_step_of_a_region_dropped)) drop_last_step(exe, inputs, &outputs[i]);
		mutate_output(exe, inputs, &outputs[i]);
		const uint64_t have = hy_ir_type_bytes(&outputs[i].type), room = bindings[input_count + i].length;
		memcpy(memory[input_count + i], outputs[i].data, have < room ? have : room);
	}
	if (IS(self, input_overwritten) && input_count > 0 && bindings[0].length > 0) memory[0][0] ^= 1;
	if (IS(self, one_kib_lost_per_run)) {
		static void *volatile lost;
		lost = calloc(1, 1024);
		if (lost != NULL) memset(lost, 1, 1024);
	}
	if (status == HY_OK) hy_ir_eval_release(count - input_count, outputs);
	for (uint32_t i = 0; i < input_count; i++)
		free(inputs[i].data);
	if (status == HY_OK) return NULL;
	snprintf(text, sizeof(text), "%s", error.text);
	return text;
}
