/* The matrix of files, as people and programs see it. */
#include "program.h"

#define EXAMPLE "$halyard topology --from " HY_SOURCE_DIR "/examples/cluster-16.yaml "
#define MIXED "$halyard topology --from " HY_SOURCE_DIR "/tests/hal/topologies/mixed.xml "

static void the_matrix_has_class_number_and_origin_of_every_way(void **state)
{
	(void)state;
	program_answers(EXAMPLE "--node fast02");
	assert_string_equal(program_out,
	                    "from \\ to cuda:0     cuda:1     hip:0      cpu:0     numa:0    numa:1\n"
	                    "cuda:0    -          NV18 370 g SYS  11 gs PHB  50 g PHB  50 g SYS  40 g\n"
	                    "cuda:1    NV18 370 g -          SYS  11 gs PHB  50 g PHB  50 g SYS  40 g\n"
	                    "hip:0     SYS  11 gs SYS  11 gs -          SYS  24 g SYS  24 g PHB  24 g\n"
	                    "cpu:0     PHB  50 g  PHB  50 g  SYS  24 g  -         -         SYS  40 g\n"
	                    "numa:0    PHB  50 g  PHB  50 g  SYS  24 g  -         -         SYS  40 g\n"
	                    "numa:1    SYS  40 g  SYS  40 g  PHB  24 g  SYS  40 g SYS  40 g -\n"
	                    "class and GB/s: m measured, g given, d default of the class; s staged through the host; "
	                    "- the same memory\n"
	                    "NV18 NVLink, 18 bonds · SYS between NUMA nodes · PHB PCIe host bridge\n");
}

static void the_matrix_is_asymmetric_where_the_ways_are(void **state)
{
	(void)state;
	program_answers(MIXED "-o csv | grep -E '^cuda:0,cuda:1|^cuda:1,cuda:0|^pci:3,numa:1'");
	assert_string_equal(program_out, "cuda:0,cuda:1,NV15,3.7e+11,2000,given,default,no\n"
	                                 "cuda:1,cuda:0,NV14,3.6e+11,2000,given,default,no\n"
	                                 "pci:3,numa:1,PHB,1.2e+10,10000,default,default,no\n");
}

static void topologies_of_other_systems_are_read(void **state)
{
	(void)state;
	program_answers("$halyard topology --from " HY_SOURCE_DIR "/tests/scheduler/topologies/switch.xml");
	assert_non_null(strstr(program_out, "gpu:0     -            NV17 340 d   SYS"));
	program_answers("$halyard topology --from 'synthetic:numa:2 core:2 pu:1' -o csv");
	assert_non_null(strstr(program_out, "numa:0,numa:1,SYS,1e+10,14000,default,default,no\n"));
}

static void pictures_are_well_formed(void **state)
{
	(void)state;
	program_answers(EXAMPLE
	                "-o svg -n fast01 >t.svg && xmllint --noout t.svg 2>/dev/null || grep -c '</svg>' t.svg");
	program_answers(EXAMPLE "-o dot");
	assert_non_null(strstr(program_out, "\"leaf0\" -> \"spine\" [dir=both, label=\"NET\\n50 GB/s\"];"));
	assert_null(strstr(program_out, "cuda"));
	program_answers(MIXED "-o dot");
	assert_non_null(strstr(program_out, "\"mixed/cuda:0\" -> \"mixed/cuda:1\" [label=\"NV15\\n370 GB/s\"];"));
}

static void hwlocs_xml_can_be_written_and_read_again(void **state)
{
	(void)state;
	program_answers("$halyard topology -o hwloc >here.xml && $halyard topology --from here.xml");
	assert_non_null(strstr(program_out, "numa:0"));
	program_answers(MIXED "-o hwloc >again.xml && $halyard topology --from again.xml");
	assert_non_null(strstr(program_out, "NV15 370"));
}

static void measured_ways_are_marked_and_kept_for_the_next_time(void **state)
{
	(void)state;
	program_answers("printf 'devices:\\n- {name: a, flops: 1e12, memory: 64MiB, bandwidth: 1e11, link: {bandwidth: "
	                "8e9, latency_ns: 5000}}\\n' >m.yaml; export HALYARD_SIM=$PWD/m.yaml; "
	                "$halyard topology -d 'sim:*,cpu:0' --measure | grep ^sim:0");
	assert_non_null(strstr(program_out, "PHB  8 m"));
	program_answers("export HALYARD_CACHE_DIR=$PWD/cache; $halyard topology --measure && $halyard topology");
	program_answers(
		"export HALYARD_SIM=$PWD/m.yaml; printf 'apiVersion: halyard.dev/v1\\nkind: Cluster\\nmetadata: {name: "
		"x}\\nspec:\\n  deviceTypes: {s: {plugin: sim}}\\n  nodes: [{name: n, devices: [{id: \"sim:0\", "
		"type: s}], links: [{between: [\"sim:0\", host], class: PIX, bandwidth: 1GB/s}]}]\\n' >c.yaml; "
		"for more in '' --measure; do $halyard topology --from c.yaml $more | grep ^sim:0; done");
	assert_non_null(strstr(program_out, "PIX  1 g\n"));
	assert_non_null(strstr(program_out, "PIX  8 m\n"));
}

static void what_cannot_be_looked_at_is_said(void **state)
{
	(void)state;
	program_refuses("$halyard topology --from nowhere.xml", 2, "nowhere.xml");
	program_refuses("$halyard topology --from " HY_SOURCE_DIR "/tests/scheduler/cluster/tab.yaml", 3,
	                "tab.yaml:5:1: a tab");
	program_refuses("echo '<system>' >bad.xml; $halyard topology --from bad.xml", 3,
	                "bad.xml:2:1: no element found");
	program_refuses(EXAMPLE "--node slow01", 2, "lab-16 has no node 'slow01'");
	program_refuses("$halyard topology --measure --from " HY_SOURCE_DIR "/tests/scheduler/topologies/mesh.xml", 5,
	                "none of the devices of mesh");
	program_refuses("$halyard topology -d nosuch:0", 5, "nosuch:0");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_matrix_has_class_number_and_origin_of_every_way),
		CASE(the_matrix_is_asymmetric_where_the_ways_are),
		CASE(topologies_of_other_systems_are_read),
		CASE(pictures_are_well_formed),
		CASE(hwlocs_xml_can_be_written_and_read_again),
		CASE(measured_ways_are_marked_and_kept_for_the_next_time),
		CASE(what_cannot_be_looked_at_is_said),
	};
	return cmocka_run_group_tests_name("tools.topology", cases, program_setup, program_teardown);
}
