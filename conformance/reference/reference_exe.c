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
		if (IS(self, says_no_to_softmax) &&
		    strcmp(hy_graph_string(graph, hy_graph_node_at(graph, model->first_node + i)->op), "Softmax") == 0)
			yes = false;
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
	            {MUTANT_coordinate_mode_ignored, "coordinate_transformation_mode"},
	            {MUTANT_select_last_index_ignored, "select_last_index"},
	            {MUTANT_exclusive_ignored, "exclusive"},
	            {MUTANT_largest_ignored, "largest"},
	            {MUTANT_beta_ignored, "beta"},
	            {MUTANT_mode_ignored, "mode"},
	            {MUTANT_noop_with_empty_axes_ignored, "noop_with_empty_axes"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (self->mutant == rows[i].mutant) forget_attribute(graph, rows[i].name);
	for (uint32_t i = 0; i < graph->attr_count && IS(self, negative_axis_is_zero); i++) {
		const hy_graph_attr *attr = hy_graph_attr_at(graph, i);
		int64_t *axis = (int64_t *)(uintptr_t)hy_graph_data(graph, attr->value);
		if (strcmp(hy_graph_string(graph, attr->name), "axis") == 0 && *axis < 0) *axis = 0;
	}
}

static bool borrows(const plugin *self)
{
	return IS(self, borrows_constants_in_silence) || IS(self, borrows_constants_and_says_so);
}

static hy_status copy_constants(hy_exe *exe, const hy_constant *constants, uint32_t count)
{
	exe->constant_count = count;
	exe->constants = calloc(count + 1, sizeof(constants[0]));
	if (exe->constants == NULL) return HY_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++) {
		if (borrows(exe->device->plugin)) {
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

/* Memory that nobody gives back. */
static void keep(size_t length)
{
	static void *volatile lost;
	lost = malloc(length);
	if (lost != NULL) memset(lost, 1, length);
}

/* What a second thread does to a state that is shared without a lock. */
static const hy_graph *disturbed(hy_device *device, const hy_graph *graph)
{
	if (!IS(device->plugin, compiles_share_a_graph_without_a_lock)) return graph;
	__atomic_store_n(&device->compiling, graph, __ATOMIC_RELAXED);
	usleep(300);
	return __atomic_load_n(&device->compiling, __ATOMIC_RELAXED);
}

hy_status reference_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                            uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	const plugin *self = device->plugin;
	if (IS(self, exit_0_in_compile)) _exit(0);
	if (reference_is_lost(device) && !IS(self, calls_after_a_loss_succeed)) return reference_lost(device);
	if (option_count > 0 && !IS(self, unknown_compile_option_accepted)) {
		(void)options;
		if (IS(self, text_lost_per_refusal)) keep(1024);
		return reference_fail(device->host, HY_INVALID, "unknown compile option: there are none");
	}
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	bool all = true;
	for (uint32_t i = 0; i < model->node_count; i++)
		all = all && known(graph, hy_graph_node_at(graph, model->first_node + i));
	if (!all && !IS(self, compiles_what_it_refused) && !IS(self, says_yes_to_everything))
		return reference_fail(device->host, HY_UNSUPPORTED, "a node that query() refuses");
	hy_exe *exe = calloc(1, sizeof(*exe));
	if (exe == NULL && !IS(self, exhaustion_unchecked_in_compile)) return reference_exhausted(device);
	exe->device = device;
	exe->number = __atomic_add_fetch(&device->exe_count, 1, __ATOMIC_RELAXED);
	graph = disturbed(device, graph);
	exe->blob = malloc(graph->total_bytes);
	hy_error error = {.text = "host memory exhausted"};
	hy_status status = exe->blob == NULL ? HY_NO_MEMORY : copy_constants(exe, constants, constant_count);
	if (status == HY_OK) {
		memcpy(exe->blob, graph, graph->total_bytes);
		mutate_attributes(self, exe->blob);
		status = hy_ir_blob_read(exe->blob, exe->constants, &exe->graph, &error);
		if (status == HY_OK && !IS(self, contradictions_compiled) && !IS(self, compiles_what_it_refused))
			status = hy_ir_infer_graph(exe->graph, &error);
		if (IS(self, tenth_compile_fails) && exe->number >= 10) status = HY_NO_MEMORY;
	}
	if (IS(self, descriptor_lost_per_compile)) (void)!dup(STDIN_FILENO);
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

static uint32_t declared(const plugin *self)
{
	switch (self->mutant) {
	case MUTANT_declares_tf32:
	case MUTANT_tf32_declared_bf16_computed:
	case MUTANT_arithmetic_declared_and_a_term_dropped:
		return HY_EXE_COMPUTES_TF32;
	case MUTANT_declares_bf16:
		return HY_EXE_COMPUTES_BF16;
	case MUTANT_declares_f16:
		return HY_EXE_COMPUTES_F16;
	case MUTANT_declares_sums_in_f16:
		return HY_EXE_SUMS_F16;
	case MUTANT_declares_flushed_denormals:
		return HY_EXE_FLUSHES_DENORMALS;
	case MUTANT_borrows_constants_and_says_so:
		return HY_EXE_BORROWS_CONSTANTS;
	default:
		return 0;
	}
}

hy_status reference_exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	const plugin *self = exe->device->plugin;
	const uint32_t launches = IS(self, no_launches_counted) ? 0 : hy_ir_graph_node_count(exe->graph);
	const hy_exe_info info = {.flags = declared(self),
	                          .workspace_bytes = IS(self, workspace_overrun) ? 64 : 0,
	                          .launches = launches,
	                          .reference_launches = launches};
	if (IS(self, infos_of_other_sizes_refused) && out_info->size != sizeof(*out_info))
		return reference_fail(exe->device->host, HY_INVALID, "not the size that I know");
	if (IS(self, exe_info_written_past_its_size)) {
		memcpy(out_info, &info, sizeof(info));
		return HY_OK;
	}
	HY_PUT(out_info, &info);
	return HY_OK;
}

void reference_exe_free(hy_exe *exe)
{
	if (exe == NULL || exe == exe->device->first_exe) return;
	exe->device->freed_number = exe->number;
	hy_ir_graph_destroy(exe->graph);
	for (uint32_t i = 0; i < exe->constant_count && !borrows(exe->device->plugin); i++)
		free((void *)(uintptr_t)exe->constants[i].data);
	free(exe->constants);
	free(exe->blob);
	free(exe);
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
	if (self->mutant >= MUTANT_null_success && self->mutant <= MUTANT_null_constant) {
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
	reference_mutate_inputs(exe, input_count, inputs);
	hy_error error = {.text = ""};
	const hy_status status = hy_ir_eval_graph(exe->graph, inputs, outputs, &error);
	for (uint32_t i = 0; status == HY_OK && i < count - input_count; i++) {
		if (IS(self, last_step_of_a_region_dropped)) reference_drop_last_step(exe, inputs, &outputs[i]);
		reference_mutate_output(exe, inputs, &outputs[i]);
		const uint64_t have = hy_ir_type_bytes(&outputs[i].type), room = bindings[input_count + i].length;
		memcpy(memory[input_count + i], outputs[i].data, have < room ? have : room);
	}
	if (IS(self, input_overwritten) && input_count > 0 && bindings[0].length > 0) memory[0][0] ^= 1;
	if (IS(self, one_kib_lost_per_run)) keep(1024);
	if (status == HY_OK) hy_ir_eval_release(count - input_count, outputs);
	for (uint32_t i = 0; i < input_count; i++)
		free(inputs[i].data);
	if (status == HY_OK) return NULL;
	snprintf(text, sizeof(text), "%s", error.text);
	return text;
}
