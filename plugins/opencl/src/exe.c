/* A compiled graph: one kernel object per launch, whose fixed arguments are set once. */
#include "opencl.h"

#include <halyard/ir/blob.h>
#include <halyard/ir/infer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An argument that may change from run to run, and what it was last. */
typedef struct moving {
	cl_kernel kernel;
	uint32_t slot; /* of the kernel; the offset is in the next */
	uint32_t source; /* binding, or behind them the workspace */
	uint64_t offset;
} moving;

struct hy_exe {
	hy_device *device;
	hy_kernels_program *program;
	cl_kernel *kernels; /* one per launch */
	cl_mem *constants;
	uint64_t constant_bytes, largest_bytes; /* largest: of the workspace and each binding */
	moving *movings;
	uint32_t moving_count, binding_count;
	uint64_t *binding_bytes;
	pthread_mutex_t lock; /* kernel arguments and what follows */
	hy_opencl_pinned *last; /* per source, what the kernels have; the workspace behind the bindings */
	bool is_measured;
	uint64_t *total_ns, *calls; /* per launch */
};

hy_status hy_opencl_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	hy_error error = {0};
	hy_ir_graph *ir = NULL;
	const hy_status status = hy_ir_blob_read(graph, NULL, &ir, &error);
	if (status != HY_OK) return hy_opencl_forward(device->plugin, &error);
	for (uint32_t i = 0; i < verdict_count && i < hy_ir_graph_node_count(ir); i++)
		out_verdicts[i] = device->found->has_compiler ? hy_kernels_query(ir, i, &device->kernels, &error)
		                                              : (hy_verdict){HY_NO, HY_REASON_OP};
	hy_ir_graph_destroy(ir);
	return HY_OK;
}

static hy_status create_constants(hy_exe *exe)
{
	const hy_opencl_api *api = exe->device->api;
	const uint32_t count = exe->program->constant_count;
	exe->constants = calloc(count + 1, sizeof(*exe->constants));
	if (exe->constants == NULL) return hy_opencl_refuse(exe->device->plugin, HY_NO_MEMORY, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		hy_kernels_constant *constant = &exe->program->constants[i];
		int32_t code = OCL_SUCCESS;
		static const char nothing[8];
		const bool empty = constant->length == 0 || constant->data == NULL;
		exe->constants[i] = api->clCreateBuffer(exe->device->context, OCL_MEM_READ_ONLY | OCL_MEM_COPY_HOST_PTR,
		                                        empty ? sizeof(nothing) : constant->length,
		                                        empty ? (void *)(uintptr_t)nothing : constant->data, &code);
		if (code != OCL_SUCCESS)
			return hy_opencl_fail(exe->device->plugin, code, "%llu bytes of constants",
			                      (unsigned long long)constant->length);
		exe->constant_bytes += constant->length;
		free(constant->data);
		constant->data = NULL;
	}
	return HY_OK;
}

/* Sets what never changes and notes what does. */
static int32_t set_fixed(hy_exe *exe, uint32_t launch)
{
	const hy_opencl_api *api = exe->device->api;
	const hy_kernels_launch *at = &exe->program->launches[launch];
	cl_kernel kernel = exe->kernels[launch];
	uint32_t slot = 0;
	int32_t code = OCL_SUCCESS;
	for (uint32_t i = 0; i < at->arg_count && code == OCL_SUCCESS; i++) {
		const hy_kernels_arg *arg = &exe->program->args[at->first_arg + i];
		if (arg->kind == HY_KERNELS_INT) {
			code = api->clSetKernelArg(kernel, slot++, sizeof(arg->value), &arg->value);
			continue;
		}
		if (arg->kind == HY_KERNELS_CONSTANT) {
			code = api->clSetKernelArg(kernel, slot, sizeof(cl_mem), &exe->constants[arg->index]);
			if (code == OCL_SUCCESS) code = api->clSetKernelArg(kernel, slot + 1, 8, &arg->offset);
		} else {
			exe->movings[exe->moving_count++] = (moving){
				.kernel = kernel,
				.slot = slot,
				.source = arg->kind == HY_KERNELS_ARENA ? exe->binding_count : arg->index,
				.offset = arg->offset,
			};
		}
		slot += 2;
	}
	return code;
}

static hy_status create_kernels(hy_exe *exe, cl_program program)
{
	const hy_opencl_api *api = exe->device->api;
	const uint32_t count = exe->program->launch_count;
	const hy_opencl_plugin *plugin = exe->device->plugin;
	exe->kernels = calloc(count + 1, sizeof(*exe->kernels));
	exe->movings = calloc(exe->program->arg_count + 1, sizeof(*exe->movings));
	exe->total_ns = calloc(count + 1, sizeof(*exe->total_ns));
	exe->calls = calloc(count + 1, sizeof(*exe->calls));
	exe->last = calloc(exe->binding_count + 1, sizeof(*exe->last));
	if (exe->kernels == NULL || exe->movings == NULL || exe->total_ns == NULL || exe->calls == NULL ||
	    exe->last == NULL)
		return hy_opencl_refuse(plugin, HY_NO_MEMORY, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		const char *name = exe->program->kernel_names[exe->program->launches[i].kernel];
		int32_t code = OCL_SUCCESS;
		exe->kernels[i] = api->clCreateKernel(program, name, &code);
		if (code == OCL_SUCCESS) code = set_fixed(exe, i);
		if (code != OCL_SUCCESS) return hy_opencl_fail(plugin, code, "kernel %s", name);
	}
	return HY_OK;
}

/* One work-group of each kernel: PoCL compiles a kernel when it first runs, which belongs to compiling, not to the
 * first run. What the kernels read and write here is one buffer that nobody looks at. */
static int32_t start_once(hy_exe *exe, cl_command_queue queue, cl_mem scratch)
{
	const hy_opencl_api *api = exe->device->api;
	static const uint64_t zero = 0;
	for (uint32_t i = 0; i < exe->moving_count; i++) {
		int32_t code = api->clSetKernelArg(exe->movings[i].kernel, exe->movings[i].slot, sizeof(cl_mem),
		                                   &scratch);
		if (code == OCL_SUCCESS)
			code = api->clSetKernelArg(exe->movings[i].kernel, exe->movings[i].slot + 1, sizeof(zero),
			                           &zero);
		if (code != OCL_SUCCESS) return code;
	}
	for (uint32_t i = 0; i < exe->program->launch_count; i++) {
		const hy_kernels_launch *at = &exe->program->launches[i];
		uint32_t first = 0;
		while (exe->program->launches[first].kernel != at->kernel)
			first++;
		if (first < i) continue;
		const size_t local[3] = {at->local[0], at->local[1], at->local[2]};
		const int32_t code = api->clEnqueueNDRangeKernel(queue, exe->kernels[i], 3, NULL, local, local, 0, NULL,
		                                                 NULL);
		if (code != OCL_SUCCESS) return code;
	}
	return api->clFinish(queue);
}

static hy_status warm_up(hy_exe *exe)
{
	const hy_opencl_api *api = exe->device->api;
	if (!hy_opencl_is_host(exe->device) || exe->program->launch_count == 0) return HY_OK;
	int32_t code = OCL_SUCCESS;
	void *bytes = calloc(1, exe->largest_bytes);
	if (bytes == NULL) return hy_opencl_refuse(exe->device->plugin, HY_NO_MEMORY, "out of memory");
	cl_mem scratch = api->clCreateBuffer(exe->device->context, OCL_MEM_READ_WRITE | OCL_MEM_USE_HOST_PTR,
	                                     exe->largest_bytes, bytes, &code);
	cl_command_queue queue = NULL;
	if (code == OCL_SUCCESS) queue = api->clCreateCommandQueue(exe->device->context, exe->device->id, 0, &code);
	if (code == OCL_SUCCESS) code = start_once(exe, queue, scratch);
	if (queue != NULL) api->clReleaseCommandQueue(queue);
	if (scratch != NULL) api->clReleaseMemObject(scratch);
	free(bytes);
	return code == OCL_SUCCESS ? HY_OK : hy_opencl_fail(exe->device->plugin, code, "the kernels do not start");
}

static hy_status compile_program(hy_exe *exe)
{
	cl_program program = NULL;
	hy_status status = HY_OK;
	if (exe->program->launch_count > 0)
		status = hy_opencl_build(exe->device, exe->program->source, exe->program->source_length, &program);
	if (status == HY_OK) status = create_constants(exe);
	if (status == HY_OK) status = create_kernels(exe, program);
	if (status == HY_OK) status = warm_up(exe);
	if (program != NULL) exe->device->api->clReleaseProgram(program); /* the kernels keep it */
	return status;
}

static hy_status read_bindings(hy_exe *exe, const hy_ir_graph *graph)
{
	const uint32_t in = hy_ir_graph_input_count(graph), out = hy_ir_graph_output_count(graph);
	exe->binding_count = in + out;
	exe->largest_bytes = 64;
	exe->binding_bytes = calloc(in + out + 1, sizeof(*exe->binding_bytes));
	if (exe->binding_bytes == NULL) return hy_opencl_refuse(exe->device->plugin, HY_NO_MEMORY, "out of memory");
	for (uint32_t i = 0; i < in + out; i++) {
		const uint32_t value = i < in ? hy_ir_graph_inputs(graph)[i] : hy_ir_graph_outputs(graph)[i - in];
		exe->binding_bytes[i] = hy_ir_type_bytes(&hy_ir_graph_value(graph, value)->type);
		if (exe->binding_bytes[i] > exe->largest_bytes) exe->largest_bytes = exe->binding_bytes[i];
	}
	return HY_OK;
}

hy_status hy_opencl_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                            uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	if (option_count > 0)
		return hy_opencl_refuse(device->plugin, HY_INVALID, "option %s: a program has none", options[0].key);
	if (constant_count < graph->constant_count)
		return hy_opencl_refuse(device->plugin, HY_INVALID, "%u constants given, %u wanted", constant_count,
		                        graph->constant_count);
	if (!device->found->has_compiler)
		return hy_opencl_refuse(device->plugin, HY_UNSUPPORTED, "%s has no compiler", device->found->name);
	hy_error error = {0};
	hy_ir_graph *ir = NULL;
	hy_status status = hy_ir_blob_read(graph, constants, &ir, &error);
	/* Kernels trust the types: a graph whose types contradict each other would read and write beyond its buffers. */
	if (status == HY_OK) status = hy_ir_infer_graph(ir, &error);
	if (status != HY_OK) {
		hy_ir_graph_destroy(ir);
		return hy_opencl_forward(device->plugin, &error);
	}
	hy_exe *exe = calloc(1, sizeof(*exe));
	if (exe == NULL) {
		hy_ir_graph_destroy(ir);
		return hy_opencl_refuse(device->plugin, HY_NO_MEMORY, "out of memory");
	}
	exe->device = device;
	pthread_mutex_init(&exe->lock, NULL);
	status = read_bindings(exe, ir);
	if (status == HY_OK) {
		status = hy_kernels_lower(ir, &device->kernels, &exe->program, &error);
		if (status != HY_OK) hy_opencl_forward(device->plugin, &error);
	}
	hy_ir_graph_destroy(ir);
	if (status == HY_OK) {
		if (exe->program->arena_bytes > exe->largest_bytes) exe->largest_bytes = exe->program->arena_bytes;
		hy_opencl_guard_enter(device->plugin);
		status = compile_program(exe);
		hy_opencl_guard_leave(device->plugin);
	}
	if (status != HY_OK) {
		hy_opencl_exe_free(exe);
		return status;
	}
	*out_exe = exe;
	return HY_OK;
}

hy_status hy_opencl_exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	const hy_exe_info info = {
		.workspace_bytes = exe->program->arena_bytes,
		.constant_bytes = exe->constant_bytes,
		.launches = exe->program->launch_count,
	};
	HY_PUT(out_info, &info);
	return HY_OK;
}

void hy_opencl_exe_free(hy_exe *exe)
{
	if (exe == NULL) return;
	const hy_opencl_api *api = exe->device->api;
	for (uint32_t i = 0; exe->program != NULL && exe->kernels != NULL && i < exe->program->launch_count; i++)
		if (exe->kernels[i] != NULL) api->clReleaseKernel(exe->kernels[i]);
	for (uint32_t i = 0; exe->program != NULL && exe->constants != NULL && i < exe->program->constant_count; i++)
		if (exe->constants[i] != NULL) api->clReleaseMemObject(exe->constants[i]);
	hy_kernels_program_destroy(exe->program);
	pthread_mutex_destroy(&exe->lock);
	free(exe->kernels);
	free(exe->constants);
	free(exe->movings);
	free(exe->binding_bytes);
	free(exe->last);
	free(exe->total_ns);
	free(exe->calls);
	free(exe);
}

/* ---- running ---- */

static const hy_ref *source_ref(const hy_exe *exe, const hy_command *command, uint32_t source)
{
	return source == exe->binding_count ? &command->workspace : &command->bindings[source];
}

static void unpin(hy_exe *exe, const hy_command *command, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		hy_opencl_unpin(exe->device, source_ref(exe, command, i));
}

static hy_status pin(hy_exe *exe, const hy_command *command, hy_opencl_pinned *pinned)
{
	for (uint32_t i = 0; i <= exe->binding_count; i++) {
		const hy_status status = hy_opencl_pin(exe->device, source_ref(exe, command, i), &pinned[i]);
		if (status == HY_OK) continue;
		unpin(exe, command, i);
		return status;
	}
	return HY_OK;
}

/* Gives each kernel the buffers of this run, where they differ from the last. */
static int32_t set_moving(hy_exe *exe, const hy_opencl_pinned *pinned)
{
	const hy_opencl_api *api = exe->device->api;
	int32_t code = OCL_SUCCESS;
	for (uint32_t i = 0; i < exe->moving_count && code == OCL_SUCCESS; i++) {
		const moving *at = &exe->movings[i];
		const hy_opencl_pinned *now = &pinned[at->source], *before = &exe->last[at->source];
		if (before->serial == now->serial && before->offset == now->offset) continue;
		const uint64_t place = now->offset + at->offset;
		code = api->clSetKernelArg(at->kernel, at->slot, sizeof(cl_mem), &now->memory);
		if (code == OCL_SUCCESS) code = api->clSetKernelArg(at->kernel, at->slot + 1, sizeof(place), &place);
	}
	for (uint32_t i = 0; i <= exe->binding_count; i++)
		exe->last[i] = code == OCL_SUCCESS ? pinned[i] : (hy_opencl_pinned){0};
	return code;
}

static int32_t start_launches(hy_exe *exe, cl_command_queue queue, hy_opencl_run *run, cl_event *first, cl_event *last)
{
	const hy_opencl_api *api = exe->device->api;
	const uint32_t count = exe->program->launch_count;
	for (uint32_t i = 0; i < count; i++) {
		const hy_kernels_launch *at = &exe->program->launches[i];
		size_t global[3], local[3];
		for (uint32_t d = 0; d < 3; d++) {
			global[d] = at->global[d];
			local[d] = at->local[d];
		}
		cl_event *event = run != NULL ? &run->events[i] : i == 0 ? first : i + 1 == count ? last : NULL;
		const int32_t code = api->clEnqueueNDRangeKernel(queue, exe->kernels[i], 3, NULL, global, local, 0,
		                                                 NULL, event);
		if (code != OCL_SUCCESS) return code;
		if (run != NULL) run->count++;
	}
	if (count == 1 && run == NULL) *last = *first;
	return OCL_SUCCESS;
}

hy_status hy_opencl_exe_start(hy_exe *exe, cl_command_queue queue, const hy_command *command, hy_opencl_run **runs,
                              cl_event *first, cl_event *last)
{
	hy_device *device = exe->device;
	if (command->binding_count != exe->binding_count)
		return hy_opencl_refuse(device->plugin, HY_INVALID, "%u bindings given, %u wanted",
		                        command->binding_count, exe->binding_count);
	if (command->workspace.length < exe->program->arena_bytes)
		return hy_opencl_refuse(device->plugin, HY_INVALID, "a workspace of %llu bytes given, %llu wanted",
		                        (unsigned long long)command->workspace.length,
		                        (unsigned long long)exe->program->arena_bytes);
	for (uint32_t i = 0; i < exe->binding_count; i++)
		if (command->bindings[i].length < exe->binding_bytes[i])
			return hy_opencl_refuse(device->plugin, HY_INVALID,
			                        "binding %u has %llu bytes, %llu are wanted", i,
			                        (unsigned long long)command->bindings[i].length,
			                        (unsigned long long)exe->binding_bytes[i]);
	hy_opencl_pinned *pinned = calloc(exe->binding_count + 1, sizeof(*pinned));
	if (pinned == NULL) return hy_opencl_refuse(device->plugin, HY_NO_MEMORY, "out of memory");
	hy_status status = pin(exe, command, pinned);
	if (status != HY_OK) goto done;
	hy_opencl_run *run = NULL;
	int32_t code = OCL_SUCCESS;
	pthread_mutex_lock(&exe->lock);
	if (exe->is_measured) run = calloc(1, sizeof(*run) + exe->program->launch_count * sizeof(*run->events));
	if (run != NULL) run->exe = exe;
	code = set_moving(exe, pinned);
	if (code == OCL_SUCCESS) code = start_launches(exe, queue, run, first, last);
	pthread_mutex_unlock(&exe->lock);
	unpin(exe, command, exe->binding_count + 1);
	if (run != NULL) {
		run->next = *runs;
		*runs = run;
	}
	if (code != OCL_SUCCESS) status = hy_opencl_fail(device->plugin, code, "a kernel did not start");
done:
	free(pinned);
	return status;
}

/* ---- extension halyard.steps ---- */

void hy_opencl_exe_measured(const hy_opencl_api *api, hy_opencl_run *run)
{
	hy_exe *exe = run->exe;
	pthread_mutex_lock(&exe->lock);
	for (uint32_t i = 0; i < run->count; i++) {
		uint64_t begin = 0, end = 0;
		if (api->clGetEventProfilingInfo(run->events[i], OCL_PROFILING_COMMAND_START, 8, &begin, NULL) == 0 &&
		    api->clGetEventProfilingInfo(run->events[i], OCL_PROFILING_COMMAND_END, 8, &end, NULL) == 0 &&
		    end >= begin) {
			exe->calls[i]++;
			exe->total_ns[i] += end - begin;
		}
		api->clReleaseEvent(run->events[i]);
	}
	pthread_mutex_unlock(&exe->lock);
	free(run);
}

static uint32_t step_count(hy_exe *exe)
{
	return exe->program->launch_count;
}

static hy_status step_at(hy_exe *exe, uint32_t index, hy_step *out_step)
{
	if (index >= exe->program->launch_count)
		return hy_opencl_refuse(exe->device->plugin, HY_NOT_FOUND, "no step %u: there are %u", index,
		                        exe->program->launch_count);
	const hy_kernels_launch *at = &exe->program->launches[index];
	hy_step step = {.node = at->node, .flags = at->node == HY_GRAPH_NONE ? (uint32_t)HY_STEP_REORDER : 0};
	snprintf(step.implementation, sizeof(step.implementation), "%s", exe->program->kernel_names[at->kernel]);
	pthread_mutex_lock(&exe->lock);
	step.calls = exe->calls[index];
	step.total_ns = exe->total_ns[index];
	pthread_mutex_unlock(&exe->lock);
	HY_PUT(out_step, &step);
	return HY_OK;
}

static void profile(hy_exe *exe, uint32_t on)
{
	pthread_mutex_lock(&exe->lock);
	exe->is_measured = on != 0;
	if (on != 0) {
		memset(exe->calls, 0, exe->program->launch_count * sizeof(*exe->calls));
		memset(exe->total_ns, 0, exe->program->launch_count * sizeof(*exe->total_ns));
	}
	pthread_mutex_unlock(&exe->lock);
}

const hy_ext_steps hy_opencl_steps = {
	.size = sizeof(hy_ext_steps), .count = step_count, .step = step_at, .profile = profile};
