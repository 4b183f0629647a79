/* The examples, expanded; ways and their times by hand. */
#include "test.h"

#include <halyard/cluster.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hy_sched_cluster *load(const char *path)
{
	hy_error error = {0};
	hy_sched_cluster *cluster = NULL;
	EXPECT_OK(hy_sched_cluster_load(path, &cluster, NULL, &error));
	return cluster;
}

static hy_sched_cluster *parse(const char *text)
{
	hy_error error = {0};
	hy_sched_cluster *cluster = NULL;
	EXPECT_OK(hy_sched_cluster_parse("x.yaml", text, strlen(text), &cluster, NULL, &error));
	return cluster;
}

static uint32_t place(const hy_sched_cluster *cluster, const char *name)
{
	for (uint32_t i = 0; i < cluster->place_count; i++)
		if (strcmp(cluster->places[i].name, name) == 0) return i;
	fail_msg("no place %s", name);
	return 0;
}

/* "a>b>c" of a way; its copies end at '|'. */
static const char *way(const hy_sched_cluster *cluster, const char *from, const char *to)
{
	static char text[512];
	hy_error error = {0};
	hy_sched_route route;
	EXPECT_OK(hy_sched_cluster_route(cluster, place(cluster, from), place(cluster, to), &route, &error));
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", from);
	for (uint32_t i = 0, copy = 0; i < route.link_count; i++) {
		const hy_sched_cluster_link *link = &cluster->links[route.links[i]];
		used += (size_t)snprintf(text + used, sizeof(text) - used, ">%s", cluster->places[link->to].name);
		if (i + 1 != route.copy_ends[copy]) continue;
		copy++;
		if (copy < route.copy_count) used += (size_t)snprintf(text + used, sizeof(text) - used, "|");
	}
	return text;
}

static double ns(const hy_sched_cluster *cluster, const char *from, const char *to, uint64_t bytes)
{
	hy_error error = {0};
	hy_sched_route route;
	EXPECT_OK(hy_sched_cluster_route(cluster, place(cluster, from), place(cluster, to), &route, &error));
	return hy_sched_route_ns(cluster, &route, bytes);
}

static void the_example_of_16_nodes_is_expanded(void **state)
{
	(void)state;
	hy_sched_cluster *c = load(HY_SOURCE_DIR "/examples/cluster-16.yaml");
	assert_string_equal(c->name, "lab-16");
	assert_int_equal(c->node_count, 16);
	assert_int_equal(c->device_count, 36);
	assert_int_equal(c->type_count, 5);
	const uint32_t fast = hy_sched_cluster_find_node(c, "fast03");
	assert_int_equal(c->nodes[fast].device_count, 4);
	assert_string_equal(c->nodes[fast].reserved_cores, "0-1");
	const hy_sched_cluster_device *card = &c->devices[hy_sched_cluster_find_device(c, "fast03/cuda:1")];
	assert_int_equal(card->node, fast);
	assert_string_equal(card->id, "cuda:1");
	assert_string_equal(card->pci, "0000:61:00.0");
	assert_string_equal(card->file, "/dev/nvidia1");
	assert_string_equal(c->types[card->type].name, "h100");
	assert_true(c->types[card->type].memory_bytes.value == 80.0 * 1024 * 1024 * 1024);
	assert_true(c->types[card->type].flops_f16.value == 989e12);
	assert_true(c->types[card->type].launch_ns.value == 5000);
	const hy_sched_cluster_device *worker = &c->devices[hy_sched_cluster_find_device(c, "fast01/hip:0")];
	assert_int_equal(worker->isolation, HY_SCHED_IN_WORKER);
	assert_int_equal(worker->numa, 1);
	assert_int_equal(hy_sched_cluster_find_device(c, "cuda:0"), HY_SCHED_CLUSTER_NONE);
	hy_sched_cluster_destroy(c);
}

static void the_example_of_128_nodes_has_a_way_between_any_two_devices(void **state)
{
	(void)state;
	hy_error error = {0};
	hy_sched_cluster *c = load(HY_SOURCE_DIR "/examples/cluster-128.yaml");
	assert_int_equal(c->node_count, 128);
	assert_int_equal(c->device_count, 64 * 8 + 32 * 8 + 32 * 6);
	for (uint32_t i = 0; i < c->device_count; i += 31) {
		for (uint32_t j = 0; j < c->device_count; j += 7) {
			hy_sched_route route;
			EXPECT_OK(hy_sched_cluster_route(c, c->devices[i].place, c->devices[j].place, &route, &error));
			assert_true((route.link_count == 0) == (c->devices[i].place == c->devices[j].place));
		}
	}
	assert_string_equal(way(c, "nv001/cuda:0", "npu32/ascend:4"),
	                    "nv001/cuda:0>nv001/numa:0|>rack0>spine>rack7>npu32/numa:0>npu32/numa:1|>npu32/ascend:4");
	hy_sched_cluster_destroy(c);
}

static void ways_take_the_link_of_the_pair_or_go_by_the_hosts(void **state)
{
	(void)state;
	hy_sched_cluster *c = load(HY_SOURCE_DIR "/examples/cluster-16.yaml");
	assert_string_equal(way(c, "fast01/cuda:0", "fast01/cuda:1"), "fast01/cuda:0>fast01/cuda:1");
	assert_string_equal(way(c, "fast01/cuda:0", "fast01/hip:0"), "fast01/cuda:0>fast01/hip:0");
	assert_string_equal(way(c, "fast01/numa:0", "fast01/numa:0"), "fast01/numa:0");
	assert_string_equal(way(c, "npu01/ascend:0", "npu01/numa:0"), "npu01/ascend:0>npu01/numa:1>npu01/numa:0");
	assert_string_equal(way(c, "old01/opencl:0", "cpu06/numa:0"),
	                    "old01/opencl:0>old01/numa:0|>leaf2>spine>leaf3>cpu06/numa:0");
	assert_string_equal(way(c, "fast02/hip:0", "fast02/numa:0"), "fast02/hip:0>fast02/numa:1>fast02/numa:0");
	/* 1 MB: 6 us + 20 us; 2*(2 us) + 2*(1 us) + 1e6/25e9; 9 us + 1 MB at 21 GB/s */
	assert_true(ns(c, "fast01/cuda:0", "fast01/numa:0", 1000000) == 6000 + 20000);
	assert_true(ns(c, "fast01/numa:0", "fast02/numa:0", 1000000) == 4000 + 40000);
	assert_true(ns(c, "fast01/numa:0", "fast01/numa:0", 1000000) == 0);
	hy_sched_cluster_destroy(c);
}

#define HEAD                                                                                                         \
	"apiVersion: halyard.dev/v1\nkind: Cluster\nmetadata: {name: x}\nspec:\n"                                    \
	"  deviceTypes: {a: {plugin: a, kind: gpu}, c: {plugin: c, cores: 4}}\n  nodes:\n  - name: n\n    numa: 2\n" \
	"    devices: [{id: \"a:[0-3]\", type: a}, {id: \"c:0\", type: c}]\n    links:\n"

static void links_say_where_their_numbers_come_from(void **state)
{
	(void)state;
	hy_error error = {0};
	hy_sched_route route;
	hy_sched_cluster *c = parse(HEAD "    - {between: [\"a:0\", \"a:1\"], class: NV4, latency: 3us}\n");
	const uint32_t from = place(c, "n/a:0"), to = place(c, "n/a:1");
	EXPECT_OK(hy_sched_cluster_route(c, from, to, &route, &error));
	const hy_sched_cluster_link *link = &c->links[route.links[0]];
	assert_true(link->bytes_per_s.value == 80e9 && link->bytes_per_s.origin == HY_SCHED_DEFAULT);
	assert_true(link->latency_ns.value == 3000 && link->latency_ns.origin == HY_SCHED_GIVEN);
	EXPECT_OK(hy_sched_cluster_set_link(c, from, to, 75e9, 0, HY_SCHED_MEASURED, &error));
	EXPECT_OK(hy_sched_cluster_route(c, from, to, &route, &error));
	link = &c->links[route.links[0]];
	assert_true(link->bytes_per_s.value == 75e9 && link->bytes_per_s.origin == HY_SCHED_MEASURED);
	assert_true(link->latency_ns.origin == HY_SCHED_GIVEN);
	EXPECT_OK(hy_sched_cluster_route(c, to, from, &route, &error)); /* the way back keeps its numbers */
	assert_true(c->links[route.links[0]].bytes_per_s.value == 80e9);
	hy_sched_cluster_destroy(c);
}

static void a_measured_way_without_a_link_gets_one(void **state)
{
	(void)state;
	hy_error error = {0};
	hy_sched_route route;
	hy_sched_cluster *c = parse(HEAD "    - {between: [\"a:0\", \"a:1\"]}\n");
	const uint32_t from = place(c, "n/a:2"), to = place(c, "n/a:3");
	EXPECT_OK(hy_sched_cluster_route(c, from, to, &route, &error));
	assert_int_equal(route.copy_count, 2);
	EXPECT_OK(hy_sched_cluster_set_link(c, from, to, 5e9, 0, HY_SCHED_MEASURED, &error));
	EXPECT_OK(hy_sched_cluster_route(c, from, to, &route, &error));
	assert_int_equal(route.link_count, 1);
	assert_true(c->links[route.links[0]].staged && c->links[route.links[0]].bytes_per_s.value == 5e9);
	hy_sched_cluster_destroy(c);
}

static uint32_t channel(const hy_sched_cluster *c, const char *from, const char *to)
{
	hy_error error = {0};
	hy_sched_route route;
	EXPECT_OK(hy_sched_cluster_route(c, place(c, from), place(c, to), &route, &error));
	assert_int_equal(route.link_count, 1);
	return c->links[route.links[0]].channel;
}

static void links_with_a_shared_name_are_charged_to_one_channel_per_direction(void **state)
{
	(void)state;
	hy_sched_cluster *c = parse(HEAD "    - {between: [\"a:[0-1]\", \"numa:0\"], shared: up}\n"
	                                 "    - {between: [\"a:2\", \"numa:0\"], shared: up}\n"
	                                 "    - {between: [\"a:3\", \"numa:0\"], duplex: half}\n");
	assert_int_equal(channel(c, "n/a:0", "n/numa:0"), channel(c, "n/a:2", "n/numa:0"));
	assert_int_equal(channel(c, "n/numa:0", "n/a:0"), channel(c, "n/numa:0", "n/a:1"));
	assert_true(channel(c, "n/numa:0", "n/a:0") != channel(c, "n/a:0", "n/numa:0"));
	assert_int_equal(channel(c, "n/numa:0", "n/a:3"), channel(c, "n/a:3", "n/numa:0"));
	assert_string_equal(c->channels[channel(c, "n/a:0", "n/numa:0")], "n/up");
	hy_sched_cluster_destroy(c);
}

static void one_way_links_differ_by_direction(void **state)
{
	(void)state;
	hy_sched_cluster *c = parse(
		HEAD "    - {between: [\"a:0\", \"a:1\"], bandwidth: 8.5GB/s, latency: 0ns, direction: forward}\n"
		     "    - {between: [\"a:1\", \"a:0\"], bandwidth: 7.66GB/s, latency: 0ns, direction: forward}\n");
	assert_true(ns(c, "n/a:0", "n/a:1", 8500) == 1000);
	assert_true(ns(c, "n/a:1", "n/a:0", 7660) == 1000);
	hy_sched_cluster_destroy(c);
}

static void a_cpu_computes_in_the_memory_of_its_host(void **state)
{
	(void)state;
	hy_sched_cluster *c = parse(HEAD "    - {between: [\"a:0\", \"c:0\"], bandwidth: 1GB/s}\n");
	const uint32_t cpu = hy_sched_cluster_find_device(c, "c:0");
	assert_int_equal(c->devices[cpu].place, place(c, "n/numa:0"));
	assert_string_equal(way(c, "n/a:0", "n/numa:0"), "n/a:0>n/numa:0");
	hy_sched_cluster_destroy(c);
}

static void no_way_is_said(void **state)
{
	(void)state;
	hy_error error = {0};
	hy_sched_route route;
	hy_sched_cluster *c = parse(HEAD "    - {between: [\"a:0\", host], direction: forward}\n");
	EXPECT_STATUS(HY_UNSUPPORTED,
	              hy_sched_cluster_route(c, place(c, "n/numa:0"), place(c, "n/a:0"), &route, &error));
	assert_string_equal(error.text, "there is no way from n/numa:0 to n/a:0: give it links");
	hy_sched_cluster_destroy(c);
}

static void *ask_all(void *payload)
{
	const hy_sched_cluster *c = payload;
	double total = 0;
	for (uint32_t i = 0; i < c->device_count; i += 5) {
		for (uint32_t j = 0; j < c->device_count; j += 11) {
			hy_sched_route route;
			if (hy_sched_cluster_route(c, c->devices[i].place, c->devices[j].place, &route, NULL) == HY_OK)
				total += hy_sched_route_ns(c, &route, 1000);
		}
	}
	double *result = malloc(sizeof(*result));
	*result = total;
	return result;
}

static void threads_that_ask_at_once_get_the_same_ways(void **state)
{
	(void)state;
	hy_sched_cluster *c = load(HY_SOURCE_DIR "/examples/cluster-16.yaml");
	pthread_t threads[4];
	double first = 0;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_all, c), 0);
	for (int i = 0; i < 4; i++) {
		void *result;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		if (i == 0) first = *(double *)result;
		assert_true(*(double *)result == first && first > 0);
		free(result);
	}
	hy_sched_cluster_destroy(c);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_example_of_16_nodes_is_expanded),
		CASE(the_example_of_128_nodes_has_a_way_between_any_two_devices),
		CASE(ways_take_the_link_of_the_pair_or_go_by_the_hosts),
		CASE(links_say_where_their_numbers_come_from),
		CASE(a_measured_way_without_a_link_gets_one),
		CASE(links_with_a_shared_name_are_charged_to_one_channel_per_direction),
		CASE(one_way_links_differ_by_direction),
		CASE(a_cpu_computes_in_the_memory_of_its_host),
		CASE(no_way_is_said),
		CASE(threads_that_ask_at_once_get_the_same_ways),
	};
	return cmocka_run_group_tests_name("scheduler.cluster", cases, NULL, NULL);
}
