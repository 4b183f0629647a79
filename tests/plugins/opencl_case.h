/* OpenCL devices against the evaluator: graphs are written as text, numbers are seeded. PoCL serves as the device; its
 * cache is a folder of the build tree. */
#ifndef HY_TEST_OPENCL_CASE_H
#define HY_TEST_OPENCL_CASE_H

#include <halyard/hal.h>
#include <halyard/ir.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SKIPPED 77

typedef struct opencl_place {
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_queue *queue;
	uint32_t index; /* of the device in the machine */
} opencl_place;

static hy_error error;

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

static inline void put_number(hy_dtype dtype, void *at, float real, int whole)
{
	const double wide = (double)real;
	const int64_t long_whole = whole;
	const int32_t int_whole = whole;
	const int16_t short_whole = (int16_t)whole;
	const uint16_t half = hy_f16_from_float(real), brain = hy_bf16_from_float(real);
	const uint8_t byte = dtype == HY_DTYPE_BOOL ? (uint8_t)(whole & 1) : (uint8_t)whole;
	const void *from = dtype == HY_DTYPE_F32    ? (const void *)&real
	                   : dtype == HY_DTYPE_F64  ? (const void *)&wide
	                   : dtype == HY_DTYPE_F16  ? (const void *)&half
	                   : dtype == HY_DTYPE_BF16 ? (const void *)&brain
	                   : dtype == HY_DTYPE_I64  ? (const void *)&long_whole
	                   : dtype == HY_DTYPE_U64  ? (const void *)&long_whole
	                   : dtype == HY_DTYPE_I32  ? (const void *)&int_whole
	                   : dtype == HY_DTYPE_U32  ? (const void *)&int_whole
	                   : dtype == HY_DTYPE_I16  ? (const void *)&short_whole
	                   : dtype == HY_DTYPE_U16  ? (const void *)&short_whole
	                                            : (const void *)&byte;
	memcpy(at, from, hy_dtype_bits(dtype) / 8);
}

/* Seeded numbers: floats between -2 and 2, signed integers between -4 and 4, others between 0 and 8. */
static inline void *numbers(const hy_ir_type *type, uint32_t seed)
{
	const int64_t count = hy_ir_type_elements(type);
	const uint32_t width = hy_dtype_bits(type->dtype) / 8;
	char *data = aligned_alloc(64, (hy_ir_type_bytes(type) + 127) / 64 * 64);
	const bool has_sign = hy_dtype_is_float(type->dtype) || type->dtype == HY_DTYPE_I8 ||
	                      type->dtype == HY_DTYPE_I16 || type->dtype == HY_DTYPE_I32 || type->dtype == HY_DTYPE_I64;
	uint32_t state = seed * 2654435761u + 1;
	assert_non_null(data);
	for (int64_t i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		const float real = (float)(state >> 8) / (float)(1 << 22) - 2.0f;
		put_number(type->dtype, data + i * width, real, (int)(state >> 16) % 9 - (has_sign ? 4 : 0));
	}
	return data;
}

static inline double number_at(const hy_ir_tensor *tensor, int64_t i)
{
	const char *data = tensor->data;
	switch (tensor->type.dtype) {
#define X(name, type)         \
	case HY_DTYPE_##name: \
		return (double)((const type *)(const void *)data)[i];
		X(F32, float)
		X(F64, double)
		X(I64, int64_t)
		X(U64, uint64_t)
		X(I32, int32_t)
		X(U32, uint32_t)
		X(I16, int16_t)
		X(U16, uint16_t)
		X(I8, int8_t)
#undef X
	case HY_DTYPE_F16:
		return (double)hy_f16_to_float(((const uint16_t *)(const void *)data)[i]);
	case HY_DTYPE_BF16:
		return (double)hy_bf16_to_float(((const uint16_t *)(const void *)data)[i]);
	default:
		return (double)(unsigned char)data[i];
	}
}

/* Every element within tolerance times the largest; NaN only where NaN is wanted. */
static inline void same_numbers(const hy_ir_tensor *got, const hy_ir_tensor *want, double tolerance)
{
	double largest = 0;
	const int64_t count = hy_ir_type_elements(&want->type);
	for (int64_t i = 0; i < count; i++)
		if (isfinite(number_at(want, i)) && fabs(number_at(want, i)) > largest)
			largest = fabs(number_at(want, i));
	for (int64_t i = 0; i < count; i++) {
		const double g = number_at(got, i), w = number_at(want, i);
		if (g == w || (isnan(g) && isnan(w)) || fabs(g - w) <= tolerance * largest) continue;
		fail_msg("element %lld is %.9g, wanted %.9g", (long long)i, g, w);
	}
}

/* Inputs whose names begin with w become constants. */
static inline hy_ir_graph *opencl_graph(const char *text)
{
	hy_ir_graph *graph = NULL;
	EXPECT_OK(hy_ir_text_parse("case", text, strlen(text), &graph, &error));
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph);) {
		const hy_ir_value *value = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i]);
		if (value->name[0] != 'w') {
			i++;
			continue;
		}
		char name[64];
		snprintf(name, sizeof(name), "%s", value->name);
		const hy_ir_tensor tensor = {value->type, numbers(&value->type, 100 + hy_ir_graph_inputs(graph)[i])};
		EXPECT_OK(hy_ir_graph_bind_input(graph, name, &tensor, &error));
		free(tensor.data);
	}
	EXPECT_OK(hy_ir_infer_graph(graph, &error));
	return graph;
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
	return opencl_check_graph(place, opencl_graph(text), tolerance);
}

#endif
