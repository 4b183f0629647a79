/* An exe: the steps of a compiled graph, in order, and the memory they keep. */
#include "cpu_build.h"

#include <stdio.h>
#include <stdlib.h>

struct hy_exe {
	hy_device *device;
	hy_graph *blob; /* copied: nodes that the evaluator runs point into it */
	hy_ir_graph *graph;
	uint32_t step_count, block_count;
	hy_cpu_step **steps;
	void **blocks; /* constants */
	uint32_t binding_count;
	uint64_t *binding_bytes;
	uint64_t workspace_bytes, constant_bytes;
	uint32_t launches, reference_launches;
	bool is_profiled;
	uintptr_t *bases; /* HY_CPU_BASE_* and the bindings: of the run that is going on */
	void **at; /* addresses of one step's operands */
};

static void exe_destroy(hy_exe *exe)
{
	if (exe == NULL) return;
	hy_cpu_build build = {.step_count = exe->step_count,
	                      .steps = exe->steps,
	                      .block_count = exe->block_count,
	                      .blocks = exe->blocks};
	hy_cpu_build_finish(&build);
	hy_ir_graph_destroy(exe->graph);
	free(exe->blob);
	free(exe->binding_bytes);
	free(exe->bases);
	free(exe->at);
	free(exe);
}

/* Turns storages into bases and offsets, counts, and takes the steps and blocks from build. */
static hy_status exe_take(hy_exe *exe, hy_cpu_build *build, hy_error *error)
{
	uint32_t most = 1;
	const uint32_t inputs = hy_ir_graph_input_count(exe->graph);
	exe->binding_count = inputs + hy_ir_graph_output_count(exe->graph);
	for (uint32_t i = 0; i < build->step_count; i++) {
		hy_cpu_step *step = build->steps[i];
		for (uint32_t k = 0; k < step->operand_count; k++) {
			const hy_cpu_storage *storage = &build->storages[step->operands[k].storage];
			step->operands[k].storage = storage->base;
			step->operands[k].offset += storage->offset;
		}
		if (step->operand_count > most) most = step->operand_count;
		exe->launches++;
		if ((step->flags & HY_STEP_REFERENCE) != 0) exe->reference_launches++;
	}
	exe->binding_bytes = malloc((exe->binding_count + 1) * sizeof(*exe->binding_bytes));
	exe->bases = calloc(exe->binding_count + HY_CPU_BASE_BINDING, sizeof(*exe->bases));
	exe->at = calloc(most, sizeof(*exe->at));
	if (exe->binding_bytes == NULL || exe->bases == NULL || exe->at == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
	for (uint32_t i = 0; i < exe->binding_count; i++)
		exe->binding_bytes[i] = build->storages[i].bytes;
	exe->constant_bytes = build->block_bytes;
	exe->step_count = build->step_count;
	exe->steps = build->steps;
	exe->block_count = build->block_count;
	exe->blocks = build->blocks;
	build->steps = NULL;
	build->step_count = 0;
	build->blocks = NULL;
	build->block_count = 0;
	return HY_OK;
}

typedef struct compile_call {
	hy_device *device;
	const hy_graph *graph;
	const hy_constant *constants;
	hy_exe *exe; /* result */
	hy_status status;
	hy_error error;
} compile_call;

/* On the worker. */
static void compile(void *payload)
{
	compile_call *call = payload;
	hy_error *error = &call->error;
	hy_cpu_build build = {.device = call->device};
	hy_status status = HY_OK;
	hy_exe *exe = calloc(1, sizeof(*exe));
	if (exe != NULL) exe->blob = malloc(call->graph->total_bytes);
	if (exe == NULL || exe->blob == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
		goto done;
	}
	exe->device = call->device;
	memcpy(exe->blob, call->graph, call->graph->total_bytes);
	status = hy_ir_blob_read(exe->blob, call->constants, &exe->graph, error);
	if (status != HY_OK) goto done;
	build.graph = exe->graph;
	status = hy_cpu_build_flatten(&build, error);
	if (status == HY_OK) status = hy_cpu_build_lower(&build, error);
	if (status == HY_OK) status = hy_cpu_build_plan(&build, &exe->workspace_bytes, error);
	if (status == HY_OK) status = exe_take(exe, &build, error);
	if (status != HY_OK) goto done;
	call->exe = exe;
	exe = NULL;
done:
	hy_cpu_build_finish(&build);
	exe_destroy(exe);
	call->status = status;
}

hy_status hy_cpu_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	compile_call call = {.device = device, .graph = graph, .constants = constants};
	if (option_count > 0) {
		(void)hy_error_set(&call.error, HY_INVALID, "cpu: unknown option %s of compile; there are none",
		                   options[0].key);
		return hy_cpu_fail(device->host, &call.error);
	}
	if (constant_count != graph->constant_count) {
		(void)hy_error_set(&call.error, HY_INVALID, "cpu: %u constants given, the graph has %u", constant_count,
		                   graph->constant_count);
		return hy_cpu_fail(device->host, &call.error);
	}
	hy_cpu_worker_call(device->worker, compile, &call);
	if (call.status != HY_OK) return hy_cpu_fail(device->host, &call.error);
	*out_exe = call.exe;
	return HY_OK;
}

static void free_on_worker(void *payload)
{
	exe_destroy(payload);
}

void hy_cpu_exe_free(hy_exe *exe)
{
	if (exe != NULL) hy_cpu_worker_call(exe->device->worker, free_on_worker, exe);
}

hy_status hy_cpu_exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	const hy_exe_info info = {
		.size = sizeof(info),
		.workspace_bytes = exe->workspace_bytes,
		.constant_bytes = exe->constant_bytes,
		.launches = exe->launches,
		.reference_launches = exe->reference_launches,
	};
	HY_PUT(out_info, &info);
	return HY_OK;
}

uint32_t hy_cpu_exe_binding_count(const hy_exe *exe)
{
	return exe->binding_count;
}

uint64_t hy_cpu_exe_binding_bytes(const hy_exe *exe, uint32_t binding)
{
	return exe->binding_bytes[binding];
}

uint64_t hy_cpu_exe_workspace_bytes(const hy_exe *exe)
{
	return exe->workspace_bytes;
}

hy_status hy_cpu_exe_run(hy_exe *exe, void *workspace, void *const *bindings, hy_error *error)
{
	const hy_host *host = exe->device->host;
	exe->bases[HY_CPU_BASE_WORKSPACE] = (uintptr_t)workspace;
	for (uint32_t i = 0; i < exe->binding_count; i++)
		exe->bases[HY_CPU_BASE_BINDING + i] = (uintptr_t)bindings[i];
	for (uint32_t i = 0; i < exe->step_count; i++) {
		hy_cpu_step *step = exe->steps[i];
		for (uint32_t k = 0; k < step->operand_count; k++) {
			const hy_cpu_operand *operand = &step->operands[k];
			exe->at[k] = (void *)(exe->bases[operand->storage] + (uintptr_t)operand->offset);
		}
		const uint64_t begin = exe->is_profiled ? host->now_ns(host->ctx) : 0;
		const hy_status status = step->run(step, exe->at, error);
		if (status != HY_OK) return status;
		if (!exe->is_profiled) continue;
		step->calls++;
		step->total_ns += host->now_ns(host->ctx) - begin;
	}
	return HY_OK;
}

/* ---- extension halyard.steps ---- */

static uint32_t steps_count(hy_exe *exe)
{
	return exe->step_count;
}

typedef struct step_call {
	hy_exe *exe;
	uint32_t index;
	hy_step *out_step;
} step_call;

static void read_step(void *payload)
{
	const step_call *call = payload;
	const hy_cpu_step *step = call->exe->steps[call->index];
	hy_step filled = {
		.size = sizeof(filled),
		.flags = step->flags,
		.node = step->node,
		.calls = step->calls,
		.total_ns = step->total_ns,
	};
	memcpy(filled.implementation, step->implementation, sizeof(filled.implementation));
	HY_PUT(call->out_step, &filled);
}

static hy_status steps_step(hy_exe *exe, uint32_t index, hy_step *out_step)
{
	if (index >= exe->step_count) {
		hy_error error = {0};
		(void)hy_error_set(&error, HY_NOT_FOUND, "cpu: no step %u: there are %u", index, exe->step_count);
		return hy_cpu_fail(exe->device->host, &error);
	}
	step_call call = {exe, index, out_step};
	hy_cpu_worker_call(exe->device->worker, read_step, &call);
	return HY_OK;
}

typedef struct profile_call {
	hy_exe *exe;
	uint32_t on;
} profile_call;

static void set_profile(void *payload)
{
	const profile_call *call = payload;
	call->exe->is_profiled = call->on != 0;
	for (uint32_t i = 0; i < call->exe->step_count && call->on != 0; i++) {
		call->exe->steps[i]->calls = 0;
		call->exe->steps[i]->total_ns = 0;
	}
}

static void steps_profile(hy_exe *exe, uint32_t on)
{
	profile_call call = {exe, on};
	hy_cpu_worker_call(exe->device->worker, set_profile, &call);
}

const hy_ext_steps hy_cpu_steps = {
	.size = sizeof(hy_cpu_steps),
	.count = steps_count,
	.step = steps_step,
	.profile = steps_profile,
};
