/* One operator, or a graph, on the plugin under test. */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- data ---- */

static double normal(conform_run *run)
{
	double sum = 0; /* Irwin-Hall: near enough to normal, and the same everywhere */
	for (int i = 0; i < 12; i++)
		sum += (double)(conform__random(run) >> 11) * 0x1p-53;
	return sum - 6;
}

static double special(conform_run *run)
{
	static const double values[] = {NAN, INFINITY, -INFINITY, -0.0, 0.0, 0x1p-120, 3e38, -3e38};
	const int64_t pick = conform__random_between(run, 0, 15);
	return pick < 8 ? values[pick] : normal(run);
}

/* Denormals of f32 in the main, and numbers whose products and sums are. */
static double denormal(conform_run *run)
{
	const double sign = conform__random_between(run, 0, 1) ? 1 : -1;
	switch (conform__random_between(run, 0, 3)) {
	case 0:
		return sign * 0x1p-126 * (1 + (double)conform__random_between(run, 0, 7) / 8);
	case 1:
		return sign;
	default:
		return sign * 0x1p-149 * (double)conform__random_between(run, 1, 1 << 22);
	}
}

static double number(conform_run *run, data_kind data)
{
	switch (data) {
	case DENORMAL:
		return denormal(run);
	case INTEGERS:
	case INDEX:
		return (double)conform__random_between(run, -3, 3);
	case POSITIVE:
		return 0.1 + 3.9 * (double)(conform__random(run) >> 11) * 0x1p-53;
	case UNIT:
		return (double)conform__random_between(run, -1000000, 1000000) * 1e-6;
	case NEAR_ONE:
		return (double)conform__random_between(run, 970000, 1030000) * 1e-6;
	case SPECIAL:
		return special(run);
	case LARGE:
		return (double)conform__random_between(run, -80000, 80000) * 1e-3;
	case TRUTH:
		return (double)conform__random_between(run, 0, 1);
	case NORMAL:
		break;
	}
	return normal(run);
}

void conform__program_fill(conform_run *run, op_spec *spec, data_kind data)
{
	for (uint32_t i = 0; i < spec->input_count; i++) {
		tensor *t = &spec->inputs[i];
		if (!t->present || t->constant || t->filled) continue;
		for (int64_t k = 0; k < t->count; k++) {
			double v = number(run, data);
			if (t->dtype == HY_DTYPE_BOOL) v = (double)conform__random_between(run, 0, 1);
			if (data == INDEX && i == 1) { /* the smallest dimension indexed is 4 in every case */
				v = (double)conform__random_between(run, -4, 3);
			}
			t->value[k] = tensor_round(t->dtype, v);
		}
	}
}

/* ---- graphs ---- */

static bool harness(conform_run *run, hy_status status, const hy_error *error)
{
	if (status != HY_OK)
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the case's graph can't be made: %s", error->text);
	return status == HY_OK;
}

bool conform__program_take(conform_run *run, hy_ir_graph *take_graph, uint32_t input_count, const tensor *const *inputs,
                           uint32_t output_count, const tensor *outputs, program *out)
{
	hy_error error = {.text = ""};
	*out = (program){
		.graph = take_graph, .input_count = input_count, .output_count = output_count, .outputs = outputs};
	for (uint32_t i = 0; i < input_count; i++)
		out->inputs[i] = inputs[i];
	return harness(run,
	               hy_ir_blob_create(take_graph, 0, hy_ir_graph_node_count(take_graph), &out->blob, NULL, NULL,
	                                 NULL, NULL, &error),
	               &error);
}

bool conform__program_graph(conform_run *run, const op_spec *spec, uint32_t output_count, const tensor *outputs,
                            program *out)
{
	hy_error error = {.text = ""};
	hy_ir_graph *graph = NULL;
	uint32_t ins[TENSOR_INPUTS], outs[TENSOR_OUTPUTS], count = 0;
	const tensor *live[TENSOR_INPUTS];
	hy_status status = hy_ir_graph_create("case", &graph, &error);
	for (uint32_t i = 0; i < spec->input_count && status == HY_OK; i++) {
		const tensor *t = &spec->inputs[i];
		const hy_ir_type type = tensor_type(t);
		char name[16];
		snprintf(name, sizeof(name), "in%u", i);
		ins[i] = HY_IR_NONE;
		if (!t->present) continue;
		if (t->constant) {
			void *bytes = malloc(tensor_bytes(t) + 8);
			tensor_pack(t, bytes);
			status = hy_ir_build_constant(graph, name, &type, bytes, &ins[i], &error);
			free(bytes);
		} else {
			status = hy_ir_build_input(graph, name, &type, NULL, &ins[i], &error);
			live[count++] = t;
		}
	}
	for (uint32_t i = 0; i < output_count && status == HY_OK; i++) {
		const hy_ir_type type = tensor_type(&outputs[i]);
		char name[16];
		snprintf(name, sizeof(name), "out%u", i);
		status = hy_ir_build_value(graph, name, &type, &outs[i], &error);
	}
	const hy_ir_node_options options = {.type = spec->op,
	                                    .name = "node",
	                                    .input_count = spec->input_count,
	                                    .inputs = ins,
	                                    .output_count = output_count,
	                                    .outputs = outs,
	                                    .attr_count = spec->attr_count,
	                                    .attrs = spec->attrs};
	uint32_t node;
	if (status == HY_OK) status = hy_ir_build_node(graph, &options, &node, &error);
	for (uint32_t i = 0; i < output_count && status == HY_OK; i++)
		status = hy_ir_build_output(graph, outs[i], &error);
	if (!harness(run, status, &error)) return false;
	return conform__program_take(run, graph, count, live, output_count, outputs, out);
}

/* ---- the plugin ---- */

bool conform__program_query(conform_run *run, const program *p, uint32_t *out_reason)
{
	enum { MOST = 64 };
	hy_verdict verdicts[MOST + 1];
	const uint32_t count = hy_graph_subgraph_at(p->blob.graph, 0)->node_count;
	memset(verdicts, 0x77, sizeof(verdicts));
	*out_reason = HY_REASON_NONE;
	if (!conform__has(run, run->table.query != NULL, "query")) return false;
	const hy_status status = run->table.query(run->device, p->blob.graph, verdicts, count);
	if (status != HY_OK) {
		conform__fail(run, "query answered %s: %s", hy_status_name(status), run->host.last_text);
		return false;
	}
	if (verdicts[count].answer != 0x7777) conform__fail(run, "query wrote more than %u verdicts", count);
	for (uint32_t i = 0; i < count; i++) {
		if (verdicts[i].answer != HY_YES && verdicts[i].answer != HY_NO)
			conform__fail(run, "the verdict of node %u is %u, neither YES nor NO", i, verdicts[i].answer);
		if (verdicts[i].answer == HY_YES) continue;
		if (verdicts[i].reason == HY_REASON_NONE) conform__fail(run, "NO for node %u has no reason", i);
		*out_reason = verdicts[i].reason;
		return false;
	}
	return !conform__ended(run);
}

bool conform__program_compile(conform_run *run, program *p)
{
	const hy_plugin *t = &run->table;
	if (!conform__has(run, t->compile && t->exe_info && t->exe_free, "compile, exe_info or exe_free")) return false;
	hy_status status = t->compile(run->device, p->blob.graph, p->blob.constants, p->blob.constant_count, NULL, 0,
	                              &p->exe);
	if (status != HY_OK || p->exe == NULL) {
		conform__fail(run, "query says YES and compile answers %s: %s", hy_status_name(status),
		              run->host.last_text);
		return false;
	}
	p->info = (hy_exe_info){.size = sizeof(p->info)};
	status = t->exe_info(p->exe, &p->info);
	if (status != HY_OK) conform__fail(run, "exe_info answered %s", hy_status_name(status));
	return status == HY_OK;
}

bool conform__program_execute(conform_run *run, hy_queue *queue, const program *p, void **outputs)
{
	conform_memory memory[TENSOR_INPUTS + TENSOR_OUTPUTS], workspace = {0};
	hy_ref bindings[TENSOR_INPUTS + TENSOR_OUTPUTS];
	const uint32_t count = p->input_count + p->output_count;
	for (uint32_t i = 0; i < count; i++) {
		const bool is_input = i < p->input_count;
		const tensor *t = is_input ? p->inputs[i] : &p->outputs[i - p->input_count];
		if (!conform__memory_create(run, queue, tensor_bytes(t), 0, &memory[i])) return false;
		bindings[i] = conform__ref(memory[i].buffer, memory[i].offset, memory[i].length);
		if (!is_input) continue;
		void *bytes = malloc(tensor_bytes(t) + 8);
		tensor_pack(t, bytes);
		const bool written = conform__memory_write(run, queue, &memory[i], bytes);
		free(bytes);
		if (!written) return false;
	}
	hy_command command = {.kind = HY_COMMAND_EXEC, .exe = p->exe, .binding_count = count, .bindings = bindings};
	if (p->info.workspace_bytes > 0) {
		if (!conform__memory_create(run, queue, p->info.workspace_bytes, 0, &workspace)) return false;
		command.workspace = conform__ref(workspace.buffer, workspace.offset, workspace.length);
	}
	if (!conform__submit(run, queue, 1, &command)) return false;
	for (uint32_t i = 0; i < count; i++) {
		if (i >= p->input_count) {
			if (!conform__memory_read(run, queue, &memory[i], outputs[i - p->input_count])) return false;
			continue;
		}
		const uint64_t length = tensor_bytes(p->inputs[i]);
		uint8_t *before = malloc(length + 8), *after = malloc(length + 8);
		tensor_pack(p->inputs[i], before);
		const bool read = conform__memory_read(run, queue, &memory[i], after);
		const bool same = read && memcmp(before, after, length) == 0;
		free(before);
		free(after);
		if (read && !same) conform__fail(run, "input %u was changed", i);
		if (!same) return false;
	}
	if (workspace.buffer != NULL) {
		uint8_t *scratch = malloc(workspace.length + 8);
		const bool kept = conform__memory_read(run, queue, &workspace, scratch);
		free(scratch);
		if (!kept) return false;
		conform__memory_destroy(run, &workspace);
	}
	for (uint32_t i = 0; i < count; i++)
		conform__memory_destroy(run, &memory[i]);
	return true;
}

void conform__program_judge(conform_run *run, program *p, tolerance_id tolerance, bool optional)
{
	uint32_t reason;
	if (!conform__program_query(run, p, &reason)) {
		if (optional || conform__ended(run))
			conform__not_supported(run, "query says NO (reason %u)", reason);
		else
			conform__fail(run, "query says NO (reason %u) to what this level requires", reason);
		return;
	}
	if (!conform__program_compile(run, p)) return;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	void *first[TENSOR_OUTPUTS], *second[TENSOR_OUTPUTS];
	for (uint32_t i = 0; i < p->output_count; i++) {
		first[i] = calloc(1, tensor_bytes(&p->outputs[i]) + 8);
		second[i] = calloc(1, tensor_bytes(&p->outputs[i]) + 8);
	}
	if (!conform__program_execute(run, queue, p, first) || !conform__program_execute(run, queue, p, second)) return;
	for (uint32_t i = 0; i < p->output_count; i++) {
		tensor expected = p->outputs[i];
		expected.arithmetic = p->info.flags;
		if (!conform__compare_in(run, &expected, first[i], tolerance, "output %u", i)) return;
		REQUIRE(run, memcmp(first[i], second[i], tensor_bytes(&p->outputs[i])) == 0,
		        "output %u differs in the second run", i);
		free(first[i]);
		free(second[i]);
	}
	run->table.queue_close(queue);
	char declared[64];
	conform__compare_arithmetic(p->info.flags, declared, sizeof(declared));
	if (declared[0] != '\0') conform__note(run, "the program declares %s", declared);
}

void conform__program_finish(conform_run *run, program *p)
{
	if (p->exe != NULL && !conform__ended(run)) run->table.exe_free(p->exe);
	hy_ir_blob_finish(&p->blob);
	hy_ir_graph_destroy(p->graph);
}
