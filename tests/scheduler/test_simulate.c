/* Where a simulation's costs come from. What it makes of them is judged by the program's tests. */
#include "test.h"

#include "cost.h"

#include <halyard/ir.h>
#include <halyard/simulate.h>

#include <stdio.h>
#include <string.h>

#define FOLDER HY_BINARY_DIR "/tests/"
#define COSTS FOLDER "simulate_costs.jsonl"

static hy_error error;

static const char
	description[] = "apiVersion: halyard.dev/v1\n"
			"kind: Cluster\n"
			"metadata: {name: one}\n"
			"spec:\n"
			"  deviceTypes:\n"
			"    chip: {plugin: chips, kind: cpu, memory: 1Gi, calibration: simulate_costs.jsonl}\n"
			"  nodes:\n"
			"    - {name: host, devices: [{id: \"chips:0\", type: chip}]}\n";

static hy_ir_graph *make_graph(void)
{
	const hy_ir_type type = {HY_DTYPE_F32, 1, {16}};
	hy_ir_graph *graph;
	uint32_t x, y;
	EXPECT_OK(hy_ir_graph_create("relu", &graph, &error));
	EXPECT_OK(hy_ir_build_input(graph, "x", &type, NULL, &x, &error));
	EXPECT_OK(hy_ir_build_op(graph, "Relu", "y", 1, &x, 0, NULL, &y, &error));
	EXPECT_OK(hy_ir_build_output(graph, y, &error));
	EXPECT_OK(hy_ir_prepare(graph, 0, &error));
	return graph;
}

/* A file in which the graph took 7 ms on some device of that plugin. */
static void write_costs(const hy_ir_graph *graph, const char *plugin)
{
	hy_ir_blob blob = {0};
	hy_sched__cost_file *file;
	const char *ignored;
	remove(COSTS);
	EXPECT_OK(hy_ir_blob_create(graph, 0, hy_ir_graph_node_count(graph), &blob, NULL, NULL, NULL, NULL, &error));
	EXPECT_OK(hy_sched__cost_file_open(COSTS, &file, &ignored, &error));
	const hy_sched__cost_key key = {.plugin = plugin,
	                                .device = "some chip",
	                                .driver = "1",
	                                .options = "",
	                                .model = hy_sched__cost_hash(blob.graph)};
	const hy_sched__cost cost = {.median_ns = 7000000, .count = 5, .launches = 1};
	EXPECT_OK(hy_sched__cost_file_add(file, &key, &cost, &error));
	EXPECT_OK(hy_sched__cost_file_save(file, &error));
	hy_sched__cost_file_close(file);
	hy_ir_blob_finish(&blob);
}

/* The device of a job of ten requests. */
static hy_sched_simulation_device simulate(const hy_ir_graph *graph, const hy_sched_item_time *item_time)
{
	hy_sched_cluster *cluster;
	hy_sched_simulation *simulation;
	const hy_sched_simulation_options options = {
		.size = sizeof(options), .job = 10, .item_time_count = item_time != NULL, .item_times = item_time};
	EXPECT_OK(hy_sched_cluster_parse(FOLDER "simulate.yaml", description, strlen(description), &cluster, NULL,
	                                 &error));
	EXPECT_OK(hy_sched_simulate(cluster, graph, &options, &simulation, &error));
	hy_sched_simulation_device device = hy_sched_simulation_describe(simulation)->devices[0];
	assert_in_range(hy_sched_simulation_describe(simulation)->end_ns, 10 * device.item_ns,
	                10 * device.item_ns + 100000);
	device.name = device.type = NULL;
	hy_sched_simulation_destroy(simulation);
	hy_sched_cluster_destroy(cluster);
	return device;
}

static void a_calibration_gives_the_time_of_its_plugin(void **state)
{
	(void)state;
	hy_ir_graph *graph = make_graph();
	write_costs(graph, "chips");
	const hy_sched_simulation_device device = simulate(graph, NULL);
	assert_true(device.measured);
	assert_int_equal(device.item_ns, 7000000);
	hy_ir_graph_destroy(graph);
}

static void a_calibration_of_another_plugin_or_none_leaves_the_prediction(void **state)
{
	(void)state;
	hy_ir_graph *graph = make_graph();
	write_costs(graph, "others");
	assert_false(simulate(graph, NULL).measured);
	remove(COSTS);
	assert_false(simulate(graph, NULL).measured);
	hy_ir_graph_destroy(graph);
}

static void a_time_that_is_given_overrides_the_calibration(void **state)
{
	(void)state;
	hy_ir_graph *graph = make_graph();
	write_costs(graph, "chips");
	const hy_sched_item_time given = {.type = "chip", .item_ns = 3000000};
	const hy_sched_simulation_device device = simulate(graph, &given);
	assert_true(device.measured);
	assert_int_equal(device.item_ns, 3000000);
	hy_ir_graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_calibration_gives_the_time_of_its_plugin),
		CASE(a_calibration_of_another_plugin_or_none_leaves_the_prediction),
		CASE(a_time_that_is_given_overrides_the_calibration),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
