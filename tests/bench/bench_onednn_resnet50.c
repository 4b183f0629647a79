/* How near the cpu plugin comes to the kernels it is made of: ResNet-50, f32, batch 1, on one core. Prints one JSON line:
 * the sum over its 53 convolutions of the least time of oneDNN's direct kernel, bias and relu (and the residual)
 * included, channels innermost; and the time of the whole network through the plugin, in the same run. */
#include <halyard/hal.h>
#include <halyard/ir.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_dnnl.h"
#include "cpu_parallel.h"

enum { ROUNDS = 12, LAYER_RUNS = 8, NETWORK_RUNS = 10, MAX_LAYERS = 64 };

typedef struct bench {
	hy_error error;
	hy_ir_graph *graph;
	uint32_t layer_count;
	hy_cpu_layer layers[MAX_LAYERS];
	hy_cpu_prim *prims[MAX_LAYERS];
	void *at[MAX_LAYERS][5];
	double least_ns[MAX_LAYERS];
} bench;

/* ---- the network ---- */

static uint32_t random_state = 1;

static uint32_t constant(bench *b, uint32_t rank, const int64_t *dims)
{
	hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = rank};
	uint32_t value = HY_IR_NONE;
	memcpy(type.dim, dims, rank * sizeof(*dims));
	const int64_t count = hy_ir_type_elements(&type);
	float *data = malloc((size_t)count * sizeof(*data));
	if (data == NULL) return value;
	for (int64_t i = 0; i < count; i++) {
		random_state = random_state * 1664525u + 1013904223u;
		data[i] = ((float)(random_state >> 8) / (float)(1 << 23) - 1.0f) * 0.05f;
	}
	(void)hy_ir_build_constant(b->graph, "w", &type, data, &value, &b->error);
	free(data);
	return value;
}

static uint32_t node(bench *b, const char *type, uint32_t input_count, const uint32_t *inputs, uint32_t attr_count,
                     const hy_ir_attr *attrs)
{
	uint32_t value = HY_IR_NONE;
	(void)hy_ir_build_op(b->graph, type, type, input_count, inputs, attr_count, attrs, &value, &b->error);
	return value;
}

static hy_cpu_md innermost(int64_t channels, int64_t side)
{
	return (hy_cpu_md){.dtype = HY_DTYPE_F32,
	                   .rank = 4,
	                   .dim = {1, channels, side, side},
	                   .stride = {channels * side * side, 1, channels * side, channels}};
}

/* The same convolution as a layer of its own, to be measured. */
static void layer(bench *b, const int64_t *w, int64_t side, int64_t out_side, int64_t stride, bool has_residual,
                  bool has_relu)
{
	const int64_t pad = w[2] / 2;
	hy_cpu_layer *l = &b->layers[b->layer_count++];
	*l = (hy_cpu_layer){
		.kind = HY_CPU_CONV,
		.src = innermost(w[1], side),
		.dst = innermost(w[0], out_side),
		.weights = {.dtype = HY_DTYPE_F32, .rank = 4, .any = true, .dim = {w[0], w[1], w[2], w[2]}},
		.bias = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {w[0]}, .stride = {1}},
		.window = {.rank = 2,
	                   .kernel = {w[2], w[2], 1},
	                   .stride = {stride, stride, 1},
	                   .dilation = {1, 1, 1},
	                   .begin = {pad, pad},
	                   .end = {pad, pad}},
	};
	if (has_residual) l->posts[l->post_count++] = (hy_cpu_post){.kind = HY_CPU_POST_SUM};
	if (has_relu) l->posts[l->post_count++] = (hy_cpu_post){.kind = HY_CPU_POST_CURVE, .curve = HY_CPU_CURVE_RELU};
}

/* Convolution, bias, the residual when there is one, relu when wanted; out_side is the side of the image behind it. */
static uint32_t conv(bench *b, uint32_t x, int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t side,
                     uint32_t residual, bool has_relu)
{
	const int64_t w[4] = {out, in, kernel, kernel}, pad = kernel / 2;
	const int64_t pads[4] = {pad, pad, pad, pad}, strides[2] = {stride, stride};
	const hy_ir_attr attrs[2] = {hy_ir_attr_ints("pads", 4, pads), hy_ir_attr_ints("strides", 2, strides)};
	const uint32_t inputs[3] = {x, constant(b, 4, w), constant(b, 1, w)};
	layer(b, w, side, (side + 2 * pad - kernel) / stride + 1, stride, residual != HY_IR_NONE, has_relu);
	uint32_t y = node(b, "Conv", 3, inputs, 2, attrs);
	if (residual != HY_IR_NONE) {
		const uint32_t both[2] = {y, residual};
		y = node(b, "Add", 2, both, 0, NULL);
	}
	return has_relu ? node(b, "Relu", 1, &y, 0, NULL) : y;
}

static hy_status network(bench *b)
{
	static const int64_t widths[4] = {64, 128, 256, 512}, depths[4] = {3, 4, 6, 3}, sides[4] = {56, 56, 28, 14};
	static const int64_t three[2] = {3, 3}, two[2] = {2, 2}, one[4] = {1, 1, 1, 1}, head[2] = {1000, 2048};
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {1, 3, 224, 224}};
	uint32_t x = HY_IR_NONE;
	hy_status status = hy_ir_graph_create("resnet50", &b->graph, &b->error);
	if (status == HY_OK) status = hy_ir_build_input(b->graph, "x", &type, NULL, &x, &b->error);
	if (status != HY_OK) return status;
	x = conv(b, x, 3, 64, 7, 2, 224, HY_IR_NONE, true);
	const hy_ir_attr pool[3] = {hy_ir_attr_ints("kernel_shape", 2, three), hy_ir_attr_ints("strides", 2, two),
	                            hy_ir_attr_ints("pads", 4, one)};
	x = node(b, "MaxPool", 1, &x, 3, pool);
	int64_t channels = 64;
	for (uint32_t stage = 0; stage < 4; stage++) {
		const int64_t width = widths[stage];
		for (int64_t i = 0; i < depths[stage]; i++) {
			const int64_t stride = i == 0 && stage > 0 ? 2 : 1;
			const int64_t side = i == 0 ? sides[stage] : sides[stage] / (stage > 0 ? 2 : 1);
			const uint32_t shortcut = i > 0 ? x
			                                : conv(b, x, channels, 4 * width, 1, stride, side, HY_IR_NONE,
			                                       false);
			uint32_t y = conv(b, x, channels, width, 1, 1, side, HY_IR_NONE, true);
			y = conv(b, y, width, width, 3, stride, side, HY_IR_NONE, true);
			x = conv(b, y, width, 4 * width, 1, 1, side / stride, shortcut, true);
			channels = 4 * width;
		}
	}
	x = node(b, "GlobalAveragePool", 1, &x, 0, NULL);
	x = node(b, "Flatten", 1, &x, 0, NULL);
	const hy_ir_attr transposed = hy_ir_attr_int("transB", 1);
	const uint32_t gemm[3] = {x, constant(b, 2, head), constant(b, 1, head)};
	x = node(b, "Gemm", 3, gemm, 1, &transposed);
	x = node(b, "Softmax", 1, &x, 0, NULL);
	status = hy_ir_build_output(b->graph, x, &b->error);
	return status == HY_OK ? hy_ir_prepare(b->graph, 0, &b->error) : status;
}

/* ---- the layers ---- */

static hy_status layers_open(bench *b, hy_cpu_dnnl *dnnl)
{
	for (uint32_t i = 0; i < b->layer_count; i++) {
		const hy_status status = hy_cpu_dnnl_layer(dnnl, &b->layers[i], &b->prims[i], &b->error);
		if (status != HY_OK) return status;
		b->least_ns[i] = 1e18;
		for (uint32_t k = 0; k < 5; k++) {
			const uint64_t bytes = k < 4 ? hy_cpu_prim_bytes(b->prims[i], k)
			                             : hy_cpu_prim_scratch_bytes(b->prims[i]);
			b->at[i][k] = aligned_alloc(64, (bytes + 64) / 64 * 64);
			if (b->at[i][k] == NULL) return HY_NO_MEMORY;
			memset(b->at[i][k], 0, bytes);
		}
	}
	return HY_OK;
}

static hy_status layers_run(bench *b)
{
	for (uint32_t i = 0; i < b->layer_count; i++) {
		for (uint32_t run = 0; run < LAYER_RUNS; run++) {
			const uint64_t begin = hy_hal_now_ns();
			const hy_status status = hy_cpu_prim_run(b->prims[i], b->at[i], &b->error);
			const double time = (double)(hy_hal_now_ns() - begin);
			if (status != HY_OK) return status;
			if (time < b->least_ns[i]) b->least_ns[i] = time;
		}
	}
	return HY_OK;
}

/* ---- the plugin ---- */

typedef struct run {
	hy_hal_machine *machine;
	hy_hal_device *device;
	hy_hal_queue *queue;
	hy_hal_program *program;
	hy_hal_buffer *memory[3]; /* input, output, workspace */
} run;

static hy_status run_open(bench *b, run *r, uint32_t core)
{
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d"};
	char text[16];
	uint32_t index = 0;
	hy_ir_blob blob = {0};
	(void)snprintf(text, sizeof(text), "%u", core);
	const hy_option cores = {"cores", text};
	hy_status status = hy_hal_machine_open(&options, &r->machine, &b->error);
	if (status != HY_OK) return status;
	while (index < hy_hal_machine_device_count(r->machine) &&
	       strcmp(hy_hal_machine_device(r->machine, index)->plugin, "cpu") != 0)
		index++;
	status = hy_hal_device_open(r->machine, index, &cores, 1, &r->device, &b->error);
	if (status == HY_OK) status = hy_hal_queue_open(r->device, HY_QUEUE_COMPUTE, &r->queue, &b->error);
	if (status == HY_OK) {
		status = hy_ir_blob_create(b->graph, 0, hy_ir_graph_node_count(b->graph), &blob, NULL, NULL, NULL, NULL,
		                           &b->error);
	}
	if (status == HY_OK) {
		status = hy_hal_program_create(r->device, blob.graph, blob.constants, blob.constant_count, NULL, 0,
		                               &r->program, &b->error);
	}
	const uint64_t bytes[3] = {3 * 224 * 224 * sizeof(float), 1000 * sizeof(float),
	                           r->program != NULL ? hy_hal_program_info(r->program)->workspace_bytes : 0};
	for (uint32_t i = 0; i < 3 && status == HY_OK; i++)
		status = hy_hal_buffer_create(r->device, bytes[i], &r->memory[i], &b->error);
	hy_ir_blob_finish(&blob);
	return status;
}

static void run_close(run *r)
{
	for (uint32_t i = 0; i < 3; i++)
		hy_hal_buffer_destroy(r->memory[i]);
	hy_hal_program_destroy(r->program);
	hy_hal_queue_close(r->queue);
	hy_hal_device_close(r->device);
	hy_hal_machine_close(r->machine);
}

static hy_status run_once(bench *b, const run *r, double *out_ns)
{
	const hy_ref bindings[2] = {hy_hal_buffer_ref(r->memory[0]), hy_hal_buffer_ref(r->memory[1])};
	const hy_command exec = {.kind = HY_COMMAND_EXEC,
	                         .exe = hy_hal_program_exe(r->program),
	                         .binding_count = 2,
	                         .bindings = bindings,
	                         .workspace = hy_hal_buffer_ref(r->memory[2])};
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = hy_hal_queue_run(r->queue, 1, &exec, 0, NULL, &b->error);
	*out_ns = (double)(hy_hal_now_ns() - begin);
	return status;
}

static int by_value(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static hy_status measure(bench *b, const run *r)
{
	double times[ROUNDS * NETWORK_RUNS], sum = 0;
	hy_status status = HY_OK;
	for (uint32_t round = 0; round < ROUNDS && status == HY_OK; round++) {
		status = layers_run(b);
		for (uint32_t i = 0; i < NETWORK_RUNS && status == HY_OK; i++)
			status = run_once(b, r, &times[round * NETWORK_RUNS + i]);
	}
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < b->layer_count; i++)
		sum += b->least_ns[i];
	qsort(times, ROUNDS * NETWORK_RUNS, sizeof(times[0]), by_value);
	const double median = times[ROUNDS * NETWORK_RUNS / 2];
	printf("{\"convolutions\": %u, \"layers_ms\": %.3f, \"network_median_ms\": %.3f, \"network_min_ms\": %.3f, "
	       "\"median_over_layers\": %.3f, \"min_over_layers\": %.3f}\n",
	       b->layer_count, sum / 1e6, median / 1e6, times[0] / 1e6, median / sum, times[0] / sum);
	return HY_OK;
}

int main(void)
{
	static bench b;
	run r = {0};
	cpu_set_t allowed, one;
	uint32_t core = 0;
	hy_cpu_dnnl *dnnl = NULL;
	(void)sched_getaffinity(0, sizeof(allowed), &allowed);
	while (core < CPU_SETSIZE - 1 && !CPU_ISSET(core, &allowed))
		core++;
	CPU_ZERO(&one);
	CPU_SET(core, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
	hy_cpu_parallel_begin(1);
	hy_status status = network(&b);
	if (status == HY_OK) status = hy_cpu_dnnl_create(&dnnl, &b.error);
	if (status == HY_OK) status = layers_open(&b, dnnl);
	if (status == HY_OK) status = run_open(&b, &r, core);
	if (status == HY_OK) status = measure(&b, &r);
	if (status != HY_OK) fprintf(stderr, "bench_onednn_resnet50: %s\n", b.error.text);
	for (uint32_t i = 0; i < b.layer_count; i++) {
		hy_cpu_prim_destroy(b.prims[i]);
		for (uint32_t k = 0; k < 5; k++)
			free(b.at[i][k]);
	}
	hy_cpu_dnnl_destroy(dnnl);
	run_close(&r);
	hy_ir_graph_destroy(b.graph);
	return status == HY_OK ? 0 : 1;
}
