/* A machine of two packages with four accelerators, from a file made by hand. */
#include "test.h"

#include <halyard/hal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hy_hal_map *open_map(const char *source)
{
	hy_error error = {0};
	hy_hal_map *map = NULL;
	EXPECT_OK(hy_hal_map_open(source, &map, &error));
	return map;
}

static void a_file_tells_memories_and_accelerators(void **state)
{
	(void)state;
	hy_hal_map *map = open_map(HY_SOURCE_DIR "/tests/hal/topologies/mixed.xml");
	const hy_hal_map_info *info = hy_hal_map_describe(map);
	assert_int_equal(info->numa_count, 2);
	assert_int_equal(info->core_count, 8);
	assert_string_equal(info->numas[1].cores, "4-7");
	assert_true(info->numas[0].memory_bytes == 64000000000u);
	assert_int_equal(info->device_count, 4);
	const hy_hal_map_device *card = &info->devices[0];
	assert_string_equal(card->pci, "0000:41:00.0");
	assert_string_equal(card->names, "cuda0,nvml0");
	assert_string_equal(card->model, "H100 SXM");
	assert_int_equal(card->numa, 0);
	assert_int_equal(card->pci_vendor, 0x10de);
	assert_true(card->memory_bytes == 80ull << 30);
	assert_true(card->bytes_per_s > 31e9 && card->bytes_per_s < 32e9); /* of the bridge above it */
	assert_string_equal(info->devices[3].pci, "0000:a1:00.0");
	assert_int_equal(info->devices[3].numa, 1);
	assert_true(info->devices[3].bytes_per_s == 0);
	hy_hal_map_close(map);
}

static void what_lies_between_devices_is_told(void **state)
{
	(void)state;
	hy_hal_map *map = open_map(HY_SOURCE_DIR "/tests/hal/topologies/mixed.xml");
	const char *name;
	assert_int_equal(hy_hal_map_between(map, 0, 1), HY_HAL_ONE_BRIDGE);
	assert_int_equal(hy_hal_map_between(map, 0, 2), HY_HAL_HOST_BRIDGE);
	assert_int_equal(hy_hal_map_between(map, 3, 0), HY_HAL_FAR);
	assert_true(hy_hal_map_link(map, 0, 1, &name) == 370000000000u);
	assert_string_equal(name, "NVLinkBandwidth");
	assert_true(hy_hal_map_link(map, 1, 0, &name) == 360000000000u);
	assert_true(hy_hal_map_link(map, 0, 2, &name) == 0);
	hy_hal_map_close(map);
}

static void a_synthetic_machine_has_no_accelerators(void **state)
{
	(void)state;
	hy_hal_map *map = open_map("synthetic:numa:2 core:3 pu:2");
	const hy_hal_map_info *info = hy_hal_map_describe(map);
	assert_int_equal(info->numa_count, 2);
	assert_int_equal(info->core_count, 6);
	assert_int_equal(info->device_count, 0);
	assert_string_equal(info->numas[0].cores, "0-2");
	hy_hal_map_close(map);
}

static void this_machine_has_a_map_that_can_be_written_and_read(void **state)
{
	(void)state;
	hy_error error = {0};
	char *xml = NULL;
	hy_hal_map *map = open_map(NULL);
	assert_true(hy_hal_map_describe(map)->numa_count >= 1);
	EXPECT_OK(hy_hal_map_export(map, &xml, &error));
	assert_non_null(strstr(xml, "<topology version=\"2."));
	free(xml);
	hy_hal_map_close(map);
}

static void what_is_no_topology_is_refused(void **state)
{
	(void)state;
	hy_error error = {0};
	hy_hal_map *map = NULL;
	EXPECT_STATUS(HY_NOT_FOUND, hy_hal_map_open("/nowhere.xml", &map, &error));
	EXPECT_STATUS(HY_INVALID, hy_hal_map_open("/", &map, &error));
	EXPECT_STATUS(HY_INVALID, hy_hal_map_open(HY_SOURCE_DIR "/README.md", &map, &error));
	EXPECT_STATUS(HY_INVALID, hy_hal_map_open("synthetic:many cores", &map, &error));
	assert_null(map);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_file_tells_memories_and_accelerators),
		CASE(what_lies_between_devices_is_told),
		CASE(a_synthetic_machine_has_no_accelerators),
		CASE(this_machine_has_a_map_that_can_be_written_and_read),
		CASE(what_is_no_topology_is_refused),
	};
	return cmocka_run_group_tests_name("hal.map", cases, NULL, NULL);
}
