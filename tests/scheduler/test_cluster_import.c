/* Files of other systems, and this machine; the numbers of the samples by hand. */
#include "test.h"

#include "cluster_import.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define FOLDER HY_SOURCE_DIR "/tests/scheduler/topologies/"

static hy_sched_cluster *import(const char *path)
{
	hy_sched_cluster *cluster = NULL;
	EXPECT_OK(hy_sched_cluster_import(path, &cluster, NULL, &error));
	return cluster;
}

/* The direct link between two devices of a cluster of one node, or NULL. */
static const hy_sched_cluster_link *between(const hy_sched_cluster *c, const char *from, const char *to)
{
	const uint32_t a = hy_sched_cluster_find_device(c, from), b = hy_sched_cluster_find_device(c, to);
	assert_true(a != HY_SCHED_CLUSTER_NONE && b != HY_SCHED_CLUSTER_NONE);
	return hy_sched__cluster_direct(hy_sched__cluster_of(c), c->devices[a].place, c->devices[b].place);
}

static const hy_sched_cluster_link *to_host(const hy_sched_cluster *c, const char *from)
{
	const hy_sched_cluster_device *device = &c->devices[hy_sched_cluster_find_device(c, from)];
	return hy_sched__cluster_direct(hy_sched__cluster_of(c), device->place, c->nodes[0].first_place + device->numa);
}

static void cards_on_a_switch_have_the_bonds_of_the_one_that_has_fewer(void **state)
{
	(void)state;
	hy_sched_cluster *c = import(FOLDER "switch.xml");
	assert_string_equal(c->name, "switch");
	assert_int_equal(c->device_count, 3);
	assert_int_equal(c->nodes[0].numa_count, 2);
	assert_string_equal(c->devices[0].pci, "0000:18:00.0");
	assert_string_equal(c->types[c->devices[2].type].name, "sm80");
	assert_string_equal(between(c, "gpu:0", "gpu:1")->class_name, "NV17");
	assert_null(between(c, "gpu:0", "gpu:2"));
	assert_true(to_host(c, "gpu:0")->bytes_per_s.value == 24e9); /* 16 GT/s x16 of the bridge above */
	assert_int_equal(to_host(c, "gpu:0")->bytes_per_s.origin, HY_SCHED_GIVEN);
	assert_int_equal(to_host(c, "gpu:0")->channel, to_host(c, "gpu:1")->channel); /* one way up */
	assert_int_equal(to_host(c, "gpu:2")->bytes_per_s.origin, HY_SCHED_DEFAULT);
	assert_int_equal(c->devices[2].numa, 1);
	hy_sched_cluster_destroy(c);
}

static void meshes_link_those_that_name_each_other(void **state)
{
	(void)state;
	hy_sched_cluster *c = import(FOLDER "mesh.xml");
	assert_string_equal(between(c, "gpu:0", "gpu:1")->class_name, "XG2");
	assert_string_equal(between(c, "gpu:2", "gpu:1")->class_name, "XG1");
	assert_null(between(c, "gpu:0", "gpu:2"));
	assert_string_equal(between(c, "gpu:2", "gpu:3")->class_name, "PXB");
	assert_true(between(c, "gpu:3", "gpu:2")->bytes_per_s.value == 6e9); /* 8 GT/s x8 */
	assert_string_equal(to_host(c, "gpu:2")->class_name, "C2C");
	assert_true(to_host(c, "gpu:2")->bytes_per_s.value == 400e9);
	assert_true(to_host(c, "gpu:3")->bytes_per_s.value == 12e9);
	hy_sched_cluster_destroy(c);
}

static const struct {
	const char *says, *text, *error;
} wrong[] = {
	{"cut off", "<system><cpu>", "x:1:14: no element found"},
	{"other", "<systems/>", "x:1:1: the first element is system"},
	{"no cards", "<system/>", "x:1:10: no gpu element: nothing to import"},
	{"card without bus", "<system><gpu dev='0'/></system>",
         "x:1:9: a gpu stands in a pci element of a cpu element"},
	{"twice",
         "<system><cpu><pci busid='a'><gpu dev='0'/></pci>\n<pci busid='b'><gpu dev='0'/></pci></cpu></system>",
         "x:2:16: two gpus have the same dev"},
	{"entities", "<!DOCTYPE system [<!ENTITY a 'aaaa'>]><system>&a;</system>",
         "x:1:18: a DOCTYPE is not allowed here"},
	{"not XML", "<system><cpu></system>", "x:1:16: mismatched tag"},
};

static void what_is_no_topology_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		hy_sched_cluster *c = NULL;
		EXPECT_STATUS(HY_INVALID, hy_sched__import_nccl("x", wrong[i].text, strlen(wrong[i].text), &c, &error));
		if (strcmp(error.text, wrong[i].error) != 0) fail_msg("%s: %s", wrong[i].says, error.text);
	}
}

static void deep_and_many_elements_are_refused(void **state)
{
	(void)state;
	hy_sched_cluster *c = NULL;
	char text[20000] = "<system><cpu>";
	for (int i = 0; i < 17; i++)
		strcat(text, "<pci busid='a'>");
	EXPECT_STATUS(HY_INVALID, hy_sched__import_nccl("x", text, strlen(text), &c, &error));
	assert_non_null(strstr(error.text, "more than 16 pci elements"));
	strcpy(text, "<system><cpu><pci busid='a'>");
	for (int i = 0; i <= 256; i++)
		snprintf(text + strlen(text), 32, "<gpu dev='%d'/>", i);
	EXPECT_STATUS(HY_INVALID, hy_sched__import_nccl("x", text, strlen(text), &c, &error));
	assert_non_null(strstr(error.text, "more than 256 gpus"));
	for (int i = 0; i < 300; i++)
		memcpy(text + 3 * i, "<a>", 3);
	memcpy(text, "<system>", 8);
	EXPECT_STATUS(HY_INVALID, hy_sched__import_nccl("x", text, 900, &c, &error));
}

static void hwlocs_xml_gives_classes_by_the_bus_and_bonds_by_its_matrix(void **state)
{
	(void)state;
	hy_sched_cluster *c = import(HY_SOURCE_DIR "/tests/hal/topologies/mixed.xml");
	assert_int_equal(c->device_count, 4);
	assert_int_equal(c->nodes[0].cores, 8);
	assert_string_equal(c->types[c->devices[0].type].model, "H100 SXM");
	assert_string_equal(between(c, "cuda:0", "cuda:1")->class_name, "NV15"); /* 370 GB/s by bonds of 25 */
	assert_true(between(c, "cuda:0", "cuda:1")->bytes_per_s.value == 370e9);
	assert_true(between(c, "cuda:1", "cuda:0")->bytes_per_s.value == 360e9);
	assert_string_equal(between(c, "cuda:1", "pci:2")->class_name, "PHB");
	assert_null(between(c, "cuda:1", "pci:3")); /* by the hosts */
	assert_string_equal(c->devices[3].cores, "4-7");
	hy_sched_cluster_destroy(c);
	c = import("synthetic:numa:2 core:2 pu:1");
	assert_int_equal(c->device_count, 0);
	assert_int_equal(c->nodes[0].numa_count, 2);
	hy_sched_cluster_destroy(c);
}

static void descriptions_are_told_from_xml(void **state)
{
	(void)state;
	hy_sched_cluster *c = import(HY_SOURCE_DIR "/examples/cluster-16.yaml");
	assert_int_equal(c->node_count, 16);
	hy_sched_cluster_destroy(c);
	EXPECT_STATUS(HY_NOT_FOUND, hy_sched_cluster_import("/nowhere", &c, NULL, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_import("/", &c, NULL, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_import(HY_SOURCE_DIR "/README.md", &c, NULL, &error));
}

static const char
	two[] = "devices:\n"
		"- {name: a, flops: 1e12, memory: 64MiB, bandwidth: 1e11, link: {bandwidth: 8e9, latency_ns: 5000}}\n"
		"- {name: b, flops: 1e12, memory: 64MiB, bandwidth: 1e11, link: {bandwidth: 2e9, latency_ns: 9000}}\n"
		"- {name: c, flops: 1e12, memory: 64MiB, bandwidth: 1e11}\n";

/* The simulated devices tell the times of their copies, so the numbers are theirs to a rounding. */
static void measuring_finds_the_links_of_described_devices(void **state)
{
	(void)state;
	hy_hal_machine *machine = world_machine(two);
	hy_sched_cluster *c = NULL;
	EXPECT_OK(hy_sched_cluster_from_machine(machine, "sim:*", "here", &c, &error));
	assert_int_equal(c->device_count, 3);
	assert_int_equal(to_host(c, "sim:0")->bytes_per_s.origin, HY_SCHED_DEFAULT);
	EXPECT_OK(hy_sched_cluster_measure(c, 0, machine, NULL, NULL, &error));
	const hy_sched_cluster_link *a = to_host(c, "sim:0"), *b = to_host(c, "sim:1"),
				    *ab = between(c, "sim:0", "sim:1");
	assert_int_equal(a->bytes_per_s.origin, HY_SCHED_MEASURED);
	assert_true(a->bytes_per_s.value > 7.9e9 && a->bytes_per_s.value < 8.1e9);
	assert_true(b->bytes_per_s.value > 1.98e9 && b->bytes_per_s.value < 2.02e9);
	assert_true(a->latency_ns.value >= 5000 && a->latency_ns.value < 6000);
	assert_true(ab->staged && ab->bytes_per_s.value > 1.58e9 && ab->bytes_per_s.value < 1.62e9); /* 1/(1/8+1/2) */
	assert_true(c->devices[2].place == c->nodes[0].first_place); /* takes host addresses: nothing to measure */
	hy_sched_cluster_destroy(c);
	hy_hal_machine_close(machine);
}

static void measuring_devices_that_are_not_here_is_refused(void **state)
{
	(void)state;
	hy_hal_machine *machine = world_machine(two);
	hy_sched_cluster *c = import(FOLDER "mesh.xml");
	EXPECT_STATUS(HY_NOT_FOUND, hy_sched_cluster_measure(c, 0, machine, NULL, NULL, &error));
	assert_string_equal(error.text, "this machine has none of the devices of mesh");
	hy_sched_cluster_destroy(c);
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(cards_on_a_switch_have_the_bonds_of_the_one_that_has_fewer),
		CASE(meshes_link_those_that_name_each_other),
		CASE(what_is_no_topology_is_refused_with_its_place),
		CASE(deep_and_many_elements_are_refused),
		CASE(hwlocs_xml_gives_classes_by_the_bus_and_bonds_by_its_matrix),
		CASE(descriptions_are_told_from_xml),
		CASE(measuring_finds_the_links_of_described_devices),
		CASE(measuring_devices_that_are_not_here_is_refused),
	};
	return cmocka_run_group_tests_name("scheduler.cluster_import", cases, NULL, NULL);
}
