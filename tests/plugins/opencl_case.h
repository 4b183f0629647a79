/* OpenCL devices against the evaluator: graphs are written as text, numbers are seeded. PoCL serves as the device; its
 * cache is a folder of the build tree. */
#ifndef HY_TEST_OPENCL_CASE_H
#define HY_TEST_OPENCL_CASE_H

#include "case.h"

#include <sys/stat.h>

#define SKIPPED 77

typedef struct opencl_place {
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_queue *queue;
	uint32_t index; /* of the device in the machine */
} opencl_place;

static inline void opencl_environment(void)
{
	mkdir(HY_BINARY_DIR "/tests/cache", 0700);
	mkdir(HY_BINARY_DIR "/tests/cache/pocl", 0700);
	setenv("POCL_CACHE_DIR", HY_BINARY_DIR "/tests/cache/pocl", 1);
	setenv("HALYARD_CACHE_DIR", HY_BINARY_DIR "/tests/cache", 1);
}

static inline void opencl_open_machine(opencl_place *place)
{
	const hy_hal_machine_options options = {
		.size = sizeof(options),
		.manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d",
		.flags = HY_HAL_NO_PROBE,
		.layers = "validate",
	};
	*place = (opencl_place){0};
	opencl_environment();
	EXPECT_OK(hy_hal_machine_open(&options, &place->machine, &error));
	while (place->index < hy_hal_machine_device_count(place->machine) &&
	       (strcmp(hy_hal_machine_device(place->machine, place->index)->plugin, "opencl") != 0 ||
	        hy_hal_machine_device(place->machine, place->index)->info.kind != HY_KIND_CPU))
		place->index++;
	if (place->index < hy_hal_machine_device_count(place->machine)) return;
	printf("skipped: there is no OpenCL driver for CPUs (Debian: pocl-opencl-icd)\n");
	exit(SKIPPED);
}

static inline void opencl_open(opencl_place *place, const char *key, const char *value)
{
	opencl_open_machine(place);
	const hy_option option = {key, value};
	EXPECT_OK(
		hy_hal_device_open(place->machine, place->index, &option, key == NULL ? 0 : 1, &place->device, &error));
	EXPECT_OK(hy_hal_queue_open(place->device, HY_QUEUE_COMPUTE, &place->queue, &error));
}

static inline void opencl_close(opencl_place *place)
{
	hy_hal_queue_close(place->queue);
	hy_hal_device_close(place->device);
	hy_hal_machine_close(place->machine);
}

/* What the device's program for the graph says of itself. */
typedef struct opencl_result {
	uint32_t launches, layouts; /* layouts: of the launches, changes of layout */
	char kernels[4096];
} opencl_result;

static inline opencl_result opencl_describe(const hy_hal_program *program)
{
	opencl_result result = {.launches = hy_hal_program_info(program)->launches};
	for (uint32_t i = 0; i < hy_hal_program_step_count(program); i++) {
		hy_step step = {.size = sizeof(step)};
		EXPECT_OK(hy_hal_program_step(program, i, &step));
		result.layouts += (step.flags & HY_STEP_REORDER) != 0;
		const size_t at = strlen(result.kernels);
		snprintf(result.kernels + at, sizeof(result.kernels) - at, "%s ", step.implementation);
	}
	return result;
}

static inline void opencl_query(const opencl_place *place, const hy_ir_graph *graph, const hy_ir_blob *blob)
{
	const uint32_t count = hy_ir_graph_node_count(graph);
	hy_verdict *verdicts = calloc(count + 1, sizeof(*verdicts));
	EXPECT_OK(hy_hal_device_query(place->device, blob->graph, count, verdicts, &error));
	for (uint32_t i = 0; i < count; i++)
		if (verdicts[i].answer != HY_YES)
			fail_msg("node '%s' is refused with reason %u", hy_ir_graph_node(graph, i)->name,
			         verdicts[i].reason);
	free(verdicts);
}

/* Compiles and runs the graph twice, with a workspace full of NaNs, and compares with the evaluator; destroys it. */
static inline opencl_result opencl_check_graph(opencl_place *place, hy_ir_graph *graph, double tolerance)
{
	const uint32_t in = hy_ir_graph_input_count(graph), out = hy_ir_graph_output_count(graph);
	hy_ir_blob blob;
	EXPECT_OK(hy_ir_blob_create(graph, 0, hy_ir_graph_node_count(graph), &blob, NULL, NULL, NULL, NULL, &error));
	opencl_query(place, graph, &blob);
	hy_hal_program *program;
	EXPECT_OK(hy_hal_program_create(place->device, blob.graph, blob.constants, blob.constant_count, NULL, 0,
	                                &program, &error));
	hy_ir_tensor inputs[16], wanted[16], got[16], again[16];
	hy_ref refs[2][32];
	for (uint32_t i = 0; i < in + out; i++) {
		const uint32_t value = i < in ? hy_ir_graph_inputs(graph)[i] : hy_ir_graph_outputs(graph)[i - in];
		const hy_ir_type *type = &hy_ir_graph_value(graph, value)->type;
		void *first = numbers(type, i), *second = i < in ? first : numbers(type, i + 50);
		*(i < in ? &inputs[i] : &got[i - in]) = (hy_ir_tensor){*type, first};
		if (i >= in) again[i - in] = (hy_ir_tensor){*type, second};
		refs[0][i] = hy_hal_host_ref(first, hy_ir_type_bytes(type));
		refs[1][i] = hy_hal_host_ref(second, hy_ir_type_bytes(type));
	}
	EXPECT_OK(hy_ir_eval_graph(graph, inputs, wanted, &error));
	const uint64_t bytes = hy_hal_program_info(program)->workspace_bytes;
	hy_hal_buffer *workspace = NULL;
	if (bytes > 0) EXPECT_OK(hy_hal_buffer_create(place->device, bytes, &workspace, &error));
	for (uint32_t run = 0; run < 2; run++) {
		const hy_ref scratch = workspace != NULL ? hy_hal_buffer_ref(workspace) : (hy_ref){0};
		const hy_command commands[2] = {
			{.kind = HY_COMMAND_FILL, .target = scratch, .pattern = 0xff},
			{.kind = HY_COMMAND_EXEC,
		         .exe = hy_hal_program_exe(program),
		         .binding_count = in + out,
		         .bindings = refs[run],
		         .workspace = scratch},
		};
		const uint32_t first = workspace == NULL;
		EXPECT_OK(hy_hal_queue_run(place->queue, 2 - first, commands + first, 0, NULL, &error));
	}
	for (uint32_t i = 0; i < out; i++) {
		same_numbers(&got[i], &wanted[i], tolerance);
		assert_memory_equal(got[i].data, again[i].data, hy_ir_type_bytes(&got[i].type));
		free(got[i].data);
		free(again[i].data);
	}
	for (uint32_t i = 0; i < in; i++)
		free(inputs[i].data);
	const opencl_result result = opencl_describe(program);
	hy_ir_eval_release(out, wanted);
	hy_hal_buffer_destroy(workspace);
	hy_hal_program_destroy(program);
	hy_ir_blob_finish(&blob);
	hy_ir_graph_destroy(graph);
	return result;
}

static inline opencl_result opencl_check(opencl_place *place, const char *text, double tolerance)
{
	return opencl_check_graph(place, case_graph(text), tolerance);
}

#endif
