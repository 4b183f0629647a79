/* The inventory of the mixed example for other systems, against files that were held against those systems' manuals. */
#include "program.h"

#define DEVICES "$halyard devices --cluster " HY_SOURCE_DIR "/examples/cluster-16.yaml "
#define GOLDEN HY_SOURCE_DIR "/tests/tools/inventory"

static void slurm_gets_a_line_per_device_and_links_between_them(void **state)
{
	(void)state;
	program_answers(DEVICES "-o slurm | diff - " GOLDEN "/gres.conf >&2");
}

static void node_feature_discovery_gets_labels_of_one_node(void **state)
{
	(void)state;
	program_answers(DEVICES "-o nfd -n fast01 | diff - " GOLDEN "/fast01.features >&2");
}

static void dynamic_resource_allocation_gets_slices(void **state)
{
	(void)state;
	program_answers(DEVICES "-o dra -n fast01 | diff - " GOLDEN "/fast01.slice.yaml >&2");
	program_answers(DEVICES "-o dra | grep -c '^kind: ResourceSlice'");
	assert_string_equal(program_out, "10\n"); /* the six nodes of CPUs have nothing to hand out */
}

static void a_slice_has_at_most_128_devices(void **state)
{
	(void)state;
	program_answers(
		"printf 'apiVersion: halyard.dev/v1\\nkind: Cluster\\nmetadata: {name: x}\\nspec:\\n  deviceTypes: "
		"{a: {plugin: a}}\\n  nodes: [{name: n, devices: [{id: \"a:[0-199]\", type: a}]}]\\n' >big.yaml; "
		"$halyard devices --cluster big.yaml -o dra >big; grep -c 'resourceSliceCount: 2' big; "
		"grep -c 'name: a-' big");
	assert_string_equal(program_out, "2\n200\n");
}

static void nodes_alike_and_in_a_row_are_one_range(void **state)
{
	(void)state;
	program_answers(
		"printf 'apiVersion: halyard.dev/v1\\nkind: Cluster\\nmetadata: {name: x}\\nspec:\\n  deviceTypes: "
		"{a: {plugin: a, kind: gpu}}\\n  nodes: [{name: \"n[08-10,12]\", devices: [{id: \"a:0\", type: a}]}, "
		"{name: m13, devices: [{id: \"a:0\", type: a}]}]\\n' >r.yaml; "
		"$halyard devices --cluster r.yaml -o slurm | grep ^NodeName");
	assert_string_equal(program_out, "NodeName=n[08-10] Name=gpu Type=a Count=1\nNodeName=n12 Name=gpu Type=a "
	                                 "Count=1\nNodeName=m13 Name=gpu Type=a Count=1\n");
}

static void a_file_is_replaced_as_a_whole(void **state)
{
	(void)state;
	program_answers(DEVICES "-o nfd -n fast01 --output-file labels && diff labels " GOLDEN
	                        "/fast01.features >&2 && ls -a | grep labels");
	assert_string_equal(program_out, "labels\n");
	program_refuses(DEVICES "-o nfd -n fast01 --output-file no/such/folder", 1,
	                "no/such/folder: cannot be written");
}

static void this_machine_has_an_inventory(void **state)
{
	(void)state;
	program_answers("$halyard devices -o slurm");
	assert_non_null(strstr(program_out, "AutoDetect=off"));
	program_answers("$halyard devices -o nfd");
	assert_non_null(strstr(program_out, "halyard.dev/mixed-vendor="));
	program_answers("$halyard devices -o dra");
}

static void what_is_wrong_with_a_cluster_is_said(void **state)
{
	(void)state;
	program_refuses("$halyard devices --cluster " HY_SOURCE_DIR "/tests/scheduler/cluster/tab.yaml", 3,
	                "5:1: a tab");
	program_refuses(DEVICES "--node nosuch", 2, "no node 'nosuch'");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(slurm_gets_a_line_per_device_and_links_between_them),
		CASE(node_feature_discovery_gets_labels_of_one_node),
		CASE(dynamic_resource_allocation_gets_slices),
		CASE(a_slice_has_at_most_128_devices),
		CASE(nodes_alike_and_in_a_row_are_one_range),
		CASE(a_file_is_replaced_as_a_whole),
		CASE(this_machine_has_an_inventory),
		CASE(what_is_wrong_with_a_cluster_is_said),
	};
	return cmocka_run_group_tests_name("tools.inventory", cases, program_setup, program_teardown);
}
