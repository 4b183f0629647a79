/* Programs of a simulated device: times from the roofline of its description, numbers from the IR's evaluator. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- query ---- */

static bool refuses(const hy_sim_description *described, const char *op)
{
	for (uint32_t i = 0; i < described->refused_count; i++)
		if (strcmp(described->refused[i], op) == 0) return true;
	return false;
}

static uint16_t reason_of(const hy_device *device, const hy_graph *graph, const hy_graph_node *node)
{
	const char *domain = hy_graph_string(graph, node->domain), *op = hy_graph_string(graph, node->op);
	if (node->body != HY_GRAPH_NONE) {
		if (device->described->refuses_regions) return HY_REASON_REGION;
		const hy_graph_subgraph *body = hy_graph_subgraph_at(graph, node->body);
		for (uint32_t i = 0; i < body->node_count; i++) {
			const hy_graph_node *inner = hy_graph_node_at(graph, body->first_node + i);
			if (refuses(device->described, hy_graph_string(graph, inner->op))) return HY_REASON_REGION;
		}
		return HY_REASON_NONE;
	}
	if (hy_ir_op_find(domain, op) == NULL || refuses(device->described, op)) return HY_REASON_OP;
	return HY_REASON_NONE;
}

hy_status hy_sim_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	for (uint32_t i = 0; i < verdict_count && i < model->node_count; i++) {
		const uint16_t reason = reason_of(device, graph, hy_graph_node_at(graph, model->first_node + i));
		out_verdicts[i].answer = reason == HY_REASON_NONE ? HY_YES : HY_NO;
		out_verdicts[i].reason = reason;
	}
	return HY_OK;
}

/* ---- compile ---- */

static uint64_t node_time(const hy_sim_description *described, const hy_ir_graph *graph, uint32_t node)
{
	const hy_ir_work work = hy_ir_work_node(graph, node);
	const double compute = work.flops / (double)described->flops;
	const double move = (double)work.bytes / (double)described->bandwidth;
	return described->launch_ns + (uint64_t)((compute > move ? compute : move) * 1e9);
}

static hy_status exe_fill(hy_exe *exe, const hy_graph *graph, const hy_constant *constants, uint32_t constant_count,
                          hy_error *error)
{
	hy_device *device = exe->device;
	exe->blob = malloc(graph->total_bytes);
	exe->constants = calloc(constant_count + 1, sizeof(*exe->constants));
	if (exe->blob == NULL || exe->constants == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	memcpy(exe->blob, graph, graph->total_bytes);
	for (uint32_t i = 0; i < constant_count; i++) {
		exe->constants[i] = constants[i];
		exe->constant_bytes += constants[i].length;
	}
	const hy_status status = hy_ir_blob_read(exe->blob, exe->constants, &exe->graph, error);
	if (status != HY_OK) return status;
	exe->node_count = hy_ir_graph_node_count(exe->graph);
	exe->node_ns = calloc(exe->node_count + 1, sizeof(*exe->node_ns));
	if (exe->node_ns == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	for (uint32_t n = 0; n < exe->node_count; n++) {
		exe->node_ns[n] = node_time(device->described, exe->graph, n);
		exe->duration_ns += exe->node_ns[n];
	}
	if (hy_sim_device_take(device, exe->constant_bytes)) return HY_OK;
	exe->constant_bytes = 0;
	return hy_error_set(error, HY_NO_MEMORY, "the constants do not fit into the device's memory");
}

hy_status hy_sim_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	if (option_count > 0)
		return hy_sim_fail(device->plugin, HY_INVALID, HY_SCOPE_CALL, "unknown option '%.80s'", options[0].key);
	hy_error error = {0};
	hy_exe *exe = calloc(1, sizeof(*exe));
	if (exe == NULL) return hy_sim_fail(device->plugin, HY_NO_MEMORY, HY_SCOPE_CALL, "host memory exhausted");
	exe->device = device;
	const hy_status status = exe_fill(exe, graph, constants, constant_count, &error);
	if (status != HY_OK) {
		hy_sim_exe_free(exe);
		return hy_sim_fail(device->plugin, status, HY_SCOPE_CALL, "%s", error.text);
	}
	*out_exe = exe;
	return HY_OK;
}

hy_status hy_sim_exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	const hy_exe_info info = {
		.flags = HY_EXE_BORROWS_CONSTANTS,
		.constant_bytes = exe->constant_bytes,
		.launches = exe->node_count,
	};
	HY_PUT(out_info, &info);
	return HY_OK;
}

void hy_sim_exe_free(hy_exe *exe)
{
	if (exe == NULL) return;
	hy_sim_device_give(exe->device, exe->constant_bytes);
	hy_ir_graph_destroy(exe->graph);
	free(exe->node_ns);
	free(exe->constants);
	free(exe->blob);
	free(exe);
}

/* ---- run ---- */

static void write_outputs(const hy_exe *exe, const hy_ref *bindings, const hy_ir_tensor *outputs)
{
	const uint32_t inputs = hy_ir_graph_input_count(exe->graph);
	for (uint32_t i = 0; i < hy_ir_graph_output_count(exe->graph); i++) {
		void *target = hy_sim_at(bindings[inputs + i]);
		if (outputs != NULL)
			memcpy(target, outputs[i].data, bindings[inputs + i].length);
		else
			memset(target, 0, bindings[inputs + i].length);
	}
}

bool hy_sim_exe_run(hy_exe *exe, uint32_t binding_count, const hy_ref *bindings, hy_error *error)
{
	const uint32_t inputs = hy_ir_graph_input_count(exe->graph), outputs = hy_ir_graph_output_count(exe->graph);
	if (binding_count != inputs + outputs) {
		hy_error_set(error, HY_INVALID, "EXEC: %u bindings, the graph has %u", binding_count, inputs + outputs);
		return false;
	}
	pthread_mutex_lock(&exe->device->plugin->lock);
	exe->calls += exe->profiling;
	pthread_mutex_unlock(&exe->device->plugin->lock);
	if (!exe->device->described->real_numbers) {
		write_outputs(exe, bindings, NULL);
		return true;
	}
	hy_ir_tensor *tensors = calloc(inputs + outputs + 1u, sizeof(*tensors));
	if (tensors == NULL) {
		hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
		return false;
	}
	for (uint32_t i = 0; i < inputs; i++) {
		tensors[i].type = hy_ir_graph_value(exe->graph, hy_ir_graph_inputs(exe->graph)[i])->type;
		tensors[i].data = hy_sim_at(bindings[i]);
	}
	const hy_status status = hy_ir_eval_graph(exe->graph, tensors, tensors + inputs, error);
	if (status == HY_OK) {
		write_outputs(exe, bindings, tensors + inputs);
		hy_ir_eval_release(outputs, tensors + inputs);
	}
	free(tensors);
	return status == HY_OK;
}

/* ---- extension halyard.steps ---- */

static uint32_t steps_count(hy_exe *exe)
{
	return exe->node_count;
}

static hy_status steps_step(hy_exe *exe, uint32_t index, hy_step *out_step)
{
	if (index >= exe->node_count)
		return hy_sim_fail(exe->device->plugin, HY_INVALID, HY_SCOPE_CALL, "no step %u", index);
	pthread_mutex_lock(&exe->device->plugin->lock);
	hy_step step = {
		.node = hy_graph_subgraph_at(exe->blob, 0)->first_node + index,
		.calls = exe->calls,
		.total_ns = exe->calls * exe->node_ns[index],
	};
	pthread_mutex_unlock(&exe->device->plugin->lock);
	snprintf(step.implementation, sizeof(step.implementation), "sim");
	HY_PUT(out_step, &step);
	return HY_OK;
}

static void steps_profile(hy_exe *exe, uint32_t on)
{
	pthread_mutex_lock(&exe->device->plugin->lock);
	exe->profiling = on != 0;
	if (on != 0) exe->calls = 0;
	pthread_mutex_unlock(&exe->device->plugin->lock);
}

const hy_ext_steps hy_sim_steps = {
	.size = sizeof(hy_sim_steps),
	.count = steps_count,
	.step = steps_step,
	.profile = steps_profile,
};
