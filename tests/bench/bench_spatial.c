/* Predicts one request in strips over equal devices on described links: every row that says when splitting pays.
 *
 * Activations are half floats, the image bytes. Every device has a link of its own, on which the image, or its rows of
 * it, arrives; with "image_shared" all rows come over one link, and the device that works alone has them for nothing.
 * Each row is worked out three ways: halos after every node, one group without halos, and groups by dynamic
 * programming. */
#include <halyard/sched.h>

#include "spatial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hy_error error;

static void must(hy_status status)
{
	if (status == HY_OK) return;
	fprintf(stderr, "bench_spatial: %s: %s\n", hy_status_name(status), error.text);
	exit(1);
}

/* ---- networks ---- */

typedef struct net {
	hy_ir_graph *graph;
	int64_t channels;
	uint32_t x;
} net;

static net begin(const char *name, int64_t height, int64_t width)
{
	net n = {.channels = 3};
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {1, 3, height, width}};
	must(hy_ir_graph_create(name, &n.graph, &error));
	must(hy_ir_build_input(n.graph, "image", &type, NULL, &n.x, &error));
	return n;
}

static void conv(net *n, int64_t kernel, int64_t stride, int64_t channels)
{
	const int64_t p = kernel / 2, pads[] = {p, p, p, p}, strides[] = {stride, stride};
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 4, .dim = {channels, n->channels, kernel, kernel}};
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("pads", 4, pads), hy_ir_attr_ints("strides", 2, strides)};
	void *zeros = calloc(1, hy_ir_type_bytes(&type));
	uint32_t inputs[2] = {n->x};
	must(hy_ir_build_constant(n->graph, "w", &type, zeros, &inputs[1], &error));
	must(hy_ir_build_op(n->graph, "Conv", "conv", 2, inputs, 2, attrs, &n->x, &error));
	free(zeros);
	n->channels = channels;
}

static void relu(net *n)
{
	must(hy_ir_build_op(n->graph, "Relu", "relu", 1, &n->x, 0, NULL, &n->x, &error));
}

static void pool(net *n, int64_t kernel, int64_t pad)
{
	const int64_t shape[] = {kernel, kernel}, strides[] = {2, 2}, pads[] = {pad, pad, pad, pad};
	const hy_ir_attr attrs[] = {hy_ir_attr_ints("kernel_shape", 2, shape), hy_ir_attr_ints("strides", 2, strides),
	                            hy_ir_attr_ints("pads", 4, pads)};
	must(hy_ir_build_op(n->graph, "MaxPool", "pool", 1, &n->x, 3, attrs, &n->x, &error));
}

static hy_ir_graph *end(net *n)
{
	must(hy_ir_build_output(n->graph, n->x, &error));
	must(hy_ir_prepare(n->graph, 0, &error));
	uint32_t *origins = calloc(2 * (size_t)hy_ir_graph_node_count(n->graph), sizeof(*origins));
	bool changed;
	must(hy_ir_strip_loosen(n->graph, 2, origins, &changed, &error));
	free(origins);
	return n->graph;
}

/* Convolutions and pools in a row: kernel, channels; channels 0 is a pool. */
static hy_ir_graph *chain(const char *name, int64_t height, int64_t width, uint32_t count, const int64_t (*layers)[2])
{
	net n = begin(name, height, width);
	for (uint32_t i = 0; i < count; i++) {
		if (layers[i][1] == 0) {
			pool(&n, 2, 0);
			continue;
		}
		conv(&n, layers[i][0], 1, layers[i][1]);
		relu(&n);
	}
	return end(&n);
}

static hy_ir_graph *vgg16(int64_t height, int64_t width)
{
	static const int64_t layers[][2] = {{3, 64},  {3, 64},  {2, 0},   {3, 128}, {3, 128}, {2, 0},
	                                    {3, 256}, {3, 256}, {3, 256}, {2, 0},   {3, 512}, {3, 512},
	                                    {3, 512}, {2, 0},   {3, 512}, {3, 512}, {3, 512}, {2, 0}};
	return chain("VGG-16", height, width, sizeof(layers) / sizeof(layers[0]), layers);
}

static hy_ir_graph *yolov2(int64_t height, int64_t width)
{
	static const int64_t layers[][2] = {{3, 32},  {2, 0},    {3, 64},   {2, 0},   {3, 128},  {1, 64},  {3, 128},
	                                    {2, 0},   {3, 256},  {1, 128},  {3, 256}, {2, 0},    {3, 512}, {1, 256},
	                                    {3, 512}, {1, 256},  {3, 512},  {2, 0},   {3, 1024}, {1, 512}, {3, 1024},
	                                    {1, 512}, {3, 1024}, {3, 1024}, {3, 1024}};
	return chain("YOLOv2", height, width, sizeof(layers) / sizeof(layers[0]), layers);
}

static void bottleneck(net *n, int64_t middle, int64_t stride)
{
	net shortcut = *n;
	const bool changes = stride != 1 || n->channels != 4 * middle;
	conv(n, 1, 1, middle);
	relu(n);
	conv(n, 3, stride, middle);
	relu(n);
	conv(n, 1, 1, 4 * middle);
	if (changes) conv(&shortcut, 1, stride, 4 * middle);
	const uint32_t both[] = {n->x, shortcut.x};
	must(hy_ir_build_op(n->graph, "Add", "add", 2, both, 0, NULL, &n->x, &error));
	relu(n);
}

static hy_ir_graph *resnet50(int64_t height, int64_t width)
{
	static const int64_t stages[][2] = {{3, 64}, {4, 128}, {6, 256}, {3, 512}};
	net n = begin("ResNet-50", height, width);
	conv(&n, 7, 2, 64);
	relu(&n);
	pool(&n, 3, 1);
	for (uint32_t s = 0; s < 4; s++)
		for (int64_t i = 0; i < stages[s][0]; i++)
			bottleneck(&n, stages[s][1], s > 0 && i == 0 ? 2 : 1);
	must(hy_ir_build_op(n.graph, "GlobalAveragePool", "mean", 1, &n.x, 0, NULL, &n.x, &error));
	return end(&n);
}

/* ---- machines ---- */

typedef struct machine {
	const char *name;
	double flops_per_ns, bytes_per_ns;
	uint64_t latency_ns;
} machine;

static const machine machines[] = {
	{"PCIe class 12 GB/s, 10 TFLOP/s", 1e4, 12, 10000},
	{"10 GbE, 10 TFLOP/s", 1e4, 1.25, 50000},
	{"10 GbE, 1 TFLOP/s", 1e3, 1.25, 50000},
	{"1 GbE, 50 GFLOP/s", 50, 0.125, 200000},
};
enum { MACHINES = sizeof(machines) / sizeof(machines[0]) };

static uint64_t failures;

/* Everything about one row. */
typedef struct row {
	hy_sched__layers layers;
	uint64_t *node_ns, compute_ns;
	const uint64_t *all_ns[HY_SCHED__MOST_DEVICES];
	hy_sched__link links[HY_SCHED__MOST_DEVICES];
	hy_sched__spatial_problem problem;
} row;

static void row_init(row *r, const hy_ir_graph *graph, const machine *m, uint32_t device_count)
{
	hy_error why;
	memset(r, 0, sizeof(*r));
	must(hy_sched__layers_init(graph, 2, &r->layers, &why, &error));
	r->node_ns = calloc(r->layers.node_count, sizeof(*r->node_ns));
	for (uint32_t n = 0; n < r->layers.node_count; n++)
		r->compute_ns += r->node_ns[n] = (uint64_t)(hy_ir_work_node(graph, n).flops / m->flops_per_ns);
	for (uint32_t v = 0; v < r->layers.value_count; v++)
		r->layers.values[v].row_bytes *= r->layers.values[v].producer == HY_IR_NONE ? 0.25 : 0.5;
	for (uint32_t d = 0; d < device_count; d++) {
		const hy_sched__link link = {m->latency_ns, 1 / m->bytes_per_ns};
		r->all_ns[d] = r->node_ns;
		r->links[d] = link;
	}
	r->problem.layers = &r->layers;
	r->problem.device_count = device_count;
	r->problem.node_ns = r->all_ns;
	r->problem.to = r->problem.from = r->links;
}

static double speed_up(row *r, uint32_t device_count, hy_sched__spatial_grouping grouping)
{
	hy_sched__spatial split;
	r->problem.grouping = grouping;
	must(hy_sched__spatial_split(&r->problem, device_count, &split, &error));
	const double ratio = (double)split.alone_ns / (double)split.item_ns;
	hy_sched__spatial_finish(&split);
	return ratio;
}

static double speed_up_shared(row *r, uint32_t device_count)
{
	for (uint32_t v = 0; v < r->layers.value_count; v++)
		if (r->layers.values[v].producer == HY_IR_NONE) r->layers.values[v].row_bytes *= device_count;
	hy_sched__spatial split;
	must(hy_sched__spatial_split(&r->problem, device_count, &split, &error));
	const double ratio = (double)r->compute_ns / (double)split.item_ns;
	hy_sched__spatial_finish(&split);
	return ratio;
}

static void predict(const hy_ir_graph *graph, const machine *m, uint32_t device_count, const char *frame, bool last)
{
	row r;
	row_init(&r, graph, m, device_count);
	const double each = speed_up(&r, device_count, HY_SCHED__GROUPS_EACH);
	const double one = speed_up(&r, device_count, HY_SCHED__GROUPS_ONE);
	const double best = speed_up(&r, device_count, HY_SCHED__GROUPS_BEST);
	const uint64_t start = hy_hal_now_ns();
	hy_sched__spatial chosen;
	must(hy_sched__spatial_plan(&r.problem, &chosen, &error));
	const double plan_ms = (double)(hy_hal_now_ns() - start) / 1e6;
	const double decided = (double)chosen.alone_ns / (double)chosen.item_ns;
	printf("    {\"net\": \"%s\", \"frame\": \"%s\", \"devices\": %u, \"machine\": \"%s\", \"alone_ms\": %.3f, "
	       "\"each_node\": %.2f, \"one_group\": %.2f, \"best_groups\": %.2f, \"chosen_devices\": %u, "
	       "\"chosen\": %.2f, \"groups\": %u, \"halo_mb\": %.2f, \"compute_percent\": %.0f, "
	       "\"exchange_percent\": %.0f, \"plan_ms\": %.1f",
	       hy_ir_graph_name(graph), frame, device_count, m->name, (double)chosen.alone_ns / 1e6, each, one, best,
	       chosen.device_count, decided, chosen.group_count, chosen.halo_bytes / 1e6,
	       100 * chosen.compute_ns / (double)chosen.item_ns, 100 * chosen.exchange_ns / (double)chosen.item_ns,
	       plan_ms);
	printf(", \"image_shared\": %.2f}%s\n", speed_up_shared(&r, device_count), last ? "" : ",");
	if (decided < 1 || best < 0.9999 * each || best < 0.9999 * one) failures++;
	hy_sched__spatial_finish(&chosen);
	hy_sched__layers_finish(&r.layers);
	free(r.node_ns);
}

static const struct {
	hy_ir_graph *(*make)(int64_t height, int64_t width);
	int64_t height, width;
	uint32_t strips;
	const char *frame;
} rows[] = {
	{resnet50, 224, 224, 4, "224x224"},     {yolov2, 608, 608, 4, "608x608"},
	{yolov2, 608, 608, 16, "608x608"},      {vgg16, 1080, 1920, 16, "1920x1080"},
	{resnet50, 1080, 1920, 8, "1920x1080"}, {resnet50, 1080, 1920, 16, "1920x1080"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Clips with windows that overlap against chunks of time with a halo. */
static void print_chunks(void)
{
	static const struct {
		double window, stride, chunk, halo;
	} cases[] = {{16, 8, 10, 2}, {16, 8, 10, 4}, {16, 4, 10, 2}, {16, 16, 10, 2}, {16, 8, 20, 4}, {16, 8, 40, 8}};
	const uint32_t count = sizeof(cases) / sizeof(cases[0]);
	printf("  ],\n  \"chunks\": [\n");
	for (uint32_t i = 0; i < count; i++) {
		const hy_sched__chunk chunk = hy_sched__spatial_chunk(cases[i].window, cases[i].stride, cases[i].chunk,
		                                                      cases[i].halo);
		printf("    {\"window\": %.0f, \"stride\": %.0f, \"chunk\": %.0f, \"halo\": %.0f, "
		       "\"bytes_saved_percent\": %.0f, \"compute_ratio\": %.2f}%s\n",
		       cases[i].window, cases[i].stride, cases[i].chunk, cases[i].halo, 100 * chunk.bytes_saved,
		       chunk.compute_ratio, i + 1 < count ? "," : "");
	}
}

int main(void)
{
	printf("{\n  \"splits\": [\n");
	for (uint32_t r = 0; r < ROWS; r++) {
		hy_ir_graph *graph = rows[r].make(rows[r].height, rows[r].width);
		for (uint32_t m = 0; m < MACHINES; m++)
			predict(graph, &machines[m], rows[r].strips, rows[r].frame, r + 1 == ROWS && m + 1 == MACHINES);
		hy_ir_graph_destroy(graph);
	}
	print_chunks();
	printf("  ],\n  \"rows_slower_than_one_device_or_a_fixed_grouping\": %llu\n}\n", (unsigned long long)failures);
	return failures == 0 ? 0 : 1;
}
