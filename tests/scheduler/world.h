/* A machine of simulated devices described in the test, a small model, and requests through it. */
#ifndef HY_TEST_WORLD_H
#define HY_TEST_WORLD_H

#include "test.h"

#include <halyard/ir.h>
#include <halyard/sched.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <unistd.h>

#include "../../plugins/sim/sim_clock.h"

static hy_error error;

/* Opens a machine whose plugin sim reads `yaml`; every other plugin but `template` stays out. */
static inline hy_hal_machine *world_machine(const char *yaml)
{
	char path[] = "/tmp/halyard_sim_XXXXXX";
	const int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(file);
	setenv("HALYARD_SIM", path, 1);
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d",
	                                        .disable = "cpu,opencl",
	                                        .flags = HY_HAL_NO_PROBE};
	hy_hal_machine *machine;
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	unlink(path);
	return machine;
}

/* x f32[1,16] -> (MatMul w -> Relu) * pairs -> y; 2 * pairs nodes, `wide` columns inside. */
static inline hy_ir_graph *world_model(uint32_t pairs, int64_t wide)
{
	hy_ir_graph *graph;
	hy_ir_type type = {HY_DTYPE_F32, 2, {1, 16}};
	uint32_t last;
	EXPECT_OK(hy_ir_graph_create("pairs", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &last, &error));
	for (uint32_t i = 0; i < pairs; i++) {
		const int64_t from = i == 0 ? 16 : wide;
		const hy_ir_type weights = {HY_DTYPE_F32, 2, {from, wide}};
		float *data = malloc((size_t)(from * wide) * sizeof(*data));
		for (int64_t k = 0; k < from * wide; k++)
			data[k] = (float)((k * 37 + i * 11) % 19 - 9) / 16;
		uint32_t values[2];
		values[0] = last;
		EXPECT_OK(hy_ir_build_constant(graph, "w", &weights, data, &values[1], &error));
		free(data);
		EXPECT_OK(hy_ir_build_op(graph, "MatMul", "product", 2, values, 0, NULL, &last, &error));
		EXPECT_OK(hy_ir_build_op(graph, "Relu", "relu", 1, &last, 0, NULL, &last, &error));
	}
	EXPECT_OK(hy_ir_build_output(graph, last, &error));
	EXPECT_OK(hy_ir_prepare(graph, HY_IR_PREPARE_NO_FUSE, &error));
	return graph;
}

/* One request: its memory, what the evaluator says, and how it ended. */
typedef struct world_request {
	hy_ir_tensor input, output, wanted;
	int called; /* times on_done was called */
	hy_status status;
	hy_error error;
	int *order; /* next number to be given out, or NULL */
	int place; /* in the order of on_done */
} world_request;

static inline void world_request_init(world_request *request, const hy_ir_graph *graph, uint32_t number)
{
	memset(request, 0, sizeof(*request));
	request->input.type = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[0])->type;
	request->output.type = hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[0])->type;
	const size_t in = hy_ir_type_bytes(&request->input.type), out = hy_ir_type_bytes(&request->output.type);
	request->input.data = aligned_alloc(64, (in + 63) / 64 * 64);
	request->output.data = aligned_alloc(64, (out + 63) / 64 * 64);
	memset(request->output.data, 0xff, out);
	for (size_t i = 0; i < in / sizeof(float); i++)
		((float *)request->input.data)[i] = (float)((i * 13 + number * 7) % 23) / 8 - 1;
	EXPECT_OK(hy_ir_eval_graph(graph, &request->input, &request->wanted, &error));
}

static inline void world_request_finish(world_request *request)
{
	free(request->input.data);
	free(request->output.data);
	hy_ir_eval_release(1, &request->wanted);
}

static inline void world_done(void *payload, hy_status status, const hy_error *why)
{
	world_request *request = payload;
	request->called++;
	request->status = status;
	if (why != NULL) request->error = *why;
	if (request->order != NULL) request->place = (*request->order)++;
}

static inline void world_expect_right(const world_request *request)
{
	assert_int_equal(request->called, 1);
	if (request->status != HY_OK) fail_msg("request failed: %s", request->error.text);
	assert_memory_equal(request->output.data, request->wanted.data, hy_ir_type_bytes(&request->wanted.type));
}

/* `count` requests at once; every answer is right and in its place. */
static inline void world_expect_run(hy_sched_session *session, const hy_ir_graph *graph, uint32_t count)
{
	int order = 0;
	world_request *requests = calloc(count, sizeof(*requests));
	for (uint32_t i = 0; i < count; i++) {
		world_request_init(&requests[i], graph, i);
		requests[i].order = &order;
	}
	for (uint32_t i = 0; i < count; i++)
		EXPECT_OK(hy_sched_session_submit(session, &requests[i].input, &requests[i].output, world_done,
		                                  &requests[i], &error));
	EXPECT_OK(hy_sched_session_drain(session, &error));
	for (uint32_t i = 0; i < count; i++) {
		world_expect_right(&requests[i]);
		assert_int_equal(requests[i].place, (int)i);
		world_request_finish(&requests[i]);
	}
	free(requests);
}

#endif
