/* The cpu device against the evaluator: graphs are written as text, numbers are seeded. */
#ifndef HY_TEST_CPU_CASE_H
#define HY_TEST_CPU_CASE_H

#include "case.h"

typedef struct cpu_place {
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_queue *queue;
	uint32_t index; /* of the device in the machine */
} cpu_place;

/* key=value pairs of device_open, or NULL. */
static inline hy_status cpu_open(cpu_place *place, const char *key, const char *value)
{
	const hy_hal_machine_options options = {
		.size = sizeof(options),
		.manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d",
		.flags = HY_HAL_NO_PROBE,
	};
	const hy_option option = {key, value};
	*place = (cpu_place){0};
	EXPECT_OK(hy_hal_machine_open(&options, &place->machine, &error));
	for (; place->index < hy_hal_machine_device_count(place->machine); place->index++) {
		if (strcmp(hy_hal_machine_device(place->machine, place->index)->plugin, "cpu") == 0) break;
	}
	assert_true(place->index < hy_hal_machine_device_count(place->machine));
	const hy_status status = hy_hal_device_open(place->machine, place->index, &option, key == NULL ? 0 : 1,
	                                            &place->device, &error);
	if (status == HY_OK) EXPECT_OK(hy_hal_queue_open(place->device, HY_QUEUE_COMPUTE, &place->queue, &error));
	return status;
}

static inline void cpu_close(cpu_place *place)
{
	hy_hal_queue_close(place->queue);
	hy_hal_device_close(place->device);
	hy_hal_machine_close(place->machine);
}

/* What the device's program for the graph says of itself. */
typedef struct cpu_result {
	uint32_t launches, reference_launches, copies;
	char implementations[2048];
} cpu_result;

static inline void cpu_describe(const hy_hal_program *program, cpu_result *result)
{
	*result = (cpu_result){0};
	const hy_exe_info *info = hy_hal_program_info(program);
	result->launches = info->launches;
	result->reference_launches = info->reference_launches;
	for (uint32_t i = 0; i < hy_hal_program_step_count(program); i++) {
		hy_step step = {.size = sizeof(step)};
		EXPECT_OK(hy_hal_program_step(program, i, &step));
		result->copies += (step.flags & HY_STEP_REORDER) != 0;
		const size_t at = strlen(result->implementations);
		snprintf(result->implementations + at, sizeof(result->implementations) - at, "%s ",
		         step.implementation);
	}
}

/* Compiles and runs the graph twice and compares with the evaluator; destroys it. */
static inline cpu_result cpu_check_graph(cpu_place *place, hy_ir_graph *graph, double tolerance)
{
	const uint32_t in = hy_ir_graph_input_count(graph), out = hy_ir_graph_output_count(graph);
	hy_ir_blob blob;
	EXPECT_OK(hy_ir_blob_create(graph, 0, hy_ir_graph_node_count(graph), &blob, NULL, NULL, NULL, NULL, &error));
	hy_verdict verdicts[64] = {{0}};
	EXPECT_OK(hy_hal_device_query(place->device, blob.graph, hy_ir_graph_node_count(graph), verdicts, &error));
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++)
		assert_int_equal(verdicts[i].answer, HY_YES);
	hy_hal_program *program;
	EXPECT_OK(hy_hal_program_create(place->device, blob.graph, blob.constants, blob.constant_count, NULL, 0,
	                                &program, &error));
	hy_ir_tensor inputs[16], copies[16], wanted[16], got[16], again[16];
	hy_ref refs[2][32];
	for (uint32_t i = 0; i < in + out; i++) {
		const uint32_t value = i < in ? hy_ir_graph_inputs(graph)[i] : hy_ir_graph_outputs(graph)[i - in];
		const hy_ir_type *type = &hy_ir_graph_value(graph, value)->type;
		const uint64_t bytes = hy_ir_type_bytes(type);
		void *first = numbers(type, i), *second = i < in ? first : numbers(type, i + 50);
		*(i < in ? &inputs[i] : &got[i - in]) = (hy_ir_tensor){*type, first};
		*(i < in ? &copies[i] : &again[i - in]) = (hy_ir_tensor){*type, i < in ? numbers(type, i) : second};
		refs[0][i] = hy_hal_host_ref(first, bytes);
		refs[1][i] = hy_hal_host_ref(second, bytes);
	}
	EXPECT_OK(hy_ir_eval_graph(graph, inputs, wanted, &error));
	const uint64_t workspace_bytes = hy_hal_program_info(program)->workspace_bytes;
	hy_hal_buffer *workspace = NULL;
	if (workspace_bytes > 0) EXPECT_OK(hy_hal_buffer_create(place->device, workspace_bytes, &workspace, &error));
	for (uint32_t run = 0; run < 2; run++) {
		const hy_command exec = {.kind = HY_COMMAND_EXEC,
		                         .exe = hy_hal_program_exe(program),
		                         .binding_count = in + out,
		                         .bindings = refs[run],
		                         .workspace = workspace != NULL ? hy_hal_buffer_ref(workspace) : (hy_ref){0}};
		EXPECT_OK(hy_hal_queue_run(place->queue, 1, &exec, 0, NULL, &error));
	}
	for (uint32_t i = 0; i < out; i++) {
		same_numbers(&got[i], &wanted[i], tolerance);
		assert_memory_equal(got[i].data, again[i].data, hy_ir_type_bytes(&got[i].type));
		free(got[i].data);
		free(again[i].data);
	}
	for (uint32_t i = 0; i < in; i++) {
		assert_memory_equal(inputs[i].data, copies[i].data, hy_ir_type_bytes(&inputs[i].type));
		free(inputs[i].data);
		free(copies[i].data);
	}
	cpu_result result;
	cpu_describe(program, &result);
	hy_ir_eval_release(out, wanted);
	hy_hal_buffer_destroy(workspace);
	hy_hal_program_destroy(program);
	hy_ir_blob_finish(&blob);
	hy_ir_graph_destroy(graph);
	return result;
}

/* The graph as it is written, and as the passes fuse it; the result is that of the fused one. */
static inline cpu_result cpu_check(cpu_place *place, const char *text, double tolerance)
{
	cpu_check_graph(place, case_graph(text), tolerance);
	hy_ir_graph *fused = case_graph(text);
	EXPECT_OK(hy_ir_prepare(fused, 0, &error));
	return cpu_check_graph(place, fused, tolerance);
}

#endif
